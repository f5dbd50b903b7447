//! Races and abuses that a reader of the node thought of: several sites without sockets, driven by hand.
#![allow(
    clippy::unwrap_used,
    clippy::too_many_arguments,
    clippy::type_complexity,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests"
)]

mod bounds;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use hotdesk::config::{self, Sites};
use hotdesk::event::Event;
use hotdesk::node::{Config, Node};
use hotdesk::settings::{DigestAlgorithm, Site};
use hotdesk::sip::digest;
use hotdesk::timing::{Now, Wall};
use hotdesk::transmit::{Flow, SocketId};

const LONDON: &str = "127.0.0.1:5060";
const PARIS: &str = "127.0.0.2:5060";
const SITES: [(&str, &str); 3] = [("london", LONDON), ("paris", PARIS), ("berlin", "127.0.0.3:5060")];

struct Net {
    nodes: Vec<(SocketAddr, Node)>,
    now: Now,
    /// What left for somebody that is no site.
    out: VecDeque<(SocketAddr, SocketAddr, String)>,
    /// Datagrams between sites for which this says true are lost.
    lost: Box<dyn Fn(SocketAddr, SocketAddr, &str) -> bool>,
    /// Sites whose store does not answer.
    stalled: Vec<SocketAddr>,
    serial: u32,
}

impl Net {
    fn new() -> Self {
        Self::with(|_, _| {})
    }

