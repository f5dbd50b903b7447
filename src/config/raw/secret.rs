//! A secret as written: a literal, `{ file = "…" }` or `{ env = "NAME" }`.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};

/// Where a secret comes from. Never printed.
#[derive(Clone)]
pub enum SecretForm {
    /// The secret itself.
    Literal(String),
    /// The file that holds it.
    File(String),
    /// The environment variable that holds it.
    Env(String),
}

impl SecretForm {
    /// Whether it is written as `""`, which some keys take for none.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Literal(text) if text.is_empty())
    }
}

impl fmt::Debug for SecretForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretForm(…)")
    }
}

impl<'de> Deserialize<'de> for SecretForm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = SecretForm;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string, { file = \"…\" } or { env = \"NAME\" }")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<SecretForm, E> {
        Ok(SecretForm::Literal(text.to_owned()))
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<SecretForm, E> {
        Err(E::custom("a secret stands in quotes")) // serde's own message would print it
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<SecretForm, E> {
        Err(E::custom("a secret stands in quotes"))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<SecretForm, A::Error> {
        let mut form = None;
        while let Some(key) = map.next_key::<String>()? {
            let told = match key.as_str() {
                "file" => SecretForm::File(map.next_value()?),
                "env" => SecretForm::Env(map.next_value()?),
                other => return Err(de::Error::unknown_field(other, &["file", "env"])),
            };
            if form.replace(told).is_some() {
                return Err(de::Error::custom("either `file` or `env`, not both"));
            }
        }
        form.ok_or_else(|| de::Error::custom("`file` or `env` is missing"))
    }
}
