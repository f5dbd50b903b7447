//! What holds for every message.

use bytes::Bytes;
use hotdesk::settings::Limits;
use hotdesk::sip::{Contacts, Edit, Host, Message, Name, Packet, Reply, Request, Status, Unreadable, Uri, parse};
use proptest::prelude::*;

use crate::messages::{Made, any_request, broken, routed};

fn read(bytes: &Bytes) -> Result<Packet, Unreadable> {
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

fn interrogate_uri(uri: &Uri) {
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

/// What a proxy does to a request leaves one that says the same otherwise.
fn assert_forwards(request: &Request) {
    let mut edit = Edit::new(request);
    edit.request_uri("sip:next@h").via_received("192.0.2.1".parse().ok(), Some(5060)).max_forwards(7);
    edit.push_via("SIP/2.0/UDP proxy;branch=z9hG4bKnew").push_record_route("<sip:proxy;lr>").pop_route();
    let Ok(Packet::Request(next)) = read(&edit.write()) else { panic!("forwarded") };
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
    let Ok(Packet::Request(back)) = read(&back.write()) else { panic!("popped") };
    assert_eq!((back.via().branch(), back.vias().count()), (request.via().branch(), request.vias().count()));
}

/// An answer to what can be read can be read, and belongs to it.
fn assert_answers(request: &Request) {
    let reply = Reply::to(request, Status::NOT_FOUND).to_tag("tag").stamped("192.0.2.1".parse().ok(), Some(5060));
    let Ok(Packet::Response(response)) = read(&reply.write()) else { panic!("answered") };
    assert_eq!(response.status(), Status::NOT_FOUND);
    assert_eq!((response.via().branch(), response.vias().count()), (request.via().branch(), request.vias().count()));
    assert_eq!((response.call_id(), response.cseq()), (request.call_id(), request.cseq()));
    assert_eq!(response.from().raw(), request.from().raw());
    assert_eq!(response.to().tag(), request.to().tag().or(Some(b"tag")));
}

fn assert_sound(bytes: &Bytes) {
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

fn assert_reads_as_made(made: &Made) {
    let Ok(Packet::Request(request)) = read(&made.text.clone().into()) else { panic!("{made:?}") };
    assert_eq!(request.method().as_str(), made.method);
    assert_eq!(request.uri().user().as_deref(), made.user.as_deref());
    assert_eq!(request.uri().host(), Host::parse(made.host.clone()).as_ref());
    assert_eq!(request.uri().port(), made.port);
    let branches: Vec<_> = request.vias().map(|via| via.unwrap().branch().unwrap().to_vec()).collect();
    assert_eq!(branches, made.branches.iter().map(|branch| branch.as_bytes()).collect::<Vec<_>>());
    assert_eq!(request.from().tag(), Some(made.from_tag.as_bytes()));
    assert_eq!(request.to().tag(), made.to_tag.as_ref().map(|tag| tag.as_bytes()));
    assert_eq!(request.to().display_name().as_deref(), Some(made.display));
    assert_eq!((&request.call_id()[..], request.cseq().number), (made.call_id.as_bytes(), made.number));
    assert_eq!(request.max_forwards(), made.max_forwards.map(u32::from));
    let contacts = match request.contacts(4).unwrap() {
        Contacts::List(list) => list.len(),
        Contacts::None | Contacts::Star => 0,
    };
    assert_eq!(contacts, made.contacts);
    assert_eq!(request.body(), made.body.as_bytes());
}

#[test]
fn every_torture_message_keeps_its_bytes() {
    crate::torture::files().map(crate::torture::bytes).for_each(|bytes| assert_sound(&bytes));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_request_says_the_same_in_every_spelling(made in any_request()) {
        assert_reads_as_made(&made);
        assert_sound(&made.text.into());
    }

    #[test]
    fn values_that_are_taken_out_leave_the_others((bytes, routes) in routed(), gone in any::<[bool; 12]>()) {
        let Ok(Packet::Request(request)) = read(&bytes) else { panic!("{bytes:?}") };
        let mut edit = Edit::new(&request);
        let is_gone = |index: usize| gone[index % 12];
        // In whatever order they are named.
        (0..routes.len()).rev().filter(|&index| is_gone(index)).for_each(|index| {
            edit.remove_value(&Name::Route, index);
        });
        let Ok(Packet::Request(next)) = read(&edit.write()) else { panic!("edited") };
        let kept: Vec<_> = (0..routes.len()).filter(|&index| !is_gone(index)).map(|index| routes[index].clone()).collect();
        prop_assert_eq!(next.values(&Name::Route).collect::<Vec<_>>(), kept);
        let others = |message: &Message| {
            let not_route = message.headers().filter(|header| header.name() != Name::Route);
            not_route.map(|header| header.raw().to_vec()).collect::<Vec<_>>()
        };
        prop_assert_eq!(others(&next), others(&request));
    }

    #[test]
    fn a_broken_message_is_refused_or_read_but_never_panics(bytes in broken()) {
        assert_sound(&bytes);
    }

    #[test]
    fn any_bytes_are_refused_or_read_but_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        assert_sound(&bytes.into());
    }

    #[test]
    fn small_limits_refuse_without_a_panic(bytes in broken(), most in 0..600_usize) {
        let limits = Limits { message_bytes: most, headers: most % 12, vias: most % 4, contacts: most % 3, uri_bytes: most % 40 };
        if let Ok(Packet::Request(request)) = parse(bytes, &limits) {
            prop_assert!(request.headers().count() <= limits.headers && request.vias().count() <= limits.vias);
            prop_assert!(request.bytes().len() <= limits.message_bytes);
        }
    }

    #[test]
    fn uris_are_read_or_refused_and_equality_is_symmetric(a in "(sip|sips|tel|x):[a-cA-C%46;=@:?&.]{0,12}", b in "(sip|tel):[a-cA-C%46;=@:?&.]{0,12}") {
        if let (Ok(a), Ok(b)) = (Uri::parse(a), Uri::parse(b)) {
            interrogate_uri(&a);
            prop_assert_eq!(a.equivalent(&b), b.equivalent(&a));
        }
    }
}
