//! Who asks a plan, and what the plan is told of the world.

use std::fmt;

use super::Plan;
use super::extensions::{Directory, NoVisitors};
use super::level::Level;
use super::rights::RightsNames;
use crate::ids::SiteName;
use crate::settings::User;
use crate::timing::Wall;

/// Who dials, in whose name, with what travels with the user.
#[derive(Clone, Copy, Debug, Default)]
pub struct Caller<'a> {
    /// `E` in number templates.
    pub extension: &'a str,
    /// `U` in number templates.
    pub name: &'a str,
    /// The user's calling number on trunks.
    pub caller_id: Option<&'a str>,
    /// The calling number that came with the call, where it is not the user's own: `SS` passes it on.
    pub original: Option<&'a str>,
    /// The user's own codes.
    pub level: Option<&'a Level>,
    /// The names of rights and time profile.
    pub rights: RightsNames<'a>,
    /// By which an alternate form lets it in at once, or after a wait (SPEC 6.6).
    pub priority: Priority,
    /// The user's own bar.
    pub outgoing_bar: bool,
    /// What the caller is to this site.
    pub standing: Standing,
}

impl<'a> Caller<'a> {
    /// A user as the file has it, with the user's own codes compiled.
    pub fn of(user: &'a User, level: Option<&'a Level>, standing: Standing) -> Self {
        Caller {
            extension: user.extension.as_str(),
            name: &user.name,
            caller_id: user.caller_id.as_deref(),
            original: None,
            level,
            rights: RightsNames {
                rights: user.rights.as_deref(),
                time_profile: user.time_profile.as_deref(),
                out_of_hours: user.out_of_hours_rights.as_deref(),
            },
            priority: Priority(user.priority),
            outgoing_bar: user.outgoing_bar,
            standing,
        }
    }
}

/// A caller's priority, 1 (low) to 5 (high).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Priority(pub u8);

impl Default for Priority {
    /// SPEC 3: that of whom nothing is said.
    fn default() -> Self {
        Self(5)
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What a caller is to the site.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// A user of this site.
    #[default]
    Local,
    /// A user of another site.
    Visitor,
    /// A desk, or a displaced phone, with no user: emergency numbers and logging in only.
    Desk,
}

/// What the plan is told of the world at the moment of asking.
#[derive(Clone, Copy)]
pub struct Around<'a> {
    /// Who is here beside the file's users.
    pub directory: &'a dyn Directory,
    /// The plans of other sites, where they are at hand.
    pub neighbours: &'a dyn Neighbours,
    /// For time profiles.
    pub at: Wall,
}

/// The plans of other sites in the same process. A plan that is not at hand is asked over its link.
pub trait Neighbours {
    /// The plan of that site.
    fn plan(&self, site: &SiteName) -> Option<&Plan>;

    /// Who is there beside the users of its file.
    fn directory(&self, _site: &SiteName) -> &dyn Directory {
        &NoVisitors
    }
}

/// No other plan is at hand.
#[derive(Clone, Copy, Debug)]
pub struct Alone;

impl Neighbours for Alone {
    fn plan(&self, _site: &SiteName) -> Option<&Plan> {
        None
    }
}

impl Around<'_> {
    /// No visitors, no neighbours.
    pub fn alone(at: Wall) -> Around<'static> {
        Around { directory: &NoVisitors, neighbours: &Alone, at }
    }
}

impl fmt::Debug for Around<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Around").field("at", &self.at).finish_non_exhaustive()
    }
}
