//! Logs: one line on standard error for what an operator wants to know (SPEC 12.1).
//!
//! `cli/` calls [`init`] once; each site's loop hands its events to a [`Log`] of its own. Events hold no password, digest, PIN or
//! secret; whatever came from a message is written with its control characters escaped. Nothing is formatted for a level that
//! is off.

use std::fmt::{self, Display, Write};
use std::io;
use std::time::{Duration, Instant};

use tracing::{debug, info, warn};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::ParseError;

use crate::event::{EndedBy, Event, LoggedOutBy, TrunkFailure};
use crate::ids::SiteName;
use crate::link::Mistrust;
use crate::timing::Now;

/// How a line looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// Sends the process's log lines to standard error from now on. The filter (`warn`, or `hotdesk::node=debug,info`) is `filter`,
/// else `RUST_LOG`, else `info`.
///
/// # Errors
///
/// A filter that can't be read.
pub fn init(format: Format, filter: Option<&str>) -> Result<(), ParseError> {
    let from_environment = std::env::var(EnvFilter::DEFAULT_ENV).ok();
    let filter = filter.map(str::to_owned).or(from_environment).unwrap_or_else(|| "info".to_owned());
    let lines = tracing_subscriber::fmt().with_env_filter(EnvFilter::try_new(filter)?).with_writer(io::stderr);
    // A full disk takes no line, and none that says so either: `eprintln!` would panic, on the thread of a site.
    let lines = lines.log_internal_errors(false);
    // A second call, as from a test, leaves the first one's choice.
    let _ = match format {
        Format::Text => lines.try_init(),
        Format::Json => lines.json().flatten_event(true).try_init(),
    };
    Ok(())
}

/// Writes one site's events.
#[derive(Debug)]
pub struct Log {
    site: SiteName,
    refusals: Sparingly,
    too_large: Sparingly,
}

impl Log {
    /// For that site.
    pub fn new(site: SiteName) -> Self {
        Self { site, refusals: Sparingly::default(), too_large: Sparingly::default() }
    }

    /// Writes one event, or leaves it out: refusals, and messages that are too large, are written at most ten times a second each.
    pub fn write(&mut self, now: Now, event: &Event) {
        let site = &self.site;
        match event {
            Event::LoggedIn { extension, home, at, login, missing_rights } => {
                let missing_rights = missing_rights.as_ref().map(|name| tracing::field::display(Plain(name)));
                info!(%site, %extension, %home, %at, %login, missing_rights, "login");
            }
            Event::LoggedOut { extension, at, by: LoggedOutBy::Displacement } => {
                info!(%site, %extension, %at, "displaced by a login elsewhere");
            }
            Event::LoggedOut { extension, at, by } => info!(%site, %extension, %at, by = cause(*by), "logout"),
            Event::Refused { method, source, status, reason } => {
                if let Some(left_out) = self.refusals.admit(now.instant) {
                    let (method, reason) = (Plain(method.as_str()), Plain(reason));
                    info!(%site, %method, %source, status = status.0, %reason, left_out, "refused");
                }
            }
            Event::Call { from, to, status, gives } => {
                info!(%site, from = %Plain(from), to = %Plain(to), status = status.0, gives = %Plain(gives), "call");
            }
            Event::CallEnded { from, to, gives, lasted, by } => {
                let (from, to, gives, seconds) = (Plain(from), Plain(to), Plain(gives), lasted.as_secs());
                info!(%site, %from, %to, %gives, seconds, by = end(*by), "call ended");
            }
            Event::Emergency { from, source, number } => {
                warn!(%site, from = %Plain(from), %source, number = %Plain(number), "emergency call");
            }
            Event::SiteUp { site: other } => info!(%site, %other, "site up"),
            Event::SiteDown { site: other } => warn!(%site, %other, "site down"),
            Event::TrunkDown(change) => {
                let (trunk, left) = (Plain(&change.trunk), change.left);
                let why = change.failure.map_or("", failure);
                let address = change.address.map(tracing::field::display);
                warn!(%site, %trunk, address, why, addresses_left = left, "trunk down");
            }
            Event::TrunkUp(change) => {
                let address = change.address.map(tracing::field::display);
                info!(%site, trunk = %Plain(&change.trunk), address, "trunk up");
            }
            Event::NetworkDiffers { site: other } => {
                warn!(%site, %other, "the other site has another network.toml: realm, profiles or the table of sites differ");
            }
            Event::SiteNotBelieved { site: other, source, why: Mistrust::OtherSecret } => {
                warn!(%site, %other, %source, "requests in the other site's name are refused: it has another link secret, or somebody forges them");
            }
            Event::SiteNotBelieved { site: other, source, why: Mistrust::Unproven } => {
                warn!(%site, %other, %source, "requests in the other site's name are refused: something on the way alters them, or somebody forges them");
            }
            Event::ClockDiffers { site: other, by } => {
                warn!(%site, %other, by_seconds = by.as_secs_f32(), "the clocks of two sites differ");
            }
            Event::CarrierRegistered { trunk, expires } => {
                info!(%site, trunk = %Plain(trunk), expires, "registered with the carrier");
            }
            Event::CarrierNotRegistered { trunk, why } => {
                warn!(%site, trunk = %Plain(trunk), why = %Plain(why), "not registered with the carrier");
            }
            Event::CarrierLeft { trunk } => {
                info!(%site, trunk = %Plain(trunk), "no longer registered with the carrier")
            }
            Event::CarrierRefuses { trunk, why } => {
                warn!(%site, trunk = %Plain(trunk), why = %Plain(why), "the carrier does not take our credentials");
            }
            Event::TooLarge { to, bytes } => {
                if let Some(left_out) = self.too_large.admit(now.instant) {
                    warn!(%site, %to, bytes, left_out, "a message that no datagram can hold is not sent");
                }
            }
            Event::Dropped { source, why } => debug!(%site, %source, why = %Plain(why), "dropped"),
        }
    }
}

