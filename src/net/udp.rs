//! UDP sockets: binding them, taking datagrams in and sending them without ever blocking.
//!
//! One system call per datagram: on loopback 90 % of a packet's cost is the kernel's and batched calls gain at most 5 %.
//! [`Sockets::receive`] and [`Sockets::send`] are the seam where batches would go.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, UdpSocket as StdSocket};
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use socket2::{Domain, Protocol, Socket as RawSocket, Type};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::sync::mpsc;

use super::drops::Drops;
#[cfg(target_os = "linux")]
use super::nobody;
use crate::settings::Listen;
use crate::transmit::{Flow, SENDABLE, SocketId, Transmit};

/// Asked of the kernel for each socket and direction, in bytes. It gives what `net.core.rmem_max` and `wmem_max` allow.
const BUFFER: usize = 4 << 20;

/// A UDP datagram is never longer, in bytes.
const LONGEST: usize = 65_535;

/// Datagrams of one socket that wait while the kernel's send buffer is full. More are dropped, the newest first: SIP sends again.
const WAITING: usize = 1024;

/// Reports of where nobody listens that wait for the node. More are dropped: the peer's silence says the same, later.
const REPORTS: usize = 64;

/// So often a call on a socket is made again because it failed with what is said of an earlier datagram.
const TRIES: usize = 4;

/// A socket that can't be bound.
#[derive(Debug, thiserror::Error)]
#[error("can't listen on udp:{address}: {source}")]
pub struct BindError {
    /// What was to be bound.
    pub address: SocketAddr,
    /// What the system says.
    pub source: io::Error,
}

/// A bound socket that nobody serves yet.
#[derive(Debug)]
pub struct Bound {
    socket: StdSocket,
    /// Where it listens; the port is the real one where 0 was asked for.
    pub address: SocketAddr,
    /// The size of the receive buffer that the kernel granted, in bytes (Linux: twice what it counts).
    pub receive_buffer: usize,
    /// The same for sending.
    pub send_buffer: usize,
}

/// Binds one socket of a site. A port in use is an error: addresses are not shared.
pub fn bind(listen: &Listen) -> Result<Bound, BindError> {
    open(listen.bind, false).map_err(|source| BindError { address: listen.bind, source })
}

/// Binds one socket of a site for each of its shards, all at the same address. A port that somebody else has is an error.
pub fn bind_each(listen: &Listen, shards: u8) -> Result<Vec<Bound>, BindError> {
    // Sockets that share their port would be bound beside another process that shares it too: this one is not, and says so.
    let alone = bind(listen)?;
    if shards <= 1 {
        return Ok(vec![alone]);
    }
    let address = alone.address;
    drop(alone);
    (0..shards).map(|_| open(address, true).map_err(|source| BindError { address, source })).collect()
}

impl Bound {
    /// What tells how many datagrams the kernel dropped for want of room in the receive buffer; `None` where it does not say.
    pub fn drops(&self) -> Option<Drops> {
        Drops::of(&self.socket, self.address)
    }
}

fn open(address: SocketAddr, shared: bool) -> io::Result<Bound> {
    let socket = RawSocket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        // `[::]:5060` and `0.0.0.0:5060` are two sockets.
        socket.set_only_v6(true)?;
    }
    // A smaller buffer than asked for is no error: what was granted is logged.
    let _ = socket.set_recv_buffer_size(BUFFER);
    let _ = socket.set_send_buffer_size(BUFFER);
    socket.set_reuse_port(shared)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    let (receive_buffer, send_buffer) = (socket.recv_buffer_size()?, socket.send_buffer_size()?);
    let socket: StdSocket = socket.into();
    // Where the system can't, a peer that does not listen is noticed by its silence.
    #[cfg(target_os = "linux")]
    let _ = nobody::ask(&socket, address.is_ipv6());
    Ok(Bound { address: socket.local_addr()?, socket, receive_buffer, send_buffer })
}

/// What became of a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// The kernel has it, or it waits for the kernel.
    Taken,
    /// Too many wait already: it is lost, as a datagram may be.
    Dropped,
    /// The system knows no way there.
    Unreachable,
}

/// All sockets of a site, by their place in `listen`.
pub struct Sockets {
    sockets: Vec<Socket>,
    buffer: Box<[u8]>,
    reports: mpsc::Receiver<SocketAddr>,
}

struct Socket {
    /// Watched for what comes only: to be told that it is writable again would wake the loop once for every datagram sent.
    udp: Arc<AsyncFd<StdSocket>>,
    ip: IpAddr,
    waiting: VecDeque<(SocketAddr, Bytes)>,
}

impl Socket {
    fn new(bound: Bound, reports: &mpsc::Sender<SocketAddr>) -> io::Result<Self> {
        #[expect(
            deprecated,
            reason = "the successor is unsafe to call; a std socket keeps its descriptor open, as it asks"
        )]
        let udp = Arc::new(AsyncFd::with_interest(bound.socket, Interest::READABLE | Interest::ERROR)?);
        #[cfg(target_os = "linux")]
        drop(tokio::spawn(nobody::watch(Arc::clone(&udp), reports.clone())));
        #[cfg(not(target_os = "linux"))]
        let _ = reports;
        Ok(Self { udp, ip: bound.address.ip(), waiting: VecDeque::new() })
    }
}

