//! Calls that go elsewhere than where they were sent (SPEC 9.3): why, and what is written about it.
//!
//! Diversion (RFC 5806) and History-Info (RFC 7044) tell whoever is reached how the call came; between sites the `cause` of
//! RFC 4458 in the Request-URI says why a call is handed back home. Which number it goes to is the plan's affair.

use bytes::Bytes;

use super::caller::escaped_user;
use crate::ids::Extension;
use crate::settings::Forward;
use crate::sip::{Name, Request, Status, Uri};

/// Most forwards of one call (SPEC 9.3).
pub const MOST_FORWARDS: u8 = 5;
/// The URI parameter by which a visited site names the number that a visitor's phone wants the call to go to.
const NUMBER: &str = "forward-to";

/// Why a call is forwarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Always.
    Unconditional,
    /// The user is busy.
    Busy,
    /// Nobody answered in time.
    NoAnswer,
    /// No phone of the user can be reached.
    Unreachable,
    /// The phone said so, by 302.
    Deflected,
}

impl Cause {
    const ALL: [Cause; 5] = [Cause::Unconditional, Cause::Busy, Cause::NoAnswer, Cause::Unreachable, Cause::Deflected];

    /// What a failure means for the user's forwards; nothing where it says something about the call itself, and a person who
    /// declines it does not want it elsewhere. `rang`: a phone rang.
    pub fn of(status: Status, rang: bool) -> Option<Self> {
        match status.0 {
            486 | 600 => Some(Cause::Busy),
            408 | 480 | 487 if rang => Some(Cause::NoAnswer),
            404 | 408 | 410 | 430 | 480 | 500 | 502..=504 => Some(Cause::Unreachable),
            _ => None,
        }
    }

    /// The number that the user has set for it.
    pub fn number(self, forward: &Forward) -> Option<&str> {
        match self {
            Cause::Unconditional => forward.unconditional.as_deref(),
            Cause::Busy => forward.busy.as_deref(),
            Cause::NoAnswer => forward.no_answer.as_deref(),
            Cause::Unreachable => forward.unreachable.as_deref(),
            Cause::Deflected => None,
        }
    }

    /// RFC 4458 §2.
    pub fn code(self) -> u16 {
        match self {
            Cause::Unconditional => 302,
            Cause::Busy => 486,
            Cause::NoAnswer => 408,
            Cause::Unreachable => 503,
            Cause::Deflected => 480,
        }
    }

    /// RFC 5806 §4.
    fn reason(self) -> &'static str {
        match self {
            Cause::Unconditional => "unconditional",
            Cause::Busy => "user-busy",
            Cause::NoAnswer => "no-answer",
            Cause::Unreachable => "unavailable",
            Cause::Deflected => "deflection",
        }
    }

    /// The answer that made the call go elsewhere (RFC 7044 §10.2); a forward without one has none.
    fn answer(self) -> Option<u16> {
        match self {
            Cause::Unconditional => None,
            Cause::Busy => Some(486),
            Cause::NoAnswer => Some(408),
            Cause::Unreachable => Some(480),
            Cause::Deflected => Some(302),
        }
    }
}

/// One forward that a call went through here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diversion {
    /// Whose forward, or which group's.
    pub from: Extension,
    /// That user's number for people outside.
    pub number: Option<String>,
    /// Where.
    pub domain: String,
    /// Why.
    pub cause: Cause,
    /// The number that was dialled instead.
    pub to: String,
    /// The site that it belongs to, as far as it is an extension; else the one that dialled it.
    pub to_domain: String,
}

impl Diversion {
    /// The value of a Diversion header (RFC 5806). `outside`: for a carrier, which knows no extensions.
    pub fn value(&self, outside: bool) -> String {
        let number = self.number.as_deref().filter(|_| outside).unwrap_or(self.from.as_str());
        format!("<sip:{}@{}>;reason={};counter=1", escaped_user(number), self.domain, self.cause.reason())
    }
}

