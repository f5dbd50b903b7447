use super::*;

const TRUNK: u32 = 7;
const OTHER: u32 = 8;
const CAP: Duration = Duration::from_secs(43_200);

struct Bench {
    calls: LiveCalls,
    now: Instant,
    ada: Extension,
    bob: Extension,
}

#[allow(clippy::disallowed_methods, reason = "any instant will do as the start")]
fn bench() -> Bench {
    let calls = LiveCalls::new([9; 32], [1; 4], Arc::new(Tally::new([2; 4])));
    Bench { calls, now: Instant::now(), ada: Extension::new("201"), bob: Extension::new("202") }
}

fn about() -> Option<About> {
    Some(About { from: "201".into(), to: "202".into(), gives: "Extension 202".into() })
}

impl Bench {
    fn asks(&mut self, call_id: &str, most: usize) -> Result<LiveId, NoRoom> {
        let user = Some((&self.ada, most));
        let (call_id, caller_tag) = (call_id.as_bytes(), &b"a"[..]);
        self.calls.begin(&Asks { call_id, caller_tag, user, came_by: None, unproven: None, emergency: false })
    }

    fn begin(&mut self, call_id: &str) -> LiveId {
        self.asks(call_id, 4).expect("there is room")
    }

    fn by_trunk(&mut self, call_id: &str) -> LiveId {
        let (call_id, caller_tag) = (call_id.as_bytes(), &b"a"[..]);
        let asks = Asks { call_id, caller_tag, user: None, came_by: Some(TRUNK), unproven: None, emergency: false };
        self.calls.begin(&asks).expect("the carrier has found a channel")
    }

    fn ring(&mut self, id: LiveId, branch: u32, most: usize) -> Result<(), NoRoom> {
        let user = Some((&self.bob, most));
        self.calls.hold(id, branch, &Wants { user, ..Wants::default() })
    }

    fn dial_out(&mut self, id: LiveId, branch: u32, most: usize, transit: Option<usize>) -> Result<(), NoRoom> {
        let trunk = Some(Channel { mark: OTHER, most: Some(most), transit });
        self.calls.hold(id, branch, &Wants { trunk, ..Wants::default() })
    }

    fn answer(&mut self, id: LiveId, branch: u32, callee_tag: &str, session: Option<u64>) {
        let (callee_tag, session) = (callee_tag.as_bytes(), session.map(Duration::from_secs));
        self.calls.answered(self.now, id, &Answer { branch, callee_tag, session, cap: CAP }, about());
    }

    fn end(&mut self, call_id: &str, from: &str, to: &str) -> Vec<EndedBy> {
        let tags = tags(call_id, from, to);
        self.calls.end_dialog(self.now, &tags, EndedBy::Bye).into_iter().map(|ended| ended.by).collect()
    }

    fn after(&mut self, seconds: u64) -> Vec<(EndedBy, u64)> {
        self.now += Duration::from_secs(seconds);
        std::iter::from_fn(|| self.calls.expired(self.now)).map(|ended| (ended.by, ended.lasted.as_secs())).collect()
    }

    /// Calls, those of Ada, those of Bob, channels of the trunk that calls come by, of the other one, transit.
    fn counts(&self) -> [usize; 6] {
        let tally = self.calls.tally();
        let of = |mark: u32| count(&tally.channels, mark);
        [
            tally.calls(),
            tally.calls_of("201"),
            tally.calls_of("202"),
            of(TRUNK),
            of(OTHER),
            count(&tally.transit, TRUNK),
        ]
    }

    fn assert_idle(&self) {
        assert_eq!(self.counts(), [0; 6]);
        assert!(self.calls.is_empty() && self.calls.by_name.is_empty() && self.calls.next().is_none());
    }
}

/// How many places are taken: as many as are still there when that is the limit.
fn count(counter: &super::super::tally::Counter<u32>, mark: u32) -> usize {
    let taken = (0..100).find(|&most| {
        let free = counter.reserve(&mark, Some(most + 1));
        if free {
            counter.release(&mark);
        }
        free
    });
    taken.expect("fewer than a hundred")
}

fn tags<'a>(call_id: &'a str, from: &'a str, to: &'a str) -> DialogTags<'a> {
    DialogTags { call_id: call_id.as_bytes(), from: from.as_bytes(), to: to.as_bytes() }
}

#[test]
fn a_user_has_as_many_calls_as_allowed_and_one_more_when_one_has_ended() {
    let mut bench = bench();
    let first = bench.asks("1", 2).expect("there is room");
    bench.asks("2", 2).expect("there is room");
    assert_eq!(bench.asks("3", 2), Err(NoRoom::User));
    assert_eq!(bench.counts()[..2], [2, 2], "what was refused holds nothing");
    bench.calls.over(first);
    assert!(bench.asks("3", 2).is_ok());
}

