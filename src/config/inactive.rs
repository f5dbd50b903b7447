//! Keys that are read and checked, and that nothing acts on yet. Whoever sets one is told so, once for each kind of key.
//!
//! [`load`](super::load) asks at its end. A value that asks for nothing (`survive_restart = false`, `idle_logout = 0`) is no reason to
//! warn. Whoever makes a key act deletes its row here.

use std::any::type_name;
use std::collections::BTreeMap;

use super::document::{At, Document};
use super::plan_file::PlanFiles;
use super::problem::{Report, Spot};
use super::raw::{
    ArsTable, EmergencyTable, GroupRow, HotDeskTable, NetworkFile, NetworkTable, ProfileTable, RegistrarTable,
    SipTable, SiteFile, SiteRow, SiteTable, TrunkRow, UserRow,
};
use crate::ids::SiteName;

/// A key without effect.
struct Inactive<T> {
    /// Its name in the table; empty where the whole row is meant.
    key: &'static str,
    /// Whether the table asks for something by it.
    asks: fn(&T) -> bool,
    /// What does not happen.
    why: &'static str,
}

const fn row<T>(key: &'static str, asks: fn(&T) -> bool, why: &'static str) -> Inactive<T> {
    Inactive { key, asks, why }
}

const NETWORK: &[Inactive<NetworkTable>] =
    &[row("call_log", |network| says(&network.call_log), "calls are not recorded")];

const PROFILES: &[Inactive<ProfileTable>] = &[];

const SITES: &[Inactive<SiteRow>] = &[];

const SITE: &[Inactive<SiteTable>] = &[];

const SIP: &[Inactive<SipTable>] = &[];

const REGISTRAR: &[Inactive<RegistrarTable>] = &[];

const HOT_DESK: &[Inactive<HotDeskTable>] = &[];

const EMERGENCY: &[Inactive<EmergencyTable>] = &[];

const USERS: &[Inactive<UserRow>] = &[];

const GROUPS: &[Inactive<GroupRow>] = &[];

const ARS: &[Inactive<ArsTable>] = &[];

const TRUNKS: &[Inactive<TrunkRow>] = &[];

/// `""` says nothing.
fn says(text: &Option<String>) -> bool {
    text.as_deref().is_some_and(|text| !text.is_empty())
}

/// Warns of every kind of key that is set in these files and does nothing.
pub fn warn(document: &Document, file: &NetworkFile, plans: &BTreeMap<SiteName, PlanFiles>, report: &mut Report) {
    let (root, mut found) = (document.root(), Found::default());
    found.table(root.key("network"), &file.network, NETWORK);
    found.named(root.key("profiles"), &file.profiles, PROFILES);
    found.named(root.key("sites"), &file.sites, SITES);
    for files in plans.values() {
        for (document, file) in &files.parts {
            plan(document, file, &mut found);
        }
        if let Some((document, users)) = &files.users {
            found.rows(document.root(), users, USERS);
        }
    }
    found.tell(report);
}

fn plan(document: &Document, file: &SiteFile, found: &mut Found) {
    let root = document.root();
    found.table(root.key("site"), &file.site, SITE);
    found.table(root.key("sip"), &file.sip, SIP);
    found.table(root.key("registrar"), &file.registrar, REGISTRAR);
    found.table(root.key("hot_desk"), &file.hot_desk, HOT_DESK);
    found.table(root.key("emergency"), &file.emergency, EMERGENCY);
    found.rows(root.key("users"), &file.users, USERS);
    found.rows(root.key("groups"), &file.groups, GROUPS);
    found.named(root.key("ars"), &file.ars, ARS);
    found.rows(root.key("trunks"), &file.trunks, TRUNKS);
}

/// The first place of each kind of key, what is missing, and in how many other places the key stands.
#[derive(Default)]
struct Found(BTreeMap<(&'static str, &'static str), (Spot, &'static str, usize)>);

impl Found {
    fn row<T>(&mut self, at: At<'_>, row: &T, keys: &[Inactive<T>]) {
        for Inactive { key, why, .. } in keys.iter().filter(|inactive| (inactive.asks)(row)) {
            self.0
                .entry((type_name::<T>(), key))
                .and_modify(|(_, _, more)| *more += 1)
                .or_insert_with(|| (if key.is_empty() { at.spot() } else { at.key(key).spot() }, why, 0));
        }
    }

    fn table<T>(&mut self, at: At<'_>, table: &Option<T>, keys: &[Inactive<T>]) {
        table.iter().for_each(|table| self.row(at, table, keys));
    }

    fn rows<T>(&mut self, at: At<'_>, rows: &[T], keys: &[Inactive<T>]) {
        rows.iter().enumerate().for_each(|(index, row)| self.row(at.row(index), row, keys));
    }

    fn named<T>(&mut self, at: At<'_>, tables: &BTreeMap<String, T>, keys: &[Inactive<T>]) {
        tables.iter().for_each(|(name, table)| self.row(at.key(name), table, keys));
    }

    fn tell(self, report: &mut Report) {
        for (spot, why, more) in self.0.into_values() {
            let more = if more == 0 { String::new() } else { format!(" ({more} more like this)") };
            report.warn_at(spot, format!("has no effect in this release: {why}{more}"));
        }
    }
}
