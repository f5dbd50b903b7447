//! SPEC 9.1: a message that is passed on keeps its bytes wherever RFC 3261 does not ask for a change, through the real program.

use std::net::SocketAddr;

use super::agent::Agent;
use super::message::{credentials, header};
use super::support::Network;

/// Unknown names, bytes that are no UTF-8, odd case and spacing, folds, an unusual order, empty values.
const ODD: &[&[u8]] = &[
    b"X-Unknown-Header :  kept ;a=\"b , c\",,;\r\n",
    b"sUbJeCt: caf\xe9 \xff\xfe\r\n\t folded\r\n   twice\r\n",
    b"X-Empty:\r\n",
    b"x-tabs:\t1\t2\t\r\n",
    b"User-Agent: Odd/1.0 (\xe2\x98\x8e)\r\n",
    b"k:timer , 100rel\r\n",
    b"X-Bare-Lf: 1\n",
];

/// Every byte there is, with line ends and what looks like a header among them.
fn body() -> Vec<u8> {
    [&(0..=255).collect::<Vec<u8>>()[..], b"\r\n\r\nVia: nothing\r\n\0"].concat()
}

fn find(bytes: &[u8], wanted: &[u8]) -> usize {
    let at = bytes.windows(wanted.len()).position(|window| window == wanted);
    at.unwrap_or_else(|| panic!("no {} in {}", String::from_utf8_lossy(wanted), String::from_utf8_lossy(bytes)))
}

/// Takes the first line that begins so out of a message.
fn take_line(bytes: &mut Vec<u8>, begin: &[u8]) -> Vec<u8> {
    let start = 2 + find(bytes, &[b"\r\n", begin].concat());
    let length = 2 + find(&bytes[start..], b"\r\n");
    bytes.drain(start..start + length).collect()
}

fn replace(bytes: &mut Vec<u8>, old: &[u8], new: &[u8]) {
    let at = find(bytes, old);
    drop(bytes.splice(at..at + old.len(), new.iter().copied()));
}

/// An INVITE to 202 whose lines stand in no usual order.
fn invite(from: SocketAddr, number: u32, more: &str) -> Vec<u8> {
    let text = |text: String| text.into_bytes();
    let body = body();
    [
        text("INVITE sip:202@london.example SIP/2.0\r\n".to_owned()),
        ODD[..3].concat(),
        text(format!("cseq: {number} INVITE\r\nl: {}\r\n{more}i:odd@{from}\r\n", body.len())),
        ODD[3].to_vec(),
        text("t:<sip:202@london.example>\r\nMAX-FORWARDS:  42\r\n".to_owned()),
        text(format!("v:SIP/2.0/UDP {from} ;rport;branch=z9hG4bKodd{number}\r\n")),
        text("v: SIP/2.0/TCP below.example;branch=z9hG4bK1 , SIP/2.0/TLS [2001:db8::1]\r\n".to_owned()),
        text(format!("m: \"A\" <sip:201@{from};x=y>;z\r\n")),
        b"From: \"J\xf6rg \\\"J\\\"\" <sip:201@london.example>;tag=odd\r\n".to_vec(),
        ODD[4..].concat(),
        b"c: application/x-anything\r\n\r\n".to_vec(),
        body,
    ]
    .concat()
}

/// The next message that begins so.
fn next(agent: &Agent, begin: &[u8]) -> Vec<u8> {
    loop {
        let bytes = agent.phone.receive_bytes();
        if bytes.starts_with(begin) {
            return bytes;
        }
    }
}

