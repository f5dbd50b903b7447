//! Where every user of a site is: the records, the table that shards share, and the steps that wait for the store.
//!
//! The registrar and the hot-desk roles judge a [`Record`] and make a new one; the node stages it in the [`Ledger`], which
//! hands out what must become durable, and commits it to the [`Location`] when the store has it. Calls read the [`Location`]
//! only. Nothing here knows messages or decides anything.

mod binding;
mod device;
mod displaced;
mod ledger;
mod lost;
mod record;
mod seats;
mod store;
mod table;

pub use binding::Binding;
pub use device::Device;
pub use displaced::{
    DisplacedDevice, Displacement, Forced, Loss, bring_back, displace, displacement, forgive, leave, log_out,
    put_out_again,
};
pub use ledger::{Ledger, LedgerFull, StoreId, StoreOp, When};
pub use lost::{LostPhone, is_phone};
pub use record::{Activity, Away, Earlier, Ending, Guest, Joined, Record, Resident, Visitor};
pub use seats::{Seat, Sitter, sitter_at};
pub use store::{Memory, Store, Stored};
pub use table::Location;