    /// The sample network with other settings, by the name of the site.
    fn with(tweak: impl Fn(&str, &mut Site)) -> Self {
        let loaded = config::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("config/network.toml"), &Sites::All);
        let loaded = loaded.expect("the sample network");
        let now = Now { instant: Instant::now(), wall: Wall(1_790_000_000_000) };
        let nodes = SITES.iter().enumerate().map(|(at, (name, address))| {
            let mut site = Arc::clone(&loaded.sites[*name]);
            tweak(name, Arc::make_mut(&mut site));
            let plan = Arc::clone(&loaded.plans[*name]);
            let config = Config { network: Arc::clone(&loaded.network), site, plan };
            (address.parse().unwrap(), Node::new(config, now, [at as u8 + 1; 32]))
        });
        let mut net = Net {
            nodes: nodes.collect(),
            now,
            out: VecDeque::new(),
            lost: Box::new(|_, _, _| false),
            stalled: Vec::new(),
            serial: 0,
        };
        net.pass(Duration::from_millis(50));
        net
    }

    fn send(&mut self, from: &str, to: &str, text: String) {
        self.give(from.parse().unwrap(), to.parse().unwrap(), text.into());
        self.run();
    }

    fn give(&mut self, from: SocketAddr, to: SocketAddr, bytes: Bytes) {
        let now = self.now;
        if let Some((_, node)) = self.nodes.iter_mut().find(|(address, _)| *address == to) {
            let flow = Flow { socket: SocketId(0), remote: from };
            node.handle_datagram(now, flow, bytes);
        }
    }

    fn run(&mut self) {
        loop {
            let mut moved = Vec::new();
            for (address, node) in &mut self.nodes {
                while let Some(op) = node.poll_store() {
                    if !self.stalled.contains(address) {
                        node.handle_stored(self.now, op.id);
                    }
                }
                while let Some(transmit) = node.poll_transmit() {
                    moved.push((*address, transmit.flow.remote, transmit.bytes));
                }
            }
            if moved.is_empty() {
                return;
            }
            for (from, to, bytes) in moved {
                let text = String::from_utf8_lossy(&bytes).into_owned();
                if self.nodes.iter().any(|(address, _)| *address == to) {
                    if !(self.lost)(from, to, &text) {
                        self.give(from, to, bytes);
                    }
                } else {
                    self.out.push_back((from, to, text));
                }
            }
        }
    }

    fn pass(&mut self, span: Duration) {
        let end = self.now.instant + span;
        while self.now.instant < end {
            let step = Duration::from_millis(10);
            self.now = Now { instant: self.now.instant + step, wall: self.now.wall.plus(step) };
            for (_, node) in &mut self.nodes {
                if node.poll_timeout().is_some_and(|at| at <= self.now.instant) {
                    node.handle_timeout(self.now);
                }
            }
            self.run();
        }
    }

    /// Everything that has come to that address.
    fn at(&mut self, address: &str) -> Vec<String> {
        let address: SocketAddr = address.parse().unwrap();
        let (mine, rest): (Vec<_>, Vec<_>) = self.out.drain(..).partition(|(_, to, _)| *to == address);
        self.out = rest.into();
        mine.into_iter().map(|(_, _, text)| text).collect()
    }

    fn request(&mut self, method: &str, uri: &str, me: &str, user: &str, to: &str, extra: &str) -> String {
        self.serial += 1;
        let serial = self.serial;
        format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {me};branch=z9hG4bKt{serial};rport\r\nMax-Forwards: 70\r\n\
             From: <sip:{user}@london.example>;tag=f{user}\r\nTo: {to}\r\nCall-ID: c-{user}-{me}\r\nCSeq: {serial} {method}\r\n{extra}\
             Content-Length: 0\r\n\r\n"
        )
    }

    /// Answers the challenge to this request.
    fn challenged(
        &mut self,
        method: &str,
        uri: &str,
        me: &str,
        site: &str,
        user: &str,
        to: &str,
        extra: &str,
    ) -> String {
        self.challenged_with(method, uri, me, site, user, to, extra, &format!("secret-{user}"))
    }

    #[allow(clippy::too_many_arguments)]
    fn challenged_with(
        &mut self,
        method: &str,
        uri: &str,
        me: &str,
        site: &str,
        user: &str,
        to: &str,
        extra: &str,
        password: &str,
    ) -> String {
        let bare = self.request(method, uri, me, user, to, extra);
        self.send(me, site, bare);
        let answer = self.at(me).pop().expect("an answer");
        let (header, name) = if answer.contains("SIP/2.0 401") {
            ("WWW-Authenticate", "Authorization")
        } else {
            ("Proxy-Authenticate", "Proxy-Authorization")
        };
        let line = answer.lines().find(|line| line.starts_with(header)).unwrap_or_else(|| panic!("{answer}"));
        let nonce = line.split("nonce=\"").nth(1).unwrap().split('"').next().unwrap();
        let asked = digest::Asked {
            realm: "hotdesk.example",
            nonce,
            opaque: None,
            algorithm: Some(DigestAlgorithm::Md5),
            qop: Some(digest::Qop::Auth),
        };
        let by = digest::Answering { username: user, password, method, uri, body: b"", cnonce: "c", count: 1 };
        let value = digest::authorization(&asked, &by);
        self.request(method, uri, me, user, to, &format!("{extra}{name}: {value}\r\n"))
    }

    fn register(&mut self, user: &str, me: &str, site: &str, contact: &str) -> String {
        let extra = format!("Contact: <{contact}>;expires=600\r\n");
        let text = self.challenged(
            "REGISTER",
            "sip:hotdesk.example",
            me,
            site,
            user,
            &format!("<sip:{user}@hotdesk.example>"),
            &extra,
        );
        self.send(me, site, text);
        self.at(me).pop().unwrap_or_default()
    }

    fn invite(&mut self, user: &str, me: &str, site: &str, number: &str) {
        let extra = format!("Contact: <sip:{user}@{me}>\r\n");
        let uri = format!("sip:{number}@london.example");
        let text = self.challenged("INVITE", &uri, me, site, user, &format!("<{uri}>"), &extra);
        self.send(me, site, text);
    }
}

fn status(text: &str) -> u16 {
    text.strip_prefix("SIP/2.0 ").and_then(|rest| rest.get(..3)).and_then(|code| code.parse().ok()).unwrap_or(0)
}

fn finals(texts: &[String]) -> Vec<u16> {
    texts.iter().map(|text| status(text)).filter(|status| *status >= 200).collect()
}

fn ok(invite: &str, tag: &str, contact: &str) -> String {
    let keep =
        |line: &&str| ["Via:", "From:", "Call-ID:", "CSeq:", "Record-Route:"].iter().any(|name| line.starts_with(name));
    let lines: String = invite.lines().filter(keep).map(|line| format!("{line}\r\n")).collect();
    let to = invite.lines().find(|line| line.starts_with("To:")).unwrap();
    format!("SIP/2.0 200 OK\r\n{lines}{to};tag={tag}\r\nContact: <{contact}>\r\nContent-Length: 0\r\n\r\n")
}

