//! See `src/lib.rs`.
