//! A record as it is written: JSON, which an older or newer release of the same format reads too, since unknown keys are skipped
//! and missing ones have a default.
//!
//! Timers do not survive a process: a binding is written with the date of its last REGISTER and what was granted then, a lease with
//! its length. [`restore`] turns them into timers again.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::changes::ChangesForm;
use crate::ids::{Extension, LoginId, LoginNumber, SiteName};
use crate::link::messages::{Ha1, Settings};
use crate::location::{
    Activity, Away, Binding, Device, DisplacedDevice, Earlier, Ending, Forced, Guest, Joined, Loss, Record, Resident,
    Seat, Visitor,
};
use crate::settings::Origin;
use crate::sip::Uri;
use crate::timing::{Now, TimeOfDay, Wall};
use crate::transmit::{Flow, SocketId};

/// A record that was read and has no timers yet.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// A user of this site.
    Resident(Box<ResidentForm>),
    /// A user of another site.
    Visitor(Box<VisitorForm>),
}

/// See [`Resident`].
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ResidentForm {
    login: u64,
    /// Without it, no login had a higher number than `login`.
    #[serde(skip_serializing_if = "Option::is_none")]
    given: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    bindings: Vec<BindingForm>,
    #[serde(skip_serializing_if = "Option::is_none")]
    away: Option<AwayForm>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    displaced: Vec<DisplacedForm>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tombstones: Vec<DeviceForm>,
    #[serde(skip_serializing_if = "Option::is_none")]
    changes: Option<Box<ChangesForm>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    seats: Vec<SeatForm>,
    /// Milliseconds since 1970; without it, since the user sits at the last of `seats`.
    #[serde(skip_serializing_if = "Option::is_none")]
    active: Option<u64>,
}

/// See [`Visitor`].
#[derive(Debug, Serialize, Deserialize)]
pub struct VisitorForm {
    home: String,
    login: u64,
    id: [u8; 16],
    #[serde(default)]
    since: u64,
    /// Milliseconds since 1970; without it, as long ago as `since`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    active: Option<u64>,
    bindings: Vec<BindingForm>,
    settings: Settings,
    /// With `survive_restart` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ha1: Option<Ha1>,
    lease: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    displaced: Vec<DisplacedForm>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    seats: Vec<SeatForm>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ended: Option<EndingForm>,
}

/// See [`Ending`].
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum EndingForm {
    Left,
    ByHand,
    Operator,
    /// The minute of the day.
    Clock(u16),
    Idle,
}

#[derive(Debug, Serialize, Deserialize)]
struct AwayForm {
    site: String,
    id: [u8; 16],
    #[serde(default)]
    since: u64,
    /// Seconds.
    lease: u64,
    #[serde(default)]
    devices: Vec<DeviceForm>,
    #[serde(default)]
    asked: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    joined: Vec<JoinedForm>,
}

/// See [`Joined`].
#[derive(Debug, Serialize, Deserialize)]
struct JoinedForm {
    id: [u8; 16],
    device: DeviceForm,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_new: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    was_out: bool,
    /// The login before it.
    before: ([u8; 16], u64, u64),
}

