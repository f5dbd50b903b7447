//! What a user has changed by dialling (SPEC 7.4): values that lie over those of the file.
//!
//! Each remembers the file's value that it lies over. Where the file says another one now, the file holds again.

use super::user::{Forward, User};

/// A value that lies over the file's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Laid<T, F = T> {
    /// What holds.
    pub value: T,
    /// The file's value, as long as which it holds.
    pub over: F,
}

/// A forward that can be switched: the number outlasts being off.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Switched {
    /// Where to; at most 31 characters.
    pub number: Option<String>,
    /// Whether calls go there.
    pub on: bool,
}

/// A login code that was changed by dialling.
#[derive(Clone, PartialEq, Eq)]
pub struct ChangedCode {
    /// As in [`LoginCode::Hash`](super::LoginCode::Hash).
    pub hash: String,
    /// The one before it, hashed too: whoever did not hear that the change was made dials it again.
    pub before: Option<String>,
}

/// What a user has changed. Nothing by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Calls get 486.
    pub do_not_disturb: Option<Laid<bool>>,
    /// No external calls.
    pub outgoing_bar: Option<Laid<bool>>,
    /// Over `forward.unconditional`.
    pub unconditional: Option<Laid<Switched, Option<String>>>,
    /// Over `forward.busy`.
    pub busy: Option<Laid<Switched, Option<String>>>,
    /// Over `forward.no_answer`.
    pub no_answer: Option<Laid<Switched, Option<String>>>,
    /// The extension where all calls ring; the file has no such key.
    pub follow_me: Option<String>,
    /// Over `login_code` or `login_code_hash`, as a hash.
    pub login_code: Option<Laid<ChangedCode, Option<String>>>,
}

/// The file's word on what can be changed.
#[derive(Clone, Copy, Debug)]
pub struct Filed<'a> {
    /// The user.
    pub user: &'a User,
    /// The login code as a hash, whichever way it is written.
    pub login_code: Option<&'a str>,
}

/// What is in force of all that can be changed by dialling.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effective {
    /// Calls get 486.
    pub do_not_disturb: bool,
    /// No external calls.
    pub outgoing_bar: bool,
    /// Always.
    pub unconditional: Switched,
    /// On busy; without a number of its own the unconditional one serves.
    pub busy: Switched,
    /// Without an answer; without a number of its own the unconditional one serves.
    pub no_answer: Switched,
    /// The extension where all calls ring.
    pub follow_me: Option<String>,
    /// The code that proves the user; `before` is that of an earlier change.
    pub login_code: Option<ChangedCode>,
}

impl Changes {
    /// Whether nothing is changed.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What holds: each change that the file has not overtaken, else the file.
    pub fn in_force(&self, file: Filed<'_>) -> Effective {
        let (user, forward) = (file.user, &file.user.forward);
        Effective {
            do_not_disturb: *held(&self.do_not_disturb, &user.do_not_disturb).unwrap_or(&user.do_not_disturb),
            outgoing_bar: *held(&self.outgoing_bar, &user.outgoing_bar).unwrap_or(&user.outgoing_bar),
            unconditional: switched(&self.unconditional, &forward.unconditional),
            busy: switched(&self.busy, &forward.busy),
            no_answer: switched(&self.no_answer, &forward.no_answer),
            follow_me: self.follow_me.clone(),
            login_code: self.code(file.login_code),
        }
    }

    fn code(&self, file: Option<&str>) -> Option<ChangedCode> {
        let changed = self.login_code.as_ref().filter(|laid| laid.over.as_deref() == file);
        let filed = || file.map(|hash| ChangedCode { hash: hash.to_owned(), before: None });
        changed.map(|laid| laid.value.clone()).or_else(filed)
    }

    /// The changes that make this of the file; what is as the file has it is none.
    pub fn between(file: Filed<'_>, wanted: Effective) -> Self {
        let (user, forward) = (file.user, &file.user.forward);
        let code = wanted.login_code.filter(|code| Some(code.hash.as_str()) != file.login_code);
        Self {
            do_not_disturb: laid(wanted.do_not_disturb, user.do_not_disturb, user.do_not_disturb),
            outgoing_bar: laid(wanted.outgoing_bar, user.outgoing_bar, user.outgoing_bar),
            unconditional: forward_laid(wanted.unconditional, &forward.unconditional),
            busy: forward_laid(wanted.busy, &forward.busy),
            no_answer: forward_laid(wanted.no_answer, &forward.no_answer),
            follow_me: wanted.follow_me,
            login_code: code.map(|value| Laid { value, over: file.login_code.map(str::to_owned) }),
        }
    }

    /// Without those that the file has overtaken.
    pub fn kept(&self, file: Filed<'_>) -> Self {
        Self::between(file, self.in_force(file))
    }

