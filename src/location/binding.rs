//! One binding of an AOR (RFC 3261 §10): a contact, how long it is good, and the way to it.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::device::Device;
use crate::sip::Uri;
use crate::timing::{Now, Wall};
use crate::transmit::Flow;

/// A contact of a phone and the flow that it came by.
#[derive(Clone, Debug)]
pub struct Binding {
    /// Tells bindings of one AOR apart and orders them: larger is newer.
    pub serial: u64,
    /// The contact URI, as it came.
    pub uri: Uri,
    /// The contact's header parameters as they came, without `expires`; begins with `;` or is empty.
    pub params: Bytes,
    /// `q` in thousandths; 1000 where the phone gave none.
    pub q: u16,
    /// `reg-id` of RFC 5626.
    pub reg_id: Option<u32>,
    /// The phone.
    pub device: Device,
    /// The CSeq of the REGISTER that wrote it last; its Call-ID is `device.call_id`.
    pub cseq: u32,
    /// When it runs out; timers.
    pub expires_at: Instant,
    /// The same as a date, for the store.
    pub expires_wall: Wall,
    /// When it was last written.
    pub updated: Wall,
    /// The same for timers: the window in which a copy of the REGISTER is a copy.
    pub updated_at: Instant,
    /// The values of `Path`, top first (RFC 3327).
    pub path: Vec<Bytes>,
    /// The flow of the last REGISTER.
    pub flow: Flow,
    /// Behind NAT: requests go to the flow, not to the contact (SPEC 4.3).
    pub nat: bool,
}

impl Binding {
    /// Whether it still holds.
    pub fn is_live(&self, now: Instant) -> bool {
        self.expires_at > now
    }

    /// The same with the dates that its timers have by the present clock (SPEC 8.8).
    pub fn redated(self, now: Now) -> Self {
        let age = now.instant.saturating_duration_since(self.updated_at);
        let left = self.expires_at.saturating_duration_since(now.instant);
        let updated = Wall(now.wall.0.saturating_sub(u64::try_from(age.as_millis()).unwrap_or(u64::MAX)));
        Self { updated, expires_wall: now.wall.plus(left), ..self }
    }

    /// By how much its date is not that of its timers.
    pub fn misdated(&self, now: Now) -> Duration {
        let left = self.expires_at.saturating_duration_since(now.instant);
        let end = now.wall.plus(left);
        end.since(self.expires_wall).max(self.expires_wall.since(end))
    }

    /// Whole seconds that are left, rounded up so that a live binding never shows 0.
    pub fn expires_in(&self, now: Instant) -> u32 {
        let left = self.expires_at.saturating_duration_since(now);
        u32::try_from(left.as_millis().div_ceil(1000)).unwrap_or(u32::MAX)
    }
}
