//! What users have set by dialling, as far as they were told (SPEC 7.4): what was confirmed holds, what was refused does not.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::deed::Choice;

/// What may be set for one user at home; nothing is at first.
#[derive(Clone, Debug)]
pub struct Choices {
    known: BTreeMap<Choice, BTreeSet<bool>>,
    /// Since then the site where the user is may believe something else than home does.
    differ_since: Option<Duration>,
}

impl Default for Choices {
    fn default() -> Self {
        Self { known: Choice::ALL.map(|choice| (choice, BTreeSet::from([false]))).into(), differ_since: None }
    }
}

impl Choices {
    /// What is set; `None`: nobody can tell.
    pub fn of(&self, choice: Choice) -> Option<bool> {
        let known = &self.known[&choice];
        known.first().copied().filter(|_| known.len() == 1)
    }

    /// Whether it may be set.
    pub fn may(&self, choice: Choice) -> bool {
        self.known[&choice].contains(&true)
    }

    /// Since when home and the site where the user is may believe different things.
    pub fn differ_since(&self) -> Option<Duration> {
        self.differ_since
    }

    /// It was confirmed.
    pub fn set(&mut self, choice: Choice, on: bool) {
        self.known.insert(choice, BTreeSet::from([on]));
        self.differ_since = None;
    }

    /// It may have been taken, or not.
    pub fn unclear(&mut self, choice: Choice, on: bool, now: Duration) {
        self.known.entry(choice).or_default().insert(on);
        self.differ_since = Some(now);
    }

    /// Home has lost its memory: what it believes is what the file says, and other sites have to learn that.
    pub fn forgotten(&mut self, now: Duration) {
        *self = Self { differ_since: Some(now), ..Self::default() };
    }
}
