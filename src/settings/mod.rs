//! The validated configuration, as values: what `config/` makes of the files and everything below it reads.
//!
//! A value that exists is valid: ranges are checked, names resolved, secrets read. Nothing here knows TOML or files. The
//! keys are those of SPEC §3, described there; units are in the types (`Duration`) or the doc line.

mod changes;
mod network;
mod site;
mod trunk;
mod user;

pub use changes::{ChangedCode, Changes, Effective, Filed, Laid, Switched};
pub use network::{Network, Profile, Secret, SiteEntry};
pub use site::{
    ArsForm, Auth, BreakOut, CIVIC_FIELDS, DeviceLimit, DigestAlgorithm, Displaced, Emergency, Expect, Group, HotDesk,
    Lab, Licences, Limits, Links, Listen, Location, MissingRights, OnReconnect, OutOfHours, Place, Registrar, Rights,
    Ring, Shortage, SipSettings, Site, TimeProfile, Weekly,
};
pub use trunk::{CallerId, FromHeader, Geolocation, Incoming, Registration, SourceRule, Trunk};
pub use user::{Credentials, Desk, Forward, LoginCode, Origin, ShortCodeRow, User};
