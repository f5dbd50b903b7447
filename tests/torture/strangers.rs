//! SPEC 9.5: what a stranger gets is at most 1.5 times the size of the request, whatever is asked: nobody is flooded through us.

use std::net::SocketAddr;

use crate::cases;
use crate::site::Site;

const METHODS: [&str; 15] = [
    "INVITE",
    "OPTIONS",
    "MESSAGE",
    "BYE",
    "CANCEL",
    "SUBSCRIBE",
    "NOTIFY",
    "PUBLISH",
    "INFO",
    "REFER",
    "UPDATE",
    "PRACK",
    "ACK",
    "DANCE",
    "X",
];
const TARGETS: [&str; 8] = [
    "sip:201@london.example",
    "sip:london.example",
    "sip:127.0.0.1",
    "sip:999@london.example",
    "sip:9123@elsewhere.example",
    "sip:x",
    "tel:1",
    "x:y",
];
const MORE: [&str; 9] = [
    "",
    "Max-Forwards:0\r\n",
    "Max-Forwards:x\r\n",
    "Require:a\r\n",
    "Proxy-Require:a,b,c,d\r\n",
    "Hotdesk-Link:1\r\n",
    "Route:<sip:127.0.0.1;lr>\r\n",
    "l:9\r\n",
    "l:0\r\nl:1\r\n",
];
const VIAS: [&str; 5] =
    ["h", "h;branch=z9hG4bKa", "h;branch=z9hG4bKa;rport", "127.0.0.51;rport", "h;rport,SIP/2.0/UDP i,SIP/2.0/UDP j"];

/// The shortest request that says it.
fn request(method: &str, target: &str, via: &str, to: &str, more: &str) -> String {
    format!(
        "{method} {target} SIP/2.0\r\nv:SIP/2.0/UDP {via}\r\nf:<sip:a@b>\r\nt:{to}\r\ni:{method}\r\nCSeq:1 {method}\r\n{more}\r\n"
    )
}

/// How many datagrams came back, and their length.
fn said(site: &mut Site, source: SocketAddr, text: &str) -> (usize, usize) {
    let left = site.hear(source, text.to_owned().into());
    (left.len(), left.iter().map(|(_, bytes)| bytes.len()).sum())
}

#[test]
fn a_stranger_gets_no_more_than_half_as_much_again() {
    let source: SocketAddr = "127.0.0.51:6000".parse().unwrap();
    let (mut asked, mut answered) = (0, 0);
    for method in METHODS {
        let mut site = Site::with(|site| site.emergency.anyone_from.clear());
        for target in TARGETS {
            for (via, to) in VIAS.iter().flat_map(|via| ["<sip:c@d>", "<sip:c@d>;tag=1"].map(|to| (via, to))) {
                for more in MORE {
                    let text = request(method, target, via, to, more);
                    let (count, length) = said(&mut site, source, &text);
                    assert!(
                        count <= 1 && 2 * length <= 3 * text.len(),
                        "{length} bytes in {count} for {}:\n{text}",
                        text.len()
                    );
                    asked += 1;
                    answered += count;
                }
            }
        }
        // Nothing is kept for them, and nothing more is sent later (SPEC 9.5).
        assert!(site.wait(std::time::Duration::from_secs(64)).is_empty(), "{method}");
    }
    println!("{asked} requests of strangers, {answered} answers");
}

#[test]
fn what_people_send_is_long_enough_to_be_answered() {
    let mut site = Site::new();
    let source: SocketAddr = "127.0.0.51:6000".parse().unwrap();
    for case in cases::field().iter().filter(|case| case.bytes.starts_with(b"INVITE") && case.bytes.len() < 4_000) {
        let text = String::from_utf8_lossy(&case.bytes)
            .replace("From: \"Ada\" <sip:201@london", "From: \"Ada\" <sip:201@elsewhere");
        if text.contains("@elsewhere") && case.allows(cases::Heard::Answer(407)) {
            assert_eq!(said(&mut site, source, &text).0, 1, "{}", case.file);
        }
    }
}
