//! Keys of the links, all from the link secrets (SPEC 11.1).
//!
//! HKDF-SHA256 (RFC 5869) with the salt `hotdesk link 1`; the info is the use, a zero byte, the sending site's name, a zero
//! byte, the receiving site's name. So each pair, direction and use has its own key, and a site that answers uses a key
//! that the asking site never uses. The key id is 2 bytes from the same secret, only to find the right one.

use std::collections::BTreeMap;
use std::fmt;

use hkdf::Hkdf;
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::ids::{SiteName, SiteNumber};
use crate::settings::{Network, Secret};

/// Says which secret a key comes from; two secrets may share one by chance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyId(pub u16);

/// 32 secret bytes for one use.
#[derive(Clone, Copy)]
pub(super) struct Key([u8; 32]);

/// What proves that the holder of a key saw the same parts.
#[derive(Clone, Copy)]
pub(super) struct Mac(pub(super) [u8; Mac::BYTES]);

/// Which token a request carried: what an answer or a sealed body is bound to. The asking site keeps it with the transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The secret that the token was made with: the answer uses the same.
    pub key: KeyId,
    pub(super) mac: Mac,
}

/// The keys of this site for each other site.
#[derive(Clone, Debug)]
pub struct Keyring {
    own: SiteNumber,
    pairs: BTreeMap<SiteNumber, PairKeys>,
}

/// The keys of a pair of sites, seen from one of them.
#[derive(Clone, Debug)]
pub struct PairKeys {
    current: Generation,
    previous: Option<Generation>,
}

/// All keys of a pair from one secret.
#[derive(Clone)]
pub struct Generation {
    id: KeyId,
    pub(super) ours: Direction,
    pub(super) theirs: Direction,
}

/// The keys for what one of the two sends to the other.
#[derive(Clone)]
pub(super) struct Direction {
    pub(super) token: Key,
    pub(super) answer: Key,
    pub(super) seal: Key,
}

impl Keyring {
    /// The keys of site `own` for all sites that it shares a secret with. `None` if the network has no such site.
    pub fn new(network: &Network, own: &SiteName) -> Option<Self> {
        let here = network.sites.get(own)?;
        let pairs = network.sites.values().filter(|peer| peer.name != *own).filter_map(|peer| {
            let own_secret = here.link_secrets.get(&peer.name).or_else(|| peer.link_secrets.get(own));
            let (secret, previous) = match own_secret {
                // The network's secrets do not open a pair that has its own.
                Some(secret) => (secret, None),
                None => (network.link_secret.as_ref()?, network.link_secret_previous.as_ref()),
            };
            Some((peer.number, PairKeys::derive(own, &peer.name, secret, previous)))
        });
        Some(Self { own: here.number, pairs: pairs.collect() })
    }

    /// This site.
    pub fn own(&self) -> SiteNumber {
        self.own
    }

    /// The keys for that site; `None` if there is no such site or no secret for it.
    pub fn pair(&self, peer: SiteNumber) -> Option<&PairKeys> {
        self.pairs.get(&peer)
    }
}

impl PairKeys {
    /// The keys of `own` for `peer`. `previous` is accepted and no longer used for what begins here.
    pub fn derive(own: &SiteName, peer: &SiteName, secret: &Secret, previous: Option<&Secret>) -> Self {
        Self {
            current: Generation::derive(own, peer, secret),
            previous: previous.map(|secret| Generation::derive(own, peer, secret)),
        }
    }

    /// What new tokens are made with.
    pub fn current(&self) -> &Generation {
        &self.current
    }

    /// Those of that id, the current one first.
    pub(super) fn of(&self, id: KeyId) -> impl Iterator<Item = &Generation> {
        std::iter::once(&self.current).chain(&self.previous).filter(move |generation| generation.id == id)
    }
}

impl Generation {
    /// Which secret this is.
    pub fn id(&self) -> KeyId {
        self.id
    }

    fn derive(own: &SiteName, peer: &SiteName, secret: &Secret) -> Self {
        let source = Source::new(secret);
        let direction = |from: &SiteName, to: &SiteName| {
            let of = |label: &str| source.key(&[label, from.as_str(), to.as_str()]);
            Direction { token: of("token"), answer: of("answer"), seal: of("seal") }
        };
        Self { id: source.id(), ours: direction(own, peer), theirs: direction(peer, own) }
    }
}

