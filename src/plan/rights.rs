//! User rights and which of them are in force (SPEC 7.2): names that travel, looked up at the site where the user is.

use super::Plan;
use super::level::Level;
use crate::timing::Wall;

/// The names that travel with a user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RightsNames<'a> {
    /// In force while the time profile is active; without one, always.
    pub rights: Option<&'a str>,
    /// The time profile.
    pub time_profile: Option<&'a str>,
    /// In force outside it.
    pub out_of_hours: Option<&'a str>,
}

/// What the names mean here and now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InForce<'a> {
    /// The rights that this site has and that apply.
    pub name: Option<&'a str>,
    /// The name that this site lacks, if that is why nothing applies.
    pub missing: Option<Missing<'a>>,
}

/// A name that a site lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing<'a> {
    /// The rights.
    Rights(&'a str),
    /// The time profile: then neither the rights nor those out of hours apply.
    TimeProfile(&'a str),
}

/// `[rights.NAME]`, compiled.
#[derive(Clone, Debug)]
pub(super) struct RightsHere {
    pub(super) outgoing_bar: bool,
    pub(super) level: Level,
}

impl Plan {
    /// The rights in force here at that moment.
    pub fn rights_in_force<'a>(&self, names: &RightsNames<'a>, at: Wall) -> InForce<'a> {
        let nothing = InForce { name: None, missing: None };
        let due = match names.time_profile {
            None => names.rights,
            Some(profile) => match self.time_profiles.get(profile) {
                Some(calendar) if calendar.active(at) => names.rights,
                Some(_) => names.out_of_hours,
                // without any rights the profile's absence changes nothing
                None if names.rights.or(names.out_of_hours).is_none() => None,
                None => return InForce { missing: Some(Missing::TimeProfile(profile)), ..nothing },
            },
        };
        match due {
            Some(name) if self.rights.contains_key(name) => InForce { name: Some(name), ..nothing },
            Some(name) => InForce { missing: Some(Missing::Rights(name)), ..nothing },
            None => nothing,
        }
    }

    /// The name of the rights that are due at that moment by this site's calendar, though the site itself may lack them: it travels with a
    /// Break Out (SPEC 6.8).
    pub fn rights_due<'a>(&self, names: &RightsNames<'a>, at: Wall) -> Option<&'a str> {
        let InForce { name, missing } = self.rights_in_force(names, at);
        match missing {
            Some(Missing::Rights(lacking)) => Some(lacking),
            Some(Missing::TimeProfile(_)) | None => name,
        }
    }
}

impl<'a> Missing<'a> {
    /// The name.
    pub fn name(self) -> &'a str {
        match self {
            Self::Rights(name) | Self::TimeProfile(name) => name,
        }
    }
}

impl InForce<'_> {
    /// Why, for the trace.
    pub(super) fn why(&self, names: &RightsNames<'_>) -> String {
        match (self.missing, names.time_profile) {
            (Some(Missing::Rights(name)), _) => format!("this site has no rights {name}"),
            (Some(Missing::TimeProfile(name)), _) => format!("this site has no time profile {name}"),
            (None, None) => "always".to_owned(),
            (None, Some(profile)) if self.name == names.rights => format!("{profile} is active"),
            (None, Some(profile)) => format!("outside {profile}"),
        }
    }
}
