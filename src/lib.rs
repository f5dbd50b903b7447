//! Hotdesk: a SIP registrar and proxy for a network of sites.

pub mod auth;
pub mod cli;
pub mod config;
pub mod deadlines;
pub mod digits;
pub mod event;
pub mod hot_desk;
pub mod ids;
pub mod link;
pub mod location;
pub mod net;
pub mod node;
pub mod phone;
pub mod plan;
pub mod proxy;
pub mod registrar;
pub mod settings;
pub mod shutdown;
pub mod sip;
pub mod telemetry;
pub mod timing;
pub mod transaction;
pub mod transmit;
