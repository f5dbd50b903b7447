//! What it takes to end an answered call from its middle (SPEC 6.3: `t(x)`): a BYE to each side, as the other would send it.
//!
//! A proxy ends no calls of its own accord. Where a short code asks for it, the INVITE and its 2xx are kept, for that call alone, and the
//! highest CSeq that passed from each side: they say all that a request inside the dialog says (RFC 3261 §12.2.1.1). The node takes such
//! a BYE like one that came from that side, so that it goes where the proof in our Route says, and is shown what that side is shown.

use bytes::Bytes;

use crate::link::proof::Side;
use crate::settings::Limits;
use crate::sip::{Contacts, Draft, Message, Method, Name, Packet, Request, Response, parse};

/// A side's next CSeq is so much above the highest that passed: what it has sent meanwhile may still be on its way.
const BEYOND: u32 = 100;
/// A side that sent nothing so far may have begun to count anywhere (RFC 3261 §8.1.1.5): few begin so high.
const UNHEARD: u32 = 1_000_000;

/// An answered call, seen from its middle.
#[derive(Clone, Debug)]
pub struct Middle {
    invite: Request,
    answer: Response,
    /// How many of the answer's Record-Route values are ours.
    ours: usize,
    caller: u32,
    callee: Option<u32>,
}

impl Middle {
    /// An INVITE as it came, and the 2xx to the branch on which so many Record-Routes were put.
    pub fn new(invite: Request, answer: Response, ours: usize) -> Self {
        let caller = invite.cseq().number;
        Self { invite, answer, ours, caller, callee: None }
    }

    /// A request inside the dialog passes.
    pub fn note(&mut self, request: &Message) {
        let number = request.cseq().number;
        match request.from().tag() == self.invite.from().tag() {
            true => self.caller = self.caller.max(number),
            false => self.callee = Some(self.callee.unwrap_or(0).max(number)),
        }
    }

    /// The BYE that this side would send, as it comes to us; `via` is what its top Via says. `None` where the other side has named no Contact: nobody can
    /// end such a call.
    pub fn bye(&self, side: Side, via: &[u8]) -> Option<Request> {
        let next = |seen: Option<u32>| seen.map_or(UNHEARD, |seen| seen.saturating_add(BEYOND)).min(i32::MAX as u32);
        let (from, to) = (self.invite.from().raw(), self.answer.to().raw());
        // Their values, ours, and on top those of whoever is behind us (RFC 3261 §16.7).
        let routes: Vec<Bytes> = self.answer.values(&Name::RecordRoute).collect();
        let before = self.invite.values(&Name::RecordRoute).count();
        let beyond = routes.len().saturating_sub(before + self.ours);
        let (target, routes, from, to, cseq) = match side {
            Side::Caller => {
                let behind = routes.iter().take(routes.len().saturating_sub(before)).rev();
                (contact(&self.answer)?, behind.collect::<Vec<_>>(), from, to, next(Some(self.caller)))
            }
            Side::Callee => {
                let behind = routes.iter().skip(beyond);
                (contact(&self.invite)?, behind.collect::<Vec<_>>(), to, from, next(self.callee))
            }
        };
        let mut draft = Draft::request(&Method::BYE, target)
            .header(&Name::Via, via)
            .header(&Name::MaxForwards, "70")
            .header(&Name::From, from)
            .header(&Name::To, to)
            .header(&Name::CallId, self.invite.call_id())
            .header(&Name::CSeq, format!("{cseq} BYE"))
            // RFC 3326: cleared in the ordinary way, and why.
            .header(&Name::Reason, "Q.850;cause=16;text=\"the longest time of this call is over\"");
        for route in routes {
            draft = draft.header(&Name::Route, route);
        }
        match parse(draft.write(), &Limits::default()) {
            Ok(Packet::Request(request)) => Some(request),
            Ok(Packet::Response(_) | Packet::KeepAlive(_)) | Err(_) => None,
        }
    }
}

