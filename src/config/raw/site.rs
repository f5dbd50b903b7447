//! A site's file as written, and the files that it includes.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::SecretForm;

/// The whole file, or an included one.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SiteFile {
    pub site: Option<SiteTable>,
    pub limits: Option<LimitsTable>,
    pub sip: Option<SipTable>,
    pub links: Option<LinksTable>,
    pub auth: Option<AuthTable>,
    pub registrar: Option<RegistrarTable>,
    pub hot_desk: Option<HotDeskTable>,
    pub licences: Option<BTreeMap<String, i64>>,
    pub emergency: Option<EmergencyTable>,
    pub users: Vec<UserRow>,
    pub phones: Vec<PhoneRow>,
    pub groups: Vec<GroupRow>,
    pub short_codes: Vec<ShortCode>,
    pub ars: BTreeMap<String, ArsTable>,
    pub trunks: Vec<TrunkRow>,
    pub incoming: Vec<IncomingRow>,
    pub rights: BTreeMap<String, RightsTable>,
    pub time_profiles: BTreeMap<String, TimeProfileTable>,
    pub break_out: Option<BreakOutTable>,
    pub lab: Option<LabTable>,
    pub expect: Vec<ExpectRow>,
}

/// `[site]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SiteTable {
    pub caller_id: Option<String>,
    pub timezone: Option<String>,
    pub voicemail: Option<String>,
    pub include: Vec<String>,
    pub users_csv: Option<String>,
}

/// `[limits]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsTable {
    pub message_bytes: Option<i64>,
    pub headers: Option<i64>,
    pub vias: Option<i64>,
    pub contacts: Option<i64>,
    pub uri_bytes: Option<i64>,
}

/// `[sip]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SipTable {
    pub t1_ms: Option<i64>,
    pub session_expires: Option<i64>,
    pub session_cap: Option<i64>,
    pub rtp_ports: Option<String>,
    pub transactions: Option<i64>,
}

/// `[links]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LinksTable {
    pub probe: Option<i64>,
    pub answer: Option<i64>,
}

/// `[auth]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuthTable {
    pub algorithms: Option<Vec<String>>,
    pub nonce_life: Option<i64>,
}

/// `[registrar]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RegistrarTable {
    pub min_expires: Option<i64>,
    pub max_expires: Option<i64>,
    pub default_expires: Option<i64>,
    pub device_limit: Option<String>,
    pub nat_keepalive: Option<i64>,
    pub nat_expires: Option<i64>,
}

/// `[hot_desk]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HotDeskTable {
    pub visitors: Option<bool>,
    pub displaced: Option<String>,
    pub on_reconnect: Option<String>,
    pub survive_restart: Option<bool>,
    pub licence_shortage: Option<String>,
    pub missing_rights: Option<String>,
    pub lease: Option<i64>,
    pub login_attempts: Option<i64>,
    pub login_lock: Option<i64>,
    pub logout_at: Option<String>,
    pub idle_logout: Option<i64>,
}

/// `[emergency]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EmergencyTable {
    pub location: Option<String>,
    pub civic: BTreeMap<String, String>,
    pub uri: Option<String>,
    pub caller_id: Option<String>,
    pub default: Option<String>,
    pub notify: Vec<String>,
    pub anyone_from: Vec<String>,
    pub none: Option<bool>,
    pub locations: Vec<LocationRow>,
}

/// `[[emergency.locations]]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LocationRow {
    pub networks: Vec<String>,
    pub location: Option<String>,
    pub civic: BTreeMap<String, String>,
    pub uri: Option<String>,
    pub caller_id: Option<String>,
}

