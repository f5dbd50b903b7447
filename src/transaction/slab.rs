//! A vector with free places, and ids that don't outlive what they named.

use crate::pages::Pages;

/// A place and how often it was used before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Place {
    pub index: u32,
    pub generation: u32,
}

impl Place {
    pub const FIRST: Place = Place { index: 0, generation: 0 };
    pub const LAST: Place = Place { index: u32::MAX, generation: u32::MAX };
}

/// Values by [`Place`]. Its memory is that of the most values at one time.
#[derive(Debug)]
pub(super) struct Slab<T> {
    entries: Pages<Entry<T>>,
    free: Option<u32>,
    len: usize,
}

#[derive(Debug)]
struct Entry<T> {
    generation: u32,
    content: Content<T>,
}

#[derive(Debug)]
enum Content<T> {
    Vacant { next: Option<u32> },
    Value(T),
}

impl<T> Slab<T> {
    pub fn new() -> Self {
        Self { entries: Pages::default(), free: None, len: 0 }
    }

    pub fn len(&self) -> usize {
        self.len
    }

    /// Puts a value into the place that became free last, or into a new one.
    pub fn insert(&mut self, value: T) -> Place {
        self.len += 1;
        let index = self.free.unwrap_or(self.entries.len() as u32);
        let Some(entry) = self.entries.get_mut(index as usize) else {
            self.entries.push(Entry { generation: 0, content: Content::Value(value) });
            return Place { index, generation: 0 };
        };
        let Content::Vacant { next } = std::mem::replace(&mut entry.content, Content::Value(value)) else {
            unreachable!("a place in the free list is vacant");
        };
        self.free = next;
        Place { index, generation: entry.generation }
    }

    pub fn get(&self, place: Place) -> Option<&T> {
        match self.entries.get(place.index as usize)? {
            Entry { generation, content: Content::Value(value) } if *generation == place.generation => Some(value),
            Entry { content: Content::Value(_) | Content::Vacant { .. }, .. } => None,
        }
    }

    pub fn get_mut(&mut self, place: Place) -> Option<&mut T> {
        match self.entries.get_mut(place.index as usize)? {
            Entry { generation, content: Content::Value(value) } if *generation == place.generation => Some(value),
            Entry { content: Content::Value(_) | Content::Vacant { .. }, .. } => None,
        }
    }

    pub fn remove(&mut self, place: Place) -> Option<T> {
        self.get(place)?;
        let entry = &mut self.entries[place.index as usize];
        let removed = std::mem::replace(&mut entry.content, Content::Vacant { next: self.free });
        entry.generation = entry.generation.wrapping_add(1);
        self.free = Some(place.index);
        self.len -= 1;
        match removed {
            Content::Value(value) => Some(value),
            Content::Vacant { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_does_not_find_what_came_into_its_place_later() {
        let mut slab = Slab::new();
        let (a, b) = (slab.insert('a'), slab.insert('b'));
        assert_eq!(slab.remove(a), Some('a'));
        assert_eq!(slab.get(a), None);
        assert_eq!(slab.remove(a), None);
        let c = slab.insert('c');
        assert_eq!(c.index, a.index, "the place is used again");
        assert_eq!((slab.get(a), slab.get(b), slab.get(c)), (None, Some(&'b'), Some(&'c')));
        assert_eq!(slab.len(), 2);
    }

    #[test]
    fn free_places_are_used_before_new_ones() {
        let mut slab = Slab::new();
        let places = [slab.insert(0), slab.insert(1), slab.insert(2)];
        for place in places {
            slab.remove(place);
        }
        let again = [slab.insert(3), slab.insert(4), slab.insert(5), slab.insert(6)];
        assert_eq!(again.map(|place| place.index), [2, 1, 0, 3]);
    }
}