impl Sockets {
    /// Hands the sockets to the runtime that this is called in.
    pub fn new(bound: Vec<Bound>) -> io::Result<Self> {
        let (tell, reports) = mpsc::channel(REPORTS);
        let sockets = bound.into_iter().map(|bound| Socket::new(bound, &tell)).collect::<io::Result<_>>()?;
        Ok(Self { sockets, buffer: vec![0; LONGEST].into(), reports })
    }

    /// The sockets, by what they are called in a [`Flow`].
    pub fn ids(&self) -> impl Iterator<Item = SocketId> + use<> {
        (0..=u8::MAX).take(self.sockets.len()).map(SocketId)
    }

    /// The addresses that they are bound to, in the same order.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.sockets.iter().map(|socket| socket.ip)
    }

    /// Ready when a datagram is there.
    pub fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut ready = false;
        // Every socket is asked, ready or not: each has to know whom to wake.
        for socket in &self.sockets {
            ready |= socket.udp.poll_read_ready(cx).is_ready();
        }
        if ready { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Ready with an address at which nobody listens, as the network says of a datagram that was sent there.
    pub fn poll_nobody(&mut self, cx: &mut Context<'_>) -> Poll<SocketAddr> {
        match self.reports.poll_recv(cx) {
            Poll::Ready(Some(nobody)) => Poll::Ready(nobody),
            // Nobody watches: there is nothing to come.
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }

    /// The next datagram of that socket, `None` when there is none now. It is a copy of its own size, so that what keeps a part
    /// of it keeps no more than it.
    pub fn receive(&mut self, id: SocketId) -> Option<(Flow, Bytes)> {
        let socket = self.sockets.get(usize::from(id.0))?;
        for _ in 0..TRIES {
            match socket.udp.try_io(Interest::READABLE, |udp| udp.recv_from(&mut self.buffer)) {
                Ok((length, remote)) => {
                    let datagram = Bytes::copy_from_slice(self.buffer.get(..length)?);
                    return Some((Flow { socket: id, remote }, datagram));
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return None,
                // An earlier datagram's fate, told to the next call: this one has not looked yet.
                Err(_) => {}
            }
        }
        None
    }

    /// Sends, or queues behind what waits already.
    pub fn send(&mut self, transmit: Transmit) -> Sent {
        let Transmit { flow: Flow { socket, remote }, bytes } = transmit;
        let Some(socket) = self.sockets.get_mut(usize::from(socket.0)) else { return Sent::Unreachable };
        if socket.ip.is_ipv6() != remote.is_ipv6() {
            return Sent::Unreachable;
        }
        if bytes.len() > SENDABLE {
            // It says nothing about who is there: other calls go that way too.
            return Sent::Dropped;
        }
        if socket.waiting.is_empty() {
            match try_send(socket.udp.get_ref(), &bytes, remote) {
                Ok(()) => return Sent::Taken,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(_) => return Sent::Unreachable,
            }
        }
        if socket.waiting.len() >= WAITING {
            return Sent::Dropped;
        }
        socket.waiting.push_back((remote, bytes));
        Sent::Taken
    }

    /// Sends what waits, as far as the kernel takes it.
    pub fn resume(&mut self) {
        for Socket { udp, waiting, .. } in &mut self.sockets {
            while let Some((remote, bytes)) = waiting.front() {
                match try_send(udp.get_ref(), bytes, *remote) {
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    // What can't be sent so late is lost, as a datagram may be.
                    Ok(()) | Err(_) => drop(waiting.pop_front()),
                }
            }
        }
    }

    /// Whether something waits for the kernel: [`resume`](Self::resume) is to be called again soon.
    pub fn is_waiting(&self) -> bool {
        self.sockets.iter().any(|socket| !socket.waiting.is_empty())
    }
}

/// Sends, again if need be: the first error may be what ICMP said of an earlier datagram, and then this one was not sent. One of its own
/// comes each time.
fn try_send(udp: &StdSocket, bytes: &Bytes, remote: SocketAddr) -> io::Result<()> {
    let mut result = udp.send_to(bytes, remote);
    for _ in 1..TRIES {
        match &result {
            Err(error) if error.kind() != ErrorKind::WouldBlock => result = udp.send_to(bytes, remote),
            Ok(_) | Err(_) => break,
        }
    }
    result.map(drop)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const ANY: &str = "127.0.0.1:0";

    fn listen(address: &str) -> Listen {
        let address = address.parse().expect("an address");
        Listen { bind: address, advertise: address }
    }

    fn sockets(addresses: &[&str]) -> (Vec<SocketAddr>, Sockets) {
        let bound: Vec<_> = addresses.iter().map(|address| bind(&listen(address)).expect("a free port")).collect();
        (bound.iter().map(|bound| bound.address).collect(), Sockets::new(bound).expect("a runtime"))
    }

    fn transmit(socket: u8, remote: SocketAddr) -> Transmit {
        Transmit { flow: Flow { socket: SocketId(socket), remote }, bytes: Bytes::from_static(b"hello") }
    }

    async fn ready(sockets: &Sockets) {
        std::future::poll_fn(|cx| sockets.poll_ready(cx)).await;
    }

    #[test]
    fn a_port_in_use_is_an_error_that_names_it() {
        let first = bind(&listen(ANY)).expect("a free port");
        let error = bind(&listen(&first.address.to_string())).expect_err("the port is taken");
        assert!(error.to_string().contains(&first.address.to_string()), "{error}");
        assert_eq!(error.source.kind(), ErrorKind::AddrInUse);
    }

    #[test]
    fn shards_share_an_address_and_nobody_else_does() {
        let shards = bind_each(&listen(ANY), 3).expect("a free port");
        let address = shards[0].address;
        assert!(shards.len() == 3 && shards.iter().all(|socket| socket.address == address));
        for others in [1, 3] {
            let error = bind_each(&listen(&address.to_string()), others).expect_err("the port is taken");
            assert_eq!(error.source.kind(), ErrorKind::AddrInUse);
        }
    }

    #[tokio::test]
    async fn a_datagram_comes_with_its_flow_and_goes_back_by_it() {
        let (addresses, mut sockets) = sockets(&[ANY, ANY]);
        let phone = StdSocket::bind(ANY).expect("a free port");
        phone.send_to(b"ping", addresses[1]).expect("sent");
        ready(&sockets).await;
        assert_eq!(sockets.receive(SocketId(0)), None);
        let (flow, datagram) = sockets.receive(SocketId(1)).expect("a datagram");
        assert_eq!((flow.remote, &*datagram), (phone.local_addr().expect("bound"), &b"ping"[..]));
        assert_eq!(sockets.send(Transmit { flow, bytes: datagram }), Sent::Taken);
        let mut buffer = [0; 16];
        let (length, from) = phone.recv_from(&mut buffer).expect("an answer");
        assert_eq!((&buffer[..length], from), (&b"ping"[..], addresses[1]));
    }

    #[tokio::test]
    async fn sockets_that_nobody_serves_any_more_are_closed() {
        let (addresses, sockets) = sockets(&[ANY]);
        tokio::task::yield_now().await;
        drop(sockets);
        let again = async {
            while bind(&listen(&addresses[0].to_string())).is_err() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        assert!(tokio::time::timeout(Duration::from_secs(5), again).await.is_ok(), "the port is free again");
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn where_nobody_listens_is_told_and_stops_nobody() {
        for any in [ANY, "[::1]:0"] {
            let (addresses, mut sockets) = sockets(&[any]);
            let gone = StdSocket::bind(any).and_then(|socket| socket.local_addr()).expect("a free port");
            let phone = StdSocket::bind(any).expect("a free port");
            phone.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout");
            for _ in 0..100 {
                assert_eq!(sockets.send(transmit(0, gone)), Sent::Taken);
                // The report of the last one fails no other.
                assert_eq!(sockets.send(transmit(0, phone.local_addr().expect("bound"))), Sent::Taken);
                assert_eq!(phone.recv(&mut [0; 16]).expect("it arrives"), 5);
            }
            phone.send_to(b"ping", addresses[0]).expect("sent");
            ready(&sockets).await;
            assert!(sockets.receive(SocketId(0)).is_some());
            let told = std::future::poll_fn(|cx| sockets.poll_nobody(cx));
            assert_eq!(tokio::time::timeout(Duration::from_secs(10), told).await, Ok(gone));
        }
    }

    #[tokio::test]
    async fn what_has_no_way_is_unreachable() {
        let (_, mut sockets) = sockets(&[ANY]);
        assert_eq!(sockets.send(transmit(0, "[::1]:5060".parse().expect("an address"))), Sent::Unreachable);
        assert_eq!(sockets.send(transmit(7, "127.0.0.1:5060".parse().expect("an address"))), Sent::Unreachable);
    }

    #[tokio::test]
    async fn what_no_datagram_holds_says_nothing_about_its_peer() {
        let (addresses, mut sockets) = sockets(&[ANY]);
        let long = |bytes| Transmit { bytes: vec![0; bytes].into(), ..transmit(0, addresses[0]) };
        assert_eq!(sockets.send(long(SENDABLE)), Sent::Taken);
        assert_eq!(sockets.send(long(SENDABLE + 1)), Sent::Dropped);
    }

    #[tokio::test]
    async fn the_queue_behind_a_full_socket_is_bounded() {
        let (addresses, mut sockets) = sockets(&[ANY]);
        for _ in 0..WAITING {
            sockets.sockets[0].waiting.push_back((addresses[0], Bytes::from_static(b"late")));
        }
        assert_eq!(sockets.send(transmit(0, addresses[0])), Sent::Dropped);
        sockets.resume();
        assert!(!sockets.is_waiting());
        assert_eq!(sockets.send(transmit(0, addresses[0])), Sent::Taken);
    }
}
