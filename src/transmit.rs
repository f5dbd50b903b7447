//! Where a datagram came from and where one is to go.

use std::net::SocketAddr;

use bytes::Bytes;

/// One of the site's listening sockets, by its place in `listen`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SocketId(pub u8);

/// A socket of ours and an address of a peer: for UDP the whole of RFC 5626's flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Flow {
    /// Our socket.
    pub socket: SocketId,
    /// The peer's address and port.
    pub remote: SocketAddr,
}

/// One datagram to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transmit {
    /// By which socket and to whom.
    pub flow: Flow,
    /// The datagram.
    pub bytes: Bytes,
}
