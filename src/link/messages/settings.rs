//! What travels with a user (SPEC 7.1).

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::words;
use crate::ids::{Extension, LoginNumber};
use crate::settings::{Credentials, Forward, Origin, Profile, ShortCodeRow, User};
use crate::timing::Wall;

/// A user's settings, as H has them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Another version is another content; from 1.
    pub version: u64,
    /// The display name.
    pub name: String,
    /// The calling number on trunks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caller_id: Option<String>,
    /// The user's own licence type.
    pub profile: String,
    /// What that allows, by the network table of H.
    pub allows: Allows,
    /// The user's own short codes.
    pub short_codes: Vec<ShortCode>,
    /// The name of the rights in force while the time profile is active.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rights: Option<String>,
    /// The name of the time profile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time_profile: Option<String>,
    /// The name of the rights outside it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub out_of_hours_rights: Option<String>,
    /// No external calls.
    pub outgoing_bar: bool,
    /// Calls get 486.
    pub do_not_disturb: bool,
    /// Forwards.
    pub forward: Forwards,
    /// 1 low … 5 high.
    pub priority: u8,
}

/// What a profile allows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Allows {
    /// Simultaneous bindings.
    pub devices: u32,
    /// Simultaneous calls.
    pub calls: u32,
    /// Forwards.
    pub forwarding: bool,
    /// Forwards by a trunk.
    pub forward_external: bool,
    /// Logins at other sites.
    pub remote_hot_desk: bool,
}

/// One short code.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ShortCode {
    /// The dialled pattern.
    pub code: String,
    /// The feature's name.
    pub feature: String,
    /// The number template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// A trunk group or an ARS form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line_group: Option<String>,
    /// The target of a Break Out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
}

/// When calls go elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Forwards {
    /// Always.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unconditional: Option<String>,
    /// When busy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub busy: Option<String>,
    /// Without an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_answer: Option<String>,
    /// Without a phone that can be reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unreachable: Option<String>,
    /// The extension where all calls ring instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub follow_me: Option<String>,
    /// Seconds without an answer.
    pub after: u64,
}

/// V asks H for a change that its visitor has dialled (SPEC 7.4).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingsChange {
    /// The user.
    #[serde(with = "words::extension")]
    pub extension: Extension,
    /// The login that V knows.
    #[serde(with = "words::login_number")]
    pub login: LoginNumber,
    /// When it was dialled, by V's clock.
    #[serde(with = "words::wall")]
    pub asked: Wall,
    /// The feature's name.
    pub feature: String,
    /// What the code made of the rest; it may hold login codes.
    #[serde(default)]
    pub argument: String,
}

/// H has made it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingsAnswer {
    /// The login that it is about.
    #[serde(with = "words::login_number")]
    pub login: LoginNumber,
    /// The settings now.
    pub settings: Settings,
}

impl fmt::Debug for SettingsChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SettingsChange({} of {}, …)", self.feature, self.extension)
    }
}

impl Settings {
    /// What travels of a user with that profile.
    pub fn of(user: &User, profile: &Profile, version: u64) -> Self {
        Self {
            version,
            name: user.name.clone(),
            caller_id: user.caller_id.clone(),
            profile: user.profile.clone(),
            allows: profile.into(),
            short_codes: user.short_codes.iter().map(ShortCode::from).collect(),
            rights: user.rights.clone(),
            time_profile: user.time_profile.clone(),
            out_of_hours_rights: user.out_of_hours_rights.clone(),
            outgoing_bar: user.outgoing_bar,
            do_not_disturb: user.do_not_disturb,
            forward: (&user.forward).into(),
            priority: user.priority,
        }
    }

    /// The user as V sees it. The PIN stays at H; `granted` is the profile of the login.
    pub fn user(&self, extension: Extension, granted: &str, credentials: Credentials, origin: &Origin) -> User {
        User {
            extension,
            name: self.name.clone(),
            credentials,
            login_code: None,
            profile: granted.to_owned(),
            caller_id: self.caller_id.clone(),
            rights: self.rights.clone(),
            time_profile: self.time_profile.clone(),
            out_of_hours_rights: self.out_of_hours_rights.clone(),
            outgoing_bar: self.outgoing_bar,
            do_not_disturb: self.do_not_disturb,
            priority: self.priority,
            forward: (&self.forward).into(),
            short_codes: self.short_codes.iter().map(|row| row.row(origin)).collect(),
            origin: origin.clone(),
        }
    }
}

impl ShortCode {
    fn row(&self, origin: &Origin) -> ShortCodeRow {
        let Self { code, feature, number, line_group, site } = self.clone();
        ShortCodeRow { code, feature, number, line_group, site, origin: origin.clone() }
    }
}

impl From<&ShortCodeRow> for ShortCode {
    fn from(row: &ShortCodeRow) -> Self {
        let ShortCodeRow { code, feature, number, line_group, site, origin: _ } = row.clone();
        Self { code, feature, number, line_group, site }
    }
}

impl From<&Profile> for Allows {
    fn from(profile: &Profile) -> Self {
        let most = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Self {
            devices: most(profile.devices),
            calls: most(profile.calls),
            forwarding: profile.forwarding,
            forward_external: profile.forward_external,
            remote_hot_desk: profile.remote_hot_desk,
        }
    }
}

impl From<&Allows> for Profile {
    fn from(allows: &Allows) -> Self {
        Self {
            devices: allows.devices as usize,
            calls: allows.calls as usize,
            forwarding: allows.forwarding,
            forward_external: allows.forward_external,
            remote_hot_desk: allows.remote_hot_desk,
        }
    }
}

impl From<&Forward> for Forwards {
    fn from(forward: &Forward) -> Self {
        let Forward { unconditional, busy, no_answer, unreachable, follow_me, after } = forward.clone();
        Self { unconditional, busy, no_answer, unreachable, follow_me, after: after.as_secs() }
    }
}

impl From<&Forwards> for Forward {
    fn from(forwards: &Forwards) -> Self {
        let Forwards { unconditional, busy, no_answer, unreachable, follow_me, after } = forwards.clone();
        Self { unconditional, busy, no_answer, unreachable, follow_me, after: Duration::from_secs(after) }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            version: 0,
            name: String::new(),
            caller_id: None,
            profile: "basic".into(),
            allows: Allows::default(),
            short_codes: Vec::new(),
            rights: None,
            time_profile: None,
            out_of_hours_rights: None,
            outgoing_bar: false,
            do_not_disturb: false,
            forward: Forwards::default(),
            priority: 5,
        }
    }
}

impl Default for Allows {
    fn default() -> Self {
        (&Profile::default()).into()
    }
}

impl Default for Forwards {
    fn default() -> Self {
        (&Forward::default()).into()
    }
}
