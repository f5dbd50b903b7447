//! SPEC 6.3 (`S`, `Z`, `A`, `W`), 6.6, 9.4; RFC 3323, RFC 3325. The rows are those of the README's chapter on caller id.

use hotdesk::settings::{CallerId, FromHeader};
use hotdesk::sip::{Name, Party, Request};

use crate::support::{Dialled, Sample, Seat, World};

const ANONYMOUS: &str = "\"Anonymous\" <sip:anonymous@anonymous.invalid>";

/// One row of a table: what happens, and what stands in From, P-Asserted-Identity and Privacy.
type Row = (String, [String; 3]);

/// The rows of the table whose first heading begins so.
fn table(heading: &str) -> Vec<Row> {
    let readme = include_str!("../../README.md");
    let lines = readme.lines().skip_while(|line| !line.starts_with(&format!("| {heading}"))).skip(2);
    let cells = |line: &str| line.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    let rows: Vec<Vec<String>> = lines.take_while(|line| line.starts_with('|')).map(cells).collect();
    assert!(rows.len() > 10, "the table is there");
    rows.into_iter().map(|row| (row[1].clone(), [row[2].clone(), row[3].clone(), row[4].clone()])).collect()
}

/// What stands in a request, as the table writes it.
fn shown(request: &Request) -> [String; 3] {
    let party = |party: &Party| {
        let user = party.uri().user().unwrap_or_default();
        match party.display_name() {
            Some(name) if user == "anonymous" => name.into_owned(),
            Some(name) => format!("{name} {user}"),
            None => user.into_owned(),
        }
    };
    let none = || "–".to_owned();
    let asserted: Vec<String> = request.parties(&Name::PAssertedIdentity).map(|it| party(&it.expect("one"))).collect();
    let privacy = request.header(&Name::Privacy).map(|header| String::from_utf8_lossy(&header.value()).into_owned());
    let asserted = if asserted.is_empty() { none() } else { asserted.join(", ") };
    [party(request.from()), asserted, privacy.unwrap_or_else(none)]
}

/// Calls as the row says: with Privacy, and with another From where it speaks of one.
fn dial(world: &mut World, seat: Seat, number: &str, row: &str) -> Dialled {
    let mut headers = Vec::new();
    if row.contains("`Privacy: id`") || row.contains("withholds") {
        headers.push((Name::Privacy, "id".to_owned()));
    }
    if row.contains("asserts") || row.contains("it does, ") {
        headers
            .push((Name::PAssertedIdentity, "\"Bob\" <sip:+447700900123@carrier.example>, <tel:+447700900123>".into()));
    }
    let from = match row {
        _ if row.contains("From is anonymous") => Some(ANONYMOUS),
        _ if row.contains("From is 202") => Some("<sip:202@carrier.example>"),
        _ => None,
    };
    let call = world.act(seat, |phone, now| phone.call_as(now, from, number, headers));
    Dialled { seat, call }
}

/// The call is answered and put on hold by the caller; then the callee hangs up. Nobody complains of anything.
fn finish(world: &mut World, dialled: Dialled, callee: Seat) -> [String; 3] {
    let arrival = world.arrival(callee);
    world.answered(dialled);
    world.confirmed(&arrival);
    world.act(dialled.seat, |phone, now| phone.re_invite(now, dialled.call, true));
    world.pass(1);
    world.hang_up((callee, arrival.call), (dialled.seat, dialled.call));
    shown(&arrival.request)
}

/// The sample with what the row changes.
fn changed(sample: &mut Sample, row: &str) {
    let london = sample.site("london");
    let outside = london.short_codes.iter_mut().find(|code| code.code == "9N;").expect("the outside line");
    if let Some(template) = row.split("number is `").nth(1).and_then(|rest| rest.split('`').next()) {
        outside.number = Some(template.to_owned());
    }
    let trunk = &mut london.trunks[0];
    assert_eq!((trunk.name.as_str(), trunk.from), ("bt-1", FromHeader::Rewrite), "the default");
    trunk.trusted = row.contains("`trusted`");
    trunk.any_caller_id = row.contains("any_caller_id = true");
    if row.contains("from = \"keep\"") {
        trunk.from = FromHeader::Keep;
    }
    if row.contains("caller_id = \"site\"") {
        trunk.caller_id = CallerId::Site;
    }
    if row.contains("caller_id = \"+442079460299\"") {
        trunk.caller_id = CallerId::Fixed("+442079460299".into());
    }
    if row.contains("do not have the user's") {
        trunk.numbers = vec!["+442079460200".into()];
    }
    if row.contains("neither the user nor the site") {
        london.caller_id = None;
    }
    if row.contains("no `caller_id`") || row.contains("neither the user") {
        sample.user("201").caller_id = None;
    }
    if row.contains("forwards a call") || row.contains("any_caller_id") {
        sample.user("201").forward.unconditional = Some("902079460999".into());
    }
    if row.contains("forwards to 201") {
        sample.user("202").forward.unconditional = Some("201".into());
    }
}

#[test]
fn what_leaves_by_a_trunk_is_what_the_table_says() {
    for (seed, (row, expected)) in (100..).zip(table("what leaves")) {
        let mut world = World::with(seed, |sample| changed(sample, &row));
        let bt = world.carrier("bt");
        let (seat, number) = match &row {
            _ if row.contains("forwards a call") || row.contains("any_caller_id") => (bt, "+442079460201"),
            _ if row.starts_with("201, in Paris") => (world.registered("201", "paris"), "*81902079460999"),
            _ if row.starts_with("301") => (world.registered("301", "paris"), "*81902079460999"),
            _ if row.contains("999 with") => (world.registered("201", "london"), "999"),
            _ => (world.registered("201", "london"), "902079460999"),
        };
        let dialled = dial(&mut world, seat, number, &row);
        assert_eq!(finish(&mut world, dialled, bt), expected, "{row}");
        world.end();
    }
}

#[test]
fn what_arrives_at_a_phone_is_what_the_table_says() {
    for (seed, (row, expected)) in (200..).zip(table("what arrives")) {
        let mut world = World::with(seed, |sample| changed(sample, &row));
        let ada = world.registered("201", if row.contains("201 is logged in at Paris") { "paris" } else { "london" });
        let (seat, number) = match &row {
            _ if row.starts_with("202 calls") => (world.registered("202", "london"), "201"),
            _ if row.starts_with("301 calls") => (world.registered("301", "paris"), "201"),
            _ if row.contains("forwards to 201") => (world.carrier("bt"), "+442079460202"),
            _ => (world.carrier("bt"), "+442079460201"),
        };
        let dialled = dial(&mut world, seat, number, &row);
        assert_eq!(finish(&mut world, dialled, ada), expected, "{row}");
        world.end();
    }
}
