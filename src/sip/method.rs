//! SIP methods: `rsip`'s words, and every other token as it came.

use std::fmt;

use bytes::Bytes;

/// A request's method. Methods are compared with their case (RFC 3261 §7.1): `invite` is an unknown one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Method {
    /// One of the fourteen that have an RFC.
    Known(rsip::Method),
    /// Any other token; always ASCII.
    Other(Bytes),
}

macro_rules! methods {
    ($($constant:ident = $known:ident),* $(,)?) => {
        impl Method {
            $(
                #[doc = concat!("`", stringify!($constant), "`")]
                pub const $constant: Method = Method::Known(rsip::Method::$known);
            )*

            /// The method as it stands on the wire.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::Known(rsip::Method::$known) => stringify!($constant),)*
                    Self::Other(name) => std::str::from_utf8(name).unwrap_or_default(),
                }
            }

            /// The method that a token of `all` is; the caller has seen that it is one.
            pub(super) fn read(token: &[u8], all: &Bytes) -> Self {
                $(if token == stringify!($constant).as_bytes() {
                    return Self::$constant;
                })*
                Self::Other(all.slice_ref(token))
            }
        }
    };
}

methods! {
    INVITE = Invite,
    ACK = Ack,
    REGISTER = Register,
    BYE = Bye,
    CANCEL = Cancel,
    OPTIONS = Options,
    MESSAGE = Message,
    INFO = Info,
    UPDATE = Update,
    REFER = Refer,
    SUBSCRIBE = Subscribe,
    NOTIFY = Notify,
    PRACK = PRack,
    PUBLISH = Publish,
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(token: impl Into<Bytes>) -> Method {
        let token = token.into();
        Method::read(&token, &token)
    }

    #[test]
    fn rsip_spells_its_methods_as_we_do() {
        for known in rsip::Method::all() {
            assert_eq!(Method::Known(known).as_str(), known.to_string());
            assert_eq!(read(known.to_string()), Method::Known(known));
        }
    }

    #[test]
    fn the_constants_are_patterns_and_case_counts() {
        let is_invite = |text: &'static str| matches!(read(text), Method::INVITE);
        assert!(is_invite("INVITE") && !is_invite("invite") && !is_invite("INVITED"));
        assert_eq!(read("DANCE").as_str(), "DANCE");
    }
}
