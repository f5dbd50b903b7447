//! The sealed bodies of link requests and answers, as typed values (SPEC 5.2-5.7, 5.11, §7).
//!
//! Inside the seal they are JSON objects. Two neighbouring releases read each other: a reader skips keys that it does not
//! know, and a key that a later release adds has a default. A key that is here now keeps its name and meaning for good.
//! Which of them a body is, the purpose in the token says. Times are milliseconds of the Unix epoch, spans are seconds.
//!
//! | purpose | request | answer |
//! |---|---|---|
//! | login | [`LoginRequest`] | [`LoginAnswer`], or a [`Refusal`] |
//! | renew | [`RenewRequest`] | [`RenewAnswer`] |
//! | logout | [`LogoutRequest`] | no body |
//! | displaced | [`Displaced`] | no body |
//! | settings, of H to V | [`SettingsNotice`] | no body |
//! | settings, of V to H | [`SettingsChange`] | [`SettingsAnswer`], or a [`Refusal`] |

mod lease;
mod login;
mod settings;
mod words;

pub use lease::{Displaced, Gone, LogoutRequest, Outcome, RenewAnswer, RenewRequest, Renewal, Renewed, SettingsNotice};
pub use login::{Device, Ha1, KeptOut, LoginAnswer, LoginRequest, PhoneDigest, Pin, Refusal, Shortage, Terms};
pub use settings::{Allows, Forwards, Settings, SettingsAnswer, SettingsChange, ShortCode};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// A body that is not what the purpose says.
#[derive(Debug, thiserror::Error)]
#[error("the sealed body cannot be read: {0}")]
pub struct Unreadable(#[from] serde_json::Error);

/// The body as bytes, to be sealed.
pub fn encode<T: Serialize>(message: &T) -> Vec<u8> {
    serde_json::to_vec(message).expect("maps have text keys and nothing else fails")
}

/// Reads a body that was opened.
pub fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, Unreadable> {
    Ok(serde_json::from_slice(body)?)
}

#[cfg(test)]
mod tests;
