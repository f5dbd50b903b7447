//! A site's dial plan: what a dialled string does, and why (SPEC §6, §7.1-7.2, 9.3).
//!
//! Compiled once from the settings ([`Plan::compile`]); a user's own codes apart from it ([`Level::compile`]), because they travel. The node asks for
//! whatever is dialled ([`Plan::route`]), what other sites send ([`Plan::route_from_site`]), forwards ([`Plan::route_forward`]) and trunks
//! ([`Plan::route_incoming`]); before it authenticates anyone it asks for emergency numbers ([`Plan::emergency`]). A [`Decision`] carries the [`Trace`]
//! written by the code that decided.
//!
//! Assumed: the dialled string is percent-decoded, and the settings are valid apart from what this module checks.
//! Out of scope: SIP messages, the state of trunks (who walks the [`Route`]s asks for it), who is logged in where (a [`Directory`] knows).

mod ars;
mod break_out;
mod caller;
mod calling;
mod codes;
mod compile;
mod decision;
mod emergency;
mod error;
mod everywhere;
mod expect;
mod extensions;
mod feature;
mod form;
mod gives;
mod hours;
mod incoming;
mod level;
mod lint;
mod number;
mod pattern;
mod rights;
mod route;
mod short_code;
mod time_profile;
mod trace;

use std::collections::HashMap;
use std::sync::Arc;

use ahash::RandomState;
use jiff::tz::TimeZone;

pub use break_out::{FromSite, MOST_STEPS, follow};
pub use caller::{Alone, Around, Caller, Neighbours, Priority, Standing};
pub use calling::Calling;
pub use decision::{Alternate, Bar, BreakOutCall, Decision, EmergencyCall, ExtensionCall, Outcome, Refusal, Route};
pub use error::{PlanError, Problem};
pub use everywhere::Everywhere;
pub use expect::{Broken, Tried, try_expectations};
pub use extensions::{Directory, NoVisitors};
pub use feature::Feature;
pub use gives::{Gives, GivesError};
pub use level::Level;
pub use lint::{Finding, Kind, Reach, Way, lint, reach};
pub use number::{CallingNumber, Modifiers, NumberError};
pub use pattern::{LONGEST_CODE, Pattern, PatternError};
pub use rights::{InForce, Missing, RightsNames};
pub use trace::{Step, Trace};

use crate::ids::{Extension, SiteName};
use crate::settings;
use crate::timing::Wall;

/// Look-ups by name, never iterated.
type ByName<T> = HashMap<Box<str>, T, RandomState>;

/// One site's dial plan, compiled.
#[derive(Debug)]
pub struct Plan {
    site: SiteName,
    system: Level,
    user_levels: ByName<Level>,
    rights: ByName<rights::RightsHere>,
    time_profiles: ByName<time_profile::TimeProfile>,
    line_groups: ByName<LineGroup>,
    forms: Vec<form::Form>,
    /// Trunk groups in file order, with the places of their trunks in the site's list.
    groups: Vec<TrunkGroup>,
    trunks: Vec<calling::TrunkShows>,
    extensions: extensions::Extensions,
    emergency: emergency::Emergencies,
    incoming: ByName<incoming::Rules>,
    closed_groups: ByName<hours::Closed<Box<str>>>,
    break_out: settings::BreakOut,
    sites: Vec<break_out::KnownSite>,
    missing_rights: settings::MissingRights,
    caller_id: Option<Box<str>>,
    timezone: Option<TimeZone>,
}

/// What the name of a line group means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LineGroup {
    Trunks(usize),
    Form(usize),
}

#[derive(Clone, Debug)]
struct TrunkGroup {
    name: Arc<str>,
    trunks: Vec<usize>,
}

fn by_name<T>() -> ByName<T> {
    HashMap::with_hasher(fixed_hasher())
}

/// Fixed seeds: the names come from the operator, and the same plan must behave the same everywhere.
fn fixed_hasher() -> RandomState {
    RandomState::with_seeds(0x686f, 0x7464, 0x6573, 0x6b21)
}

impl Plan {
    /// The site whose plan this is.
    pub fn site(&self) -> &SiteName {
        &self.site
    }

    /// The compiled own codes of a user of this site, if there are any.
    pub fn level_of(&self, extension: &Extension) -> Option<&Level> {
        self.user_levels.get(extension.as_str())
    }

    /// The trunks of a group in the order in which they are tried: places in `settings::Site::trunks`.
    pub fn trunks(&self, group: &str) -> &[usize] {
        match self.line_groups.get(group) {
            Some(LineGroup::Trunks(at)) => self.groups.get(*at).map(|group| &*group.trunks).unwrap_or_default(),
            Some(LineGroup::Form(_)) | None => &[],
        }
    }

    /// The moment at which the site's clock shows `local`, as in `2026-11-23T22:00`. `None` if that is no time or the site has no time zone.
    pub fn moment(&self, local: &str) -> Option<Wall> {
        time_profile::moment(local, self.timezone.as_ref()?)
    }
}
