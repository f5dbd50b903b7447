//! The sites themselves: `/healthz`, `/api/sites`, `/api/calls`, `/api/links` (SPEC 12.2).

use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::places::{Place, Places, elsewhere, served};
use super::users::time;
use crate::link::{Clock, Mistrust, State as LinkState};
use crate::location::Record;
use crate::net;
use crate::node::{RegistrationSeen, RegistrationState};

/// `GET /healthz`: 200 `ok`, or 503 `degraded` with the reasons.
pub async fn healthz(State(places): State<Places>) -> (StatusCode, Json<Value>) {
    let failing = places.all().into_iter().filter(|place| place.handle.store_fails());
    let reasons: Vec<String> =
        failing.map(|place| format!("{}: changes can't be stored", place.config.site.name)).collect();
    if reasons.is_empty() {
        return (StatusCode::OK, Json(json!({ "status": "ok" })));
    }
    (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "status": "degraded", "reasons": reasons })))
}

/// `GET /api/sites`: every site of the network; with numbers where it is served here.
pub async fn sites(State(places): State<Places>) -> Json<Value> {
    let places = places.all();
    let Some(first) = places.first() else { return Json(json!({ "sites": [], "elsewhere": [] })) };
    let mut sites = Vec::new();
    for entry in first.config.network.sites.values() {
        let extensions: Vec<String> = entry.extensions.iter().map(ToString::to_string).collect();
        let mut site = json!({
            "name": entry.name.as_str(),
            "number": entry.number.0,
            "domain": entry.domain,
            "extensions": extensions,
            "address": entry.address.to_string(),
            "served": false,
        });
        if let Some(place) = served(&places, &entry.name) {
            let people = People::of(place);
            site["served"] = json!(true);
            site["users"] = json!(place.config.site.users.len());
            site["registered"] = json!(people.registered);
            site["away"] = json!(people.away);
            site["visitors"] = json!(people.visitors);
            site["calls"] = json!(place.handle.overview.tally().calls());
        }
        sites.push(site);
    }
    Json(json!({ "sites": sites, "elsewhere": elsewhere(&places) }))
}

/// `GET /api/calls`: how many there are, by user and trunk, at each site.
pub async fn calls(State(places): State<Places>) -> Json<Value> {
    let places = places.all();
    let sites: Vec<Value> = places.iter().map(calls_of).collect();
    Json(json!({ "sites": sites, "elsewhere": elsewhere(&places) }))
}

fn calls_of(place: &Place<'_>) -> Value {
    let tally = place.handle.overview.tally();
    let users = tally.users().into_iter().map(|(user, calls)| json!({ "extension": user.as_str(), "calls": calls }));
    let trunks = place.config.site.trunks.iter().map(|trunk| {
        let seen = place.handle.overview.trunk(&trunk.name);
        let addresses = seen.addresses.iter().map(|(address, up)| json!({ "address": address.to_string(), "up": up }));
        json!({
            "name": trunk.name,
            "group": trunk.group,
            "calls": tally.channels_of(&trunk.name),
            "channels": trunk.channels,
            "host": trunk.host,
            "up": seen.is_up(),
            "addresses": addresses.collect::<Vec<Value>>(),
            "registration": place.handle.overview.registration(&trunk.name).map(registration),
        })
    });
    let (users, trunks): (Vec<Value>, Vec<Value>) = (users.collect(), trunks.collect());
    json!({ "site": place.config.site.name.as_str(), "calls": tally.calls(), "users": users, "trunks": trunks })
}

fn registration(seen: RegistrationSeen) -> Value {
    let state = match seen.state {
        RegistrationState::Trying => "trying",
        RegistrationState::Registered => "registered",
        RegistrationState::Failed => "failed",
        RegistrationState::Ended => "ended",
    };
    json!({ "state": state, "until": seen.until.and_then(time), "why": seen.why })
}

/// `GET /api/links`: how each site that is served here sees the others.
pub async fn links(State(places): State<Places>) -> Json<Value> {
    let places = places.all();
    let links: Vec<Value> = places.iter().flat_map(links_of).collect();
    Json(json!({ "links": links, "elsewhere": elsewhere(&places) }))
}

fn links_of(place: &Place<'_>) -> Vec<Value> {
    let own = place.config.network.fingerprint;
    let link = |seen: crate::node::LinkSeen| {
        json!({
            "from": place.config.site.name.as_str(),
            "to": seen.site.as_str(),
            "state": state(seen.state),
            "refused": seen.mistrust.filter(|(_, at)| is_of_late(*at)).map(|(why, _)| mistrust(why)),
            "clock_difference_ms": seen.clock.map(ahead),
            "release": seen.release,
            "network_agrees": seen.network.map(|network| network == own),
        })
    };
    place.handle.overview.links().into_iter().map(link).collect()
}

fn state(state: LinkState) -> &'static str {
    match state {
        LinkState::Unknown => "unknown",
        LinkState::Up => "up",
        LinkState::Down => "down",
    }
}

/// What was refused longer ago is shown no more.
const LATELY: Duration = Duration::from_secs(60);

fn is_of_late(at: Instant) -> bool {
    net::now().instant.saturating_duration_since(at) < LATELY
}

/// Why what comes in the other site's name is refused.
fn mistrust(why: Mistrust) -> &'static str {
    match why {
        Mistrust::OtherSecret => "the link secrets differ, or somebody forges requests in its name",
        Mistrust::Unproven => "requests in its name are altered on the way, or somebody forges them",
    }
}

/// Milliseconds that the other clock is ahead.
pub(super) fn ahead(clock: Clock) -> i64 {
    match clock {
        Clock::Near(ahead) | Clock::Apart(ahead) | Clock::Far(ahead) => ahead,
    }
}

/// Who is known at a site, counted.
#[derive(Default)]
pub(super) struct People {
    /// Own users who are logged in at home.
    pub registered: usize,
    /// Own users who are logged in elsewhere.
    pub away: usize,
    /// Users of other sites.
    pub visitors: usize,
    /// Bindings that ring.
    pub active: usize,
    /// Bindings of users who are elsewhere.
    pub parked: usize,
}

impl People {
    pub fn of(place: &Place<'_>) -> Self {
        let (mut people, now) = (Self::default(), net::now().instant);
        for (_, record) in place.handle.overview.location().snapshot() {
            let live = record.bindings().iter().filter(|binding| binding.is_live(now)).count();
            match &*record {
                Record::Resident(resident) if resident.away.is_some() => {
                    (people.away, people.parked) = (people.away + 1, people.parked + live);
                }
                Record::Resident(_) => {
                    (people.registered, people.active) =
                        (people.registered + usize::from(live > 0), people.active + live);
                }
                Record::Visitor(_) => (people.visitors, people.active) = (people.visitors + 1, people.active + live),
            }
        }
        people
    }
}
