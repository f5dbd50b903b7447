//! Users, desks and groups of a site.

use std::time::Duration;

use super::calendar::out_of_hours;
use super::document::At;
use super::numbering::{Numbering, Wanted};
use super::plan_file::PlanFiles;
use super::problem::Report;
use super::raw::{ForwardTable, GroupRow, PhoneRow, UserRow};
use super::site::{Names, short_codes};
use super::values::LONGEST;
use crate::ids::Extension;
use crate::settings::{Desk, Forward, Group, LoginCode, Ring, Site, User};

/// Reads `[[users]]`, `users_csv`, `[[phones]]` and `[[groups]]`.
pub fn fill(site: &mut Site, files: &PlanFiles, names: &Names<'_>, numbering: &mut Numbering, report: &mut Report) {
    let mut add = |at: At<'_>, row: &UserRow| {
        let Some(extension) = extension(at, row.extension.as_deref(), report) else { return numbering.unreadable() };
        numbering.claim(at.key("extension"), &site.name, extension.as_str(), "user");
        if let Some(user) = user(at, row, extension, names, report) {
            site.users.entry(user.extension.clone()).or_insert(user);
        }
    };
    files.rows("users", |file| &file.users, &mut add);
    if let Some((document, rows)) = &files.users {
        let root = document.root();
        rows.iter().enumerate().for_each(|(index, row)| add(root.row(index), row));
    }
    files.rows("phones", |file| &file.phones, |at, row| desk(site, at, row, names, report));
    files.rows(
        "groups",
        |file| &file.groups,
        |at, row| {
            let Some(extension) = extension(at, row.extension.as_deref(), report) else {
                return numbering.unreadable();
            };
            numbering.claim(at.key("extension"), &site.name, extension.as_str(), "group");
            let group = group(at, row, extension, names, numbering, report);
            site.groups.entry(group.extension.clone()).or_insert(group);
        },
    );
}

fn extension(at: At<'_>, written: Option<&str>, report: &mut Report) -> Option<Extension> {
    let text = report.required(at.key("extension"), written)?;
    if text.len() > 31 || !text.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase()) {
        report.error(at.key("extension"), format!("`{text}` is no extension: 1 to 31 digits (in lab mode also a-z)"));
        return None;
    }
    Some(Extension::new(text))
}

fn user(at: At<'_>, row: &UserRow, extension: Extension, names: &Names<'_>, report: &mut Report) -> Option<User> {
    let who = (extension.as_str(), names.network.realm.as_str());
    let hashes = [row.ha1_md5.as_ref(), row.ha1_sha256.as_ref()];
    let credentials = report.credentials(at, who, row.password.as_ref(), hashes);
    let profile = row.profile.as_deref().filter(|name| !name.is_empty()).unwrap_or("basic");
    let profiles = names.network.profiles.keys().map(String::as_str);
    let (rights, times) = (|| names.rights.iter().copied(), || names.time_profiles.iter().copied());
    if row.time_profile.is_none() && row.out_of_hours_rights.is_some() {
        report
            .error(at.key("out_of_hours_rights"), "needs a `time_profile`: without one, `rights` are always in force");
    }
    let user = User {
        name: report.text(at.key("name"), row.name.as_deref()).unwrap_or_else(|| extension.to_string()),
        login_code: login_code(at, row, report),
        profile: report.known(at.key("profile"), "profile", Some(profile), profiles).unwrap_or_default(),
        caller_id: report.number(at.key("caller_id"), row.caller_id.as_deref()),
        rights: report.known(at.key("rights"), "rights", row.rights.as_deref(), rights()),
        time_profile: report.known(at.key("time_profile"), "time profile", row.time_profile.as_deref(), times()),
        out_of_hours_rights: report.known(
            at.key("out_of_hours_rights"),
            "rights",
            row.out_of_hours_rights.as_deref(),
            rights(),
        ),
        outgoing_bar: row.outgoing_bar.unwrap_or(false),
        do_not_disturb: row.do_not_disturb.unwrap_or(false),
        priority: report.whole(at.key("priority"), row.priority, 1..=5, 5) as u8,
        forward: forward(at.key("forward"), &row.forward, report),
        short_codes: short_codes(at.key("short_codes"), &row.short_codes, report),
        origin: at.key("extension").spot().origin(),
        credentials: credentials?,
        extension,
    };
    Some(user)
}

