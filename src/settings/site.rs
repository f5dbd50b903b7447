//! `sites/NAME.toml`: one site's own configuration.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::trunk::{Incoming, SourceRule, Trunk};
use super::user::{Desk, Origin, ShortCodeRow, User};
use crate::ids::{Extension, SiteName};
use crate::timing::TimeOfDay;

/// One UDP socket of a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listen {
    /// What is bound.
    pub bind: SocketAddr,
    /// What is written into Via, Record-Route and Contact; `bind` unless told.
    pub advertise: SocketAddr,
}

/// `[limits]`: checked before work is done (SPEC 13: 513).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest message in bytes.
    pub message_bytes: usize,
    /// Most header lines.
    pub headers: usize,
    /// Most Via values.
    pub vias: usize,
    /// Most Contact values.
    pub contacts: usize,
    /// Longest URI in bytes.
    pub uri_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { message_bytes: 65_535, headers: 256, vias: 70, contacts: 32, uri_bytes: 4096 }
    }
}

/// `[sip]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SipSettings {
    /// T1 of RFC 3261, 500 ms.
    pub t1: Duration,
    /// Offered where neither side offers a session timer; zero never.
    pub session_expires: Duration,
    /// A call's longest life.
    pub session_cap: Duration,
    /// First and last port for tones.
    pub rtp_ports: (u16, u16),
    /// Most transactions of either side at a time; what comes beyond them gets 503. Taken at the start, not at a reload.
    pub transactions: usize,
}

/// `[links]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Links {
    /// Without an answer for so long, a site is probed; for twice as long, it is down.
    pub probe: Duration,
    /// Without any response to a request for so long, the site is unreachable for it.
    pub answer: Duration,
}

/// A digest algorithm that we offer (RFC 8760).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DigestAlgorithm {
    /// `MD5`.
    Md5,
    /// `SHA-256`.
    Sha256,
}

/// `[auth]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Auth {
    /// Offered in this order; at least one.
    pub algorithms: Vec<DigestAlgorithm>,
    /// How long a nonce is good.
    pub nonce_life: Duration,
}

/// What happens to one device more than the profile allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceLimit {
    /// The oldest binding goes.
    Displace,
    /// The new one gets 403.
    Refuse,
}

/// `[registrar]`; expiries in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registrar {
    /// Below it: 423.
    pub min_expires: u32,
    /// Above it: shortened.
    pub max_expires: u32,
    /// Where the phone asks for none.
    pub default_expires: u32,
    /// Beyond the profile's `devices`.
    pub device_limit: DeviceLimit,
    /// Between keep-alives to phones behind NAT; zero never.
    pub nat_keepalive: Duration,
    /// Longest expiry for phones behind NAT; 0: as for the others.
    pub nat_expires: u32,
}

/// What a displaced or parked phone's REGISTER gets (SPEC 5.10).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Displaced {
    /// 403 with the reason.
    Refuse,
    /// 200 with a binding that can only call for help and log in.
    Limbo,
}

/// SPEC 8.4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnReconnect {
    /// Home takes the login again.
    Keep,
    /// The user is logged back in at home, if the lease had run out.
    ReturnHome,
}

/// SPEC 7.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shortage {
    /// 403.
    Refuse,
    /// Let in as `basic`.
    Basic,
}

/// SPEC 7.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MissingRights {
    /// Nothing applies.
    None,
    /// No external calls.
    Bar,
}

/// `[hot_desk]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HotDesk {
    /// Users of other sites are accepted.
    pub visitors: bool,
    /// Displaced phones.
    pub displaced: Displaced,
    /// After a partition.
    pub on_reconnect: OnReconnect,
    /// Visitors outlive a restart without their home.
    pub survive_restart: bool,
    /// Without a free licence.
    pub licence_shortage: Shortage,
    /// Without the visitor's rights here.
    pub missing_rights: MissingRights,
    /// How long home believes in a silent visited site.
    pub lease: Duration,
    /// Wrong answers before a lock.
    pub login_attempts: u32,
    /// How long the lock holds.
    pub login_lock: Duration,
    /// Local time at which visitors are logged out.
    pub logout_at: Option<TimeOfDay>,
    /// Without a call for so long; zero never.
    pub idle_logout: Duration,
}

/// `[licences]`: free places for visitors by profile; `None` where the table is missing: no limit.
pub type Licences = Option<BTreeMap<String, u32>>;

