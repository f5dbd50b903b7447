//! What the tests of this module share.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::{Judged, Update, judge};
use crate::location::Binding;
use crate::rejection::Rejection;
use crate::settings::{DeviceLimit, Limits, Registrar};
use crate::sip::{Packet, Request, parse};
use crate::timing::{Now, Wall};
use crate::transmit::{Flow, SocketId};

/// The defaults of SPEC §3.
pub const POLICY: Registrar = Registrar {
    min_expires: 60,
    max_expires: 3600,
    default_expires: 300,
    device_limit: DeviceLimit::Displace,
    nat_keepalive: Duration::from_secs(25),
    nat_expires: 120,
};

/// Some time to start from.
#[allow(clippy::disallowed_methods, reason = "any instant will do as the start")]
pub fn now() -> Now {
    Now { instant: Instant::now(), wall: Wall(1_700_000_000_000) }
}

/// So many milliseconds later.
pub fn after(now: Now, millis: u64) -> Now {
    let span = Duration::from_millis(millis);
    Now { instant: now.instant + span, wall: now.wall.plus(span) }
}

/// From one address to another site's phone.
pub fn flow(remote: &str) -> Flow {
    Flow { socket: SocketId(0), remote: remote.parse().expect("an address") }
}

/// A REGISTER for 201 with this Call-ID, CSeq and these header lines.
pub fn request(call_id: &str, cseq: u32, lines: &[&str]) -> Request {
    message("sip:london.example", "sip:201@london.example", call_id, cseq, lines)
}

/// A REGISTER with this Request-URI and this To.
pub fn message(uri: &str, to: &str, call_id: &str, cseq: u32, lines: &[&str]) -> Request {
    let mut text = format!(
        "REGISTER {uri} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK1;rport\r\nFrom: <{to}>;tag=1\r\nTo: <{to}>\r\n\
         Call-ID: {call_id}\r\nCSeq: {cseq} REGISTER\r\nMax-Forwards: 70\r\n"
    );
    lines.iter().for_each(|line| text.push_str(&format!("{line}\r\n")));
    text.push_str("Content-Length: 0\r\n\r\n");
    match parse(Bytes::from(text), &Limits::default()).expect("readable") {
        Packet::Request(request) => request,
        Packet::Response(_) | Packet::KeepAlive(_) => panic!("no request"),
    }
}

/// What that REGISTER asks for, from a phone on this machine.
pub fn update(call_id: &str, cseq: u32, lines: &[&str]) -> Update {
    read(&request(call_id, cseq, lines)).expect("good")
}

/// Reads it under [`POLICY`].
pub fn read(request: &Request) -> Result<Update, Rejection> {
    Update::read(request, flow("127.0.0.1:5070"), &Limits::default(), &POLICY)
}

/// The bindings of one AOR over time, three devices allowed.
pub struct Aor {
    /// The present bindings.
    pub bindings: Vec<Binding>,
    next_serial: u64,
}

impl Aor {
    /// None.
    pub fn new() -> Self {
        Self { bindings: Vec::new(), next_serial: 1 }
    }

    /// Judges a REGISTER and obeys it.
    pub fn hear(&mut self, call_id: &str, cseq: u32, lines: &[&str], now: Now) -> Result<Judged, Rejection> {
        self.hear_update(&update(call_id, cseq, lines), &POLICY, None, now)
    }

    /// The same with everything said.
    pub fn hear_update(
        &mut self,
        update: &Update,
        policy: &Registrar,
        nonce: Option<Wall>,
        now: Now,
    ) -> Result<Judged, Rejection> {
        let judged = judge(&self.bindings, update, 3, policy, nonce, self.next_serial, now)?;
        if let Judged::Extended { bindings } | Judged::Changed { bindings, .. } = &judged {
            self.bindings.clone_from(bindings);
            self.next_serial += 100;
        }
        Ok(judged)
    }

    /// The contacts' hosts and ports, oldest first.
    pub fn hosts(&self) -> Vec<String> {
        self.bindings.iter().map(|b| String::from_utf8_lossy(&b.device.host).into_owned()).collect()
    }
}