fn login_code(at: At<'_>, row: &UserRow, report: &mut Report) -> Option<LoginCode> {
    if row.login_code.is_some() && row.login_code_hash.is_some() {
        report.error(at.key("login_code"), "either the code or its hash, not both");
    }
    if row.login_code_hash.is_some() {
        return report.hash(at.key("login_code_hash"), row.login_code_hash.as_ref(), 64).map(LoginCode::Hash);
    }
    let code = report.secret(at.key("login_code"), row.login_code.as_ref())?;
    if code.len() > 31 || !code.bytes().all(|b| b.is_ascii_digit()) {
        report.error(at.key("login_code"), "is no code of 1 to 31 digits, which is all that a phone can dial");
    }
    Some(LoginCode::Plain(code))
}

fn forward(at: At<'_>, table: &ForwardTable, report: &mut Report) -> Forward {
    Forward {
        unconditional: report.number(at.key("unconditional"), table.unconditional.as_deref()),
        busy: report.number(at.key("busy"), table.busy.as_deref()),
        no_answer: report.number(at.key("no_answer"), table.no_answer.as_deref()),
        unreachable: report.number(at.key("unreachable"), table.unreachable.as_deref()),
        follow_me: None,
        after: report.seconds(at.key("after"), table.after, 1..=180, Forward::default().after),
    }
}

fn desk(site: &mut Site, at: At<'_>, row: &PhoneRow, names: &Names<'_>, report: &mut Report) {
    let Some(id) = report.required(at.key("id"), row.id.as_deref()) else { return };
    if !id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.')) {
        report.error(at.key("id"), format!("`{id}` is no id: letters, digits and - _ . only"));
    }
    if let Some(home) = names.network.home_of(&id) {
        report.error(at.key("id"), format!("`{id}` is an extension of {}; a desk needs a name of its own", home.name));
    }
    let hashes = [row.ha1_md5.as_ref(), row.ha1_sha256.as_ref()];
    let Some(credentials) = report.credentials(at, (&id, &names.network.realm), row.password.as_ref(), hashes) else {
        return;
    };
    let origin = at.key("id").spot().origin();
    if let Some(first) = site.desks.get(&id) {
        report.error(at.key("id"), format!("desk `{id}` is already there: {}", first.origin));
        return;
    }
    site.desks.insert(id.clone(), Desk { id, credentials, origin });
}

fn group(
    at: At<'_>,
    row: &GroupRow,
    extension: Extension,
    names: &Names<'_>,
    numbering: &mut Numbering,
    report: &mut Report,
) -> Group {
    let (list, here) = (at.key("members"), &names.site.name);
    if row.members.is_empty() {
        report.error(list, "is missing: who rings");
    }
    for (index, member) in row.members.iter().enumerate() {
        numbering.mention(list.row(index), here, member, Wanted::User);
        if row.members[..index].contains(member) {
            report.error(list.row(index), format!("{member} stands there twice"));
        }
    }
    if let Some(then) = &row.then {
        numbering.mention(at.key("then"), here, then, Wanted::Any);
        if *then == extension.as_str() {
            report.error(at.key("then"), "is the group itself");
        }
    }
    if let Some(instead) = &row.out_of_hours {
        numbering.mention(at.key("out_of_hours"), here, instead, Wanted::Any);
    }
    Group {
        out_of_hours: out_of_hours(at, row.time_profile.as_deref(), row.out_of_hours.as_deref(), names, report),
        name: report.text(at.key("name"), row.name.as_deref()).unwrap_or_else(|| extension.to_string()),
        members: row.members.iter().map(Extension::new).collect(),
        ring: report.choice(
            at.key("ring"),
            row.ring.as_deref(),
            &[("all", Ring::All), ("in-turn", Ring::InTurn)],
            Ring::All,
        ),
        after: report.seconds(at.key("after"), row.after, 1..=LONGEST, Duration::from_secs(20)),
        then: row.then.clone(),
        origin: at.key("extension").spot().origin(),
        extension,
    }
}
