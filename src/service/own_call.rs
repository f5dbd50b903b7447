//! One call that the site answers itself, to say that a feature is done (SPEC 10.4): the phone's INVITE, our 200, a tone, our BYE.
//!
//! ```text
//!                    | INVITE: 100 at once
//!                    v
//!              +-----------+  the feature is refused, or takes too long, CANCEL:
//!              |  Working  |  a final error, and nothing is left
//!              +-----------+
//!                    | the feature is done
//!                    v
//!              +-----------+
//!              |  Opening  |  a port for RTP is opened
//!              +-----------+
//!                    | 200
//!                    v
//!          +------------------+ T1, doubled up to T2
//!          |  Unacknowledged  |---+ 200
//!          |                  |<--+          64·T1: BYE
//!          +------------------+------------------------+
//!             | ACK     | BYE: 200                     |
//!             v         |                              |
//!       +-----------+   |                              |
//!    +--|  Playing  |---|------------------------------+
//!    |  +-----------+   |  the tone is over: BYE       |
//!    +-----^ 20 ms:     v                              |
//!      a packet   +-----------+                        |
//!                 |   Over    |<-----------------------+
//!                 +-----------+  64·T1: forgotten
//! ```
//!
//! RFC 3261 §13.3.1.4 (the 200 is repeated until the ACK), §15.1 (BYE only after the ACK, or when none came). A tone goes to the
//! address that the INVITE came from and to no other, so that nobody can have it sent to a third party.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::audio::{self, Audio, CONTENT_TYPE};
use super::dialog::Dialog;
use super::tone::{PACKET, Tone};
use crate::rejection::Rejection;
use crate::sip::{Method, Name, Request, Session, Status};
use crate::timing::Timing;
use crate::transmit::{Flow, RtpPort};

/// Methods that are answered in such a call.
pub const ALLOW: &str = "INVITE, ACK, CANCEL, BYE";

/// A call that the site answers itself.
#[derive(Clone, Debug)]
pub struct OwnCall {
    dialog: Dialog,
    /// Where the phone is reached, and the address that the INVITE came from.
    flow: Flow,
    source: IpAddr,
    invite: u32,
    offer: Option<Session>,
    random: u64,
    port: Option<RtpPort>,
    /// Ports that could not be opened.
    failed: u8,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    Working { until: Instant },
    Opening,
    Unacknowledged { ok: Bytes, again_at: Instant, wait: Duration, until: Instant },
    Playing { tone: Option<(Tone, SocketAddr)>, packet_at: Instant },
    Over { until: Instant },
}

/// What falls due in a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Due {
    /// The 200 once more.
    Again(Bytes),
    /// A packet of the tone.
    Packet(RtpPort, SocketAddr, Bytes),
    /// The feature takes too long: the call is to be refused.
    GiveUp,
    /// The end of the call, from our side.
    Bye,
    /// Nothing more can come.
    Forget,
}

/// Most ports that are tried for one call.
const TRIES: u8 = 16;

impl OwnCall {
    /// For a proven phone's INVITE, which came from `source` and is answered by `flow`; the feature has time `until` then. What the site can't do
    /// is refused: an option that it lacks (420), a body that is no session description (415) or can't be read (400), no Contact to talk to (400).
    pub fn new(
        invite: &Request,
        flow: Flow,
        source: IpAddr,
        our_tag: String,
        random: u64,
        until: Instant,
    ) -> Result<Self, Rejection> {
        // Only a 100 is sent before the final answer: reliable provisional answers (RFC 3262) are no demand on us.
        let unknown: Vec<Bytes> =
            invite.require(&Name::Require).into_iter().filter(|tag| !tag.eq_ignore_ascii_case(b"100rel")).collect();
        if !unknown.is_empty() {
            let list: Vec<_> = unknown.iter().map(|tag| String::from_utf8_lossy(tag)).collect();
            return Err(Rejection::new(Status::BAD_EXTENSION).with(Name::Unsupported, list.join(", ")));
        }
        let offer = described(invite)?;
        let target = target_of(invite).ok_or(Rejection::because(Status::BAD_REQUEST, "Missing Contact Header"))?;
        let dialog = Dialog::new(invite, our_tag, target);
        let (invite, port, failed) = (invite.cseq().number, None, 0);
        Ok(Self { dialog, flow, source, invite, offer, random, port, failed, state: State::Working { until } })
    }

    /// What tells its dialog from others: Call-ID, our tag, theirs.
    pub fn dialog_id(&self) -> (Bytes, String, Bytes) {
        self.dialog.id()
    }

    /// Where requests to the phone go.
    pub fn flow(&self) -> Flow {
        self.flow
    }

    /// Whether this very request came by another way before (RFC 3261 §8.2.2.2).
    pub fn is_of(&self, invite: &Request) -> bool {
        let (call_id, _, theirs) = self.dialog.id();
        let tag = invite.from().tag();
        invite.call_id() == &call_id && tag.is_some_and(|tag| *tag == theirs) && invite.cseq().number == self.invite
    }

    /// Whether a request comes from the phone's address.
    pub fn is_from_phone(&self, source: IpAddr) -> bool {
        source == self.source
    }

    /// The feature is not done yet: the call can still be refused.
    pub fn is_working(&self) -> bool {
        matches!(self.state, State::Working { .. })
    }

    /// The call is going on.
    pub fn is_up(&self) -> bool {
        !matches!(self.state, State::Over { .. })
    }

    /// The feature is done. Whether a port for RTP is wanted: there may be no audio that we can send.
    pub fn done(&mut self) -> bool {
        self.state = State::Opening;
        self.offer.as_ref().is_none_or(|offer| Audio::of(offer).is_some())
    }

