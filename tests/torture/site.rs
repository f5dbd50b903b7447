//! London of the sample network in process, and a stranger who sends it what a datagram can hold.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use hotdesk::config::{self, Sites};
use hotdesk::node::{Config, Node};
use hotdesk::settings::Site as Settings;
use hotdesk::timing::{Now, Wall};
use hotdesk::transmit::{Flow, SocketId};

use crate::cases::{self, Heard, Table};

/// Monday 2026-11-23, 11:00 UTC.
const MONDAY: Wall = Wall(1_795_431_600_000);

pub struct Site {
    node: Node,
    pub now: Now,
    pings: u32,
}

impl Site {
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    /// With other settings.
    pub fn with(tweak: impl Fn(&mut Settings)) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/network.toml");
        let loaded = config::load(&path, &Sites::All).unwrap_or_else(|errors| panic!("{errors:?}"));
        let mut site = Settings::clone(&loaded.sites["london"]);
        tweak(&mut site);
        let plan = Arc::clone(&loaded.plans["london"]);
        let config = Config { network: loaded.network, site: Arc::new(site), plan };
        #[expect(clippy::disallowed_methods, reason = "an Instant has no other origin; nothing depends on which it is")]
        let now = Now { instant: Instant::now(), wall: MONDAY };
        let mut site = Self { node: Node::new(config, now, [7; 32]), now, pings: 0 };
        site.drain();
        site
    }

    /// Where a call without credentials is let in: a lab without passwords (SPEC 4.7).
    pub fn lab() -> Self {
        Self::with(|site| {
            site.lab = Some(hotdesk::settings::Lab { password: None });
            // RFC 4028 adds a header of its own: nothing but what RFC 3261 asks for is to change here.
            site.sip.session_expires = std::time::Duration::ZERO;
        })
    }

    /// A datagram, 10 ms later; what leaves then, but for what goes to other sites.
    pub fn hear(&mut self, source: SocketAddr, datagram: Bytes) -> Vec<(SocketAddr, Bytes)> {
        self.wait(Duration::from_millis(10));
        self.node.handle_datagram(self.now, Flow { socket: SocketId(0), remote: source }, datagram);
        self.drain()
    }

    /// Time passes.
    pub fn wait(&mut self, time: Duration) -> Vec<(SocketAddr, Bytes)> {
        self.now = Now { instant: self.now.instant + time, wall: self.now.wall.plus(time) };
        if self.node.poll_timeout().is_some_and(|at| at <= self.now.instant) {
            self.node.handle_timeout(self.now);
        }
        self.drain()
    }

    fn drain(&mut self) -> Vec<(SocketAddr, Bytes)> {
        let mut left = Vec::new();
        loop {
            let mut is_quiet = true;
            while let Some(op) = self.node.poll_store() {
                is_quiet = false;
                self.node.handle_stored(self.now, op.id);
            }
            while let Some(transmit) = self.node.poll_transmit() {
                is_quiet = false;
                left.push((transmit.flow.remote, transmit.bytes));
            }
            while self.node.poll_event().is_some() {}
            if is_quiet {
                break;
            }
        }
        let sites: [SocketAddr; 2] = ["127.0.0.2:5060", "127.0.0.3:5060"].map(|site| site.parse().unwrap());
        left.retain(|(to, _)| !sites.contains(to));
        left
    }

    /// Fails the test unless OPTIONS is answered.
    pub fn assert_alive(&mut self, after: &str) {
        self.pings += 1;
        let number = self.pings;
        let ping = format!(
            "OPTIONS sip:london.example SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.9:5070;branch=z9hG4bKping{number}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:ping@elsewhere.example>;tag=p\r\nTo: <sip:london.example>\r\n\
             Call-ID: ping{number}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
        );
        let answers = self.hear("127.0.0.9:5070".parse().unwrap(), ping.into());
        assert!(answers.iter().any(|(_, bytes)| bytes.starts_with(b"SIP/2.0 200 ")), "no pong after {after}");
    }
}

#[test]
fn a_stranger_gets_the_expected_verdict_from_the_node() {
    let mut site = Site::new();
    let mut table = Table::default();
    for case in cases::all() {
        let source: SocketAddr = (std::net::Ipv4Addr::new(127, 0, 0, 51), case.reply_port()).into();
        let left = site.hear(source, case.bytes.clone());
        for (to, bytes) in &left {
            assert_eq!(to.ip(), source.ip(), "{}: {} to {to}", case.file, String::from_utf8_lossy(bytes));
        }
        table.judge(&case, Heard::of(left.iter().map(|(_, bytes)| &bytes[..])));
        site.assert_alive(&case.file);
    }
    table.end("stranger, node");
}
