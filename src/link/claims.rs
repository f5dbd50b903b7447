//! What a token claims: the receiver believes this, never the other headers (SPEC 11.1).
//!
//! | tag | claim | value |
//! |---|---|---|
//! | 1 | purpose | 1 byte |
//! | 2 | login number | number |
//! | 3 | caller, a user | home site 2, extension |
//! | 4 | caller, an outsider | site of the trunk 2 |
//! | 5 | payer | home site 2, extension; empty: the caller |
//! | 6 | flags | number: 1 outgoing bar, 2 identity withheld, 4 emergency |
//! | 7 | name of the rights in force | at most 40 bytes |
//! | 8 | Break Out chain | site numbers of 2 bytes, in order |
//! | 9 | forwards so far | 1 byte |
//! | 10 | priority of the caller | 1 byte |
//! | 11 | asserted number or user | at most 40 bytes |
//! | 12 | asserted display name | what room is left, at least 16 bytes |
//! | 13 | origin of the Break Out chain | site 2; not there: the sender |
//!
//! A number has 0 to 8 bytes without leading zeros. Of a repeated tag the last counts.

use super::fields::{Fields, MUST, cut, number, put, put_number};
use super::token::Refused;
use crate::ids::{Extension, LoginNumber, SiteNumber};

/// What a request between sites is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Purpose {
    /// A request for a user of the sender who is logged in at the receiver (SPEC 9.2).
    Deliver,
    /// A request for an extension that the receiver owns.
    Extension,
    /// Digits to be dialled at the receiver (SPEC 6.8).
    BreakOut,
    /// A call handed back home to be forwarded (SPEC 9.3).
    Forward,
    /// A login (SPEC 5.2).
    Login,
    /// Leases (SPEC 5.3).
    Renew,
    /// A login ends (SPEC 5.7).
    Logout,
    /// Settings that changed (SPEC 5.11, 7.4).
    Settings,
    /// Is the receiver there? (SPEC 8.1)
    #[default]
    Probe,
    /// A login elsewhere displaced one at the receiver (SPEC 5.5).
    Displaced,
    /// One that this release does not know.
    Other(u8),
}

/// A user, by home site and extension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HomeUser {
    /// The home site.
    pub home: SiteNumber,
    /// At most 31 bytes.
    pub extension: Extension,
}

/// Who calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// A user of the network.
    User(HomeUser),
    /// Someone from a trunk of that site.
    Outsider(SiteNumber),
}

/// The identity that the sending site asserts (RFC 3325).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The number, or the user part; at most 40 bytes.
    pub user: String,
    /// The display name; empty if there is none. Cut where the header would grow too long.
    pub display: String,
}

/// The claims of a token. Nothing is claimed by default.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Claims {
    /// What the request is for.
    pub purpose: Purpose,
    /// Which login it speaks of.
    pub login: Option<LoginNumber>,
    /// Who calls.
    pub caller: Option<Caller>,
    /// Whose calls count and whose profile decides; often the caller.
    pub payer: Option<HomeUser>,
    /// The caller may make no external calls.
    pub barred: bool,
    /// The name of the user rights in force for the caller, at most 40 bytes: compare it by [`is_named`].
    pub rights: Option<String>,
    /// The sites of the Break Out steps so far, in order; at most 6.
    pub chain: Vec<SiteNumber>,
    /// Where the caller's phone is, if the chain did not begin at the sender.
    pub origin: Option<SiteNumber>,
    /// How often the call was forwarded.
    pub forwards: u8,
    /// The caller's priority, 1 to 5.
    pub priority: Option<u8>,
    /// Who the caller is towards others.
    pub identity: Option<Identity>,
    /// `Privacy: id`: the identity is not shown beyond the network.
    pub withheld: bool,
    /// An emergency call.
    pub emergency: bool,
}

/// Longest extension, in bytes.
const EXTENSION: usize = 31;
/// Longest name of rights, and longest asserted user, in bytes.
const NAME: usize = 40;
/// Most sites in a chain; the sixth is refused with 482 before (SPEC 6.8).
const CHAIN: usize = 6;

/// Whether a claimed name, which may be cut, is that of `name`.
pub fn is_named(claimed: &str, name: &str) -> bool {
    claimed == cut(name, NAME)
}

impl Purpose {
    fn code(self) -> u8 {
        match self {
            Purpose::Deliver => 1,
            Purpose::Extension => 2,
            Purpose::BreakOut => 3,
            Purpose::Forward => 4,
            Purpose::Login => 5,
            Purpose::Renew => 6,
            Purpose::Logout => 7,
            Purpose::Settings => 8,
            Purpose::Probe => 9,
            Purpose::Displaced => 10,
            Purpose::Other(code) => code,
        }
    }

