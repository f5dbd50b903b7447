//! Users, desks and the rows of short codes.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::ids::Extension;

/// Where a row stands, for messages: file and line (from 1; 0 where it came over a link or from a program).
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Origin {
    /// The file as the operator named it.
    pub file: Arc<str>,
    /// The line of the row's first key.
    pub line: u32,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line == 0 { write!(f, "{}", self.file) } else { write!(f, "{}:{}", self.file, self.line) }
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One short code as written; `plan/` compiles it.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct ShortCodeRow {
    /// The dialled pattern (SPEC 6.1).
    pub code: String,
    /// The feature's name (SPEC 6.5).
    pub feature: String,
    /// The number template (SPEC 6.3); `None` where the key is missing.
    pub number: Option<String>,
    /// A trunk group or an ARS form.
    pub line_group: Option<String>,
    /// The target of a `BreakOut`.
    pub site: Option<String>,
    /// Where it stands.
    pub origin: Origin,
}

/// What proves a user or desk: H(A1) of RFC 7616 by algorithm, as lower-case hexadecimal digits.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Credentials {
    /// MD5 of `username:realm:password`, 32 digits.
    pub ha1_md5: Option<String>,
    /// SHA-256 of the same, 64 digits.
    pub ha1_sha256: Option<String>,
    /// The password itself where the file holds it: only such users may log in as `201@domain` (SPEC 4.4).
    pub password: Option<String>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(…)")
    }
}

/// A PIN, or what is known of it. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub enum LoginCode {
    /// The digits.
    Plain(String),
    /// SHA-256 of `extension:realm:digits`, 64 lower-case hexadecimal digits.
    Hash(String),
}

impl From<&str> for LoginCode {
    fn from(digits: &str) -> Self {
        Self::Plain(digits.to_owned())
    }
}

impl fmt::Debug for LoginCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LoginCode(…)")
    }
}

/// When a user's calls go elsewhere (SPEC 9.3). Empty numbers are `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forward {
    /// Always.
    pub unconditional: Option<String>,
    /// On 486 or 600.
    pub busy: Option<String>,
    /// After `after` without an answer.
    pub no_answer: Option<String>,
    /// Without a phone that can be reached.
    pub unreachable: Option<String>,
    /// The extension where all calls ring instead; the file has no key for it (`FollowMeTo`).
    pub follow_me: Option<String>,
    /// From the INVITE's sending.
    pub after: Duration,
}

impl Default for Forward {
    fn default() -> Self {
        let (unconditional, busy, no_answer, unreachable, follow_me) = (None, None, None, None, None);
        Self { unconditional, busy, no_answer, unreachable, follow_me, after: Duration::from_secs(15) }
    }
}

/// A user at the home site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The number.
    pub extension: Extension,
    /// The display name; the extension where none is given.
    pub name: String,
    /// Digest credentials.
    pub credentials: Credentials,
    /// The PIN for login by dialling.
    pub login_code: Option<LoginCode>,
    /// The licence type, a key of `[profiles]`.
    pub profile: String,
    /// The calling number on trunks.
    pub caller_id: Option<String>,
    /// The user rights in force while `time_profile` is active.
    pub rights: Option<String>,
    /// Without one, `rights` is always in force.
    pub time_profile: Option<String>,
    /// The rights outside the time profile.
    pub out_of_hours_rights: Option<String>,
    /// No external calls.
    pub outgoing_bar: bool,
    /// Calls get 486.
    pub do_not_disturb: bool,
    /// 1 low … 5 high.
    pub priority: u8,
    /// Forwards.
    pub forward: Forward,
    /// The user's own short codes, which travel.
    pub short_codes: Vec<ShortCodeRow>,
    /// Where the user stands in the files.
    pub origin: Origin,
}

impl User {
    /// A user with that number and profile, and default settings.
    pub fn plain(extension: Extension, profile: &str) -> Self {
        Self {
            name: extension.to_string(),
            extension,
            credentials: Credentials::default(),
            login_code: None,
            profile: profile.to_owned(),
            caller_id: None,
            rights: None,
            time_profile: None,
            out_of_hours_rights: None,
            outgoing_bar: false,
            do_not_disturb: false,
            priority: 5,
            forward: Forward::default(),
            short_codes: Vec::new(),
            origin: Origin::default(),
        }
    }
}

/// A shared desk with no user of its own: it may dial emergency numbers and log in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Desk {
    /// The digest username.
    pub id: String,
    /// Digest credentials.
    pub credentials: Credentials,
    /// Where it stands.
    pub origin: Origin,
}
