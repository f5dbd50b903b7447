//! The confirmation tone (SPEC 10.4): two beeps of 425 Hz within a second, as RTP packets of 20 ms.
//!
//! RFC 3550 §5.1 (the header), RFC 3551 §4.5.14 (G.711, 8,000 samples a second, a byte each), ITU-T G.711. Integers only: the same
//! seed gives the same bytes on every machine.

use std::time::Duration;

use bytes::Bytes;

/// How long a packet lasts.
pub const PACKET: Duration = Duration::from_millis(20);

/// Samples, and so bytes, of a packet.
const SAMPLES: u32 = 160;
/// Packets of a tone: a second.
const PACKETS: u16 = 50;
/// Packets of silence between the beeps.
const PAUSE: std::ops::Range<u16> = 20..30;

/// 2·cos(2π · 425 Hz / 8000 Hz), times 2³⁰.
const TWICE_COS: i64 = 2_028_955_535;
/// sin(2π · 425 Hz / 8000 Hz) times [`LOUDNESS`], times 2¹⁰.
const FIRST: i64 = 2_683_946;
/// The peak of the wave, of 32,767: -22 dBm0, comfortable at the ear.
const LOUDNESS: i64 = 8_000;

/// One of G.711's two ways to press a sample into a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Law {
    /// µ-law: PCMU, static payload type 0.
    Mu,
    /// A-law: PCMA, static payload type 8.
    A,
}

impl Law {
    /// Its name in `a=rtpmap`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mu => "PCMU",
            Self::A => "PCMA",
        }
    }

    /// Its static payload type (RFC 3551 §6).
    pub fn payload_type(self) -> u8 {
        match self {
            Self::Mu => 0,
            Self::A => 8,
        }
    }

    /// One sample of 16 bits (ITU-T G.711 §2).
    fn press(self, sample: i16) -> u8 {
        match self {
            Self::Mu => mu_law(sample),
            Self::A => a_law(sample),
        }
    }
}

/// A tone that is being sent: what the next packet holds.
#[derive(Clone, Debug)]
pub struct Tone {
    law: Law,
    payload_type: u8,
    source: u32,
    sequence: u16,
    timestamp: u32,
    sent: u16,
    /// The last two samples of the wave, times 2¹⁰.
    wave: (i64, i64),
}

impl Tone {
    /// A tone in that law under that payload type. `random` gives SSRC, first sequence number and first timestamp (RFC 3550 §5.1).
    pub fn new(law: Law, payload_type: u8, random: u64) -> Self {
        let [a, b, c, d, e, f, g, h] = random.to_be_bytes();
        let timestamp = u32::from_be_bytes([g, h, e, f]);
        let (source, sequence) = (u32::from_be_bytes([a, b, c, d]), u16::from_be_bytes([e, f]) & 0x7fff);
        Self { law, payload_type, source, sequence, timestamp, sent: 0, wave: (-FIRST, 0) }
    }

    /// The next packet, `None` when the tone is over.
    pub fn next_packet(&mut self) -> Option<Bytes> {
        if self.sent >= PACKETS {
            return None;
        }
        let mut packet = Vec::with_capacity(12 + SAMPLES as usize);
        // Version 2, no padding, extension or contributing sources; the marker says where talk begins (RFC 3551 §4.1).
        packet.extend([0x80, self.payload_type & 0x7f | if self.sent == 0 { 0x80 } else { 0 }]);
        packet.extend(self.sequence.to_be_bytes());
        packet.extend(self.timestamp.to_be_bytes());
        packet.extend(self.source.to_be_bytes());
        let is_silent = PAUSE.contains(&self.sent);
        for _ in 0..SAMPLES {
            let sample = self.next_sample();
            packet.push(self.law.press(if is_silent { 0 } else { sample }));
        }
        self.sent += 1;
        self.sequence = self.sequence.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(SAMPLES);
        Some(packet.into())
    }

    /// sin((n+1)·w) = 2·cos(w)·sin(n·w) − sin((n−1)·w).
    fn next_sample(&mut self) -> i16 {
        let (before, last) = self.wave;
        let next = ((TWICE_COS * last) >> 30) - before;
        self.wave = (last, next);
        // Rounding may lift the peak by a hair.
        (last >> 10).clamp(-2 * LOUDNESS, 2 * LOUDNESS) as i16
    }
}

