//! What happened at a site since it started, counted for metrics.

use std::collections::BTreeMap;

use crate::event::{Event, LoggedOutBy};
use crate::guarded::Guarded;

/// Counts by metric and label.
#[derive(Default)]
pub struct Counters(Guarded<BTreeMap<(&'static str, &'static str), u64>>);

/// The counters: name, label, help.
pub(super) const COUNTERS: &[(&str, &str, &str)] = &[
    ("hotdesk_calls_total", "class", "Calls that have their final answer, by its class."),
    ("hotdesk_calls_ended_total", "", "Answered calls that are over."),
    ("hotdesk_datagrams_lost_total", "", "Datagrams that the kernel dropped because they came too fast."),
    ("hotdesk_datagrams_refused_total", "", "Datagrams that were malformed, forged or from strangers."),
    ("hotdesk_datagrams_too_large_total", "", "Messages that no datagram can hold, and that were not sent."),
    ("hotdesk_emergency_calls_total", "", "Calls for help."),
    ("hotdesk_handovers_lost_total", "", "Packets and errands that one shard could not give to another."),
    ("hotdesk_logins_total", "", "Logins that were taken here or told to here."),
    ("hotdesk_logouts_total", "by", "Logins that ended, by reason."),
    ("hotdesk_refused_total", "", "Requests that policy refused."),
];

impl Counters {
    /// Counts an event.
    pub fn note(&self, event: &Event) {
        let (name, label) = match event {
            Event::LoggedIn { .. } => ("hotdesk_logins_total", ""),
            Event::LoggedOut { by, .. } => ("hotdesk_logouts_total", cause(*by)),
            Event::Refused { .. } => ("hotdesk_refused_total", ""),
            Event::Call { status, .. } => ("hotdesk_calls_total", class(status.0)),
            Event::CallEnded { .. } => ("hotdesk_calls_ended_total", ""),
            Event::Emergency { .. } => ("hotdesk_emergency_calls_total", ""),
            Event::Dropped { .. } => ("hotdesk_datagrams_refused_total", ""),
            Event::TooLarge { .. } => ("hotdesk_datagrams_too_large_total", ""),
            Event::SiteUp { .. }
            | Event::SiteDown { .. }
            | Event::TrunkDown(_)
            | Event::TrunkUp(_)
            | Event::NetworkDiffers { .. }
            | Event::SiteNotBelieved { .. }
            | Event::CarrierRefuses { .. }
            | Event::CarrierRegistered { .. }
            | Event::CarrierNotRegistered { .. }
            | Event::CarrierLeft { .. }
            | Event::ClockDiffers { .. } => return,
        };
        self.add(name, label, 1);
    }

    /// Datagrams that the kernel dropped.
    pub fn lost_datagrams(&self, more: u64) {
        self.add("hotdesk_datagrams_lost_total", "", more);
    }

    /// What one shard could not give to another.
    pub fn lost_handovers(&self, more: u64) {
        self.add("hotdesk_handovers_lost_total", "", more);
    }

    fn add(&self, name: &'static str, label: &'static str, more: u64) {
        self.0.with(|counts| *counts.entry((name, label)).or_default() += more);
    }

    /// The counts of one metric by label; without any, zero under none.
    pub(super) fn of(&self, name: &'static str) -> Vec<(&'static str, u64)> {
        let counts = self.0.with(|counts| counts.clone());
        let found: Vec<_> =
            counts.into_iter().filter(|((of, _), _)| *of == name).map(|((_, label), count)| (label, count)).collect();
        if found.is_empty() { vec![("", 0)] } else { found }
    }
}

fn cause(by: LoggedOutBy) -> &'static str {
    match by {
        LoggedOutBy::Phone => "phone",
        LoggedOutBy::Expiry => "expiry",
        LoggedOutBy::Displacement => "displacement",
        LoggedOutBy::Lease => "lease",
        LoggedOutBy::NotThere => "not-there",
        LoggedOutBy::Operator => "operator",
        LoggedOutBy::Removal => "removal",
        LoggedOutBy::Clock => "clock",
        LoggedOutBy::Idle => "idle",
    }
}

fn class(status: u16) -> &'static str {
    match status / 100 {
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        5 => "5xx",
        _ => "6xx",
    }
}
