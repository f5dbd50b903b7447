//! What follows a login: leases, their end, displacement, changed settings (SPEC 5.3-5.7, 5.11, 8.4, 8.5).

use serde::{Deserialize, Serialize};

use super::login::{Device, Ha1};
use super::settings::Settings;
use super::words;
use crate::ids::{Extension, LoginId, LoginNumber, SiteName};
use crate::timing::Wall;

/// V tells H who of H's users is still there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RenewRequest {
    /// The visitors; at most [`RenewRequest::MOST`].
    pub logins: Vec<Renewal>,
}

/// One visitor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Renewal {
    /// The user.
    #[serde(with = "words::extension")]
    pub extension: Extension,
    /// The login that V knows.
    #[serde(with = "words::login_number")]
    pub login: LoginNumber,
    /// Its id.
    #[serde(with = "words::login_id")]
    pub login_id: LoginId,
    /// When it began.
    #[serde(with = "words::wall", default)]
    pub since: Wall,
    /// The version of the settings that V has; 0: none.
    #[serde(default)]
    pub settings_version: u64,
    /// The phones.
    #[serde(default)]
    pub devices: Vec<Device>,
    /// V has a call of this user in progress (SPEC 8.4).
    #[serde(default)]
    pub in_call: bool,
    /// V has lost the H(A1), by a restart, and asks for it.
    #[serde(default)]
    pub wants_ha1: bool,
}

/// H's word on each.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RenewAnswer {
    /// In the order of the request; of one that is missing nothing is said.
    pub logins: Vec<Renewed>,
}

/// H's word on one login; read it by [`Renewed::outcome`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Renewed {
    /// The user.
    #[serde(with = "words::extension")]
    pub extension: Extension,
    /// The login that was asked about.
    #[serde(with = "words::login_number")]
    pub login: LoginNumber,
    /// It goes on so many seconds.
    #[serde(default)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lease: Option<u64>,
    /// It has ended.
    #[serde(default)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gone: Option<Gone>,
    /// Where V's version is another.
    #[serde(default)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settings: Option<Settings>,
    /// Where V asked for it, and beside the settings: a password that changed is another version.
    #[serde(default)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ha1: Option<Ha1>,
    /// The password is another: V forgets the H(A1) that it has, unless a new one is here, and asks H at the next request.
    #[serde(default)]
    pub password_changed: bool,
}

/// Where a user went.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Gone {
    /// Where the user is logged in now; `None`: nowhere.
    #[serde(with = "words::site")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub site: Option<SiteName>,
    /// The newest login of the user.
    #[serde(with = "words::login_number")]
    pub newest: LoginNumber,
}

/// What H says of a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome<'a> {
    /// It goes on so many seconds.
    Held(u64),
    /// It has ended.
    Gone(&'a Gone),
    /// Something that this release does not know: the lease is as it was.
    Unknown,
}

/// V tells H that a login has ended, or undoes one whose answer never came (SPEC 5.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogoutRequest {
    /// The user.
    #[serde(with = "words::extension")]
    pub extension: Extension,
    /// Which login; its id where V never learnt the number.
    #[serde(with = "words::login_id")]
    pub login_id: LoginId,
    /// Its number, where known.
    #[serde(with = "words::known_login", default)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login: Option<LoginNumber>,
    /// V has ended it: the phones there are kept out (SPEC 12.5). By an operator, unless one of the next says more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub forced: bool,
    /// Because the clock there showed this minute of the day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<u16>,
    /// Because the user was idle.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub idle: bool,
    /// A person ended it by dialling at the visitor's own phone: that one is kept out there (SPEC 10.1).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_hand: bool,
    /// The phones that are kept out: home may have ceased to believe in the login, and not know them any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<Device>,
}

impl LogoutRequest {
    /// Of a login that ended by itself.
    pub fn of(extension: &Extension, login_id: LoginId, login: Option<LoginNumber>) -> Self {
        let (forced, clock, idle, by_hand) = (false, None, false, false);
        Self { extension: extension.clone(), login_id, login, forced, clock, idle, by_hand, devices: Vec::new() }
    }
}

/// H tells V that a login at V has ended because of another (SPEC 5.5, 5.6).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Displaced {
    /// The user.
    #[serde(with = "words::extension")]
    pub extension: Extension,
    /// The login that has ended, and all before it.
    #[serde(with = "words::login_number")]
    pub login: LoginNumber,
    /// Where the user is now.
    #[serde(default)]
    pub gone: Gone,
}

/// H tells V what has changed while the user is there (SPEC 5.11).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingsNotice {
    /// The user.
    #[serde(with = "words::extension")]
    pub extension: Extension,
    /// The login that it is about.
    #[serde(with = "words::login_number")]
    pub login: LoginNumber,
    /// The settings now; `None`: as they were.
    #[serde(default)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub settings: Option<Settings>,
    /// What proves the user now; `None`: as it was.
    #[serde(default)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ha1: Option<Ha1>,
    /// The password is another: V forgets the H(A1) that it has, unless a new one is here, and asks H at the next request.
    #[serde(default)]
    pub password_changed: bool,
}

impl RenewRequest {
    /// Most logins in one request.
    pub const MOST: usize = 16;
    /// Most phones of one login: home remembers no more.
    pub const DEVICES: usize = 16;

    /// The bytes of a request that has so many, with one login more; `None` if that does not fit. The first always does.
    pub fn with(bytes: usize, login: &Renewal) -> Option<usize> {
        room(bytes, super::encode(login).len())
    }
}

/// So many bytes of logins, or of words on them, fit a datagram with everything round them.
const BYTES: usize = 32_000;

fn room(bytes: usize, more: usize) -> Option<usize> {
    (bytes == 0 || bytes + more <= BYTES).then_some(bytes + more)
}

impl RenewAnswer {
    /// As many words as fit a datagram, in their order; of the others nothing is said, and V asks again. A word that would not fit by
    /// itself goes without the settings: the lease goes on, and V has those of before.
    pub fn fitting(words: Vec<Renewed>) -> Self {
        let (mut logins, mut bytes) = (Vec::with_capacity(words.len()), 0);
        for mut word in words {
            let mut more = super::encode(&word).len();
            if more > BYTES {
                word.settings = None;
                more = super::encode(&word).len();
            }
            if let Some(with) = room(bytes, more) {
                bytes = with;
                logins.push(word);
            }
        }
        Self { logins }
    }
}

impl Renewed {
    /// What it says.
    pub fn outcome(&self) -> Outcome<'_> {
        match (&self.gone, self.lease) {
            (Some(gone), _) => Outcome::Gone(gone),
            (None, Some(lease)) => Outcome::Held(lease),
            (None, None) => Outcome::Unknown,
        }
    }

    /// It goes on, and nothing has changed.
    pub fn held(extension: Extension, login: LoginNumber, lease: u64) -> Self {
        Self { lease: Some(lease), ..Self::of(extension, login) }
    }

    /// It has ended.
    pub fn gone(extension: Extension, login: LoginNumber, gone: Gone) -> Self {
        Self { gone: Some(gone), ..Self::of(extension, login) }
    }

    fn of(extension: Extension, login: LoginNumber) -> Self {
        Self { extension, login, lease: None, gone: None, settings: None, ha1: None, password_changed: false }
    }
}
