//! What a user has changed by dialling, and `POST /api/users/{extension}/reset` (SPEC 7.4).

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Map, Value, json};

use super::fault::Fault;
use super::places::{Place, Places, served};
use super::users::{describe, home_of};
use crate::ids::Extension;
use crate::location::Record;
use crate::net;
use crate::node::Command;
use crate::settings::{Changes, Switched};

/// A reset is waited for so long, asked so often.
const PATIENCE: Duration = Duration::from_secs(3);
const ASKED_EVERY: Duration = Duration::from_millis(10);

/// The settings that lie over the file's, by their keys; of a login code only that there is one.
pub(super) fn changed(changes: Option<&Changes>) -> Value {
    let Some(changes) = changes else { return json!({}) };
    let forward = |switched: &Switched| json!({ "number": switched.number, "on": switched.on });
    let Changes { do_not_disturb, outgoing_bar, unconditional, busy, no_answer, follow_me, login_code } = changes;
    let all = [
        ("do_not_disturb", do_not_disturb.as_ref().map(|laid| json!(laid.value))),
        ("outgoing_bar", outgoing_bar.as_ref().map(|laid| json!(laid.value))),
        ("forward.unconditional", unconditional.as_ref().map(|laid| forward(&laid.value))),
        ("forward.busy", busy.as_ref().map(|laid| forward(&laid.value))),
        ("forward.no_answer", no_answer.as_ref().map(|laid| forward(&laid.value))),
        ("follow_me", follow_me.as_ref().map(|number| json!(number))),
        ("login_code", login_code.as_ref().map(|_| json!(true))),
    ];
    let there = all.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
    Value::Object(there.collect::<Map<_, _>>())
}

/// `POST /api/users/{extension}/reset`: at home, which has the say. Answered once it is stored.
pub async fn reset(State(places): State<Places>, Path(extension): Path<String>) -> Result<Json<Value>, Fault> {
    let places = places.all();
    let home = home_of(&places, &extension)?.name.clone();
    let Some(place) = served(&places, &home) else {
        return Err(Fault::not_found(format!("{home} is not served here"), "ask the process that serves it"));
    };
    describe(&places, &extension, net::now())?;
    let dropped = now(place, &extension);
    if dropped == json!({}) {
        let why = format!("{extension} has changed nothing");
        return Err(Fault::new(409, why, "the configuration holds already"));
    }
    place.handle.command(Command::Reset(Extension::new(&extension))).await;
    for _ in 0..PATIENCE.as_millis() / ASKED_EVERY.as_millis() {
        if now(place, &extension) == json!({}) {
            return Ok(Json(json!({ "extension": extension, "reset": dropped })));
        }
        tokio::time::sleep(ASKED_EVERY).await;
    }
    Err(Fault::new(
        503,
        "the reset could not be stored yet",
        "it was ordered; GET /healthz says whether the store fails",
    ))
}

fn now(place: &Place<'_>, extension: &str) -> Value {
    let record = place.handle.overview.location().record(extension);
    changed(record.as_deref().and_then(Record::resident).and_then(|resident| resident.changes.as_deref()))
}
