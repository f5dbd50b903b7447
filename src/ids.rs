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
pub struct Entropy {
    stream: blake3::OutputReader,
    /// One block of the stream, of which so many bytes are used up: the hash makes no less at a time.
    block: [u8; 64],
    used: usize,
}

impl Entropy {
    /// A generator from 32 bytes, which must be secret and fresh in production.
    pub fn new(seed: [u8; 32]) -> Self {
        let stream = blake3::Hasher::new_keyed(&seed).update(b"hotdesk entropy").finalize_xof();
        Self { stream, block: [0; 64], used: 64 }
    }

    /// The next `N` bytes.
    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut out = [0; N];
        let mut rest = &mut out[..];
        while !rest.is_empty() {
            if self.used == self.block.len() {
                self.stream.fill(&mut self.block);
                self.used = 0;
            }
            let fresh = &self.block[self.used..];
            let (now, later) = rest.split_at_mut(fresh.len().min(rest.len()));
            now.copy_from_slice(&fresh[..now.len()]);
            self.used += now.len();
            rest = later;
        }
        out
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        u64::from_le_bytes(self.bytes())
    }

    /// 64 random bits as 16 lower-case hexadecimal digits: tags, Call-IDs, client nonces.
    pub fn token(&mut self) -> String {
        let mut token = String::with_capacity(16);
        push_hex(&mut token, self.next_u64());
        token
    }

    /// A number below `bound`, which is not zero; the bias is below `bound / 2^64`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next_u64() % bound
    }
}

/// `number` as 16 lower-case hexadecimal digits.
pub fn push_hex(text: &mut String, number: u64) {
    let digits = number.to_be_bytes().into_iter().flat_map(|byte| [byte >> 4, byte & 15]);
    text.extend(digits.map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)])));
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

    #[test]
    fn the_sequence_is_the_same_in_whatever_pieces_it_is_taken() {
        let (mut a, mut b) = (Entropy::new([7; 32]), Entropy::new([7; 32]));
        let pieces =
            [&a.bytes::<7>()[..], &a.bytes::<64>(), &a.bytes::<0>(), &a.bytes::<57>(), &a.bytes::<3>()].concat();
        assert_eq!(pieces, b.bytes::<131>());
    }

    #[test]
    fn a_token_has_all_sixteen_digits() {
        for number in [0, 1, 0x0123_4567_89ab_cdef, u64::MAX] {
            let mut text = String::new();
            push_hex(&mut text, number);
            assert_eq!(text, format!("{number:016x}"));
        }
    }
}
