//! The proof on an answer between sites (SPEC 11.2, 11.4): it is the asked site's, to this very request, with this status.
//!
//! | tag | field | value |
//! |---|---|---|
//! | 1 | cause | 1 byte: 1 other boot, 2 clock, 3 the user is not here |
//! | 2 | the body is covered | empty |
//! | 3 | release of the sender | at most 32 bytes |
//! | 4 | hash of the network's configuration | 8 bytes |
//! | 5 | what is dialled for help at the sender | numbers with a blank between, at most 128 bytes |
//!
//! The MAC is over the header's bytes, the MAC of the request's token, the status in 2 bytes, and the body if covered.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::fields::{Fields, MUST, array, cut, millis, put, put_millis};
use super::keys::{KeyId, Mac, PairKeys, Receipt};
use super::token::{TEXT, decode};
use crate::ids::BootId;
use crate::timing::Wall;

const VERSION: u8 = 1;
const BUFFER: usize = TEXT * 3 / 4 + 3;
const RELEASE: usize = 32;
/// Most bytes of the numbers that are dialled for help; more of them are not told.
const HELP: usize = 128;

/// What a program, not a person, must know about an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The token was made for another boot: take the answer's and ask again (SPEC 11.1).
    OtherBoot,
    /// The token was not fresh: the clocks differ.
    Clock,
    /// The user is not logged in here (SPEC 9.2).
    NotHere,
    /// An emergency number of this site, which the phone's own site must dial (SPEC 6.7).
    EmergencyAtOrigin,
    /// One that this release does not know.
    Other(u8),
}

/// What an answer says beside its status.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// The answering site's boot id.
    pub boot: BootId,
    /// Its clock.
    pub clock: Wall,
    /// Why, where the status does not say it.
    pub cause: Option<Cause>,
    /// Its release, at most 32 bytes; in answers to probes.
    pub release: Option<String>,
    /// The hash of its network table; in answers to probes.
    pub network: Option<[u8; 8]>,
    /// What is dialled for help there, with a blank between (SPEC 6.7); in answers to probes.
    pub help: Option<Help>,
}

/// The numbers that are dialled for help at a site, so that they are known behind a Break Out prefix while it is away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Help(Box<str>);

impl Help {
    /// The first of these numbers, as far as there is room for them.
    pub fn new(numbers: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let mut text = String::new();
        for number in numbers {
            let number = number.as_ref();
            if text.len() + 1 + number.len() > HELP {
                break;
            }
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(number);
        }
        Self(text.into())
    }

    /// Whether this is one of them.
    pub fn is_dialled_by(&self, digits: &str) -> bool {
        self.0.split(' ').any(|number| !number.is_empty() && number == digits)
    }
}

/// A proven answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven {
    /// What it says.
    pub answer: Answer,
    /// The body is proven too.
    pub covers_body: bool,
}

/// Why an answer proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unproven {
    /// No base64url, too long, torn, or of another version.
    #[error("not the proof of an answer")]
    NotAProof,
    /// A later release says something that must be understood; the tag.
    #[error("the answer's proof has a field of a later release, number {0}")]
    NotUnderstood(u8),
    /// Of another site, for another request, with another status or body.
    #[error("the answer's proof is not for this answer")]
    BadMac,
}

impl Answer {
    /// The header's value for an answer to the request with that receipt. `body`: sealed bodies and others that count.
    pub fn prove(&self, keys: &PairKeys, request: &Receipt, status: u16, body: Option<&[u8]>) -> String {
        // The secret that the request used, which the asking site surely has.
        let generation = keys.of(request.key).next().unwrap_or(keys.current());
        let mut bytes = Vec::with_capacity(96);
        bytes.push(VERSION);
        bytes.extend_from_slice(&generation.id().0.to_be_bytes());
        bytes.extend_from_slice(&self.boot.0.to_be_bytes());
        put_millis(&mut bytes, self.clock.0);
        if let Some(cause) = self.cause {
            put(&mut bytes, 1, &[cause.code()]);
        }
        if body.is_some() {
            put(&mut bytes, 2, &[]);
        }
        if let Some(release) = &self.release {
            put(&mut bytes, 3, cut(release, RELEASE).as_bytes());
        }
        if let Some(network) = &self.network {
            put(&mut bytes, 4, network);
        }
        if let Some(Help(numbers)) = &self.help {
            put(&mut bytes, 5, numbers.as_bytes());
        }
        let mac = generation.ours.answer.mac(&parts(&bytes, request, &status.to_be_bytes(), body));
        bytes.extend_from_slice(&mac.0);
        URL_SAFE_NO_PAD.encode(&bytes)
    }