/// By their bytes.
impl PartialEq for Middle {
    fn eq(&self, other: &Self) -> bool {
        self.invite.bytes() == other.invite.bytes() && self.answer.bytes() == other.answer.bytes()
    }
}

impl Eq for Middle {}

fn contact(message: &Message) -> Option<Bytes> {
    match message.contacts(8) {
        Ok(Contacts::List(list)) => list.into_iter().next().map(|contact| contact.uri().as_bytes().clone()),
        Ok(Contacts::Star | Contacts::None) | Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> Packet {
        parse(Bytes::from(text.replace('\n', "\r\n")), &Limits::default()).expect("a message")
    }

    fn middle() -> Middle {
        let head = "Via: SIP/2.0/UDP h\nFrom: \"A\" <sip:a@h>;tag=1\nCall-ID: c\n";
        let invite = message(&format!(
            "INVITE sip:b@h SIP/2.0\n{head}To: <sip:b@h>\nCSeq: 7 INVITE\nContact: <sip:a@192.0.2.1>\n\
             Record-Route: <sip:edge;lr>\nContent-Length: 0\n\n"
        ));
        let answer = message(&format!(
            "SIP/2.0 200 OK\n{head}To: <sip:b@h>;tag=2\nCSeq: 7 INVITE\nContact: <sip:b@192.0.2.2:5070>\n\
             Record-Route: <sip:far;lr>, <sip:near;lr>\nRecord-Route: <sip:us;lr>\nRecord-Route: <sip:edge;lr>\nContent-Length: 0\n\n"
        ));
        let (Packet::Request(invite), Packet::Response(answer)) = (invite, answer) else { panic!("a call") };
        Middle::new(invite, answer, 1)
    }

    fn shown(middle: &Middle, side: Side) -> String {
        let bye = middle.bye(side, b"SIP/2.0/UDP us;branch=z9hG4bK1").expect("a BYE");
        let routes: Vec<String> =
            bye.values(&Name::Route).map(|route| String::from_utf8_lossy(&route).into_owned()).collect();
        let text = |bytes: &Bytes| String::from_utf8_lossy(bytes).into_owned();
        let (from, to) = (text(bye.from().raw()), text(bye.to().raw()));
        format!("{} | {} | {from} → {to} | {}", text(bye.uri().as_bytes()), routes.join(" "), bye.cseq().number)
    }

    #[test]
    fn each_side_is_told_by_what_the_other_would_send() {
        let mut middle = middle();
        assert_eq!(
            shown(&middle, Side::Caller),
            "sip:b@192.0.2.2:5070 | <sip:us;lr> <sip:near;lr> <sip:far;lr> | \"A\" <sip:a@h>;tag=1 → <sip:b@h>;tag=2 | 107"
        );
        assert_eq!(
            shown(&middle, Side::Callee),
            "sip:a@192.0.2.1 | <sip:us;lr> <sip:edge;lr> | <sip:b@h>;tag=2 → \"A\" <sip:a@h>;tag=1 | 1000000"
        );
        let inside = |from: &str, to: &str, cseq: u32| {
            let text = format!(
                "INFO sip:x@h SIP/2.0\nVia: SIP/2.0/UDP h\nFrom: {from}\nTo: {to}\nCall-ID: c\nCSeq: {cseq} INFO\nContent-Length: 0\n\n"
            );
            let Packet::Request(request) = message(&text) else { panic!("a request") };
            request
        };
        let (a, b) = ("<sip:a@h>;tag=1", "<sip:b@h>;tag=2");
        for (from, to, cseq) in [(a, b, 12), (a, b, 9), (b, a, 102)] {
            middle.note(&inside(from, to, cseq));
        }
        assert!(shown(&middle, Side::Caller).ends_with(" | 112"));
        assert!(shown(&middle, Side::Callee).ends_with(" | 202"));
    }
}