fn cause(by: LoggedOutBy) -> &'static str {
    match by {
        LoggedOutBy::Phone => "phone",
        LoggedOutBy::Expiry => "expiry",
        LoggedOutBy::Displacement => "displacement",
        LoggedOutBy::Lease => "lease",
        LoggedOutBy::NotThere => "not there",
        LoggedOutBy::Operator => "operator",
        LoggedOutBy::Removal => "removal",
        LoggedOutBy::Clock => "clock",
        LoggedOutBy::Idle => "idle",
    }
}

fn end(by: EndedBy) -> &'static str {
    match by {
        EndedBy::Bye => "BYE",
        EndedBy::Gone => "408 or 481",
        EndedBy::SessionTimer => "session timer",
        EndedBy::Cap => "longest call",
        EndedBy::Limit => "longest call of its code",
    }
}

fn failure(failure: TrunkFailure) -> &'static str {
    match failure {
        TrunkFailure::Silent => "no response",
        TrunkFailure::Unreachable => "unreachable",
        TrunkFailure::Unavailable => "503",
        TrunkFailure::Unresolved => "its name has no address",
    }
}

/// At most [`A_SECOND`](Self::A_SECOND) lines in a second; how many were left out is said with the next one.
#[derive(Debug, Default)]
struct Sparingly {
    second: Option<Instant>,
    written: u32,
    left_out: u64,
}

impl Sparingly {
    const A_SECOND: u32 = 10;

    /// `None`: leave it out. `Some`: write it, and so many were left out before.
    fn admit(&mut self, now: Instant) -> Option<u64> {
        if self.second.is_none_or(|second| now.saturating_duration_since(second) >= Duration::from_secs(1)) {
            (self.second, self.written) = (Some(now), 0);
        }
        if self.written == Self::A_SECOND {
            self.left_out = self.left_out.saturating_add(1);
            return None;
        }
        self.written += 1;
        Some(std::mem::take(&mut self.left_out))
    }
}

/// Text from elsewhere without control characters: `\u{1b}` instead of an escape, `\n` instead of a new line.
#[derive(Clone, Copy, Debug)]
pub struct Plain<T>(pub T);

impl<T: Display> Display for Plain<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Escaping(f), "{}", self.0)
    }
}

struct Escaping<'a, 'f>(&'a mut fmt::Formatter<'f>);

impl Write for Escaping<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.chars().try_for_each(|c| {
            if c.is_control() { write!(self.0, "{}", c.escape_default()) } else { self.0.write_char(c) }
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::ids::{Extension, LoginNumber};
    use crate::net;
    use crate::sip::Status;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("one thread").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn written(events: &[Event]) -> String {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).without_time().finish();
        tracing::subscriber::with_default(subscriber, || {
            let (mut log, now) = (Log::new(SiteName::new("paris")), net::now());
            events.iter().for_each(|event| log.write(now, event));
        });
        let bytes = lines.0.lock().expect("one thread").clone();
        String::from_utf8(bytes).expect("text")
    }

    fn login(missing_rights: Option<&str>) -> Event {
        Event::LoggedIn {
            extension: Extension::new("201"),
            home: SiteName::new("london"),
            at: SiteName::new("paris"),
            login: LoginNumber(7),
            missing_rights: missing_rights.map(str::to_owned),
        }
    }

    fn call(from: &str) -> Event {
        Event::Call { from: from.into(), to: "202".into(), status: Status::OK, gives: "Extension 202".into() }
    }

    #[test]
    fn a_login_is_one_line_that_names_who_and_where() {
        let line = written(&[login(None)]);
        assert_eq!(line.lines().count(), 1);
        assert!(line.contains("login site=paris extension=201 home=london at=paris login=7"), "{line}");
        assert!(written(&[login(Some("night"))]).contains("missing_rights=night"));
    }

    #[test]
    fn control_characters_of_a_message_never_reach_the_terminal() {
        let line = written(&[call("\u{1b}[31mred\r\nINFO forged \u{9b}2J é")]);
        assert!(line.contains("\\u{1b}[31mred\\r\\nINFO forged \\u{9b}2J é"), "{line}");
        assert_eq!(line.lines().count(), 1);
    }

    #[test]
    fn a_site_that_goes_away_is_a_warning_and_one_that_comes_is_not() {
        let site = || SiteName::new("london");
        let lines = written(&[Event::SiteUp { site: site() }, Event::SiteDown { site: site() }]);
        let levels: Vec<bool> = lines.lines().map(|line| line.contains("WARN")).collect();
        assert_eq!(levels, [false, true], "{lines}");
    }

    #[test]
    fn at_most_ten_refusals_a_second_are_written() {
        let (mut sparingly, start) = (Sparingly::default(), net::now().instant);
        let written = (0..25).filter(|_| sparingly.admit(start).is_some()).count();
        assert_eq!(written, 10);
        assert_eq!(sparingly.admit(start + Duration::from_millis(999)), None);
        assert_eq!(sparingly.admit(start + Duration::from_secs(1)), Some(16));
        assert_eq!(sparingly.admit(start + Duration::from_secs(1)), Some(0));
    }
}
