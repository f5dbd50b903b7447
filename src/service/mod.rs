//! What a site serves beside calls and registrations: the `reg` event (SPEC 9.9, 12.4).
//!
//! The node finds that a SUBSCRIBE is for the sender's own AOR, has it authenticated, [reads](Wanted::read) it and keeps a
//! [`Subscription`] in [`Subscriptions`]. Whenever a record of a watched user is committed, it shows the bindings to each
//! subscription, which remembers what it has to tell, and sends the NOTIFY that [`Subscription::notify`] writes. Transactions,
//! timers and digests are the node's.
//!
//! RFC 6665 (notifier), RFC 3680 (the package and its document). Assumed: one subscription to a dialog (RFC 6665 §4.5.2). Out of
//! scope: other packages, watching other users, subscriptions over a restart (the phone's next refresh gets 481, and it
//! subscribes anew).

mod dialog;
mod reg_info;
mod subscription;
mod subscriptions;
mod wanted;

pub use reg_info::Change;
pub use subscription::{Subscription, Terminated};
pub use subscriptions::Subscriptions;
pub use wanted::{CONTENT_TYPE, EVENT, Wanted};
