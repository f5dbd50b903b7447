//! A site's plan: from its files to the settings that the node reads.

use std::collections::BTreeSet;

use super::calendar;
use super::document::At;
use super::numbering::{Numbering, Wanted};
use super::plan_file::PlanFiles;
use super::problem::Report;
use super::raw::{BreakOutTable, ExpectRow, LabTable, ShortCode, SiteTable};
use super::sections;
use super::{emergency, people, trunks};
use crate::ids::{Extension, SiteName};
use crate::plan::Gives;
use crate::settings::{BreakOut, Expect, Lab, Network, Rights, ShortCodeRow, Site, SiteEntry};

/// What the rows of a site may refer to.
#[derive(Debug)]
pub struct Names<'n> {
    /// The network.
    pub network: &'n Network,
    /// The site.
    pub site: &'n SiteEntry,
    /// `[rights.NAME]`.
    pub rights: BTreeSet<&'n str>,
    /// `[time_profiles.NAME]`.
    pub time_profiles: BTreeSet<&'n str>,
    /// `[ars.NAME]`.
    pub forms: BTreeSet<&'n str>,
    /// The `group` of each trunk.
    pub groups: BTreeSet<&'n str>,
}

impl<'n> Names<'n> {
    fn of(network: &'n Network, site: &'n SiteEntry, files: &'n PlanFiles) -> Self {
        let files = || files.parts.iter().map(|(_, file)| file);
        Self {
            network,
            site,
            rights: files().flat_map(|file| file.rights.keys().map(String::as_str)).collect(),
            time_profiles: files().flat_map(|file| file.time_profiles.keys().map(String::as_str)).collect(),
            forms: files().flat_map(|file| file.ars.keys().map(String::as_str)).collect(),
            groups: files().flat_map(|file| file.trunks.iter().filter_map(|trunk| trunk.group.as_deref())).collect(),
        }
    }
}

/// Makes the site of its files, and notes its numbers in `numbering`.
pub fn site(
    network: &Network,
    entry: &SiteEntry,
    files: &PlanFiles,
    numbering: &mut Numbering,
    report: &mut Report,
) -> Site {
    let names = Names::of(network, entry, files);
    let mut site = Site::empty(entry.name.clone());
    sections::fill(&mut site, files, &names, report);
    head(&mut site, files, report);
    site.lab = files.single("lab", report, |file| file.lab.as_ref(), lab).flatten();
    people::fill(&mut site, files, &names, numbering, report);
    trunks::fill(&mut site, files, &names, report);
    calendar::fill(&mut site, files, report);
    rights(&mut site, files, report);
    files.rows("short_codes", |file| &file.short_codes, |at, row| site.short_codes.extend(short_code(at, row, report)));
    files.rows(
        "expect",
        |file| &file.expect,
        |at, row| {
            site.expect.extend(expect(at, row, site.timezone.is_some(), &names, numbering, report));
        },
    );
    emergency::fill(&mut site, files, numbering, report);
    let break_out = |at: At<'_>, table, report: &mut Report| break_out(at, table, network, report);
    site.break_out = files.single("break_out", report, |file| file.break_out.as_ref(), break_out).unwrap_or_default();
    site
}

fn head(site: &mut Site, files: &PlanFiles, report: &mut Report) {
    files.single(
        "site",
        report,
        |file| file.site.as_ref(),
        |at, table: &SiteTable, report| {
            site.caller_id = report.number(at.key("caller_id"), table.caller_id.as_deref());
            site.timezone = report.timezone(at.key("timezone"), table.timezone.as_deref());
            site.voicemail = report.text(at.key("voicemail"), table.voicemail.as_deref());
            if site.voicemail.as_deref().is_some_and(|uri| !uri.starts_with("sip:")) {
                report.error(at.key("voicemail"), "is no SIP URI, such as \"sip:vm@10.1.0.9\"");
            }
        },
    );
    let Some((document, _)) = files.parts.first() else { return };
    if site.hot_desk.logout_at.is_some() && site.timezone.is_none() {
        report.error(document.root().key("site").key("timezone"), "is missing: `hot_desk.logout_at` needs it");
    }
}

