//! What the hot path costs, in time and in allocations: `cargo bench`.
//!
//! Seconds differ from run to run and from machine to machine; what is compared is one run before and one after a change, and the
//! allocations, which are exact.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use divan::{AllocProfiler, Bencher, black_box};
use hotdesk::config::{self, Files, Sites};
use hotdesk::link::proof::Peer;
use hotdesk::location::StoreId;
use hotdesk::node::{Config, Node};
use hotdesk::plan::{Alone, Around, Caller, NoVisitors, Trace};
use hotdesk::proxy::{Dress, Kind, Rule, Shows, Stamp, Target, forward_request, via_value};
use hotdesk::settings::Limits;
use hotdesk::sip::{self, Packet, Request};
use hotdesk::timing::{Now, Wall};
use hotdesk::transmit::{Flow, SocketId};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

/// The site, in lab mode: every `uN` is a user.
const SITE: &str = "127.0.0.1:5060";
const CALLER: &str = "127.0.0.1:5070";
const CALLEE: &str = "127.0.0.1:5071";

const NETWORK: &str = r#"
[network]
realm = "bench.example"
link_secret = "0123456789012345678901234567890123456789"
[sites.single]
number = 1
domain = "single.example"
listen = ["udp:127.0.0.1:5060"]
extensions = ["uN"]
plan = "plan.toml"
"#;
const PLAN: &str = r#"
[emergency]
none = true
[lab]
users = "any"
"#;

fn main() {
    divan::main();
}

#[divan::bench]
fn parse_an_invite(bencher: Bencher) {
    let (invite, limits) = (invite(0), Limits::default());
    bencher.bench(|| sip::parse(black_box(invite.clone()), &limits));
}

#[divan::bench]
fn forward_an_invite(bencher: Bencher) {
    let request = request(invite(0));
    let target = Target {
        uri: Bytes::from("sip:u1@127.0.0.1:5071"),
        flow: flow(CALLEE),
        path: Vec::new(),
        peer: Peer::Phone { flow: flow(CALLEE), nat: false },
        kind: Kind::Phone,
        rule: Rule::Phones,
        asserted: None,
        shows: Shows::default(),
        max_breadth: None,
        counts: None,
        manner: None,
        conveys: None,
    };
    let via = via_value(address(SITE), "z9hG4bK000123456789abcdef.0123456789abcdef");
    let record_routes = ["<sip:0123456789abcdef0123456789abcdef@127.0.0.1:5060;lr>".to_owned()];
    let stamp = Stamp::new(request.via(), address(CALLER));
    let dress =
        Dress { stamp, via: &via, record_routes: &record_routes, max_forwards: 69, realm: "r", ..Dress::default() };
    bencher.bench(|| forward_request(black_box(&request), &target, &dress));
}

/// 100,000 codes cost what ten cost.
#[divan::bench(args = [10, 100_000])]
fn match_a_short_code(bencher: Bencher, codes: usize) {
    let rows =
        (0..codes).map(|n| format!("[[short_codes]]\ncode = \"7{n:06}\"\nfeature = \"DialExtn\"\nnumber = \"u1\"\n"));
    let plan = Arc::clone(&site(&rows.collect::<String>()).plan);
    let (caller, at) = (Caller { extension: "u1", name: "u1", ..Caller::default() }, Wall(1_795_435_200_000));
    let around = Around { directory: &NoVisitors, neighbours: &Alone, at };
    bencher.bench_local(|| plan.route(black_box("7000005"), &caller, &around, Trace::off()));
}

/// A user whom the site has not seen yet, to the 200.
#[divan::bench]
fn register_at_a_node(bencher: Bencher) {
    let (mut bench, mut user) = (Bench::new(), 0);
    bencher.bench_local(|| {
        user += 1;
        bench.hear(CALLEE, register(user))
    });
}

