//! The door for requests of other sites: token, then replay (SPEC 11.2).

use super::keys::{Keyring, PairKeys};
use super::replay::Replay;
use super::token::{Bound, Refused, Token, verify};
use crate::ids::{BootId, SiteNumber};
use crate::timing::Wall;

/// What one site needs to judge tokens. A request that is a copy by transaction matching must not come here.
#[derive(Debug)]
pub struct Gate {
    keys: Keyring,
    boot: BootId,
    replay: Replay,
}

impl Gate {
    /// The door of a site with these keys, in this boot, which is not zero. The seeds must be secret.
    pub fn new(keys: Keyring, boot: BootId, seeds: [u64; 4]) -> Self {
        Self { keys, boot, replay: Replay::new(seeds, Replay::MOST) }
    }

    /// Takes over new keys; what was seen stays seen.
    pub fn configure(&mut self, keys: Keyring) {
        self.keys = keys;
    }

    /// Judges the token of a new request.
    pub fn admit(&mut self, now: Wall, text: &[u8], bound: &Bound<'_>) -> Result<Token, Refused> {
        let token = verify(&self.keys, self.boot, now, text, bound)?;
        if self.replay.is_first(now, token.envelope.from, token.envelope.at, bound) {
            Ok(token)
        } else {
            Err(Refused::Replay(token.into()))
        }
    }

    /// The keys for that site.
    pub fn pair(&self, peer: SiteNumber) -> Option<&PairKeys> {
        self.keys.pair(peer)
    }

    /// This site.
    pub fn own(&self) -> SiteNumber {
        self.keys.own()
    }

    /// Our boot id, for proofs of answers.
    pub fn boot(&self) -> BootId {
        self.boot
    }
}
