//! What can be wrong with a dial plan: the operator's problem, told with file and line.

use std::fmt;

use super::feature::Feature;
use super::number::NumberError;
use super::pattern::PatternError;
use crate::ids::SiteName;
use crate::settings::Origin;

/// One thing that is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanError {
    /// The row's file and line.
    pub origin: Origin,
    /// What is wrong with it.
    pub problem: Problem,
}

impl std::error::Error for PlanError {}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.origin.file.is_empty() {
            write!(f, "{}: ", self.origin)?;
        }
        self.problem.fmt(f)
    }
}

/// The reasons. Positions count characters from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the fields are what the messages name")]
pub enum Problem {
    /// The pattern cannot be read.
    #[error("code `{code}`: {why}")]
    Code { code: String, why: PatternError },
    /// The number template cannot be read.
    #[error("code `{code}`, number `{number}`: {why}")]
    Number { code: String, number: String, why: NumberError },
    /// No such feature.
    #[error("code `{code}`: unknown feature `{name}`{}; the features are {}", meant(*nearest), list())]
    UnknownFeature { code: String, name: String, nearest: Option<&'static str> },
    /// A field that the feature does not read.
    #[error("code `{code}`: `{feature}` does not use `{field}`")]
    UnusedField { code: String, feature: Feature, field: &'static str },
    /// A field that the feature cannot do without.
    #[error("code `{code}`: `{feature}` needs `{field}`")]
    MissingField { code: String, feature: Feature, field: &'static str },
    /// A Break Out to nowhere.
    #[error("code `{code}`: `BreakOut` needs a `site`, or a `number` that begins with the target")]
    NoTarget { code: String },
    /// A modifier that the feature does not read.
    #[error("code `{code}`: `{modifier}` at character {at} of the number says nothing to `{feature}`")]
    Modifier { code: String, feature: Feature, modifier: char, at: usize },
    /// A host where no trunk is called.
    #[error("code `{code}`: the number sets a host, and `{feature}` calls no trunk")]
    HostElsewhere { code: String, feature: Feature },
    /// An emergency row that is not literal.
    #[error("`DialEmergency` has only literal digits, and its {field} `{text}` has `{wrong}` at character {at}")]
    EmergencyNotLiteral { field: &'static str, text: String, wrong: char, at: usize },
    /// No such line group.
    #[error("code `{code}`: line group `{name}` leads nowhere: there is no trunk group and no ARS form of that name{}", meant(nearest.as_deref()))]
    LineGroup { code: String, name: String, nearest: Option<String> },
    /// No such site.
    #[error("code `{code}`: there is no site `{name}`{}", meant(nearest.as_deref()))]
    Site { code: String, name: String, nearest: Option<String> },
    /// A feature that a form does not have.
    #[error("ARS form `{form}`, code `{code}`: a form has only Dial, DialEmergency, Busy and Barred, not `{feature}`")]
    NotInForm { form: String, code: String, feature: Feature },
    /// A name that means two things.
    #[error("`{name}` is both an ARS form and a trunk group: a line group must mean one of them")]
    SharedName { name: String },
    /// A form that another names does not exist.
    #[error("ARS form `{form}`: `{key}` names the form `{name}`, which does not exist{}", meant(nearest.as_deref()))]
    Form { form: String, key: &'static str, name: String, nearest: Option<String> },
    /// Nobody says when.
    #[error("ARS form `{form}` has `out_of_hours` but no `time_profile`")]
    NoHours { form: String },
    /// Forms that lead to each other.
    #[error("ARS forms lead in a circle: {}", forms.join(" -> "))]
    Loop { forms: Vec<String> },
    /// No such time profile.
    #[error("{who}: there is no time profile `{name}`{}", meant(nearest.as_deref()))]
    TimeProfile { who: String, name: String, nearest: Option<String> },
    /// No such time zone.
    #[error("{who}: `{name}` is no IANA time zone such as Europe/London")]
    Timezone { who: String, name: String },
    /// A calendar without a time zone.
    #[error("time profile `{name}` has no `timezone`, and neither has the site")]
    NoTimezone { name: String },
    /// No way to emergency services.
    #[error("site `{site}`: no code leads to DialEmergency; if that is so, say `[emergency] none = true`")]
    NoEmergency { site: SiteName },
    /// A rule for a trunk group that does not exist.
    #[error("incoming rule `{number}`: there is no trunk group `{group}`{}", meant(nearest.as_deref()))]
    IncomingGroup { number: String, group: String, nearest: Option<String> },
    /// The called number's pattern.
    #[error("incoming rule `{number}`: {why}")]
    IncomingNumber { number: String, why: PatternError },
    /// Where it goes.
    #[error("incoming rule `{number}`, to `{to}`: {why}")]
    IncomingTo { number: String, to: String, why: NumberError },
    /// Where it goes, with what a trunk's call does not have.
    #[error("incoming rule `{number}`, to `{to}`: `{wrong}` at character {at} says nothing of a call from a trunk")]
    IncomingModifier { number: String, to: String, wrong: char, at: usize },
    /// Groups that lead to each other.
    #[error("out of hours the calls of groups go in a circle: {}", groups.join(" -> "))]
    GroupLoop { groups: Vec<String> },
    /// A trunk's pattern for calling numbers.
    #[error("trunk `{trunk}`, calling number `{number}`: {why}")]
    TrunkNumber { trunk: String, number: String, why: PatternError },
}

fn meant(nearest: Option<&str>) -> String {
    nearest.map(|name| format!(" (did you mean `{name}`?)")).unwrap_or_default()
}

fn list() -> String {
    Feature::ALL.iter().map(|feature| feature.name()).collect::<Vec<_>>().join(", ")
}