    /// Reads and checks the header of an answer with that status and body to the request with that receipt.
    pub fn check(
        keys: &PairKeys,
        request: &Receipt,
        status: u16,
        text: &[u8],
        body: &[u8],
    ) -> Result<Proven, Unproven> {
        let mut buffer = [0; BUFFER];
        let bytes = decode(text, TEXT, &mut buffer).ok_or(Unproven::NotAProof)?;
        let (signed, mac) = bytes.split_last_chunk::<{ Mac::BYTES }>().ok_or(Unproven::NotAProof)?;
        let (key, boot, clock, fields) = head(signed).ok_or(Unproven::NotAProof)?;
        let covers_body = Fields(fields).any(|field| matches!(field, Ok((2, _))));
        let status = status.to_be_bytes();
        let parts = parts(signed, request, &status, covers_body.then_some(body));
        if !keys.of(key).any(|generation| generation.theirs.answer.mac(&parts) == Mac(*mac)) {
            return Err(Unproven::BadMac);
        }
        let answer = Answer { boot, clock, ..Answer::read(fields)? };
        Ok(Proven { answer, covers_body })
    }

    fn read(fields: &[u8]) -> Result<Self, Unproven> {
        let mut answer = Self::default();
        for field in Fields(fields) {
            let (tag, value) = field.map_err(|_| Unproven::NotAProof)?;
            match tag {
                1 => answer.cause = value.first().map(|&code| Cause::of(code)),
                3 => answer.release = std::str::from_utf8(value).ok().map(str::to_owned),
                4 => answer.network = value.try_into().ok(),
                5 => answer.help = std::str::from_utf8(value).ok().map(|numbers| Help(numbers.into())),
                MUST.. => return Err(Unproven::NotUnderstood(tag)),
                _ => {}
            }
        }
        Ok(answer)
    }
}

impl Cause {
    fn code(self) -> u8 {
        match self {
            Cause::OtherBoot => 1,
            Cause::Clock => 2,
            Cause::NotHere => 3,
            Cause::EmergencyAtOrigin => 4,
            Cause::Other(code) => code,
        }
    }

    fn of(code: u8) -> Self {
        match code {
            1 => Cause::OtherBoot,
            2 => Cause::Clock,
            3 => Cause::NotHere,
            4 => Cause::EmergencyAtOrigin,
            other => Cause::Other(other),
        }
    }
}

fn head(mut rest: &[u8]) -> Option<(KeyId, BootId, Wall, &[u8])> {
    let rest = &mut rest;
    if array(rest)? != [VERSION] {
        return None;
    }
    let key = KeyId(u16::from_be_bytes(array(rest)?));
    let boot = BootId(u64::from_be_bytes(array(rest)?));
    Some((key, boot, Wall(millis(rest)?), rest))
}

