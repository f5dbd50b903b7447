//! The token of a request between sites (SPEC 11.1): who asks whom, when, and what is claimed, bound to this very request.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::claims::Claims;
use super::fields::{array, millis, put_millis};
use super::keys::{KeyId, Keyring, Mac, PairKeys, Receipt};
use super::peer::Mistrust;
use crate::ids::{BootId, SiteNumber};
use crate::timing::Wall;

/// The header that carries tokens and proofs of answers.
pub const HEADER: &str = "Hotdesk-Link";

const VERSION: u8 = 1;
const HEAD: usize = 1 + 2 + 2 + 2 + 8 + 6;
/// So that the header line, with its name and CRLF, has at most 350 bytes (SPEC 9.11).
pub(super) const TEXT: usize = 350 - HEADER.len() - ": \r\n".len();
const BYTES: usize = TEXT * 3 / 4;
const ROOM: usize = BYTES - HEAD - Mac::BYTES;
/// How old or new a token may be, in milliseconds (SPEC 11.2).
pub(super) const FRESH: u64 = 30_000;

/// What of the request the token is bound to, byte for byte as sent.
#[derive(Clone, Copy, Debug)]
pub struct Bound<'a> {
    /// The method.
    pub method: &'a [u8],
    /// The Call-ID.
    pub call_id: &'a [u8],
    /// The number in CSeq.
    pub cseq: u32,
    /// The Request-URI.
    pub request_uri: &'a [u8],
    /// The branch of the sending site's Via, the topmost at the receiver.
    pub branch: &'a [u8],
}

/// From whom to whom, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The sending site.
    pub from: SiteNumber,
    /// The receiving site.
    pub to: SiteNumber,
    /// The receiver's boot id as far as known; zero is always refused with the present one.
    pub boot: BootId,
    /// The sender's clock.
    pub at: Wall,
}

/// A token to send.
#[derive(Clone, Debug)]
pub struct Minted {
    /// The header's value, at most 334 characters.
    pub text: String,
    /// To be kept until the answer.
    pub receipt: Receipt,
}

/// A token received, proven and for us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// From whom to whom, and when.
    pub envelope: Envelope,
    /// What is claimed.
    pub claims: Claims,
    /// What the answer is bound to.
    pub receipt: Receipt,
}

/// Why a token is not believed. The last three are proven: the answer may be proven in turn.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No base64url, too long, torn, or of another version.
    #[error("not a link token")]
    NotAToken,
    /// A later release claims something that must be understood; the tag.
    #[error("the link token has a claim of a later release, number {0}")]
    NotUnderstood(u8),
    /// We are not the receiver.
    #[error("the link token is for site {0}")]
    NotForUs(SiteNumber),
    /// No such site, or no secret shared with it.
    #[error("the link token is from site {0}, which shares no secret with this one")]
    UnknownSender(SiteNumber),
    /// Made with a secret that we do not have.
    #[error("site {0} uses another link secret")]
    UnknownKey(SiteNumber),
    /// Forged or altered.
    #[error("the link token does not prove this request of site {0}")]
    BadMac(SiteNumber),
    /// Older or newer than 30 s by our clock: answer with ours.
    #[error("the link token is not fresh")]
    Stale(Box<Token>),
    /// Made for another boot of ours, or for none: answer with the present one.
    #[error("the link token is for another start of this site")]
    OtherBoot(Box<Token>),
    /// Seen before.
    #[error("the link token was used before")]
    Replay(Box<Token>),
}

/// Makes a token with the current keys.
pub fn mint(keys: &PairKeys, envelope: &Envelope, claims: &Claims, bound: &Bound<'_>) -> Minted {
    let generation = keys.current();
    let mut bytes = Vec::with_capacity(BYTES);
    bytes.push(VERSION);
    bytes.extend_from_slice(&generation.id().0.to_be_bytes());
    bytes.extend_from_slice(&envelope.from.0.to_be_bytes());
    bytes.extend_from_slice(&envelope.to.0.to_be_bytes());
    bytes.extend_from_slice(&envelope.boot.0.to_be_bytes());
    put_millis(&mut bytes, envelope.at.0);
    claims.write(&mut bytes, ROOM);
    let mac = generation.ours.token.mac(&bound.parts(&bytes, &bound.cseq.to_be_bytes()));
    bytes.extend_from_slice(&mac.0);
    debug_assert!(bytes.len() <= BYTES, "claims leave room for the rest");
    Minted { text: URL_SAFE_NO_PAD.encode(&bytes), receipt: Receipt { key: generation.id(), mac } }
}

