//! What is answered when something is wrong: JSON with `error` and `hint`.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// An answer that is no success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    status: u16,
    error: String,
    hint: String,
}

impl Fault {
    pub fn new(status: u16, error: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { status, error: error.into(), hint: hint.into() }
    }

    pub fn not_found(error: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(404, error, hint)
    }

    #[cfg(test)]
    pub fn status(&self) -> u16 {
        self.status
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(json!({ "error": self.error, "hint": self.hint }))).into_response();
        if status == StatusCode::UNAUTHORIZED {
            // RFC 6750 §3
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}
