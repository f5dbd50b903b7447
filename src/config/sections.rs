//! The tables of a plan that hold single values: limits, timers, the registrar, hot desking, licences.

use std::collections::BTreeMap;
use std::time::Duration;

use super::document::At;
use super::nearest::hint;
use super::plan_file::PlanFiles;
use super::problem::Report;
use super::raw::{AuthTable, HotDeskTable, LimitsTable, LinksTable, RegistrarTable, SipTable};
use super::site::Names;
use super::values::LONGEST;
use crate::settings::{
    Auth, DeviceLimit, DigestAlgorithm, Displaced, HotDesk, Limits, Links, MissingRights, OnReconnect, Registrar,
    Shortage, SipSettings, Site,
};
use crate::timing::TimeOfDay;

/// Reads them; what is not written keeps its default.
pub fn fill(site: &mut Site, files: &PlanFiles, names: &Names<'_>, report: &mut Report) {
    site.limits = files.single("limits", report, |file| file.limits.as_ref(), limits).unwrap_or_default();
    site.sip = files.single("sip", report, |file| file.sip.as_ref(), sip).unwrap_or_default();
    site.links = files.single("links", report, |file| file.links.as_ref(), links).unwrap_or_default();
    site.auth = files.single("auth", report, |file| file.auth.as_ref(), auth).unwrap_or_default();
    site.registrar = files.single("registrar", report, |file| file.registrar.as_ref(), registrar).unwrap_or_default();
    site.hot_desk = files.single("hot_desk", report, |file| file.hot_desk.as_ref(), hot_desk).unwrap_or_default();
    let licences = |at: At<'_>, table: &BTreeMap<String, i64>, report: &mut Report| licences(at, table, names, report);
    site.licences = files.single("licences", report, |file| file.licences.as_ref(), licences);
}

fn limits(at: At<'_>, table: &LimitsTable, report: &mut Report) -> Limits {
    let usual = Limits::default();
    Limits {
        message_bytes: report.count(at.key("message_bytes"), table.message_bytes, 1300..=65_535, usual.message_bytes),
        headers: report.count(at.key("headers"), table.headers, 20..=10_000, usual.headers),
        vias: report.count(at.key("vias"), table.vias, 1..=1000, usual.vias),
        contacts: report.count(at.key("contacts"), table.contacts, 1..=1000, usual.contacts),
        uri_bytes: report.count(at.key("uri_bytes"), table.uri_bytes, 100..=65_535, usual.uri_bytes),
    }
}

fn sip(at: At<'_>, table: &SipTable, report: &mut Report) -> SipSettings {
    let usual = SipSettings::default();
    let t1 = report.whole(at.key("t1_ms"), table.t1_ms, 10..=10_000, usual.t1.as_millis() as u32);
    let expires = table.session_expires;
    if expires.is_some_and(|expires| (1..90).contains(&expires)) {
        report.error(at.key("session_expires"), "RFC 4028 §4 asks for at least 90 seconds; 0 for none");
    }
    SipSettings {
        t1: Duration::from_millis(t1.into()),
        session_expires: report.seconds(at.key("session_expires"), expires, 0..=LONGEST, usual.session_expires),
        session_cap: report.seconds(at.key("session_cap"), table.session_cap, 1..=LONGEST, usual.session_cap),
        rtp_ports: table.rtp_ports.as_deref().map_or(usual.rtp_ports, |text| ports(at.key("rtp_ports"), text, report)),
        transactions: report.count(at.key("transactions"), table.transactions, 100..=10_000_000, usual.transactions),
    }
}

fn ports(at: At<'_>, text: &str, report: &mut Report) -> (u16, u16) {
    let read = text.split_once('-').and_then(|(a, b)| Some((a.trim().parse().ok()?, b.trim().parse().ok()?)));
    match read {
        Some((first, last)) if (1024..last).contains(&first) => (first, last),
        Some(_) | None => {
            report.error(at, format!("`{text}` is no range of ports above 1023, such as 40000-40999"));
            SipSettings::default().rtp_ports
        }
    }
}

fn links(at: At<'_>, table: &LinksTable, report: &mut Report) -> Links {
    let usual = Links::default();
    Links {
        probe: report.seconds(at.key("probe"), table.probe, 1..=3600, usual.probe),
        answer: report.seconds(at.key("answer"), table.answer, 1..=32, usual.answer),
    }
}

fn auth(at: At<'_>, table: &AuthTable, report: &mut Report) -> Auth {
    let usual = Auth::default();
    Auth {
        algorithms: match &table.algorithms {
            Some(names) => algorithms(at.key("algorithms"), names, report),
            None => usual.algorithms,
        },
        nonce_life: report.seconds(at.key("nonce_life"), table.nonce_life, 1..=LONGEST, usual.nonce_life),
    }
}

