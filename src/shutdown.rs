//! How the process is told to end or to read its configuration anew (SPEC 2.3).
//!
//! `cli/` listens before it says that it is ready, and decides what follows.

use std::io;
use std::time::Duration;

use tokio::signal::unix::{Signal as Stream, SignalKind, signal};
use tokio::time::timeout;

/// How long transactions without a final answer may take to finish: 64·T1 of RFC 3261.
pub const GRACE: Duration = Duration::from_secs(32);

/// So long the last answers and CANCELs are sent again where they are lost: once, T1 of RFC 3261 being 500 ms.
pub const PARTING: Duration = Duration::from_millis(600);

/// SIGXFSZ, by the same number on every system but MIPS, for which this is not built.
const FILE_TOO_LARGE: i32 = 25;

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGTERM or Ctrl-C.
    End,
    /// SIGHUP.
    Reload,
}

/// How a drain ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drained {
    /// Nothing was left to do.
    Idle,
    /// [`GRACE`] was over.
    TimeOver,
    /// A second signal came.
    Told,
}

/// The signals of this process; while it lives they have no other effect.
#[derive(Debug)]
pub struct Signals {
    terminate: Stream,
    interrupt: Stream,
    hang_up: Stream,
    /// Nobody waits for it: a limit on the size of files is an error of whoever writes (SPEC 13), not the end of the process.
    _file_too_large: Stream,
}

impl Signals {
    /// Listens from now on. Called within a runtime.
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up: signal(SignalKind::hangup())?,
            _file_too_large: signal(SignalKind::from_raw(FILE_TOO_LARGE))?,
        })
    }

    /// The next one.
    pub async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.terminate.recv() => Signal::End,
            _ = self.interrupt.recv() => Signal::End,
            _ = self.hang_up.recv() => Signal::Reload,
        }
    }

    /// Waits for `idle`, but not for ever.
    pub async fn drain(&mut self, idle: impl Future<Output = ()>) -> Drained {
        tokio::select! {
            result = timeout(GRACE, idle) => if result.is_ok() { Drained::Idle } else { Drained::TimeOver },
            () = self.end() => Drained::Told,
        }
    }

    async fn end(&mut self) {
        while self.next().await != Signal::End {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_idle_is_not_waited_for() {
        let mut signals = Signals::listen().expect("signals");
        assert_eq!(signals.drain(async {}).await, Drained::Idle);
    }
}
