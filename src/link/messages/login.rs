//! A login: what V asks H, and what H answers (SPEC 5.2).

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};

use super::settings::Settings;
use super::words;
use crate::ids::{Extension, LoginId, LoginNumber};
use crate::settings::{self, Credentials};
use crate::timing::Wall;

/// V asks H to take a login of H's user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginRequest {
    /// The user.
    #[serde(with = "words::extension")]
    pub extension: Extension,
    /// The same id is the same login, however often it is asked.
    #[serde(with = "words::login_id")]
    pub login_id: LoginId,
    /// The phone.
    pub device: Device,
    /// On what terms V would take the user.
    pub terms: Terms,
    /// What the phone proved the user with; H checks it.
    pub digest: PhoneDigest,
    /// Where the phone is.
    pub source: IpAddr,
    /// The phone does not come, it goes: it may have been kept out (SPEC 5.5), and is not any more. Nobody is logged in by this, and
    /// `terms` offer nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub leaves: bool,
    /// Not by REGISTER but by dialling (SPEC 10.1): a person does that at a phone that V knows, or whose digest is given.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_dialling: bool,
    /// The PIN that was dialled; H checks it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Pin>,
}

/// A PIN. Never printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pin(pub String);

/// One phone (SPEC §1).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Device {
    /// `+sip.instance`, without quotes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// The Call-ID of its registrations.
    pub call_id: String,
    /// Host and port of its contact.
    pub contact: String,
    /// It was seen to change its Call-ID between refreshes.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub rotates: bool,
}

/// What V offers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Terms {
    /// V takes visitors at all.
    pub visitors: bool,
    /// Free licences by profile, a reserved one included; `None`: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub licences: Option<BTreeMap<String, u32>>,
    /// What happens without a free one.
    pub shortage: Shortage,
}

/// SPEC 7.3.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shortage {
    /// The user is let in with the profile `basic`.
    Basic,
    /// 403; also what a later release may say that is not known here.
    #[default]
    #[serde(other)]
    Refuse,
}

/// A phone's digest as V received and judged it: the nonce is V's, fresh, and its count was new.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PhoneDigest {
    /// The request's method.
    pub method: String,
    /// As sent.
    pub username: String,
    /// As sent.
    pub realm: String,
    /// As sent.
    pub nonce: String,
    /// As sent.
    pub uri: String,
    /// As sent.
    pub response: String,
    /// As sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<String>,
    /// As sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub qop: Option<String>,
    /// As sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nc: Option<String>,
    /// As sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cnonce: Option<String>,
    /// The hash of the body by that algorithm, hexadecimal; for `auth-int`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body_hash: Option<String>,
    /// When V issued the nonce.
    #[serde(with = "words::wall")]
    pub nonce_issued: Wall,
}

/// H takes the login.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoginAnswer {
    /// Its number.
    #[serde(with = "words::login_number")]
    pub login: LoginNumber,
    /// The lease, in seconds.
    pub lease: u64,
    /// The profile that takes a licence at V; not the user's own where licences are short.
    pub profile: String,
    /// What travels with the user.
    pub settings: Settings,
    /// By which V checks the user's digests from now on.
    pub ha1: Ha1,
    /// The user's phones that H keeps out, oldest first: V answers them itself from now on (SPEC 5.5).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept_out: Vec<KeptOut>,
}

/// A phone that has lost the user.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct KeptOut {
    /// The phone.
    pub device: Device,
    /// Since when.
    #[serde(with = "words::wall")]
    pub at: Wall,
    /// A new Call-ID does not help it before so many seconds have passed.
    pub wait: u64,
}

/// H(A1) by algorithm, hexadecimal. Not the password, but as good as it within the realm.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Ha1 {
    /// 32 digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub md5: Option<String>,
    /// 64 digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

/// H refuses: V answers the phone like this.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Refusal {
    /// 401 for a wrong digest or PIN, else as SPEC §13 says.
    pub status: u16,
    /// For the reason phrase and `Warning`.
    pub text: String,
    /// The digest is right, and the phone is kept out because it has lost its user (SPEC 5.5).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub displaced: bool,
}

impl Terms {
    /// Whether a licence for `profile` is free.
    pub fn has_licence(&self, profile: &str) -> bool {
        self.licences.as_ref().is_none_or(|free| free.get(profile).is_some_and(|free| *free > 0))
    }
}

impl From<settings::Shortage> for Shortage {
    fn from(shortage: settings::Shortage) -> Self {
        match shortage {
            settings::Shortage::Refuse => Shortage::Refuse,
            settings::Shortage::Basic => Shortage::Basic,
        }
    }
}

impl Device {
    /// A device whose contact is at that address.
    pub fn at(contact: SocketAddr, call_id: &str, instance: Option<&str>) -> Self {
        Self {
            instance: instance.map(str::to_owned),
            call_id: call_id.to_owned(),
            contact: contact.to_string(),
            rotates: false,
        }
    }
}

impl From<&Credentials> for Ha1 {
    fn from(credentials: &Credentials) -> Self {
        Self { md5: credentials.ha1_md5.clone(), sha256: credentials.ha1_sha256.clone() }
    }
}

impl From<Ha1> for Credentials {
    fn from(ha1: Ha1) -> Self {
        Self { ha1_md5: ha1.md5, ha1_sha256: ha1.sha256, password: None }
    }
}

impl fmt::Debug for Ha1 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ha1(…)")
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pin(…)")
    }
}

impl fmt::Debug for PhoneDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PhoneDigest({:?} of {:?}, …)", self.method, self.username)
    }
}