/// A short code as a row; `plan/` reads what it says.
fn short_code(at: At<'_>, row: &ShortCode, report: &mut Report) -> Option<ShortCodeRow> {
    for (key, written) in [("code", &row.code), ("feature", &row.feature)] {
        if written.is_none() {
            report.error(at.key(key), "is missing");
        }
    }
    Some(ShortCodeRow {
        code: row.code.clone()?,
        feature: row.feature.clone()?,
        number: row.number.clone(),
        line_group: row.line_group.clone(),
        site: row.site.clone(),
        origin: at.key("code").spot().origin(),
    })
}

/// A list of short codes inside another row.
pub fn short_codes(at: At<'_>, rows: &[ShortCode], report: &mut Report) -> Vec<ShortCodeRow> {
    rows.iter().enumerate().filter_map(|(index, row)| short_code(at.row(index), row, report)).collect()
}

fn rights(site: &mut Site, files: &PlanFiles, report: &mut Report) {
    files.named(
        "rights",
        report,
        |file| &file.rights,
        |at, name, table, report| {
            let rights = Rights {
                outgoing_bar: table.outgoing_bar.unwrap_or(false),
                short_codes: short_codes(at.key("short_codes"), &table.short_codes, report),
                origin: at.spot().origin(),
            };
            site.rights.insert(name.to_owned(), rights);
        },
    );
}

fn expect(
    at: At<'_>,
    row: &ExpectRow,
    has_timezone: bool,
    names: &Names<'_>,
    numbering: &mut Numbering,
    report: &mut Report,
) -> Option<Expect> {
    if let Some(user) = &row.user {
        numbering.mention(at.key("user"), &names.site.name, user, Wanted::User);
    }
    if row.user.is_some() == row.trunk.is_some() {
        report.error(at, "says either which `user` or which `trunk` group dials");
    }
    let time = row.at.as_deref().and_then(|text| match text.parse::<jiff::civil::DateTime>() {
        Ok(time) => Some(time),
        Err(_) => {
            report.error(at.key("at"), format!("`{text}` is no local time, such as 2026-11-23T22:00"));
            None
        }
    });
    if time.is_some() && !has_timezone {
        report.error(at.key("at"), "needs the site's `timezone`");
    }
    let gives = report.required(at.key("gives"), row.gives.as_deref());
    if let Some(why) = gives.as_deref().and_then(|gives| Gives::parse(gives).err()) {
        report.error(at.key("gives"), why.to_string());
    }
    let elsewhere = gives.as_deref().and_then(|gives| gives.rsplit_once(" at ")).map(|(_, site)| site);
    report.known(at.key("gives"), "site", elsewhere, names.network.sites.keys().map(SiteName::as_str));
    Some(Expect {
        user: row.user.as_deref().map(Extension::new),
        trunk: report.known(at.key("trunk"), "trunk group", row.trunk.as_deref(), names.groups.iter().copied()),
        dials: report.required(at.key("dials"), row.dials.as_deref())?,
        at: time,
        gives: gives?,
        origin: at.spot().origin(),
    })
}

fn break_out(at: At<'_>, table: &BreakOutTable, network: &Network, report: &mut Report) -> BreakOut {
    let (list, known) = (at.key("allow"), || network.sites.keys().map(SiteName::as_str));
    let name = |(index, name): (usize, &String)| report.known(list.row(index), "site", Some(name), known());
    BreakOut {
        allow: table.allow.as_ref().map(|sites| sites.iter().enumerate().filter_map(name).map(SiteName::new).collect()),
    }
}

fn lab(at: At<'_>, table: &LabTable, report: &mut Report) -> Option<Lab> {
    report.required(at.key("users"), table.users.as_deref())?;
    report.choice(at.key("users"), table.users.as_deref(), &[("any", ())], ());
    Some(Lab { password: report.secret(at.key("password"), table.password.as_ref()) })
}
