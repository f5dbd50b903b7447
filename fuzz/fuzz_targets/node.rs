//! A site that lets every phone call, and one datagram after the other.
#![no_main]

use std::cell::RefCell;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use hotdesk::config::{self, Sites};
use hotdesk::node::{Config, Node};
use hotdesk::settings::{Lab, Site};
use hotdesk::timing::{Now, Wall};
use hotdesk::transmit::{Flow, SocketId};
use libfuzzer_sys::fuzz_target;

/// Monday 2026-11-23, 11:00 UTC.
const MONDAY: Wall = Wall(1_795_431_600_000);

thread_local! {
    static LONDON: RefCell<(Node, Now)> = RefCell::new(london());
}

fn london() -> (Node, Now) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/network.toml");
    let loaded = config::load(&path, &Sites::All).expect("the sample network");
    let site = Arc::new(Site { lab: Some(Lab { password: None }), ..Site::clone(&loaded.sites["london"]) });
    let config = Config { network: loaded.network, site, plan: Arc::clone(&loaded.plans["london"]) };
    let now = Now { instant: Instant::now(), wall: MONDAY };
    (Node::new(config, now, [7; 32]), now)
}

fuzz_target!(|data: &[u8]| LONDON.with_borrow_mut(|(node, now)| {
    *now = Now { instant: now.instant + Duration::from_millis(10), wall: now.wall.plus(Duration::from_millis(10)) };
    if node.poll_timeout().is_some_and(|at| at <= now.instant) {
        node.handle_timeout(*now);
    }
    let source = Flow { socket: SocketId(0), remote: ([127, 0, 0, 51], 6000).into() };
    node.handle_datagram(*now, source, Bytes::copy_from_slice(data));
    while let Some(op) = node.poll_store() {
        node.handle_stored(*now, op.id);
    }
    while node.poll_transmit().is_some() {}
    while node.poll_event().is_some() {}
}));
