//! Time profiles: named weekly calendars, in local time (SPEC 3).
//!
//! A row belongs to the day on which it begins, also where it runs over midnight. On a closed day nothing is active: neither what begins on it
//! nor what runs into it. Rows are compared with the clock on the wall: an hour that the spring skips is skipped, the autumn's second one counts like the first.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::{TimeZone, TimeZoneDatabase};

use super::error::Problem;
use crate::settings;
use crate::timing::Wall;

/// A compiled calendar.
#[derive(Clone, Debug)]
pub(super) struct TimeProfile {
    zone: TimeZone,
    rows: Vec<Row>,
    closed: Vec<Date>,
}

#[derive(Clone, Copy, Debug)]
struct Row {
    /// Bit 0 Monday … bit 6 Sunday.
    days: u8,
    from: u16,
    to: u16,
}

impl TimeProfile {
    /// Resolves the time zone: the profile's, else the site's.
    pub(super) fn compile(name: &str, profile: &settings::TimeProfile, site: Option<&str>) -> Result<Self, Problem> {
        let own = Some(profile.timezone.as_str()).filter(|zone| !zone.is_empty());
        let Some(zone) = own.or(site) else { return Err(Problem::NoTimezone { name: name.to_owned() }) };
        let rows = profile.weekly.iter().map(|weekly| Row {
            days: weekly.days.iter().fold(0, |days, day| days | 1u8.checked_shl(u32::from(*day)).unwrap_or(0)),
            from: weekly.from,
            to: weekly.to,
        });
        Ok(Self {
            zone: timezone(&format!("time profile `{name}`"), zone)?,
            rows: rows.collect(),
            closed: profile.closed.iter().filter_map(|&(year, month, day)| Date::new(year, month, day).ok()).collect(),
        })
    }

    /// Moments before and after each of which nothing changes within the profile, on the days that matter: a week, or where profiles of several
    /// zones meet a year with its changes of the clock, and the days round those on which this or another profile is closed.
    fn edges(&self, days: &BTreeSet<Date>) -> impl Iterator<Item = Wall> {
        let minutes: BTreeSet<u16> = self.rows.iter().flat_map(|row| [row.from, row.to]).chain([0]).collect();
        days.iter().flat_map(move |day| minutes.clone().into_iter().map(move |minute| (*day, minute))).filter_map(
            |(day, minute)| {
                let local = day.at((minute / 60 % 24) as i8, (minute % 60) as i8, 0, 0);
                let instant = self.zone.to_ambiguous_timestamp(local).compatible().ok()?;
                u64::try_from(instant.as_millisecond()).ok().map(Wall)
            },
        )
    }

    /// Whether the profile is active at that moment.
    pub(super) fn active(&self, at: Wall) -> bool {
        let Some(local) = local(at, &self.zone) else { return false };
        let today = local.date();
        if self.closed.contains(&today) {
            return false;
        }
        let minute = local.hour() as u16 * 60 + local.minute() as u16;
        let yesterday = today.yesterday().ok().filter(|day| !self.closed.contains(day));
        self.rows.iter().any(|row| {
            row.begins_on(today) && minute >= row.from && (row.over_midnight() || minute < row.to)
                || yesterday.is_some_and(|day| row.over_midnight() && row.begins_on(day) && minute < row.to)
        })
    }
}

/// A moment of every state that these calendars can be in together: which of them are active. At least one; in order of time.
pub(super) fn moments(profiles: &[&TimeProfile]) -> Vec<(Wall, Vec<bool>)> {
    let state = |at: Wall| profiles.iter().map(|profile| profile.active(at)).collect::<Vec<bool>>();
    let days = days_that_matter(profiles);
    let mut edges: BTreeSet<Wall> = profiles.iter().flat_map(|profile| profile.edges(&days)).collect();
    edges.insert(A_MONDAY);
    let mut found: Vec<(Wall, Vec<bool>)> = Vec::new();
    for (at, state) in edges.into_iter().map(|at| (at, state(at))) {
        if found.iter().all(|(_, known)| *known != state) {
            found.push((at, state));
        }
    }
    found
}

/// 2026-01-05T12:00Z. Any ordinary week shows what a calendar does.
const A_MONDAY: Wall = Wall(1_767_614_400_000);

fn days_that_matter(profiles: &[&TimeProfile]) -> BTreeSet<Date> {
    let one_zone = profiles.windows(2).all(|two| matches!(two, [a, b] if a.zone == b.zone));
    let first = Date::constant(2026, 1, 5);
    let ordinary =
        (0..if one_zone { 7 } else { 365 }).filter_map(|day| first.checked_add(jiff::Span::new().days(day)).ok());
    let closed = profiles.iter().flat_map(|profile| &profile.closed);
    let round = closed.flat_map(|day| [day.yesterday().ok(), Some(*day), day.tomorrow().ok()]).flatten();
    ordinary.chain(round).collect()
}

impl Row {
    fn begins_on(&self, day: Date) -> bool {
        self.days >> day.weekday().to_monday_zero_offset() & 1 == 1
    }

