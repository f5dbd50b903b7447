//! Nonces that prove themselves: nothing is kept between the challenge and its answer.
//!
//! A nonce is base64url of 6 bytes time of issue (milliseconds, big-endian), 8 random bytes, and the first 16 bytes of
//! BLAKE3, keyed for this process, over both and the realm. Only this process reads them: the form may change.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq;

use crate::ids::Entropy;
use crate::timing::Wall;

const STAMP: usize = 14;
const MAC: usize = 16;
const TEXT: usize = (STAMP + MAC) * 4 / 3;

/// How far ahead of the clock a nonce of ours may be, after the clock was set back.
const AHEAD: Duration = Duration::from_secs(60);

/// Which nonce, and since when; ordered by time of issue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NonceId {
    /// When it was issued.
    pub issued: Wall,
    random: [u8; 8],
}

/// Issues nonces, and knows its own again.
#[derive(Clone)]
pub struct Nonces {
    key: [u8; 32],
    life: Duration,
}

impl Nonces {
    /// Nonces for one realm that live so long, known by a secret seed.
    pub fn new(seed: [u8; 32], realm: &str, life: Duration) -> Self {
        let key =
            *blake3::Hasher::new_keyed(&seed).update(b"hotdesk nonce").update(realm.as_bytes()).finalize().as_bytes();
        Self { key, life }
    }

    /// From now on nonces live so long, those already issued too.
    pub fn set_life(&mut self, life: Duration) {
        self.life = life;
    }

    /// A new one: 40 characters of base64url.
    pub fn issue(&self, now: Wall, entropy: &mut Entropy) -> String {
        let mut bytes = [0; STAMP + MAC];
        let (stamp, mac) = bytes.split_at_mut(STAMP);
        stamp[..6].copy_from_slice(&now.0.to_be_bytes()[2..]);
        stamp[6..].copy_from_slice(&entropy.bytes::<8>());
        mac.copy_from_slice(&self.mac(stamp));
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The nonce, if this is one of ours that still lives.
    pub fn open(&self, now: Wall, text: &[u8]) -> Option<NonceId> {
        if text.len() != TEXT {
            return None;
        }
        let bytes: [u8; STAMP + MAC] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
        let (stamp, mac) = bytes.split_first_chunk::<STAMP>()?;
        if !bool::from(self.mac(stamp).ct_eq(mac)) {
            return None;
        }
        let (time, random) = stamp.split_first_chunk::<6>()?;
        let issued = Wall(time.iter().fold(0, |sum, &byte| sum << 8 | u64::from(byte)));
        let lives = now.since(issued) <= self.life && issued.since(now) <= AHEAD;
        lives.then_some(NonceId { issued, random: random.try_into().ok()? })
    }

    /// A nonce that is good now was issued between these.
    pub fn span(&self, now: Wall) -> (Wall, Wall) {
        (Wall(now.0.saturating_sub(self.life.as_millis() as u64)), now.plus(AHEAD))
    }

    fn mac(&self, stamp: &[u8]) -> [u8; MAC] {
        let mut mac = [0; MAC];
        blake3::Hasher::new_keyed(&self.key).update(stamp).finalize_xof().fill(&mut mac);
        mac
    }
}

impl std::fmt::Debug for Nonces {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Nonces({:?})", self.life)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Wall = Wall(1_790_000_000_000);
    const LIFE: Duration = Duration::from_secs(300);

    fn nonces() -> Nonces {
        Nonces::new([1; 32], "hotdesk.example", LIFE)
    }

    #[test]
    fn a_nonce_is_known_again_until_its_life_ends() {
        let text = nonces().issue(NOW, &mut Entropy::new([2; 32]));
        assert_eq!(text.len(), TEXT);
        let end = NOW.plus(LIFE);
        assert_eq!(nonces().open(end, text.as_bytes()).map(|id| id.issued), Some(NOW));
        assert_eq!(nonces().open(Wall(end.0 + 1), text.as_bytes()), None);
        assert!(nonces().open(Wall(NOW.0 - 60_000), text.as_bytes()).is_some());
        assert_eq!(nonces().open(Wall(NOW.0 - 60_001), text.as_bytes()), None);
    }

    #[test]
    fn each_is_new_and_none_is_known_to_another_process_or_realm() {
        let mut entropy = Entropy::new([2; 32]);
        let (a, b) = (nonces().issue(NOW, &mut entropy), nonces().issue(NOW, &mut entropy));
        assert_ne!(a, b);
        assert_eq!(Nonces::new([3; 32], "hotdesk.example", LIFE).open(NOW, a.as_bytes()), None);
        assert_eq!(Nonces::new([1; 32], "other.example", LIFE).open(NOW, a.as_bytes()), None);
    }

    proptest! {
        #[test]
        fn no_changed_nonce_is_taken(at in 0..TEXT, with in "[A-Za-z0-9_-]") {
            let text = nonces().issue(NOW, &mut Entropy::new([2; 32]));
            let mut changed = text.clone();
            changed.replace_range(at..=at, &with);
            prop_assert_eq!(nonces().open(NOW, changed.as_bytes()).is_some(), changed == text);
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            prop_assert_eq!(nonces().open(NOW, &bytes), None);
        }
    }
}
