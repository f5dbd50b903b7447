//! The stage: the sites on their threads as `run` starts them, the phones and carriers round them, and what was seen.

use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::task::Poll;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::net::UdpSocket;
use tokio::sync::mpsc;
use tokio::time::sleep_until;

use super::cast::{Part, Role};
use super::label;
use super::ladder::{Ladder, Rung};
use super::sample;
use super::seat::Seat;
use crate::event::Event;
use crate::location::Memory;
use crate::net::{self, Bound, Post, Running, Tap, Way};
use crate::node::{Config, Restored};
use crate::phone::{Phone, PhoneEvent};
use crate::settings::Listen;

/// Everything that is awaited comes within this time, or has failed. Longer than the retransmissions of a lost datagram.
const PATIENCE: Duration = Duration::from_secs(10);

/// Any free port.
const ANYWHERE: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// A UDP datagram is never longer, in bytes.
const LONGEST: usize = 65_535;

/// What a site's thread has to tell.
enum News {
    Datagram { at: Instant, way: Way, remote: SocketAddr, bytes: Bytes },
    Event(Event),
}

/// The network while it plays.
pub struct Stage {
    seats: BTreeMap<Part, Seat>,
    places: BTreeMap<Part, SocketAddr>,
    by_place: BTreeMap<SocketAddr, Part>,
    sites: Vec<Running>,
    news: mpsc::UnboundedReceiver<(Part, News)>,
    buffer: Box<[u8]>,
    begun: Instant,
    /// What the sites told since the step began.
    pub told: Vec<(Part, Event)>,
    /// What went over the wire since the step began.
    pub ladder: Ladder,
}

impl Stage {
    /// Binds everything, starts the sites and waits until they have found each other.
    ///
    /// # Errors
    ///
    /// What can't be bound or started.
    pub async fn set() -> Result<Self, Vec<String>> {
        let (mut bound, mut sockets, mut places) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        for part in Part::ALL {
            let address = if part.is_site() {
                let socket = net::bind(&Listen { bind: ANYWHERE, advertise: ANYWHERE }).map_err(said)?;
                bound.entry(part).or_insert(socket).address
            } else {
                let socket = UdpSocket::bind(ANYWHERE).await.map_err(said)?;
                sockets.entry(part).or_insert(socket).local_addr().map_err(said)?
            };
            places.insert(part, address);
        }
        let plans = sample::load(&places)?;
        let (teller, news) = mpsc::unbounded_channel();
        let mut stage = Self::empty(places, news);
        for (entry, config) in plans.sites() {
            let Some((part, socket)) = Part::of_site(&entry.name).and_then(|part| bound.remove_entry(&part)) else {
                return Err(vec![format!("nobody plays {}", entry.name)]);
            };
            let running = start(part, config, socket, &teller).map_err(said)?;
            running.tap(Some(tap(part, &teller))).await;
            stage.sites.push(running);
            for (player, socket) in take(&mut sockets, part) {
                let seat = Seat::new(player, socket, stage.address(part), &entry.domain).map_err(said)?;
                stage.seats.extend(seat.map(|seat| (player, seat)));
            }
        }
        stage.until("the sites find each other", Self::all_up).await.map_err(|why| vec![why])?;
        Ok(stage)
    }

    fn empty(places: BTreeMap<Part, SocketAddr>, news: mpsc::UnboundedReceiver<(Part, News)>) -> Self {
        Self {
            seats: BTreeMap::new(),
            by_place: places.iter().map(|(part, address)| (*address, *part)).collect(),
            places,
            sites: Vec::new(),
            news,
            buffer: vec![0; LONGEST].into(),
            begun: net::now().instant,
            told: Vec::new(),
            ladder: Ladder::default(),
        }
    }

    fn all_up(&self) -> Option<()> {
        let up = |(part, event): &(Part, Event)| {
            let Event::SiteUp { site } = event else { return None };
            Some((*part, site.clone()))
        };
        let links: BTreeSet<_> = self.told.iter().filter_map(up).collect();
        (links.len() == Part::SITES.len() * (Part::SITES.len() - 1)).then_some(())
    }

    /// Where a part plays.
    pub fn address(&self, part: Part) -> SocketAddr {
        self.places.get(&part).copied().unwrap_or(ANYWHERE)
    }

    /// A new step begins: what was seen is forgotten.
    pub fn begin_step(&mut self) {
        self.told.clear();
        self.ladder = Ladder::default();
        self.seats.values_mut().for_each(|seat| seat.events.clear());
        self.begun = net::now().instant;
    }

    /// Somebody does something with a phone; `None` if nobody sits there.
    pub fn act<T>(&mut self, part: Part, deed: impl FnOnce(&mut Phone, Instant) -> T) -> Option<T> {
        self.seats.get_mut(&part).map(|seat| seat.act(deed))
    }

