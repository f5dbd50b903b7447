//! The files as they are written: one struct per table, one field per key of SPEC §3. Every key is optional here; what must
//! be there, ranges and names are the loader's to judge, so that one run can name all that is wrong.

mod network;
mod secret;
mod site;

pub use network::{ListenForm, NetworkFile, NetworkTable, ProfileTable, SiteRow};
pub use secret::SecretForm;
pub use site::{
    ArsTable, AuthTable, BreakOutTable, EmergencyTable, ExpectRow, ForwardTable, GroupRow, HotDeskTable, IncomingRow,
    LabTable, LimitsTable, LinksTable, LocationRow, PhoneRow, RegisterTable, RegistrarTable, ShortCode, SipTable,
    SiteFile, SiteTable, TimeProfileTable, TrunkRow, UserRow, WeeklyRow,
};