#[test]
fn two_phones_that_log_in_at_once_are_both_let_in() {
    let mut net = Net::new();
    let to = "<sip:201@hotdesk.example>";
    let (a, b) = ("127.0.0.50:6000", "127.0.0.51:6000");
    let of = |me: &str| format!("Contact: <sip:201@{me}>;expires=600\r\n");
    let first = net.challenged("REGISTER", "sip:hotdesk.example", a, PARIS, "201", to, &of(a));
    let second = net.challenged("REGISTER", "sip:hotdesk.example", b, PARIS, "201", to, &of(b));
    net.give(a.parse().unwrap(), PARIS.parse().unwrap(), first.into());
    net.give(b.parse().unwrap(), PARIS.parse().unwrap(), second.into());
    net.run();
    assert_eq!((finals(&net.at(a)), finals(&net.at(b))), (vec![200], vec![200]));
}

#[test]
fn a_wrong_password_of_a_stranger_refuses_nobody_else() {
    let mut net = Net::new();
    let to = "<sip:201@hotdesk.example>";
    let (bad, good) = ("127.0.0.66:6000", "127.0.0.51:6000");
    let of = |me: &str| format!("Contact: <sip:201@{me}>;expires=600\r\n");
    let first = net.challenged_with("REGISTER", "sip:hotdesk.example", bad, PARIS, "201", to, &of(bad), "guess");
    let second = net.challenged("REGISTER", "sip:hotdesk.example", good, PARIS, "201", to, &of(good));
    net.give(bad.parse().unwrap(), PARIS.parse().unwrap(), first.into());
    net.give(good.parse().unwrap(), PARIS.parse().unwrap(), second.into());
    net.run();
    assert_eq!((finals(&net.at(bad)), finals(&net.at(good))), (vec![401], vec![200]));
}

#[test]
fn a_contact_that_is_a_trunk_never_makes_us_call_it() {
    let mut net = Net::new();
    let phone = "127.0.0.50:6000";
    let answer = net.register("206", phone, LONDON, "sip:0900123456@127.0.0.10:5080");
    net.invite("205", "127.0.0.52:6000", LONDON, "206");
    let reached = net.at("127.0.0.10:5080");
    assert!(reached.is_empty(), "registered: {}\n{reached:?}", answer.lines().next().unwrap_or_default());
}

#[test]
fn a_call_that_overtakes_the_answer_to_a_login_does_not_end_it() {
    let mut net = Net::new();
    let (desk, away, other) = ("127.0.0.60:6000", "127.0.0.50:6000", "127.0.0.52:6000");
    assert_eq!(status(&net.register("201", desk, LONDON, "sip:201@127.0.0.60:6000")), 200);
    let (london, paris): (SocketAddr, SocketAddr) = (LONDON.parse().unwrap(), PARIS.parse().unwrap());
    // The first answer to the login is lost; London has taken it.
    net.lost = Box::new(move |from, to, text| {
        from == london && to == paris && text.starts_with("SIP/2.0 200") && text.contains("MESSAGE")
    });
    let extra = "Contact: <sip:201@127.0.0.50:6000>;expires=600\r\n";
    let text =
        net.challenged("REGISTER", "sip:hotdesk.example", away, PARIS, "201", "<sip:201@hotdesk.example>", extra);
    net.send(away, PARIS, text);
    net.lost = Box::new(|_, _, _| false);
    net.invite("202", other, LONDON, "201");
    net.pass(Duration::from_millis(1_200));
    assert_eq!(finals(&net.at(away)), [200], "the login is answered");
    let record = net.nodes[0].1.location().record("201").unwrap();
    let there = record.resident().and_then(|resident| resident.away.as_ref()).map(|away| away.site.to_string());
    assert_eq!(there.as_deref(), Some("paris"), "home still knows where the user is");
}

