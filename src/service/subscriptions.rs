//! All subscriptions of a site: found by key, by dialog, by user; bounded by user and in all.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;

use super::subscription::Subscription;
use crate::ids::Extension;

/// Subscriptions by the node's keys `K`, which grow: the oldest of a user has the smallest.
#[derive(Debug)]
pub struct Subscriptions<K> {
    all: BTreeMap<K, Subscription>,
    dialogs: BTreeMap<(Bytes, String, Bytes), K>,
    users: BTreeMap<Extension, BTreeSet<K>>,
}

impl<K: Copy + Ord> Default for Subscriptions<K> {
    fn default() -> Self {
        Self { all: BTreeMap::new(), dialogs: BTreeMap::new(), users: BTreeMap::new() }
    }
}

impl<K: Copy + Ord> Subscriptions<K> {
    /// Most subscriptions of one user.
    pub const OF_ONE: usize = 16;
    /// Most in all.
    pub const MOST: usize = 20_000;

    /// Whether no more can be taken.
    pub fn is_full(&self) -> bool {
        self.all.len() >= Self::MOST
    }

    /// The oldest subscription of a user who has as many as may be: it makes room for a new one.
    pub fn surplus(&self, user: &Extension) -> Option<K> {
        self.users.get(user).filter(|own| own.len() >= Self::OF_ONE)?.first().copied()
    }

    /// Takes a new one.
    pub fn insert(&mut self, key: K, subscription: Subscription) {
        self.dialogs.insert(subscription.dialog_id(), key);
        self.users.entry(subscription.user.clone()).or_default().insert(key);
        self.all.insert(key, subscription);
    }

    /// One of them.
    pub fn of(&mut self, key: K) -> Option<&mut Subscription> {
        self.all.get_mut(&key)
    }

    /// The subscription of a dialog: its Call-ID, our tag, theirs.
    pub fn in_dialog(&self, call_id: &[u8], our_tag: &[u8], their_tag: &[u8]) -> Option<K> {
        let (call_id, theirs) = (Bytes::copy_from_slice(call_id), Bytes::copy_from_slice(their_tag));
        let ours = String::from_utf8(our_tag.to_vec()).ok()?;
        self.dialogs.get(&(call_id, ours, theirs)).copied()
    }

    /// Those of a user, oldest first. Nothing is allocated for a user without any.
    pub fn watching(&self, user: &str) -> Vec<K> {
        self.users.get(user).map(|own| own.iter().copied().collect()).unwrap_or_default()
    }

    /// Ends one.
    pub fn remove(&mut self, key: K) -> Option<Subscription> {
        let subscription = self.all.remove(&key)?;
        self.dialogs.remove(&subscription.dialog_id());
        if let Some(own) = self.users.get_mut(&subscription.user) {
            own.remove(&key);
            if own.is_empty() {
                self.users.remove(&subscription.user);
            }
        }
        Some(subscription)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::super::subscription::fixtures::{flow, now, subscribe};
    use super::super::wanted::Wanted;
    use super::*;

    fn watch(user: &str, our_tag: &str) -> Subscription {
        let request = subscribe("", &["Event: reg", "Contact: <sip:201@127.0.0.1:1>"]);
        let wanted = Wanted::read(&request, 60).expect("good");
        Subscription::new(&Extension::new(user), &request, &wanted, flow(1), our_tag.into(), now()).expect("a contact")
    }

    #[test]
    fn one_is_found_by_its_dialog_and_by_its_user_until_it_ends() {
        let mut all = Subscriptions::default();
        all.insert(1, watch("201", "a"));
        all.insert(2, watch("201", "b"));
        all.insert(3, watch("202", "c"));
        assert_eq!((all.watching("201"), all.watching("202"), all.watching("203")), (vec![1, 2], vec![3], vec![]));
        assert_eq!(all.in_dialog(b"c", b"b", b"theirs"), Some(2));
        for (call_id, ours, theirs) in [("x", "b", "theirs"), ("c", "x", "theirs"), ("c", "b", "x")] {
            assert_eq!(all.in_dialog(call_id.as_bytes(), ours.as_bytes(), theirs.as_bytes()), None);
        }
        assert!(all.remove(2).is_some() && all.remove(2).is_none());
        assert_eq!((all.watching("201"), all.in_dialog(b"c", b"b", b"theirs"), all.len()), (vec![1], None, 2));
        assert!(all.remove(1).is_some() && all.remove(3).is_some() && all.is_empty() && all.users.is_empty());
    }

    #[test]
    fn the_oldest_of_a_user_makes_room_and_the_whole_is_bounded() {
        let mut all = Subscriptions::default();
        for key in 0..Subscriptions::<usize>::OF_ONE {
            assert_eq!(all.surplus(&Extension::new("201")), None);
            all.insert(key, watch("201", &format!("tag{key}")));
        }
        assert_eq!((all.surplus(&Extension::new("201")), all.surplus(&Extension::new("202"))), (Some(0), None));
        for key in all.len()..Subscriptions::<usize>::MOST {
            assert!(!all.is_full());
            all.insert(key, watch(&format!("u{key}"), &format!("tag{key}")));
        }
        assert!(all.is_full());
    }
}
