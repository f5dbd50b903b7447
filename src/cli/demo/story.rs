//! The story: what is done in each step, and what has to come of it.

use std::time::Duration;

use super::Teller;
use super::cast::Part;
use super::stage::Stage;
use crate::event::{Event, LoggedOutBy};
use crate::phone::{CallRef, PhoneEvent};

/// What is printed above a step.
pub struct Step {
    /// What happens.
    pub title: &'static str,
    /// Why it is worth seeing.
    pub why: &'static str,
    columns: &'static [Part],
}

/// What held, or why it did not.
pub type Verdict = Result<String, String>;

/// How long people talk.
const TALK: Duration = Duration::from_millis(200);

/// What comes late comes in this time: nothing is awaited, but more than it would be wrong.
const AFTERWARDS: Duration = Duration::from_millis(60);

/// Registrations of the story, in seconds: it is over long before they are refreshed.
const EXPIRES: u32 = 300;

/// Plays all steps, whatever becomes of each.
pub async fn play(stage: &mut Stage, teller: &mut Teller) {
    use Part::{Bt, Charles, Desk, Guest, London, Orange, Paris};
    let step = |title, why, columns| Step { title, why, columns };
    let steps = step(
        "201 and 202 register at home, in London",
        "Two ordinary SIP phones; each proves its password by digest, and London keeps the binding.",
        &[Charles, London, Desk],
    );
    one(stage, teller, steps, registers_at_home).await;
    let login = step(
        "Ada logs in at a phone in Paris",
        "She registers there with the password of home. Paris asks London by one MESSAGE: the round trip of a login.",
        &[Guest, Paris, London],
    );
    one(stage, teller, login, logs_in).await;
    let follows = step(
        "202 in London calls 201",
        "The call follows her to Paris; her own phone in London is parked: still registered, but silent.",
        &[Charles, London, Paris, Guest],
    );
    one(stage, teller, follows, call_follows).await;
    let out = step(
        "201 dials 0 01 99 00 09 99 in Paris",
        "A visitor dials like everybody in the office: 0 for an outside line, the local carrier, Paris's main number shown.",
        &[Guest, Paris, Orange],
    );
    one(stage, teller, out, dials_out).await;
    let break_out = step(
        "201 dials *81 9 020 7946 0999 in Paris",
        "Break Out: what stands behind *81 is dialled in London, 9 for a line there, and shows her number of home.",
        &[Guest, Paris, London, Bt],
    );
    one(stage, teller, break_out, breaks_out).await;
    let emergency = step(
        "201 dials *81 999 in Paris",
        "999 is for emergencies in London, so London hands it back: help has to come to where she is. 112, from Paris.",
        &[Guest, Paris, Orange, London],
    );
    one(stage, teller, emergency, calls_for_help).await;
    let logout = step(
        "Ada logs out in Paris",
        "She un-registers there; Paris answers at once and tells London.",
        &[Guest, Paris, London],
    );
    one(stage, teller, logout, logs_out).await;
    let back = step(
        "202 calls 201 again",
        "Her phone in London was parked and needs to do nothing: it rings again.",
        &[Charles, London, Desk],
    );
    one(stage, teller, back, rings_at_home).await;
}

async fn one(stage: &mut Stage, teller: &mut Teller, step: Step, play: impl AsyncFnOnce(&mut Stage) -> Verdict) {
    teller.heading(&step);
    stage.begin_step();
    let verdict = play(stage).await;
    stage.pass(AFTERWARDS).await;
    // The phones are strict: whatever a correct network would not have sent them fails the step.
    let verdict = match stage.complaints() {
        wrong if wrong.is_empty() => verdict,
        wrong => Err(wrong.join("; ")),
    };
    teller.verdict(&stage.ladder.draw(step.columns), &verdict);
}

async fn registers_at_home(stage: &mut Stage) -> Verdict {
    for part in [Part::Charles, Part::Desk] {
        register(stage, part).await?;
    }
    Ok(format!("London has one binding of each, for {EXPIRES} s"))
}

