//! `hotdesk who`: where every user is (SPEC 12.5), as the running processes say.

use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::{Value, json};

use super::ask::Whom;
use super::{NOTHING_DONE, complain, say};

/// Show where every user is
///
/// Asks the running process, or every process that the configuration names by
/// `admin`; a process that does not answer is told on standard error.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    /// The network's configuration [default: config/network.toml]
    config: Option<PathBuf>,

    #[command(flatten)]
    whom: Whom,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Arguments {
    pub(super) fn run(self) -> ExitCode {
        let processes = match self.whom.processes(self.config.as_deref()) {
            Ok(processes) => processes,
            Err(why) => {
                complain([why]);
                return ExitCode::from(NOTHING_DONE);
            }
        };
        let (mut users, mut silent, count) = (Vec::new(), Vec::new(), processes.len());
        for process in processes {
            match process.get("/api/users").and_then(|own| Ok((own, process.get("/api/visitors")?))) {
                Ok((own, visitors)) => users.extend(rows(&own, "users").chain(rows(&visitors, "visitors"))),
                Err(why) => silent.push(why.to_string()),
            }
        }
        let nobody = silent.len() == count;
        complain(silent);
        if nobody {
            return ExitCode::from(NOTHING_DONE);
        }
        let users = once_each(users);
        say(if self.json { format!("{:#}", json!({ "users": users })) } else { table(&users) });
        ExitCode::SUCCESS
    }
}

fn rows(answer: &Value, key: &str) -> impl Iterator<Item = Value> + use<> {
    answer.get(key).and_then(Value::as_array).cloned().unwrap_or_default().into_iter()
}

/// By extension; the word of the home site counts before that of a visited one (which names its `site`), and the phones are those of
/// both.
fn once_each(mut users: Vec<Value>) -> Vec<Value> {
    let key = |user: &Value| user.get("extension").and_then(Value::as_str).unwrap_or_default().to_owned();
    users.sort_by_cached_key(|user| (key(user), user.get("site").is_some()));
    users.dedup_by(|later, first| {
        let is_same = key(later) == key(first);
        if is_same && later.get("site") == first.get("where") {
            add_phones(first, later);
        }
        is_same
    });
    users
}

/// The process of the home site does not know the phones of another one's site.
fn add_phones(user: &mut Value, visit: &Value) {
    let Some(known) = user.get_mut("contacts").and_then(Value::as_array_mut) else { return };
    let more = visit.get("contacts").and_then(Value::as_array).into_iter().flatten();
    for phone in more {
        if !known.iter().any(|other| other.get("contact") == phone.get("contact")) {
            known.push(phone.clone());
        }
    }
}

const HEAD: [&str; 6] = ["USER", "NAME", "HOME", "WHERE", "SINCE", "PHONES"];

fn table(users: &[Value]) -> String {
    let rows: Vec<[String; 6]> = std::iter::once(HEAD.map(str::to_owned)).chain(users.iter().map(cells)).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: [usize; 6] = std::array::from_fn(width);
    let line = |row: &[String; 6]| {
        let cells: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        cells.join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn cells(user: &Value) -> [String; 6] {
    let text = |key: &str| user.get(key).and_then(Value::as_str).unwrap_or("-").escape_debug().to_string();
    let contacts = user.get("contacts").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let count = |state: &str| contacts.iter().filter(|contact| contact.get("state") == Some(&json!(state))).count();
    let phones = match (count("active"), count("parked"), count("limbo")) {
        (active, 0, 0) => active.to_string(),
        (active, parked, 0) => format!("{active} (+{parked} parked)"),
        (active, 0, limbo) => format!("{active} (+{limbo} in limbo)"),
        (active, parked, limbo) => format!("{active} (+{parked} parked, {limbo} in limbo)"),
    };
    [text("extension"), text("name"), text("home"), text("where"), text("since"), phones]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_is_a_line_and_home_has_the_say() {
        let parked = json!([{ "contact": "sip:a", "state": "parked" }]);
        let home = json!({ "extension": "201", "name": "Ada", "home": "london", "where": "paris", "since": "t", "contacts": parked });
        let active = json!([{ "contact": "sip:b", "state": "active" }]);
        let visit = json!({ "extension": "201", "name": "Eve", "home": "london", "where": "paris", "site": "paris", "contacts": active });
        let old = json!({ "extension": "201", "name": "Eve", "home": "london", "where": "berlin", "site": "berlin", "contacts": [{ "contact": "sip:c", "state": "active" }] });
        let limbo = json!([{ "contact": "sip:d", "state": "limbo" }]);
        let lost = json!({ "extension": "202", "name": "Bob", "home": "london", "where": "paris", "since": "t", "contacts": limbo });
        let out = json!({ "extension": "1", "name": "A\u{1b}", "home": "paris", "where": null, "since": null, "contacts": [] });
        let users = once_each(vec![old, visit.clone(), visit, home, out, lost]);
        assert_eq!(
            table(&users),
            "USER  NAME     HOME    WHERE  SINCE  PHONES\n\
             1     A\\u{1b}  paris   -      -      0\n\
             201   Ada      london  paris  t      1 (+1 parked)\n\
             202   Bob      london  paris  t      0 (+1 in limbo)"
        );
    }
}