#[test]
fn a_user_who_rings_is_counted_once_however_many_phones_there_are() {
    let mut bench = bench();
    let id = bench.begin("1");
    assert!(bench.ring(id, 0, 1).is_ok() && bench.ring(id, 1, 1).is_ok());
    assert_eq!(bench.counts(), [1, 1, 1, 0, 0, 0]);
    let other = bench.begin("2");
    assert_eq!(bench.ring(other, 0, 1), Err(NoRoom::User));
    bench.calls.give_back(id, 0);
    assert_eq!(bench.ring(other, 0, 1), Err(NoRoom::User), "the other phone still rings");
    bench.calls.give_back(id, 1);
    assert!(bench.ring(other, 0, 1).is_ok());
    bench.calls.over(id);
    bench.calls.over(other);
    bench.assert_idle();
}

#[test]
fn who_calls_himself_has_one_call() {
    let mut bench = bench();
    let id = bench.asks("1", 1).expect("there is room");
    bench.bob = bench.ada.clone();
    assert!(bench.ring(id, 0, 1).is_ok());
    bench.calls.give_back(id, 0);
    assert_eq!(bench.counts()[1], 1, "the caller still calls");
    bench.calls.over(id);
    bench.assert_idle();
}

#[test]
fn an_answered_call_ends_with_its_bye_from_either_side() {
    for (from, to) in [("a", "b"), ("b", "a")] {
        let mut bench = bench();
        let id = bench.begin("1");
        bench.ring(id, 0, 1).expect("there is room");
        bench.answer(id, 0, "b", None);
        assert_eq!(bench.calls.standing(&tags("1", from, to)), Standing::Up);
        // With an invented tag the callee names no call at all: the caller's tag is part of a call's name.
        let invented = if from == "a" { Standing::NotOfThisCall } else { Standing::Unknown };
        assert_eq!(bench.calls.standing(&tags("1", from, "invented")), invented);
        assert_eq!(bench.end("1", from, "another"), []);
        assert_eq!(bench.end("2", from, to), []);
        assert_eq!(bench.end("1", from, to), [EndedBy::Bye]);
        assert_eq!(bench.end("1", from, to), [], "a BYE that is sent again ends nothing more");
        assert_eq!(bench.calls.standing(&tags("1", from, to)), Standing::Unknown);
        bench.assert_idle();
    }
}

#[test]
fn a_forked_call_ends_with_its_last_dialog_and_no_late_copy_revives_the_first() {
    let mut bench = bench();
    let id = bench.begin("1");
    bench.ring(id, 0, 1).expect("there is room");
    bench.dial_out(id, 1, 1, None).expect("there is room");
    bench.answer(id, 0, "b", Some(90));
    bench.answer(id, 1, "c", None);
    assert_eq!(bench.counts(), [1, 1, 1, 0, 1, 0]);
    assert_eq!(bench.end("1", "b", "a"), []);
    assert_eq!(bench.counts(), [1, 1, 0, 0, 1, 0], "its user is free");
    bench.answer(id, 0, "b", Some(90));
    assert_eq!(bench.after(100), [], "a dialog that is over does not run out");
    assert_eq!(bench.end("1", "a", "c"), [EndedBy::Bye]);
    bench.assert_idle();
}

#[test]
fn branches_that_did_not_answer_are_free_when_nothing_more_can_come() {
    let mut bench = bench();
    let id = bench.begin("1");
    bench.ring(id, 0, 1).expect("there is room");
    bench.dial_out(id, 1, 1, None).expect("there is room");
    bench.answer(id, 0, "b", None);
    bench.calls.give_back(id, 0);
    assert_eq!(bench.counts()[2..5], [1, 0, 1], "the answered branch keeps its place");
    bench.calls.settled(id);
    assert_eq!(bench.counts()[2..5], [1, 0, 0]);
}

#[test]
fn a_lost_bye_ends_with_the_session_timer_and_a_refresh_puts_it_off() {
    let mut bench = bench();
    let id = bench.begin("1");
    bench.answer(id, 0, "b", Some(1800));
    assert_eq!(bench.after(900), []);
    bench.calls.refreshed(bench.now, &tags("1", "b", "a"), Some(Duration::from_secs(1800)));
    assert_eq!(bench.after(1799), []);
    assert_eq!(bench.after(1), [(EndedBy::SessionTimer, 2700)]);
    bench.assert_idle();
}

#[test]
fn without_a_session_timer_a_call_ends_by_the_cap() {
    let mut bench = bench();
    let id = bench.begin("1");
    bench.answer(id, 0, "b", Some(600));
    bench.calls.refreshed(bench.now, &tags("1", "a", "b"), None);
    assert_eq!(bench.after(43_199), []);
    assert_eq!(bench.after(1), [(EndedBy::Cap, 43_200)]);
    bench.assert_idle();
}