/// The History-Info values of a request that went through these forwards here, the first one first: those that it came with, and an
/// entry for each forward (RFC 7044 §10).
pub fn history(request: &Request, diversions: &[Diversion]) -> Vec<String> {
    let Some(first) = diversions.first() else { return Vec::new() };
    let mut entries: Vec<String> =
        request.values(&Name::HistoryInfo).map(|value| String::from_utf8_lossy(&value).into_owned()).collect();
    if entries.is_empty() {
        entries.push(format!("<sip:{}@{}>;index=1", escaped_user(first.from.as_str()), first.domain));
    }
    for diversion in diversions {
        let Some(last) = entries.last_mut() else { break };
        let index = index_of(last).to_owned();
        if let Some(answer) = diversion.cause.answer() {
            note_reason(last, answer);
        }
        let (to, cause) = (escaped_user(&diversion.to), diversion.cause.code());
        entries.push(format!("<sip:{to}@{};cause={cause}>;index={index}.1;mp={index}", diversion.to_domain));
    }
    entries
}

/// Where the call has been, as History-Info says; for a request of another site.
pub fn went_through(request: &Request) -> Vec<Extension> {
    let entries = request.values(&Name::HistoryInfo);
    let user = |entry: Bytes| {
        let from = entry.iter().position(|&byte| byte == b'<')? + 1;
        let to = entry.iter().position(|&byte| matches!(byte, b'>' | b'?'))?;
        let uri = Uri::parse(entry.get(from..to).map(Bytes::copy_from_slice)?).ok()?;
        uri.user().map(Extension::new)
    };
    entries.filter_map(user).collect()
}

/// The user part and parameters of a Request-URI that hands a call back home: `201@london.example;cause=486`.
pub fn handing_over(extension: &Extension, domain: &str, cause: Cause, number: Option<&str>) -> String {
    let mut uri = format!("sip:{}@{domain};cause={}", escaped_user(extension.as_str()), cause.code());
    if let Some(number) = number {
        uri.push_str(&format!(";{NUMBER}={}", number.replace('#', "%23")));
    }
    uri
}

/// Why a call is handed back home, and where the phone wants it to go.
pub fn handed_over(uri: &Uri) -> Option<(Cause, Option<String>)> {
    let code: u16 = text(uri.param("cause")??)?.parse().ok()?;
    let cause = Cause::ALL.into_iter().find(|cause| cause.code() == code)?;
    let number = uri.param(NUMBER).flatten().and_then(text).map(|number| number.replace("%23", "#"));
    Some((cause, number.filter(|number| is_number(number))))
}

/// The number that a phone's 3xx names, to be dialled for its user; never an address to send anything to.
pub fn deflected_to(contact: &Uri) -> Option<String> {
    let number = contact.dialled()?;
    is_number(&number).then(|| number.into_owned())
}

fn is_number(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"*#+-_.".contains(&byte);
    !text.is_empty() && text.len() <= 64 && text.bytes().all(fits)
}

fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

/// The index of an entry; `1` for one without, which RFC 7044 does not allow.
fn index_of(entry: &str) -> &str {
    let params = entry.rsplit_once('>').map_or("", |(_, params)| params);
    let index = params.split(';').find_map(|param| param.trim().strip_prefix("index="));
    index.map(str::trim).filter(|index| index.bytes().all(|b| b.is_ascii_digit() || b == b'.')).unwrap_or("1")
}

