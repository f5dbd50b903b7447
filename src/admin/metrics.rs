//! `GET /metrics`: the text format of Prometheus, version 0.0.4.

use std::fmt::{Display, Write};

use axum::extract::State;
use axum::http::{HeaderName, header};

use super::counters::COUNTERS;
use super::places::{Place, Places};
use super::sites::{People, ahead};
use crate::link::State as LinkState;
use crate::node::RegistrationState;

/// All there is to measure.
pub async fn metrics(State(places): State<Places>) -> ([(HeaderName, &'static str); 1], String) {
    let mut text = Text::default();
    text.family("hotdesk_info", "gauge", "The release, always 1.");
    text.sample("hotdesk_info", &[("version", env!("CARGO_PKG_VERSION"))], 1);
    let all = places.all();
    gauges(&mut text, &all);
    trunks_and_links(&mut text, &all);
    for (name, label, help) in COUNTERS {
        text.family(name, "counter", help);
        for place in &all {
            let site = place.config.site.name.as_str();
            let Some(counters) = places.0.counters(&place.config.site.name) else { continue };
            for (value, count) in counters.of(name) {
                let labels = [("site", site), (*label, value)];
                text.sample(name, if value.is_empty() { &labels[..1] } else { &labels }, count);
            }
        }
    }
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text.0)
}

fn gauges(text: &mut Text, places: &[Place<'_>]) {
    let seen: Vec<_> = places.iter().map(|place| (place, place.handle.load(), People::of(place))).collect();
    let mut gauge = |name: &str, help: &str, value: &dyn Fn(usize) -> usize| {
        text.family(name, "gauge", help);
        for (index, (place, ..)) in seen.iter().enumerate() {
            text.sample(name, &[("site", place.config.site.name.as_str())], value(index));
        }
    };
    gauge("hotdesk_transactions", "SIP transactions alive.", &|at| seen[at].1.transactions);
    gauge("hotdesk_requests_pending", "Forwarded requests without a final answer.", &|at| seen[at].1.calls);
    gauge("hotdesk_waiting", "Changes, logins and notices that wait for somebody.", &|at| seen[at].1.waiting);
    gauge("hotdesk_calls", "Calls from admission to their end.", &|at| seen[at].0.handle.overview.tally().calls());
    gauge("hotdesk_calls_waiting", "Callers who wait for a line.", &|at| {
        seen[at].0.handle.overview.waiting_for_a_line()
    });
    gauge("hotdesk_users", "Users whose home this is.", &|at| seen[at].0.config.site.users.len());
    gauge("hotdesk_users_registered", "Own users who are logged in at home.", &|at| seen[at].2.registered);
    gauge("hotdesk_users_away", "Own users who are logged in elsewhere.", &|at| seen[at].2.away);
    gauge("hotdesk_visitors", "Users of other sites who are logged in here.", &|at| seen[at].2.visitors);
    gauge("hotdesk_store_failing", "1 while changes can't be stored.", &|at| {
        usize::from(seen[at].0.handle.store_fails())
    });
    text.family("hotdesk_bindings", "gauge", "Bindings of phones: active ones ring, parked ones wait for their user.");
    for (place, _, people) in &seen {
        let site = place.config.site.name.as_str();
        text.sample("hotdesk_bindings", &[("site", site), ("state", "active")], people.active);
        text.sample("hotdesk_bindings", &[("site", site), ("state", "parked")], people.parked);
    }
}

fn trunks_and_links(text: &mut Text, places: &[Place<'_>]) {
    text.family("hotdesk_trunk_calls", "gauge", "Channels of a trunk that are taken.");
    for place in places {
        for trunk in &place.config.site.trunks {
            let labels = [("site", place.config.site.name.as_str()), ("trunk", &trunk.name)];
            text.sample("hotdesk_trunk_calls", &labels, place.handle.overview.tally().channels_of(&trunk.name));
        }
    }
    text.family("hotdesk_trunk_up", "gauge", "0 while the trunk answers at none of its addresses.");
    for place in places {
        for trunk in &place.config.site.trunks {
            let labels = [("site", place.config.site.name.as_str()), ("trunk", &trunk.name)];
            text.sample("hotdesk_trunk_up", &labels, u8::from(place.handle.overview.trunk(&trunk.name).is_up()));
        }
    }
    text.family("hotdesk_trunk_registered", "gauge", "1 while a carrier that wants registration has us.");
    for place in places {
        for trunk in &place.config.site.trunks {
            let Some(seen) = place.handle.overview.registration(&trunk.name) else { continue };
            let labels = [("site", place.config.site.name.as_str()), ("trunk", &trunk.name)];
            text.sample("hotdesk_trunk_registered", &labels, u8::from(seen.state == RegistrationState::Registered));
        }
    }
    text.family("hotdesk_licences_used", "gauge", "Licences that visitors hold, for profiles that have a number.");
    for place in places {
        for profile in place.config.site.licences.iter().flat_map(|licences| licences.keys()) {
            let labels = [("site", place.config.site.name.as_str()), ("profile", profile)];
            text.sample("hotdesk_licences_used", &labels, place.handle.overview.licences_used(profile));
        }
    }
    text.family("hotdesk_link_up", "gauge", "1 while the other site answers.");
    let links: Vec<_> = places
        .iter()
        .flat_map(|place| place.handle.overview.links().into_iter().map(move |link| (place, link)))
        .collect();
    for (place, link) in &links {
        let labels = [("site", place.config.site.name.as_str()), ("to", link.site.as_str())];
        text.sample("hotdesk_link_up", &labels, u8::from(link.state == LinkState::Up));
    }
    let name = "hotdesk_link_clock_difference_seconds";
    text.family(name, "gauge", "How far the other site's clock is ahead of ours, once heard.");
    for (place, link) in &links {
        let labels = [("site", place.config.site.name.as_str()), ("to", link.site.as_str())];
        if let Some(clock) = link.clock {
            text.sample(name, &labels, ahead(clock) as f64 / 1000.0);
        }
    }
}

/// What is being written.
#[derive(Default)]
struct Text(String);

impl Text {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}=\"{}\"", escaped(value))).collect();
        let _ = writeln!(self.0, "{name}{{{}}} {value}", labels.join(","));
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_a_line_and_a_label_stays_a_label() {
        let mut text = Text::default();
        text.family("a", "gauge", "What.");
        text.sample("a", &[("x", "q\"\\\n"), ("y", "1")], 2);
        assert_eq!(text.0, "# HELP a What.\n# TYPE a gauge\na{x=\"q\\\"\\\\\\n\",y=\"1\"} 2\n");
    }
}