fn algorithms(at: At<'_>, names: &[String], report: &mut Report) -> Vec<DigestAlgorithm> {
    let known = [("MD5", DigestAlgorithm::Md5), ("SHA-256", DigestAlgorithm::Sha256)];
    if names.is_empty() {
        report.error(at, "is empty: nobody could log in");
    }
    let mut algorithms = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let algorithm = report.choice(at.row(index), Some(name), &known, DigestAlgorithm::Md5);
        if algorithms.contains(&algorithm) {
            report.error(at.row(index), format!("`{name}` stands there twice"));
        }
        algorithms.push(algorithm);
    }
    algorithms
}

fn registrar(at: At<'_>, table: &RegistrarTable, report: &mut Report) -> Registrar {
    let usual = Registrar::default();
    let min = report.whole(at.key("min_expires"), table.min_expires, 1..=LONGEST, usual.min_expires);
    let max = report.whole(at.key("max_expires"), table.max_expires, 1..=LONGEST, usual.max_expires);
    if min > max {
        let key = if table.max_expires.is_some() { "max_expires" } else { "min_expires" };
        report.error(at.key(key), format!("`min_expires` ({min}) is more than `max_expires` ({max})"));
    }
    let within = |value: u32| value.min(max).max(min);
    let default =
        report.whole(at.key("default_expires"), table.default_expires, 1..=LONGEST, within(usual.default_expires));
    if table.default_expires.is_some() && min <= max && within(default) != default {
        report.error(
            at.key("default_expires"),
            format!("{default} is not between `min_expires` ({min}) and `max_expires` ({max})"),
        );
    }
    let nat = report.whole(at.key("nat_expires"), table.nat_expires, 0..=LONGEST, usual.nat_expires.max(min));
    if (1..min).contains(&nat) {
        report
            .error(at.key("nat_expires"), format!("{nat} is less than `min_expires` ({min}); 0: as for other phones"));
    }
    let device_limit = [("displace", DeviceLimit::Displace), ("refuse", DeviceLimit::Refuse)];
    Registrar {
        min_expires: min,
        max_expires: max,
        default_expires: default,
        device_limit: report.choice(
            at.key("device_limit"),
            table.device_limit.as_deref(),
            &device_limit,
            usual.device_limit,
        ),
        nat_keepalive: report.seconds(at.key("nat_keepalive"), table.nat_keepalive, 0..=3600, usual.nat_keepalive),
        nat_expires: nat,
    }
}

fn hot_desk(at: At<'_>, table: &HotDeskTable, report: &mut Report) -> HotDesk {
    let usual = HotDesk::default();
    let displaced = [("refuse", Displaced::Refuse), ("limbo", Displaced::Limbo)];
    let reconnect = [("keep", OnReconnect::Keep), ("return-home", OnReconnect::ReturnHome)];
    let shortage = [("refuse", Shortage::Refuse), ("basic", Shortage::Basic)];
    let missing = [("none", MissingRights::None), ("bar", MissingRights::Bar)];
    let logout = table.logout_at.as_deref().filter(|text| !text.is_empty());
    HotDesk {
        visitors: table.visitors.unwrap_or(usual.visitors),
        displaced: report.choice(at.key("displaced"), table.displaced.as_deref(), &displaced, usual.displaced),
        on_reconnect: report.choice(
            at.key("on_reconnect"),
            table.on_reconnect.as_deref(),
            &reconnect,
            usual.on_reconnect,
        ),
        survive_restart: table.survive_restart.unwrap_or(usual.survive_restart),
        licence_shortage: report.choice(
            at.key("licence_shortage"),
            table.licence_shortage.as_deref(),
            &shortage,
            usual.licence_shortage,
        ),
        missing_rights: report.choice(
            at.key("missing_rights"),
            table.missing_rights.as_deref(),
            &missing,
            usual.missing_rights,
        ),
        lease: report.seconds(at.key("lease"), table.lease, 2..=LONGEST, usual.lease),
        login_attempts: report.whole(at.key("login_attempts"), table.login_attempts, 1..=1000, usual.login_attempts),
        login_lock: report.seconds(at.key("login_lock"), table.login_lock, 0..=LONGEST, usual.login_lock),
        logout_at: logout.and_then(|text| report.time_of_day(at.key("logout_at"), text, false)).map(TimeOfDay),
        idle_logout: report.seconds(at.key("idle_logout"), table.idle_logout, 0..=LONGEST, usual.idle_logout),
    }
}

fn licences(
    at: At<'_>,
    table: &BTreeMap<String, i64>,
    names: &Names<'_>,
    report: &mut Report,
) -> BTreeMap<String, u32> {
    let mut licences = BTreeMap::new();
    for (profile, places) in table {
        if !names.network.profiles.contains_key(profile) {
            let hint = hint(profile, names.network.profiles.keys().map(String::as_str));
            report.warn(at.key(profile), format!("no profile `{profile}`: nobody needs this licence{hint}"));
        }
        licences.insert(profile.clone(), report.whole(at.key(profile), Some(*places), 0..=LONGEST, 0));
    }
    licences
}
