//! Which numbers are extensions, and whose (SPEC 6.4 step 2).

use std::collections::{BTreeSet, HashSet};
use std::ops::Bound;

use ahash::RandomState;

use super::decision::{ExtensionCall, Outcome};
use super::number::Modifiers;
use crate::digits::ExtensionPattern;
use crate::ids::{Extension, SiteName};
use crate::settings::{Network, Site};

/// Who is here beside the users and groups of the site's own file.
pub trait Directory {
    /// Whether `extension` is at this site: a visitor, or anyone else that the plan's file does not name.
    fn at_this_site(&self, extension: &str) -> bool;
}

/// Nobody.
#[derive(Clone, Copy, Debug)]
pub struct NoVisitors;

impl Directory for NoVisitors {
    fn at_this_site(&self, _extension: &str) -> bool {
        false
    }
}

impl<F: Fn(&str) -> bool> Directory for F {
    fn at_this_site(&self, extension: &str) -> bool {
        self(extension)
    }
}

/// Where an extension is to be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Here,
    At(SiteName),
}

impl Place {
    /// The call to that extension.
    pub(super) fn called(self, number: String, modifiers: Modifiers) -> Outcome {
        let site = match self {
            Self::Here => None,
            Self::At(site) => Some(site),
        };
        Outcome::Extension(ExtensionCall { number, site, modifiers })
    }
}

/// The numbers of the network, as this site sees them.
#[derive(Clone, Debug)]
pub(super) struct Extensions {
    /// For look-ups, the second for what begins one.
    here: HashSet<Extension, RandomState>,
    sorted: BTreeSet<Extension>,
    /// Lab mode: every name that fits is a user (SPEC 4.7).
    anyone: Vec<ExtensionPattern>,
    elsewhere: Vec<(SiteName, Vec<ExtensionPattern>)>,
}

impl Extensions {
    pub(super) fn new(network: &Network, site: &Site) -> Self {
        let own = network.sites.get(&site.name).map(|entry| entry.extensions.clone()).unwrap_or_default();
        let others = network.sites.values().filter(|entry| entry.name != site.name);
        let sorted: BTreeSet<Extension> = site.users.keys().chain(site.groups.keys()).cloned().collect();
        let mut here = HashSet::with_hasher(super::fixed_hasher());
        here.extend(sorted.iter().cloned());
        Self {
            here,
            sorted,
            anyone: if site.lab.is_some() { own } else { Vec::new() },
            elsewhere: others.map(|entry| (entry.name.clone(), entry.extensions.clone())).collect(),
        }
    }

    /// Users and groups of the site, visitors, then the patterns of the other sites.
    pub(super) fn place(&self, digits: &str, directory: &dyn Directory) -> Option<Place> {
        let anyone = |patterns: &[ExtensionPattern]| patterns.iter().any(|pattern| pattern.matches(digits));
        if self.here.contains(digits) || directory.at_this_site(digits) || anyone(&self.anyone) {
            return Some(Place::Here);
        }
        self.elsewhere.iter().find(|(_, patterns)| anyone(patterns)).map(|(site, _)| Place::At(site.clone()))
    }

    /// The numbers of the site's own users and groups, in order.
    pub(super) fn numbers(&self) -> impl Iterator<Item = &str> {
        self.sorted.iter().map(Extension::as_str)
    }

    /// The patterns that name extensions, the other sites' and in lab mode the own.
    pub(super) fn patterns(&self) -> impl Iterator<Item = &ExtensionPattern> {
        self.anyone.iter().chain(self.elsewhere.iter().flat_map(|(_, patterns)| patterns))
    }

    /// Whether `digits` begin a longer extension. Visitors are among the patterns of their homes.
    pub(super) fn begin(&self, digits: &str) -> bool {
        let from = (Bound::Excluded(digits), Bound::Unbounded);
        self.sorted.range::<str, _>(from).next().is_some_and(|next| next.as_str().starts_with(digits))
            || self.anyone.iter().any(|pattern| pattern.begins(digits))
            || self.elsewhere.iter().any(|(_, patterns)| patterns.iter().any(|pattern| pattern.begins(digits)))
    }
}

trait Begins {
    /// Whether some longer extension of the pattern begins with `digits`.
    fn begins(&self, digits: &str) -> bool;
}

impl Begins for ExtensionPattern {
    fn begins(&self, digits: &str) -> bool {
        let (fixed, open) = match self.as_str().strip_suffix('N') {
            Some(fixed) => (fixed.as_bytes(), true),
            None => (self.as_str().as_bytes(), false),
        };
        let digits = digits.as_bytes();
        let fits = |(&p, c): (&u8, &u8)| if p == b'X' { c.is_ascii_digit() } else { p == *c };
        (open || digits.len() < fixed.len())
            && fixed.iter().zip(digits).all(fits)
            && digits.iter().skip(fixed.len()).all(u8::is_ascii_digit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_knows_what_begins_its_numbers() {
        let begins = |pattern: &str, digits: &str| ExtensionPattern::parse(pattern).expect("a pattern").begins(digits);
        assert!(begins("2XX", "") && begins("2XX", "2") && begins("2XX", "20"));
        assert!(!begins("2XX", "201") && !begins("2XX", "3") && !begins("2XX", "2a"));
        assert!(begins("uN", "u") && begins("uN", "u17") && !begins("uN", "u1x"));
    }
}
