//! `network.toml` as written.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, Visitor};

use super::SecretForm;

/// The whole file.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NetworkFile {
    pub network: Option<NetworkTable>,
    pub profiles: BTreeMap<String, ProfileTable>,
    pub sites: BTreeMap<String, SiteRow>,
}

/// `[network]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NetworkTable {
    pub realm: Option<String>,
    pub link_secret: Option<SecretForm>,
    pub link_secret_previous: Option<SecretForm>,
    pub admin: Option<String>,
    pub admin_token: Option<SecretForm>,
    pub call_log: Option<String>,
    pub data_dir: Option<String>,
    pub resolvers: Vec<String>,
}

/// `[profiles.NAME]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProfileTable {
    pub devices: Option<i64>,
    pub calls: Option<i64>,
    pub forwarding: Option<bool>,
    pub forward_external: Option<bool>,
    pub remote_hot_desk: Option<bool>,
}

/// `[sites.NAME]`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SiteRow {
    pub number: Option<i64>,
    pub domain: Option<String>,
    pub aliases: Vec<String>,
    pub listen: Vec<ListenForm>,
    pub address: Option<String>,
    pub extensions: Vec<String>,
    pub plan: Option<String>,
    pub admin: Option<String>,
    pub link_secrets: BTreeMap<String, SecretForm>,
    pub shards: Option<i64>,
}

/// A socket: `"udp:ADDRESS:PORT"` or `{ udp = "ADDRESS:PORT", advertise = "ADDRESS:PORT" }`.
#[derive(Debug)]
pub enum ListenForm {
    Plain(String),
    Table { udp: Option<String>, advertise: Option<String> },
}

impl<'de> Deserialize<'de> for ListenForm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = ListenForm;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"udp:ADDRESS:PORT\" or { udp = \"ADDRESS:PORT\", advertise = \"ADDRESS:PORT\" }")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<ListenForm, E> {
        Ok(ListenForm::Plain(text.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ListenForm, A::Error> {
        let (mut udp, mut advertise) = (None, None);
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "udp" => udp = Some(map.next_value()?),
                "advertise" => advertise = Some(map.next_value()?),
                other => return Err(de::Error::unknown_field(other, &["udp", "advertise"])),
            }
        }
        Ok(ListenForm::Table { udp, advertise })
    }
}
