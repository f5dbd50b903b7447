//! A registration with a carrier (SPEC 3: `register`; RFC 3261 §10.2): when REGISTER is sent, and what its answers mean.
//!
//! ```text
//!          due            Granted                       stop
//!   Out ─────────► Asking ─────────► In ──────────────────────────────────┐
//!    ▲             │ ▲  │             │ due: refresh                       ▼    any answer, or none
//!    └─────────────┘ └──┼─────────────┘                               Leaving ─────────────────────► Left
//!    Refused, Silent    └── stop ──► Stopping ──── Granted ────────────────┘                          ▲
//!                                       └───────── Refused, Silent, due ──────────────────────────────┘
//! ```
//!
//! Every state × input is in the snapshot beside. RFC 3261 §10.2: a REGISTER is sent only when the one before has its answer, so
//! `Stopping` waits for it. Challenges are answered by the node, before this hears of anything ([`challenge`](super::challenge)).

use std::time::{Duration, Instant};

/// Longest expiry that a registrar may ask for by 423: what asks for more has a mistake in it.
const LONGEST: u32 = 86_400;
/// Who does not answer is asked again after so long; doubled each time up to [`SLOWEST`].
const SILENT: Duration = Duration::from_secs(5);
const SLOWEST: Duration = Duration::from_secs(300);
/// Who refuses is asked again after so long, as carriers shut out those who insist; doubled each time up to [`PATIENT`].
const REFUSED: Duration = Duration::from_secs(30);
const PATIENT: Duration = Duration::from_secs(1800);
/// Retry-After is obeyed up to this.
const OBEYED: Duration = Duration::from_secs(3600);
/// At an orderly stop the carrier has so long to answer.
const GOODBYE: Duration = Duration::from_secs(4);

/// One registration.
#[derive(Clone, Copy, Debug)]
pub struct Registration {
    state: State,
    /// The expiry that is asked for, in seconds.
    wanted: u32,
    /// Until when the carrier has us.
    until: Option<Instant>,
    /// Tries in a row that came to nothing.
    failures: u32,
    /// What was told last: whether we are in.
    told: Option<bool>,
}

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Between two tries.
    Out,
    /// A REGISTER is under way.
    Asking,
    /// Registered.
    In,
    /// A REGISTER is under way, and we want to be out.
    Stopping,
    /// The un-REGISTER is under way.
    Leaving,
    /// Over.
    Left,
}

/// What happens to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// The time that was asked for has come.
    Due,
    /// 2xx: so many seconds, 0 if our contact is not among those that it lists.
    Granted(u32),
    /// 423 with Min-Expires in seconds.
    TooBrief(Option<u32>),
    /// Any other final answer, with Retry-After in seconds.
    Refused(Option<u32>),
    /// No answer at all, or nowhere to send it.
    Silent,
    /// We want to be out.
    Stop,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// Send a REGISTER for so many seconds; 0: out.
    pub ask: Option<u32>,
    /// Call back then.
    pub wake: Option<Wake>,
    /// Tell this.
    pub news: Option<News>,
}

/// When to call back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// After this.
    After(Duration),
    /// Between half of it and all, so that not everybody asks at once.
    Within(Duration),
}

/// What has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// The carrier has us.
    In,
    /// It has us no longer, or not yet; said once, however often it is tried.
    Out,
    /// Over.
    Left,
}

impl Registration {
    /// One that is to be begun, for so many seconds each time.
    pub fn new(expires: u32) -> Self {
        Self { state: State::Out, wanted: expires, until: None, failures: 0, told: None }
    }

    /// Whether the last REGISTER was granted.
    pub fn is_in(&self) -> bool {
        self.told == Some(true)
    }

    /// Whether it is over.
    pub fn is_left(&self) -> bool {
        self.state == State::Left
    }

    /// Whether we want to be out.
    pub fn is_stopping(&self) -> bool {
        matches!(self.state, State::Stopping | State::Leaving | State::Left)
    }

