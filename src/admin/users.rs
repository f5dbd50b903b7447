//! Who is where: `/api/users`, `/api/users/{extension}`, `/api/visitors` (SPEC 12.2).

use std::time::Instant;

use axum::Json;
use axum::extract::{Path, Query, State};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::changes::changed;
use super::fault::Fault;
use super::places::{Place, Places, elsewhere, place_of, served};
use crate::ids::{Extension, SiteName};
use crate::location::{Binding, Location, Record, Resident, Visitor};
use crate::net;
use crate::plan::{Caller, Standing};
use crate::settings::{SiteEntry, User};
use crate::timing::{Now, Wall};

/// `GET /api/users`: the users whose home is served here.
pub async fn users(State(places): State<Places>) -> Json<Value> {
    let (places, now) = (places.all(), net::now());
    let users: Vec<Value> = places
        .iter()
        .flat_map(|home| home.config.site.users.values().map(move |user| (home, user)))
        .map(|(home, user)| resident(&places, home, user, now))
        .collect();
    Json(json!({ "users": users, "elsewhere": elsewhere(&places) }))
}

/// `GET /api/users/{extension}`.
pub async fn user(State(places): State<Places>, Path(extension): Path<String>) -> Result<Json<Value>, Fault> {
    let places = places.all();
    describe(&places, &extension, net::now()).map(Json)
}

