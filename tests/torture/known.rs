//! The field's messages from a phone that may call: those that are not refused reach the other phone with every byte that RFC
//! 3261 does not ask to change.

use std::net::SocketAddr;

use bytes::Bytes;
use hotdesk::settings::{DigestAlgorithm, Limits};
use hotdesk::sip::digest;
use hotdesk::sip::{Message, Name, Packet, Reply, Request, Status, parse};

use crate::cases::{self, Case, Heard, Table};
use crate::site::Site;

const CALLER: &str = "127.0.0.51:6000";
const CALLEE: &str = "127.0.0.52:6000";

/// A message that is at a limit is beyond it once it has been forwarded.
const WIDE: Limits = Limits { message_bytes: 65_535, headers: 300, vias: 80, contacts: 64, uri_bytes: 8_192 };

fn request(bytes: &Bytes) -> Request {
    match parse(bytes.clone(), &WIDE) {
        Ok(Packet::Request(request)) => request,
        _ => panic!("not a request: {:.600}", String::from_utf8_lossy(bytes)),
    }
}

fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// 202 registers at its phone.
pub fn register(site: &mut Site, user: &str, at: &str) {
    let text = format!(
        "REGISTER sip:london.example SIP/2.0\r\nVia: SIP/2.0/UDP {at};branch=z9hG4bKreg{user};rport\r\nMax-Forwards: 70\r\n\
         From: <sip:{user}@london.example>;tag=r\r\nTo: <sip:{user}@london.example>\r\nCall-ID: reg{user}\r\n\
         CSeq: 1 REGISTER\r\nContact: <sip:{user}@{at}>\r\nExpires: 3600\r\nContent-Length: 0\r\n\r\n"
    );
    let left = site.hear(address(at), text.into());
    assert!(left.iter().any(|(_, bytes)| bytes.starts_with(b"SIP/2.0 200 ")), "{user} is not registered");
}

/// Headers that a proxy writes, or takes out of a phone's request.
const TOUCHED: [Name; 9] = [
    Name::Via,
    Name::MaxForwards,
    Name::Route,
    Name::RecordRoute,
    Name::PAssertedIdentity,
    Name::PPreferredIdentity,
    Name::RemotePartyId,
    Name::ProxyAuthorization,
    Name::HotdeskLink,
];

fn untouched(message: &Message) -> Vec<Bytes> {
    message
        .headers()
        .filter(|header| !TOUCHED.contains(&header.name()))
        .map(|header| Bytes::copy_from_slice(header.raw()))
        .collect()
}

/// Everything else came as it was sent, in its order.
fn assert_kept(file: &str, sent: &Request, came: &Request) {
    assert_eq!(untouched(came), untouched(sent), "{file}");
    assert!(came.body() == sent.body(), "{file}: the body");
    let below: Vec<Bytes> = came.values(&Name::Via).skip(2).collect();
    assert_eq!(below, sent.values(&Name::Via).skip(1).collect::<Vec<_>>(), "{file}");
    let second = came.vias().nth(1).unwrap().unwrap();
    let first = sent.via();
    assert_eq!((second.branch(), second.sent_by_host()), (first.branch(), first.sent_by_host()), "{file}");
    let hops = sent.max_forwards().map_or(70, |hops| hops - 1);
    assert_eq!(came.max_forwards(), Some(hops), "{file}");
    let ours = came.values(&Name::PAssertedIdentity).count();
    assert!(ours <= 1 && came.header(&Name::RemotePartyId).is_none(), "{file}");
}