    fn of(code: u8) -> Self {
        match code {
            1 => Purpose::Deliver,
            2 => Purpose::Extension,
            3 => Purpose::BreakOut,
            4 => Purpose::Forward,
            5 => Purpose::Login,
            6 => Purpose::Renew,
            7 => Purpose::Logout,
            8 => Purpose::Settings,
            9 => Purpose::Probe,
            10 => Purpose::Displaced,
            other => Purpose::Other(other),
        }
    }
}

impl Claims {
    /// Claims for a purpose and nothing else.
    pub fn of(purpose: Purpose) -> Self {
        Self { purpose, ..Self::default() }
    }

    /// Appends the fields, in all at most `room` bytes; the display name gives way.
    pub(super) fn write(&self, out: &mut Vec<u8>, room: usize) {
        let end = out.len() + room;
        put(out, 1, &[self.purpose.code()]);
        if let Some(login) = self.login {
            put_number(out, 2, login.0);
        }
        match &self.caller {
            Some(Caller::User(user)) => put_user(out, 3, user),
            Some(Caller::Outsider(site)) => put(out, 4, &site.0.to_be_bytes()),
            None => {}
        }
        match (&self.payer, &self.caller) {
            (Some(payer), Some(Caller::User(caller))) if payer == caller => put(out, 5, &[]),
            (Some(payer), _) => put_user(out, 5, payer),
            (None, _) => {}
        }
        let flags = u64::from(self.barred) | u64::from(self.withheld) << 1 | u64::from(self.emergency) << 2;
        if flags != 0 {
            put_number(out, 6, flags);
        }
        if let Some(rights) = &self.rights {
            put(out, 7, cut(rights, NAME).as_bytes());
        }
        if !self.chain.is_empty() {
            let sites: Vec<u8> = self.chain.iter().take(CHAIN).flat_map(|site| site.0.to_be_bytes()).collect();
            put(out, 8, &sites);
        }
        if let Some(origin) = self.origin {
            put(out, 13, &origin.0.to_be_bytes());
        }
        if self.forwards > 0 {
            put(out, 9, &[self.forwards]);
        }
        if let Some(priority) = self.priority {
            put(out, 10, &[priority]);
        }
        if let Some(Identity { user, display }) = &self.identity {
            put(out, 11, cut(user, NAME).as_bytes());
            let display = cut(display, end.saturating_sub(out.len() + 2));
            if !display.is_empty() {
                put(out, 12, display.as_bytes());
            }
        }
    }

    /// Reads fields that a MAC has proven.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Refused> {
        let mut claims = Self::of(Purpose::Other(0));
        let mut paid_by_caller = false;
        for field in Fields(bytes) {
            let (tag, value) = field.map_err(|_| Refused::NotAToken)?;
            match tag {
                5 if value.is_empty() => paid_by_caller = true,
                1..=13 => claims.take(tag, value).ok_or(Refused::NotAToken)?,
                MUST.. => return Err(Refused::NotUnderstood(tag)),
                _ => {}
            }
        }
        if let (true, Some(Caller::User(caller))) = (paid_by_caller, &claims.caller) {
            claims.payer = Some(caller.clone());
        }
        Ok(claims)
    }

    fn take(&mut self, tag: u8, value: &[u8]) -> Option<()> {
        match tag {
            1 => self.purpose = Purpose::of(*value.first()?),
            2 => self.login = Some(LoginNumber(number(value)?)),
            3 => self.caller = Some(Caller::User(user(value)?)),
            4 => self.caller = Some(Caller::Outsider(site(value.try_into().ok()?))),
            5 => self.payer = Some(user(value)?),
            6 => {
                let flags = number(value)?;
                (self.barred, self.withheld, self.emergency) = (flags & 1 != 0, flags & 2 != 0, flags & 4 != 0);
            }
            7 => self.rights = Some(text(value)?),
            8 if value.len().is_multiple_of(2) => {
                self.chain = value.chunks_exact(2).map(|pair| site([pair[0], pair[1]])).collect()
            }
            8 => return None,
            9 => self.forwards = *value.first()?,
            10 => self.priority = Some(*value.first()?),
            11 => self.asserted().user = text(value)?,
            12 => self.asserted().display = text(value)?,
            13 => self.origin = Some(site(value.try_into().ok()?)),
            _ => {}
        }
        Some(())
    }

    fn asserted(&mut self) -> &mut Identity {
        self.identity.get_or_insert_with(|| Identity { user: String::new(), display: String::new() })
    }
}

