//! Time profiles, and what goes by them.

use super::document::At;
use super::plan_file::PlanFiles;
use super::problem::Report;
use super::raw::{TimeProfileTable, WeeklyRow};
use super::site::Names;
use crate::settings::{OutOfHours, Site, TimeProfile, Weekly};

const DAYS: [(&str, u8); 7] = [("mon", 0), ("tue", 1), ("wed", 2), ("thu", 3), ("fri", 4), ("sat", 5), ("sun", 6)];

/// Reads `[time_profiles.NAME]`; the site's time zone is known by now.
pub fn fill(site: &mut Site, files: &PlanFiles, report: &mut Report) {
    files.named(
        "time_profiles",
        report,
        |file| &file.time_profiles,
        |at, name, table, report| {
            let own = report.timezone(at.key("timezone"), table.timezone.as_deref());
            if table.timezone.is_none() && site.timezone.is_none() {
                report.error(at.key("timezone"), "is missing, and the site has none either");
            }
            let profile = profile(at, table, own.or_else(|| site.timezone.clone()).unwrap_or_default(), report);
            site.time_profiles.insert(name.to_owned(), profile);
        },
    );
}

/// `time_profile` and `out_of_hours` of a group or an incoming rule: both or neither.
pub fn out_of_hours(
    at: At<'_>,
    profile: Option<&str>,
    to: Option<&str>,
    names: &Names<'_>,
    report: &mut Report,
) -> Option<OutOfHours> {
    let written = |text: Option<&str>| text.filter(|text| !text.is_empty()).is_some();
    match (written(profile), written(to)) {
        (true, false) => report.error(at.key("time_profile"), "needs `out_of_hours`: who is called outside it"),
        (false, true) => report.error(at.key("out_of_hours"), "needs a `time_profile`: outside which hours"),
        (true, true) | (false, false) => {}
    }
    let profile = report.known(at.key("time_profile"), "time profile", profile, names.time_profiles.iter().copied());
    Some(OutOfHours { time_profile: profile?, to: to.filter(|to| !to.is_empty())?.to_owned() })
}

fn profile(at: At<'_>, table: &TimeProfileTable, timezone: String, report: &mut Report) -> TimeProfile {
    let (weekly, closed) = (at.key("weekly"), at.key("closed"));
    TimeProfile {
        timezone,
        weekly: table.weekly.iter().enumerate().filter_map(|(i, row)| week(weekly.row(i), row, report)).collect(),
        closed: table.closed.iter().enumerate().filter_map(|(i, day)| date(closed.row(i), day, report)).collect(),
    }
}

fn week(at: At<'_>, row: &WeeklyRow, report: &mut Report) -> Option<Weekly> {
    let list = at.key("days");
    if row.days.is_empty() {
        report.error(list, "is missing: such as [\"mon\", \"tue\"]");
    }
    let mut days = Vec::with_capacity(row.days.len());
    for (index, day) in row.days.iter().enumerate() {
        days.push(report.choice(list.row(index), Some(day), &DAYS, 0));
    }
    let from = report.required(at.key("from"), row.from.as_deref());
    let to = report.required(at.key("to"), row.to.as_deref());
    Some(Weekly {
        days,
        from: report.time_of_day(at.key("from"), &from?, false)?,
        to: report.time_of_day(at.key("to"), &to?, true)?,
    })
}

fn date(at: At<'_>, text: &str, report: &mut Report) -> Option<(i16, i8, i8)> {
    match text.parse::<jiff::civil::Date>() {
        Ok(date) => Some((date.year(), date.month(), date.day())),
        Err(_) => {
            report.error(at, format!("`{text}` is no date, such as 2026-12-25"));
            None
        }
    }
}