#[test]
fn the_cap_ends_a_call_that_is_refreshed_for_ever() {
    let mut bench = bench();
    let id = bench.begin("1");
    bench.answer(id, 0, "b", Some(1800));
    let mut ends = Vec::new();
    for _ in 0..60 {
        ends.extend(bench.after(900));
        bench.calls.refreshed(bench.now, &tags("1", "a", "b"), Some(Duration::from_secs(1800)));
    }
    assert_eq!(ends, [(EndedBy::Cap, 43_200)]);
    bench.assert_idle();
}

#[test]
fn what_was_never_answered_does_not_run_out_and_is_not_ended_by_a_bye() {
    let mut bench = bench();
    let id = bench.begin("1");
    assert_eq!(bench.calls.next(), None);
    assert_eq!(bench.end("1", "a", "b"), []);
    assert_eq!(bench.counts()[0], 1, "its INVITE will be refused");
    bench.calls.over(id);
    bench.calls.over(id);
    bench.answer(id, 0, "b", None);
    bench.assert_idle();
}

#[test]
fn a_full_trunk_gives_nothing_and_takes_nothing() {
    let mut bench = bench();
    let (first, second) = (bench.begin("1"), bench.begin("2"));
    assert!(bench.dial_out(first, 0, 1, None).is_ok());
    let user = Some((&bench.bob, 1));
    let trunk = Some(Channel { mark: OTHER, most: Some(1), transit: None });
    let wants = Wants { user, trunk, emergency: false };
    assert_eq!(bench.calls.hold(second, 0, &wants), Err(NoRoom::Trunk));
    assert_eq!(bench.counts(), [2, 2, 0, 0, 1, 0]);
    assert!(bench.calls.hold(second, 1, &Wants { emergency: true, ..wants }).is_ok(), "help is never refused");
    assert_eq!(bench.counts(), [2, 2, 1, 0, 2, 0]);
    bench.calls.give_back(second, 1);
    bench.calls.give_back(first, 0);
    assert!(bench.dial_out(second, 2, 1, None).is_ok());
}

#[test]
fn a_call_in_by_a_trunk_and_out_by_one_is_transit_and_counts_once() {
    let mut bench = bench();
    let (first, second) = (bench.by_trunk("1"), bench.by_trunk("2"));
    assert!(bench.dial_out(first, 0, 9, Some(1)).is_ok());
    assert!(bench.dial_out(first, 1, 9, Some(1)).is_ok(), "the same call: it keeps its channel");
    assert_eq!(bench.counts(), [2, 0, 0, 2, 1, 1]);
    assert_eq!(bench.dial_out(second, 0, 9, Some(1)), Err(NoRoom::Transit));
    assert_eq!(bench.counts(), [2, 0, 0, 2, 1, 1]);
    bench.calls.give_back(first, 0);
    assert_eq!(bench.dial_out(second, 0, 9, Some(1)), Err(NoRoom::Transit));
    bench.calls.give_back(first, 1);
    assert!(bench.dial_out(second, 0, 9, Some(1)).is_ok());
    bench.calls.over(first);
    bench.calls.over(second);
    bench.assert_idle();
}

#[test]
fn a_spiral_is_one_call_that_ends_in_both_passages() {
    let mut bench = bench();
    let (first, second) = (bench.begin("1"), bench.by_trunk("1"));
    assert_eq!((bench.calls.len(), bench.counts()[0]), (2, 1));
    bench.answer(second, 0, "b", None);
    bench.answer(first, 0, "b", None);
    assert_eq!(bench.end("1", "a", "b"), [EndedBy::Bye, EndedBy::Bye]);
    bench.assert_idle();
}

#[test]
fn a_full_table_takes_no_call_but_one_for_help() {
    let mut bench = bench();
    bench.calls.most = 2;
    bench.begin("1");
    bench.begin("2");
    assert_eq!(bench.asks("3", 9), Err(NoRoom::Table));
    let asks = Asks {
        call_id: b"3",
        caller_tag: b"a",
        user: Some((&bench.ada, 2)),
        came_by: None,
        unproven: None,
        emergency: true,
    };
    assert!(bench.calls.begin(&asks).is_ok(), "whatever the user's limit");
    assert_eq!(bench.counts()[1], 3);
}

#[test]
fn a_call_that_forks_without_end_is_bounded() {
    let mut bench = bench();
    let id = bench.begin("1");
    (0..100).for_each(|tag| bench.answer(id, 0, &tag.to_string(), None));
    assert_eq!(bench.calls.live(id).map(|live| live.dialogs.len()), Some(LiveCalls::DIALOGS));
    for tag in 0..LiveCalls::DIALOGS {
        assert_eq!(bench.end("1", "a", &tag.to_string()).len(), usize::from(tag == LiveCalls::DIALOGS - 1));
    }
    bench.assert_idle();
}