#[test]
fn inside_a_dialog_a_phone_cannot_assert_an_identity() {
    let mut net = Net::new();
    let (a, b) = ("127.0.0.50:6000", "127.0.0.52:6000");
    net.register("202", b, LONDON, &format!("sip:202@{b}"));
    net.invite("205", a, LONDON, "202");
    let invite = net.at(b).pop().expect("the INVITE");
    let route = invite.lines().find(|line| line.starts_with("Record-Route:")).unwrap().replace("Record-Route", "Route");
    net.send(b, LONDON, ok(&invite, "callee", &format!("sip:202@{b}")));
    let call = net.at(a);
    assert!(finals(&call).contains(&200));
    let mut update =
        net.request("UPDATE", &format!("sip:202@{b}"), a, "205", "<sip:202@london.example>;tag=callee", "");
    update = update.replace(
        "\r\nContent-Length",
        &format!("\r\n{route}\r\nP-Asserted-Identity: <sip:boss@london.example>\r\nContent-Length"),
    );
    net.send(a, LONDON, update);
    let got = net.at(b).pop().expect("the UPDATE");
    assert!(got.starts_with("UPDATE") && !got.contains("boss@"), "{got}");
}

#[test]
fn a_trunk_cannot_refer_a_phone_inside_a_dialog() {
    let mut net = Net::new();
    let (trunk, b) = ("127.0.0.10:5080", "127.0.0.52:6000");
    net.register("201", b, LONDON, &format!("sip:201@{b}"));
    let extra = "Contact: <sip:pstn@127.0.0.10:5080>\r\n";
    let invite = net.request(
        "INVITE",
        "sip:+442079460201@127.0.0.1",
        trunk,
        "07700900000",
        "<sip:+442079460201@127.0.0.1>",
        extra,
    );
    net.send(trunk, LONDON, invite);
    let invite = net.at(b).pop().expect("the INVITE");
    let route = invite.lines().find(|line| line.starts_with("Record-Route:")).unwrap().replace("Record-Route", "Route");
    net.send(b, LONDON, ok(&invite, "callee", &format!("sip:201@{b}")));
    net.at(trunk);
    let extra = format!("{route}\r\nRefer-To: <sip:0900123456@london.example>\r\n");
    let refer = net.request(
        "REFER",
        &format!("sip:201@{b}"),
        trunk,
        "07700900000",
        "<sip:+442079460201@127.0.0.1>;tag=callee",
        &extra,
    );
    net.send(trunk, LONDON, refer);
    assert!(net.at(b).is_empty(), "the phone was asked to dial");
    assert_eq!(finals(&net.at(trunk)), [403]);
}

#[test]
fn home_may_hand_a_call_back_to_a_visitor_at_the_callers_own_site() {
    let mut net = Net::new();
    let (a, b) = ("127.0.0.50:6000", "127.0.0.52:6000");
    // 203 of London's reception sits in Paris; 301 of Paris calls the reception.
    assert_eq!(status(&net.register("203", b, PARIS, &format!("sip:203@{b}"))), 200);
    net.invite("301", a, PARIS, "290");
    let (at_b, at_a) = (net.at(b), net.at(a));
    assert!(at_b.iter().any(|text| text.starts_with("INVITE")), "{:?}", finals(&at_a));
}

#[test]
fn a_digest_for_the_same_uri_with_the_default_port_is_right() {
    let mut net = Net::new();
    let me = "127.0.0.50:6000";
    let text = net.challenged(
        "REGISTER",
        "sip:london.example:5060",
        me,
        LONDON,
        "201",
        "<sip:201@london.example>",
        "Contact: <sip:201@127.0.0.50:6000>\r\n",
    );
    net.send(me, LONDON, text.replacen("REGISTER sip:london.example:5060 ", "REGISTER sip:london.example ", 1));
    assert_eq!(finals(&net.at(me)), [200]);
}

#[test]
fn a_caller_that_hides_its_name_is_challenged_like_any_phone() {
    let mut net = Net::new();
    let me = "127.0.0.50:6000";
    let text =
        net.request("INVITE", "sip:202@london.example", me, "201", "<sip:202@london.example>", "Privacy: id\r\n");
    net.send(me, LONDON, text.replace("<sip:201@london.example>;", "\"Anonymous\" <sip:anonymous@anonymous.invalid>;"));
    assert_eq!(finals(&net.at(me)), [407]);
}

#[test]
fn while_draining_a_trunk_gets_no_new_call() {
    let mut net = Net::new();
    let (trunk, b) = ("127.0.0.10:5080", "127.0.0.52:6000");
    net.register("201", b, LONDON, &format!("sip:201@{b}"));
    let now = net.now;
    net.nodes[0].1.handle_command(now, hotdesk::node::Command::Drain);
    let invite =
        net.request("INVITE", "sip:+442079460201@127.0.0.1", trunk, "07700900000", "<sip:+442079460201@127.0.0.1>", "");
    net.send(trunk, LONDON, invite);
    assert!(net.at(b).is_empty());
    assert_eq!(finals(&net.at(trunk)), [503]);
}

