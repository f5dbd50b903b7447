//! Sealed bodies (SPEC 11.2): settings and credentials travel encrypted, and only with the request or answer they belong to.
//!
//! XChaCha20-Poly1305 with a random nonce. The associated data of a request's body is `request` and the MAC of its token;
//! that of an answer's body `answer`, the MAC of the request's token, and the status in 2 bytes. The MAC of a token stands
//! for all of it. The proof of the answer covers the sealed body in turn, so neither goes without the other.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};

use super::fields::array;
use super::keys::{Key, KeyId, PairKeys, Receipt};
use crate::ids::Entropy;

/// What a sealed body is called.
pub const CONTENT_TYPE: &str = "application/vnd.hotdesk.link";

const VERSION: u8 = 1;

/// Why a sealed body stays shut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsealable {
    /// Torn, or of another version.
    #[error("not a sealed body")]
    NotSealed,
    /// Forged, altered, of another message, or by a secret that we do not have.
    #[error("the sealed body does not belong to this message")]
    NotOurs,
}

/// Seals the body of the request whose token gave the receipt.
pub fn seal_request(keys: &PairKeys, request: &Receipt, body: &[u8], entropy: &mut Entropy) -> Vec<u8> {
    seal(keys, request, &for_request(request), body, entropy)
}

/// Opens the body of the request whose token gave the receipt.
pub fn open_request(keys: &PairKeys, request: &Receipt, sealed: &[u8]) -> Result<Vec<u8>, Unsealable> {
    open(keys, &for_request(request), sealed)
}

/// Seals the body of an answer with that status.
pub fn seal_answer(keys: &PairKeys, request: &Receipt, status: u16, body: &[u8], entropy: &mut Entropy) -> Vec<u8> {
    seal(keys, request, &for_answer(request, status), body, entropy)
}

/// Opens the body of an answer with that status, whose proof was checked.
pub fn open_answer(keys: &PairKeys, request: &Receipt, status: u16, sealed: &[u8]) -> Result<Vec<u8>, Unsealable> {
    open(keys, &for_answer(request, status), sealed)
}

fn for_request(request: &Receipt) -> Vec<u8> {
    [b"request".as_slice(), &request.mac.0].concat()
}

fn for_answer(request: &Receipt, status: u16) -> Vec<u8> {
    [b"answer".as_slice(), &request.mac.0, &status.to_be_bytes()].concat()
}

fn seal(keys: &PairKeys, request: &Receipt, bound: &[u8], body: &[u8], entropy: &mut Entropy) -> Vec<u8> {
    let generation = keys.of(request.key).next().unwrap_or(keys.current());
    let nonce: [u8; 24] = entropy.bytes();
    let sealed = cipher(&generation.ours.seal)
        .encrypt(&XNonce::from(nonce), Payload { msg: body, aad: bound })
        .expect("a body that fits a datagram can be sealed");
    let mut out = Vec::with_capacity(27 + sealed.len());
    out.push(VERSION);
    out.extend_from_slice(&generation.id().0.to_be_bytes());
    out.extend_from_slice(&nonce);
    out.extend_from_slice(&sealed);
    out
}

fn open(keys: &PairKeys, bound: &[u8], sealed: &[u8]) -> Result<Vec<u8>, Unsealable> {
    let (key, nonce, sealed) = head(sealed).ok_or(Unsealable::NotSealed)?;
    let nonce = XNonce::from(nonce);
    let payload = || Payload { msg: sealed, aad: bound };
    keys.of(key)
        .find_map(|generation| cipher(&generation.theirs.seal).decrypt(&nonce, payload()).ok())
        .ok_or(Unsealable::NotOurs)
}

fn head(mut rest: &[u8]) -> Option<(KeyId, [u8; 24], &[u8])> {
    let rest = &mut rest;
    if array(rest)? != [VERSION] {
        return None;
    }
    Some((KeyId(u16::from_be_bytes(array(rest)?)), array(rest)?, rest))
}

fn cipher(key: &Key) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(&(*key.bytes()).into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::link::keys::Mac;
    use crate::link::keys::tests::both;

    fn receipt(keys: &PairKeys) -> Receipt {
        Receipt { key: keys.current().id(), mac: Mac([7; 16]) }
    }

    #[test]
    fn what_one_site_seals_the_other_opens() {
        let (london, paris) = both((1, None), (1, None));
        let (request, mut entropy) = (receipt(&london), Entropy::new([1; 32]));
        let sealed = seal_request(&paris, &request, b"credentials", &mut entropy);
        assert_eq!(open_request(&london, &request, &sealed), Ok(b"credentials".to_vec()));
        assert!(!sealed.windows(4).any(|part| part == b"cred"));
        let again = seal_request(&paris, &request, b"credentials", &mut entropy);
        assert_ne!(sealed, again);
        let sealed = seal_answer(&london, &request, 200, b"", &mut entropy);
        assert_eq!(open_answer(&paris, &request, 200, &sealed), Ok(Vec::new()));
    }

    #[test]
    fn a_sealed_body_opens_nowhere_else() {
        let (london, paris) = both((1, None), (1, None));
        let (request, mut entropy) = (receipt(&london), Entropy::new([1; 32]));
        let sealed = seal_answer(&paris, &request, 200, b"ha1", &mut entropy);
        let not_ours = Err(Unsealable::NotOurs);
        assert_eq!(open_answer(&london, &request, 202, &sealed), not_ours);
        assert_eq!(open_request(&london, &request, &sealed), not_ours);
        assert_eq!(open_answer(&paris, &request, 200, &sealed), not_ours);
        assert_eq!(open_answer(&london, &Receipt { mac: Mac([8; 16]), ..request }, 200, &sealed), not_ours);
        assert_eq!(open_answer(&both((2, None), (2, None)).0, &request, 200, &sealed), not_ours);
        assert_eq!(open_answer(&london, &request, 200, &sealed[..26]), Err(Unsealable::NotSealed));
        assert_eq!(open_answer(&london, &request, 200, &sealed[..27]), not_ours);
    }

    #[test]
    fn secrets_can_be_changed_one_site_after_the_other() {
        let mut entropy = Entropy::new([1; 32]);
        let (old, new) = both((1, Some(2)), (2, Some(1)));
        let sealed = seal_request(&old, &receipt(&old), b"x", &mut entropy);
        assert!(open_request(&new, &receipt(&old), &sealed).is_ok());
        let answer = seal_answer(&new, &receipt(&old), 200, b"x", &mut entropy);
        assert!(open_answer(&both((1, None), (1, None)).0, &receipt(&old), 200, &answer).is_ok());
    }

    proptest! {
        #[test]
        fn no_changed_byte_opens(at in 0usize..60, bit in 0u8..8, text in proptest::collection::vec(any::<u8>(), 0..60)) {
            let (london, paris) = both((1, None), (1, None));
            let request = receipt(&london);
            let mut sealed = seal_request(&paris, &request, b"credentials", &mut Entropy::new([1; 32]));
            let at = at % sealed.len();
            sealed[at] ^= 1 << bit;
            prop_assert!(open_request(&london, &request, &sealed).is_err());
            prop_assert!(open_request(&london, &request, &text).is_err());
        }
    }
}
