//! Names and numbers that mean something, and the node's one source of randomness.
//!
//! Everybody uses these; they know nothing of SIP messages.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

/// The name of a site, as in `[sites.london]`: 1 to 32 characters of `a-z 0-9 - _`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SiteName(Arc<str>);

/// A user's number, unique over the network: 1 to 31 characters that a phone can dial, or (lab mode) letters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Extension(Arc<str>);

macro_rules! shared_str {
    ($name:ident) => {
        impl $name {
            /// Wraps a text that was checked where it came in.
            pub fn new(text: impl AsRef<str>) -> Self {
                Self(Arc::from(text.as_ref()))
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }
    };
}

shared_str!(SiteName);
shared_str!(Extension);

/// What is dialled as the target of a Break Out, 1 to 9999; unique over the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SiteNumber(pub u16);

impl fmt::Display for SiteNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The number that the home site gives to each login of a user; it only grows (SPEC 8.7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LoginNumber(pub u64);

impl fmt::Display for LoginNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Names one login at the visited site before the home site has numbered it: the same id is the same login (SPEC 5.2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LoginId(pub [u8; 16]);

impl fmt::Debug for LoginId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

/// Which start of a process this is: a token made for another boot is refused (SPEC 11.1). Zero: not known yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct BootId(pub u64);

/// One shard of a site: it owns its transactions, and is named in the branches that it makes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShardId(pub u8);

/// The node's cryptographic generator: the output stream of a keyed hash, so that one seed gives one sequence.
///
/// The shell seeds it from the operating system, a test from a number.
pub struct Entropy(blake3::OutputReader);

impl Entropy {
    /// A generator from 32 bytes, which must be secret and fresh in production.
    pub fn new(seed: [u8; 32]) -> Self {
        Self(blake3::Hasher::new_keyed(&seed).update(b"hotdesk entropy").finalize_xof())
    }

    /// The next `N` bytes.
    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut out = [0; N];
        self.0.fill(&mut out);
        out
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        u64::from_le_bytes(self.bytes())
    }

    /// 64 random bits as 16 lower-case hexadecimal digits: tags, Call-IDs, client nonces.
    pub fn token(&mut self) -> String {
        format!("{:016x}", self.next_u64())
    }

    /// A number below `bound`, which is not zero; the bias is below `bound / 2^64`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next_u64() % bound
    }
}

impl fmt::Debug for Entropy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Entropy")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_gives_one_sequence() {
        let (mut a, mut b) = (Entropy::new([7; 32]), Entropy::new([7; 32]));
        assert_eq!((a.token(), a.below(10)), (b.token(), b.below(10)));
        assert_ne!(Entropy::new([8; 32]).next_u64(), Entropy::new([7; 32]).next_u64());
    }
}