#[test]
fn a_request_and_its_answer_arrive_with_the_bytes_that_they_were_sent_with() {
    let network = Network::new();
    let _running = network.run(&[]);
    let (ada, charles) = (Agent::registered(&network, "london", "201"), Agent::registered(&network, "london", "202"));
    let site = network.address("london");
    ada.phone.send_bytes(site, &invite(ada.phone.address, 1, ""));
    let challenge = String::from_utf8_lossy(&next(&ada, b"SIP/2.0 407 ")).replace("\r\n", "\n");
    let challenge = header(&challenge, "Proxy-Authenticate");
    let proof = credentials(challenge, "201", "secret201", "INVITE", "sip:202@london.example");
    let foreign = "Proxy-Authorization: Digest realm=\"elsewhere\", username=\"x\"\r\n";
    let sent = invite(ada.phone.address, 2, &format!("Proxy-Authorization: {proof}\r\n{foreign}"));
    ada.phone.send_bytes(site, &sent);

    let mut came = next(&charles, b"INVITE ");
    let arrived = came.clone();
    // What the RFC asks for: our Via on top, Record-Route, one hop less, the stamp, the target, credentials for us taken out;
    // and the proven identity (RFC 3325), and the session timer that neither side names (RFC 4028).
    take_line(&mut came, b"Record-Route: <sip:");
    take_line(&mut came, b"P-Asserted-Identity: \"User 201\" <sip:201@london.example>");
    take_line(&mut came, format!("Via: SIP/2.0/UDP {site};branch=z9hG4bK").as_bytes());
    take_line(&mut came, b"Session-Expires: 1800");
    let mut expected = sent;
    take_line(&mut expected, b"Proxy-Authorization: Digest username=\"201\"");
    replace(&mut expected, b"sip:202@london.example", format!("sip:202@{}", charles.phone.address).as_bytes());
    replace(&mut expected, b"  42\r\n", b"  41\r\n");
    let (ip, port) = (ada.phone.address.ip(), ada.phone.address.port());
    let stamped = find(&came, b";rport=");
    let stamp = came[stamped..].split(|byte| b"\r,".contains(byte)).next().expect("the Via").to_vec();
    let text = String::from_utf8_lossy(&stamp).into_owned();
    assert!(text.contains(&format!("rport={port}")) && text.contains(&format!("received={ip}")), "{text}");
    replace(&mut expected, b";rport;branch=z9hG4bKodd2", &stamp);
    assert_eq!(came, expected, "\n{}\n---\n{}", String::from_utf8_lossy(&came), String::from_utf8_lossy(&expected));

    let (answer, passed_on) = answered(&charles, &arrived, site);
    let mut came = next(&ada, b"SIP/2.0 200 ");
    // The callee knows no session timers, and the caller does: RFC 4028 §8.2.
    take_line(&mut came, b"Session-Expires: 1800;refresher=uac");
    take_line(&mut came, b"Require: timer");
    assert_eq!(came, passed_on, "\n{}\n---\n{}", String::from_utf8_lossy(&came), String::from_utf8_lossy(&answer));
}

/// The callee's answer, as odd as the request, and what the caller should get of it: all but our Via.
fn answered(charles: &Agent, invite: &[u8], site: SocketAddr) -> (Vec<u8>, Vec<u8>) {
    let mut left = invite.to_vec();
    let ours = take_line(&mut left, b"Via: ");
    let route = take_line(&mut left, b"Record-Route: ");
    let vias = [take_line(&mut left, b"v:"), take_line(&mut left, b"v: ")];
    let answer = |ours: &[u8]| {
        [
            b"SIP/2.0 200 Schon gut \xe4\xf6\r\n",
            &ODD[..2].concat()[..],
            b"call-id: ",
            header_of(invite, b"\r\ni:"),
            b"\r\nCSeq:2   INVITE\r\nTO: <sip:202@london.example> ; tag=odd-callee\r\n",
            &route,
            ours,
            &vias.concat(),
            b"f: \"J\xf6rg \\\"J\\\"\" <sip:201@london.example>;tag=odd\r\n",
            &ODD[2..].concat(),
            format!("Contact:<sip:202@{}>\r\nContent-Length: {}\r\n\r\n", charles.phone.address, body().len())
                .as_bytes(),
            &body(),
        ]
        .concat()
    };
    let sent = answer(&ours);
    charles.phone.send_bytes(site, &sent);
    (sent, answer(b""))
}

/// What stands behind `begin` up to the end of its line.
fn header_of<'b>(bytes: &'b [u8], begin: &[u8]) -> &'b [u8] {
    let start = find(bytes, begin) + begin.len();
    &bytes[start..start + find(&bytes[start..], b"\r\n")]
}