/// Where one user is, as the API says it.
pub(super) fn describe(places: &[Place<'_>], extension: &str, now: Now) -> Result<Value, Fault> {
    let home = home_of(places, extension)?;
    let here = served(places, &home.name);
    if let Some((here, user)) = here.and_then(|here| Some((here, here.config.site.users.get(extension)?))) {
        return Ok(resident(places, here, user, now));
    }
    if here.is_some() {
        return Err(Fault::not_found(format!("{} has no user {extension}", home.name), "GET /api/users has them all"));
    }
    let visits = places.iter().find_map(|place| {
        let record = place.handle.overview.location().record(extension)?;
        record.visitor().map(|seen| visitor(place, &Extension::new(extension), seen, now))
    });
    visits.map(|(_, value)| with_elsewhere(value, &home.name)).ok_or_else(|| {
        let why =
            format!("{extension} is a user of {}, which another process serves, and is not logged in here", home.name);
        Fault::not_found(why, format!("ask the process that serves {}", home.name))
    })
}

/// The home of an extension, served here or not.
pub(super) fn home_of<'p>(places: &'p [Place<'_>], extension: &str) -> Result<&'p SiteEntry, Fault> {
    let network = places.first().map(|place| &place.config.network);
    network.and_then(|network| network.home_of(extension)).ok_or_else(|| {
        Fault::not_found(format!("no site has an extension {extension}"), "GET /api/sites names each site's extensions")
    })
}

/// What can be asked of `/api/visitors`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    site: Option<String>,
}

/// `GET /api/visitors?site=`: users of other sites who are logged in at those served here.
pub async fn visitors(State(places): State<Places>, Query(asked): Query<Asked>) -> Result<Json<Value>, Fault> {
    let (places, now) = (places.all(), net::now());
    if let Some(name) = &asked.site {
        place_of(&places, name)?;
    }
    let asked_for =
        |place: &&Place<'_>| asked.site.as_deref().is_none_or(|name| place.config.site.name.as_str() == name);
    let mut all = Vec::new();
    for place in places.iter().filter(asked_for) {
        for (extension, record) in place.handle.overview.location().snapshot() {
            if let Record::Visitor(seen) = &*record {
                let (site, mut value) = visitor(place, &extension, seen, now);
                value.insert("site".to_owned(), json!(site.as_str()));
                all.push(Value::Object(value));
            }
        }
    }
    Ok(Json(json!({ "visitors": all, "elsewhere": elsewhere(&places) })))
}

/// A user of a site that is served here.
fn resident(places: &[Place<'_>], home: &Place<'_>, user: &User, now: Now) -> Value {
    let name = &home.config.site.name;
    let location = home.handle.overview.location();
    let record = location.record(user.extension.as_str());
    let empty = Resident::default();
    let resident = record.as_deref().and_then(Record::resident).unwrap_or(&empty);
    let live: Vec<&Binding> = resident.bindings.iter().filter(|binding| binding.is_live(now.instant)).collect();
    let (at, since) = match &resident.away {
        Some(away) => (Some(&away.site), Some(away.since)),
        // A binding's serial begins with the clock and outlasts its refreshes.
        None => {
            let own = live.iter().map(|binding| Wall(binding.serial));
            let since = own.chain(resident.seats.iter().map(|seat| seat.since)).min();
            (since.map(|_| name), since)
        }
    };
    // A phone where somebody else sits is parked, too.
    let is_taken = |binding: &Binding| location.sitter(user.extension.as_str(), &binding.device).is_some();
    let is_parked = |binding: &Binding| resident.away.is_some() || is_taken(binding);
    let state = |binding: &Binding| if is_parked(binding) { "parked" } else { "active" };
    let mut contacts: Vec<Value> = live.iter().map(|binding| contact(binding, state(binding), now.instant)).collect();
    contacts.extend(contacts_of(&seats_of(location, &user.extension, record.as_deref()), now.instant));
    let there = at.and_then(|at| served(places, at));
    let visiting = there.filter(|there| there.config.site.name != *name);
    let there_is = visiting.map(|there| there.handle.overview.location());
    let visit = there_is.and_then(|there| Some((there, there.record(user.extension.as_str())?)));
    if let Some((there, visit)) = &visit {
        contacts.extend(contacts_of(&there.phones_of(user.extension.as_str(), visit), now.instant));
    }
    for place in places {
        contacts.extend(in_limbo(place, &user.extension, now.instant));
    }
    let visit = visit.as_ref().and_then(|(_, visit)| visit.visitor());
    let profile = visit.map_or(&user.profile, |visit| &visit.guest.user.profile);
    let mut value = Map::new();
    value.insert("extension".to_owned(), json!(user.extension.as_str()));
    value.insert("name".to_owned(), json!(user.name));
    value.insert("home".to_owned(), json!(name.as_str()));
    value.insert("where".to_owned(), json!(at.map(SiteName::as_str)));
    value.insert("since".to_owned(), json!(since.and_then(time)));
    value.insert("login".to_owned(), json!(at.map(|_| resident.login.0)));
    value.insert("profile".to_owned(), json!(profile));
    value.insert("rights".to_owned(), rights(there.or(at.is_none().then_some(home)), user, at == Some(name), now.wall));
    value.insert("contacts".to_owned(), json!(contacts));
    value.insert("changed".to_owned(), changed(resident.changes.as_deref()));
    match at {
        Some(at) if there.is_none() => with_elsewhere(value, at),
        Some(_) | None => Value::Object(value),
    }
}

/// A user of another site, logged in at `place`, and where that is.
fn visitor<'p>(
    place: &'p Place<'_>,
    extension: &Extension,
    visitor: &Visitor,
    now: Now,
) -> (&'p SiteName, Map<String, Value>) {
    let (site, user) = (&place.config.site.name, &visitor.guest.user);
    let mut value = Map::new();
    value.insert("extension".to_owned(), json!(extension.as_str()));
    value.insert("name".to_owned(), json!(user.name));
    value.insert("home".to_owned(), json!(visitor.home.as_str()));
    value.insert("where".to_owned(), json!(site.as_str()));
    value.insert("since".to_owned(), json!(time(visitor.since)));
    value.insert("login".to_owned(), json!(visitor.login.0));
    value.insert("profile".to_owned(), json!(user.profile));
    value.insert("rights".to_owned(), rights(Some(place), user, false, now.wall));
    let record = Record::Visitor(visitor.clone());
    let phones = place.handle.overview.location().phones_of(extension.as_str(), &record);
    let contacts = contacts_of(&phones, now.instant).chain(in_limbo(place, extension, now.instant));
    value.insert("contacts".to_owned(), json!(contacts.collect::<Vec<_>>()));
    (site, value)
}

/// The rights' name, the one in force where the user is (that of the hours), and the one that is missing there.
fn rights(there: Option<&Place<'_>>, user: &User, is_home: bool, now: Wall) -> Value {
    let standing = if is_home { Standing::Local } else { Standing::Visitor };
    let caller = Caller::of(user, None, standing);
    let in_force = there.map(|there| there.config.plan.rights_in_force(&caller.rights, now));
    let name = in_force.and_then(|in_force| in_force.name);
    let missing = in_force.and_then(|in_force| in_force.missing).map(|missing| missing.name());
    json!({ "name": user.rights, "in_force": name, "missing": missing })
}

/// The phones of others at which a user sits.
fn seats_of(location: &Location, user: &Extension, record: Option<&Record>) -> Vec<Binding> {
    let phones = record.map(|record| location.phones_of(user.as_str(), record)).unwrap_or_default();
    let own: Vec<u64> = record.map_or(&[][..], Record::bindings).iter().map(|binding| binding.serial).collect();
    phones.iter().filter(|phone| !own.contains(&phone.serial)).cloned().collect()
}

fn contacts_of(bindings: &[Binding], now: Instant) -> impl Iterator<Item = Value> {
    bindings.iter().filter(move |binding| binding.is_live(now)).map(move |binding| contact(binding, "active", now))
}

/// Phones that have lost the user there, and are registered all the same (SPEC 5.10).
fn in_limbo(place: &Place<'_>, user: &Extension, now: Instant) -> Vec<Value> {
    let phones = place.handle.overview.location().in_limbo(user.as_str(), now);
    phones.iter().map(|binding| contact(binding, "limbo", now)).collect()
}

fn contact(binding: &Binding, state: &str, now: Instant) -> Value {
    let uri = String::from_utf8_lossy(binding.uri.as_bytes());
    json!({ "contact": uri, "expires_in": binding.expires_in(now), "state": state })
}

fn with_elsewhere(mut value: Map<String, Value>, site: &SiteName) -> Value {
    value.insert("elsewhere".to_owned(), json!([site.as_str()]));
    Value::Object(value)
}

/// RFC 3339, in UTC.
pub(super) fn time(wall: Wall) -> Option<String> {
    let seconds = i64::try_from(wall.0 / 1000).ok()?;
    jiff::Timestamp::from_second(seconds).ok().map(|time| time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_utc_and_what_is_no_time_is_left_out() {
        assert_eq!(time(Wall(1_790_000_000_999)).as_deref(), Some("2026-09-21T14:13:20Z"));
        assert_eq!(time(Wall(u64::MAX)), None);
    }
}
