//! Is the other site there? (SPEC 8.1, 11.4)
//!
//! ```text
//!            a proven answer                 silence of 2 × probe
//! Unknown ───────────────────► Up ◄────────────┐ ─────────────► Down ◄─┐
//!    │                                         │ two answers     │     │ silence of 2 × probe:
//!    └── silence of 2 × probe ──► Down         └─────────────────┘─────┘ answers count anew
//! ```
//!
//! Only proven answers to requests of ours count; what the site sends of its own accord says nothing. The node asks
//! [`Peer::wants_probe`] when the deadline has come and sends an OPTIONS, reports each proven answer and each request that
//! met silence, and drains [`Peer::poll_change`]. Whether one call may be sent is the proxy's to time (`answer` seconds).

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::answer::{Help, Proven};
use super::keys::Receipt;
use crate::ids::BootId;
use crate::timing::Now;

/// From here a difference of the clocks is worth a warning, in milliseconds.
const APART: u64 = 5_000;
/// Beyond this the sites refuse each other's tokens.
const FAR: u64 = super::token::FRESH;
/// Requests in the site's name that are not believed are told at most so often.
const MISTRUST: Duration = Duration::from_secs(60);
/// Between two probes at least; the second answer that brings a site up is asked for so soon.
const SOON: Duration = Duration::from_secs(1);

/// Whether a site is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Just started: nothing heard yet, worth trying.
    Unknown,
    /// Proven answers come.
    Up,
    /// Silent for twice `probe`.
    Down,
}

/// Why requests in a site's name are not believed. Anybody can send such: they say nothing about whether the site is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mistrust {
    /// They are made with a secret that this site does not have.
    OtherSecret,
    /// They do not prove what they say, though their secret is said to be ours.
    Unproven,
}

/// How the other site's clock stands to ours; milliseconds, positive if it is ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// Less than 5 s apart.
    Near(i64),
    /// A warning.
    Apart(i64),
    /// Over 30 s: requests are refused until a clock is set right.
    Far(i64),
}

/// What has changed, for logs, the API and what waits for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The site is up.
    Up,
    /// The site is down.
    Down,
    /// The site is another process than before.
    Restarted(BootId),
    /// Its clock has come into another class.
    Clock(Clock),
    /// It runs another network table than it said before, or says for the first time.
    Network([u8; 8]),
}

/// One other site.
#[derive(Debug)]
pub struct Peer {
    probe: Duration,
    state: State,
    /// The last proven answer, or the start.
    heard: Instant,
    /// While down: proven answers since, and to which request the last was.
    answers: u8,
    last: Option<Receipt>,
    probed: Option<Instant>,
    due: Instant,
    boot: BootId,
    clock: Option<Clock>,
    release: Option<String>,
    network: Option<[u8; 8]>,
    help: Help,
    /// The last request in its name that was not believed, and when one was told last.
    mistrust: Option<(Mistrust, Instant)>,
    told: Option<Instant>,
    changes: VecDeque<Change>,
}

impl Peer {
    /// A site of which nothing is known; it is probed at once. `probe` as in `links.probe`.
    pub fn new(now: Instant, probe: Duration) -> Self {
        Self {
            probe,
            state: State::Unknown,
            heard: now,
            answers: 0,
            last: None,
            probed: None,
            due: now,
            boot: BootId(0),
            clock: None,
            release: None,
            network: None,
            help: Help::default(),
            mistrust: None,
            told: None,
            changes: VecDeque::new(),
        }
    }

    /// Takes over a new `links.probe`.
    pub fn configure(&mut self, probe: Duration) {
        self.probe = probe;
    }

    /// Whether it is there.
    pub fn state(&self) -> State {
        self.state
    }

    /// Whether a request is worth sending.
    pub fn is_worth_trying(&self) -> bool {
        match self.state {
            State::Unknown | State::Up => true,
            State::Down => false,
        }
    }

    /// Its boot id, for tokens; zero if not known yet.
    pub fn boot(&self) -> BootId {
        self.boot
    }

    /// Its clock against ours, once heard.
    pub fn clock(&self) -> Option<Clock> {
        self.clock
    }

    /// Its release, as it says itself.
    pub fn release(&self) -> Option<&str> {
        self.release.as_deref()
    }

    /// The hash of its network table.
    pub fn network(&self) -> Option<[u8; 8]> {
        self.network
    }

    /// What is dialled for help there, as it said last.
    pub fn help(&self) -> &Help {
        &self.help
    }

    /// When it last proved to be there.
    pub fn heard(&self) -> Option<Instant> {
        self.last.map(|_| self.heard)
    }

    /// Why the last request in its name that was not believed was not, and when that was.
    pub fn mistrust(&self) -> Option<(Mistrust, Instant)> {
        self.mistrust
    }

    /// A request in its name was not believed. True if that is to be told; it changes nothing else.
    pub fn note_mistrust(&mut self, now: Instant, why: Mistrust) -> bool {
        self.mistrust = Some((why, now));
        let tells = self.told.is_none_or(|at| now.saturating_duration_since(at) >= MISTRUST);
        if tells {
            self.told = Some(now);
        }
        tells
    }