/// Where help has to come to (SPEC 6.7).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// In words.
    pub location: String,
    /// The same by the fields of RFC 5139, in the order of [`CIVIC_FIELDS`].
    pub civic: Vec<(&'static str, String)>,
    /// Where emergency services may look the location up (RFC 6442 §3.2: `sip`, `sips`, `pres`, `http` or `https`).
    pub uri: Option<String>,
    /// The number that emergency services call back.
    pub caller_id: Option<String>,
}

/// The elements of a civic address, in the order of the schema (RFC 5139 §4).
pub const CIVIC_FIELDS: [&str; 31] = [
    "country", "A1", "A2", "A3", "A4", "A5", "A6", "PRM", "PRD", "RD", "STS", "POD", "POM", "RDSEC", "RDBR", "RDSUBBR",
    "HNO", "HNS", "LMK", "LOC", "FLR", "NAM", "PC", "BLD", "UNIT", "ROOM", "SEAT", "PLC", "PCN", "POBOX", "ADDCODE",
];

/// A place of the site, by the phone's source address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The addresses that are there.
    pub networks: Vec<SourceRule>,
    /// What is there.
    pub place: Place,
}

/// `[emergency]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Emergency {
    /// The site itself.
    pub place: Place,
    /// Sent for another country's emergency number.
    pub default: Option<String>,
    /// Extensions told by MESSAGE.
    pub notify: Vec<Extension>,
    /// Networks that need no credentials.
    pub anyone_from: Vec<SourceRule>,
    /// This site has no way to emergency services.
    pub none: bool,
    /// Other places, in file order.
    pub locations: Vec<Location>,
}

impl Emergency {
    /// Where a phone at that address is: the first of `locations` that has it, else the site itself.
    pub fn place_of(&self, source: IpAddr) -> &Place {
        let has = |location: &&Location| location.networks.iter().any(|network| network.contains(source));
        self.locations.iter().find(has).map_or(&self.place, |location| &location.place)
    }
}

/// `[rights.NAME]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    /// No external calls.
    pub outgoing_bar: bool,
    /// Codes after the user's own.
    pub short_codes: Vec<ShortCodeRow>,
    /// Where they stand.
    pub origin: Origin,
}

/// One row of a weekly calendar; `to` at or before `from` runs over midnight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weekly {
    /// 0 Monday … 6 Sunday.
    pub days: Vec<u8>,
    /// Minutes since midnight, 0 to 1439.
    pub from: u16,
    /// Minutes since midnight, 0 to 1440.
    pub to: u16,
}

/// `[time_profiles.NAME]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TimeProfile {
    /// IANA name; the site's where missing.
    pub timezone: String,
    /// Active then …
    pub weekly: Vec<Weekly>,
    /// … but not on these days, as (year, month, day).
    pub closed: Vec<(i16, i8, i8)>,
}

/// `[ars.NAME]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArsForm {
    /// Off: `out_of_service` is used.
    pub in_service: bool,
    /// Another form.
    pub out_of_service: Option<String>,
    /// Outside it, `out_of_hours` is used.
    pub time_profile: Option<String>,
    /// Another form.
    pub out_of_hours: Option<String>,
    /// Another form, when every route is busy.
    pub alternate: Option<String>,
    /// From this priority on without waiting.
    pub alternate_priority: u8,
    /// Others wait so long.
    pub alternate_wait: Duration,
    /// Its codes.
    pub short_codes: Vec<ShortCodeRow>,
    /// Where it stands.
    pub origin: Origin,
}

/// How a group rings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ring {
    /// All members at once.
    All,
    /// One after another.
    InTurn,
}

/// `[[groups]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Its number.
    pub extension: Extension,
    /// Its name.
    pub name: String,
    /// Who rings.
    pub members: Vec<Extension>,
    /// How.
    pub ring: Ring,
    /// How long, before `then`.
    pub after: Duration,
    /// An extension.
    pub then: Option<String>,
    /// Who is called instead outside its hours: an extension or group.
    pub out_of_hours: Option<OutOfHours>,
    /// Where it stands.
    pub origin: Origin,
}

/// Where calls to a group, or by an incoming rule, go outside the hours of a time profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutOfHours {
    /// The time profile of this site whose hours are meant.
    pub time_profile: String,
    /// A number, or of an incoming rule a number template.
    pub to: String,
}

/// `[break_out]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BreakOut {
    /// Sites that may break out here; `None`: all.
    pub allow: Option<Vec<SiteName>>,
}

/// `[lab]`: every name that fits the extensions is a user (SPEC 4.7).
#[derive(Clone, PartialEq, Eq)]
pub struct Lab {
    /// The password of all of them; `None`: no challenge to REGISTER and INVITE.
    pub password: Option<String>,
}

impl fmt::Debug for Lab {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lab(…)")
    }
}