/// A secret, ready to derive from.
pub(super) struct Source(Hkdf<Sha256>);

impl Source {
    pub(super) fn new(secret: &Secret) -> Self {
        Self(Hkdf::new(Some(b"hotdesk link 1"), &secret.0))
    }

    /// The words are joined with zero bytes, which no name contains.
    pub(super) fn key(&self, words: &[&str]) -> Key {
        let mut key = [0; 32];
        self.expand(&words.join("\0"), &mut key);
        Key(key)
    }

    pub(super) fn id(&self) -> KeyId {
        let mut id = [0; 2];
        self.expand("key id", &mut id);
        KeyId(u16::from_be_bytes(id))
    }

    fn expand(&self, info: &str, out: &mut [u8]) {
        self.0.expand(info.as_bytes(), out).expect("HKDF gives up to 255 times 32 bytes");
    }
}

impl Key {
    pub(super) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The MAC over the parts, each behind its length, so that no two lists of parts read the same.
    pub(super) fn mac(&self, parts: &[&[u8]]) -> Mac {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        for part in parts {
            hasher.update(&(part.len() as u32).to_be_bytes()).update(part);
        }
        let mut mac = [0; Mac::BYTES];
        hasher.finalize_xof().fill(&mut mac);
        Mac(mac)
    }
}

impl Mac {
    pub(super) const BYTES: usize = 16;
}

/// In a time that does not tell where they differ.
impl PartialEq for Mac {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Mac {}

macro_rules! silent {
    ($($name:ident)+) => {$(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    )+};
}

silent!(Key Mac);

impl fmt::Debug for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Generation({:04x})", self.id.0)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) fn secret(byte: u8) -> Secret {
        Secret(vec![byte; 32])
    }

    /// London's keys for Paris, and Paris's for London.
    pub(crate) fn both(london: (u8, Option<u8>), paris: (u8, Option<u8>)) -> (PairKeys, PairKeys) {
        let (l, p) = (SiteName::new("london"), SiteName::new("paris"));
        let keys = |own, peer, (current, previous): (u8, Option<u8>)| {
            PairKeys::derive(own, peer, &secret(current), previous.map(secret).as_ref())
        };
        (keys(&l, &p, london), keys(&p, &l, paris))
    }

    #[test]
    fn the_two_sites_of_a_pair_derive_the_same_keys() {
        let (london, paris) = both((1, None), (1, None));
        let (l, p) = (london.current(), paris.current());
        assert_eq!(l.id(), p.id());
        assert_eq!(l.ours.token.0, p.theirs.token.0);
        assert_eq!(l.theirs.seal.0, p.ours.seal.0);
    }

    #[test]
    fn each_use_direction_pair_and_secret_has_its_own() {
        let (london, _) = both((1, None), (1, None));
        let (other, _) = both((2, None), (1, None));
        let berlin = PairKeys::derive(&SiteName::new("london"), &SiteName::new("berlin"), &secret(1), None);
        let mut keys: Vec<_> = [&london, &other, &berlin]
            .iter()
            .flat_map(|pair| [&pair.current.ours, &pair.current.theirs])
            .flat_map(|way| [way.token.0, way.answer.0, way.seal.0])
            .collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), 18);
    }

    #[test]
    fn the_derivation_stays_as_it_is() {
        let (london, _) = both((1, None), (1, None));
        let hex = |key: &Key| blake3::Hash::from_bytes(key.0).to_hex().to_string();
        insta::assert_snapshot!(format!(
            "{:?}\ntoken {}\nanswer {}\nseal {}",
            london.current,
            hex(&london.current.ours.token),
            hex(&london.current.ours.answer),
            hex(&london.current.ours.seal)
        ));
    }

    #[test]
    fn parts_of_a_mac_do_not_run_together() {
        let key = Key([1; 32]);
        assert!(key.mac(&[b"ab", b"c"]) != key.mac(&[b"a", b"bc"]));
        assert!(key.mac(&[b"abc"]) != key.mac(&[b"abc", b""]));
    }
}
