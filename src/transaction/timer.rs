//! The timers of RFC 3261 §17 (Table 4) with those of RFC 6026 and RFC 4320.

use std::time::Duration;

use crate::timing::Timing;

/// A timer, by the RFC's letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timer {
    /// INVITE client: sends the request again; T1, doubled without a cap. RFC 3261 §17.1.1.2.
    A,
    /// INVITE client: no final response in 64·T1. RFC 3261 §17.1.1.2; also after a CANCEL, §9.1.
    B,
    /// INVITE client: absorbs copies of a non-2xx final for at least 32 s. RFC 3261 §17.1.1.2.
    D,
    /// Non-INVITE client: sends the request again; T1, doubled up to T2. RFC 3261 §17.1.2.2.
    E,
    /// Non-INVITE client: no final response in 64·T1. RFC 3261 §17.1.2.2.
    F,
    /// INVITE server: sends the non-2xx final again; T1, doubled up to T2. RFC 3261 §17.2.1.
    G,
    /// INVITE server: no ACK in 64·T1. RFC 3261 §17.2.1.
    H,
    /// INVITE server: absorbs copies of the ACK for T4. RFC 3261 §17.2.1.
    I,
    /// Non-INVITE server: absorbs copies of the request for 64·T1. RFC 3261 §17.2.2.
    J,
    /// Non-INVITE client: absorbs copies of the final response for T4. RFC 3261 §17.1.2.2.
    K,
    /// INVITE server: a 2xx was sent, copies of the request are absorbed for 64·T1. RFC 6026 §7.1.
    L,
    /// INVITE client: a 2xx came, more may come for 64·T1. RFC 6026 §7.2.
    M,
    /// Non-INVITE server: sends the 100 when the client's timer E has reached T2, not before. RFC 4320 §4.1.
    Trying,
    /// Non-INVITE server: the client has given up after 64·T1, no response may be sent any more. RFC 4320 §4.2.
    Expiry,
}

/// How a timer is armed again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Its own first value.
    First,
    /// Twice what it last waited; E and G at most T2.
    Doubled,
    /// T2, the longest interval of E and G.
    Longest,
}

/// Whether the transport delivers by itself: it decides how long a timer waits, and whether it runs at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// UDP.
    Unreliable,
    /// TCP, TLS.
    Reliable,
}

impl Timer {
    /// How long it waits, having waited `last`. `None`: it does not run over this transport.
    pub fn wait(self, wait: Wait, last: Duration, timing: &Timing, transport: Transport) -> Option<Duration> {
        let first = self.first(timing, transport)?;
        Some(match wait {
            Wait::First => first,
            Wait::Doubled if self == Timer::A => last.saturating_mul(2),
            Wait::Doubled => last.saturating_mul(2).min(timing.t2),
            Wait::Longest => timing.t2,
        })
    }

    /// RFC 3261 Table 4.
    fn first(self, timing: &Timing, transport: Transport) -> Option<Duration> {
        let unreliable = transport == Transport::Unreliable;
        match self {
            Timer::A | Timer::E | Timer::G => unreliable.then_some(timing.t1),
            Timer::B | Timer::F | Timer::H | Timer::L | Timer::M | Timer::Expiry => Some(timing.t1x64()),
            Timer::D => Some(if unreliable { timing.d() } else { Duration::ZERO }),
            Timer::I | Timer::K => Some(if unreliable { timing.t4 } else { Duration::ZERO }),
            Timer::J => Some(if unreliable { timing.t1x64() } else { Duration::ZERO }),
            Timer::Trying => Some(e_at_longest(timing)),
        }
    }

    /// It paces what is sent again; the others end a state. A transaction never waits for two of one kind.
    pub(super) fn paces(self) -> bool {
        match self {
            Timer::A | Timer::E | Timer::G | Timer::Trying => true,
            Timer::B | Timer::D | Timer::F | Timer::H | Timer::I => false,
            Timer::J | Timer::K | Timer::L | Timer::M | Timer::Expiry => false,
        }
    }
}

/// When a client's timer E is reset to T2: 3.5 s with the RFC's values.
fn e_at_longest(timing: &Timing) -> Duration {
    let (mut at, mut interval) = (timing.t1, timing.t1);
    while interval * 2 < timing.t2 {
        interval *= 2;
        at += interval;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    fn waits(timer: Timer, how: Wait, last: u64) -> Option<Duration> {
        timer.wait(how, MS(last), &Timing::default(), Transport::Unreliable)
    }

    #[test]
    fn e_and_g_stop_doubling_at_t2_and_a_does_not() {
        assert_eq!(waits(Timer::E, Wait::Doubled, 1_000), Some(MS(2_000)));
        assert_eq!(waits(Timer::G, Wait::Doubled, 2_500), Some(MS(4_000)));
        assert_eq!(waits(Timer::A, Wait::Doubled, 4_000), Some(MS(8_000)));
        assert_eq!(waits(Timer::E, Wait::Longest, 500), Some(MS(4_000)));
    }

    #[test]
    fn the_100_waits_until_timer_e_is_reset_to_t2() {
        assert_eq!(waits(Timer::Trying, Wait::First, 0), Some(MS(3_500)), "E fires at 0.5, 1.5 and 3.5 s");
        let quick = Timing { t1: MS(3_000), ..Timing::default() };
        assert_eq!(e_at_longest(&quick), MS(3_000));
    }

    #[test]
    fn a_reliable_transport_sends_nothing_again_and_absorbs_nothing() {
        for timer in [Timer::A, Timer::E, Timer::G] {
            assert_eq!(timer.wait(Wait::First, MS(0), &Timing::default(), Transport::Reliable), None);
        }
        for timer in [Timer::D, Timer::I, Timer::J, Timer::K] {
            assert_eq!(timer.wait(Wait::First, MS(0), &Timing::default(), Transport::Reliable), Some(MS(0)));
        }
        for timer in [Timer::B, Timer::L, Timer::M] {
            assert_eq!(timer.wait(Wait::First, MS(0), &Timing::default(), Transport::Reliable), Some(MS(32_000)));
        }
    }
}
