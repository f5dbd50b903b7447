//! A simulated phone or carrier on a socket of its own.

use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::net::UdpSocket;

use super::cast::{Part, Role};
use crate::net;
use crate::phone::{Behaviour, Phone, PhoneConfig, PhoneEvent};

/// How long everybody lets it ring.
const RINGS: Duration = Duration::from_millis(300);

/// A phone, its socket, and what its user noticed.
pub struct Seat {
    phone: Phone,
    socket: UdpSocket,
    /// Since the step began.
    pub events: Vec<PhoneEvent>,
    /// How many complaints were told already.
    told: usize,
}

impl Seat {
    /// Puts a phone or carrier at a socket.
    pub fn new(part: Part, socket: UdpSocket, site: SocketAddr, domain: &str) -> io::Result<Option<Self>> {
        let local = socket.local_addr()?;
        let config = match part.role() {
            Role::Site(_) => return Ok(None),
            Role::Phone(user, _) => PhoneConfig::phone(user, &format!("secret-{user}"), local, site, domain),
            Role::Carrier(number, _) => PhoneConfig::trunk(number, local, site, domain),
        };
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(io::Error::other)?;
        let phone = Phone::new(PhoneConfig { behaviour: Behaviour::Answer { after: RINGS }, ..config }, seed);
        Ok(Some(Self { phone, socket, events: Vec::new(), told: 0 }))
    }

    /// Its user does something.
    pub fn act<T>(&mut self, deed: impl FnOnce(&mut Phone, Instant) -> T) -> T {
        let done = deed(&mut self.phone, net::now().instant);
        self.hand_out();
        done
    }

    /// Takes what came, does what is due, sends what follows.
    pub fn play(&mut self, buffer: &mut [u8]) {
        let now = net::now().instant;
        while let Ok((length, from)) = self.socket.try_recv_from(buffer) {
            let datagram = Bytes::copy_from_slice(buffer.get(..length).unwrap_or_default());
            self.phone.handle_datagram(now, from, datagram);
        }
        if self.due().is_some_and(|due| due <= now) {
            self.phone.handle_timeout(now);
        }
        self.hand_out();
    }

    fn hand_out(&mut self) {
        while let Some((to, datagram)) = self.phone.poll_transmit() {
            // What can't be sent is lost, as a datagram may be: the phone sends again.
            let _ = self.socket.try_send_to(&datagram, to);
        }
        self.events.extend(std::iter::from_fn(|| self.phone.poll_event()));
    }

    /// When it has something to do by itself.
    pub fn due(&self) -> Option<Instant> {
        self.phone.poll_timeout()
    }

    /// Ready when a datagram is there.
    pub fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.socket.poll_recv_ready(cx).map(drop)
    }

    /// What it received that a correct network would not have sent, since it was last asked.
    pub fn complaints(&mut self) -> Vec<String> {
        let new: Vec<String> = self.phone.complaints().iter().skip(self.told).cloned().collect();
        self.told += new.len();
        new
    }
}