async fn logs_in(stage: &mut Stage) -> Verdict {
    register(stage, Part::Guest).await?;
    for site in [Part::Paris, Part::London] {
        stage.until(&format!("{} knows of the login", site.name()), |stage| logged_in_at_paris(stage, site)).await?;
    }
    let asked = asked_between_sites(stage);
    is(asked == 1, || format!("{asked} requests between the sites instead of one"))?;
    Ok("one request between the sites; both know that 201 is in Paris now".into())
}

async fn call_follows(stage: &mut Stage) -> Verdict {
    let arrival = talk(stage, Part::Charles, "201", Part::Guest).await?;
    arrival.shows("202")?;
    Ok("her phone in Paris rang, from 202, and nobody else's; BYE found its way back".into())
}

async fn dials_out(stage: &mut Stage) -> Verdict {
    let arrival = talk(stage, Part::Guest, "00199000999", Part::Orange).await?;
    arrival.is_for("0199000999")?;
    arrival.shows("+33199000300")?;
    Ok("Paris's carrier got 0199000999 from +33199000300".into())
}

async fn breaks_out(stage: &mut Stage) -> Verdict {
    let arrival = talk(stage, Part::Guest, "*81902079460999", Part::Bt).await?;
    arrival.is_for("02079460999")?;
    arrival.shows("+442079460201")?;
    Ok("London's carrier got 02079460999 from +442079460201; Paris's got nothing".into())
}

async fn calls_for_help(stage: &mut Stage) -> Verdict {
    let arrival = talk(stage, Part::Guest, "*81999", Part::Orange).await?;
    arrival.is_for("112")?;
    arrival.shows("+33199000300")?;
    Ok("Paris's carrier got 112, with Paris's number to ring back; London's carrier got nothing".into())
}

async fn logs_out(stage: &mut Stage) -> Verdict {
    stage.act(Part::Guest, |phone, now| phone.unregister(now));
    let gone = |event: &PhoneEvent| matches!(event, PhoneEvent::Unregistered { .. }).then_some(());
    stage.until("200 to the logout", |stage| stage.noticed(Part::Guest).iter().find_map(gone)).await?;
    stage.until("London knows of the logout", logged_out_of_paris).await?;
    Ok("201 has left Paris, and London knows".into())
}

async fn rings_at_home(stage: &mut Stage) -> Verdict {
    let arrival = talk(stage, Part::Charles, "201", Part::Desk).await?;
    arrival.shows("202")?;
    Ok("her phone in London rang, and the one in Paris did not".into())
}

/// What came to whom was called.
struct Arrival {
    uri: String,
    asserted: Option<String>,
}

impl Arrival {
    fn is_for(&self, number: &str) -> Result<(), String> {
        is(self.uri.starts_with(&format!("sip:{number}@")), || {
            format!("{} was asked for instead of {number}", self.uri)
        })
    }

    /// By P-Asserted-Identity (RFC 3325).
    fn shows(&self, number: &str) -> Result<(), String> {
        let asserted = self.asserted.as_deref().unwrap_or("nobody");
        is(asserted.starts_with(&format!("sip:{number}@")) || asserted == format!("tel:{number}"), || {
            format!("the caller is asserted as {asserted} instead of {number}")
        })
    }
}

/// One whole call: it rings at `callee` and nowhere else, is answered, and the caller hangs up.
async fn talk(stage: &mut Stage, caller: Part, dialled: &str, callee: Part) -> Result<Arrival, String> {
    let Some(call) = stage.act(caller, |phone, now| phone.call(now, dialled)) else {
        return Err(format!("{} has no phone", caller.name()));
    };
    let outcome = converse(stage, (caller, call), callee).await;
    if outcome.is_err() {
        // The next step begins without this call.
        stage.act(caller, |phone, now| phone.hang_up(now, call));
    }
    outcome
}

async fn converse(stage: &mut Stage, ours: (Part, CallRef), callee: Part) -> Result<Arrival, String> {
    let (caller, call) = ours;
    let rings = format!("it rings at {}", callee.name());
    let (theirs, arrival) = stage.until(&rings, |stage| rung(stage, caller, callee)).await??;
    stage.until("both sides are connected", |stage| connected(stage, ours, (callee, theirs))).await??;
    stage.pass(TALK).await;
    let others = stage.rang().into_iter().filter(|part| *part != callee).map(Part::name).collect::<Vec<_>>();
    is(others.is_empty(), || format!("it also rang at {}", others.join(", ")))?;
    stage.act(caller, |phone, now| phone.hang_up(now, call));
    let over = |stage: &Stage| has_ended(stage, caller, call) && has_ended(stage, callee, theirs);
    stage.until("both sides are free again", |stage| over(stage).then_some(())).await?;
    Ok(arrival)
}

