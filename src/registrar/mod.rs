//! The registrar (RFC 3261 §10.3, SPEC 4.1 to 4.6): what a REGISTER asks for, and what becomes of the bindings of its AOR.
//!
//! Pure functions. The node finds out [whom](named) a REGISTER is for, has its digest checked, [reads](Update::read) it, asks
//! [whether the phone may](standing), [judges](judge) it on the staged view of the record, stages the judged bindings, and
//! answers with [`answer`] once they are stored. Where hot desking is concerned (parked phones, logins elsewhere) the node takes
//! the judged bindings to `hot_desk/`; nothing here knows of it.
//!
//! RFC 3261 §10.3 and §19.1.4, RFC 3327 (Path), RFC 5626 (`+sip.instance` and `reg-id` replace a binding; the rest
//! of outbound is not promised). Out of scope: digests, GRUU (RFC 5627), the `reg` event (`service/`), keep-alives (the node's).

mod aor;
mod judge;
mod nat;
mod reply;
mod standing;
mod update;

pub use aor::{Named, named};
pub use judge::{Judged, judge, next_serial};
pub use nat::is_behind as is_behind_nat;
pub use reply::{Date, answer};
pub use standing::{Standing, standing};
pub use update::{Asks, Update, Wanted};

#[cfg(test)]
mod fixtures;