    /// A proven answer to the request with that receipt came.
    pub fn note_answer(&mut self, now: Now, request: &Receipt, proven: &Proven) {
        self.learn(now, proven);
        let another = self.last.replace(*request) != Some(*request);
        let in_time = now.instant.saturating_duration_since(self.heard) < self.probe * 2;
        self.heard = now.instant;
        self.due = now.instant + self.probe;
        match self.state {
            State::Up => {}
            State::Unknown => self.enter(State::Up),
            State::Down => {
                self.answers = if in_time { self.answers + u8::from(another) } else { 1 };
                if self.answers >= 2 {
                    self.enter(State::Up);
                } else {
                    self.due = now.instant + SOON.min(self.probe);
                }
            }
        }
    }

    /// A request met no response at all within `links.answer`: the site is probed now.
    pub fn note_silence(&mut self, now: Instant) {
        let soonest = self.probed.map_or(now, |at| (at + SOON).max(now));
        self.due = self.due.min(soonest);
    }

    /// Whether a probe is to be sent now; true once for each.
    pub fn wants_probe(&mut self, now: Instant) -> bool {
        let wants = now >= self.due;
        if wants {
            self.probed = Some(now);
            self.due = now + self.probe;
        }
        wants
    }

    /// Lets silence take effect. Idempotent.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.silent_at().is_some_and(|at| now >= at) {
            self.enter(State::Down);
        }
    }

    /// When [`Peer::handle_timeout`] and [`Peer::wants_probe`] are to be called next.
    pub fn poll_timeout(&self) -> Instant {
        self.silent_at().map_or(self.due, |at| at.min(self.due))
    }

    /// The next change that nobody has seen yet.
    pub fn poll_change(&mut self) -> Option<Change> {
        self.changes.pop_front()
    }

    fn silent_at(&self) -> Option<Instant> {
        match self.state {
            State::Unknown | State::Up => Some(self.heard + self.probe * 2),
            State::Down => None,
        }
    }

    fn enter(&mut self, state: State) {
        self.state = state;
        self.answers = 0;
        match state {
            State::Up => self.changes.push_back(Change::Up),
            State::Down => self.changes.push_back(Change::Down),
            State::Unknown => {}
        }
    }

    fn learn(&mut self, now: Now, proven: &Proven) {
        let answer = &proven.answer;
        if self.boot != answer.boot {
            if self.boot != BootId(0) {
                self.changes.push_back(Change::Restarted(answer.boot));
            }
            self.boot = answer.boot;
        }
        let clock = Clock::of(answer.clock.0, now.wall.0);
        let class = |clock: &Clock| std::mem::discriminant(clock);
        // That a clock is right to begin with is no change.
        if class(&self.clock.unwrap_or(Clock::Near(0))) != class(&clock) {
            self.changes.push_back(Change::Clock(clock));
        }
        self.clock = Some(clock);
        if answer.release.is_some() {
            self.release.clone_from(&answer.release);
        }
        if let Some(help) = &answer.help {
            self.help.clone_from(help);
        }
        if let Some(network) = answer.network.filter(|network| self.network != Some(*network)) {
            self.network = Some(network);
            self.changes.push_back(Change::Network(network));
        }
    }
}

