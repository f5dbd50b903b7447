//! The whole table in virtual time, fed with messages as text.

mod bounds;
mod clients;
mod matching;
mod random;
mod servers;

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::*;
use crate::settings::Limits;
use crate::sip::{Method, Packet, Request, Response, Status, parse};
use crate::timing::Timing;
use crate::transmit::{Flow, SocketId};

/// A table, its clock, and all that came out of it with the millisecond.
struct Bench {
    table: Transactions<u32, u32>,
    start: Instant,
    now: Instant,
    sent: Vec<(u64, String)>,
    events: Vec<(u64, String)>,
}

impl Bench {
    fn new() -> Self {
        Self::with(TableLimits::default(), [1, 2, 3, 4])
    }

    #[expect(clippy::disallowed_methods, reason = "an arbitrary origin for virtual time")]
    fn with(limits: TableLimits, seeds: [u64; 4]) -> Self {
        let start = Instant::now();
        let table = Transactions::new(Timing::default(), limits, seeds);
        Self { table, start, now: start, sent: Vec::new(), events: Vec::new() }
    }

    /// Lets time pass up to so many milliseconds after the start.
    fn until(&mut self, ms: u64) {
        let end = self.start + Duration::from_millis(ms);
        self.drain();
        while let Some(next) = self.table.poll_timeout().filter(|&next| next <= end) {
            self.now = self.now.max(next);
            self.table.handle_timeout(self.now);
            self.drain();
        }
        self.now = end;
    }

    fn drain(&mut self) {
        let ms = self.now.duration_since(self.start).as_millis() as u64;
        while let Some(transmit) = self.table.poll_transmit() {
            self.sent.push((ms, text(&transmit.bytes)));
        }
        while let Some(event) = self.table.poll_event() {
            let event = match event {
                Event::ClientTimeout(_, data) => format!("client {data} timed out"),
                Event::ClientUnreachable(_, data) => format!("client {data} unreachable"),
                Event::ClientEnded(_, data) => format!("client {data} ended"),
                Event::ServerEnded(_, data) => format!("server {data} ended"),
                Event::AckMissing(_, data) => format!("server {data} without ACK"),
            };
            self.events.push((ms, event));
        }
    }

    /// Start lines of what was sent since the last question, with their milliseconds.
    fn sent(&mut self) -> Vec<(u64, String)> {
        self.drain();
        let line = |text: &str| text.lines().next().unwrap_or_default().to_owned();
        self.sent.drain(..).map(|(ms, text)| (ms, line(&text))).collect()
    }

    /// The milliseconds in which something was sent since the last question.
    fn times(&mut self) -> Vec<u64> {
        self.sent().into_iter().map(|(ms, _)| ms).collect()
    }

    fn events(&mut self) -> Vec<(u64, String)> {
        self.drain();
        std::mem::take(&mut self.events)
    }

    fn begin_client(&mut self, method: Method, branch: &str, data: u32) -> ClientId {
        let bytes = outgoing(method.as_str(), branch);
        self.table.begin_client(self.now, &method, branch.as_bytes(), bytes, flow(2), data).expect("room")
    }

    fn begin_server(&mut self, request: &Request, data: u32) -> ServerId {
        let heard = self.table.hear_request(self.now, request);
        assert!(matches!(heard, Heard::New | Heard::Cancel(_)), "{heard:?}");
        self.table.begin_server(self.now, request, flow(1), data).expect("room")
    }

    fn hear(&mut self, request: &Request) -> Heard<u32> {
        self.table.hear_request(self.now, request)
    }

    /// The owner's word if the response was passed up.
    fn answer(&mut self, status: u16, method: &str, branch: &str) -> Option<u32> {
        match self.table.hear_response(self.now, &response(status, method, branch)) {
            Answer::Pass(_, data) => Some(data),
            Answer::Absorbed => None,
            Answer::Stray => panic!("{status} to {method} is of no transaction"),
        }
    }

    fn respond(&mut self, id: ServerId, status: u16) {
        let bytes = Bytes::from(format!("SIP/2.0 {status} X\r\n\r\n"));
        self.table.respond(self.now, id, Status(status), bytes);
    }
}

fn flow(host: u8) -> Flow {
    Flow { socket: SocketId(0), remote: format!("192.0.2.{host}:5060").parse().expect("an address") }
}

fn text(bytes: &Bytes) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

fn request(text: &str) -> Request {
    match parse(Bytes::copy_from_slice(text.as_bytes()), &Limits::default()) {
        Ok(Packet::Request(request)) => request,
        other => panic!("no request: {other:?}\n{text}"),
    }
}

/// A request of a phone, with this top Via.
fn incoming(method: &str, via: &str) -> Request {
    request(&format!(
        "{method} sip:201@london.example SIP/2.0\r\nVia: SIP/2.0/UDP {via}\r\nMax-Forwards: 70\r\n\
         From: <sip:202@london.example>;tag=f1\r\nTo: <sip:201@london.example>\r\nCall-ID: c1\r\nCSeq: 7 {}\r\n\
         Content-Length: 0\r\n\r\n",
        method
    ))
}

/// A request of ours as it goes out.
fn outgoing(method: &str, branch: &str) -> Bytes {
    Bytes::from(format!(
        "{method} sip:201@192.0.2.2:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch={branch}\r\n\
         v: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKphone\r\nMax-Forwards: 69\r\nRoute: <sip:a;lr>, <sip:b;lr>\r\n\
         f: \"202\" <sip:202@london.example>;tag=f1\r\nt: <sip:201@london.example>\r\ni: c1\r\nRoute: <sip:c;lr>\r\n\
         CSeq: 7 {method}\r\nContact: <sip:202@192.0.2.1>\r\nContent-Type: application/sdp\r\nContent-Length: 4\r\n\r\nv=0\n"
    ))
}

fn response(status: u16, method: &str, branch: &str) -> Response {
    let text = format!(
        "SIP/2.0 {status} X\r\nVia: SIP/2.0/UDP 192.0.2.9;branch={branch}\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKphone\r\n\
         From: \"202\" <sip:202@london.example>;tag=f1\r\nTo: <sip:201@london.example>;tag=t9\r\nCall-ID: c1\r\n\
         CSeq: 7 {method}\r\nContent-Length: 0\r\n\r\n"
    );
    match parse(Bytes::from(text), &Limits::default()) {
        Ok(Packet::Response(response)) => response,
        other => panic!("no response: {other:?}"),
    }
}
