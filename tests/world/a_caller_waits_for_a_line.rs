//! SPEC 6.6: `alternate`, `alternate_priority`, `alternate_wait`: who may use the alternate form at once, and who waits, for how long and
//! in which order.

use std::time::Duration;

use hotdesk::phone::Behaviour;
use hotdesk::sip::{Name, Status};

use crate::support::{Arrival, Dialled, Sample, Seat, World};

const OUTSIDE: &str = "902079460999";

/// London's carrier bt has one channel, and so has mobile, where the alternate form leads: at once from priority 3 on, else after 30 s.
/// 202 has priority 2, 203 and 205 have 1.
fn waiting(sample: &mut Sample) {
    for (user, priority) in [("202", 2), ("203", 1), ("205", 1)] {
        sample.user(user).priority = priority;
    }
    let london = sample.site("london");
    london.trunks.iter_mut().for_each(|trunk| trunk.channels = Some(1));
    let main = london.ars.get_mut("main").expect("the sample has it");
    (main.alternate, main.alternate_priority, main.alternate_wait) =
        (Some("backup".into()), 3, Duration::from_secs(30));
}

fn phones<const N: usize>(world: &mut World, users: [&str; N]) -> [Seat; N] {
    users.map(|user| world.registered(user, "london"))
}

/// A call that keeps the carrier's line.
fn holds(world: &mut World, caller: Seat, carrier: Seat) -> (Dialled, Arrival) {
    let dialled = world.dial(caller, OUTSIDE);
    let arrival = world.arrival(carrier);
    world.answered(dialled);
    (dialled, arrival)
}

fn end(world: &mut World, (dialled, arrival): &(Dialled, Arrival)) {
    world.hang_up((dialled.seat, dialled.call), (arrival.seat, arrival.call));
}

/// Whether the caller was told 182.
fn is_queued(world: &World, caller: Seat) -> bool {
    world.has_sent("london", world.name(caller), b"SIP/2.0 182 Queued\r\n")
}

fn queue(world: &World) -> usize {
    world.node("london").overview().waiting_for_a_line()
}

fn rings_at(world: &mut World, carrier: Seat, within_ms: u64) -> bool {
    world.arrival_within(carrier, Duration::from_millis(within_ms)).is_some()
}

#[test]
fn whose_priority_is_high_enough_uses_the_alternate_at_once() {
    let mut world = World::with(1, waiting);
    let [ada, alan] = phones(&mut world, ["201", "204"]);
    let (bt, mobile) = (world.carrier("bt"), world.carrier("mobile"));
    let first = holds(&mut world, ada, bt);
    let (begun, second) = (world.now(), holds(&mut world, alan, mobile));
    assert!(world.now() - begun < Duration::from_secs(3) && !is_queued(&world, alan));
    end(&mut world, &first);
    end(&mut world, &second);
    world.end();
}

#[test]
fn a_lower_one_waits_and_the_alternate_is_open_to_it_after_the_wait() {
    let mut world = World::with(2, waiting);
    let [ada, charles] = phones(&mut world, ["201", "202"]);
    let (bt, mobile) = (world.carrier("bt"), world.carrier("mobile"));
    let first = holds(&mut world, ada, bt);
    let dialled = world.dial(charles, OUTSIDE);
    assert!(!rings_at(&mut world, mobile, 29_900), "the line is free, and the caller waits");
    assert!(is_queued(&world, charles) && queue(&world) == 1);
    assert!(rings_at(&mut world, mobile, 200), "after 30 s");
    world.answered(dialled);
    assert_eq!(queue(&world), 0);
    world.act(charles, |phone, now| phone.hang_up(now, dialled.call));
    end(&mut world, &first);
    world.end();
}

#[test]
fn a_line_of_the_form_itself_that_becomes_free_is_taken_at_once() {
    let mut world = World::with(3, waiting);
    let [ada, charles] = phones(&mut world, ["201", "202"]);
    let bt = world.carrier("bt");
    let first = holds(&mut world, ada, bt);
    let dialled = world.dial(charles, OUTSIDE);
    world.pass(10);
    assert!(is_queued(&world, charles));
    end(&mut world, &first);
    let arrival = world.arrival_within(bt, Duration::from_millis(100)).expect("it rings at once");
    world.answered(dialled);
    end(&mut world, &(dialled, arrival));
    assert!(!world.ever_rang(world.carrier("mobile")) && queue(&world) == 0);
    world.end();
}

