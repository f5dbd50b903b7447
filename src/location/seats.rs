//! Users who sit at phones of others (SPEC 10.2): a login by dialling keeps the phone's binding where it is, in the record of the phone's own
//! account, and is remembered by the user who sits there.
//!
//! What is written is the user's record alone, so that nothing can be half done; who sits at a phone is found by an index over all committed
//! records. If two users claim a phone, the later one has it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::device::Device;
use super::record::Record;
use crate::guarded::Guarded;
use crate::ids::Extension;
use crate::timing::Wall;

/// A phone at which a user sits, though its digest is somebody else's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seat {
    /// The phone's own account: a user or desk of this site, or a visitor.
    pub phone: Extension,
    /// The phone.
    pub device: Device,
    /// Since when.
    pub since: Wall,
}

/// Somebody at a phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sitter {
    /// Who.
    pub user: Extension,
    /// The phone.
    pub device: Device,
    /// Since when.
    pub since: Wall,
}

/// Who sits where, by the phones' own accounts.
#[derive(Debug, Default)]
pub(super) struct Seats {
    by_phone: Guarded<BTreeMap<Extension, Vec<Sitter>>>,
    /// How many there are: mostly none, and then nobody is looked for.
    count: AtomicUsize,
}

impl Seats {
    /// A record is replaced by another.
    pub fn moved(&self, user: &Extension, before: Option<&Record>, after: Option<&Record>) {
        let (before, after) = (before.map_or(&[][..], Record::seats), after.map_or(&[][..], Record::seats));
        if before == after {
            return;
        }
        self.by_phone.with(|phones| {
            for seat in before {
                if let Some(sitters) = phones.get_mut(&seat.phone) {
                    sitters.retain(|sitter| sitter.user != *user);
                    if sitters.is_empty() {
                        phones.remove(&seat.phone);
                    }
                }
            }
            for Seat { phone, device, since } in after.iter().cloned() {
                phones.entry(phone).or_default().push(Sitter { user: user.clone(), device, since });
            }
            self.count.store(phones.values().map(Vec::len).sum(), Ordering::Release);
        });
    }

    /// Whether there is any.
    pub fn any(&self) -> bool {
        self.count.load(Ordering::Acquire) > 0
    }

    /// Everybody who claims a phone of that account.
    pub fn at(&self, phone: &str) -> Vec<Sitter> {
        if !self.any() {
            return Vec::new();
        }
        self.by_phone.with(|phones| phones.get(phone).cloned().unwrap_or_default())
    }
}

/// Who has that phone: the latest who has come.
pub fn sitter_at<'s>(sitters: &'s [Sitter], device: &Device) -> Option<&'s Sitter> {
    let claims = sitters.iter().filter(|sitter| sitter.device.is(device));
    claims.max_by(|a, b| a.since.cmp(&b.since).then_with(|| a.user.cmp(&b.user)))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::super::record::Resident;
    use super::*;

    fn device(host: &'static str) -> Device {
        Device {
            instance: None,
            call_id: Bytes::from_static(host.as_bytes()),
            host: Bytes::from_static(host.as_bytes()),
            rotates: false,
        }
    }

    fn record(seats: &[(&str, &'static str, u64)]) -> Record {
        let seat = |(phone, host, since): &(&str, &'static str, u64)| Seat {
            phone: Extension::new(phone),
            device: device(host),
            since: Wall(*since),
        };
        Record::Resident(Resident { seats: seats.iter().map(seat).collect(), ..Resident::default() })
    }

    fn who(seats: &Seats, phone: &str, host: &'static str) -> Option<String> {
        sitter_at(&seats.at(phone), &device(host)).map(|sitter| sitter.user.to_string())
    }

    #[test]
    fn the_index_follows_the_records_and_the_latest_has_the_phone() {
        let (seats, ada, bob) = (Seats::default(), Extension::new("201"), Extension::new("202"));
        let first = record(&[("205", "a", 1), ("desk", "c", 1)]);
        seats.moved(&ada, None, Some(&first));
        assert_eq!((who(&seats, "205", "a"), who(&seats, "205", "b")), (Some("201".into()), None));
        let other = record(&[("205", "a", 2)]);
        seats.moved(&bob, None, Some(&other));
        assert_eq!(who(&seats, "205", "a"), Some("202".into()));
        seats.moved(&bob, Some(&other), None);
        assert_eq!(who(&seats, "205", "a"), Some("201".into()));
        let moved = record(&[("205", "b", 3)]);
        seats.moved(&ada, Some(&first), Some(&moved));
        assert_eq!(
            (who(&seats, "205", "a"), who(&seats, "205", "b"), who(&seats, "desk", "c")),
            (None, Some("201".into()), None)
        );
        seats.moved(&ada, Some(&moved), Some(&record(&[])));
        assert_eq!(seats.count.load(Ordering::Acquire), 0);
        assert!(seats.by_phone.with(|phones| phones.is_empty()));
    }
}