    /// What the user of a phone noticed since the step began.
    pub fn noticed(&self, part: Part) -> &[PhoneEvent] {
        self.seats.get(&part).map(|seat| &*seat.events).unwrap_or_default()
    }

    /// Everybody whose phone rang in this step.
    pub fn rang(&self) -> Vec<Part> {
        let rang = |seat: &Seat| seat.events.iter().any(|event| matches!(event, PhoneEvent::Incoming { .. }));
        self.seats.iter().filter(|(_, seat)| rang(seat)).map(|(part, _)| *part).collect()
    }

    /// What phones and carriers received and a correct network would not have sent; each is told once.
    pub fn complaints(&mut self) -> Vec<String> {
        self.seats.values_mut().flat_map(Seat::complaints).collect()
    }

    /// Plays on until it is found.
    ///
    /// # Errors
    ///
    /// `what` did not come.
    pub async fn until<T>(&mut self, what: &str, mut find: impl FnMut(&Self) -> Option<T>) -> Result<T, String> {
        let end = net::now().instant + PATIENCE;
        loop {
            if let Some(found) = find(self) {
                return Ok(found);
            }
            if net::now().instant >= end {
                return Err(format!("waited {} s in vain: {what}", PATIENCE.as_secs()));
            }
            self.turn(end).await;
        }
    }

    /// Plays on for that long.
    pub async fn pass(&mut self, time: Duration) {
        let end = net::now().instant + time;
        while net::now().instant < end {
            self.turn(end).await;
        }
    }

    /// One thing happens, at the latest at `end`.
    async fn turn(&mut self, end: Instant) {
        let due = self.seats.values().filter_map(Seat::due).fold(end, Instant::min);
        let (seats, news) = (&self.seats, &mut self.news);
        let first = tokio::select! {
            item = news.recv() => item,
            () = arrived(seats) => None,
            () = sleep_until(due.into()) => None,
        };
        let rest = std::iter::from_fn(|| news.try_recv().ok());
        for (part, item) in first.into_iter().chain(rest).collect::<Vec<_>>() {
            self.hear(part, item);
        }
        self.seats.values_mut().for_each(|seat| seat.play(&mut self.buffer));
    }

    fn hear(&mut self, site: Part, news: News) {
        let (at, way, remote, bytes) = match news {
            News::Event(event) => return self.told.push((site, event)),
            News::Datagram { at, way, remote, bytes } => (at, way, remote, bytes),
        };
        let Some(&other) = self.by_place.get(&remote) else { return };
        let (from, to) = match way {
            Way::Out => (site, other),
            // It was seen when it left the other site.
            Way::In if other.is_site() => return,
            Way::In => (other, site),
        };
        let Some(label) = label::label(&bytes) else { return };
        self.ladder.push(Rung { at: at.saturating_duration_since(self.begun), from, to, label, bytes });
    }

    /// The sites end; their ports are free again.
    pub fn strike(self) {
        self.sites.into_iter().for_each(Running::stop);
    }
}

async fn arrived(seats: &BTreeMap<Part, Seat>) {
    poll_fn(|cx| {
        // Everybody is asked, so that everybody knows whom to wake.
        let ready = seats.values().filter(|seat| seat.poll_ready(cx).is_ready()).count();
        if ready > 0 { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

/// The sockets of those who belong to a site.
fn take(sockets: &mut BTreeMap<Part, UdpSocket>, of: Part) -> Vec<(Part, UdpSocket)> {
    let belongs = |part: Part| match part.role() {
        Role::Site(_) => false,
        Role::Phone(_, site) | Role::Carrier(_, site) => site == of,
    };
    Part::ALL.into_iter().filter(|part| belongs(*part)).filter_map(|part| sockets.remove_entry(&part)).collect()
}

fn start(
    part: Part,
    config: Config,
    socket: Bound,
    teller: &mpsc::UnboundedSender<(Part, News)>,
) -> io::Result<Running> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(io::Error::other)?;
    let teller = teller.clone();
    // The stage may be gone already while its sites end.
    let tell = Box::new(move |_, event| drop(teller.send((part, News::Event(event)))));
    let post = Post { sockets: vec![socket], store: Box::new(Memory::default()) };
    net::start(net::Site { config, posts: vec![post], restored: Restored::default(), seed, tell })
}

fn tap(part: Part, teller: &mpsc::UnboundedSender<(Part, News)>) -> Tap {
    let teller = teller.clone();
    Box::new(move |seen| {
        let bytes = seen.bytes.clone();
        let news = News::Datagram { at: seen.now.instant, way: seen.way, remote: seen.flow.remote, bytes };
        let _ = teller.send((part, news));
    })
}

fn said(why: impl ToString) -> Vec<String> {
    vec![why.to_string()]
}