/// Reads and checks a token, except for replay: that it is for us, proves this request, is fresh, and of our present boot.
pub fn verify(keys: &Keyring, boot: BootId, now: Wall, text: &[u8], bound: &Bound<'_>) -> Result<Token, Refused> {
    let mut buffer = [0; BYTES + 3];
    let bytes = decode(text, TEXT, &mut buffer).ok_or(Refused::NotAToken)?;
    let (signed, mac) = bytes.split_last_chunk::<{ Mac::BYTES }>().ok_or(Refused::NotAToken)?;
    let (key, envelope, fields) = head(signed).ok_or(Refused::NotAToken)?;
    if envelope.to != keys.own() {
        return Err(Refused::NotForUs(envelope.to));
    }
    let pair = keys.pair(envelope.from).ok_or(Refused::UnknownSender(envelope.from))?;
    let mut generations = pair.of(key).peekable();
    generations.peek().ok_or(Refused::UnknownKey(envelope.from))?;
    let (mac, cseq) = (Mac(*mac), bound.cseq.to_be_bytes());
    let parts = bound.parts(signed, &cseq);
    if !generations.any(|generation| generation.theirs.token.mac(&parts) == mac) {
        return Err(Refused::BadMac(envelope.from));
    }
    let token = Token { envelope, claims: Claims::read(fields)?, receipt: Receipt { key, mac } };
    if envelope.at.0.abs_diff(now.0) > FRESH {
        return Err(Refused::Stale(token.into()));
    }
    // Zero is no boot of anyone's: what it was sent before a restart can't be told.
    if envelope.boot != boot || boot == BootId(0) {
        return Err(Refused::OtherBoot(token.into()));
    }
    Ok(token)
}

/// Decodes base64url of at most `most` characters.
pub(super) fn decode<'b>(text: &[u8], most: usize, buffer: &'b mut [u8]) -> Option<&'b [u8]> {
    if text.len() > most {
        return None;
    }
    let length = URL_SAFE_NO_PAD.decode_slice(text, buffer).ok()?;
    buffer.get(..length)
}

fn head(mut rest: &[u8]) -> Option<(KeyId, Envelope, &[u8])> {
    let rest = &mut rest;
    if array(rest)? != [VERSION] {
        return None;
    }
    let key = KeyId(u16::from_be_bytes(array(rest)?));
    let envelope = Envelope {
        from: SiteNumber(u16::from_be_bytes(array(rest)?)),
        to: SiteNumber(u16::from_be_bytes(array(rest)?)),
        boot: BootId(u64::from_be_bytes(array(rest)?)),
        at: Wall(millis(rest)?),
    };
    Some((key, envelope, rest))
}

impl<'a> Bound<'a> {
    fn parts(&self, signed: &'a [u8], cseq: &'a [u8]) -> [&'a [u8]; 6] {
        [signed, self.method, self.call_id, cseq, self.request_uri, self.branch]
    }
}

impl Refused {
    /// The token, where the sender is proven and may be told why.
    pub fn proven(&self) -> Option<&Token> {
        match self {
            Refused::Stale(token) | Refused::OtherBoot(token) | Refused::Replay(token) => Some(token),
            Refused::NotAToken
            | Refused::NotUnderstood(_)
            | Refused::NotForUs(_)
            | Refused::UnknownSender(_)
            | Refused::UnknownKey(_)
            | Refused::BadMac(_) => None,
        }
    }

    /// The site in whose name it comes, and why it is not believed: it is for us, and that site shares a secret with us. Anybody can
    /// write such a token.
    pub fn mistrusts(&self) -> Option<(SiteNumber, Mistrust)> {
        match self {
            Refused::UnknownKey(site) => Some((*site, Mistrust::OtherSecret)),
            Refused::BadMac(site) => Some((*site, Mistrust::Unproven)),
            Refused::NotAToken
            | Refused::NotUnderstood(_)
            | Refused::NotForUs(_)
            | Refused::UnknownSender(_)
            | Refused::Stale(_)
            | Refused::OtherBoot(_)
            | Refused::Replay(_) => None,
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
