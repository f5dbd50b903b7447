//! RFC 3261 §16 on lines that lose, double and reorder, some of them cut: forks, forwards, CANCEL, refers, re-INVITE, lost BYEs.
//!
//! The ordinary run plays half of them, so that it stays short: with `HOTDESK_CALLS=1250` each of the eight days has so many, which
//! are ten thousand. `HOTDESK_SEEDS=100..200` plays other seeds, with and without cuts; with `HOTDESK_SHARDS=5` at sites of five
//! shards.

use crate::exchange::{Exchange, Trouble};
use crate::support::shards_asked_for;

const CALLS: u32 = 625;

fn play(seed: u64, shards: u8, trouble: Trouble) {
    let calls = std::env::var("HOTDESK_CALLS").map_or(CALLS, |text| text.parse().expect("a number of calls"));
    Exchange::open(seed, shards, trouble).busy_hours(calls);
}

#[test]
fn calls_on_bad_lines_leave_nothing_behind() {
    play(1, 1, Trouble::BadLines);
}

#[test]
fn other_calls_on_bad_lines_do_not() {
    play(2, 1, Trouble::BadLines);
}

#[test]
fn a_third_day_on_bad_lines_does_not() {
    play(3, 1, Trouble::BadLines);
}

#[test]
fn a_fourth_day_on_bad_lines_does_not() {
    play(4, 1, Trouble::BadLines);
}

#[test]
fn calls_on_lines_that_are_cut_leave_nothing_behind() {
    play(5, 1, Trouble::Cuts);
}

#[test]
fn other_calls_on_lines_that_are_cut_do_not() {
    play(6, 1, Trouble::Cuts);
}

#[test]
fn calls_at_sites_of_three_shards_do_not() {
    play(7, 3, Trouble::BadLines);
}

#[test]
fn calls_at_sites_of_three_shards_on_lines_that_are_cut_do_not() {
    play(8, 3, Trouble::Cuts);
}

#[test]
fn more_seeds_do_not_if_asked_for() {
    let Ok(range) = std::env::var("HOTDESK_SEEDS") else { return };
    let (from, to) = range.split_once("..").expect("a range such as 100..200");
    let bound = |text: &str| text.parse::<u64>().expect("a number");
    for seed in bound(from)..bound(to) {
        eprintln!("seed {seed}");
        play(seed, shards_asked_for(), if seed % 2 == 0 { Trouble::BadLines } else { Trouble::Cuts });
    }
}
