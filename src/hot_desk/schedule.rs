//! When the clock on the wall last showed, and next shows, the time at which visitors are logged out (SPEC 12.5).
//!
//! Once a day, whatever the clock does: a time that a spring day does not have is as much later as the clock jumps, of one that an
//! autumn day has twice the first counts.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::{TimeZone, TimeZoneDatabase};

use crate::timing::{TimeOfDay, Wall};

/// The last moment, not after `now`, at which it was `at` in the IANA time zone `zone`; `None` where there is no such zone.
pub fn last_time(at: TimeOfDay, zone: &str, now: Wall) -> Option<Wall> {
    let zone = TimeZoneDatabase::bundled().get(zone).ok()?;
    days_round(now, &zone)?.into_iter().rev().filter_map(|day| moment(day, at, &zone)).find(|moment| *moment <= now)
}

/// The next moment, after `now`, at which it is `at` there.
pub fn next_time(at: TimeOfDay, zone: &str, now: Wall) -> Option<Wall> {
    let zone = TimeZoneDatabase::bundled().get(zone).ok()?;
    days_round(now, &zone)?.into_iter().filter_map(|day| moment(day, at, &zone)).find(|moment| *moment > now)
}

/// Yesterday, today and tomorrow there; the day before and the one after for zones that left one out.
fn days_round(now: Wall, zone: &TimeZone) -> Option<[Date; 5]> {
    let today = zone.to_datetime(Timestamp::from_millisecond(i64::try_from(now.0).ok()?).ok()?).date();
    let (yesterday, tomorrow) = (today.yesterday().ok()?, today.tomorrow().ok()?);
    Some([yesterday.yesterday().ok()?, yesterday, today, tomorrow, tomorrow.tomorrow().ok()?])
}

fn moment(day: Date, at: TimeOfDay, zone: &TimeZone) -> Option<Wall> {
    let local = day.at((at.0 / 60) as i8, (at.0 % 60) as i8, 0, 0);
    let instant = zone.to_ambiguous_timestamp(local).compatible().ok()?;
    u64::try_from(instant.as_millisecond()).ok().map(Wall)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wall(utc: &str) -> Wall {
        Wall(utc.parse::<Timestamp>().expect("a date").as_millisecond().try_into().expect("after 1970"))
    }

    fn at(written: &str) -> TimeOfDay {
        let (hours, minutes) = written.split_once(':').expect("a time");
        TimeOfDay(hours.parse::<u16>().expect("hours") * 60 + minutes.parse::<u16>().expect("minutes"))
    }

    /// The last and the next time at that moment in London.
    fn around(written: &str, now: &str) -> (Wall, Wall) {
        let (at, zone, now) = (at(written), "Europe/London", wall(now));
        (last_time(at, zone, now).expect("a moment"), next_time(at, zone, now).expect("a moment"))
    }

    #[test]
    fn the_moment_itself_is_past_and_the_millisecond_before_it_is_not() {
        let (before, after) = ("2026-11-22T20:00:00Z", "2026-11-23T20:00:00Z");
        assert_eq!(around("20:00", "2026-11-23T19:59:59.999Z"), (wall(before), wall(after)));
        assert_eq!(around("20:00", "2026-11-23T20:00:00Z"), (wall(after), wall("2026-11-24T20:00:00Z")));
        assert_eq!(around("00:00", "2026-11-23T00:00:00Z").0, wall("2026-11-23T00:00:00Z"));
        assert_eq!(around("23:59", "2026-11-23T00:00:00Z").0, wall("2026-11-22T23:59:00Z"));
    }

    #[test]
    fn it_is_the_clock_on_the_wall_that_counts() {
        // British Summer Time begins on 29 March and ends on 25 October 2026.
        assert_eq!(around("20:00", "2026-03-28T20:00:00Z").1, wall("2026-03-29T19:00:00Z"));
        assert_eq!(around("20:00", "2026-10-24T19:00:00Z").1, wall("2026-10-25T20:00:00Z"));
        let tokyo = next_time(at("20:00"), "Asia/Tokyo", wall("2026-11-23T00:00:00Z"));
        assert_eq!(tokyo, Some(wall("2026-11-23T11:00:00Z")));
    }

    #[test]
    fn a_time_that_is_left_out_comes_later_and_one_that_comes_twice_counts_once() {
        assert_eq!(around("01:30", "2026-03-29T00:59:00Z").1, wall("2026-03-29T01:30:00Z"), "02:30 on the clock");
        assert_eq!(around("01:30", "2026-03-29T01:30:00Z").1, wall("2026-03-30T00:30:00Z"));
        assert_eq!(around("01:30", "2026-10-25T00:00:00Z").1, wall("2026-10-25T00:30:00Z"));
        let second = around("01:30", "2026-10-25T01:30:00Z");
        assert_eq!(second, (wall("2026-10-25T00:30:00Z"), wall("2026-10-26T01:30:00Z")));
    }

    #[test]
    fn a_zone_that_leaves_out_a_day_and_a_zone_that_nobody_knows() {
        // Samoa went from 29 to 31 December 2011.
        let last = last_time(at("20:00"), "Pacific/Apia", wall("2011-12-30T11:00:00Z"));
        assert!(last.is_some_and(|last| wall("2011-12-30T11:00:00Z").since(last).as_secs() <= 86_400), "{last:?}");
        assert_eq!(last_time(at("20:00"), "Europe/Nowhere", wall("2026-01-01T00:00:00Z")), None);
    }
}
