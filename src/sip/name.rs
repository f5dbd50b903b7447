//! Header names: those we know as one byte each, all others as they came.
//!
//! RFC 3261 §7.3.1 (any case), §7.3.3 and the IANA registry (compact forms).

use std::fmt;
use std::hash::{Hash, Hasher};

use bytes::Bytes;

macro_rules! names {
    ($($variant:ident = $text:literal $(/ $compact:literal)?),* $(,)?) => {
        /// A header's name. Names are equal whatever their case, and a compact form is the name itself.
        #[derive(Clone)]
        pub enum Name {
            $(#[doc = concat!("`", $text, "`")] $variant,)*
            /// A name that nothing here needs, as it came.
            Other(Bytes),
        }

        /// A header's name as an index keeps it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Known {
            $($variant,)*
            Unknown,
        }

        /// Every spelling, each under its name.
        const SPELLINGS: &[(&str, Known)] = &[$(($text, Known::$variant), $(($compact, Known::$variant),)?)*];

        impl Name {
            /// The name as it is written; for an unknown one as it came.
            pub fn canonical(&self) -> &[u8] {
                match self {
                    $(Self::$variant => $text.as_bytes(),)*
                    Self::Other(name) => name,
                }
            }

            pub(super) fn known(&self) -> Known {
                match self {
                    $(Self::$variant => Known::$variant,)*
                    // One that a caller spelled out is found all the same.
                    Self::Other(name) => Known::read(name),
                }
            }
        }

        impl Known {
            /// The name that this is for a header which is written as `spelled`.
            pub(super) fn name(self, spelled: impl FnOnce() -> Bytes) -> Name {
                match self {
                    $(Self::$variant => Name::$variant,)*
                    Self::Unknown => Name::Other(spelled()),
                }
            }
        }
    };
}

names! {
    Via = "Via" / "v",
    From = "From" / "f",
    To = "To" / "t",
    CallId = "Call-ID" / "i",
    CSeq = "CSeq",
    Contact = "Contact" / "m",
    Route = "Route",
    RecordRoute = "Record-Route",
    Path = "Path",
    ServiceRoute = "Service-Route",
    MaxForwards = "Max-Forwards",
    MaxBreadth = "Max-Breadth",
    Expires = "Expires",
    MinExpires = "Min-Expires",
    ContentLength = "Content-Length" / "l",
    ContentType = "Content-Type" / "c",
    ContentEncoding = "Content-Encoding" / "e",
    ContentDisposition = "Content-Disposition",
    Authorization = "Authorization",
    ProxyAuthorization = "Proxy-Authorization",
    WwwAuthenticate = "WWW-Authenticate",
    ProxyAuthenticate = "Proxy-Authenticate",
    AuthenticationInfo = "Authentication-Info",
    Require = "Require",
    ProxyRequire = "Proxy-Require",
    Supported = "Supported" / "k",
    Unsupported = "Unsupported",
    Allow = "Allow",
    AllowEvents = "Allow-Events" / "u",
    Accept = "Accept",
    Event = "Event" / "o",
    SubscriptionState = "Subscription-State",
    Warning = "Warning",
    RetryAfter = "Retry-After",
    Reason = "Reason",
    PAssertedIdentity = "P-Asserted-Identity",
    PPreferredIdentity = "P-Preferred-Identity",
    PCalledPartyId = "P-Called-Party-ID",
    RemotePartyId = "Remote-Party-ID",
    Privacy = "Privacy",
    AlertInfo = "Alert-Info",
    CallInfo = "Call-Info",
    AnswerMode = "Answer-Mode",
    PrivAnswerMode = "Priv-Answer-Mode",
    UserAgent = "User-Agent",
    Server = "Server",
    Date = "Date",
    ReferTo = "Refer-To" / "r",
    ReferredBy = "Referred-By" / "b",
    Replaces = "Replaces",
    RSeq = "RSeq",
    RAck = "RAck",
    SessionExpires = "Session-Expires" / "x",
    MinSe = "Min-SE",
    HistoryInfo = "History-Info",
    Diversion = "Diversion",
    Geolocation = "Geolocation",
    GeolocationRouting = "Geolocation-Routing",
    Timestamp = "Timestamp",
    Subject = "Subject" / "s",
    Priority = "Priority",
    Organization = "Organization",
    AcceptContact = "Accept-Contact" / "a",
    RejectContact = "Reject-Contact" / "j",
    RequestDisposition = "Request-Disposition" / "d",
    Identity = "Identity" / "y",
    HotdeskLink = "Hotdesk-Link",
}

