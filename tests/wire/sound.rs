//! What holds for any bytes at all. Used by the properties, by the mutations of `tests/torture`, and by `fuzz/`.

use bytes::Bytes;
use hotdesk::settings::Limits;
use hotdesk::sip::{Edit, Message, Name, Packet, Reply, Request, Status, Unreadable, Uri, parse};

/// One datagram under the ordinary limits.
pub fn read(bytes: &Bytes) -> Result<Packet, Unreadable> {
    parse(bytes.clone(), &Limits::default())
}

/// Asks everything that can be asked.
fn interrogate(message: &Message) {
    for header in message.headers() {
        let name = header.name();
        assert!(message.all(&name).any(|same| same.raw() == header.raw()));
        assert!(!header.value().contains(&b'\n'));
        let _ = (message.values(&name).count(), message.parties(&name).count(), message.credentials(&name).count());
        let _ =
            (message.challenges(&name).count(), message.require(&name), message.seconds(&name), message.party(&name));
    }
    let _ = (message.routes(), message.first_route(), message.record_routes(), message.path(), message.expires());
    let _ = (message.contacts(5).is_ok(), message.vias().count());
    for party in [message.from(), message.to()] {
        let _ = (party.display_name(), party.param("x"));
        interrogate_uri(party.uri());
    }
}

/// Asks a URI everything that can be asked.
pub fn interrogate_uri(uri: &Uri) {
    let _ = (uri.user(), uri.tel_number(), uri.param("x"), uri.is_lr(), uri.params().count(), uri.headers().count());
    assert!(uri.equivalent(uri));
    assert_eq!(Uri::parse(uri.as_bytes().clone()).map(|again| again.equivalent(uri)), Ok(true));
}

/// The start line, the headers and the body are the whole message, and an edit without changes gives it back.
fn assert_prints_back(message: &Message) {
    let bytes = message.bytes();
    let end_of_start = bytes.iter().position(|&b| b == b'\n').unwrap() + 1;
    let mut printed = bytes[..end_of_start].to_vec();
    message.headers().for_each(|header| printed.extend_from_slice(header.raw()));
    let blank = bytes.len() - message.body().len() - printed.len();
    assert!(blank == 1 || blank == 2);
    printed.extend_from_slice(&b"\r\n"[2 - blank..]);
    printed.extend_from_slice(&message.body());
    assert_eq!(printed, bytes[..]);
    assert_eq!(Edit::new(message).write(), bytes);
}

/// For what has been forwarded: a message that was at a limit is beyond it.
const WIDE: Limits = Limits { message_bytes: 65_535, headers: 512, vias: 512, contacts: 512, uri_bytes: 65_535 };

/// What a proxy does to a request leaves one that says the same otherwise.
fn assert_forwards(request: &Request) {
    let mut edit = Edit::new(request);
    edit.request_uri("sip:next@h").via_received("192.0.2.1".parse().ok(), Some(5060)).max_forwards(7);
    edit.push_via("SIP/2.0/UDP proxy;branch=z9hG4bKnew").push_record_route("<sip:proxy;lr>").pop_route();
    let forwarded = edit.write();
    if forwarded.len() > WIDE.message_bytes {
        return;
    }
    let read = |bytes: Bytes| match parse(bytes, &WIDE) {
        Ok(Packet::Request(request)) => request,
        other => panic!("{:?} becomes {forwarded:?}: {other:?}", request.bytes()),
    };
    let next = read(forwarded.clone());
    assert_eq!((&next.uri().as_bytes()[..], next.max_forwards()), (&b"sip:next@h"[..], Some(7)));
    assert_eq!(next.via().branch(), Some(&b"z9hG4bKnew"[..]));
    assert_eq!(next.vias().count(), request.vias().count() + 1);
    assert_eq!(next.vias().nth(1).unwrap().unwrap().received(), "192.0.2.1".parse().ok());
    assert_eq!((next.call_id(), next.cseq(), next.body()), (request.call_id(), request.cseq(), request.body()));
    assert_eq!((next.from().raw(), next.to().raw()), (request.from().raw(), request.to().raw()));
    let routes = |message: &Message| message.values(&Name::Route).collect::<Vec<_>>();
    assert_eq!(routes(&next)[..], routes(request)[routes(request).len().min(1)..]);
    let mut back = Edit::new(&next);
    back.pop_via();
    let back = read(back.write());
    assert_eq!((back.via().branch(), back.vias().count()), (request.via().branch(), request.vias().count()));
}

/// An answer to what can be read can be read, and belongs to it.
fn assert_answers(request: &Request) {
    let reply = Reply::to(request, Status::NOT_FOUND).to_tag("tag").stamped("192.0.2.1".parse().ok(), Some(5060));
    let Ok(Packet::Response(response)) = parse(reply.write(), &WIDE) else { panic!("answered") };
    assert_eq!(response.status(), Status::NOT_FOUND);
    assert_eq!((response.via().branch(), response.vias().count()), (request.via().branch(), request.vias().count()));
    assert_eq!((response.call_id(), response.cseq()), (request.call_id(), request.cseq()));
    assert_eq!(response.from().raw(), request.from().raw());
    assert_eq!(response.to().tag(), request.to().tag().or(Some(b"tag")));
}

/// Whatever the bytes are: they are refused, or read, and what is read prints back, is forwarded and is answered.
pub fn assert_sound(bytes: &Bytes) {
    match read(bytes) {
        Ok(Packet::Request(request)) => {
            interrogate(&request);
            interrogate_uri(request.uri());
            assert_prints_back(&request);
            assert_forwards(&request);
            assert_answers(&request);
        }
        Ok(Packet::Response(response)) => {
            interrogate(&response);
            assert_prints_back(&response);
        }
        Ok(Packet::KeepAlive(_)) | Err(Unreadable::Drop(_)) => {}
        Err(Unreadable::Answer(bad)) => {
            let answer = Reply::to_bad(&bad).to_tag("tag").stamped("192.0.2.1".parse().ok(), Some(5060)).write();
            assert!(answer.starts_with(format!("SIP/2.0 {} ", bad.status()).as_bytes()));
        }
    }
}
