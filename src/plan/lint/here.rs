//! One site as lint sees it, and the questions with their bound.

use super::finding::{Finding, Kind};
use super::help::Help;
use super::machine::{Budget, Found, Machine, shortest};
use super::numbers::Numbers;
use crate::plan::Plan;
use crate::settings::{Origin, Site};

/// A site whose plan is at hand.
pub(super) struct Here<'a> {
    pub(super) plan: &'a Plan,
    pub(super) site: &'a Site,
    pub(super) help: Help<'a>,
    pub(super) numbers: Numbers<'a>,
}

impl<'a> Here<'a> {
    pub(super) fn new(plan: &'a Plan, site: &'a Site) -> Self {
        Self { plan, site, help: Help::of(plan), numbers: Numbers::of(plan) }
    }
}

/// What was found so far, and what the rest may cost.
pub(super) struct Report {
    pub(super) findings: Vec<Finding>,
    budget: Budget,
    given_up: usize,
}

impl Report {
    pub(super) fn new() -> Self {
        Self { findings: Vec::new(), budget: Budget { each: EACH, left: ALL }, given_up: 0 }
    }

    pub(super) fn note(&mut self, origin: &Origin, kind: Kind, what: String) {
        self.findings.push(Finding { origin: origin.clone(), kind, what });
    }

    /// A string of the set, told at `origin` if the question cost too much.
    pub(super) fn ask(&mut self, machine: &dyn Machine, least: usize, origin: &Origin, question: &str) -> Found {
        let found = shortest(machine, least, &mut self.budget);
        if found == Found::GivenUp {
            self.given_up += 1;
            if self.given_up <= MOST_TOLD {
                self.note(origin, Kind::Undecided, format!("{question} was given up: too many strings differ"));
            }
        }
        found
    }

    /// How many questions were given up without a finding of their own.
    pub(super) fn untold(&self) -> usize {
        self.given_up.saturating_sub(MOST_TOLD)
    }
}

/// Steps of one question: what a plan of a few thousand codes asks for at worst.
const EACH: usize = 200_000;

/// Steps of all questions together: some seconds.
const ALL: usize = 5_000_000;

/// Given-up questions with a finding of their own.
const MOST_TOLD: usize = 20;