    fn over_midnight(&self) -> bool {
        self.to <= self.from
    }
}

/// The zone of that IANA name, from the database in the program.
pub(super) fn timezone(who: &str, name: &str) -> Result<TimeZone, Problem> {
    TimeZoneDatabase::bundled().get(name).map_err(|_| Problem::Timezone { who: who.to_owned(), name: name.to_owned() })
}

/// What the clock on the wall shows.
pub(super) fn local(at: Wall, zone: &TimeZone) -> Option<DateTime> {
    let instant = Timestamp::from_millisecond(i64::try_from(at.0).ok()?).ok()?;
    Some(zone.to_datetime(instant))
}

/// The moment at which the clock on the wall shows `local`, as in `2026-11-23T22:00`; an hour that comes twice is the first one.
pub(super) fn moment(local: &str, zone: &TimeZone) -> Option<Wall> {
    let local: DateTime = local.parse().ok()?;
    let instant = zone.to_ambiguous_timestamp(local).compatible().ok()?;
    u64::try_from(instant.as_millisecond()).ok().map(Wall)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Weekly;

    fn london() -> TimeZone {
        timezone("test", "Europe/London").expect("a zone")
    }

    fn profile(days: &[u8], from: u16, to: u16, closed: &[(i16, i8, i8)]) -> TimeProfile {
        let weekly = vec![Weekly { days: days.to_vec(), from, to }];
        let profile = settings::TimeProfile { timezone: "Europe/London".into(), weekly, closed: closed.to_vec() };
        TimeProfile::compile("p", &profile, None).expect("a profile")
    }

    fn active(profile: &TimeProfile, local: &str) -> bool {
        profile.active(moment(local, &london()).expect("a moment"))
    }

    #[test]
    fn office_hours_begin_with_their_first_minute_and_end_before_their_last() {
        let office = profile(&[0, 1, 2, 3, 4], 9 * 60, 17 * 60 + 30, &[(2026, 12, 25)]);
        assert!(!active(&office, "2026-11-23T08:59:59") && active(&office, "2026-11-23T09:00"));
        assert!(active(&office, "2026-11-23T17:29:59") && !active(&office, "2026-11-23T17:30"));
        assert!(!active(&office, "2026-11-22T12:00"), "a Sunday");
        assert!(!active(&office, "2026-12-25T12:00"), "a Friday that is closed");
    }

    #[test]
    fn a_row_that_runs_over_midnight_belongs_to_the_day_it_begins_on() {
        let night = profile(&[4], 22 * 60, 6 * 60, &[]);
        assert!(active(&night, "2026-11-27T22:00") && active(&night, "2026-11-28T05:59"));
        assert!(
            !active(&night, "2026-11-28T06:00")
                && !active(&night, "2026-11-27T05:00")
                && !active(&night, "2026-11-28T22:00")
        );
        let closed = profile(&[4], 22 * 60, 6 * 60, &[(2026, 11, 27)]);
        assert!(!active(&closed, "2026-11-27T23:00") && !active(&closed, "2026-11-28T05:00"));
        let closed_after = profile(&[4], 22 * 60, 6 * 60, &[(2026, 11, 28)]);
        assert!(active(&closed_after, "2026-11-27T23:00") && !active(&closed_after, "2026-11-28T05:00"));
    }

    #[test]
    fn a_day_has_twenty_four_hours_to_its_end_and_to_its_beginning() {
        for to in [0, 1440] {
            let monday = profile(&[0], 0, to, &[]);
            assert!(active(&monday, "2026-11-23T00:00") && active(&monday, "2026-11-23T23:59:59"));
            assert!(!active(&monday, "2026-11-22T23:59:59") && !active(&monday, "2026-11-24T00:00"));
        }
    }

    #[test]
    fn summer_time_begins_without_the_hour_it_skips() {
        // 2026-03-29: 00:59:59 GMT is followed by 02:00 BST
        let early = profile(&[6], 60 + 30, 3 * 60, &[]);
        let gap = moment("2026-03-29T00:59:59", &london()).expect("a moment");
        assert!(!early.active(gap) && early.active(Wall(gap.0 + 1000)));
    }

    #[test]
    fn the_hour_that_comes_twice_is_active_twice() {
        // 2026-10-25: 01:30 BST, and an hour later 01:30 GMT
        let hour = profile(&[6], 60, 120, &[]);
        let first = moment("2026-10-25T01:30", &london()).expect("a moment");
        assert!(hour.active(first) && hour.active(Wall(first.0 + 3_600_000)));
        assert!(!hour.active(Wall(first.0 + 5_400_000)));
    }

    #[test]
    fn a_zone_must_exist_and_be_given() {
        let none = settings::TimeProfile::default();
        assert!(matches!(TimeProfile::compile("p", &none, None), Err(Problem::NoTimezone { .. })));
        assert!(matches!(TimeProfile::compile("p", &none, Some("Europe/Lundon")), Err(Problem::Timezone { .. })));
        assert!(TimeProfile::compile("p", &none, Some("Europe/Paris")).is_ok());
    }
}