fn put_user(out: &mut Vec<u8>, tag: u8, user: &HomeUser) {
    let extension = cut(user.extension.as_str(), EXTENSION).as_bytes();
    out.extend_from_slice(&[tag, extension.len() as u8 + 2]);
    out.extend_from_slice(&user.home.0.to_be_bytes());
    out.extend_from_slice(extension);
}

fn user(value: &[u8]) -> Option<HomeUser> {
    let (home, extension) = value.split_first_chunk::<2>()?;
    let extension = std::str::from_utf8(extension).ok().filter(|text| !text.is_empty())?;
    Some(HomeUser { home: site(*home), extension: Extension::new(extension) })
}

fn site(bytes: [u8; 2]) -> SiteNumber {
    SiteNumber(u16::from_be_bytes(bytes))
}

fn text(value: &[u8]) -> Option<String> {
    std::str::from_utf8(value).ok().map(str::to_owned)
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Everything at its longest.
    pub(crate) fn longest() -> Claims {
        let user =
            |home, last: &str| HomeUser { home: SiteNumber(home), extension: Extension::new("9".repeat(30) + last) };
        Claims {
            purpose: Purpose::Forward,
            login: Some(LoginNumber(u64::MAX)),
            caller: Some(Caller::User(user(9999, "1"))),
            payer: Some(user(9998, "2")),
            barred: true,
            rights: Some("r".repeat(40)),
            chain: (1..=6).map(|n| SiteNumber(n * 1111)).collect(),
            origin: Some(SiteNumber(7777)),
            forwards: 5,
            priority: Some(5),
            identity: Some(Identity { user: "+".repeat(40), display: "é".repeat(200) }),
            withheld: true,
            emergency: true,
        }
    }

    fn back(claims: &Claims, room: usize) -> Claims {
        let mut out = Vec::new();
        claims.write(&mut out, room);
        assert!(out.len() <= room, "{} of {room} bytes", out.len());
        Claims::read(&out).expect("what was written")
    }

    #[test]
    fn the_longest_claims_keep_all_but_the_end_of_the_display_name() {
        let claims = longest();
        let read = back(&claims, 213);
        let display = &read.identity.as_ref().expect("an identity").display;
        assert!(display.len() >= 16 && claims.identity.as_ref().expect("an identity").display.starts_with(display));
        let cut = Claims { identity: Some(Identity { display: display.clone(), user: "+".repeat(40) }), ..claims };
        assert_eq!(read, cut);
    }

    #[test]
    fn what_is_not_claimed_takes_no_room() {
        let mut out = Vec::new();
        Claims::of(Purpose::Probe).write(&mut out, 213);
        assert_eq!(out, [1, 1, 9]);
        assert_eq!(back(&Claims::of(Purpose::Probe), 213), Claims::of(Purpose::Probe));
    }

    #[test]
    fn long_names_are_cut_alike_on_both_sides() {
        let name = "é".repeat(30);
        let read = back(&Claims { rights: Some(name.clone()), ..Claims::default() }, 213);
        let claimed = read.rights.expect("rights");
        assert!(claimed.len() == 40 && is_named(&claimed, &name) && !is_named(&claimed, "é"));
        assert!(is_named("office", "office") && !is_named("office", "office2"));
    }

    #[test]
    fn unknown_claims_are_skipped_unless_they_must_be_understood() {
        let mut out = Vec::new();
        Claims::of(Purpose::Login).write(&mut out, 213);
        put(&mut out, 99, b"of a later release");
        put(&mut out, 1, &[200, 1, 2]);
        assert_eq!(Claims::read(&out), Ok(Claims::of(Purpose::Other(200))));
        put(&mut out, 128, b"");
        assert_eq!(Claims::read(&out), Err(Refused::NotUnderstood(128)));
    }

    #[test]
    fn a_torn_claim_is_none() {
        for bytes in [
            &[1u8][..],
            &[1, 0],
            &[2, 9, 0, 0, 0, 0, 0, 0, 0, 0, 1],
            &[3, 2, 0, 1],
            &[8, 3, 0, 1, 0],
            &[7, 1, 0xff],
            &[13, 1, 7],
        ] {
            assert_eq!(Claims::read(bytes), Err(Refused::NotAToken), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = Claims::read(&bytes);
        }
    }
}
