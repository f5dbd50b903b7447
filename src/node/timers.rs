//! What time brings: transactions, branches that stay silent, bindings and leases that run out, sites to be asked.

use std::time::Instant;

use super::Node;
use super::tasks::{ClientTask, ServerTask, Timer};
use crate::proxy::Input;
use crate::timing::Now;
use crate::transaction::Event as Happened;
use crate::trunk::Failure;
use crate::trunk::registration::Input as Registers;

impl Node {
    /// The time that [`poll_timeout`](Self::poll_timeout) named has come. Early and late calls do no harm.
    pub fn handle_timeout(&mut self, now: Now) {
        self.transactions.handle_timeout(now.instant);
        self.settle(now);
        while let Some(timer) = self.timers.ring(now.instant) {
            self.due(now, timer);
        }
        while let Some(extension) = self.alarms.ring(now.instant) {
            self.look_after(now, &extension);
        }
        while let Some(extension) = self.keepalives.ring(now.instant) {
            self.send_keepalives(now, &extension);
        }
        self.look_at_ringing(now);
        self.look_at_calls(now);
        self.look_at_the_store(now);
        self.look_at_sites(now);
        self.look_at_trunks(now);
        self.settle(now);
    }

    /// When [`handle_timeout`](Self::handle_timeout) is to be called; it changes with every input.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let ringing = self.ringing.front().map(|(at, _)| *at);
        let (links, trunks) = (self.next_look_at_sites(), self.next_look_at_trunks());
        let (transactions, calls) = (self.transactions.poll_timeout(), self.live.next());
        let store = self.stored_by.front().map(|(by, _)| *by);
        let own = [transactions, calls, self.timers.next(), self.alarms.next(), links, ringing, store];
        own.into_iter().chain([self.keepalives.next(), trunks]).flatten().min()
    }

    fn due(&mut self, now: Now, timer: Timer) {
        match timer {
            Timer::Silence(key, branch) => self.silent(now, key, branch),
            Timer::NoAnswer(key, round) => self.not_answered(now, key, round),
            Timer::Link(key) => self.link_failed(now, key),
            Timer::Notice(key) => self.send_notice(now, key),
            Timer::Probe(key) => self.probe_failed(key),
            Timer::Line(key) => self.look_at_waiting(now, key),
            Timer::Gathering(key) => self.end_gathering(now, key),
            Timer::Subscription(key) => self.look_at_subscription(now, key),
            Timer::Renewals => self.renew_all(now),
            Timer::Logouts => self.look_at_logouts(now),
            Timer::OwnCall(key) => self.look_at_own_call(now, key),
            Timer::Registration(key) => self.registration_hears(now, key, Registers::Due, ""),
        }
    }

    /// Hears what the transactions have to say after an input.
    pub(super) fn settle(&mut self, now: Now) {
        self.look_at_clocks(now);
        while let Some(event) = self.transactions.poll_event() {
            match event {
                Happened::ClientTimeout(_, ClientTask::Branch(key, branch, _)) => {
                    self.timed_out(now, key, branch as usize);
                }
                Happened::ClientUnreachable(_, ClientTask::Branch(key, branch, _)) => {
                    self.branch_failed(now, key, branch as usize, Failure::Unreachable);
                    self.judge(now, key, branch as usize, Input::Unreachable, None);
                }
                Happened::ClientTimeout(_, ClientTask::Link(key))
                | Happened::ClientUnreachable(_, ClientTask::Link(key)) => self.link_failed(now, key),
                Happened::ClientTimeout(_, ClientTask::Notify(key))
                | Happened::ClientUnreachable(_, ClientTask::Notify(key)) => self.notified(now, key, None),
                Happened::ClientTimeout(_, ClientTask::Registration(key))
                | Happened::ClientUnreachable(_, ClientTask::Registration(key)) => {
                    self.registration_hears(now, key, Registers::Silent, "no answer");
                }
                Happened::ServerEnded(_, ServerTask::Call(key)) => {
                    let live = self.answered.remove(key).and_then(|answered| answered.live);
                    live.into_iter().for_each(|live| self.live.settled(live));
                }
                Happened::ClientTimeout(_, ClientTask::Probe(key))
                | Happened::ClientUnreachable(_, ClientTask::Probe(key)) => self.probe_failed(key),
                Happened::ClientTimeout(_, ClientTask::Unheard)
                | Happened::ClientUnreachable(_, ClientTask::Unheard)
                | Happened::ServerEnded(_, ServerTask::Own | ServerTask::OwnCall(_))
                | Happened::AckMissing(..)
                | Happened::ClientEnded(..) => {}
            }
        }
        self.look_at_lines(now);
    }
}
