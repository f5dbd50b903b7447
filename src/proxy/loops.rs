//! Branches that name their shard and carry a loop hash (RFC 3261 §16.3 step 4, §16.6 step 8; RFC 5393 §4.2).
//!
//! ```text
//! z9hG4bK  hh        nnnnnnnnnnnnnnnn  .  llllllllllllllll
//! cookie   shard     64 random bits       hash of what decides routing
//! ```
//! A spiral is no loop: the hash covers tags, Call-ID, CSeq, Request-URI, Route and the claims of a site link, so that a request
//! that comes back changed is let through.

use crate::ids::{Entropy, ShardId, push_hex};
use crate::sip::{Name, Request, Via};

/// The magic cookie of RFC 3261 §8.1.1.7.
const COOKIE: &[u8] = b"z9hG4bK";
const HASH_AT: usize = 7 + 2 + 16 + 1;

/// A new branch for a forwarded request.
pub fn branch_with(shard: ShardId, entropy: &mut Entropy, hash: u64) -> String {
    let mut branch = String::with_capacity(HASH_AT + 16);
    branch.push_str("z9hG4bK");
    branch.extend([shard.0 >> 4, shard.0 & 15].map(|digit| char::from_digit(digit.into(), 16).unwrap_or('0')));
    push_hex(&mut branch, entropy.next_u64());
    branch.push('.');
    push_hex(&mut branch, hash);
    branch
}

/// The shard that a branch of [`branch_with`] names; nothing for any other branch.
pub fn shard_of_branch(branch: &[u8]) -> Option<ShardId> {
    let rest = branch.strip_prefix(COOKIE)?;
    let (shard, rest) = rest.split_first_chunk::<2>()?;
    if rest.len() != 16 + 1 + 16 || rest.get(16) != Some(&b'.') {
        return None;
    }
    let digits =
        std::str::from_utf8(shard).ok().filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
    u8::from_str_radix(digits, 16).ok().map(ShardId)
}

/// What decides where the request goes. `key` is secret, so that nobody can make a hash that hides a loop.
pub fn routing_hash(key: &[u8; 32], request: &Request, claims: &[u8]) -> u64 {
    let mut hasher = blake3::Hasher::new_keyed(key);
    let mut part = |bytes: &[u8]| {
        hasher.update(&(bytes.len() as u32).to_le_bytes());
        hasher.update(bytes);
    };
    part(request.from().tag().unwrap_or_default());
    part(request.to().tag().unwrap_or_default());
    part(request.call_id());
    part(&request.cseq().number.to_le_bytes());
    part(request.method().as_str().as_bytes());
    part(request.uri().as_bytes());
    request.values(&Name::Route).for_each(|route| part(&route));
    part(claims);
    let mut first = [0; 8];
    first.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    u64::from_le_bytes(first)
}

/// Whether a Via of ours carries this hash: the request has been here before, unchanged. `is_ours` knows our sent-by.
pub fn is_loop(request: &Request, hash: u64, is_ours: impl Fn(&Via) -> bool) -> bool {
    let mut expected = String::with_capacity(16);
    push_hex(&mut expected, hash);
    request.vias().filter_map(Result::ok).any(|via| {
        let branch = via.branch().unwrap_or_default();
        branch.starts_with(COOKIE) && branch.get(HASH_AT..) == Some(expected.as_bytes()) && is_ours(&via)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_branch_names_its_shard() {
        let mut entropy = Entropy::new([1; 32]);
        for shard in [0, 1, 9, 10, 63, 255] {
            let branch = branch_with(ShardId(shard), &mut entropy, u64::MAX);
            assert_eq!(shard_of_branch(branch.as_bytes()), Some(ShardId(shard)), "{branch}");
        }
    }

    #[test]
    fn a_branch_of_somebody_else_names_none() {
        let ours = branch_with(ShardId(7), &mut Entropy::new([1; 32]), 5);
        let others =
            ["", "z9hG4bK", "z9hG4bK07", "z9hG4bKnashds8", &ours[1..], &ours[..ours.len() - 1], &format!("{ours}0")];
        assert!(others.iter().all(|branch| shard_of_branch(branch.as_bytes()).is_none()));
        for sign in ["+7", "0x", " 7", "g0"] {
            assert_eq!(shard_of_branch(ours.replacen("07", sign, 1).as_bytes()), None, "{sign}");
        }
    }
}