/// What becomes of a message: `delivered`, or the answer in full, or silence.
fn fate(site: &mut Site, case: &Case) -> String {
    let left = site.hear(address(CALLER), case.bytes.clone());
    let Some((_, came)) = left.iter().find(|(to, _)| *to == address(CALLEE)) else { return answer(&left) };
    let (sent, came) = (request(&case.bytes), request(came));
    assert_kept(&case.file, &sent, &came);
    // The answer finds its way back, with the Vias as they were.
    let busy = Reply::to(&came, Status::BUSY_HERE).to_tag("callee").write();
    let back = site.hear(address(CALLEE), busy);
    let to_caller =
        |(to, bytes): &&(SocketAddr, Bytes)| to.ip() == address(CALLER).ip() && bytes.starts_with(b"SIP/2.0 486 ");
    let (_, back) = back.iter().find(to_caller).unwrap_or_else(|| panic!("{}: no answer comes back", case.file));
    let Ok(Packet::Response(back)) = parse(back.clone(), &WIDE) else { panic!("{}: the answer is broken", case.file) };
    assert_eq!(back.vias().count(), sent.vias().count(), "{}", case.file);
    assert_eq!(back.from().raw(), sent.from().raw(), "{}", case.file);
    "delivered".into()
}

fn answer(left: &[(SocketAddr, Bytes)]) -> String {
    match Heard::of(left.iter().map(|(_, bytes)| &bytes[..])) {
        Heard::Answer(_) => {
            let finals = left.iter().map(|(_, bytes)| bytes).filter(|bytes| !bytes.starts_with(b"SIP/2.0 100 "));
            let line = finals.flat_map(|bytes| bytes.split(|&byte| byte == b'\r').next()).next().unwrap_or_default();
            String::from_utf8_lossy(line).trim_start_matches("SIP/2.0 ").to_owned()
        }
        heard => heard.to_string(),
    }
}

#[test]
fn a_known_phone_gets_the_expected_verdict() {
    let mut table = Table::default();
    for case in cases::field() {
        let mut site = Site::lab();
        register(&mut site, "202", CALLEE);
        let expected = case.known.clone().unwrap_or_default();
        let fate = fate(&mut site, &case);
        let is_good = fate == expected || expected.len() == 3 && fate.starts_with(&expected);
        table.add(&case, &fate, &expected, is_good);
        site.assert_alive(&case.file);
    }
    table.end("known phone, node");
}

/// RFC 3261 §7.3.1: some phones fold long credentials. Here the digest is right.
#[test]
fn credentials_may_be_folded() {
    let mut site = Site::new();
    let register = |cseq: u32, more: &str| {
        format!(
            "REGISTER sip:london.example SIP/2.0\r\nVia: SIP/2.0/UDP {CALLEE};branch=z9hG4bKfold{cseq};rport\r\nMax-Forwards: 70\r\n\
             From: <sip:202@london.example>;tag=f\r\nTo: <sip:202@london.example>\r\nCall-ID: fold\r\nCSeq: {cseq} REGISTER\r\n\
             Contact: <sip:202@{CALLEE}>\r\n{more}Content-Length: 0\r\n\r\n"
        )
    };
    let challenge = site.hear(address(CALLEE), register(1, "").into());
    let challenge = String::from_utf8_lossy(&challenge[0].1).into_owned();
    let nonce = challenge.split("nonce=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let asked = digest::Asked {
        realm: "hotdesk.example",
        nonce,
        opaque: None,
        algorithm: Some(DigestAlgorithm::Md5),
        qop: Some(digest::Qop::Auth),
    };
    let by = digest::Answering {
        username: "202",
        password: "secret-202",
        method: "REGISTER",
        uri: "sip:london.example",
        body: b"",
        cnonce: "c",
        count: 1,
    };
    let folded = digest::authorization(&asked, &by).replace(", ", ",\r\n\t ").replacen("Digest ", "Digest\r\n ", 1);
    assert!(folded.lines().count() > 5, "{folded}");
    let answer = site.hear(address(CALLEE), register(2, &format!("Authorization:\r\n {folded}\r\n")).into());
    assert!(answer[0].1.starts_with(b"SIP/2.0 200 "), "{}", String::from_utf8_lossy(&answer[0].1));
}
