//! What is changed in a message that is passed on (RFC 3261 §16.6, §16.7); everything else keeps its bytes.

use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;

use super::diversion::{Diversion, history};
use super::manner::Manner;
use super::rewriting::{Restoring, Shows};
use super::session_timer::SessionTimer;
use super::targets::{Kind, Target};
use crate::settings::Limits;
use crate::sip::{Edit, Name, Packet, Request, Response, Via, parse, push_address};

/// What is written on the top Via of a request when it comes in (RFC 3261 §18.2.1, RFC 3581 §4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stamp {
    /// The source address, where sent-by says something else or `rport` asks.
    pub received: Option<IpAddr>,
    /// The source port, where `rport` asks.
    pub rport: Option<u16>,
}

impl Stamp {
    /// The stamp for a request with this top Via from `source`.
    pub fn new(via: &Via, source: SocketAddr) -> Self {
        let asked = via.rport().is_some();
        let differs = via.sent_by_host().ip() != Some(source.ip());
        Self { received: (asked || differs).then_some(source.ip()), rport: asked.then_some(source.port()) }
    }
}

/// What is put on a request for one target.
#[derive(Debug, Default)]
pub struct Dress<'a> {
    /// The stamp of its top Via.
    pub stamp: Stamp,
    /// Our Via's value.
    pub via: &'a [u8],
    /// Our Record-Route values; the last one is on top in the end.
    pub record_routes: &'a [String],
    /// Route values of ours on top, to be taken off (§16.4).
    pub own_routes: usize,
    /// The last Route value has become the Request-URI: a strict router sent the request (§16.4).
    pub strict_last: Option<usize>,
    /// The other Route values are taken off too: a phone's own Routes are ignored (SPEC 9.5).
    pub drop_routes: bool,
    /// Max-Forwards, already decremented (§16.6 step 3).
    pub max_forwards: u32,
    /// A token for another site (SPEC 11.1).
    pub token: Option<&'a str>,
    /// The proven identity in place of what the sender asserted (RFC 3325 §5).
    pub asserted: Option<&'a str>,
    /// Identity headers are left as they are: inside a dialog, from those whose word counts.
    pub keep_identity: bool,
    /// The realm whose credentials stay here (§22.3).
    pub realm: &'a str,
    /// Headers that a phone must not get from outside: `Alert-Info`, `Answer-Mode` (SPEC 9.5).
    pub from_outside: bool,
    /// The forwards that the call went through here, the first one first (SPEC 9.3).
    pub diversions: &'a [Diversion],
    /// What is said of session timers (RFC 4028 §8.1).
    pub session: SessionTimer,
    /// What the target sees of who calls (SPEC 9.4).
    pub shows: Shows,
    /// What answers the target's challenge (SPEC 9.10).
    pub credentials: &'a [(Name, String)],
    /// How the call is to ring, and how urgent it is (SPEC 6.3).
    pub manner: Option<&'a Manner>,
}

/// Our Via's value (§16.6 step 8): sent by that address, with this branch.
pub fn via_value(sent_by: SocketAddr, branch: &str) -> Vec<u8> {
    let mut value = Vec::with_capacity(96);
    value.extend_from_slice(b"SIP/2.0/UDP ");
    push_address(&mut value, sent_by);
    value.extend_from_slice(b";branch=");
    value.extend_from_slice(branch.as_bytes());
    value
}

