//! Where a datagram came from and where one is to go; ports for RTP.

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

impl Flow {
    /// Where the answers to a request of our own go that is treated like one which came in: nowhere.
    pub fn nowhere(socket: SocketId) -> Self {
        Self { socket, remote: SocketAddr::from(([0, 0, 0, 0], 0)) }
    }

    /// Whether nothing is sent there.
    pub fn is_nowhere(&self) -> bool {
        self.remote.port() == 0
    }
}

/// Most bytes of a datagram, over IPv4 (RFC 768, RFC 791).
pub const SENDABLE: usize = 65_507;

/// One datagram to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transmit {
    /// By which socket and to whom.
    pub flow: Flow,
    /// The datagram.
    pub bytes: Bytes,
}

/// A port for RTP, at the address of one of the listening sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RtpPort {
    /// The socket whose address it shares.
    pub socket: SocketId,
    /// Its number.
    pub port: u16,
}

/// What is to be done with ports for RTP. They exist only while a tone needs them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Media {
    /// To be opened; the node is told whether it is.
    Open(RtpPort),
    /// One packet.
    Send {
        /// From where.
        port: RtpPort,
        /// To whom.
        remote: SocketAddr,
        /// The packet.
        bytes: Bytes,
    },
    /// No longer needed.
    Close(RtpPort),
}
