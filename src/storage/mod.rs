//! What outlives the process: one embedded database per site, in `data_dir` (SPEC 4.5, 8.5, 8.6; DESIGN §5).
//!
//! | table | key | value |
//! |---|---|---|
//! | `records` | extension | a user of this site or a visitor: bindings, where the user is, login number, displaced phones, changed settings; or how a visit ended of which home has not heard; as JSON ([`form`]) |
//! | `about` | `format` | the version of all this, 4 bytes |
//! | `about` | `routes` | the secret of Record-Route proofs where there is no `link_secret`, 32 bytes |
//!
//! The node says what must become durable ([`StoreOp`](crate::location::StoreOp)); the [`Writer`] commits in groups on a thread
//! of its own: what comes while one commit is on its way to the disk is the next one. What only extends a binding is written at
//! most [`LAZY`] later. A newer format is refused, a file that can't be read is left as it is: both are errors at the start.
//! A visitor's H(A1) are on disk only with `survive_restart`.

mod changes;
mod database;
mod form;
mod writer;

pub use database::{Database, OpenError};
pub use form::{decode, encode, restore};
pub use writer::{LAZY, Medium, Writer};

#[cfg(test)]
mod fixtures {
    use std::path::{Path, PathBuf};

    /// A folder that is gone when the test is.
    pub(super) struct Folder(PathBuf);

    impl Folder {
        pub(super) fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("hotdesk-storage-{}-{name}", std::process::id()));
            let _ = std::fs::remove_dir_all(&path);
            Self(path)
        }

        pub(super) fn path(&self) -> &Path {
            &self.0
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}
