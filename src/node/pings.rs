//! How often OPTIONS to the site itself is answered (SPEC 9.5): by a second's budget of each kind of source, so that strangers take
//! nothing away from carriers and phones, and, but for carriers, of each source, so that one takes little away from the others.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::Node;
use crate::timing::Now;
use crate::transmit::Flow;

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asks {
    /// A trunk, by its address or by the contact that it has of us.
    Carrier,
    /// An address at which a phone was bound in the last 24 h.
    Phone,
    /// Anybody else.
    Stranger,
}

impl Asks {
    /// The most answers a second: to all of that kind, and to one address.
    fn most(self) -> (u32, u32) {
        match self {
            Self::Carrier => (1_000, 1_000),
            // Thousands of phones may keep their way through a NAT open so; a whole office may have one address.
            Self::Phone => (1_000, 100),
            Self::Stranger => (200, 100),
        }
    }
}

/// What was answered in the second that is being counted.
#[derive(Debug, Default)]
pub(super) struct Pings {
    second: u64,
    carriers: Count,
    phones: Count,
    strangers: Count,
}

/// Answers to one kind: no more addresses than answers are kept.
#[derive(Debug, Default)]
struct Count {
    all: u32,
    of: BTreeMap<IpAddr, u32>,
}

impl Pings {
    /// Counts an answer to that address in that second; false if it is one too many. Nothing is kept of one that is not answered.
    pub(super) fn may_answer(&mut self, second: u64, asks: Asks, source: IpAddr) -> bool {
        if self.second != second {
            *self = Self { second, ..Self::default() };
        }
        let (most, most_of_one) = asks.most();
        let count = match asks {
            Asks::Carrier => &mut self.carriers,
            Asks::Phone => &mut self.phones,
            Asks::Stranger => &mut self.strangers,
        };
        if count.all >= most || count.of.get(&source).is_some_and(|answered| *answered >= most_of_one) {
            return false;
        }
        count.all += 1;
        *count.of.entry(source).or_default() += 1;
        true
    }
}

impl Node {
    /// Whether an OPTIONS of that source is answered now.
    pub(super) fn may_answer_options(&self, now: Now, source: Flow, is_carrier: bool) -> bool {
        let ip = source.remote.ip();
        let is_known = || self.commons.callers.with(|callers| callers.was_bound(now.instant, ip));
        let asks = match is_carrier {
            true => Asks::Carrier,
            false if is_known() => Asks::Phone,
            false => Asks::Stranger,
        };
        self.commons.pings.with(|pings| pings.may_answer(now.wall.0 / 1000, asks, ip))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(number: u32) -> IpAddr {
        IpAddr::V4(number.into())
    }

    /// How many of a thousand more to that address, or of one to each of a thousand, are answered.
    fn answered(pings: &mut Pings, second: u64, asks: Asks, source: Option<u32>) -> usize {
        (1_000..2_000).filter(|number| pings.may_answer(second, asks, ip(source.unwrap_or(*number)))).count()
    }

    #[test]
    fn one_source_has_its_part_and_all_of_a_kind_have_theirs() {
        for (asks, most, most_of_one) in
            [(Asks::Carrier, 1_000, 1_000), (Asks::Phone, 1_000, 100), (Asks::Stranger, 200, 100)]
        {
            let mut pings = Pings::default();
            assert_eq!(answered(&mut pings, 7, asks, Some(1)), most_of_one, "{asks:?}");
            assert_eq!(answered(&mut pings, 7, asks, None), most - most_of_one, "{asks:?}");
            assert_eq!(answered(&mut pings, 8, asks, Some(1)), most_of_one, "the next second");
        }
    }

    #[test]
    fn strangers_take_nothing_from_those_who_are_known() {
        let mut pings = Pings::default();
        answered(&mut pings, 7, Asks::Stranger, None);
        assert!(pings.may_answer(7, Asks::Carrier, ip(1_000)) && pings.may_answer(7, Asks::Phone, ip(1_000)));
        assert!(pings.strangers.of.len() <= 200);
    }
}