/// The call as it came to `callee`, or why it will not.
fn rung(stage: &Stage, caller: Part, callee: Part) -> Option<Result<(CallRef, Arrival), String>> {
    let incoming = |event: &PhoneEvent| {
        let PhoneEvent::Incoming { call, uri, asserted, .. } = event else { return None };
        Some((*call, Arrival { uri: uri.clone(), asserted: asserted.clone() }))
    };
    stage.noticed(callee).iter().find_map(incoming).map(Ok).or_else(|| refused(stage, caller).map(Err))
}

fn refused(stage: &Stage, caller: Part) -> Option<String> {
    stage.noticed(caller).iter().find_map(|event| {
        let PhoneEvent::Failed { status, reason, warning, .. } = event else { return None };
        Some(format!("the call was refused: {} {reason} {}", status.0, warning.as_deref().unwrap_or_default()))
    })
}

fn connected(stage: &Stage, ours: (Part, CallRef), theirs: (Part, CallRef)) -> Option<Result<(), String>> {
    let answered = |event: &PhoneEvent| matches!(event, PhoneEvent::Answered { call, .. } if *call == ours.1);
    let confirmed = |event: &PhoneEvent| matches!(event, PhoneEvent::Confirmed { call } if *call == theirs.1);
    if stage.noticed(ours.0).iter().any(answered) && stage.noticed(theirs.0).iter().any(confirmed) {
        return Some(Ok(()));
    }
    refused(stage, ours.0).map(Err)
}

fn has_ended(stage: &Stage, part: Part, of: CallRef) -> bool {
    stage.noticed(part).iter().any(|event| matches!(event, PhoneEvent::Ended { call } if *call == of))
}

/// Registers a phone, whose binding has to be the only one.
async fn register(stage: &mut Stage, part: Part) -> Result<(), String> {
    stage.act(part, |phone, now| phone.register(now, EXPIRES));
    let (bindings, expires) =
        stage.until("200 to REGISTER", |stage| stage.noticed(part).iter().find_map(registered)).await??;
    is(bindings == 1, || format!("{bindings} bindings are listed instead of one"))?;
    is(expires == EXPIRES, || format!("registered for {expires} s instead of {EXPIRES}"))
}

/// How many bindings the answer lists, and for how long ours is; or the refusal.
fn registered(event: &PhoneEvent) -> Option<Result<(usize, u32), String>> {
    if let PhoneEvent::Registered { contacts, expires } = event {
        return Some(Ok((contacts.len(), *expires)));
    }
    let PhoneEvent::RegistrationRefused { status, reason, .. } = event else { return None };
    Some(Err(format!("the registration was refused: {} {reason}", status.0)))
}

fn logged_in_at_paris(stage: &Stage, site: Part) -> Option<()> {
    let says = |(by, event): &(Part, Event)| {
        let Event::LoggedIn { extension, at, .. } = event else { return false };
        *by == site && extension.as_str() == "201" && at.as_str() == "paris"
    };
    stage.told.iter().any(says).then_some(())
}

fn logged_out_of_paris(stage: &Stage) -> Option<()> {
    let says = |(by, event): &(Part, Event)| {
        let Event::LoggedOut { extension, at, by: cause } = event else { return false };
        *by == Part::London && extension.as_str() == "201" && at.as_str() == "paris" && *cause == LoggedOutBy::Phone
    };
    stage.told.iter().any(says).then_some(())
}

/// How many different requests went from site to site.
fn asked_between_sites(stage: &Stage) -> usize {
    let mut asked: Vec<_> =
        stage.ladder.rungs().iter().filter(|rung| rung.is_between_sites() && rung.label.is_request).collect();
    asked.dedup_by(|a, b| a.bytes == b.bytes);
    asked.len()
}

fn is(right: bool, otherwise: impl FnOnce() -> String) -> Result<(), String> {
    if right { Ok(()) } else { Err(otherwise()) }
}