    /// Whether the 200 waits for a port.
    pub fn is_opening(&self) -> bool {
        matches!(self.state, State::Opening)
    }

    /// A port could not be opened. Whether another is worth a try.
    pub fn port_failed(&mut self) -> bool {
        self.failed += 1;
        self.failed < TRIES
    }

    /// The port is open.
    pub fn port_opened(&mut self, port: RtpPort) {
        self.port = Some(port);
    }

    /// The port, which is ours no longer.
    pub fn give_port_back(&mut self) -> Option<RtpPort> {
        self.port.take()
    }

    /// The body of the 200: audio at `here`, or none without a port.
    pub fn description(&self, here: IpAddr) -> String {
        let port = self.port.map(|port| port.port);
        match &self.offer {
            Some(offer) => audio::answer(offer, Audio::of(offer).as_ref(), here, port, self.random),
            // An offer of port 0 has no media (RFC 3264 §5.1), and is one all the same.
            None => audio::offer((here, port.unwrap_or(0)).into(), self.random),
        }
    }

    /// The 200 is sent.
    pub fn answered(&mut self, ok: Bytes, timing: &Timing, now: Instant) {
        let until = now + timing.t1x64();
        self.state = State::Unacknowledged { ok, again_at: now + timing.t1, wait: timing.t1, until };
    }

    /// The ACK to the 200; a copy changes nothing. `is_reserved`: a trunk or a site is there, and no phone.
    pub fn acknowledged(&mut self, ack: &Request, is_reserved: impl Fn(SocketAddr) -> bool, now: Instant) {
        let State::Unacknowledged { .. } = self.state else { return };
        if ack.cseq().number != self.invite {
            return;
        }
        let theirs = if self.offer.is_some() { None } else { described(ack).ok().flatten() };
        let audio = self.offer.as_ref().or(theirs.as_ref()).and_then(Audio::of).filter(|audio| audio.is_heard);
        let to = audio.map(|audio| (audio, SocketAddr::new(self.source, audio.port)));
        let to = to.filter(|(_, to)| self.port.is_some() && !is_reserved(*to));
        let tone = to.map(|(audio, to)| (Tone::new(audio.law, audio.payload_type, self.random), to));
        self.state = State::Playing { tone, packet_at: now };
    }

    /// RFC 3261 §12.2.2: whether a request inside is newer than the last one.
    pub fn hears(&mut self, cseq: u32) -> bool {
        self.dialog.hears(cseq)
    }

    /// The call is over: a BYE came, or ours goes. It is remembered for the requests that cross.
    pub fn end(&mut self, timing: &Timing, now: Instant) {
        self.state = State::Over { until: now + timing.t1x64() };
    }

    /// When something falls due.
    pub fn next(&self) -> Option<Instant> {
        match &self.state {
            State::Opening => None,
            State::Unacknowledged { again_at, until, .. } => Some(*again_at.min(until)),
            State::Playing { packet_at, .. } => Some(*packet_at),
            State::Working { until } | State::Over { until } => Some(*until),
        }
    }

    /// The next thing that is due, if any is.
    pub fn due(&mut self, timing: &Timing, now: Instant) -> Option<Due> {
        self.next().filter(|next| *next <= now)?;
        let due = match &mut self.state {
            State::Opening => return None,
            State::Working { .. } => return Some(Due::GiveUp),
            State::Unacknowledged { until, .. } if *until <= now => Due::Bye,
            State::Unacknowledged { ok, again_at, wait, .. } => {
                *wait = (*wait * 2).min(timing.t2);
                *again_at = now + *wait;
                Due::Again(ok.clone())
            }
            State::Playing { tone, packet_at } => {
                let packet = tone.as_mut().and_then(|(tone, to)| Some((tone.next_packet()?, *to)));
                *packet_at += PACKET;
                match packet.zip(self.port) {
                    Some(((packet, to), port)) => Due::Packet(port, to, packet),
                    None => Due::Bye,
                }
            }
            State::Over { .. } => Due::Forget,
        };
        if due == Due::Bye {
            self.end(timing, now);
        }
        Some(due)
    }

    /// The BYE.
    pub fn bye(&mut self, via: &str) -> Bytes {
        self.dialog.request(&Method::BYE, via).write()
    }
}

/// The session description in a message, if it has a body.
fn described(request: &Request) -> Result<Option<Session>, Rejection> {
    let body = request.body();
    if body.is_empty() {
        return Ok(None);
    }
    let kind = request.header(&Name::ContentType).map(|header| header.value().into_owned()).unwrap_or_default();
    let kind = kind.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    if !kind.eq_ignore_ascii_case(CONTENT_TYPE.as_bytes()) {
        return Err(Rejection::new(Status::UNSUPPORTED_MEDIA_TYPE).with(Name::Accept, CONTENT_TYPE));
    }
    let read = Session::parse(&body).map_err(|bad| Rejection::because(Status::BAD_REQUEST, bad.to_string()))?;
    Ok(Some(read))
}

/// RFC 3261 §12.1.1: the remote target is the Contact, of which there is one (§8.1.1.8).
fn target_of(invite: &Request) -> Option<Bytes> {
    match invite.contacts(1) {
        Ok(crate::sip::Contacts::List(list)) => {
            list.first().map(|contact| Bytes::copy_from_slice(contact.uri().as_bytes()))
        }
        Ok(crate::sip::Contacts::Star | crate::sip::Contacts::None) | Err(_) => None,
    }
}
