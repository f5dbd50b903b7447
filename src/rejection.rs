//! A *no* of ours: policy turned into a SIP status that a person can understand (SPEC 13).

use std::borrow::Cow;

use crate::sip::{Name, Status};

/// Why a request is refused, as the answer that says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// The status.
    pub status: Status,
    /// The reason phrase where the RFC's own says too little; phones show it.
    pub reason: Option<Cow<'static, str>>,
    /// The text of a `Warning: 399`, without quotes.
    pub warning: Option<Cow<'static, str>>,
    /// What else the status needs: `Min-Expires`, `Unsupported`, `Retry-After` …
    pub headers: Vec<(Name, String)>,
}

impl Rejection {
    /// The status with the RFC's reason phrase.
    pub fn new(status: Status) -> Self {
        Self { status, reason: None, warning: None, headers: Vec::new() }
    }

    /// With a reason phrase of its own.
    pub fn because(status: Status, reason: impl Into<Cow<'static, str>>) -> Self {
        Self { reason: Some(reason.into()), ..Self::new(status) }
    }

    /// The same text in the reason phrase and in `Warning`: phones show the former (SPEC 13).
    pub fn warned(status: Status, text: impl Into<Cow<'static, str>>) -> Self {
        let text = text.into();
        Self { reason: Some(text.clone()), warning: Some(text), ..Self::new(status) }
    }

    /// There is no room for another request now (SPEC 13).
    pub fn busy() -> Self {
        Self::busy_for(5)
    }

    /// The same, for so many seconds.
    pub fn busy_for(seconds: u64) -> Self {
        let busy = Self::warned(Status::SERVICE_UNAVAILABLE, "this server is busy, try again");
        busy.with(Name::RetryAfter, seconds.to_string())
    }

    /// The process is about to end (SPEC 2.3, 13).
    pub fn draining() -> Self {
        Self::warned(Status::SERVICE_UNAVAILABLE, "this server is going down").with(Name::RetryAfter, "30")
    }

    /// And this header.
    #[must_use]
    pub fn with(mut self, name: Name, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}