    /// The table.
    pub fn on(&mut self, now: Instant, input: Input) -> Step {
        match (self.state, input) {
            (State::Out | State::In, Input::Due) => self.ask(State::Asking, self.wanted),
            (State::Asking, Input::Granted(1..)) => self.granted(now, input),
            (State::Asking, Input::TooBrief(Some(least))) if least > self.wanted && least <= LONGEST => {
                self.wanted = least;
                self.ask(State::Asking, least)
            }
            (State::Asking, Input::Silent) => self.failed(SILENT, SLOWEST, None),
            (State::Asking, Input::Refused(after)) => self.failed(REFUSED, PATIENT, after),
            (State::Asking, Input::Granted(0) | Input::TooBrief(_)) => self.failed(REFUSED, PATIENT, None),
            (State::Asking, Input::Stop) => {
                self.state = State::Stopping;
                Step { wake: Some(Wake::After(GOODBYE)), ..Step::default() }
            }
            (State::In, Input::Stop) | (State::Stopping, Input::Granted(1..)) => self.leave(),
            // A refresh has failed, and the carrier may have us still.
            (State::Out, Input::Stop) if self.until.is_some_and(|until| until > now) => self.leave(),
            (State::Out, Input::Stop)
            | (
                State::Stopping,
                Input::Due | Input::Granted(0) | Input::TooBrief(_) | Input::Refused(_) | Input::Silent,
            )
            | (
                State::Leaving,
                Input::Due | Input::Granted(_) | Input::TooBrief(_) | Input::Refused(_) | Input::Silent,
            ) => self.left(),
            (State::Out | State::In, Input::Granted(_) | Input::TooBrief(_) | Input::Refused(_) | Input::Silent)
            | (State::Asking, Input::Due)
            | (State::Stopping | State::Leaving, Input::Stop)
            | (State::Left, _) => Step::default(),
        }
    }

    fn ask(&mut self, state: State, expires: u32) -> Step {
        self.state = state;
        Step { ask: Some(expires), ..Step::default() }
    }

    fn granted(&mut self, now: Instant, input: Input) -> Step {
        let Input::Granted(seconds) = input else { return Step::default() };
        self.state = State::In;
        self.until = Some(now + Duration::from_secs(seconds.into()));
        self.failures = 0;
        Step { ask: None, wake: Some(Wake::After(refresh_after(seconds))), news: self.tell(true) }
    }

    fn failed(&mut self, first: Duration, longest: Duration, after: Option<u32>) -> Step {
        let wait = first.saturating_mul(1 << self.failures.min(10)).min(longest);
        self.failures = self.failures.saturating_add(1);
        self.state = State::Out;
        let asked = after.map(|seconds| Duration::from_secs(seconds.into()).min(OBEYED));
        let wake = match asked.filter(|asked| *asked > wait) {
            Some(asked) => Wake::After(asked),
            None => Wake::Within(wait),
        };
        Step { ask: None, wake: Some(wake), news: self.tell(false) }
    }

    fn leave(&mut self) -> Step {
        self.state = State::Leaving;
        Step { ask: Some(0), wake: Some(Wake::After(GOODBYE)), news: None }
    }

    fn left(&mut self) -> Step {
        self.state = State::Left;
        self.told = Some(false);
        Step { news: Some(News::Left), ..Step::default() }
    }

    fn tell(&mut self, is_in: bool) -> Option<News> {
        let news = if is_in { News::In } else { News::Out };
        (self.told.replace(is_in) != Some(is_in)).then_some(news)
    }
}

