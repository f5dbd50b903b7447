//! Who makes a request, as it was proven: by digest, by another site's word, or by the trunk that it came from.

use crate::ids::{Extension, SiteName};

/// The party behind a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Caller {
    /// A user of the network.
    User {
        /// The number.
        extension: Extension,
        /// Where the user is configured.
        home: SiteName,
        /// The display name.
        name: String,
    },
    /// A shared desk that nobody is logged in at.
    Desk(String),
    /// Somebody outside.
    Outside {
        /// The calling number as the carrier gave it.
        number: String,
        /// The display name as the carrier gave it.
        name: Option<String>,
    },
    /// Nobody that we know, calling for help (SPEC 6.7).
    Unknown,
}

impl Caller {
    /// For records and logs: the extension, the number, or what it is.
    pub fn label(&self) -> &str {
        match self {
            Caller::User { extension, .. } => extension.as_str(),
            Caller::Desk(id) => id,
            Caller::Outside { number, .. } if number.is_empty() => "anonymous",
            Caller::Outside { number, .. } => number,
            Caller::Unknown => "unknown",
        }
    }

    /// The value of `P-Asserted-Identity` (RFC 3325) with `domain` as host; nothing for those that can't be named.
    pub fn asserted(&self, domain: &str) -> Option<String> {
        let (name, user) = match self {
            Caller::User { extension, name, .. } => (Some(name.as_str()), extension.as_str()),
            Caller::Outside { number, name } => (name.as_deref(), number.as_str()),
            Caller::Desk(_) | Caller::Unknown => return None,
        };
        if user.is_empty() {
            return None;
        }
        let user = escaped_user(user);
        Some(match name.filter(|name| !name.is_empty()) {
            Some(name) => format!("{} <sip:{user}@{domain}>", quoted(name)),
            None => format!("<sip:{user}@{domain}>"),
        })
    }
}

/// Another name before the URI of a party, whatever its name was; its parameters stay.
pub fn renamed(party: &str, name: &str) -> String {
    let uri = party.rfind('<').and_then(|at| party.get(at..)).unwrap_or(party);
    format!("{} {uri}", quoted(name))
}

/// A quoted-string (RFC 3261 §25.1); control characters become blanks.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A user part: everything that may not stand there is escaped (RFC 3261 §25.1 `user`).
pub fn escaped_user(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()&=+$,;?/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_asserted_identity_is_quoted_and_escaped() {
        let ada = Caller::User {
            extension: Extension::new("201"),
            home: SiteName::new("london"),
            name: "Ada \"A\"\r\nLovelace".into(),
        };
        assert_eq!(
            ada.asserted("london.example").as_deref(),
            Some("\"Ada \\\"A\\\"  Lovelace\" <sip:201@london.example>")
        );
        let hash = Caller::Outside { number: "#31#".into(), name: None };
        assert_eq!(hash.asserted("h").as_deref(), Some("<sip:%2331%23@h>"));
        assert_eq!(Caller::Unknown.asserted("h"), None);
        assert_eq!(Caller::Outside { number: String::new(), name: Some("A".into()) }.asserted("h"), None);
    }
}
