//! Many histories, and the shortest part of one that breaks a promise.

use std::panic::{self, AssertUnwindSafe};
use std::time::Duration;

use super::deed::{Setup, Step, history};
use super::history::{Broken, play};

/// Plays the histories of these seeds; panics with the shortest broken one.
pub fn play_many(seeds: impl Iterator<Item = u64>, shards: u8) {
    for seed in seeds {
        let (setup, steps) = history(seed, shards);
        if try_to_play(&setup, &steps).is_err() {
            show(setup, steps);
        }
    }
}

/// A panic of the world is a broken promise too.
fn try_to_play(setup: &Setup, steps: &[Step]) -> Result<(), Broken> {
    panic::catch_unwind(AssertUnwindSafe(|| play(setup, steps))).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Err(Broken { what: text.unwrap_or_default(), story: String::new() })
    })
}

fn show(mut setup: Setup, mut steps: Vec<Step>) -> ! {
    let usual = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let first = try_to_play(&setup, &steps).err();
    shrink(&mut setup, &mut steps);
    panic::set_hook(usual);
    let broken = try_to_play(&setup, &steps).err().or(first).expect("it was broken before");
    let deeds: Vec<String> =
        steps.iter().map(|step| format!("after {:.3} s: {}", step.pause.as_secs_f64(), step.deed)).collect();
    panic!("{}\n\nwith {setup:?}:\n{}\n\n{}", broken.what, deeds.join("\n"), broken.story);
}

/// Takes out what can be taken out so that a promise is still broken: deeds, shards, the time that storing takes, pauses.
fn shrink(setup: &mut Setup, steps: &mut Vec<Step>) {
    let mut size = steps.len();
    while size > 0 {
        let mut at = 0;
        while at < steps.len() {
            let mut fewer = steps.clone();
            let gone: Duration = fewer.drain(at..(at + size).min(steps.len())).map(|step| step.pause).sum();
            // What came later comes when it came, or at once.
            let mut later = fewer.clone();
            if let Some(next) = later.get_mut(at) {
                next.pause += gone;
            }
            match [fewer, later].into_iter().find(|steps| try_to_play(setup, steps).is_err()) {
                Some(shorter) => *steps = shorter,
                None => at += size,
            }
        }
        size = if size > 1 { size.div_ceil(2) } else { 0 };
    }
    let simpler: [fn(&mut Setup); 6] = [
        |setup| setup.shards = 1,
        |setup| setup.store = Duration::ZERO,
        |setup| setup.sites = 3,
        |setup| setup.return_home = false,
        |setup| setup.survive_restart = false,
        |setup| setup.probe = Duration::from_secs(5),
    ];
    for change in simpler {
        let mut changed = *setup;
        change(&mut changed);
        if try_to_play(&changed, steps).is_err() {
            *setup = changed;
        }
    }
    for at in 0..steps.len() {
        for pause in [0, 100, 1_000, 5_000, 10_000] {
            let mut sooner = steps.clone();
            sooner[at].pause = Duration::from_millis(pause).min(sooner[at].pause);
            if try_to_play(setup, &sooner).is_err() {
                *steps = sooner;
                break;
            }
        }
    }
}