impl Name {
    /// The name that `spelled` is, in any case, full or compact.
    pub fn read(spelled: &Bytes) -> Self {
        Known::read(spelled).name(|| spelled.clone())
    }

    /// Whether a header written as `spelled` has this name.
    pub(super) fn fits(&self, known: Known, spelled: &[u8]) -> bool {
        match self {
            Self::Other(name) if known == Known::Unknown => name.eq_ignore_ascii_case(spelled),
            _ => self.known() == known && known != Known::Unknown,
        }
    }
}

impl Known {
    /// By length and first letter, so that a name is compared with one or two others.
    pub(super) fn read(spelled: &[u8]) -> Self {
        let Some(first) = spelled.first() else { return Self::Unknown };
        let mut at = FIRST.get(spelled.len()).map_or(NONE, |row| row[slot(*first)]);
        while let Some(&(text, known)) = SPELLINGS.get(usize::from(at)) {
            if text.as_bytes() == spelled || text.as_bytes().eq_ignore_ascii_case(spelled) {
                return known;
            }
            at = NEXT[usize::from(at)];
        }
        Self::Unknown
    }
}

const LONGEST: usize = 20;
const NONE: u8 = u8::MAX;

/// The same for both cases of a letter.
const fn slot(letter: u8) -> usize {
    (letter & 31) as usize
}

/// For each length and first letter a place in `SPELLINGS`; from there `NEXT` leads to the others.
static FIRST: [[u8; 32]; LONGEST + 1] = CHAINS.0;
static NEXT: [u8; SPELLINGS.len()] = CHAINS.1;

const CHAINS: ([[u8; 32]; LONGEST + 1], [u8; SPELLINGS.len()]) = {
    let mut first = [[NONE; 32]; LONGEST + 1];
    let mut next = [NONE; SPELLINGS.len()];
    let mut at = 0;
    while at < SPELLINGS.len() {
        let text = SPELLINGS[at].0.as_bytes();
        let head = &mut first[text.len()][slot(text[0])];
        next[at] = *head;
        *head = at as u8;
        at += 1;
    }
    (first, next)
};

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.known() == other.known()
            && (self.known() != Known::Unknown || self.canonical().eq_ignore_ascii_case(other.canonical()))
    }
}

impl Eq for Name {}

impl Hash for Name {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let known = self.known();
        state.write_u8(known as u8);
        if known == Known::Unknown {
            self.canonical().iter().for_each(|b| state.write_u8(b.to_ascii_lowercase()));
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.canonical().escape_ascii())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &'static str) -> Name {
        Name::read(&Bytes::from_static(text.as_bytes()))
    }

    #[test]
    fn every_spelling_is_found_in_any_case() {
        for (text, known) in SPELLINGS {
            assert_eq!(Known::read(text.to_uppercase().as_bytes()), *known, "{text}");
        }
        assert!(matches!(name("t"), Name::To) && matches!(name("cAlL-iD"), Name::CallId));
    }

    #[test]
    fn an_unknown_name_keeps_its_letters_and_is_compared_without_case() {
        assert_eq!(name("X-Thing"), name("x-tHING"));
        assert_ne!(name("X-Thing"), name("X-Things"));
        assert_eq!(name("X-tHing").canonical(), b"X-tHing");
        assert_eq!(Name::Other(Bytes::from_static(b"via")), Name::Via);
    }
}
