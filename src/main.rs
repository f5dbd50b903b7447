//! The program `hotdesk`.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// A site lives on its own thread, whose glibc arena grows by many small `mprotect` calls: 4 % of what a registration costs.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    hotdesk::cli::main()
}
