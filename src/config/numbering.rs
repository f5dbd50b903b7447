//! Whose every number is: users and groups of all sites, judged together once all plans have been read.

use std::collections::{BTreeMap, BTreeSet};

use super::document::At;
use super::problem::{Report, Spot};
use crate::digits::ExtensionPattern;
use crate::ids::SiteName;
use crate::settings::{Network, SiteEntry};

/// The numbers that the plans give to users and groups, and those that they speak of.
#[derive(Debug, Default)]
pub struct Numbering {
    claims: Vec<Claim>,
    mentions: Vec<Mention>,
    /// A row's number could not be read: who is missing cannot be said.
    incomplete: bool,
}

#[derive(Debug)]
struct Claim {
    number: String,
    kind: &'static str,
    site: SiteName,
    spot: Spot,
}

#[derive(Debug)]
struct Mention {
    number: String,
    wanted: Wanted,
    site: SiteName,
    spot: Spot,
}

/// What a number that is spoken of may belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// A user of any site.
    User,
    /// A user or a group of any site.
    Any,
}

/// What is known of the sites whose plans were read.
#[derive(Debug)]
pub struct Read {
    /// Those sites.
    pub sites: BTreeSet<SiteName>,
    /// Those of them in lab mode: every number that fits is a user.
    pub lab: BTreeSet<SiteName>,
}

impl Numbering {
    /// A user (`kind` is `user`) or group has this number.
    pub fn claim(&mut self, at: At<'_>, site: &SiteName, number: &str, kind: &'static str) {
        self.claims.push(Claim { number: number.to_owned(), kind, site: site.clone(), spot: at.spot() });
    }

    /// A user or group has a number that cannot be read.
    pub fn unreadable(&mut self) {
        self.incomplete = true;
    }

    /// Somebody with this number is spoken of.
    pub fn mention(&mut self, at: At<'_>, site: &SiteName, number: &str, wanted: Wanted) {
        self.mentions.push(Mention { number: number.to_owned(), wanted, site: site.clone(), spot: at.spot() });
    }

    /// Judges all of them.
    pub fn judge(&self, network: &Network, read: &Read, report: &mut Report) {
        let mut first = BTreeMap::<&str, &Claim>::new();
        for claim in &self.claims {
            match first.get(claim.number.as_str()) {
                Some(earlier) => report.error_at(claim.spot.clone(), claim.again(earlier)),
                None => {
                    first.insert(&claim.number, claim);
                    claim.at_home(network, report);
                }
            }
        }
        for mention in self.mentions.iter().filter(|_| !self.incomplete) {
            mention.judge(network, read, first.get(mention.number.as_str()).copied(), report);
        }
    }
}

impl Claim {
    fn again(&self, earlier: &Claim) -> String {
        let number = &self.number;
        let whose = if earlier.site == self.site { String::new() } else { format!(" of {}", earlier.site) };
        format!("extension {number} is already the {}{whose} at {}", earlier.kind, earlier.spot)
    }

    fn at_home(&self, network: &Network, report: &mut Report) {
        let Some(site) = network.sites.get(&self.site) else { return };
        let number = &self.number;
        let fits = |pattern: &ExtensionPattern| pattern.matches(number);
        if site.extensions.is_empty() || site.extensions.iter().any(fits) {
            return;
        }
        let whose = match network.home_of(number) {
            Some(home) => format!("; it belongs to {}", home.name),
            None => String::new(),
        };
        let message = format!("extension {number} is none of {}'s ({}){whose}", site.name, patterns(site));
        report.error_at(self.spot.clone(), message);
    }
}

impl Mention {
    fn judge(&self, network: &Network, read: &Read, claim: Option<&Claim>, report: &mut Report) {
        let number = &self.number;
        if let Some(claim) = claim {
            if self.wanted == Wanted::User && claim.kind != "user" {
                report.error_at(self.spot.clone(), format!("{number} is a group; a user is needed here"));
            }
            return;
        }
        let unread = |home: &SiteEntry| !read.sites.contains(&home.name) || read.lab.contains(&home.name);
        if network.home_of(number).is_some_and(unread) {
            return;
        }
        let what = match self.wanted {
            Wanted::User => "user",
            Wanted::Any => "user or group",
        };
        report.error_at(self.spot.clone(), format!("no {what} `{number}` at {} or any other site", self.site));
    }
}

fn patterns(site: &SiteEntry) -> String {
    site.extensions.iter().map(ExtensionPattern::as_str).collect::<Vec<_>>().join(", ")
}
