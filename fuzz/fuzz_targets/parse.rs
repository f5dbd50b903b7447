//! The parser, and what is done with what it has read.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;

#[path = "../../tests/wire/sound.rs"]
#[allow(dead_code, reason = "not all of it is needed here")]
mod sound;

fuzz_target!(|data: &[u8]| sound::assert_sound(&Bytes::copy_from_slice(data)));