/// Times are milliseconds since 1970.
#[derive(Debug, Serialize, Deserialize)]
struct BindingForm {
    serial: u64,
    uri: Text,
    #[serde(default, skip_serializing_if = "Text::is_empty")]
    params: Text,
    #[serde(default = "whole")]
    q: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reg_id: Option<u32>,
    device: DeviceForm,
    cseq: u32,
    updated: u64,
    expires: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    path: Vec<Text>,
    #[serde(default)]
    socket: u8,
    flow: SocketAddr,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    nat: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct DeviceForm {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    instance: Option<Text>,
    call_id: Text,
    #[serde(default)]
    host: Text,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    rotates: bool,
}

/// See [`Seat`].
#[derive(Debug, Serialize, Deserialize)]
struct SeatForm {
    phone: String,
    device: DeviceForm,
    since: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct DisplacedForm {
    device: DeviceForm,
    /// A site; none: the user was logged out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    /// By the clock, at this minute of the day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    clock: Option<u16>,
    /// For being idle; neither this nor `clock` nor `left_at`: by an operator.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    idle: bool,
    /// By the user, at this phone at that site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    left_at: Option<String>,
    at: u64,
    /// Milliseconds.
    #[serde(default)]
    wait: u64,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    back: bool,
}

/// Bytes from a message: a string where they are UTF-8, else a list of numbers.
#[derive(Clone, Debug, Default)]
struct Text(Bytes);

/// The record as bytes. `with_ha1`: what checks a visitor's digests is written too (`survive_restart`).
pub fn encode(record: &Record, with_ha1: bool) -> Vec<u8> {
    let form = match record {
        Record::Resident(resident) => Form::Resident(Box::new(resident.into())),
        Record::Visitor(visitor) => Form::Visitor(Box::new(VisitorForm::of(visitor, with_ha1))),
    };
    serde_json::to_vec(&form).expect("maps have text keys and nothing else fails")
}

/// Reads what [`encode`] wrote.
pub fn decode(bytes: &[u8]) -> Result<Form, serde_json::Error> {
    serde_json::from_slice(bytes)
}

/// What was read, with timers that run from now. What ran out while the process was away is gone. With a clock that is before the last
/// write nobody knows how long that was, and no time has passed for anything (SPEC 8.8): one write with a date of far ahead must not
/// let all others run out. Leases begin anew, in full (SPEC 8.6).
pub fn restore(forms: Vec<(Extension, Form)>, now: Now) -> Vec<(Extension, Record)> {
    let last = forms.iter().flat_map(|(_, form)| form.bindings()).map(|binding| binding.updated).max();
    let clock = if last.is_some_and(|last| now.wall.0 < last) { Clock::Behind(now) } else { Clock::Right(now) };
    let restored = forms.into_iter().map(|(extension, form)| {
        let record = form.record(&extension, clock);
        (extension, record)
    });
    let is_over = |record: &Record| record.visitor().is_some_and(|visitor| visitor.ended.is_some());
    let is_somewhere = |record: &Record| !record.bindings().is_empty() || !record.seats().is_empty() || is_over(record);
    restored.filter(|(_, record)| record.resident().is_some() || is_somewhere(record)).collect()
}

/// Now, and whether the clock is to be believed.
#[derive(Clone, Copy)]
enum Clock {
    Right(Now),
    Behind(Now),
}

impl Clock {
    fn now(self) -> Now {
        match self {
            Clock::Right(now) | Clock::Behind(now) => now,
        }
    }

    /// The present date of what was written at `date`, and how long ago that was.
    fn age(self, date: Wall) -> (Wall, Duration) {
        match self {
            Clock::Right(now) => (date, now.wall.since(date)),
            Clock::Behind(now) => (now.wall, Duration::ZERO),
        }
    }

    /// Somebody's last deed, at `date`.
    fn activity(self, date: Wall) -> Activity {
        let ((wall, idle), now) = (self.age(date), self.now().instant);
        Activity { at: now.checked_sub(idle).unwrap_or(now), wall }
    }
}

impl Form {
    fn bindings(&self) -> &[BindingForm] {
        match self {
            Form::Resident(resident) => &resident.bindings,
            Form::Visitor(visitor) => &visitor.bindings,
        }
    }

