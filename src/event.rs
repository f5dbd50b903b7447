//! What happened, for logs, metrics, the API and tests. The node says it; nobody in the node listens.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::time::Duration;

use crate::ids::{Extension, LoginNumber, SiteName};
use crate::link::Mistrust;
pub use crate::proxy::EndedBy;
use crate::sip::{Method, Status};
pub use crate::trunk::{Change as TrunkChange, Failure as TrunkFailure};

/// Why a login ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoggedOutBy {
    /// The phone un-registered its last binding.
    Phone,
    /// The last binding ran out.
    Expiry,
    /// A login elsewhere.
    Displacement,
    /// The home site did not hear from the visited one for a lease.
    Lease,
    /// The visited site said with proof that the user is not there.
    NotThere,
    /// An operator (SPEC 12.5).
    Operator,
    /// The user is none of the configuration any more (SPEC 5.11).
    Removal,
    /// The time of day at which visitors are logged out.
    Clock,
    /// No call for too long.
    Idle,
}

/// Something that an operator or a test may want to know.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A user is logged in at `at` now: said by the visited site, and by the home site.
    LoggedIn {
        /// Who.
        extension: Extension,
        /// Where the user is configured.
        home: SiteName,
        /// Where the user is.
        at: SiteName,
        /// Which login.
        login: LoginNumber,
        /// Rights that the user's home names and the visited site lacks (SPEC 7.2).
        missing_rights: Option<String>,
    },
    /// A login at `at` is over.
    LoggedOut {
        /// Who.
        extension: Extension,
        /// Where the user was.
        at: SiteName,
        /// Why.
        by: LoggedOutBy,
    },
    /// A request that policy refused.
    Refused {
        /// The request's method.
        method: Method,
        /// From where.
        source: SocketAddr,
        /// The answer.
        status: Status,
        /// Its reason phrase.
        reason: Cow<'static, str>,
    },
    /// A call has its final answer, or ended.
    Call {
        /// The caller, as identified: an extension, a trunk's number, a site.
        from: String,
        /// What was dialled (masked where a code takes a PIN).
        to: String,
        /// The final answer.
        status: Status,
        /// Where it went, in the words of SPEC 6.10.
        gives: String,
    },
    /// A call that was answered is over.
    CallEnded {
        /// The caller, as identified: an extension, a trunk's number, a site.
        from: String,
        /// What was dialled (masked where a code takes a PIN).
        to: String,
        /// Where it went, in the words of SPEC 6.10.
        gives: String,
        /// From its first 2xx.
        lasted: Duration,
        /// Why it is over.
        by: EndedBy,
    },
    /// Somebody calls for help.
    Emergency {
        /// Who: an extension, or `unknown`.
        from: String,
        /// The phone's address.
        source: SocketAddr,
        /// The number that is sent.
        number: String,
    },
    /// A site answers again.
    SiteUp {
        /// Which.
        site: SiteName,
    },
    /// A site has not answered for twice `probe`.
    SiteDown {
        /// Which.
        site: SiteName,
    },
    /// A trunk does not answer at one of its addresses (SPEC 6.6).
    TrunkDown(TrunkChange),
    /// A trunk answers there again.
    TrunkUp(TrunkChange),
    /// A site has read another network table than ours (SPEC 3).
    NetworkDiffers {
        /// Which.
        site: SiteName,
    },
    /// Requests in a site's name do not prove that they are its own (SPEC 11.3); said at most once a minute.
    SiteNotBelieved {
        /// In whose name.
        site: SiteName,
        /// From where the last one came.
        source: SocketAddr,
        /// Why.
        why: Mistrust,
    },
    /// The clocks of two sites differ by 5 s or more (SPEC 11.4).
    ClockDiffers {
        /// Which.
        site: SiteName,
        /// By how much.
        by: Duration,
    },
    /// A carrier that wants registration has it now.
    CarrierRegistered {
        /// The trunk.
        trunk: String,
        /// For how long, in seconds; it is refreshed before that.
        expires: u32,
    },
    /// A carrier has us no longer, or not yet; said once, however often it is tried.
    CarrierNotRegistered {
        /// The trunk.
        trunk: String,
        /// Why, in a few words.
        why: Cow<'static, str>,
    },
    /// We are out, as the configuration or the end of the process wants it.
    CarrierLeft {
        /// The trunk.
        trunk: String,
    },
    /// A carrier does not take our credentials; said once, until it takes them again (SPEC 9.10).
    CarrierRefuses {
        /// The trunk.
        trunk: String,
        /// Why, in a few words.
        why: Cow<'static, str>,
    },
    /// A message that no datagram can hold: it is not sent.
    TooLarge {
        /// To whom.
        to: SocketAddr,
        /// How long it is.
        bytes: usize,
    },
    /// A datagram that was not taken: malformed, forged, from a stranger.
    Dropped {
        /// From where.
        source: SocketAddr,
        /// Why, in a few words.
        why: Cow<'static, str>,
    },
}
