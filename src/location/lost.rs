//! Phones that have lost their user (SPEC 5.5, 5.10), as the site remembers them where they were bound: by this they may dial for help and log
//! in by dialling, and where the site keeps them in limbo (`displaced = "limbo"`) they are bound for just that.
//!
//! In memory only, for a day: whether a phone is kept out at all is the word of the home site, which keeps that durably. What is in limbo is
//! no binding of the AOR: it never rings for the phone's own user, counts as no device and holds no licence.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::binding::Binding;
use super::device::Device;
use super::record::Resident;
use crate::guarded::Guarded;
use crate::ids::Extension;

/// As long as a displaced phone is one.
const REMEMBERED: Duration = Duration::from_secs(86_400);
/// Most phones remembered; the one that is remembered for longest is forgotten first.
const MOST: usize = 10_000;

/// A phone that has lost its user.
#[derive(Clone, Debug)]
pub struct LostPhone {
    /// As it was bound when it lost the user, or as it is bound in limbo.
    pub binding: Binding,
    /// Its REGISTERs are answered 200: as long as the binding lasts, others may sit at the phone.
    pub in_limbo: bool,
    /// When it was last heard of.
    pub seen: Instant,
}

impl LostPhone {
    /// Whether it is bound in limbo.
    pub fn is_in_limbo(&self, now: Instant) -> bool {
        self.in_limbo && self.binding.is_live(now)
    }
}

/// The lost phones of a site, by their own users.
#[derive(Debug, Default)]
pub(super) struct LostPhones {
    by_user: Guarded<BTreeMap<Extension, Vec<LostPhone>>>,
    /// How many there are: mostly none, and then nobody looks for them.
    count: AtomicUsize,
}

impl LostPhones {
    /// Whether there is any.
    pub fn any(&self) -> bool {
        self.count.load(Ordering::Acquire) > 0
    }

    /// Those of that user, the latest last.
    pub fn of(&self, user: &str) -> Vec<LostPhone> {
        if !self.any() {
            return Vec::new();
        }
        self.by_user.with(|users| users.get(user).cloned().unwrap_or_default())
    }

    /// Remembers one; what was known of that contact is replaced. Of one user at most [`Resident::DISPLACED`], the latest.
    pub fn add(&self, user: &Extension, phone: LostPhone) {
        self.by_user.with(|users| {
            if self.count.load(Ordering::Acquire) >= MOST {
                forget_oldest(users);
            }
            let is_old = |other: &LostPhone| phone.seen.saturating_duration_since(other.seen) >= REMEMBERED;
            let phones = users.entry(user.clone()).or_default();
            phones.retain(|other| !is_old(other) && !other.binding.uri.equivalent(&phone.binding.uri));
            phones.push(phone);
            let surplus = phones.len().saturating_sub(Resident::DISPLACED);
            phones.drain(..surplus);
            self.note(users);
        });
    }

    /// Forgets those of that user that are meant.
    pub fn forget(&self, user: &str, is_meant: impl Fn(&LostPhone) -> bool) {
        if !self.any() {
            return;
        }
        self.by_user.with(|users| {
            let Some(phones) = users.get_mut(user) else { return };
            phones.retain(|phone| !is_meant(phone));
            if phones.is_empty() {
                users.remove(user);
            }
            self.note(users);
        });
    }

    fn note(&self, users: &BTreeMap<Extension, Vec<LostPhone>>) {
        self.count.store(users.values().map(Vec::len).sum(), Ordering::Release);
    }
}

/// Of a phone, whether this is it.
pub fn is_phone(device: &Device) -> impl Fn(&LostPhone) -> bool {
    move |phone| phone.binding.device.is(device)
}

