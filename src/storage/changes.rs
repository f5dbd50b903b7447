//! What a user has changed by dialling, as it is written.

use serde::{Deserialize, Serialize};

use crate::settings::{ChangedCode, Changes, Laid, Switched};

/// See [`Changes`]: each value with the file's that it lies over.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ChangesForm {
    #[serde(skip_serializing_if = "Option::is_none")]
    do_not_disturb: Option<LaidForm<bool, bool>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    outgoing_bar: Option<LaidForm<bool, bool>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unconditional: Option<LaidForm<SwitchedForm, Option<String>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    busy: Option<LaidForm<SwitchedForm, Option<String>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    no_answer: Option<LaidForm<SwitchedForm, Option<String>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    follow_me: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    login_code: Option<LaidForm<CodeForm, Option<String>>>,
}

#[derive(Debug, Serialize, Deserialize)]
struct LaidForm<T, F> {
    value: T,
    over: F,
}

#[derive(Debug, Serialize, Deserialize)]
struct SwitchedForm {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    number: Option<String>,
    on: bool,
}

#[derive(Serialize, Deserialize)]
struct CodeForm {
    hash: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    before: Option<String>,
}

impl std::fmt::Debug for CodeForm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CodeForm(…)")
    }
}

impl From<&Changes> for ChangesForm {
    fn from(changes: &Changes) -> Self {
        Self {
            do_not_disturb: written(&changes.do_not_disturb),
            outgoing_bar: written(&changes.outgoing_bar),
            unconditional: written(&changes.unconditional),
            busy: written(&changes.busy),
            no_answer: written(&changes.no_answer),
            follow_me: changes.follow_me.clone(),
            login_code: written(&changes.login_code),
        }
    }
}

impl From<ChangesForm> for Changes {
    fn from(form: ChangesForm) -> Self {
        Self {
            do_not_disturb: read(form.do_not_disturb),
            outgoing_bar: read(form.outgoing_bar),
            unconditional: read(form.unconditional),
            busy: read(form.busy),
            no_answer: read(form.no_answer),
            follow_me: form.follow_me,
            login_code: read(form.login_code),
        }
    }
}

fn written<T: Clone + Into<U>, U, F: Clone>(laid: &Option<Laid<T, F>>) -> Option<LaidForm<U, F>> {
    laid.as_ref().map(|laid| LaidForm { value: laid.value.clone().into(), over: laid.over.clone() })
}

fn read<T: From<U>, U, F>(form: Option<LaidForm<U, F>>) -> Option<Laid<T, F>> {
    form.map(|form| Laid { value: form.value.into(), over: form.over })
}

impl From<Switched> for SwitchedForm {
    fn from(switched: Switched) -> Self {
        Self { number: switched.number, on: switched.on }
    }
}

impl From<SwitchedForm> for Switched {
    fn from(form: SwitchedForm) -> Self {
        Self { number: form.number, on: form.on }
    }
}

impl From<ChangedCode> for CodeForm {
    fn from(code: ChangedCode) -> Self {
        Self { hash: code.hash, before: code.before }
    }
}

impl From<CodeForm> for ChangedCode {
    fn from(form: CodeForm) -> Self {
        Self { hash: form.hash, before: form.before }
    }
}