/// RFC 7044 §10.2: the reason stands in the entry that failed, as a header of its URI.
fn note_reason(entry: &mut String, answer: u16) {
    let Some(end) = entry.rfind('>') else { return };
    if !entry.contains('?') {
        entry.insert_str(end, &format!("?Reason=SIP%3Bcause%3D{answer}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Limits;
    use crate::sip::{Packet, parse};

    fn request(lines: &str) -> Request {
        let text = format!(
            "INVITE sip:201@h SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\nCall-ID: c\r\n\
             CSeq: 1 INVITE\r\n{lines}\r\n"
        );
        let Ok(Packet::Request(request)) = parse(Bytes::from(text), &Limits::default()) else { panic!("a request") };
        request
    }

    fn forward(from: &str, cause: Cause, to: &str) -> Diversion {
        let number = Some(format!("+44{from}"));
        let (domain, to_domain) = ("l.example".into(), if to == "301" { "p.example" } else { "l.example" }.into());
        Diversion { from: Extension::new(from), number, domain, cause, to: to.into(), to_domain }
    }

    #[test]
    fn what_a_failure_means_for_the_forwards() {
        for (status, rang, cause) in [
            (486, false, Some(Cause::Busy)),
            (600, true, Some(Cause::Busy)),
            (480, false, Some(Cause::Unreachable)),
            (480, true, Some(Cause::NoAnswer)),
            (408, false, Some(Cause::Unreachable)),
            (504, true, Some(Cause::Unreachable)),
            (603, true, None),
            (604, false, None),
            (488, false, None),
            (407, false, None),
        ] {
            assert_eq!(Cause::of(Status(status), rang), cause, "{status} {rang}");
        }
    }

    #[test]
    fn history_begins_with_whoever_was_called_and_has_an_entry_for_each_forward() {
        let forwards = [forward("201", Cause::Busy, "301"), forward("301", Cause::Unconditional, "#1")];
        assert_eq!(
            history(&request(""), &forwards),
            [
                "<sip:201@l.example?Reason=SIP%3Bcause%3D486>;index=1",
                "<sip:301@p.example;cause=486>;index=1.1;mp=1",
                "<sip:%231@l.example;cause=302>;index=1.1.1;mp=1.1",
            ]
        );
        assert!(history(&request("History-Info: <sip:x@h>;index=1\r\n"), &[]).is_empty());
    }

    #[test]
    fn history_that_a_call_came_with_is_carried_on() {
        let came = request("History-Info: <sip:301@p>;index=1, <sip:201@h;cause=408>;index=1.1;mp=1\r\n");
        assert_eq!(
            history(&came, &[forward("201", Cause::NoAnswer, "202")])[1..],
            [
                "<sip:201@h;cause=408?Reason=SIP%3Bcause%3D408>;index=1.1;mp=1",
                "<sip:202@l.example;cause=408>;index=1.1.1;mp=1.1",
            ]
        );
        assert_eq!(went_through(&came), [Extension::new("301"), Extension::new("201")]);
        assert!(went_through(&request("History-Info: nonsense>, <\r\n")).is_empty());
    }

    #[test]
    fn a_diversion_names_the_extension_inside_and_the_number_outside() {
        let diversion = forward("201", Cause::NoAnswer, "202");
        assert_eq!(diversion.value(false), "<sip:201@l.example>;reason=no-answer;counter=1");
        assert_eq!(diversion.value(true), "<sip:+44201@l.example>;reason=no-answer;counter=1");
    }

    #[test]
    fn what_hands_a_call_over_is_read_again() {
        for cause in Cause::ALL {
            for number in [None, Some("*81#202")] {
                let text = handing_over(&Extension::new("201"), "l.example", cause, number);
                let uri = Uri::parse(text).expect("a URI");
                assert_eq!(uri.user().as_deref(), Some("201"));
                assert_eq!(handed_over(&uri), Some((cause, number.map(str::to_owned))));
            }
        }
        for text in ["sip:201@h", "sip:201@h;cause=99", "sip:201@h;cause"] {
            assert_eq!(handed_over(&Uri::parse(text).expect("a URI")), None, "{text}");
        }
    }

    #[test]
    fn a_phone_names_a_number_and_nothing_else() {
        let to = |text: &'static str| deflected_to(&Uri::parse(text).expect("a URI"));
        assert_eq!(to("sip:202@192.0.2.1:9;x=y").as_deref(), Some("202"));
        assert_eq!(to("sip:%2a35%23@h").as_deref(), Some("*35#"));
        assert_eq!(to("tel:+44-20-7").as_deref(), Some("+44207"));
        assert_eq!(to("sip:192.0.2.1"), None);
        assert_eq!(to("sip:a%3Bb@h"), None);
    }
}