fn forget_oldest(users: &mut BTreeMap<Extension, Vec<LostPhone>>) {
    let first = |(user, phones): (&Extension, &Vec<LostPhone>)| {
        let seen = phones.iter().map(|phone| phone.seen).min()?;
        Some((seen, user.clone()))
    };
    let Some((seen, user)) = users.iter().filter_map(first).min() else { return };
    if let Some(phones) = users.get_mut(&user) {
        phones.retain(|phone| phone.seen != seen);
        if phones.is_empty() {
            users.remove(&user);
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::sip::Uri;
    use crate::timing::Wall;
    use crate::transmit::{Flow, SocketId};

    #[allow(clippy::disallowed_methods, reason = "any instant will do as the start")]
    fn start() -> Instant {
        Instant::now()
    }

    fn phone(port: usize, seen: Instant) -> LostPhone {
        let host: Bytes = format!("192.0.2.1:{}", 5060 + port).into();
        let device = Device { instance: None, call_id: host.clone(), host, rotates: false };
        let remote = ([192, 0, 2, 1], 5060).into();
        let binding = Binding {
            serial: port as u64,
            uri: Uri::parse(format!("sip:201@192.0.2.1:{}", 5060 + port)).expect("a URI"),
            params: Bytes::new(),
            q: 1000,
            reg_id: None,
            device,
            cseq: 1,
            expires_at: seen + Duration::from_secs(60),
            expires_wall: Wall(60_000),
            updated: Wall(0),
            updated_at: seen,
            path: Vec::new(),
            flow: Flow { socket: SocketId(0), remote },
            nat: false,
        };
        LostPhone { binding, in_limbo: true, seen }
    }

    fn serials(lost: &LostPhones, user: &str) -> Vec<u64> {
        lost.of(user).iter().map(|phone| phone.binding.serial).collect()
    }

    #[test]
    fn a_phone_is_remembered_once_and_until_it_is_forgotten() {
        let (lost, now, ada) = (LostPhones::default(), start(), Extension::new("201"));
        assert!(!lost.any() && lost.of("201").is_empty());
        [1, 2, 1].into_iter().for_each(|port| lost.add(&ada, phone(port, now)));
        assert_eq!(serials(&lost, "201"), [2, 1]);
        lost.forget("202", |_| true);
        lost.forget("201", is_phone(&phone(2, now).binding.device));
        assert_eq!(serials(&lost, "201"), [1]);
        lost.forget("201", |_| true);
        assert!(!lost.any());
    }

    #[test]
    fn limbo_lasts_as_long_as_the_binding() {
        let now = start();
        let in_limbo = phone(1, now);
        assert!(in_limbo.is_in_limbo(now + Duration::from_millis(59_999)));
        assert!(!in_limbo.is_in_limbo(now + Duration::from_secs(60)));
        assert!(!LostPhone { in_limbo: false, ..in_limbo }.is_in_limbo(now));
    }

    #[test]
    fn a_user_has_sixteen_and_each_for_a_day() {
        let (lost, now, ada) = (LostPhones::default(), start(), Extension::new("201"));
        (0..=Resident::DISPLACED).for_each(|port| lost.add(&ada, phone(port, now)));
        assert_eq!(serials(&lost, "201"), (1..=Resident::DISPLACED as u64).collect::<Vec<_>>());
        lost.add(&ada, phone(1, now + REMEMBERED - Duration::from_millis(1)));
        assert_eq!(serials(&lost, "201").len(), Resident::DISPLACED);
        lost.add(&ada, phone(2, now + REMEMBERED));
        assert_eq!(serials(&lost, "201"), [1, 2]);
    }

    #[test]
    fn where_there_are_too_many_the_oldest_is_forgotten() {
        let (lost, now) = (LostPhones::default(), start());
        for number in 0..=MOST {
            lost.add(&Extension::new(number.to_string()), phone(1, now + Duration::from_millis(number as u64)));
        }
        assert_eq!(lost.count.load(Ordering::Acquire), MOST);
        assert!(lost.of("0").is_empty() && !lost.of("1").is_empty());
    }
}
