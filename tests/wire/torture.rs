//! RFC 4475 and RFC 5118, one verdict per message, and what the accepted ones say.

use std::fs;
use std::path::Path;

use bytes::Bytes;
use hotdesk::settings::Limits;
use hotdesk::sip::{Contacts, Host, Message, Name, Packet, Request, Scheme, Unreadable, parse};

/// What `parse` makes of each message: `accepted` (what the role above answers is not its business), a status, or `drop`.
const VERDICTS: &[(&str, &str)] = &[
    ("rfc4475/wsinv.dat", "accepted"),
    ("rfc4475/intmeth.dat", "accepted"),
    ("rfc4475/esc01.dat", "accepted"),
    ("rfc4475/escnull.dat", "accepted"),
    ("rfc4475/esc02.dat", "accepted"),
    ("rfc4475/lwsdisp.dat", "accepted"),
    ("rfc4475/longreq.dat", "accepted"),
    ("rfc4475/dblreq.dat", "accepted"),
    ("rfc4475/semiuri.dat", "accepted"),
    ("rfc4475/transports.dat", "accepted"),
    ("rfc4475/mpart01.dat", "accepted"),
    ("rfc4475/unreason.dat", "accepted"),
    ("rfc4475/noreason.dat", "accepted"),
    ("rfc4475/badinv01.dat", "400 Malformed Via Header"),
    ("rfc4475/clerr.dat", "400 Content-Length Header Exceeds The Message"),
    ("rfc4475/ncl.dat", "400 Malformed Content-Length Header"),
    ("rfc4475/scalar02.dat", "400 Number Out Of Range In CSeq Header"),
    ("rfc4475/scalarlg.dat", "drop"),
    ("rfc4475/quotbal.dat", "400 Malformed To Header"),
    ("rfc4475/ltgtruri.dat", "400 Malformed Request-URI"),
    ("rfc4475/lwsruri.dat", "400 Malformed Request-Line"),
    ("rfc4475/lwsstart.dat", "400 Malformed Request-Line"),
    ("rfc4475/trws.dat", "400 Malformed Request-Line"),
    ("rfc4475/escruri.dat", "400 Malformed Request-URI"),
    ("rfc4475/baddate.dat", "accepted"),
    ("rfc4475/regbadct.dat", "accepted"),
    ("rfc4475/badaspec.dat", "accepted"),
    ("rfc4475/baddn.dat", "accepted"),
    ("rfc4475/badvers.dat", "505 Version Not Supported"),
    ("rfc4475/mismatch01.dat", "400 Method In CSeq Header Differs"),
    ("rfc4475/mismatch02.dat", "400 Method In CSeq Header Differs"),
    ("rfc4475/bigcode.dat", "drop"),
    ("rfc4475/badbranch.dat", "accepted"),
    ("rfc4475/insuf.dat", "400 Missing From Header"),
    ("rfc4475/unkscm.dat", "accepted"),
    ("rfc4475/novelsc.dat", "accepted"),
    ("rfc4475/unksm2.dat", "accepted"),
    ("rfc4475/bext01.dat", "accepted"),
    ("rfc4475/invut.dat", "accepted"),
    ("rfc4475/regaut01.dat", "accepted"),
    ("rfc4475/multi01.dat", "400 More Than One CSeq Header"),
    ("rfc4475/mcl01.dat", "400 More Than One Content-Length Header"),
    ("rfc4475/bcast.dat", "accepted"),
    ("rfc4475/zeromf.dat", "accepted"),
    ("rfc4475/cparam01.dat", "accepted"),
    ("rfc4475/cparam02.dat", "accepted"),
    ("rfc4475/regescrt.dat", "accepted"),
    ("rfc4475/sdp01.dat", "accepted"),
    ("rfc4475/inv2543.dat", "accepted"),
    ("rfc5118/ipv6-good.dat", "accepted"),
    ("rfc5118/ipv6-bad.dat", "400 Malformed Request-URI"),
    ("rfc5118/port-ambiguous.dat", "accepted"),
    ("rfc5118/port-unambiguous.dat", "accepted"),
    ("rfc5118/via-received-param-with-delim.dat", "accepted"),
    ("rfc5118/via-received-param-no-delim.dat", "accepted"),
    ("rfc5118/ipv6-in-sdp.dat", "accepted"),
    ("rfc5118/mult-ip-in-header.dat", "accepted"),
    ("rfc5118/mult-ip-in-sdp.dat", "accepted"),
    ("rfc5118/ipv4-mapped-ipv6.dat", "accepted"),
    ("rfc5118/ipv6-correct-abnf-2-colons.dat", "accepted"),
    ("rfc5118/ipv6-bug-abnf-3-colons.dat", "accepted"),
];

