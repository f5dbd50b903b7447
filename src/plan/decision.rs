//! What the plan decides, in types for the proxy and in the words of SPEC 6.10.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::feature::Feature;
use super::number::Modifiers;
use super::trace::Trace;
use crate::ids::{Extension, SiteName};

/// What happens to a dialled string, and why.
#[derive(Clone, Debug)]
pub struct Decision {
    /// The site whose plan decided.
    pub site: SiteName,
    /// What happens.
    pub outcome: Outcome,
    /// How it came to that; empty unless asked for.
    pub trace: Trace,
}

/// What happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// An extension rings: a user, visitor or group of this site, or a number that another site owns.
    Extension(ExtensionCall),
    /// Out by a trunk: the routes in the order in which they are tried, at least one. Those of alternate forms have a condition.
    Trunk(Vec<Route>),
    /// To emergency services.
    Emergency(EmergencyCall),
    /// The digits are dialled at that other site; empty where only the prefix was dialled.
    BreakOut(BreakOutCall),
    /// 486.
    Busy,
    /// 403, with the reason.
    Barred(Bar),
    /// 404: no such extension or code.
    NotFound,
    /// 484: it begins something.
    Incomplete,
    /// 482: Break Out goes round.
    LoopDetected,
    /// 403, with the reason.
    Forbidden(Refusal),
    /// 480: the form is closed or out of service, and names no other.
    NoRoute,
    /// At the target of a Break Out: an emergency number here, which the phone's own site must dial. 404 to anyone else.
    EmergencyAtOrigin {
        /// What this site would send.
        number: String,
    },
    /// The site does this itself.
    Feature {
        /// What.
        feature: Feature,
        /// The number template's result; it may hold a PIN.
        argument: String,
    },
}

/// A call to an extension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtensionCall {
    /// Whom.
    pub number: String,
    /// The other site that owns the number; `None`: here.
    pub site: Option<SiteName>,
    /// `r(x)`, `t(x)`, `p(x)` and `Z` of a `DialExtn`.
    pub modifiers: Modifiers,
}

/// One way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// The trunk group.
    pub group: Arc<str>,
    /// What is sent. It may hold any character where a `?` code passed on what was dialled: escape it in a URI.
    pub number: String,
    /// What goes with it.
    pub modifiers: Modifiers,
    /// It is of an alternate form: for when no route before it can be had.
    pub alternate: Option<Alternate>,
}

/// What lets a caller use an alternate form (SPEC 6.6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alternate {
    /// The form.
    pub form: Arc<str>,
    /// How long this caller waits before it may: zero for one whose priority is high enough.
    pub wait: Duration,
}

/// A call to emergency services: first the row's routes, then every other trunk group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmergencyCall {
    /// The number of the row.
    pub number: String,
    /// In the order in which they are tried.
    pub routes: Vec<Route>,
}

/// A call that another site's plan decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BreakOutCall {
    /// Where.
    pub site: SiteName,
    /// What is dialled there.
    pub digits: String,
}

/// Who bars an external call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bar {
    /// A `Barred` code.
    Code,
    /// The user's own `outgoing_bar`.
    User,
    /// That of the rights in force.
    Rights(String),
    /// The site lacks the visitor's rights, and `missing_rights = "bar"` (SPEC 7.2).
    MissingRights(String),
}

/// Why the plan refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// `[break_out] allow` does not name the origin site.
    BreakOutFrom(SiteName),
    /// A desk with no user dials emergency numbers and logs in, nothing else (SPEC 10.1).
    DeskOnly,
    /// Nobody's forward calls emergency services.
    ForwardToEmergency,
    /// A site hears of its own user's calls from the site where the user is, not from one that this went on to (SPEC 8.8, 11.3).
    ByAThirdSite {
        /// The caller.
        user: Extension,
        /// Where the caller is.
        at: SiteName,
        /// Who would send the call there.
        by: SiteName,
    },
}

impl Decision {
    /// The outcome in the words of SPEC 6.10, as seen from `asked`: what happens at another site ends in ` at SITE`.
    pub fn gives(&self, asked: &SiteName) -> String {
        let mut words = self.outcome.to_string();
        let elsewhere = match &self.outcome {
            Outcome::Extension(call) => call.site.as_ref().unwrap_or(&self.site),
            Outcome::BreakOut(call) => &call.site,
            Outcome::Trunk(_)
            | Outcome::Emergency(_)
            | Outcome::Busy
            | Outcome::Barred(_)
            | Outcome::NotFound
            | Outcome::Incomplete
            | Outcome::LoopDetected
            | Outcome::Forbidden(_)
            | Outcome::NoRoute
            | Outcome::EmergencyAtOrigin { .. }
            | Outcome::Feature { .. } => &self.site,
        };
        if elsewhere != asked {
            words.push_str(&format!(" at {elsewhere}"));
        }
        words
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Extension(call) => write!(f, "Extension {}", call.number),
            Self::Trunk(routes) => match routes.first() {
                Some(route) => write!(f, "Dial {route}"),
                None => f.write_str("480"),
            },
            Self::Emergency(call) => match call.routes.first() {
                Some(route) => write!(f, "Emergency {route}"),
                None => write!(f, "Emergency {}", call.number),
            },
            Self::BreakOut(call) if call.digits.is_empty() => f.write_str("BreakOut"),
            Self::BreakOut(call) => write!(f, "BreakOut {}", call.digits),
            Self::Busy => f.write_str("Busy"),
            Self::Barred(_) => f.write_str("Barred"),
            Self::NotFound | Self::EmergencyAtOrigin { .. } => f.write_str("404"),
            Self::Incomplete => f.write_str("484"),
            Self::LoopDetected => f.write_str("482"),
            Self::Forbidden(_) => f.write_str("403"),
            Self::NoRoute => f.write_str("480"),
            Self::Feature { feature, argument } => match feature.shown(argument) {
                "" => write!(f, "{feature}"),
                shown => write!(f, "{feature} {shown}"),
            },
        }
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.number)?;
        if let Some(host) = &self.modifiers.host {
            write!(f, "@{host}")?;
        }
        write!(f, " via {}", self.group)
    }
}

impl fmt::Display for Alternate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.wait.as_secs() {
            0 => write!(f, "by the alternate {} at once", self.form),
            wait => write!(f, "by the alternate {} after {wait} s", self.form),
        }
    }
}

impl fmt::Display for Bar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code => f.write_str("this number is barred"),
            Self::User => f.write_str("external calls are barred for this user"),
            Self::Rights(name) => write!(f, "external calls are barred by the rights {name}"),
            Self::MissingRights(name) => write!(f, "external calls are barred: this site lacks {name}"),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BreakOutFrom(site) => write!(f, "this site takes no Break Out from {site}"),
            Self::DeskOnly => f.write_str("log in first: this desk has no user"),
            Self::ForwardToEmergency => f.write_str("no forward leads to emergency services"),
            Self::ByAThirdSite { user, at, by } => {
                write!(
                    f,
                    "{user}'s own home takes calls of {user} from {at}, not from {by}: no site relays for two others"
                )
            }
        }
    }
}
