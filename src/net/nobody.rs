//! What the network says of datagrams that reached nobody (ICMP; RFC 3261 §18.4), as Linux keeps it in the error queue of a socket with
//! `IP_RECVERR`. The datagram that is spoken of had our address and port as its source, or the system gives the report to nobody.
//!
//! A report may be forged by whoever guesses both addresses and ports: the node believes it only for a request of its own that has no answer,
//! and if it is an INVITE not even a provisional one ([`Node::handle_nobody`](crate::node::Node::handle_nobody)). On other systems nothing is reported, and
//! a peer that does not listen is noticed by its silence.

use std::io::{self, IoSliceMut};
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd as _;
use std::sync::Arc;

use nix::cmsg_space;
use nix::libc::{SO_EE_ORIGIN_ICMP, SO_EE_ORIGIN_ICMP6, sock_extended_err, sockaddr_in6};
use nix::sys::socket::sockopt::{Ipv4RecvErr, Ipv6RecvErr};
use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, setsockopt};
use tokio::io::unix::AsyncFd;
use tokio::io::{Interest, Ready};
use tokio::sync::mpsc::{self, error::TrySendError};
use tokio::task::yield_now;

/// Reports that are read before others have their turn.
const BATCH: usize = 64;

/// Asks the system to keep reports. From then on any call on the socket may fail with an earlier datagram's error, once.
pub fn ask(socket: &UdpSocket, is_ipv6: bool) -> io::Result<()> {
    match is_ipv6 {
        true => setsockopt(socket, Ipv6RecvErr, &true)?,
        false => setsockopt(socket, Ipv4RecvErr, &true)?,
    }
    Ok(())
}

/// Tells where nobody is, for as long as somebody hears it: then the socket is let go of.
pub async fn watch(socket: Arc<AsyncFd<UdpSocket>>, tell: mpsc::Sender<SocketAddr>) {
    loop {
        let ready = tokio::select! {
            ready = socket.ready(Interest::ERROR) => ready,
            () = tell.closed() => return,
        };
        let Ok(mut guard) = ready else { return };
        let mut left = BATCH;
        while left > 0
            && let Some(report) = next(socket.get_ref())
        {
            left -= 1;
            if report.is_some_and(|nobody| matches!(tell.try_send(nobody), Err(TrySendError::Closed(_)))) {
                return;
            }
        }
        if left > 0 {
            guard.clear_ready_matching(Ready::ERROR);
        }
        drop(guard);
        yield_now().await;
    }
}

/// Takes the next report out: `None` if there is none, `Some(None)` for one that says nothing of anybody.
fn next(socket: &UdpSocket) -> Option<Option<SocketAddr>> {
    let (mut nothing, mut control) = ([0; 1], cmsg_space!(sock_extended_err, sockaddr_in6));
    let mut parts = [IoSliceMut::new(&mut nothing)];
    let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
    let report = recvmsg::<SockaddrStorage>(socket.as_raw_fd(), &mut parts, Some(&mut control), flags).ok()?;
    let says_so = report.cmsgs().is_ok_and(|mut said| {
        said.any(|said| match said {
            ControlMessageOwned::Ipv4RecvErr(why, _) | ControlMessageOwned::Ipv6RecvErr(why, _) => is_nobody(&why),
            _ => false,
        })
    });
    // Where the datagram went.
    Some(report.address.as_ref().and_then(address).filter(|_| says_so))
}

fn address(address: &SockaddrStorage) -> Option<SocketAddr> {
    let v4 = address.as_sockaddr_in().map(|v4| SocketAddr::V4((*v4).into()));
    v4.or_else(|| address.as_sockaddr_in6().map(|v6| SocketAddr::V6((*v6).into())))
}

/// RFC 3261 §18.4: host, network, port or protocol unreachable, and parameter problems; what is too long (code 4, RFC 1191), source quench and
/// an exceeded TTL say nothing of who is there.
fn is_nobody(why: &sock_extended_err) -> bool {
    match why.ee_origin {
        SO_EE_ORIGIN_ICMP => matches!((why.ee_type, why.ee_code), (3, 0..=3 | 5..) | (12, _)),
        // RFC 4443 §3.1, §3.4.
        SO_EE_ORIGIN_ICMP6 => matches!(why.ee_type, 1 | 4),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(origin: u8, kind: u8, code: u8) -> bool {
        let (ee_errno, ee_pad, ee_info, ee_data) = (0, 0, 0, 0);
        is_nobody(&sock_extended_err {
            ee_errno,
            ee_origin: origin,
            ee_type: kind,
            ee_code: code,
            ee_pad,
            ee_info,
            ee_data,
        })
    }

    #[test]
    fn some_reports_say_that_nobody_is_there_and_others_do_not() {
        for code in [0, 1, 2, 3, 10, 13] {
            assert!(says(SO_EE_ORIGIN_ICMP, 3, code), "{code}");
        }
        assert!(says(SO_EE_ORIGIN_ICMP, 12, 0) && says(SO_EE_ORIGIN_ICMP6, 1, 4) && says(SO_EE_ORIGIN_ICMP6, 4, 0));
        for (origin, kind, code) in [
            (SO_EE_ORIGIN_ICMP, 3, 4),
            (SO_EE_ORIGIN_ICMP, 4, 0),
            (SO_EE_ORIGIN_ICMP, 11, 0),
            (SO_EE_ORIGIN_ICMP6, 2, 0),
            (SO_EE_ORIGIN_ICMP6, 3, 0),
            (1, 0, 0),
        ] {
            assert!(!says(origin, kind, code), "{origin} {kind} {code}");
        }
    }
}