#[test]
fn registers_that_nobody_has_proven_keep_no_transactions() {
    let mut net = Net::new();
    let me = "127.0.0.66:6000";
    let to = "<sip:201@hotdesk.example>";
    let before = net.nodes[1].1.load().transactions;
    for _ in 0..50 {
        let text = net.challenged_with("REGISTER", "sip:hotdesk.example", me, PARIS, "201", to, "", "guess");
        net.send(me, PARIS, text);
    }
    // Home is asked until the source is locked out; what came in is kept by no transaction.
    assert_eq!(net.nodes[1].1.load().transactions, before + 4);
}

#[test]
fn timer_c_ends_every_stage_of_a_call() {
    let mut net = Net::new();
    let (a, b, c) = ("127.0.0.50:6000", "127.0.0.52:6000", "127.0.0.53:6000");
    net.register("202", b, LONDON, &format!("sip:202@{b}"));
    let extra = format!("Contact: <sip:202@{c}>;q=0.5;expires=3600\r\n");
    let text = net.challenged("REGISTER", "sip:hotdesk.example", c, LONDON, "202", "<sip:202@hotdesk.example>", &extra);
    net.send(c, LONDON, text);
    net.invite("205", a, LONDON, "202");
    let rings = |net: &mut Net, me: &str| {
        let invite = net.at(me).into_iter().find(|text| text.starts_with("INVITE")).expect("an INVITE");
        net.send(me, LONDON, ok(&invite, "t", "sip:x@h").replace("200 OK", "180 Ringing"));
    };
    rings(&mut net, b);
    net.pass(Duration::from_secs(190));
    rings(&mut net, c);
    net.pass(Duration::from_secs(400));
    assert_eq!(net.nodes[0].1.load().calls, 0, "a call hangs for ever");
}

#[test]
fn an_outside_caller_is_never_asserted_as_one_of_our_extensions() {
    let mut net = Net::new();
    let (trunk, b) = ("127.0.0.10:5080", "127.0.0.52:6000");
    net.register("201", b, LONDON, &format!("sip:201@{b}"));
    let invite =
        net.request("INVITE", "sip:+442079460201@127.0.0.1", trunk, "202", "<sip:+442079460201@127.0.0.1>", "");
    net.send(trunk, LONDON, invite);
    let invite = net.at(b).pop().expect("the INVITE");
    assert!(!invite.contains("P-Asserted-Identity: <sip:202@london.example>"), "{invite}");
}

#[test]
fn a_contact_behind_a_path_is_reached_by_its_path() {
    let mut net = Net::new();
    let (edge, a) = ("127.0.0.70:5060", "127.0.0.50:6000");
    let extra =
        "Contact: <sip:202@127.0.0.52:6000>;expires=600\r\nPath: <sip:127.0.0.70:5060;lr>\r\nSupported: path\r\n";
    let text =
        net.challenged("REGISTER", "sip:hotdesk.example", edge, LONDON, "202", "<sip:202@hotdesk.example>", extra);
    net.send(edge, LONDON, text);
    assert_eq!(finals(&net.at(edge)), [200]);
    net.invite("205", a, LONDON, "202");
    assert!(net.at(edge).iter().any(|text| text.starts_with("INVITE")), "{:?}", net.at("127.0.0.52:6000"));
}

#[test]
fn a_login_that_was_undone_is_not_taken_by_its_late_copy() {
    let mut net = Net::new();
    let (away, first) = ("127.0.0.50:6000", "127.0.0.54:6000");
    assert_eq!(status(&net.register("201", first, "127.0.0.3:5060", &format!("sip:201@{first}"))), 200);
    let (london, paris): (SocketAddr, SocketAddr) = (LONDON.parse().unwrap(), PARIS.parse().unwrap());
    let extra = "Contact: <sip:201@127.0.0.50:6000>;expires=600\r\n";
    let text =
        net.challenged("REGISTER", "sip:hotdesk.example", away, PARIS, "201", "<sip:201@hotdesk.example>", extra);
    net.lost = Box::new(move |from, to, _| from == paris && to == london);
    net.send(away, PARIS, text);
    net.pass(Duration::from_secs(5));
    assert_eq!(finals(&net.at(away)), [504]);
    net.lost = Box::new(|_, _, _| false);
    net.pass(Duration::from_secs(30));
    let record = net.nodes[0].1.location().record("201").unwrap();
    let there = record.resident().and_then(|resident| resident.away.as_ref()).map(|away| away.site.to_string());
    assert_eq!(there.as_deref(), Some("berlin"), "a login that was refused has displaced the user");
}