/// The request for this target. RFC 3261 §16.6, steps 1 to 8 in one writing.
pub fn forward_request(request: &Request, target: &Target, dress: &Dress<'_>) -> Bytes {
    let mut edit = Edit::new(request);
    if request.uri().as_bytes() != &target.uri {
        edit.request_uri(&target.uri);
    }
    edit.via_received(dress.stamp.received, dress.stamp.rport);
    edit.push_via(dress.via);
    edit.max_forwards(dress.max_forwards);
    if dress.drop_routes {
        edit.remove(&Name::Route);
    } else {
        for _ in 0..dress.own_routes {
            edit.pop_route();
        }
    }
    if let Some(last) = dress.strict_last {
        edit.remove_value(&Name::Route, last);
    }
    for route in target.path.iter().rev() {
        edit.push_route(route);
    }
    for value in dress.record_routes {
        edit.push_record_route(value);
    }
    edit.remove_credentials(dress.realm);
    for (name, value) in dress.credentials {
        edit.append(name, value);
    }
    edit.remove(&Name::HotdeskLink);
    if let Some(token) = dress.token {
        edit.append(&Name::HotdeskLink, token.as_bytes());
    }
    if !dress.keep_identity {
        edit.remove(&Name::PAssertedIdentity);
        edit.remove(&Name::PPreferredIdentity);
        edit.remove(&Name::RemotePartyId);
        if let Some(asserted) = dress.asserted.filter(|asserted| !asserted.is_empty()) {
            edit.append(&Name::PAssertedIdentity, asserted.as_bytes());
        }
    }
    if dress.from_outside {
        edit.remove(&Name::AlertInfo);
        edit.remove(&Name::AnswerMode);
    }
    if let Some(breadth) = target.max_breadth {
        edit.replace(&Name::MaxBreadth, breadth.to_string()); // RFC 5393 §5.3.3
    }
    if !dress.diversions.is_empty() {
        tell_of_forwards(&mut edit, request, target, dress.diversions);
    }
    if let Some(manner) = dress.manner {
        manner.write(&mut edit);
    }
    if let Some(conveyed) = &target.conveys {
        conveyed.write(request, &mut edit);
    }
    dress.session.write(&mut edit);
    dress.shows.write(request, &mut edit);
    edit.write()
}

/// RFC 7044, RFC 5806: the newest Diversion stands on top.
fn tell_of_forwards(edit: &mut Edit<'_>, request: &Request, target: &Target, diversions: &[Diversion]) {
    edit.remove(&Name::HistoryInfo);
    for entry in history(request, diversions) {
        edit.append(&Name::HistoryInfo, entry);
    }
    let outside = matches!(target.kind, Kind::Trunk(_));
    for diversion in diversions {
        edit.push(&Name::Diversion, diversion.value(outside));
    }
}

/// What becomes of the identities in a response, by who sent it and who gets it (RFC 3325 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identities {
    /// They pass: both sides are of the network, or their trunks are trusted.
    Kept,
    /// They pass unless the response itself says `Privacy: id`.
    Shown,
    /// Whoever says so is not believed.
    Dropped,
}

impl Identities {
    /// Between a sender whose word counts or not, and a receiver who sees what is withheld or not: the same who are believed.
    pub fn new(is_believed: bool, sees_withheld: bool) -> Self {
        match (is_believed, sees_withheld) {
            (true, true) => Identities::Kept,
            (true, false) => Identities::Shown,
            (false, _) => Identities::Dropped,
        }
    }

    fn pass(self, response: &Response) -> bool {
        match self {
            Identities::Kept => true,
            Identities::Shown => !is_withheld(response.values(&Name::Privacy)),
            Identities::Dropped => false,
        }
    }
}

/// Whether the values of Privacy withhold the identity from those outside (RFC 3323 §4.2, RFC 3325 §9.3).
pub fn is_withheld(mut privacy: impl Iterator<Item = Bytes>) -> bool {
    let withholds = |word: &[u8]| [&b"id"[..], b"user"].iter().any(|known| word.eq_ignore_ascii_case(known));
    privacy.any(|value| value.split(|&byte| byte == b';').any(|word| withholds(word.trim_ascii())))
}

/// The response on its way back: our Via taken off (§16.7 step 3), a site's words to us taken off, From and To as the
/// caller wrote them.
pub fn forward_response(response: &Response, identities: Identities, restoring: &Restoring) -> Bytes {
    let mut edit = Edit::new(response);
    restoring.write(response, &mut edit);
    dress_response(&mut edit, response, identities);
    edit.write()
}

/// The same for a 2xx, with the session timer of a callee that knows none (RFC 4028 §8.2).
pub fn forward_success(
    response: &Response,
    identities: Identities,
    session: &SessionTimer,
    restoring: &Restoring,
) -> Bytes {
    let mut edit = Edit::new(response);
    restoring.write(response, &mut edit);
    dress_response(&mut edit, response, identities);
    session.complete(response, &mut edit);
    edit.write()
}

