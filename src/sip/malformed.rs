//! What can be wrong with bytes that claim to be SIP.

use super::{Name, Status};

/// Why a message, or one of its values, can't be read. Shown as a reason phrase: it names the header (SPEC 13).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// A header that must be there is not.
    #[error("Missing {0} Header")]
    Missing(Name),
    /// A header that may be there once is there twice.
    #[error("More Than One {0} Header")]
    Repeated(Name),
    /// A header does not follow its grammar.
    #[error("Malformed {0} Header")]
    Syntax(Name),
    /// A number in a header is beyond its range.
    #[error("Number Out Of Range In {0} Header")]
    Range(Name),
    /// The method in CSeq is not the request's (RFC 3261 §8.2.6.2 takes them for the same).
    #[error("Method In CSeq Header Differs")]
    CSeqMethod,
    /// More bytes are announced than came (RFC 3261 §18.3).
    #[error("Content-Length Header Exceeds The Message")]
    ShortBody,
    /// A text is no URI.
    #[error("Malformed URI")]
    Uri,
    /// The Request-URI is no URI, is in brackets, or carries headers.
    #[error("Malformed Request-URI")]
    RequestUri,
    /// The request line has more than single blanks between its three words.
    #[error("Malformed Request-Line")]
    RequestLine,
    /// A line has no name and colon, or a carriage return of its own.
    #[error("Malformed Header Line")]
    HeaderLine,
    /// The empty line behind the headers is missing.
    #[error("No Empty Line After The Headers")]
    NoEnd,
    /// Another version than SIP/2.0.
    #[error("Version Not Supported")]
    Version,
    /// More than one of `settings::Limits`, which the field names.
    #[error("Too Large: {0}")]
    TooLarge(Limit),
}

/// The limit that a message is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Limit {
    /// `message_bytes`
    #[error("Message")]
    Message,
    /// `headers`
    #[error("Number Of Headers")]
    Headers,
    /// `vias`
    #[error("Number Of Vias")]
    Vias,
    /// `contacts`
    #[error("Number Of Contacts")]
    Contacts,
    /// `uri_bytes`
    #[error("URI")]
    Uri,
}

impl Malformed {
    /// The answer that it deserves (SPEC 13).
    pub fn status(&self) -> Status {
        match self {
            Self::Version => Status::VERSION_NOT_SUPPORTED,
            Self::TooLarge(_) => Status::MESSAGE_TOO_LARGE,
            Self::Missing(_)
            | Self::Repeated(_)
            | Self::Syntax(_)
            | Self::Range(_)
            | Self::CSeqMethod
            | Self::ShortBody
            | Self::Uri
            | Self::RequestUri
            | Self::RequestLine
            | Self::HeaderLine
            | Self::NoEnd => Status::BAD_REQUEST,
        }
    }
}

/// Why a datagram is dropped without an answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DropReason {
    /// Its first line is neither a request line nor a status line.
    #[error("not SIP")]
    NotSip,
    /// A request whose top Via does not say where an answer goes.
    #[error("no readable Via")]
    Via,
    /// A response is never answered.
    #[error("bad response: {0}")]
    Response(Malformed),
    /// An ACK is never answered.
    #[error("bad ACK: {0}")]
    Ack(Malformed),
}
