//! An observer of a site's datagrams, for ladders. Without one it costs a look at an `Option` per datagram.

use bytes::Bytes;

use crate::timing::Now;
use crate::transmit::Flow;

/// Who is shown every datagram, on the thread where it comes or goes and one at a time: it must not block. What it keeps of the bytes is not copied.
///
/// A datagram is shown before the node handles it, and before it is handed to the kernel. So where one process has a tap at
/// several sites and all of them send to one channel, a datagram is always in front of those that follow from it.
pub type Tap = Box<dyn FnMut(Seen<'_>) + Send>;

/// One datagram.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'d> {
    /// When the loop woke up for it.
    pub now: Now,
    /// Whether it came or goes.
    pub way: Way,
    /// By which socket, and from or to whom.
    pub flow: Flow,
    /// The datagram.
    pub bytes: &'d Bytes,
}

/// Which way a datagram goes, as the site sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// It came to the site.
    In,
    /// The site sends it.
    Out,
}