#[test]
fn one_line_for_two_is_for_the_higher_priority_and_among_equals_for_who_came_first() {
    let mut world = World::with(4, |sample| {
        waiting(sample);
        sample.site("london").ars.get_mut("main").expect("it is there").alternate_wait = Duration::from_secs(60);
    });
    let [ada, mary, alan, charles] = phones(&mut world, ["201", "203", "205", "202"]);
    let bt = world.carrier("bt");
    let first = holds(&mut world, ada, bt);
    let waiting = [mary, alan, charles].map(|caller| {
        let dialled = world.dial(caller, OUTSIDE);
        world.pass(1);
        dialled
    });
    assert_eq!(queue(&world), 3);
    end(&mut world, &first);
    // 202 came last and has the highest priority; of 203 and 205 the former came first.
    for (at, left) in [(2, 2), (0, 1), (1, 0)] {
        let arrival = world.arrival_within(bt, Duration::from_millis(100)).expect("it rings at once");
        world.answered(waiting[at]);
        assert_eq!(queue(&world), left);
        assert!(!rings_at(&mut world, bt, 3_000), "there is one line");
        end(&mut world, &(waiting[at], arrival));
    }
    world.end();
}

#[test]
fn who_gives_up_leaves_the_queue() {
    let mut world = World::with(5, waiting);
    let [ada, mary, alan] = phones(&mut world, ["201", "203", "205"]);
    let bt = world.carrier("bt");
    let first = holds(&mut world, ada, bt);
    let [gives_up, stays] = [mary, alan].map(|caller| world.dial(caller, OUTSIDE));
    world.pass(5);
    world.act(mary, |phone, now| phone.cancel(now, gives_up.call));
    assert_eq!(world.refused(gives_up).status.0, 487);
    assert_eq!((queue(&world), world.node("london").tally().calls_of("203")), (1, 0));
    end(&mut world, &first);
    let arrival = world.arrival_within(bt, Duration::from_millis(100)).expect("the other one is next");
    world.answered(stays);
    end(&mut world, &(stays, arrival));
    world.end();
}

#[test]
fn nobody_waits_longer_than_a_minute() {
    let mut world = World::with(6, waiting);
    let [ada, turing, charles] = phones(&mut world, ["201", "204", "202"]);
    let (bt, mobile) = (world.carrier("bt"), world.carrier("mobile"));
    let (first, second) = (holds(&mut world, ada, bt), holds(&mut world, turing, mobile));
    let (begun, dialled) = (world.now(), world.dial(charles, OUTSIDE));
    let refused = world.refused(dialled);
    let after = (world.now() - begun).as_millis();
    assert!(refused.status == Status::TEMPORARILY_UNAVAILABLE && refused.says("no line free"), "{refused:?}");
    assert!((60_000..60_200).contains(&after), "{after} ms");
    let answer = world.last_answer("london", world.name(charles));
    assert!(answer.contains("\r\nReason: Q.850;cause=34\r\n") && queue(&world) == 0, "{answer}");
    end(&mut world, &first);
    end(&mut world, &second);
    world.end();
}

#[test]
fn who_may_use_the_alternate_at_once_waits_too_when_it_is_full() {
    let mut world = World::with(7, |sample| {
        waiting(sample);
        sample.user("202").priority = 3;
    });
    let [ada, turing, mary, charles] = phones(&mut world, ["201", "204", "203", "202"]);
    let (bt, mobile) = (world.carrier("bt"), world.carrier("mobile"));
    let (first, second) = (holds(&mut world, ada, bt), holds(&mut world, turing, mobile));
    let [low, high] = [mary, charles].map(|caller| world.dial(caller, OUTSIDE));
    world.pass(1);
    assert!(queue(&world) == 2 && is_queued(&world, charles));
    end(&mut world, &second);
    // To 203 the alternate is not open yet.
    let by_alternate = world.arrival_within(mobile, Duration::from_millis(100)).expect("it rings at once");
    world.answered(high);
    end(&mut world, &first);
    let by_main = world.arrival_within(bt, Duration::from_millis(100)).expect("it rings at once");
    world.answered(low);
    end(&mut world, &(high, by_alternate));
    end(&mut world, &(low, by_main));
    world.end();
}

#[test]
fn a_caller_who_requires_reliable_provisional_answers_gets_no_182() {
    let mut world = World::with(8, waiting);
    let [ada, charles] = phones(&mut world, ["201", "202"]);
    let bt = world.carrier("bt");
    let first = holds(&mut world, ada, bt);
    let require = vec![(Name::Require, "100rel".to_owned())];
    let call = world.act(charles, |phone, now| phone.call_with(now, OUTSIDE, require));
    world.pass(10);
    assert!(queue(&world) == 1 && !is_queued(&world, charles));
    assert!(world.has_sent("london", world.name(charles), b"SIP/2.0 100 Trying"));
    world.act(charles, |phone, now| phone.cancel(now, call));
    world.pass(1);
    assert_eq!(queue(&world), 0);
    end(&mut world, &first);
    world.end();
}

