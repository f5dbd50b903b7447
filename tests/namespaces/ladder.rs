//! What went over the wires: at the phones as they see it, between the sites as an ear on their bridge hears it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use socket2::{Domain, Protocol, Socket, Type};

use super::ground::Ground;

/// Every EtherType (`ETH_P_ALL`): what a bridge passes on is given to nobody who asks for one.
const ALL: u16 = 0x0003;
/// One frame passes the bridge on two of its ports: what is the same within this time is one.
const SAME: Duration = Duration::from_millis(50);

struct Rung {
    at: Instant,
    from: SocketAddr,
    to: SocketAddr,
    bytes: Vec<u8>,
}

/// All datagrams that were seen, and what happened besides.
#[derive(Clone, Default)]
pub struct Ladder(Arc<Mutex<Vec<Rung>>>);

impl Ladder {
    pub fn push(&self, from: SocketAddr, to: SocketAddr, bytes: &[u8]) {
        let mut rungs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = now();
        let recent = rungs.iter().rev().take_while(|rung| at.duration_since(rung.at) < SAME);
        if !recent.into_iter().any(|rung| (rung.from, rung.to) == (from, to) && rung.bytes == bytes) {
            rungs.push(Rung { at, from, to, bytes: bytes.to_vec() });
        }
    }

    /// What a reader of the story needs, phase by phase: who logs in, and which way a call goes until it is answered or refused. Left out are
    /// challenges and what they were the answer to, 1xx, ACK, BYE, copies, and renewals of leases.
    pub fn story(&self, start: Instant, names: &BTreeMap<SocketAddr, String>, notes: &[(Instant, String)]) -> String {
        let rungs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let heads: Vec<Head> = rungs.iter().map(Head::of).collect();
        let challenged = |request: &Head| heads.iter().any(|head| head.is_challenge() && head.answers(request));
        let mut said = BTreeSet::new();
        let mut lines: Vec<(Instant, String)> = notes.iter().map(|(at, text)| (*at, format!("\n{text}\n"))).collect();
        let name = |address: &SocketAddr| names.get(address).cloned().unwrap_or_else(|| address.to_string());
        for head in heads.iter().filter(|head| head.tells() && !challenged(head)) {
            if said.insert((head.from, head.to, head.call_id, head.cseq, head.first)) {
                let text = format!("{:>14} → {:<16} {}", name(&head.from), name(&head.to), head.said());
                lines.push((head.at, format!("{:9.3}  {text}\n", head.at.duration_since(start).as_secs_f64())));
            }
        }
        lines.sort_by_key(|(at, _)| *at);
        lines.into_iter().map(|(_, line)| line).collect()
    }

    /// The last of them, without probes; `notes` are what people did.
    pub fn text(
        &self,
        start: Instant,
        last: usize,
        names: &BTreeMap<SocketAddr, String>,
        notes: &[(Instant, String)],
    ) -> String {
        let rungs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut lines: Vec<(Instant, String)> = notes.iter().map(|(at, text)| (*at, format!("-- {text}"))).collect();
        let name = |address: &SocketAddr| names.get(address).cloned().unwrap_or_else(|| address.to_string());
        for rung in rungs.iter() {
            let text = String::from_utf8_lossy(&rung.bytes);
            let cseq = text.lines().find_map(|line| line.strip_prefix("CSeq: ")).unwrap_or_default();
            let first = text.lines().next().unwrap_or_default();
            if !cseq.ends_with("OPTIONS") {
                let first = first.trim_start_matches("SIP/2.0 ").trim_end_matches(" SIP/2.0");
                lines.push((rung.at, format!("{:>14} → {:<14} {first}  ({cseq})", name(&rung.from), name(&rung.to))));
            }
        }
        lines.sort_by_key(|(at, _)| *at);
        let first = lines.len().saturating_sub(last);
        let mut out = String::new();
        for (at, line) in &lines[first..] {
            let _ = writeln!(out, "{:9.3}  {line}", at.duration_since(start).as_secs_f64());
        }
        out
    }
}

