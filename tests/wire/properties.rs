//! What holds for every message.

use hotdesk::settings::Limits;
use hotdesk::sip::{Contacts, Edit, Host, Message, Name, Packet, Uri, parse};
use proptest::prelude::*;

use crate::messages::{Made, any_request, broken, routed};
use crate::sound::{assert_sound, interrogate_uri, read};

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
