//! The messages that are too long and too dull to be files: both sides of every limit.

use bytes::Bytes;

/// A MESSAGE of 201 to 202, or a REGISTER of 203, with more lines and a body.
fn message(request_line: &str, user: &str, more: &str, body: &str) -> String {
    let method = request_line.split(' ').next().unwrap_or_default();
    let to = if method == "REGISTER" { user } else { "202" };
    format!(
        "{request_line} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.51:6000;branch=z9hG4bK-made;rport\r\nMax-Forwards: 70\r\n\
         From: <sip:{user}@london.example>;tag=made\r\nTo: <sip:{to}@london.example>\r\nCall-ID: made\r\n\
         CSeq: 1 {method}\r\n{more}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// The lines of `message` without `more`.
const LINES: usize = 7;

fn page(more: &str) -> String {
    message("MESSAGE sip:202@london.example", "201", more, "")
}

/// With a body that makes it so long.
fn of_length(bytes: usize) -> String {
    let with = |body: usize| message("MESSAGE sip:202@london.example", "201", "", &"x".repeat(body));
    let near = with(bytes - 500).len();
    with(bytes - 500 + (bytes - near))
}

fn with_headers(number: usize) -> String {
    page(&(LINES..number).map(|at| format!("X-{at}: {at}\r\n")).collect::<String>())
}

fn vias(number: usize) -> Vec<String> {
    (1..number).map(|at| format!("SIP/2.0/UDP h{at}.example;branch=z9hG4bK{at}")).collect()
}

fn with_contacts(number: usize) -> String {
    let contacts: Vec<String> = (0..number).map(|at| format!("<sip:203@127.0.0.51:6000;x={at}>;expires=0")).collect();
    message("REGISTER sip:london.example", "203", &format!("Contact: {}\r\n", contacts.join(",")), "")
}

fn with_uri(bytes: usize) -> String {
    let user = "2".repeat(bytes - "sip:@london.example".len());
    message(&format!("MESSAGE sip:{user}@london.example"), "201", "", "")
}

/// Every one, by its name in the table.
pub fn made() -> Vec<(&'static str, Bytes)> {
    let lines = |number| vias(number).iter().map(|via| format!("Via: {via}\r\n")).collect::<String>();
    let made = [
        ("message-of-64000-bytes", of_length(64_000)),
        ("message-of-64001-bytes", of_length(64_001)),
        ("message-of-65507-bytes", of_length(65_507)),
        ("message-of-65535-bytes", of_length(65_535)),
        ("message-of-65536-bytes", of_length(65_536)),
        ("256-headers", with_headers(256)),
        ("257-headers", with_headers(257)),
        ("70-vias", page(&lines(70))),
        ("71-vias", page(&lines(71))),
        ("71-vias-in-one-line", page(&format!("Via: {}\r\n", vias(71).join(", ")))),
        ("32-contacts", with_contacts(32)),
        ("33-contacts", with_contacts(33)),
        ("uri-of-4096-bytes", with_uri(4_096)),
        ("uri-of-4097-bytes", with_uri(4_097)),
    ];
    let with_own_ids = |(name, text): (&'static str, String)| {
        // What makes each its own transaction keeps its length.
        let id = &blake3::hash(name.as_bytes()).to_hex()[..4];
        (
            name,
            text.replace("z9hG4bK-made", &format!("z9hG4bK-{id}"))
                .replace("Call-ID: made", &format!("Call-ID: {id}"))
                .into(),
        )
    };
    made.into_iter().map(with_own_ids).collect()
}