#[test]
fn a_trunk_that_comes_back_is_a_line_that_becomes_free() {
    let mut world = World::with(9, waiting);
    let [charles] = phones(&mut world, ["202"]);
    let (bt, mobile) = (world.carrier("bt"), world.carrier("mobile"));
    world.behave(bt, Behaviour::Silent);
    let (begun, dialled) = (world.now(), world.dial(charles, OUTSIDE));
    world.pass(6);
    assert!(is_queued(&world, charles) && queue(&world) == 1, "after four seconds of silence");
    world.behave(bt, Behaviour::Answer { after: Duration::from_secs(2) });
    world.answered(dialled);
    let after = (world.now() - begun).as_secs();
    assert!((7..27).contains(&after), "by the next probe, {after} s");
    world.act(charles, |phone, now| phone.hang_up(now, dialled.call));
    assert!(!world.ever_rang(mobile));
    world.end();
}

#[test]
fn a_trunk_that_has_refused_the_call_is_not_asked_again() {
    let mut world = World::with(10, waiting);
    let [charles] = phones(&mut world, ["202"]);
    let (bt, mobile) = (world.carrier("bt"), world.carrier("mobile"));
    world.behave(bt, Behaviour::Reject { status: Status::SERVER_INTERNAL_ERROR, reason: "Broken".into() });
    let dialled = world.dial(charles, OUTSIDE);
    assert!(!rings_at(&mut world, mobile, 29_900) && rings_at(&mut world, mobile, 300), "the alternate after its wait");
    world.answered(dialled);
    let asked = world.datagrams().filter(|(_, to, bytes)| *to == "bt" && bytes.starts_with(b"INVITE")).count();
    assert_eq!(asked, 1);
    world.act(charles, |phone, now| phone.hang_up(now, dialled.call));
    world.end();
}

#[test]
fn what_ends_the_search_is_not_waited_for() {
    let mut world = World::with(11, waiting);
    let [charles] = phones(&mut world, ["202"]);
    world.behave(world.carrier("bt"), Behaviour::Busy);
    let dialled = world.dial(charles, OUTSIDE);
    assert_eq!(world.refused(dialled).status.0, 486);
    assert!(!is_queued(&world, charles) && !world.ever_rang(world.carrier("mobile")));
    world.end();
}

#[test]
fn the_shards_of_a_site_have_one_queue() {
    let mut world = World::with(12, |sample| {
        waiting(sample);
        sample.site("london").ars.get_mut("main").expect("it is there").alternate_wait = Duration::from_secs(60);
        sample.shards(4);
    });
    let [ada, mary, alan, charles] = phones(&mut world, ["201", "203", "205", "202"]);
    let bt = world.carrier("bt");
    let first = holds(&mut world, ada, bt);
    let waiting = [mary, alan, charles].map(|caller| {
        let dialled = world.dial(caller, OUTSIDE);
        world.pass(1);
        dialled
    });
    end(&mut world, &first);
    for at in [2, 0, 1] {
        let arrival = world.arrival_within(bt, Duration::from_millis(200)).expect("it rings at once");
        world.answered(waiting[at]);
        end(&mut world, &(waiting[at], arrival));
    }
    assert_eq!(queue(&world), 0);
    world.end();
}

#[test]
fn a_call_for_help_waits_for_nobody_and_nobody_waits_before_it() {
    let mut world = World::with(13, waiting);
    let [ada, charles, mary] = phones(&mut world, ["201", "202", "203"]);
    let bt = world.carrier("bt");
    let first = holds(&mut world, ada, bt);
    let dialled = world.dial(charles, OUTSIDE);
    world.pass(1);
    let help = world.dial(mary, "999");
    let arrival = world.arrival_within(bt, Duration::from_millis(100)).expect("help is called at once");
    world.answered(help);
    end(&mut world, &(help, arrival));
    world.act(charles, |phone, now| phone.cancel(now, dialled.call));
    end(&mut world, &first);
    world.end();
}

/// SPEC 2.3, 6.6: a reload applies to those who wait, too.
#[test]
fn a_line_that_a_reload_adds_is_taken_and_one_that_it_takes_away_is_not() {
    let more = |channels: u32| {
        move |sample: &mut Sample| {
            sample.site("london").trunks.iter_mut().filter(|trunk| trunk.name == "bt-1").for_each(|trunk| {
                trunk.channels = Some(channels);
            });
        }
    };
    let mut world = World::with(20, waiting);
    let [ada, charles, mary] = phones(&mut world, ["201", "202", "203"]);
    let bt = world.carrier("bt");
    let first = holds(&mut world, ada, bt);
    let dialled = world.dial(charles, OUTSIDE);
    world.pass(1);
    assert!(is_queued(&world, charles));
    world.reload("london", more(2));
    let arrival = world.arrival_within(bt, Duration::from_millis(100)).expect("it rings at once");
    world.answered(dialled);
    let third = world.dial(mary, OUTSIDE);
    world.pass(1);
    assert!(is_queued(&world, mary));
    world.reload("london", more(1));
    end(&mut world, &first);
    assert!(!rings_at(&mut world, bt, 1_000), "the one line that is left is in use");
    end(&mut world, &(dialled, arrival));
    let arrival = world.arrival_within(bt, Duration::from_millis(100)).expect("it rings at once");
    world.answered(third);
    end(&mut world, &(third, arrival));
    world.end();
}