#[test]
fn a_call_that_was_cancelled_is_not_sent_again_for_a_new_boot() {
    let mut net = Net::new();
    let (a, b) = ("127.0.0.50:6000", "127.0.0.52:6000");
    net.register("301", b, PARIS, &format!("sip:301@{b}"));
    // Paris starts anew, and nobody has told London yet.
    let loaded = config::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("config/network.toml"), &Sites::All).unwrap();
    let name = "paris";
    let (network, site, plan) =
        (Arc::clone(&loaded.network), Arc::clone(&loaded.sites[name]), Arc::clone(&loaded.plans[name]));
    net.nodes[1].1 = Node::new(Config { network, site, plan }, net.now, [77; 32]);
    net.run();
    net.register("301", b, PARIS, &format!("sip:301@{b}"));
    let extra = format!("Contact: <sip:205@{a}>\r\n");
    let text = net.challenged("INVITE", "sip:301@london.example", a, LONDON, "205", "<sip:301@london.example>", &extra);
    let cancel: String = text
        .lines()
        .filter(|line| ["Via:", "From:", "To:", "Call-ID:", "CSeq:", "Max-"].iter().any(|name| line.starts_with(name)))
        .map(|line| format!("{}\r\n", line.replace(" INVITE", " CANCEL")))
        .collect();
    let (from, london) = (a.parse().unwrap(), LONDON.parse().unwrap());
    net.give(from, london, text.into());
    net.give(
        from,
        london,
        format!("CANCEL sip:301@london.example SIP/2.0\r\n{cancel}Content-Length: 0\r\n\r\n").into(),
    );
    net.run();
    net.pass(Duration::from_secs(1));
    let heard = net.at(b);
    let rang = heard.iter().any(|text| text.starts_with("INVITE"));
    // The phone rings, and London hears it; then at the latest the CANCEL is due.
    if let Some(invite) = heard.iter().find(|text| text.starts_with("INVITE")) {
        net.send(b, PARIS, ok(invite, "t", "sip:x@h").replace("200 OK", "180 Ringing"));
    }
    let cancelled = net.at(b).iter().any(|text| text.starts_with("CANCEL"));
    assert!(
        !rang || cancelled,
        "a phone rings for a caller who has hung up; the caller heard {:?}",
        finals(&net.at(a))
    );
}

#[test]
fn a_refer_to_a_trunk_is_refused() {
    let mut net = Net::new();
    let (a, trunk) = ("127.0.0.50:6000", "127.0.0.10:5080");
    let extra = "Refer-To: <sip:202@london.example>\r\n";
    let text = net.challenged(
        "REFER",
        "sip:907700900123@london.example",
        a,
        LONDON,
        "205",
        "<sip:907700900123@london.example>",
        extra,
    );
    net.send(a, LONDON, text);
    assert!(net.at(trunk).is_empty());
    assert_eq!(finals(&net.at(a)), [405]);
}

#[test]
fn sites_that_read_different_network_tables_say_so() {
    let mut net = Net::new();
    let loaded = config::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("config/network.toml"), &Sites::All).unwrap();
    let mut network = (*loaded.network).clone();
    network.fingerprint[0] ^= 1;
    let (site, plan) = (Arc::clone(&loaded.sites["paris"]), Arc::clone(&loaded.plans["paris"]));
    net.nodes[1].1 = Node::new(Config { network: Arc::new(network), site, plan }, net.now, [78; 32]);
    net.pass(Duration::from_secs(20));
    let told: Vec<_> = std::iter::from_fn(|| net.nodes[0].1.poll_event()).collect();
    let differs = |site: &str| {
        told.iter().any(|event| matches!(event, Event::NetworkDiffers { site: other } if other.as_str() == site))
    };
    assert!(differs("paris") && !differs("berlin"), "{told:?}");
}
