//! What `rsip` and the wire both accept must be read alike, where `rsip` 0.4 is right.

use bytes::Bytes;
use hotdesk::settings::Limits;
use hotdesk::sip::{Packet, Request, Scheme, Uri, parse};
use proptest::prelude::*;
use rsip::prelude::{HeadersExt, ToTypedHeader, UntypedHeader};

use crate::messages::{plain_broken, plain_request};

fn ours(bytes: &Bytes) -> Option<Request> {
    match parse(bytes.clone(), &Limits::default()) {
        Ok(Packet::Request(request)) => Some(request),
        _ => None,
    }
}

fn theirs(bytes: &Bytes) -> Option<rsip::Request> {
    match rsip::SipMessage::try_from(&bytes[..]) {
        Ok(rsip::SipMessage::Request(request)) => Some(request),
        _ => None,
    }
}

fn text(bytes: Option<&[u8]>) -> Option<String> {
    bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned())
}

/// `rsip` takes an unknown scheme for a host.
fn assert_same_uri(ours: &Uri, theirs: &rsip::Uri) {
    if !matches!(ours.scheme(), Scheme::Sip | Scheme::Sips) {
        return;
    }
    assert_eq!(text(ours.user_bytes()).as_deref(), theirs.user());
    assert_eq!(ours.host().map(ToString::to_string), Some(theirs.host().to_string()));
    assert_eq!(ours.port(), theirs.port().map(|port| *port.value()));
}

/// Each thing that `rsip` has an opinion on; what its typed headers refuse it has none on.
fn assert_alike(ours: &Request, theirs: &rsip::Request) {
    assert_eq!(ours.method().as_str(), theirs.method().to_string());
    assert_same_uri(ours.uri(), theirs.uri());
    if let Ok(call_id) = theirs.call_id_header() {
        assert_eq!(ours.call_id(), call_id.value().as_bytes());
    }
    if let Ok(cseq) = theirs.cseq_header().and_then(|header| header.typed()) {
        assert_eq!((ours.cseq().number, ours.cseq().method.as_str()), (cseq.seq, &*cseq.method.to_string()));
    }
    if let Ok(from) = theirs.from_header().and_then(|header| header.typed()) {
        assert_eq!(text(ours.from().tag()), from.tag().map(ToString::to_string));
        assert_same_uri(ours.from().uri(), &from.uri);
    }
    if let Ok(to) = theirs.to_header().and_then(|header| header.typed()) {
        assert_eq!(text(ours.to().tag()), to.tag().map(ToString::to_string));
        assert_same_uri(ours.to().uri(), &to.uri);
    }
    // It knows no compact names, and takes the first Via that it knows for the top one.
    let is_via = |header: &&rsip::Header| matches!(header, rsip::Header::Via(_));
    let all_seen = theirs.headers.iter().filter(is_via).count() == ours.vias().count();
    if let Ok(via) = theirs.via_header().and_then(|header| header.typed())
        && all_seen
    {
        assert_eq!(text(ours.via().branch()), via.branch().map(ToString::to_string));
        assert_eq!(ours.via().sent_by_host().to_string(), via.sent_by().host().to_string());
    }
    if let Ok(max_forwards) = theirs.max_forwards_header().and_then(|header| header.num()) {
        assert_eq!(ours.max_forwards(), Some(max_forwards));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_both_accept_is_read_alike(made in plain_request()) {
        let bytes = Bytes::from(made.text);
        match (ours(&bytes), theirs(&bytes)) {
            (Some(ours), Some(theirs)) => assert_alike(&ours, &theirs),
            (ours, theirs) => prop_assert!(false, "{:?} {:?}", ours.is_some(), theirs.is_some()),
        }
    }

    #[test]
    fn what_both_accept_of_a_broken_message_is_read_alike(bytes in plain_broken()) {
        if let (Some(ours), Some(theirs)) = (ours(&bytes), theirs(&bytes)) {
            assert_alike(&ours, &theirs);
        }
    }
}
