//! Ports for RTP: opened when the node asks, closed when it says so. Nothing is read from them; what comes in is dropped by the kernel.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};

use socket2::{Domain, Protocol, Socket, Type};

use crate::transmit::{Media, RtpPort};

/// For what nobody reads, in bytes; the kernel makes more of it.
const BUFFER: usize = 4096;

/// The ports of a shard that are open, and the addresses of its sockets.
#[derive(Debug)]
pub struct RtpPorts {
    addresses: Vec<IpAddr>,
    open: BTreeMap<RtpPort, UdpSocket>,
}

impl RtpPorts {
    /// None open. The addresses are those that the sockets of `listen` are bound to, in their order.
    pub fn new(addresses: Vec<IpAddr>) -> Self {
        Self { addresses, open: BTreeMap::new() }
    }

    /// Does what the node asks. Of a port that was to be opened, whether it is. A packet that can't be sent is lost, as a packet may be.
    pub fn obey(&mut self, media: Media) -> Option<(RtpPort, bool)> {
        match media {
            Media::Open(port) => Some((port, self.open(port))),
            Media::Send { port, remote, bytes } => {
                let _ = self.open.get(&port).map(|socket| socket.send_to(&bytes, remote));
                None
            }
            Media::Close(port) => {
                self.open.remove(&port);
                None
            }
        }
    }

    fn open(&mut self, port: RtpPort) -> bool {
        let Some(ip) = self.addresses.get(usize::from(port.socket.0)) else { return false };
        match bind((*ip, port.port).into()) {
            Ok(socket) => self.open.insert(port, socket).is_none(),
            Err(_) => false,
        }
    }
}

fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    let _ = socket.set_recv_buffer_size(BUFFER);
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::transmit::SocketId;

    #[test]
    fn a_port_is_open_from_the_asking_to_the_closing() {
        let phone = UdpSocket::bind("127.0.0.1:0").expect("a free port");
        let remote = phone.local_addr().expect("bound");
        let free = UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port");
        let mut ports = RtpPorts::new(vec![free.ip()]);
        let port = RtpPort { socket: SocketId(0), port: free.port() };
        let send = || Media::Send { port, remote, bytes: Bytes::from_static(b"tone") };
        assert_eq!(ports.obey(send()), None, "not open");
        assert_eq!(ports.obey(Media::Open(port)), Some((port, true)));
        assert_eq!(ports.obey(send()), None);
        let mut buffer = [0; 16];
        let (length, from) = phone.recv_from(&mut buffer).expect("a packet");
        assert_eq!((&buffer[..length], from), (&b"tone"[..], free));
        assert!(UdpSocket::bind(free).is_err());
        assert_eq!(ports.obey(Media::Close(port)), None);
        assert!(UdpSocket::bind(free).is_ok());
    }

    #[test]
    fn a_port_that_somebody_has_can_not_be_opened() {
        let taken = UdpSocket::bind("127.0.0.1:0").expect("a free port").local_addr().map(|at| at.port());
        let held = UdpSocket::bind(("127.0.0.1", taken.expect("bound"))).expect("still free");
        let port = RtpPort { socket: SocketId(0), port: held.local_addr().expect("bound").port() };
        let mut ports = RtpPorts::new(vec![[127, 0, 0, 1].into()]);
        assert_eq!(ports.obey(Media::Open(port)), Some((port, false)));
        let nowhere = RtpPort { socket: SocketId(1), ..port };
        assert_eq!(ports.obey(Media::Open(nowhere)), Some((nowhere, false)));
    }
}