/// An INVITE to a registered phone: the 100 and the forwarded request.
#[divan::bench]
fn invite_through_a_node(bencher: Bencher) {
    let (mut bench, mut call) = (Bench::new(), 0);
    assert_eq!(bench.hear(CALLEE, register(1)), 1);
    bencher.bench_local(|| {
        call += 1;
        assert_eq!(bench.hear(CALLER, invite(call)), 2);
    });
}

/// A node whose store is at hand, and its clock.
struct Bench {
    node: Node,
    now: Now,
}

impl Bench {
    fn new() -> Self {
        #[expect(clippy::disallowed_methods, reason = "any instant will do as the start")]
        let now = Now { instant: Instant::now(), wall: Wall(1_795_435_200_000) };
        Self { node: Node::new(site(""), now, [7; 32]), now }
    }

    /// One datagram, a tenth of a millisecond after the last; how many go out.
    fn hear(&mut self, from: &str, datagram: Bytes) -> usize {
        self.now.instant += Duration::from_micros(100);
        self.node.handle_datagram(self.now, flow(from), datagram);
        let staged = std::iter::from_fn(|| self.node.poll_store()).map(|op| op.id).max();
        staged.into_iter().for_each(|id: StoreId| self.node.handle_stored(self.now, id));
        while self.node.poll_timeout().is_some_and(|due| due <= self.now.instant) {
            self.node.handle_timeout(self.now);
        }
        std::iter::from_fn(|| self.node.poll_event()).for_each(drop);
        std::iter::from_fn(|| self.node.poll_transmit()).count()
    }
}

fn site(codes: &str) -> Config {
    let files = [("network.toml", NETWORK.to_owned()), ("plan.toml", format!("{PLAN}{codes}"))];
    let files: BTreeMap<PathBuf, String> = files.map(|(path, text)| (path.into(), text)).into();
    let loaded = config::load_from(Files::Memory(files), Path::new("network.toml"), &Sites::All).expect("it holds");
    let (site, plan) = (Arc::clone(&loaded.sites["single"]), Arc::clone(&loaded.plans["single"]));
    Config { network: loaded.network, site, plan }
}

fn register(user: u32) -> Bytes {
    Bytes::from(format!(
        "REGISTER sip:{SITE} SIP/2.0\r\nVia: SIP/2.0/UDP {CALLEE};rport;branch=z9hG4bKr{user}\r\nMax-Forwards: 70\r\n\
         From: <sip:u{user}@{SITE}>;tag=r{user}\r\nTo: <sip:u{user}@{SITE}>\r\nCall-ID: r{user}@bench\r\nCSeq: 1 REGISTER\r\n\
         Contact: <sip:u{user}@{CALLEE}>\r\nExpires: 3600\r\nUser-Agent: bench\r\nContent-Length: 0\r\n\r\n"
    ))
}

fn invite(call: u32) -> Bytes {
    let sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 8 0 101\r\na=rtpmap:101 telephone-event/8000\r\n";
    Bytes::from(format!(
        "INVITE sip:u1@{SITE} SIP/2.0\r\nVia: SIP/2.0/UDP {CALLER};rport;branch=z9hG4bKi{call}\r\nMax-Forwards: 70\r\n\
         From: \"Ada\" <sip:u2@{SITE}>;tag=i{call}\r\nTo: <sip:u1@{SITE}>\r\nCall-ID: i{call}@bench\r\nCSeq: 1 INVITE\r\n\
         Contact: <sip:u2@{CALLER}>\r\nAllow: INVITE, ACK, BYE, CANCEL, OPTIONS\r\nUser-Agent: bench\r\n\
         Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{sdp}",
        sdp.len()
    ))
}

fn request(datagram: Bytes) -> Request {
    match sip::parse(datagram, &Limits::default()) {
        Ok(Packet::Request(request)) => request,
        other => panic!("{other:?}"),
    }
}

fn flow(remote: &str) -> Flow {
    Flow { socket: SocketId(0), remote: address(remote) }
}

fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}