fn dress_response(edit: &mut Edit<'_>, response: &Response, identities: Identities) {
    edit.pop_via();
    edit.remove(&Name::HotdeskLink);
    if !identities.pass(response) {
        edit.remove(&Name::PAssertedIdentity);
        edit.remove(&Name::PPreferredIdentity);
        edit.remove(&Name::RemotePartyId);
    }
}

/// A 401 or 407 with the challenges of the others beside its own (RFC 3261 §16.7 step 7).
pub fn with_challenges(best: Bytes, all: &[Bytes]) -> Bytes {
    let others: Vec<Response> = all.iter().filter(|other| **other != best).filter_map(read).collect();
    let Some(response) = read(&best).filter(|_| !others.is_empty()) else { return best };
    let mut edit = Edit::new(&response);
    for other in &others {
        for name in [Name::WwwAuthenticate, Name::ProxyAuthenticate] {
            other.all(&name).for_each(|header| _ = edit.append(&name, header.value()));
        }
    }
    edit.write()
}

/// A response that was read before.
fn read(bytes: &Bytes) -> Option<Response> {
    match parse(bytes.clone(), &Limits::default()) {
        Ok(Packet::Response(response)) => Some(response),
        Ok(Packet::Request(_) | Packet::KeepAlive(_)) | Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn challenge(status: u16, lines: &str) -> Bytes {
        let text = format!(
            "SIP/2.0 {status} x\r\nVia: SIP/2.0/UDP h\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:b@h>;tag={status}\r\nCall-ID: c\r\n\
             CSeq: 1 INVITE\r\n{lines}Content-Length: 0\r\n\r\n"
        );
        Bytes::from(text)
    }

    #[test]
    fn an_identity_passes_by_who_says_it_and_who_sees_it() {
        let said =
            "P-Asserted-Identity: <sip:a@h>\r\nP-Preferred-Identity: <sip:a@h>\r\nRemote-Party-ID: <sip:a@h>\r\n";
        let passes = |more: &str, believed, sees| {
            let response = read(&challenge(180, &format!("{said}{more}"))).expect("a response");
            let passed = forward_response(&response, Identities::new(believed, sees), &Restoring::default());
            let passed = String::from_utf8(passed.to_vec()).expect("text");
            let left = said.lines().filter(|line| passed.contains(*line)).count();
            assert!(left == 0 || left == 3, "{passed}");
            left == 3
        };
        for withheld in ["Privacy: id\r\n", "Privacy: header; ID\r\n", "Privacy: user\r\n"] {
            assert!(passes(withheld, true, true) && !passes(withheld, true, false), "{withheld}");
            assert!(!passes(withheld, false, true) && !passes(withheld, false, false));
        }
        for open in ["", "Privacy: none\r\n", "Privacy: identity\r\n"] {
            assert!(passes(open, true, true) && passes(open, true, false), "{open}");
            assert!(!passes(open, false, true) && !passes(open, false, false));
        }
    }

    #[test]
    fn the_answer_has_the_challenges_of_every_branch() {
        let proxy = challenge(407, "Proxy-Authenticate: Digest realm=\"a\", nonce=\"1\"\r\n");
        let phone = challenge(401, "WWW-Authenticate: Digest realm=\"b\", nonce=\"2\"\r\nContact: <sip:x@y>\r\n");
        let one = with_challenges(proxy.clone(), std::slice::from_ref(&proxy));
        assert_eq!(one, proxy, "what is alone keeps its bytes");
        let both = with_challenges(proxy.clone(), &[phone, proxy.clone()]);
        let both = String::from_utf8(both.to_vec()).expect("text");
        assert!(both.starts_with("SIP/2.0 407") && !both.contains("Contact"));
        assert!(both.contains("Proxy-Authenticate: Digest realm=\"a\""));
        assert!(both.contains("WWW-Authenticate: Digest realm=\"b\", nonce=\"2\"\r\n"));
    }
}
