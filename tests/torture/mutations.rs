//! Twenty thousand broken messages, always the same ones: the parser and the node survive them, and say no more than they should.

use bytes::Bytes;
use hotdesk::ids::Entropy;
use hotdesk::settings::Limits;
use hotdesk::sip::{Packet, Unreadable, parse};

use crate::cases;
use crate::known::register;
use crate::site::Site;
use crate::sound::assert_sound;

const MUTATIONS: usize = 20_000;

/// What an attacker or a bug puts where it does not belong.
const WORDS: &[&[u8]] = &[
    b"\r\n",
    b"\n",
    b"\r",
    b"\r\n\r\n",
    b"\r\n ",
    b"\0",
    b"\xff",
    b"\xc3",
    b"\"",
    b"\\",
    b"<",
    b">",
    b";",
    b",",
    b"=",
    b":",
    b"@",
    b"%",
    b"%00",
    b"%zz",
    b"[",
    b"]",
    b"[::1]",
    b" ",
    b"\t",
    b"*",
    b"-1",
    b"4294967296",
    b"99999999999999999999",
    b"sip:",
    b"tel:",
    b";lr",
    b";tag=",
    b";branch=",
    b";rport=",
    b";received=",
    b"z9hG4bK",
    b"SIP/2.0",
    b"Via: ",
    b"v: ",
    b"Route: <sip:127.0.0.1:5060;lr>\r\n",
    b"Contact: *\r\n",
    b"Content-Length: 0\r\n",
    b"Require: x\r\n",
    b"INVITE",
    b"ACK",
    b"CANCEL",
    b"REGISTER",
    b"Hotdesk-Link: 1\r\n",
    b"Authorization: Digest username=\"201\"\r\n",
    b"Expires: 0\r\n",
];

fn below(chance: &mut Entropy, most: usize) -> usize {
    chance.below(most.max(1) as u64) as usize
}

/// A stretch of `bytes`, at most 64 long.
fn stretch(chance: &mut Entropy, bytes: &[u8]) -> std::ops::Range<usize> {
    let start = below(chance, bytes.len() + 1);
    let length = below(chance, 64).min(bytes.len() - start);
    start..start + length
}

/// One to eight changes to a message.
fn mutated(chance: &mut Entropy, seeds: &[Bytes]) -> Bytes {
    let mut bytes = seeds[below(chance, seeds.len())].to_vec();
    for _ in 0..1 + below(chance, 8) {
        let at = stretch(chance, &bytes);
        match below(chance, 8) {
            0 => drop(bytes.drain(at)),
            1 => {
                let copy = bytes[at.clone()].to_vec();
                drop(bytes.splice(at.start..at.start, copy));
            }
            2 => bytes[at].iter_mut().take(1).for_each(|byte| *byte = chance.next_u64() as u8),
            3 => bytes.truncate(at.end.max(20)),
            4 => {
                let other = &seeds[below(chance, seeds.len())];
                let from = stretch(chance, other);
                drop(bytes.splice(at, other[from].iter().copied()));
            }
            5 => bytes[at].reverse(),
            _ => {
                let word = WORDS[below(chance, WORDS.len())];
                drop(bytes.splice(at.start..at.start, word.iter().copied()));
            }
        }
    }
    bytes.into()
}

fn seeds() -> Vec<Bytes> {
    // The long ones are looked at elsewhere; here they would only take time.
    cases::all().into_iter().map(|case| case.bytes).filter(|bytes| bytes.len() < 4_000).collect()
}

/// How much may leave for it at most: nothing for what can't be answered, one answer to what can't be read.
fn assert_bounded(bytes: &Bytes, left: &[(std::net::SocketAddr, Bytes)]) {
    match parse(bytes.clone(), &Limits::default()) {
        Err(Unreadable::Drop(_)) => assert!(left.is_empty(), "{bytes:?}"),
        Err(Unreadable::Answer(_)) => {
            assert!(left.len() <= 1, "{bytes:?}");
            let answered: usize = left.iter().map(|(_, answer)| answer.len()).sum();
            assert!(2 * answered <= 3 * bytes.len(), "{answered} for {bytes:?}");
        }
        Ok(Packet::Response(_) | Packet::KeepAlive(_)) => {
            assert!(left.iter().all(|(_, out)| out.len() == 2), "{bytes:?}")
        }
        Ok(Packet::Request(_)) => {}
    }
}

#[test]
fn nothing_that_is_broken_breaks_the_parser() {
    let (seeds, mut chance) = (seeds(), Entropy::new([1; 32]));
    for _ in 0..MUTATIONS {
        assert_sound(&mutated(&mut chance, &seeds));
    }
}

#[test]
fn nothing_that_is_broken_breaks_the_node() {
    let (seeds, mut chance) = (seeds(), Entropy::new([2; 32]));
    let mut stranger = Site::new();
    let mut lab = Site::lab();
    register(&mut lab, "202", "127.0.0.52:6000");
    let source = "127.0.0.51:6000".parse().unwrap();
    for round in 0..MUTATIONS {
        let bytes = mutated(&mut chance, &seeds);
        assert_bounded(&bytes, &stranger.hear(source, bytes.clone()));
        lab.hear(source, bytes);
        if round % 1_000 == 0 {
            stranger.assert_alive("a mutation");
            lab.assert_alive("a mutation");
        }
    }
}