/// Where the messages lie.
fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/torture"))
}

/// The bytes of one message.
pub fn bytes(file: &str) -> Bytes {
    fs::read(folder().join(file)).unwrap_or_else(|error| panic!("{file}: {error}")).into()
}

/// The names of all messages.
pub fn files() -> impl Iterator<Item = &'static str> {
    VERDICTS.iter().map(|&(file, _)| file)
}

fn verdict(file: &str) -> String {
    match parse(bytes(file), &Limits::default()) {
        Ok(Packet::Request(_) | Packet::Response(_)) => "accepted".into(),
        Ok(Packet::KeepAlive(_)) => "keep-alive".into(),
        Err(Unreadable::Answer(bad)) => format!("{} {}", bad.status(), bad.reason()),
        Err(Unreadable::Drop(_)) => "drop".into(),
    }
}

fn request(file: &str) -> Request {
    match parse(bytes(file), &Limits::default()) {
        Ok(Packet::Request(request)) => request,
        other => panic!("{file}: {other:?}"),
    }
}

fn contact_users(message: &Message) -> Vec<String> {
    match message.contacts(9).unwrap() {
        Contacts::List(list) => list.iter().map(|c| c.uri().user().unwrap_or_default().into_owned()).collect(),
        Contacts::None | Contacts::Star => Vec::new(),
    }
}

#[test]
fn every_message_gets_its_verdict() {
    for (file, expected) in VERDICTS {
        assert_eq!(verdict(file), *expected, "{file}");
    }
}

/// `EXPECTED.tsv` speaks of the whole server: what is answered here must be an answer that it allows, and what it wants answered
/// or dropped at sight must not be let in.
#[test]
fn the_verdicts_are_those_that_the_table_allows() {
    let table = fs::read_to_string(folder().join("EXPECTED.tsv")).unwrap();
    let rows: Vec<Vec<&str>> =
        table.lines().filter(|line| !line.starts_with('#')).map(|line| line.split('\t').collect()).collect();
    assert_eq!(rows.len(), VERDICTS.len());
    for row in rows {
        let (file, kind, ideal, allowed) = (row[0], row[2], row[3], row[4]);
        let words: Vec<&str> = allowed.split(' ').collect();
        let (_, verdict) =
            VERDICTS.iter().find(|(own, _)| *own == file).unwrap_or_else(|| panic!("{file} has no verdict"));
        match verdict.split(' ').next().unwrap() {
            "drop" => assert!(words.contains(&"silence"), "{file}"),
            "accepted" if kind == "response" => assert!(words.contains(&"silence"), "{file}"),
            // The one fault that shows only where the header is used.
            "accepted" if file.ends_with("regbadct.dat") => {}
            "accepted" => assert_ne!(ideal, "400", "{file}"),
            status => assert!(words.contains(&status) || words.contains(&"4xx"), "{file}"),
        }
    }
}

#[test]
fn white_space_and_folding_hide_nothing() {
    let invite = request("rfc4475/wsinv.dat");
    assert_eq!((invite.to().tag(), invite.from().tag()), (Some(&b"1918181833n"[..]), Some(&b"98asjd8"[..])));
    assert_eq!(invite.from().display_name().as_deref(), Some("J Rosenberg \\\""));
    assert_eq!((invite.max_forwards(), invite.cseq().number), (Some(68), 9));
    let branches: Vec<_> = invite.vias().map(|via| via.unwrap().branch().map(<[u8]>::to_vec).unwrap()).collect();
    assert_eq!(branches, [&b"390skdjuw"[..], b"z9hG4bK9ikj8", b"z9hG4bK30239"]);
    let Contacts::List(contacts) = invite.contacts(1).unwrap() else { panic!("contacts") };
    assert_eq!((contacts[0].q(), contacts[0].param("secondparam")), (Some(330), Some(None)));
    assert_eq!(contacts[0].param("newparam"), Some(Some(&b"newvalue"[..])));
    assert!(invite.first_route().unwrap().is_some_and(|route| route.uri.is_lr()));
    assert_eq!(&*invite.header(&Name::Subject).unwrap().value(), b"");
    let folded = Name::Other(Bytes::from_static(b"NewFangledHeader"));
    assert_eq!(&*invite.header(&folded).unwrap().value(), b"newfangled value continued newfangled value");
    assert_eq!(invite.body().len(), 150);
}