/// `[[expect]]`: what a plan promises of itself (SPEC 6.10).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expect {
    /// The user who dials, of any site; else `trunk` is there.
    pub user: Option<Extension>,
    /// The trunk group that a call comes from.
    pub trunk: Option<String>,
    /// What is dialled.
    pub dials: String,
    /// Local time of the site; `None`: whatever the time profiles say.
    pub at: Option<jiff::civil::DateTime>,
    /// The outcome, in the words of SPEC 6.10.
    pub gives: String,
    /// Where it stands.
    pub origin: Origin,
}

/// One site's own configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// The site.
    pub name: SiteName,
    /// The main number.
    pub caller_id: Option<String>,
    /// IANA name.
    pub timezone: Option<String>,
    /// Last forward of users that have no other: a URI.
    pub voicemail: Option<String>,
    /// `[limits]`.
    pub limits: Limits,
    /// `[sip]`.
    pub sip: SipSettings,
    /// `[links]`.
    pub links: Links,
    /// `[auth]`.
    pub auth: Auth,
    /// `[registrar]`.
    pub registrar: Registrar,
    /// `[hot_desk]`.
    pub hot_desk: HotDesk,
    /// `[licences]`.
    pub licences: Licences,
    /// `[emergency]`.
    pub emergency: Emergency,
    /// `[[users]]` by extension.
    pub users: BTreeMap<Extension, User>,
    /// `[[phones]]` by id.
    pub desks: BTreeMap<String, Desk>,
    /// `[[groups]]` by extension.
    pub groups: BTreeMap<Extension, Group>,
    /// System short codes in file order.
    pub short_codes: Vec<ShortCodeRow>,
    /// ARS forms by name.
    pub ars: BTreeMap<String, ArsForm>,
    /// Trunks in file order.
    pub trunks: Vec<Trunk>,
    /// Incoming rules in file order.
    pub incoming: Vec<Incoming>,
    /// User rights by name.
    pub rights: BTreeMap<String, Rights>,
    /// Time profiles by name.
    pub time_profiles: BTreeMap<String, TimeProfile>,
    /// `[break_out]`.
    pub break_out: BreakOut,
    /// `[lab]`.
    pub lab: Option<Lab>,
    /// `[[expect]]` in file order.
    pub expect: Vec<Expect>,
}

impl Default for SipSettings {
    fn default() -> Self {
        Self {
            t1: Duration::from_millis(500),
            session_expires: Duration::from_secs(1800),
            session_cap: Duration::from_secs(43_200),
            rtp_ports: (40_000, 40_999),
            transactions: 300_000,
        }
    }
}

impl Default for Links {
    fn default() -> Self {
        Self { probe: Duration::from_secs(5), answer: Duration::from_secs(2) }
    }
}

impl Default for Auth {
    fn default() -> Self {
        Self { algorithms: vec![DigestAlgorithm::Md5], nonce_life: Duration::from_secs(300) }
    }
}

impl Default for Registrar {
    fn default() -> Self {
        Self {
            min_expires: 60,
            max_expires: 3600,
            default_expires: 300,
            device_limit: DeviceLimit::Displace,
            nat_keepalive: Duration::from_secs(25),
            nat_expires: 120,
        }
    }
}

impl Default for HotDesk {
    fn default() -> Self {
        Self {
            visitors: true,
            displaced: Displaced::Refuse,
            on_reconnect: OnReconnect::Keep,
            survive_restart: false,
            licence_shortage: Shortage::Refuse,
            missing_rights: MissingRights::None,
            lease: Duration::from_secs(120),
            login_attempts: 4,
            login_lock: Duration::from_secs(90),
            logout_at: None,
            idle_logout: Duration::ZERO,
        }
    }
}

impl Site {
    /// A site of that name with every default and nothing configured.
    pub fn empty(name: SiteName) -> Self {
        Self {
            name,
            caller_id: None,
            timezone: None,
            voicemail: None,
            limits: Limits::default(),
            sip: SipSettings::default(),
            links: Links::default(),
            auth: Auth::default(),
            registrar: Registrar::default(),
            hot_desk: HotDesk::default(),
            licences: None,
            emergency: Emergency::default(),
            users: BTreeMap::new(),
            desks: BTreeMap::new(),
            groups: BTreeMap::new(),
            short_codes: Vec::new(),
            ars: BTreeMap::new(),
            trunks: Vec::new(),
            incoming: Vec::new(),
            rights: BTreeMap::new(),
            time_profiles: BTreeMap::new(),
            break_out: BreakOut::default(),
            lab: None,
            expect: Vec::new(),
        }
    }
}
