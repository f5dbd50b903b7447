//! What a site serves beside calls and registrations: the `reg` event (SPEC 9.9, 12.4), and calls that it answers itself, to say that
//! a feature is done (SPEC 10.4).
//!
//! The node finds that a SUBSCRIBE is for the sender's own AOR, has it authenticated, [reads](Wanted::read) it and keeps a
//! [`Subscription`] in [`Subscriptions`]. Whenever a record of a watched user is committed, it shows the bindings to each
//! subscription, which remembers what it has to tell, and sends the NOTIFY that [`Subscription::notify`] writes. Transactions,
//! timers and digests are the node's.
//!
//! Such a call is an [`OwnCall`] in [`OwnCalls`]: its dialog, what is said of audio, and the tone, packet by packet. The node does what the
//! feature is about, opens a port by the shell, and sends what falls due.
//!
//! RFC 6665 (notifier), RFC 3680 (the package and its document). Assumed: one subscription to a dialog (RFC 6665 §4.5.2). Out of
//! scope: other packages, watching other users, subscriptions over a restart (the phone's next refresh gets 481, and it
//! subscribes anew).

mod audio;
mod dialog;
mod next_calls;
mod own_call;
mod own_calls;
mod reg_info;
mod setting;
mod subscription;
mod subscriptions;
mod tone;
mod wanted;

pub use audio::CONTENT_TYPE as SESSION_TYPE;
pub use next_calls::NextCalls;
pub use own_call::{ALLOW as OWN_CALL_ALLOW, Due, OwnCall};
pub use own_calls::OwnCalls;
pub use reg_info::Change;
pub use setting::{Asks, Refused, Rules, bars_forward, change, is_setting};
pub use subscription::{Subscription, Terminated};
pub use subscriptions::Subscriptions;
pub use wanted::{CONTENT_TYPE, EVENT, Wanted};