    fn record(self, extension: &Extension, clock: Clock) -> Record {
        match self {
            Form::Resident(form) => Record::Resident(form.resident(clock)),
            Form::Visitor(form) => Record::Visitor(form.visitor(extension, clock)),
        }
    }
}

impl ResidentForm {
    /// A parked phone that could not refresh while the process was away does not take its user home when it can again (SPEC 5.6): it
    /// leaves a tombstone.
    fn resident(self, clock: Clock) -> Resident {
        let mut tombstones: Vec<Device> = self.tombstones.into_iter().map(Into::into).collect();
        let parked = self.away.as_ref().map_or(&[][..], |_| &self.bindings);
        let parked: Vec<Device> = parked.iter().map(|binding| binding.device.clone().into()).collect();
        let bindings = live(self.bindings, clock);
        tombstones.extend(parked.into_iter().filter(|phone| !bindings.iter().any(|live| live.device.is(phone))));
        let surplus = tombstones.len().saturating_sub(Resident::TOMBSTONES);
        tombstones.drain(..surplus);
        let active = self.active.or(self.seats.iter().map(|seat| seat.since).max()).map(Wall);
        Resident {
            bindings,
            away: self.away.map(|away| away.away(clock.now().instant)),
            login: LoginNumber(self.login),
            given: LoginNumber(self.given.unwrap_or_default()),
            displaced: self.displaced.into_iter().map(Into::into).collect(),
            tombstones,
            changes: self.changes.map(|changes| Arc::new((*changes).into())),
            seats: self.seats.into_iter().map(Into::into).collect(),
            active: active.map(|date| clock.activity(date)),
        }
    }
}

fn live(forms: Vec<BindingForm>, clock: Clock) -> Vec<Binding> {
    forms.into_iter().filter_map(|form| form.binding(clock)).collect()
}

impl From<&Resident> for ResidentForm {
    fn from(resident: &Resident) -> Self {
        Self {
            login: resident.login.0,
            given: Some(resident.given.0).filter(|given| *given > resident.login.0),
            bindings: resident.bindings.iter().map(Into::into).collect(),
            away: resident.away.as_ref().map(Into::into),
            displaced: resident.displaced.iter().map(Into::into).collect(),
            tombstones: resident.tombstones.iter().map(Into::into).collect(),
            changes: resident.changes.as_deref().map(|changes| Box::new(changes.into())),
            seats: resident.seats.iter().map(Into::into).collect(),
            active: resident.active.filter(|_| !resident.seats.is_empty()).map(|active| active.wall.0),
        }
    }
}

impl VisitorForm {
    fn of(visitor: &Visitor, with_ha1: bool) -> Self {
        let guest = &visitor.guest;
        Self {
            home: visitor.home.as_str().to_owned(),
            login: visitor.login.0,
            id: visitor.id.0,
            since: visitor.since.0,
            active: Some(visitor.active_wall.0),
            bindings: visitor.bindings.iter().map(Into::into).collect(),
            settings: Settings::of(&guest.user, &guest.allows, guest.version),
            ha1: with_ha1.then(|| (&guest.user.credentials).into()),
            lease: visitor.lease.as_secs(),
            displaced: visitor.displaced.iter().map(Into::into).collect(),
            seats: visitor.seats.iter().map(Into::into).collect(),
            ended: visitor.ended.map(Into::into),
        }
    }

