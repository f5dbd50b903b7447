//! A vector that grows by pages: what is in it is never moved.
//!
//! For tables that grow to hundreds of thousands of entries while datagrams wait: a plain vector that doubles copies all of
//! them at once, and touches twice the memory. Used by [`deadlines`](crate::deadlines) and by the transactions.

use std::ops::{Index, IndexMut};

/// Entries of one page.
const PAGE: usize = 1024;

/// Values by their place, from 0 on. Its memory is that of the most values at one time.
#[derive(Debug)]
pub struct Pages<T>(Vec<Vec<T>>);

impl<T> Default for Pages<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Pages<T> {
    /// How many values there are.
    pub fn len(&self) -> usize {
        self.0.last().map_or(0, |last| (self.0.len() - 1) * PAGE + last.len())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Puts a value behind all others.
    pub fn push(&mut self, value: T) {
        match self.0.last_mut() {
            Some(last) if last.len() < PAGE => last.push(value),
            Some(_) | None => {
                let mut page = Vec::with_capacity(PAGE);
                page.push(value);
                self.0.push(page);
            }
        }
    }

    /// The value at that place.
    pub fn get(&self, place: usize) -> Option<&T> {
        self.0.get(place / PAGE)?.get(place % PAGE)
    }

    /// The same to be changed.
    pub fn get_mut(&mut self, place: usize) -> Option<&mut T> {
        self.0.get_mut(place / PAGE)?.get_mut(place % PAGE)
    }
}

impl<T> Index<usize> for Pages<T> {
    type Output = T;

    fn index(&self, place: usize) -> &T {
        &self.0[place / PAGE][place % PAGE]
    }
}

impl<T> IndexMut<usize> for Pages<T> {
    fn index_mut(&mut self, place: usize) -> &mut T {
        &mut self.0[place / PAGE][place % PAGE]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pushed_is_found_at_its_place_and_nothing_beyond() {
        let mut pages = Pages::default();
        assert!(pages.is_empty() && pages.get(0).is_none());
        for value in 0..2 * PAGE + 1 {
            assert_eq!(pages.len(), value);
            pages.push(value);
        }
        for place in [0, 1, PAGE - 1, PAGE, 2 * PAGE - 1, 2 * PAGE] {
            assert_eq!((pages.get(place), pages[place]), (Some(&place), place));
        }
        assert!(pages.get(2 * PAGE + 1).is_none() && pages.get_mut(3 * PAGE).is_none());
        pages[PAGE] = 7;
        assert_eq!(pages.get_mut(PAGE), Some(&mut 7));
    }

    #[test]
    fn nothing_is_moved_when_it_grows() {
        let mut pages = Pages::default();
        pages.push(0);
        let first: *const usize = &pages[0];
        (1..10 * PAGE).for_each(|value| pages.push(value));
        assert!(std::ptr::eq(first, &pages[0]));
    }
}