fn parts<'a>(signed: &'a [u8], request: &'a Receipt, status: &'a [u8], body: Option<&'a [u8]>) -> [&'a [u8]; 4] {
    [signed, &request.mac.0, status, body.unwrap_or_default()]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::link::keys::tests::both;

    fn receipt(keys: &PairKeys) -> Receipt {
        Receipt { key: keys.current().id(), mac: Mac([7; 16]) }
    }

    fn answer() -> Answer {
        Answer {
            boot: BootId(0x1122_3344_5566_7788),
            clock: Wall(1_790_000_000_000),
            cause: Some(Cause::NotHere),
            release: Some("0.1.0".into()),
            network: Some([9; 8]),
            help: Some(Help::new(["112", "999"])),
        }
    }

    #[test]
    fn as_many_numbers_for_help_are_told_as_there_is_room_for() {
        let many: Vec<String> = (100..200).map(|number: u32| number.to_string()).collect();
        let help = Help::new(&many);
        assert!(help.is_dialled_by("100") && help.is_dialled_by("131") && !help.is_dialled_by("132"));
        assert!(!help.is_dialled_by("") && !help.is_dialled_by("10") && !Help::default().is_dialled_by(""));
        let (_, paris) = both((1, None), (1, None));
        let told = Answer { help: Some(help), release: Some("x".repeat(40)), ..answer() };
        assert!(told.prove(&paris, &receipt(&paris), 200, Some(b"")).len() <= TEXT, "an answer keeps its bound");
    }

    #[test]
    fn what_one_site_proves_the_other_believes() {
        let (london, paris) = both((1, None), (1, None));
        let text = answer().prove(&paris, &receipt(&paris), 404, None);
        assert!(text.len() <= TEXT, "{}", text.len());
        let proven = Answer::check(&london, &receipt(&london), 404, text.as_bytes(), b"any");
        assert_eq!(proven, Ok(Proven { answer: answer(), covers_body: false }));
        let text = Answer::default().prove(&paris, &receipt(&paris), 200, Some(b"sealed"));
        let proven = Answer::check(&london, &receipt(&london), 200, text.as_bytes(), b"sealed");
        assert_eq!(proven, Ok(Proven { answer: Answer::default(), covers_body: true }));
    }

    #[test]
    fn all_that_is_bound_counts() {
        let (london, paris) = both((1, None), (1, None));
        let right = receipt(&london);
        let text = answer().prove(&paris, &right, 200, Some(b"sealed"));
        let check = |keys: &PairKeys, receipt, status, text: &str, body: &[u8]| {
            Answer::check(keys, &receipt, status, text.as_bytes(), body)
        };
        assert!(check(&london, right, 200, &text, b"sealed").is_ok());
        let bad = Err(Unproven::BadMac);
        assert_eq!(check(&london, Receipt { mac: Mac([8; 16]), ..right }, 200, &text, b"sealed"), bad);
        assert_eq!(check(&london, right, 202, &text, b"sealed"), bad);
        assert_eq!(check(&london, right, 200, &text, b"sealeD"), bad);
        assert_eq!(check(&both((2, None), (2, None)).0, right, 200, &text, b"sealed"), bad);
        // One's own answer comes back.
        assert_eq!(check(&paris, right, 200, &text, b"sealed"), bad);
        let own = answer().prove(&london, &right, 200, None);
        assert_eq!(check(&london, right, 200, &own, b""), bad);
    }

    #[test]
    fn a_request_by_the_previous_secret_is_answered_by_it() {
        let (london, paris) = both((1, None), (2, Some(1)));
        let text = answer().prove(&paris, &receipt(&london), 200, None);
        assert!(Answer::check(&london, &receipt(&london), 200, text.as_bytes(), b"").is_ok());
    }

    proptest! {
        #[test]
        fn no_changed_byte_is_believed(at in 0usize..200, bit in 0u8..8) {
            let (london, paris) = both((1, None), (1, None));
            let text = answer().prove(&paris, &receipt(&paris), 404, None);
            let mut bytes = URL_SAFE_NO_PAD.decode(text).expect("base64url");
            let at = at % bytes.len();
            bytes[at] ^= 1 << bit;
            let text = URL_SAFE_NO_PAD.encode(bytes);
            prop_assert!(Answer::check(&london, &receipt(&london), 404, text.as_bytes(), b"").is_err());
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
            let (london, _) = both((1, None), (1, None));
            let _ = Answer::read(&bytes);
            prop_assert!(Answer::check(&london, &receipt(&london), 200, &bytes, b"").is_err());
            let text = URL_SAFE_NO_PAD.encode(bytes);
            prop_assert!(Answer::check(&london, &receipt(&london), 200, text.as_bytes(), b"").is_err());
        }
    }
}
