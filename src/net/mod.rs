//! The world round a [`Node`](crate::node::Node): sockets, the clock, the timer, the store.
//!
//! Each shard of a site, mostly one, runs on a thread of its own with one loop ([`Driver`](driver)), which owns its node alone.
//! Several have sockets of their own at the same address (`SO_REUSEPORT`): the kernel spreads the datagrams by their source, and the
//! shards hand over what came to the wrong one ([`Siblings`](siblings)). `cli/` binds the sockets ([`bind`]), starts the sites ([`start`]) and speaks to them
//! through their [`Running`] handle.
//!
//! Tones leave by ports of their own ([`RtpPorts`](rtp)), which are open only meanwhile.
//!
//! Where nobody listens is told by ICMP ([`nobody`](nobody)), on Linux; elsewhere it is noticed by the silence.
//!
//! Assumptions: UDP only. Out of scope: what a datagram means, and what is told to whom.

mod clock;
mod driver;
mod drops;
mod handle;
#[cfg(target_os = "linux")]
mod nobody;
mod resolver;
mod rtp;
mod siblings;
mod site;
mod tap;
mod udp;

pub use clock::now;
pub use drops::Drops;
pub use handle::Handle;
pub use siblings::HandoverDrops;
pub use site::{Post, Running, Site, Tell, start};
pub use tap::{Seen, Tap, Way};
pub use udp::{BindError, Bound, bind, bind_each};