    /// The user as calls see it. The login code is the file's: ask [`in_force`](Self::in_force) for it.
    pub fn lay_over(&self, user: &User) -> User {
        let Effective { do_not_disturb, outgoing_bar, unconditional, busy, no_answer, follow_me, login_code: _ } =
            self.in_force(Filed { user, login_code: None });
        let forward = Forward {
            busy: busy.target(&unconditional),
            no_answer: no_answer.target(&unconditional),
            unconditional: unconditional.target(&unconditional),
            follow_me,
            ..user.forward.clone()
        };
        User { do_not_disturb, outgoing_bar, forward, ..user.clone() }
    }
}

impl Switched {
    /// As the file has it: a number is on.
    fn of_file(number: &Option<String>) -> Self {
        Self { number: number.clone(), on: number.is_some() }
    }

    /// Where calls go; `other` is the number that serves where there is none.
    fn target(&self, other: &Switched) -> Option<String> {
        self.number_or(other).filter(|_| self.on).cloned()
    }

    /// The number, else that of the other forward.
    pub fn number_or<'a>(&'a self, other: &'a Switched) -> Option<&'a String> {
        self.number.as_ref().or(other.number.as_ref())
    }
}

fn held<'a, T, F: PartialEq>(laid: &'a Option<Laid<T, F>>, file: &F) -> Option<&'a T> {
    laid.as_ref().filter(|laid| laid.over == *file).map(|laid| &laid.value)
}

fn switched(laid: &Option<Laid<Switched, Option<String>>>, file: &Option<String>) -> Switched {
    held(laid, file).cloned().unwrap_or_else(|| Switched::of_file(file))
}

fn laid<T: PartialEq, F>(value: T, as_filed: T, over: F) -> Option<Laid<T, F>> {
    (value != as_filed).then_some(Laid { value, over })
}

fn forward_laid(value: Switched, file: &Option<String>) -> Option<Laid<Switched, Option<String>>> {
    laid(value, Switched::of_file(file), file.clone())
}

impl std::fmt::Debug for ChangedCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ChangedCode(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Extension;

    fn ada() -> User {
        let forward = Forward { busy: Some("202".to_owned()), ..Forward::default() };
        User { forward, ..User::plain(Extension::new("201"), "power") }
    }

    fn filed<'a>(user: &'a User, login_code: Option<&'a str>) -> Filed<'a> {
        Filed { user, login_code }
    }

    fn code(hash: &str) -> Option<ChangedCode> {
        Some(ChangedCode { hash: hash.to_owned(), before: None })
    }

    fn everything() -> Effective {
        Effective {
            do_not_disturb: true,
            outgoing_bar: true,
            unconditional: Switched { number: Some("204".to_owned()), on: false },
            busy: Switched { number: None, on: true },
            no_answer: Switched { number: Some("205".to_owned()), on: true },
            follow_me: Some("206".to_owned()),
            login_code: code("new"),
        }
    }

    #[test]
    fn what_is_as_the_file_has_it_is_no_change() {
        let user = ada();
        let file = filed(&user, Some("old"));
        let changes = Changes::default();
        assert_eq!(Changes::between(file, changes.in_force(file)), changes);
        assert!(changes.is_empty() && changes.lay_over(&user) == user);
    }

    #[test]
    fn changes_make_of_the_file_what_they_were_made_for() {
        let user = ada();
        let file = filed(&user, Some("old"));
        let changes = Changes::between(file, everything());
        assert_eq!(changes.in_force(file), everything());
        assert_eq!(changes.kept(file), changes);
        let laid = changes.lay_over(&user);
        assert!(laid.do_not_disturb && laid.outgoing_bar);
        let Forward { unconditional, busy, no_answer, unreachable, follow_me, after: _ } = laid.forward;
        assert_eq!((unconditional, unreachable), (None, None), "a number that is off forwards nothing");
        assert_eq!(busy.as_deref(), Some("204"), "the unconditional number serves");
        assert_eq!((no_answer.as_deref(), follow_me.as_deref()), (Some("205"), Some("206")));
    }

    #[test]
    fn a_change_holds_until_the_file_says_something_else_for_that_key_and_no_longer() {
        let mut user = ada();
        let changes = Changes::between(filed(&user, Some("old")), everything());
        user.forward.busy = Some("203".to_owned());
        user.do_not_disturb = true;
        let file = filed(&user, Some("other"));
        let now = changes.in_force(file);
        assert_eq!((now.busy.number.as_deref(), now.login_code.clone()), (Some("203"), code("other")));
        assert!(now.do_not_disturb && now.outgoing_bar && now.no_answer.on, "the rest holds");
        let kept = changes.kept(file);
        assert!(kept.busy.is_none() && kept.login_code.is_none() && kept.do_not_disturb.is_none());
        assert_eq!(kept.in_force(file), now);
        // Back to what it was: a change that is over stays over.
        user.forward.busy = Some("202".to_owned());
        assert_eq!(kept.in_force(filed(&user, Some("other"))).busy.number.as_deref(), Some("202"));
    }

    #[test]
    fn a_code_is_never_shown() {
        assert!(!format!("{:?}", everything()).contains("new"));
    }
}