    /// The renewal is due at once: home has to say whether the login still stands.
    fn visitor(self, extension: &Extension, clock: Clock) -> Visitor {
        let origin = Origin { file: format!("user {extension} of {}", self.home).into(), line: 0 };
        let credentials = self.ha1.map(Into::into).unwrap_or_default();
        let guest = Guest {
            user: self.settings.user(extension.clone(), &self.settings.profile, credentials, &origin),
            allows: (&self.settings.allows).into(),
            version: self.settings.version,
        };
        let active = clock.activity(Wall(self.active.unwrap_or(self.since)));
        Visitor {
            home: SiteName::new(self.home),
            login: LoginNumber(self.login),
            id: LoginId(self.id),
            since: Wall(self.since),
            active_at: active.at,
            active_wall: active.wall,
            bindings: live(self.bindings, clock),
            guest: Arc::new(guest),
            lease: Duration::from_secs(self.lease),
            renew_at: clock.now().instant,
            displaced: self.displaced.into_iter().map(Into::into).collect(),
            seats: self.seats.into_iter().map(Into::into).collect(),
            ended: self.ended.map(Into::into),
        }
    }
}

impl From<&Away> for AwayForm {
    fn from(away: &Away) -> Self {
        Self {
            site: away.site.as_str().to_owned(),
            id: away.id.0,
            since: away.since.0,
            lease: away.lease.as_secs(),
            devices: away.devices.iter().map(Into::into).collect(),
            asked: away.asked.0,
            joined: away.joined.iter().map(Into::into).collect(),
        }
    }
}

impl From<&Joined> for JoinedForm {
    fn from(joined: &Joined) -> Self {
        let Joined { id, device, is_new, was_out, before } = joined;
        let before = (before.id.0, before.login.0, before.since.0);
        Self { id: id.0, device: device.into(), is_new: *is_new, was_out: *was_out, before }
    }
}

impl From<JoinedForm> for Joined {
    fn from(form: JoinedForm) -> Self {
        let (id, login, since) = form.before;
        let before = Earlier { id: LoginId(id), login: LoginNumber(login), since: Wall(since) };
        Self { id: LoginId(form.id), device: form.device.into(), is_new: form.is_new, was_out: form.was_out, before }
    }
}

impl AwayForm {
    fn away(self, now: Instant) -> Away {
        let lease = Duration::from_secs(self.lease);
        Away {
            site: SiteName::new(self.site),
            id: LoginId(self.id),
            since: Wall(self.since),
            lease,
            until: now + lease,
            devices: self.devices.into_iter().map(Into::into).collect(),
            asked: Wall(self.asked),
            joined: self.joined.into_iter().map(Into::into).collect(),
        }
    }
}

impl From<&Binding> for BindingForm {
    fn from(binding: &Binding) -> Self {
        Self {
            serial: binding.serial,
            uri: Text(binding.uri.as_bytes().clone()),
            params: Text(binding.params.clone()),
            q: binding.q,
            reg_id: binding.reg_id,
            device: (&binding.device).into(),
            cseq: binding.cseq,
            updated: binding.updated.0,
            expires: binding.expires_wall.0,
            path: binding.path.iter().cloned().map(Text).collect(),
            socket: binding.flow.socket.0,
            flow: binding.flow.remote,
            nat: binding.nat,
        }
    }
}

impl BindingForm {
    /// `None` if it has run out, or if its URI is none.
    fn binding(self, clock: Clock) -> Option<Binding> {
        let (updated, age) = clock.age(Wall(self.updated));
        let now = clock.now();
        let left = Wall(self.expires).since(Wall(self.updated)).checked_sub(age).filter(|left| !left.is_zero())?;
        Some(Binding {
            serial: self.serial,
            uri: Uri::parse(self.uri.0).ok()?,
            params: self.params.0,
            q: self.q,
            reg_id: self.reg_id,
            device: self.device.into(),
            cseq: self.cseq,
            expires_at: now.instant + left,
            expires_wall: now.wall.plus(left),
            updated,
            updated_at: now.instant.checked_sub(age).unwrap_or(now.instant),
            path: self.path.into_iter().map(|value| value.0).collect(),
            flow: Flow { socket: SocketId(self.socket), remote: self.flow },
            nat: self.nat,
        })
    }
}

impl From<&Device> for DeviceForm {
    fn from(device: &Device) -> Self {
        Self {
            instance: device.instance.clone().map(Text),
            call_id: Text(device.call_id.clone()),
            host: Text(device.host.clone()),
            rotates: device.rotates,
        }
    }
}

impl From<DeviceForm> for Device {
    fn from(form: DeviceForm) -> Self {
        Self::new(form.instance.map(|instance| instance.0), form.call_id.0, form.host.0, form.rotates)
    }
}

impl From<&Seat> for SeatForm {
    fn from(seat: &Seat) -> Self {
        Self { phone: seat.phone.as_str().to_owned(), device: (&seat.device).into(), since: seat.since.0 }
    }
}

impl From<SeatForm> for Seat {
    fn from(form: SeatForm) -> Self {
        Self { phone: Extension::new(form.phone), device: form.device.into(), since: Wall(form.since) }
    }
}

impl From<Ending> for EndingForm {
    fn from(ending: Ending) -> Self {
        match ending {
            Ending::Left => EndingForm::Left,
            Ending::ByHand => EndingForm::ByHand,
            Ending::Forced(Forced::Operator) => EndingForm::Operator,
            Ending::Forced(Forced::Clock(at)) => EndingForm::Clock(at.0),
            Ending::Forced(Forced::Idle) => EndingForm::Idle,
        }
    }
}

impl From<EndingForm> for Ending {
    fn from(form: EndingForm) -> Self {
        match form {
            EndingForm::Left => Ending::Left,
            EndingForm::ByHand => Ending::ByHand,
            EndingForm::Operator => Ending::Forced(Forced::Operator),
            EndingForm::Clock(at) => Ending::Forced(Forced::Clock(TimeOfDay(at))),
            EndingForm::Idle => Ending::Forced(Forced::Idle),
        }
    }
}

impl From<&DisplacedDevice> for DisplacedForm {
    fn from(displaced: &DisplacedDevice) -> Self {
        let name = |site: &SiteName| Some(site.as_str().to_owned());
        let (by, clock, idle, left_at) = match &displaced.why {
            Loss::LoggedIn(site) => (name(site), None, false, None),
            Loss::LoggedOut(Forced::Operator) => (None, None, false, None),
            Loss::LoggedOut(Forced::Clock(at)) => (None, Some(at.0), false, None),
            Loss::LoggedOut(Forced::Idle) => (None, None, true, None),
            Loss::LeftAt(site) => (None, None, false, name(site)),
        };
        Self {
            device: (&displaced.device).into(),
            by,
            clock,
            idle,
            left_at,
            at: displaced.at.0,
            wait: u64::try_from(displaced.wait.as_millis()).unwrap_or(u64::MAX),
            back: displaced.back,
        }
    }
}

impl From<DisplacedForm> for DisplacedDevice {
    fn from(form: DisplacedForm) -> Self {
        let why = match (form.by, form.left_at, form.clock, form.idle) {
            (Some(site), _, _, _) => Loss::LoggedIn(SiteName::new(site)),
            (None, Some(site), _, _) => Loss::LeftAt(SiteName::new(site)),
            (None, None, Some(at), _) => Loss::LoggedOut(Forced::Clock(TimeOfDay(at))),
            (None, None, None, true) => Loss::LoggedOut(Forced::Idle),
            (None, None, None, false) => Loss::LoggedOut(Forced::Operator),
        };
        Self {
            device: form.device.into(),
            why,
            at: Wall(form.at),
            wait: Duration::from_millis(form.wait),
            back: form.back,
        }
    }
}

fn whole() -> u16 {
    1000
}

impl Text {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(&self.0) {
            Ok(text) => to.serialize_str(text),
            Err(_) => self.0.as_ref().serialize(to),
        }
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Text(String),
            Bytes(Vec<u8>),
        }
        Ok(Self(match Written::deserialize(from)? {
            Written::Text(text) => text.into(),
            Written::Bytes(bytes) => bytes.into(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::{ChangedCode, Changes, Credentials, Effective, Filed, Profile, Switched, User};

    const START: Wall = Wall(1_790_000_000_000);

    #[expect(clippy::disallowed_methods, reason = "any instant will do as the start")]
    fn now() -> Now {
        Now { instant: Instant::now() + Duration::from_secs(100_000), wall: START }
    }

    fn later(now: Now, span: Duration) -> Now {
        Now { instant: now.instant + span, wall: now.wall.plus(span) }
    }

    fn device(call_id: &'static [u8]) -> Device {
        let instance = Some(Bytes::from_static(b"<urn:uuid:1>"));
        Device { instance, call_id: Bytes::from_static(call_id), host: Bytes::from_static(b"h:5060"), rotates: true }
    }

    fn binding(now: Now, expires: u64) -> Binding {
        let life = Duration::from_secs(expires);
        Binding {
            serial: 7,
            uri: Uri::parse("sip:ada@192.0.2.7:5062;transport=udp").expect("a URI"),
            params: Bytes::from_static(b";q=0.5;x=\"\xe9\""),
            q: 500,
            reg_id: Some(2),
            device: device(b"caf\xe9@h"),
            cseq: 9,
            expires_at: now.instant + life,
            expires_wall: now.wall.plus(life),
            updated: now.wall,
            updated_at: now.instant,
            path: vec![Bytes::from_static(b"<sip:edge;lr>")],
            flow: Flow { socket: SocketId(1), remote: ([192, 0, 2, 7], 5062).into() },
            nat: true,
        }
    }

    fn changes() -> Changes {
        let user = User::plain(Extension::new("201"), "power");
        let forward = |number: &str, on| Switched { number: Some(number.to_owned()), on };
        let wanted = Effective {
            do_not_disturb: true,
            outgoing_bar: true,
            unconditional: forward("202", true),
            busy: forward("203", false),
            no_answer: Switched { number: None, on: true },
            follow_me: Some("204".to_owned()),
            login_code: Some(ChangedCode { hash: "ab".repeat(32), before: Some("cd".repeat(32)) }),
        };
        Changes::between(Filed { user: &user, login_code: Some("ef") }, wanted)
    }

    fn resident(now: Now) -> Record {
        let lease = Duration::from_secs(120);
        let (id, until) = (LoginId([3; 16]), now.instant + lease);
        let away = Away {
            site: SiteName::new("paris"),
            id,
            since: START,
            lease,
            until,
            devices: vec![device(b"there")],
            asked: START,
            joined: vec![Joined {
                id,
                device: device(b"beside"),
                is_new: true,
                was_out: true,
                before: Earlier { id: LoginId([2; 16]), login: LoginNumber(1_790_000_000_000), since: START },
            }],
        };
        let wait = Duration::from_secs(600);
        let lost = |why| DisplacedDevice { device: device(b"old"), why, at: START, wait, back: true };
        let forced = [Forced::Operator, Forced::Clock(TimeOfDay(1_200)), Forced::Idle].map(Loss::LoggedOut);
        let berlin = || SiteName::new("berlin");
        let losses = [Loss::LoggedIn(berlin()), Loss::LeftAt(berlin())].into_iter().chain(forced);
        Record::Resident(Resident {
            bindings: vec![binding(now, 300)],
            away: Some(away),
            login: LoginNumber(1_790_000_000_001),
            given: LoginNumber(1_790_000_000_002),
            displaced: losses.map(lost).collect(),
            tombstones: vec![device(b"stone")],
            changes: Some(Arc::new(changes())),
            seats: vec![Seat { phone: Extension::new("desk-7"), device: device(b"lobby"), since: START }],
            active: Some(Activity { at: now.instant, wall: now.wall }),
        })
    }

    fn visitor(now: Now) -> Record {
        let credentials = Credentials { ha1_md5: Some("0123".into()), ..Credentials::default() };
        let user = User { credentials, name: "Ada".into(), ..User::plain(Extension::new("201"), "power") };
        let allows = Profile { devices: 5, ..Profile::default() };
        Record::Visitor(Visitor {
            home: SiteName::new("london"),
            login: LoginNumber(5),
            id: LoginId([9; 16]),
            since: START,
            active_at: now.instant,
            active_wall: now.wall,
            bindings: vec![binding(now, 300)],
            guest: Arc::new(Guest { user, allows, version: 77 }),
            lease: Duration::from_secs(120),
            renew_at: now.instant,
            displaced: Vec::new(),
            seats: vec![Seat { phone: Extension::new("301"), device: device(b"lobby"), since: START }],
            ended: None,
        })
    }

    fn read(record: &Record, with_ha1: bool, now: Now) -> Option<Record> {
        let form = decode(&encode(record, with_ha1)).expect("what was written");
        restore(vec![(Extension::new("201"), form)], now).pop().map(|(_, record)| record)
    }

    #[test]
    fn a_record_that_is_read_at_once_is_the_one_that_was_written() {
        for (record, with_ha1) in [(resident(now()), false), (visitor(now()), true)] {
            let now = now();
            let same = match &record {
                Record::Resident(_) => resident(now),
                Record::Visitor(_) => visitor(now),
            };
            assert_eq!(format!("{:?}", read(&same, with_ha1, now).expect("there")), {
                let mut expected = same.clone();
                if let Record::Visitor(visitor) = &mut expected {
                    let mut guest = Guest::clone(&visitor.guest);
                    guest.user.origin = Origin { file: "user 201 of london".into(), line: 0 };
                    visitor.guest = Arc::new(guest);
                }
                format!("{expected:?}")
            });
        }
    }

    #[test]
    fn what_a_user_has_changed_is_read_as_it_was_written() {
        let now = now();
        let read = read(&resident(now), false, now).expect("there");
        assert_eq!(read.resident().expect("a resident").changes.as_deref(), Some(&changes()));
        let text = String::from_utf8(encode(&resident(now), false)).expect("JSON");
        let (_, written) = text.split_once("\"changes\":").expect("they are written");
        let written = written.split_once(",\"seats\":").map_or(written, |(changes, _)| changes);
        insta::assert_snapshot!(written);
    }

    #[test]
    fn the_ha1_of_a_visitor_is_written_only_when_asked_for() {
        let text = |with_ha1| String::from_utf8(encode(&visitor(now()), with_ha1)).expect("JSON");
        assert!(text(true).contains("0123") && !text(false).contains("0123"));
        let read = read(&visitor(now()), false, now()).expect("there");
        assert_eq!(read.visitor().expect("a visitor").guest.user.credentials, Credentials::default());
    }

    #[test]
    fn what_ran_out_meanwhile_is_gone_and_a_lease_begins_anew() {
        let start = now();
        let left = |after| {
            let now = later(start, Duration::from_secs(after));
            let record = read(&resident(start), false, now).expect("the login number is kept");
            let resident = record.resident().expect("a resident").clone();
            assert_eq!(resident.away.expect("away").until, now.instant + Duration::from_secs(120));
            assert_eq!(resident.login.0, 1_790_000_000_001);
            // The phone at home could not refresh: it is still the one that is parked.
            let stones = resident.tombstones.iter().filter(|stone| stone.is(&device(b"caf\xe9@h"))).count();
            assert_eq!(stones, 1 + usize::from(resident.bindings.is_empty()));
            resident.bindings.first().map(|binding| binding.expires_in(now.instant))
        };
        assert_eq!((left(100), left(299), left(300), left(10_000)), (Some(200), Some(1), None, None));
        let end = later(start, Duration::from_secs(300));
        assert!(read(&visitor(start), false, end).is_some(), "this one sits at a desk");
        let Record::Visitor(visitor) = visitor(start) else { panic!("a visitor") };
        let gone = read(&Record::Visitor(Visitor { seats: Vec::new(), ..visitor }), false, end);
        assert!(gone.is_none(), "a visitor without a phone is none");
    }

    #[test]
    fn a_visit_that_is_over_is_kept_with_how_it_ended() {
        let now = now();
        let forced = [Forced::Operator, Forced::Clock(TimeOfDay(1_200)), Forced::Idle].map(Ending::Forced);
        for ending in [Ending::Left, Ending::ByHand].into_iter().chain(forced) {
            let Record::Visitor(visitor) = visitor(now) else { panic!("a visitor") };
            let over = Visitor { bindings: Vec::new(), seats: Vec::new(), ended: Some(ending), ..visitor };
            let read = read(&Record::Visitor(over), true, now).expect("home is to be told");
            assert_eq!(read.visitor().expect("a visitor").ended, Some(ending));
        }
    }

    #[test]
    fn a_clock_before_the_last_write_lets_nothing_run_out() {
        let start = now();
        let early = later(start, Duration::from_secs(200));
        let form = |record: &Record| decode(&encode(record, false)).expect("what was written");
        let forms = vec![
            (Extension::new("201"), form(&resident(start))),
            (
                Extension::new("202"),
                form(&Record::Resident(Resident { bindings: vec![binding(early, 60)], ..Default::default() })),
            ),
        ];
        let wrong = Now { wall: Wall(1_000), ..start };
        let left: Vec<u32> = restore(forms, wrong)
            .iter()
            .flat_map(|(_, record)| record.bindings().to_vec())
            .map(|binding| binding.expires_in(wrong.instant))
            .collect();
        assert_eq!(left, [300, 60], "as if no time had passed since each was written");
    }

    #[test]
    fn what_a_later_release_adds_is_skipped() {
        let form = decode(br#"{"resident":{"login":5,"mood":"fine"}}"#).expect("readable");
        assert!(matches!(form, Form::Resident(form) if form.login == 5));
    }
}