/// `[[users]]`, and a line of `users_csv`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UserRow {
    pub extension: Option<String>,
    pub name: Option<String>,
    pub password: Option<SecretForm>,
    pub ha1_md5: Option<SecretForm>,
    pub ha1_sha256: Option<SecretForm>,
    pub login_code: Option<SecretForm>,
    pub login_code_hash: Option<SecretForm>,
    pub profile: Option<String>,
    pub caller_id: Option<String>,
    pub rights: Option<String>,
    pub time_profile: Option<String>,
    pub out_of_hours_rights: Option<String>,
    pub outgoing_bar: Option<bool>,
    pub do_not_disturb: Option<bool>,
    pub priority: Option<i64>,
    pub forward: ForwardTable,
    pub short_codes: Vec<ShortCode>,
}

/// `forward` of a user.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ForwardTable {
    pub unconditional: Option<String>,
    pub busy: Option<String>,
    pub no_answer: Option<String>,
    pub unreachable: Option<String>,
    pub after: Option<i64>,
}

/// `[[phones]]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PhoneRow {
    pub id: Option<String>,
    pub password: Option<SecretForm>,
    pub ha1_md5: Option<SecretForm>,
    pub ha1_sha256: Option<SecretForm>,
}

/// `[[groups]]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GroupRow {
    pub extension: Option<String>,
    pub name: Option<String>,
    pub members: Vec<String>,
    pub ring: Option<String>,
    pub after: Option<i64>,
    pub then: Option<String>,
    pub time_profile: Option<String>,
    pub out_of_hours: Option<String>,
}

/// A short code.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ShortCode {
    pub code: Option<String>,
    pub feature: Option<String>,
    pub number: Option<String>,
    pub line_group: Option<String>,
    pub site: Option<String>,
}

/// `[ars.NAME]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ArsTable {
    pub in_service: Option<bool>,
    pub out_of_service: Option<String>,
    pub time_profile: Option<String>,
    pub out_of_hours: Option<String>,
    pub alternate: Option<String>,
    pub alternate_priority: Option<i64>,
    pub alternate_wait: Option<i64>,
    pub short_codes: Vec<ShortCode>,
}

/// `[[trunks]]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrunkRow {
    pub name: Option<String>,
    pub group: Option<String>,
    pub address: Option<String>,
    pub channels: Option<i64>,
    pub accept_from: Vec<String>,
    pub caller_id: Option<String>,
    pub numbers: Option<Vec<String>>,
    pub any_caller_id: Option<bool>,
    pub from: Option<String>,
    pub trusted: Option<bool>,
    pub geolocation: Option<String>,
    pub retry: Option<i64>,
    pub transit_calls: Option<i64>,
    pub refer: Option<bool>,
    pub redirects: Option<bool>,
    pub username: Option<String>,
    pub password: Option<SecretForm>,
    pub register: Option<RegisterTable>,
}

/// `register` of a trunk.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RegisterTable {
    pub registrar: Option<String>,
    pub user: Option<String>,
    pub expires: Option<i64>,
}

/// `[[incoming]]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IncomingRow {
    pub group: Option<String>,
    pub number: Option<String>,
    pub to: Option<String>,
    pub time_profile: Option<String>,
    pub out_of_hours: Option<String>,
}

/// `[rights.NAME]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RightsTable {
    pub outgoing_bar: Option<bool>,
    pub short_codes: Vec<ShortCode>,
}

/// `[time_profiles.NAME]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TimeProfileTable {
    pub timezone: Option<String>,
    pub weekly: Vec<WeeklyRow>,
    pub closed: Vec<String>,
}

/// A row of `weekly`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WeeklyRow {
    pub days: Vec<String>,
    pub from: Option<String>,
    pub to: Option<String>,
}

/// `[break_out]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BreakOutTable {
    pub allow: Option<Vec<String>>,
}

/// `[lab]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LabTable {
    pub users: Option<String>,
    pub password: Option<SecretForm>,
}

/// `[[expect]]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ExpectRow {
    pub user: Option<String>,
    pub trunk: Option<String>,
    pub dials: Option<String>,
    pub at: Option<String>,
    pub gives: Option<String>,
}