/// What a rung says on one line.
struct Head<'r> {
    at: Instant,
    from: SocketAddr,
    to: SocketAddr,
    first: &'r str,
    call_id: &'r str,
    cseq: &'r str,
}

impl<'r> Head<'r> {
    fn of(rung: &'r Rung) -> Self {
        // What is sealed between sites is no text, and comes last.
        let head = rung.bytes.windows(4).position(|end| end == b"\r\n\r\n").unwrap_or(rung.bytes.len());
        let text = std::str::from_utf8(&rung.bytes[..head]).unwrap_or_default();
        let header = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        let first = text.lines().next().unwrap_or_default();
        let Rung { at, from, to, .. } = *rung;
        Self { at, from, to, first, call_id: header("Call-ID: "), cseq: header("CSeq: ") }
    }

    fn status(&self) -> Option<&'r str> {
        self.first.strip_prefix("SIP/2.0 ")
    }

    fn is_challenge(&self) -> bool {
        self.status().is_some_and(|status| status.starts_with("401") || status.starts_with("407"))
    }

    fn answers(&self, request: &Self) -> bool {
        request.status().is_none()
            && (self.from, self.to) == (request.to, request.from)
            && (self.call_id, self.cseq) == (request.call_id, request.cseq)
    }

    /// Whether it is part of the story.
    fn tells(&self) -> bool {
        let is_told = ["REGISTER", "INVITE", "MESSAGE"].iter().any(|method| self.cseq.ends_with(method));
        let is_renewal = self.first.starts_with("MESSAGE") && !self.first.contains('@');
        let is_passing = self.status().is_some_and(|status| status.starts_with('1')) || self.is_challenge();
        // A site's answer to what another site's sealed words ask is in its deeds.
        let is_answer_to_site = self.status().is_some() && self.cseq.ends_with("MESSAGE");
        is_told && !is_renewal && !is_passing && !is_answer_to_site
    }

    fn said(&self) -> String {
        let method = self.cseq.split(' ').next_back().unwrap_or_default();
        match self.status() {
            Some(status) => format!("{status} ({method})"),
            None => self.first.trim_end_matches(" SIP/2.0").to_owned(),
        }
    }
}

/// An ear on the wire between the sites.
pub struct Ear {
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Ear {
    pub fn on(ground: &Ground, ladder: &Ladder) -> Self {
        let socket = ground.within("wire", || {
            let protocol = Protocol::from(i32::from(ALL.to_be()));
            Socket::new(Domain::PACKET, Type::DGRAM, Some(protocol)).expect("we are root")
        });
        socket.set_read_timeout(Some(Duration::from_millis(200))).expect("a socket");
        let (ended, ladder) = (Arc::new(AtomicBool::new(false)), ladder.clone());
        let stop = Arc::clone(&ended);
        let thread = thread::spawn(move || {
            let mut packet = vec![0; 65_535];
            while !stop.load(Ordering::Relaxed) {
                if let Ok(length) = (&socket).read(&mut packet)
                    && let Some((from, to, bytes)) = datagram(&packet[..length])
                {
                    ladder.push(from, to, bytes);
                }
            }
        });
        Self { ended, thread: Some(thread) }
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The UDP datagram in an IPv4 packet.
fn datagram(packet: &[u8]) -> Option<(SocketAddr, SocketAddr, &[u8])> {
    let (version, header) = (packet.first()? >> 4, usize::from(packet.first()? & 0x0f) * 4);
    if version != 4 || *packet.get(9)? != 17 {
        return None;
    }
    let ip = |at: usize| Some(Ipv4Addr::from(<[u8; 4]>::try_from(packet.get(at..at + 4)?).ok()?));
    let short = |at: usize| Some(u16::from_be_bytes(packet.get(at..at + 2)?.try_into().ok()?));
    let (from, to) = ((ip(12)?, short(header)?), (ip(16)?, short(header + 2)?));
    Some((from.into(), to.into(), packet.get(header + 8..)?))
}

#[expect(clippy::disallowed_methods, reason = "this is a test in real time")]
pub fn now() -> Instant {
    Instant::now()
}
