//! Session timers, as a proxy sees them (RFC 4028 §8): offered where nobody did, and completed for a callee that knows none.
//!
//! The node asks for every INVITE, and for UPDATE, and for the 2xx to them. What was agreed is when the call counts as over if
//! nobody refreshes it and its BYE was lost (SPEC 9.6). Out of scope: refreshing and ending calls, which is the endpoints' part.

use std::time::Duration;

use crate::sip::{Edit, Message, Name, Request, Response};

/// RFC 4028 §4: no session is refreshed more often.
pub const LEAST: u32 = 90;

const TAG: &str = "timer";

/// What is remembered of a request for its 2xx.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SessionTimer {
    /// `Session-Expires` of the request as it is passed on, in seconds.
    interval: Option<u32>,
    /// The caller understands session timers.
    supported: bool,
    change: Change,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Change {
    #[default]
    Nothing,
    /// `Session-Expires` is added.
    Offer,
    /// It is below the least, and the caller would not understand a 422.
    Raise,
}

/// 422: `Session-Expires` is below [`LEAST`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the session interval is below {LEAST} seconds")]
pub struct TooSmall;

impl SessionTimer {
    /// For a request that may begin or refresh a session. `offered` is what this site asks for where the request asks for nothing.
    pub fn of(request: &Request, offered: Option<Duration>) -> Result<Self, TooSmall> {
        let supported = request.has_tag(&Name::Supported, TAG) || request.has_tag(&Name::Require, TAG);
        if request.header(&Name::SessionExpires).is_none() {
            let Some(offered) = offered.filter(|offered| !offered.is_zero()) else {
                return Ok(Self { supported, ..Self::default() });
            };
            // RFC 4028 §8.1: not below the Min-SE of the request.
            let least = leading_number(request, &Name::MinSe).unwrap_or(0).max(LEAST);
            let interval = u32::try_from(offered.as_secs()).unwrap_or(u32::MAX).max(least);
            return Ok(Self { interval: Some(interval), supported, change: Change::Offer });
        }
        match leading_number(request, &Name::SessionExpires) {
            Some(..LEAST) if supported => Err(TooSmall),
            Some(..LEAST) => Ok(Self { interval: Some(LEAST), supported, change: Change::Raise }),
            // What can't be read is passed on as it came, and agrees nothing.
            interval => Ok(Self { interval, supported, change: Change::Nothing }),
        }
    }

    /// Writes what is to be said in the request.
    pub fn write(&self, edit: &mut Edit<'_>) {
        let Some(interval) = self.interval else { return };
        let interval = interval.to_string();
        match self.change {
            Change::Nothing => {}
            // RFC 4028 §8.1: without a refresher, which is for the two ends to agree.
            Change::Offer => _ = edit.append(&Name::SessionExpires, interval),
            Change::Raise => {
                edit.replace(&Name::SessionExpires, &interval);
                edit.replace(&Name::MinSe, &interval);
            }
        }
    }

    /// RFC 4028 §8.2: the callee knows no session timers, the caller does: the caller is told to refresh.
    pub fn complete(&self, response: &Response, edit: &mut Edit<'_>) {
        let Some(interval) = self.interval.filter(|_| self.completes(response)) else { return };
        edit.append(&Name::SessionExpires, format!("{interval};refresher=uac"));
        if !response.has_tag(&Name::Require, TAG) {
            edit.append(&Name::Require, TAG);
        }
    }

    /// What the 2xx agrees, with what is added to it; nothing: the session does not run out.
    pub fn agreed(&self, response: &Response) -> Option<Duration> {
        let given = leading_number(response, &Name::SessionExpires);
        let interval = if self.completes(response) { self.interval } else { given };
        interval.map(|seconds| Duration::from_secs(seconds.into()))
    }

    /// Whether this 2xx is changed on its way back.
    pub fn completes(&self, response: &Response) -> bool {
        self.supported
            && self.interval.is_some()
            && response.status().is_success()
            && response.header(&Name::SessionExpires).is_none()
    }
}