#[test]
fn every_legal_character_is_read() {
    let request = request("rfc4475/intmeth.dat");
    assert_eq!(request.method().as_str(), "!interesting-Method0123456789_*+`.%indeed'~");
    assert_eq!(request.uri().user().as_deref(), Some("1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"));
    assert_eq!(request.uri().password(), Some(&b"&it+has=1,weird!*pas$wo~d_too.(doesn't-it)"[..]));
    assert_eq!(request.to().display_name().as_deref(), Some("BEL:\x07 NUL:\0 DEL:\x7f"));
    assert_eq!(request.from().tag(), Some(&b"_token~1'+`*%!-."[..]));
    assert_eq!(request.call_id(), &br#"intmeth.word%ZK-!.*_+'@word`~)(><:\/"][?}{"#[..]);
    assert_eq!(request.headers().count(), 8);
}

#[test]
fn escapes_are_decoded_in_uris_and_nowhere_else() {
    let escaped = request("rfc4475/esc01.dat");
    assert_eq!(escaped.uri().user().as_deref(), Some("sips:user@example.com"));
    assert_eq!((escaped.to().uri().user().as_deref(), escaped.uri().scheme()), (Some("user"), Scheme::Sip));
    let Contacts::List(contacts) = escaped.contacts(1).unwrap() else { panic!("contacts") };
    assert!(contacts[0].uri().is_lr());
    assert_eq!(contacts[0].uri().param("name"), Some(Some(&b"v%61lue%25%34%31"[..])));
    let no_register = request("rfc4475/esc02.dat");
    assert_eq!(no_register.method().as_str(), "RE%47IST%45R");
    assert_eq!(contact_users(&no_register), ["alias1", "alias3"]);
    assert_eq!(contact_users(&request("rfc4475/escnull.dat")), ["\0", "\0\0"]);
    assert_eq!(request("rfc4475/semiuri.dat").uri().user().as_deref(), Some("user;par=u@example.net"));
}

#[test]
fn what_follows_a_message_is_not_the_messages() {
    let register = request("rfc4475/dblreq.dat");
    assert_eq!((register.body().len(), register.bytes().ends_with(b"Content-Length: 0\r\n\r\n")), (0, true));
    let multipart = request("rfc4475/mpart01.dat");
    assert_eq!(multipart.bytes().len(), bytes("rfc4475/mpart01.dat").len());
}

#[test]
fn lists_are_counted_over_lines_and_commas() {
    assert_eq!(request("rfc4475/longreq.dat").vias().filter(Result::is_ok).count(), 34);
    let transports: Vec<_> =
        request("rfc4475/transports.dat").vias().map(|via| via.unwrap().transport().to_vec()).collect();
    assert_eq!(transports, [&b"UDP"[..], b"SCTP", b"TLS", b"UNKNOWN", b"TCP"]);
    let extended = request("rfc4475/bext01.dat");
    assert_eq!(extended.require(&Name::Require), ["nothingSupportsThis", "nothingSupportsThisEither"]);
    assert_eq!(extended.require(&Name::ProxyRequire), ["noProxiesSupportThis", "norDoAnyProxiesSupportThis"]);
    assert_eq!(request("rfc4475/regaut01.dat").credentials(&Name::Authorization).count(), 0);
}

#[test]
fn a_contact_with_a_question_mark_needs_brackets() {
    assert!(request("rfc4475/regbadct.dat").contacts(9).is_err());
    assert!(request("rfc4475/regescrt.dat").contacts(9).is_ok());
    assert!(!request("rfc4475/badbranch.dat").via().is_rfc3261_branch());
}

#[test]
fn ipv6_addresses_are_read_wherever_they_stand() {
    let ip = |text: &str| text.parse().ok();
    let host = |file: &str| request(file).uri().host().and_then(Host::ip);
    assert_eq!(host("rfc5118/ipv6-good.dat"), ip("2001:db8::10"));
    assert_eq!(
        (host("rfc5118/port-ambiguous.dat"), request("rfc5118/port-ambiguous.dat").uri().port()),
        (ip("2001:db8::10:5070"), None)
    );
    assert_eq!(
        (host("rfc5118/port-unambiguous.dat"), request("rfc5118/port-unambiguous.dat").uri().port()),
        (ip("2001:db8::10"), Some(5070))
    );
    assert_eq!(host("rfc5118/ipv6-bug-abnf-3-colons.dat"), ip("2001:db8::192.0.2.1"));
    assert_eq!(host("rfc5118/ipv6-correct-abnf-2-colons.dat"), ip("2001:db8::192.0.2.1"));
    for file in ["rfc5118/via-received-param-no-delim.dat", "rfc5118/via-received-param-with-delim.dat"] {
        assert_eq!(request(file).via().received(), ip("2001:db8::9:255"), "{file}");
    }
    let mixed = request("rfc5118/mult-ip-in-header.dat");
    let hosts: Vec<_> = mixed.vias().map(|via| via.unwrap().sent_by_host().ip()).collect();
    assert_eq!(hosts, [ip("2001:db8::9:1"), ip("192.0.2.1"), ip("2001:db8::9:255")]);
}