impl Clock {
    fn of(theirs: u64, ours: u64) -> Self {
        // Both have 48 bits on the wire; a wall clock beyond that is no clock.
        let ahead = (theirs as i64).saturating_sub(ours as i64);
        match ahead.unsigned_abs() {
            0..APART => Clock::Near(ahead),
            APART..=FAR => Clock::Apart(ahead),
            _ => Clock::Far(ahead),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::answer::Answer;
    use crate::link::keys::{KeyId, Mac};
    use crate::timing::Wall;

    const PROBE: Duration = Duration::from_secs(5);
    const WALL: u64 = 1_790_000_000_000;

    /// A peer and a virtual clock.
    struct Play {
        peer: Peer,
        start: Instant,
        millis: u64,
        requests: u8,
    }

    impl Play {
        fn new() -> Self {
            #[allow(clippy::disallowed_methods, reason = "a test's zero point")]
            let start = Instant::now();
            Self { peer: Peer::new(start, PROBE), start, millis: 0, requests: 0 }
        }

        fn now(&self) -> Now {
            Now { instant: self.start + Duration::from_millis(self.millis), wall: Wall(WALL + self.millis) }
        }

        /// Lets time pass; gives the times of the probes, in milliseconds.
        fn pass(&mut self, millis: u64) -> Vec<u64> {
            let (end, mut probes) = (self.millis + millis, Vec::new());
            loop {
                let next = self.peer.poll_timeout().saturating_duration_since(self.start).as_millis() as u64;
                if next > end {
                    self.millis = end;
                    return probes;
                }
                self.millis = self.millis.max(next);
                let now = self.now().instant;
                self.peer.handle_timeout(now);
                if self.peer.wants_probe(now) {
                    probes.push(self.millis);
                }
            }
        }

        fn answer(&mut self) {
            self.requests += 1;
            self.answer_with(Answer { boot: BootId(1), clock: self.now().wall, ..Answer::default() });
        }

        fn answer_with(&mut self, answer: Answer) {
            let request = Receipt { key: KeyId(1), mac: Mac([self.requests; 16]) };
            self.peer.note_answer(self.now(), &request, &Proven { answer, covers_body: false });
        }

        fn changes(&mut self) -> Vec<Change> {
            std::iter::from_fn(|| self.peer.poll_change()).collect()
        }
    }

    #[test]
    fn a_site_that_never_answers_is_down_after_twice_probe_and_probed_on() {
        let mut play = Play::new();
        assert!(play.peer.is_worth_trying());
        assert_eq!(play.pass(9_999), [0, 5_000]);
        assert_eq!(play.peer.state(), State::Unknown);
        assert_eq!(play.pass(10_001), [10_000, 15_000, 20_000]);
        assert_eq!((play.peer.state(), play.changes()), (State::Down, vec![Change::Down]));
    }

    #[test]
    fn one_answer_brings_it_up_at_first_and_answers_keep_it_up_without_probes() {
        let mut play = Play::new();
        play.pass(0);
        play.answer();
        assert_eq!((play.peer.state(), play.changes()), (State::Up, vec![Change::Up]));
        for _ in 0..10 {
            assert!(play.pass(4_999).is_empty());
            play.answer();
        }
        assert_eq!(play.pass(9_999), [54_990]);
        assert_eq!(play.peer.state(), State::Up);
        play.pass(1);
        assert_eq!(play.peer.state(), State::Down);
    }

    #[test]
    fn it_comes_up_again_after_two_answers_to_two_requests() {
        let mut play = Play::new();
        play.pass(11_000);
        play.answer();
        // The final answer to the same request.
        play.answer_with(Answer { boot: BootId(1), clock: play.now().wall, ..Answer::default() });
        assert_eq!(play.peer.state(), State::Down);
        assert_eq!(play.pass(1_000), [12_000]);
        play.answer();
        assert_eq!((play.peer.state(), play.changes()), (State::Up, vec![Change::Down, Change::Up]));
    }

    #[test]
    fn two_answers_far_apart_do_not_bring_it_up() {
        let mut play = Play::new();
        play.pass(11_000);
        play.answer();
        play.pass(10_000);
        play.answer();
        assert_eq!(play.peer.state(), State::Down);
        play.pass(9_999);
        play.answer();
        assert_eq!(play.peer.state(), State::Up);
    }

    #[test]
    fn silence_in_a_call_probes_at_once_but_not_each_time() {
        let mut play = Play::new();
        play.pass(0);
        play.answer();
        play.pass(2_000);
        let now = play.now().instant;
        play.peer.note_silence(now);
        assert_eq!(play.pass(0), [2_000]);
        let now = play.now().instant;
        play.peer.note_silence(now);
        assert_eq!(play.pass(1_000), [3_000]);
        assert_eq!(play.peer.state(), State::Up);
    }

    #[test]
    fn what_is_not_believed_is_told_once_a_minute_and_changes_nothing() {
        let mut play = Play::new();
        play.answer();
        play.changes();
        let note = |play: &mut Play| {
            let now = play.now().instant;
            play.peer.note_mistrust(now, Mistrust::OtherSecret)
        };
        assert_eq!((note(&mut play), note(&mut play)), (true, false));
        play.millis += 59_999;
        assert!(!note(&mut play));
        play.millis += 1;
        assert!(note(&mut play));
        assert_eq!((play.peer.state(), play.changes()), (State::Up, vec![]));
        assert_eq!(play.peer.mistrust(), Some((Mistrust::OtherSecret, play.now().instant)));
    }

    #[test]
    fn a_restart_and_a_wrong_clock_are_told_once() {
        let mut play = Play::new();
        play.answer();
        play.changes();
        let mut told = |boot, ahead: i64| {
            play.answer_with(Answer {
                boot: BootId(boot),
                clock: Wall((WALL as i64 + ahead) as u64),
                ..Answer::default()
            });
            play.changes()
        };
        assert_eq!(told(2, 0), [Change::Restarted(BootId(2))]);
        assert_eq!(told(2, 4_999), []);
        assert_eq!(told(2, -5_000), [Change::Clock(Clock::Apart(-5_000))]);
        assert_eq!(told(2, 30_000), []);
        assert_eq!(told(2, 30_001), [Change::Clock(Clock::Far(30_001))]);
        assert_eq!(told(2, 0), [Change::Clock(Clock::Near(0))]);
        assert_eq!(play.peer.boot(), BootId(2));
    }

    #[test]
    fn what_probes_say_is_kept_through_answers_that_say_less() {
        let mut play = Play::new();
        let clock = play.now().wall;
        let said = Answer { clock, release: Some("0.1.0".into()), network: Some([1; 8]), ..Answer::default() };
        play.answer_with(said.clone());
        play.answer_with(said);
        play.answer();
        assert_eq!((play.peer.release(), play.peer.network()), (Some("0.1.0"), Some([1; 8])));
        assert_eq!(play.changes(), [Change::Network([1; 8]), Change::Up]);
    }
}
