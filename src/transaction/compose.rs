//! The three messages that this layer writes itself: ACK, CANCEL and the 100 to a non-INVITE.
//!
//! All of them are rare, so what they are made from is kept as bytes and read again.

use bytes::Bytes;

use crate::settings::Limits;
use crate::sip::{Draft, Method, Name, Packet, Reply, Request, Response, Status, parse};
use crate::transmit::Flow;

/// What is read again was within the site's limits, or was written by us.
const UNLIMITED: Limits = Limits {
    message_bytes: usize::MAX,
    headers: usize::MAX,
    vias: usize::MAX,
    contacts: usize::MAX,
    uri_bytes: usize::MAX,
};

/// RFC 3261 §17.1.1.3: the ACK to a non-2xx final response.
pub(super) fn ack(invite: &Bytes, response: &Response) -> Option<Bytes> {
    let invite = request(invite)?;
    // The To of the response, with the tag that the INVITE did not have.
    Some(companion(&invite, &Method::ACK, response.to().raw()).write())
}

/// RFC 3261 §9.1: the CANCEL of an INVITE that we sent, and its branch; `reason` is the value of a Reason header (RFC 3326).
pub(super) fn cancel(invite: &Bytes, reason: Option<&[u8]>) -> Option<(Bytes, Bytes)> {
    let invite = request(invite)?;
    let branch = Bytes::copy_from_slice(invite.via().branch()?);
    let cancel = companion(&invite, &Method::CANCEL, invite.to().raw());
    let cancel = match reason {
        Some(reason) => cancel.header(&Name::Reason, reason),
        None => cancel,
    };
    Some((cancel.write(), branch))
}

/// RFC 4320 §4.1: the 100 to a request that came from `peer`.
pub(super) fn trying(bytes: &Bytes, peer: Flow) -> Option<Bytes> {
    let request = request(bytes)?;
    // RFC 3581 §4: rport is filled where it was asked for.
    let rport = request.via().rport().map(|_| peer.remote.port());
    Some(Reply::to(&request, Status::TRYING).stamped(Some(peer.remote.ip()), rport).write())
}

/// The To tag of a response that we sent.
pub(super) fn to_tag(bytes: &Bytes) -> Option<Bytes> {
    match parse(bytes.clone(), &UNLIMITED) {
        Ok(Packet::Response(response)) => response.to().tag().map(Bytes::copy_from_slice),
        Ok(Packet::Request(_) | Packet::KeepAlive(_)) | Err(_) => None,
    }
}

/// What ACK and CANCEL have in common: one Via, the same dialog words, the same way.
fn companion(invite: &Request, method: &Method, to: &Bytes) -> Draft {
    let draft = Draft::request(method, invite.uri().as_bytes())
        .header(&Name::Via, invite.via().raw())
        .header(&Name::MaxForwards, "70")
        .header(&Name::From, invite.from().raw())
        .header(&Name::To, to)
        .header(&Name::CallId, invite.call_id())
        .header(&Name::CSeq, format!("{} {}", invite.cseq().number, method.as_str()));
    invite.all(&Name::Route).fold(draft, |draft, route| draft.header(&Name::Route, route.value()))
}

fn request(bytes: &Bytes) -> Option<Request> {
    match parse(bytes.clone(), &UNLIMITED) {
        Ok(Packet::Request(request)) => Some(request),
        Ok(Packet::Response(_) | Packet::KeepAlive(_)) | Err(_) => None,
    }
}
