//! SPEC 4.5, 5, 7.3, 8, 9.2 with links that break, also one way, sites that die with and without their disks, and clocks that step:
//! once all that is over at most one site believes that it hosts a user, a call reaches the phone where the user logged in last or
//! is answered with the reason, no licence is taken by nobody, and no binding is lost that was confirmed.
//!
//! The ordinary run plays a few of each eighth, so that it stays short: `HOTDESK_HISTORIES=10000` plays so many. `HOTDESK_SEEDS=100..200`
//! plays those of other seeds, at sites of `HOTDESK_SHARDS` shards. What fails is shown in its shortest form.

use crate::misfortune::play_many;
use crate::support::shards_asked_for;

const HISTORIES: u64 = 600;
const PARTS: u64 = 8;

fn part(number: u64, shards: u8) {
    let all = std::env::var("HOTDESK_HISTORIES").map_or(HISTORIES, |text| text.parse().expect("a number of histories"));
    let first = number * 1_000_000;
    play_many(first..first + all / PARTS, shards);
}

#[test]
fn the_first_part() {
    part(0, shards_asked_for());
}

#[test]
fn the_second_part() {
    part(1, shards_asked_for());
}

#[test]
fn the_third_part() {
    part(2, shards_asked_for());
}

#[test]
fn the_fourth_part() {
    part(3, shards_asked_for());
}

#[test]
fn the_fifth_part() {
    part(4, shards_asked_for());
}

#[test]
fn the_sixth_part() {
    part(5, shards_asked_for());
}

#[test]
fn the_seventh_part() {
    part(6, shards_asked_for());
}

#[test]
fn the_eighth_part_at_sites_of_three_shards() {
    part(7, 3);
}

#[test]
fn more_seeds_do_if_asked_for() {
    let Ok(range) = std::env::var("HOTDESK_SEEDS") else { return };
    let (from, to) = range.split_once("..").expect("a range such as 100..200");
    let bound = |text: &str| text.parse::<u64>().expect("a number");
    play_many(bound(from)..bound(to), shards_asked_for());
}
