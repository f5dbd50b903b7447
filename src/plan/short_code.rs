//! One compiled row of a dial plan: code, feature, number, line group or site.

use std::sync::Arc;

use super::error::{PlanError, Problem};
use super::feature::{Feature, Need};
use super::number::Template;
use super::pattern::Pattern;
use crate::ids::SiteName;
use crate::settings::{Origin, ShortCodeRow};

/// A compiled row. Line group and site are names: a user's codes meet another site's.
#[derive(Clone, Debug)]
pub(super) struct ShortCode {
    pub(super) pattern: Pattern,
    pub(super) feature: Feature,
    pub(super) number: Option<Template>,
    pub(super) line_group: Option<Arc<str>>,
    pub(super) site: Option<SiteName>,
    pub(super) origin: Origin,
}

impl ShortCode {
    /// Reads a row, and reports everything that is wrong in it.
    pub(super) fn compile(row: &ShortCodeRow) -> Result<Self, Vec<PlanError>> {
        let mut errors = Vec::new();
        let mut note = |problem| errors.push(PlanError { origin: row.origin.clone(), problem });
        let pattern = Pattern::parse(&row.code).map_err(|why| note(Problem::Code { code: row.code.clone(), why })).ok();
        let number = row.number.as_deref().map(|number| {
            Template::parse(number).map_err(|why| {
                note(Problem::Number { code: row.code.clone(), number: number.to_owned(), why });
            })
        });
        let feature = Feature::parse(&row.feature);
        if feature.is_none() {
            let (code, name) = (row.code.clone(), row.feature.clone());
            note(Problem::UnknownFeature { code, nearest: Feature::nearest(&name), name });
        }
        if let (Some(feature), Some(pattern)) = (feature, &pattern) {
            let number = number.as_ref().and_then(|number| number.as_ref().ok());
            wrong_fields(row, feature, number).into_iter().for_each(&mut note);
            not_literal(row, feature, pattern, number).into_iter().for_each(&mut note);
        }
        let (Some(pattern), Some(feature), true) = (pattern, feature, errors.is_empty()) else { return Err(errors) };
        Ok(Self {
            pattern,
            feature,
            number: number.and_then(Result::ok),
            line_group: row.line_group.as_deref().map(Arc::from),
            site: row.site.as_deref().map(SiteName::new),
            origin: row.origin.clone(),
        })
    }

    /// The row in short, as in the conformance table.
    pub(super) fn in_words(&self) -> String {
        let mut words = format!("{}/{}", self.pattern, self.feature);
        let parts = [
            self.number.as_ref().map(Template::as_str),
            self.line_group.as_deref(),
            self.site.as_ref().map(SiteName::as_str),
        ];
        for part in parts.into_iter().flatten() {
            words.push('/');
            words.push_str(part);
        }
        words
    }
}

/// SPEC 6.5: a field that the feature does not use is an error, and so is one that it lacks.
fn wrong_fields(row: &ShortCodeRow, feature: Feature, number: Option<&Template>) -> Vec<Problem> {
    let fields = feature.fields();
    let site = if feature == Feature::BreakOut { Need::Optional } else { Need::Unused };
    let mut problems = Vec::new();
    for (field, value, need) in [
        ("number", &row.number, fields.number),
        ("line_group", &row.line_group, fields.line_group),
        ("site", &row.site, site),
    ] {
        let missing = value.as_ref().is_none_or(String::is_empty);
        match need {
            Need::Required if missing => {
                problems.push(Problem::MissingField { code: row.code.clone(), feature, field });
            }
            Need::Unused if value.is_some() => {
                problems.push(Problem::UnusedField { code: row.code.clone(), feature, field });
            }
            Need::Required | Need::Optional | Need::Unused => {}
        }
    }
    if feature == Feature::BreakOut && row.site.is_none() && row.number.is_none() {
        problems.push(Problem::NoTarget { code: row.code.clone() });
    }
    let refused: &[char] = match feature {
        Feature::Dial => &[],
        Feature::DialExtn => &['S', 'A', 'W'],
        _ => &['S', 'A', 'W', 'Z', 'p', 't', 'r'],
    };
    if let Some((modifier, at)) = number.and_then(|number| number.first_of(refused)) {
        problems.push(Problem::Modifier { code: row.code.clone(), feature, modifier, at });
    }
    if feature != Feature::Dial && number.is_some_and(Template::has_host) {
        problems.push(Problem::HostElsewhere { code: row.code.clone(), feature });
    }
    problems
}

/// SPEC 6.7: a `DialEmergency` row has only literals in code and number.
fn not_literal(row: &ShortCodeRow, feature: Feature, pattern: &Pattern, number: Option<&Template>) -> Vec<Problem> {
    if feature != Feature::DialEmergency {
        return Vec::new();
    }
    let in_code = pattern.first_wildcard().map(|found| ("code", &row.code, found));
    let in_number = number
        .and_then(|number| number.first_not_literal())
        .and_then(|found| Some(("number", row.number.as_ref()?, found)));
    [in_code, in_number]
        .into_iter()
        .flatten()
        .map(|(field, text, (wrong, at))| Problem::EmergencyNotLiteral { field, text: text.clone(), wrong, at })
        .collect()
}
