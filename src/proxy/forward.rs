//! What is changed in a message that is passed on (RFC 3261 §16.6, §16.7); everything else keeps its bytes.

use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;

use super::session_timer::SessionTimer;
use super::targets::Target;
use crate::sip::{Edit, Name, Request, Response, Via, push_address};

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
    /// What is said of session timers (RFC 4028 §8.1).
    pub session: SessionTimer,
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
    dress.session.write(&mut edit);
    edit.write()
}

/// The response on its way back: our Via taken off (§16.7 step 3), a site's words to us taken off.
pub fn forward_response(response: &Response) -> Bytes {
    let mut edit = Edit::new(response);
    edit.pop_via();
    edit.remove(&Name::HotdeskLink);
    edit.write()
}

/// The same for a 2xx, with the session timer of a callee that knows none (RFC 4028 §8.2).
pub fn forward_success(response: &Response, session: &SessionTimer) -> Bytes {
    let mut edit = Edit::new(response);
    edit.pop_via();
    edit.remove(&Name::HotdeskLink);
    session.complete(response, &mut edit);
    edit.write()
}
