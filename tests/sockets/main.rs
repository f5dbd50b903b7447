//! The real program on loopback, with plain sockets as phones and trunks.

mod admin;
mod agent;
mod bytes_kept;
mod calls;
mod carriers;
mod commands;
mod configuration;
mod damaged_store;
mod demo;
mod desk;
mod dialogs;
mod emergency;
mod full_disk;
mod hot_desk;
mod limbo;
mod message;
mod reg_event;
mod registration;
mod settings;
mod shards;
mod signals;
mod start;
mod storage;
mod support;
mod tones;
mod trunks;