/// The seconds before the parameters; a number too large for us is the largest.
fn leading_number(message: &Message, name: &Name) -> Option<u32> {
    let value = message.header(name)?.value();
    let digits = value.split(|&byte| byte == b';').next()?.trim_ascii();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(digits.iter().fold(0, |sum: u32, digit| sum.saturating_mul(10).saturating_add(u32::from(digit - b'0'))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Limits;
    use crate::sip::{Packet, parse};

    const OURS: Option<Duration> = Some(Duration::from_secs(1800));

    const REST: &str = "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\n\
                        Call-ID: c\r\nCSeq: 1 INVITE\r\n";
    const END: &str = "Content-Length: 3\r\n\r\nv=0";

    fn packet(start: &str, headers: &str) -> Packet {
        let text = format!("{start}\r\n{REST}{headers}{END}");
        parse(text.clone().into(), &Limits::default()).unwrap_or_else(|_| panic!("{text}"))
    }

    fn request(headers: &str) -> Request {
        match packet("INVITE sip:b@h SIP/2.0", headers) {
            Packet::Request(request) => request,
            other => panic!("{other:?}"),
        }
    }

    fn ok(headers: &str) -> Response {
        match packet("SIP/2.0 200 OK", headers) {
            Packet::Response(response) => response,
            other => panic!("{other:?}"),
        }
    }

    fn of(headers: &str, offered: Option<Duration>) -> Result<SessionTimer, TooSmall> {
        SessionTimer::of(&request(headers), offered)
    }

    /// The headers behind those that every message here has.
    fn shown(bytes: &[u8]) -> String {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let rest = text.split_once("INVITE\r\n").map(|(_, rest)| rest.to_owned()).expect("CSeq");
        assert!(rest.ends_with("\r\n\r\nv=0"), "the body keeps its bytes: {rest}");
        rest.replace("Content-Length: 3\r\n", "").trim_end_matches("\r\nv=0").replace("\r\n", "|")
    }

    fn sent(headers: &str, offered: Option<Duration>) -> String {
        let request = request(headers);
        let mut edit = Edit::new(&request);
        SessionTimer::of(&request, offered).expect("large enough").write(&mut edit);
        shown(&edit.write())
    }

    fn back(asked: &str, answered: &str) -> (String, Option<u64>) {
        let (timer, response) = (of(asked, OURS).expect("large enough"), ok(answered));
        let mut edit = Edit::new(&response);
        timer.complete(&response, &mut edit);
        (shown(&edit.write()), timer.agreed(&response).map(|time| time.as_secs()))
    }

    #[test]
    fn a_timer_is_offered_where_there_is_none_and_never_below_what_the_caller_takes() {
        assert_eq!(sent("", OURS), "Session-Expires: 1800|");
        assert_eq!(sent("Min-SE: 3600\r\n", OURS), "Min-SE: 3600|Session-Expires: 3600|");
        assert_eq!(sent("Min-SE: 99999999999\r\n", OURS), "Min-SE: 99999999999|Session-Expires: 4294967295|");
        assert_eq!(sent("", Some(Duration::ZERO)), "");
        assert_eq!(sent("", None), "");
    }

    #[test]
    fn what_is_offered_already_stays_as_it_is() {
        for own in ["Session-Expires: 600;refresher=uas|", "x: 90|", "Session-Expires: soon|", "Session-Expires:|"] {
            assert_eq!(sent(&own.replace('|', "\r\n"), OURS), own);
        }
    }

    #[test]
    fn less_than_90_seconds_is_refused_or_raised_for_those_who_would_not_understand() {
        assert_eq!(of("Supported: timer\r\nSession-Expires: 89\r\n", OURS), Err(TooSmall));
        assert_eq!(of("k: 100rel, TIMER\r\nx: 0;refresher=uac\r\n", None), Err(TooSmall));
        assert!(of("Supported: timer\r\nSession-Expires: 90\r\n", OURS).is_ok());
        assert_eq!(sent("Session-Expires: 89\r\n", OURS), "Session-Expires: 90|Min-SE: 90|");
    }

    #[test]
    fn the_callee_has_the_last_word() {
        let answer = "Session-Expires: 300;refresher=uas\r\nRequire: timer\r\n";
        assert_eq!(
            back("Supported: timer\r\n", answer),
            ("Session-Expires: 300;refresher=uas|Require: timer|".into(), Some(300))
        );
        assert_eq!(back("", "x: 240\r\n"), ("x: 240|".into(), Some(240)));
    }

    #[test]
    fn a_callee_without_timers_is_spoken_for_if_the_caller_has_them() {
        let told = "Session-Expires: 1800;refresher=uac|Require: timer|";
        assert_eq!(back("Supported: timer\r\n", ""), (told.into(), Some(1800)));
        let asked = "Supported: timer\r\nSession-Expires: 600;refresher=uas\r\n";
        let told = "Require: timer|Session-Expires: 600;refresher=uac|";
        assert_eq!(back(asked, "Require: timer\r\n"), (told.into(), Some(600)));
    }

    #[test]
    fn where_nobody_knows_timers_none_is_agreed() {
        assert_eq!(back("", ""), (String::new(), None));
        assert_eq!(back("Supported: 100rel\r\n", "Session-Expires: soon\r\n"), ("Session-Expires: soon|".into(), None));
    }
}