fn mu_law(sample: i16) -> u8 {
    const BIAS: i32 = 132;
    let sign = if sample < 0 { 0x80 } else { 0 };
    let level = i32::from(sample).abs().min(32_635) + BIAS;
    let exponent = (31 - level.leading_zeros()).saturating_sub(7);
    let mantissa = (level >> (exponent + 3)) & 0x0f;
    !(sign | (exponent << 4) as u8 | mantissa as u8)
}

fn a_law(sample: i16) -> u8 {
    // Negative values are counted from -1.
    let (sign, level) = if sample < 0 { (0, -1 - i32::from(sample)) } else { (0x80, i32::from(sample)) };
    let exponent = (31 - (level | 0xff).leading_zeros()).saturating_sub(7);
    let mantissa = (level >> if exponent == 0 { 4 } else { exponent + 3 }) & 0x0f;
    (sign | (exponent << 4) as u8 | mantissa as u8) ^ 0x55
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ITU-T G.711 tables 1 and 2, as any decoder has them.
    fn expand(law: Law, byte: u8) -> i32 {
        match law {
            Law::Mu => {
                let byte = !byte;
                let level = ((i32::from(byte & 0x0f) << 3) + 132) << ((byte >> 4) & 7);
                if byte & 0x80 == 0 { level - 132 } else { 132 - level }
            }
            Law::A => {
                let byte = byte ^ 0x55;
                let (step, mantissa) = (i32::from((byte >> 4) & 7), i32::from(byte & 0x0f) << 4);
                let level = if step == 0 { mantissa + 8 } else { (mantissa + 0x108) << (step - 1) };
                if byte & 0x80 == 0 { -level } else { level }
            }
        }
    }

    #[test]
    fn a_sample_comes_back_within_the_step_of_its_law() {
        for law in [Law::Mu, Law::A] {
            for sample in i16::MIN..=i16::MAX {
                let (back, sample_) = (expand(law, law.press(sample)), i32::from(sample));
                let step = (sample_.abs() / 16).max(20);
                assert!((back - sample_).abs() <= step, "{law:?}: {sample} comes back as {back}");
            }
        }
    }

    #[test]
    fn every_byte_of_either_law_is_pressed_back_into_itself() {
        for byte in 0..=255 {
            assert_eq!(Law::A.press(expand(Law::A, byte) as i16), byte);
            // µ-law has two zeros.
            let mu = Law::Mu.press(expand(Law::Mu, byte) as i16);
            assert!(mu == byte || (byte == 0x7f && mu == 0xff), "{byte:#x} {mu:#x}");
        }
    }

    /// The packets of a tone.
    fn packets(law: Law) -> Vec<Bytes> {
        let mut tone = Tone::new(law, law.payload_type(), 0x0102_0304_fffe_ffff);
        std::iter::from_fn(|| tone.next_packet()).collect()
    }

    #[test]
    fn a_tone_is_a_second_of_packets_that_follow_each_other() {
        let packets = packets(Law::A);
        assert_eq!(packets.len(), 50);
        for (number, packet) in packets.iter().enumerate() {
            assert_eq!((packet.len(), packet[0]), (172, 0x80));
            assert_eq!(packet[1], if number == 0 { 0x88 } else { 8 });
            assert_eq!(u16::from_be_bytes([packet[2], packet[3]]), 0x7ffe_u16.wrapping_add(number as u16));
            assert_eq!(packet[8..12], [1, 2, 3, 4]);
        }
        let stamp = |at: usize| u32::from_be_bytes(packets[at][4..8].try_into().expect("four bytes"));
        assert_eq!(stamp(49).wrapping_sub(stamp(0)), 49 * 160);
    }

    #[test]
    fn the_beeps_are_of_425_hertz_and_do_not_fade() {
        for law in [Law::Mu, Law::A] {
            let packets = packets(law);
            let samples = |range: std::ops::Range<usize>| -> Vec<i32> {
                packets[range].iter().flat_map(|packet| &packet[12..]).map(|&byte| expand(law, byte)).collect()
            };
            for beep in [samples(0..20), samples(30..50)] {
                let crossings = beep.windows(2).filter(|pair| (pair[0] < 0) != (pair[1] < 0)).count();
                // Two a period, 0.4 s.
                assert!((339..=341).contains(&crossings), "{crossings}");
                let peak = beep.iter().map(|sample| sample.abs()).max().expect("samples");
                assert!((7_500..8_500).contains(&peak), "{peak}");
            }
            assert!(samples(20..30).iter().all(|sample| sample.abs() <= 8));
        }
    }
}
