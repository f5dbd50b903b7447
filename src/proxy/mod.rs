//! The proxy's part of a call (RFC 3261 §16): who asks, where it goes, what is passed on, which answer wins.
//!
//! These are judgements and text: the node owns the transactions and the timers, and asks here. Out of scope: which number
//! means whom (`plan/`), where a user is (`location/`).

mod caller;
mod calls;
mod context;
mod diversion;
mod forward;
mod geolocation;
mod loops;
mod manner;
mod middle;
mod rewriting;
mod session_timer;
mod source;
mod tally;
mod targets;

pub use caller::{Caller, escaped_user, renamed};
pub use calls::{About, Answer, Asks, Channel, DialogTags, Ended, EndedBy, LiveCalls, LiveId, NoRoom, Standing, Wants};
pub use context::{Best, Context, Input, Step};
pub use diversion::{Cause, Diversion, MOST_FORWARDS, deflected_to, handed_over, handing_over, history, went_through};
pub use forward::{
    Dress, Identities, Stamp, forward_request, forward_response, forward_success, is_withheld, via_value,
    with_challenges,
};
pub use geolocation::{Conveyed, has_location, pidf_lo};
pub use loops::{branch_with, is_loop, routing_hash, shard_of_branch};
pub use manner::Manner;
pub use middle::Middle;
pub use rewriting::{Restoring, Shows, Withheld, is_anonymous, is_nowhere, rack_number, rewritings};
pub use session_timer::{LEAST as LEAST_SESSION, SessionTimer, TooSmall};
pub use source::{Names, is_site, source_trunk};
pub use tally::Tally;
pub use targets::{
    Called, Diverted, Kind, Line, Lines, Ringing, Rule, Stage, Target, TargetSet, own_breadth, phone_stages,
    share_breadth,
};
