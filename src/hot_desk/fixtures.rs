//! What the tests of this module share.

use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::ids::SiteName;
use crate::location::{Binding, Device};
use crate::sip::Uri;
use crate::timing::{Now, Wall};
use crate::transmit::{Flow, SocketId};

/// In seconds.
pub const MINUTE: u64 = 60;

/// Some time to start from.
#[allow(clippy::disallowed_methods, reason = "any instant will do as the start")]
pub fn now() -> Now {
    Now { instant: Instant::now(), wall: Wall(1_700_000_000_000) }
}

/// So many seconds later.
pub fn after(now: Now, seconds: u64) -> Now {
    let span = Duration::from_secs(seconds);
    Now { instant: now.instant + span, wall: now.wall.plus(span) }
}

/// A site's name.
pub fn site(name: &str) -> SiteName {
    SiteName::new(name)
}

/// A phone of its own by its Call-ID.
pub fn device(call_id: &str) -> Device {
    Device {
        instance: None,
        call_id: Bytes::from(call_id.to_owned()),
        host: Bytes::from(format!("{call_id}.example:5060")),
        rotates: false,
    }
}

/// A binding of [`device`] for five minutes.
pub fn binding(serial: u64, call_id: &str, now: Now) -> Binding {
    let lifetime = Duration::from_secs(300);
    Binding {
        serial,
        uri: Uri::parse(format!("sip:201@{call_id}.example")).expect("a URI"),
        params: Bytes::new(),
        q: 1000,
        reg_id: None,
        device: device(call_id),
        cseq: 1,
        expires_at: now.instant + lifetime,
        expires_wall: now.wall.plus(lifetime),
        updated: now.wall,
        updated_at: now.instant,
        path: Vec::new(),
        flow: Flow { socket: SocketId(0), remote: ([127, 0, 0, 1], 5070).into() },
        nat: false,
    }
}
