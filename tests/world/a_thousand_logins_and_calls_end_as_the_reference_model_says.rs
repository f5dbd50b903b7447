//! SPEC 5, 9.2 on lines that lose, double and reorder: DESIGN §8, properties.
//!
//! `HOTDESK_SEEDS=100..200` plays other seeds, a thousand deeds each; with `HOTDESK_SHARDS=5` at sites of five shards.

use crate::reference::Office;
use crate::support::shards_asked_for;

fn play(seed: u64, shards: u8) {
    Office::open(seed, shards).day(1000);
}

#[test]
fn a_thousand_logins_and_calls_end_as_the_reference_model_says() {
    play(1, 1);
}

#[test]
fn another_thousand_do() {
    play(2, 1);
}

#[test]
fn a_third_thousand_do() {
    play(3, 1);
}

#[test]
fn a_thousand_at_sites_of_three_shards_do() {
    play(4, 3);
}

#[test]
fn more_seeds_do_if_asked_for() {
    let Ok(range) = std::env::var("HOTDESK_SEEDS") else { return };
    let (from, to) = range.split_once("..").expect("a range such as 100..200");
    let bound = |text: &str| text.parse::<u64>().expect("a number");
    for seed in bound(from)..bound(to) {
        eprintln!("seed {seed}");
        play(seed, shards_asked_for());
    }
}
