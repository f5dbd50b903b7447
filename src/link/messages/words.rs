//! How the project's own words are written in JSON.

macro_rules! text {
    ($name:ident, $type:ty) => {
        pub(super) mod $name {
            use serde::{Deserialize, Deserializer, Serializer};

            pub(in super::super) fn serialize<S: Serializer>(word: &$type, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(word.as_str())
            }

            pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<$type, D::Error> {
                String::deserialize(from).map(<$type>::new)
            }
        }
    };
}

macro_rules! number {
    ($name:ident, $($type:ident)::+) => {
        pub(super) mod $name {
            use serde::{Deserialize, Deserializer, Serializer};

            pub(in super::super) fn serialize<S: Serializer>(word: &$($type)::+, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_u64(word.0)
            }

            pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<$($type)::+, D::Error> {
                u64::deserialize(from).map($($type)::+)
            }
        }
    };
}

text!(extension, crate::ids::Extension);
number!(login_number, crate::ids::LoginNumber);
number!(wall, crate::timing::Wall);

/// An optional site, by name.
pub(super) mod site {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::ids::SiteName;

    pub(in super::super) fn serialize<S: Serializer>(site: &Option<SiteName>, to: S) -> Result<S::Ok, S::Error> {
        site.as_ref().map(SiteName::as_str).serialize(to)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<SiteName>, D::Error> {
        Ok(Option::<String>::deserialize(from)?.map(SiteName::new))
    }
}

/// An optional login number.
pub(super) mod known_login {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::ids::LoginNumber;

    pub(in super::super) fn serialize<S: Serializer>(login: &Option<LoginNumber>, to: S) -> Result<S::Ok, S::Error> {
        login.map(|login| login.0).serialize(to)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<LoginNumber>, D::Error> {
        Ok(Option::<u64>::deserialize(from)?.map(LoginNumber))
    }
}

/// A login id, as 32 hexadecimal digits.
pub(super) mod login_id {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::ids::LoginId;

    pub(in super::super) fn serialize<S: Serializer>(id: &LoginId, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&format_args!("{id:?}"))
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<LoginId, D::Error> {
        let text = String::deserialize(from)?;
        let digits = text.len() == 32 && text.bytes().all(|c| c.is_ascii_hexdigit());
        let number = digits.then(|| u128::from_str_radix(&text, 16).ok()).flatten();
        number
            .map(|number| LoginId(number.to_be_bytes()))
            .ok_or(D::Error::custom("a login id has 32 hexadecimal digits"))
    }
}