/// When a registration for so many seconds is refreshed: a minute before its end, of a short one at half its time, so that a REGISTER
/// that is lost can be sent again.
fn refresh_after(seconds: u32) -> Duration {
    Duration::from_secs(seconds.saturating_sub(60).max(seconds / 2).max(1).into())
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    #[allow(clippy::disallowed_methods, reason = "any instant will do as the start")]
    fn now() -> Instant {
        Instant::now()
    }

    const INPUTS: [Input; 10] = [
        Input::Due,
        Input::Granted(300),
        Input::Granted(0),
        Input::TooBrief(Some(600)),
        Input::TooBrief(Some(100)),
        Input::TooBrief(None),
        Input::Refused(None),
        Input::Refused(Some(7200)),
        Input::Silent,
        Input::Stop,
    ];

    /// How each state is reached.
    fn states() -> [(&'static str, Vec<Input>); 7] {
        use Input::{Due, Granted, Silent, Stop};
        [
            ("Out", vec![]),
            ("Out, known still", vec![Due, Granted(300), Due, Silent]),
            ("Asking", vec![Due]),
            ("In", vec![Due, Granted(300)]),
            ("Stopping", vec![Due, Stop]),
            ("Leaving", vec![Due, Granted(300), Stop]),
            ("Left", vec![Stop]),
        ]
    }

    #[test]
    fn every_state_meets_every_input() {
        let (mut table, now) = (String::new(), now());
        for (name, way) in states() {
            for input in INPUTS {
                let mut registration = Registration::new(300);
                for input in &way {
                    registration.on(now, *input);
                }
                let Step { ask, wake, news } = registration.on(now, input);
                let _ = write!(table, "{name} × {input:?} → {:?}", registration.state);
                let ask = ask.map(|ask| format!(", ask for {ask}")).unwrap_or_default();
                let wake = wake.map(|wake| format!(", wake {wake:?}")).unwrap_or_default();
                let news = news.map(|news| format!(", tell {news:?}")).unwrap_or_default();
                let _ = writeln!(table, "{ask}{wake}{news}");
            }
        }
        insta::assert_snapshot!(table);
    }

    fn waits(registration: &mut Registration, input: Input, times: usize) -> Vec<u64> {
        let one = |_| {
            registration.on(now(), Input::Due);
            match registration.on(now(), input).wake {
                Some(Wake::Within(wait) | Wake::After(wait)) => wait.as_secs(),
                None => 0,
            }
        };
        (0..times).map(one).collect()
    }

    #[test]
    fn whoever_fails_is_asked_less_and_less_often() {
        let mut registration = Registration::new(300);
        assert_eq!(waits(&mut registration, Input::Silent, 9), [5, 10, 20, 40, 80, 160, 300, 300, 300]);
        registration.on(now(), Input::Due);
        registration.on(now(), Input::Granted(300));
        assert_eq!(waits(&mut registration, Input::Refused(None), 8), [30, 60, 120, 240, 480, 960, 1800, 1800]);
        assert_eq!(waits(&mut registration, Input::Refused(Some(3599)), 1), [3599]);
        assert_eq!(waits(&mut registration, Input::Refused(Some(u32::MAX)), 1), [3600]);
        assert_eq!(waits(&mut registration, Input::Refused(Some(1)), 1), [1800]);
    }

    #[test]
    fn what_has_not_changed_is_not_told_again() {
        let mut registration = Registration::new(300);
        let mut play = |inputs: &[Input]| {
            inputs.iter().filter_map(|input| registration.on(now(), *input).news).collect::<Vec<_>>()
        };
        let (due, granted) = (Input::Due, Input::Granted(60));
        assert_eq!(play(&[due, Input::Silent, due, Input::Silent]), [News::Out]);
        assert_eq!(play(&[due, granted, due, granted]), [News::In]);
        assert_eq!(play(&[due, Input::Refused(None), due, granted]), [News::Out, News::In]);
    }

    #[test]
    fn a_registrar_may_ask_for_longer_up_to_a_day() {
        for (least, asked) in [(301, Some(301)), (86_400, Some(86_400)), (86_401, None), (300, None)] {
            let mut registration = Registration::new(300);
            registration.on(now(), Input::Due);
            assert_eq!(registration.on(now(), Input::TooBrief(Some(least))).ask, asked);
            registration.on(now(), Input::Granted(least));
            assert_eq!(registration.on(now(), Input::Due).ask, Some(asked.unwrap_or(300)), "and it is remembered");
        }
    }

    #[test]
    fn a_refresh_comes_while_there_is_time_for_another() {
        let after = [1, 2, 60, 119, 120, 121, 300, 3600].map(|seconds| refresh_after(seconds).as_secs());
        assert_eq!(after, [1, 1, 30, 59, 60, 61, 240, 3540]);
    }
}
