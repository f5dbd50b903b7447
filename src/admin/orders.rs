//! What an operator orders by POST: a logout, a look at what a number does, a reload (SPEC 12.2, 12.5).

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Dial;
use super::fault::Fault;
use super::places::{Place, Places, place_of, served};
use super::users::{describe, home_of};
use crate::ids::{Extension, LoginNumber, SiteName};
use crate::location::Record;
use crate::net;
use crate::node::Command;

/// A logout is waited for so long, asked so often.
const PATIENCE: Duration = Duration::from_secs(3);
const ASKED_EVERY: Duration = Duration::from_millis(10);
/// Many visitors are logged out one after another.
const PER_VISITOR: Duration = Duration::from_millis(5);

/// `POST /api/users/{extension}/logout`: at home if that is served here, else where the user is a visitor. Answered once it is stored.
pub async fn logout(State(places): State<Places>, Path(extension): Path<String>) -> Result<Json<Value>, Fault> {
    let places = places.all();
    let home = home_of(&places, &extension)?.name.clone();
    let Some(site) = logged_in_at(&places, &home, &extension) else {
        describe(&places, &extension, net::now())?;
        return Err(Fault::new(409, format!("{extension} is logged in nowhere"), "there is nothing to log out"));
    };
    let Some(place) = served(&places, &site) else {
        return Err(Fault::not_found(format!("{site} is not served here"), "ask the process that serves it"));
    };
    let (record, at) = (place.handle.overview.location().record(&extension), where_now(place, &extension));
    place.handle.command(Command::LogOut(Extension::new(&extension))).await;
    let number = |record: Option<&Record>| match record {
        Some(Record::Resident(resident)) => Some(resident.login),
        Some(Record::Visitor(visitor)) => Some(visitor.login),
        None => None,
    };
    let before = number(record.as_deref());
    for _ in 0..PATIENCE.as_millis() / ASKED_EVERY.as_millis() {
        if number(place.handle.overview.location().record(&extension).as_deref()) != before {
            return Ok(Json(json!({ "extension": extension, "logged_out": true, "was_at": at })));
        }
        tokio::time::sleep(ASKED_EVERY).await;
    }
    Err(not_stored_yet())
}

/// Of which site.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct At {
    site: String,
}

/// `POST /api/visitors/logout?site=`: everybody who is logged in there from another site. Answered once it is stored.
pub async fn log_visitors_out(State(places): State<Places>, Query(asked): Query<At>) -> Result<Json<Value>, Fault> {
    let places = places.all();
    let place = place_of(&places, &asked.site)?;
    let visits = || -> BTreeMap<Extension, LoginNumber> {
        let all = place.handle.overview.location().snapshot();
        all.into_iter().filter_map(|(who, record)| Some((who, record.visitor()?.login))).collect()
    };
    let before = visits();
    place.handle.command(Command::LogVisitorsOut).await;
    let patience = PATIENCE + PER_VISITOR * u32::try_from(before.len()).unwrap_or(u32::MAX);
    for _ in 0..patience.as_millis() / ASKED_EVERY.as_millis() {
        let now = visits();
        if before.iter().all(|(who, login)| now.get(who) != Some(login)) {
            return Ok(Json(json!({ "site": asked.site, "logged_out": before.len() })));
        }
        tokio::time::sleep(ASKED_EVERY).await;
    }
    Err(not_stored_yet())
}

fn not_stored_yet() -> Fault {
    Fault::new(503, "the logout could not be stored yet", "it was ordered; GET /healthz says whether the store fails")
}

/// The site served here that knows the user as logged in: home first, which has the say.
fn logged_in_at(places: &[Place<'_>], home: &SiteName, extension: &str) -> Option<SiteName> {
    let first = served(places, home).into_iter();
    let knows = |place: &&Place<'_>| where_now(place, extension).is_some();
    first.chain(places).find(knows).map(|place| place.config.site.name.clone())
}

/// Where the user is, as that site believes.
fn where_now(place: &Place<'_>, extension: &str) -> Option<String> {
    let (here, now) = (&place.config.site.name, net::now().instant);
    let record = place.handle.overview.location().record(extension)?;
    let at = match &*record {
        Record::Resident(resident) => match &resident.away {
            Some(away) => &away.site,
            None if !resident.seats.is_empty() => here,
            None => resident.bindings.iter().any(|binding| binding.is_live(now)).then_some(here)?,
        },
        Record::Visitor(_) => here,
    };
    Some(at.as_str().to_owned())
}

/// `POST /api/dial`.
pub async fn dial(State(places): State<Places>, body: Bytes) -> Result<Json<Value>, Fault> {
    let hint = "send {\"site\": \"london\", \"user\": \"201\", \"digits\": \"9999\"}, and \"at\" if it is not now";
    let asked: Dial = serde_json::from_slice(&body).map_err(|why| Fault::new(400, why.to_string(), hint))?;
    places.0.dial(&asked).map(Json).map_err(|why| Fault::new(400, why, hint))
}

/// `POST /api/reload`: as SIGHUP (SPEC 2.3); 422 with every reason where the configuration is bad.
pub async fn reload(State(places): State<Places>) -> Result<Json<Value>, Fault> {
    let ending = || Fault::new(503, "the process is ending", "start it anew");
    match places.0.reload().ok_or_else(ending)?.await.map_err(|_| ending())? {
        Ok(()) => Ok(Json(json!({ "reloaded": true }))),
        Err(problems) => {
            Err(Fault::new(422, problems.join("\n"), "the old configuration stays; `hotdesk check` says the same"))
        }
    }
}
