//! What is in force for a user here: the word of the file, and what the user has changed since (SPEC 7.4); of a visitor, what home says.
//!
//! This is the one place that lays the two over each other: calls, the plan and what travels to other sites ask here.

use std::borrow::Cow;
use std::ops::Deref;
use std::sync::Arc;

use super::{Config, Node};
use crate::auth::hash_of_code;
use crate::ids::Extension;
use crate::location::{Guest, Record, Resident};
use crate::settings::{Changes, Effective, Filed, User};

/// A user with what is set now.
pub(super) enum Settings<'a> {
    /// One of this site's, as the file has it.
    Own(&'a User),
    /// One of this site's who has changed something.
    Changed(Box<User>),
    /// A visitor.
    Guest(Arc<Guest>),
}

impl Settings<'_> {
    pub(super) fn into_owned(self) -> User {
        match self {
            Settings::Own(user) => user.clone(),
            Settings::Changed(user) => *user,
            Settings::Guest(guest) => guest.user.clone(),
        }
    }
}

impl Deref for Settings<'_> {
    type Target = User;

    fn deref(&self) -> &User {
        match self {
            Settings::Own(user) => user,
            Settings::Changed(user) => user,
            Settings::Guest(guest) => &guest.user,
        }
    }
}

impl Node {
    /// A user of this site, as calls see it now; `None`: there is none of that number. In lab mode only one who has changed something.
    pub(super) fn own_user(&self, extension: &str) -> Option<Settings<'_>> {
        in_force(&self.config, extension, self.record(extension).as_deref())
    }
}

/// A user of that configuration under what the record says has changed.
pub(super) fn in_force<'c>(config: &'c Config, extension: &str, record: Option<&Record>) -> Option<Settings<'c>> {
    let changes = record.and_then(Record::resident).and_then(|resident| resident.changes.as_deref());
    let Some(changes) = changes else { return config.site.users.get(extension).map(Settings::Own) };
    Some(Settings::Changed(Box::new(changes.lay_over(&*filed_user(config, extension)?))))
}

/// What the file says of a user.
pub(super) struct FiledUser<'c> {
    /// The user; one of the lab has default settings.
    pub user: Cow<'c, User>,
    code: Option<String>,
}

impl<'c> FiledUser<'c> {
    /// `None`: the file has no such user.
    pub(super) fn of(config: &'c Config, extension: &str) -> Option<Self> {
        let user = filed_user(config, extension)?;
        let hash = |code| hash_of_code(code, &user.extension, &config.network.realm);
        let code = user.login_code.as_ref().map(hash);
        Some(Self { user, code })
    }

    fn filed(&self) -> Filed<'_> {
        Filed { user: &self.user, login_code: self.code.as_deref() }
    }

    /// Whether the user may lift the bar by dialling: one that the file sets only by a code that the file gives.
    pub(super) fn lifts_bar(&self) -> bool {
        !self.user.outgoing_bar || self.code.is_some()
    }

    /// What holds of all that can be changed.
    pub(super) fn in_force(&self, resident: &Resident) -> Effective {
        match &resident.changes {
            Some(changes) => changes.in_force(self.filed()),
            None => Changes::default().in_force(self.filed()),
        }
    }

    /// The user as calls see it.
    pub(super) fn laid_under(&self, resident: &Resident) -> User {
        match &resident.changes {
            Some(changes) => changes.lay_over(&self.user),
            None => User::clone(&self.user),
        }
    }

    /// The resident once that is in force.
    pub(super) fn with(&self, resident: &Resident, wanted: Effective) -> Resident {
        let changes = Changes::between(self.filed(), wanted);
        let changes = (!changes.is_empty()).then(|| Arc::new(changes));
        Resident { changes, ..resident.clone() }
    }
}

/// A resident without changes that the file has overtaken; `None`: there are none.
pub(super) fn without_stale(config: &Config, extension: &Extension, resident: &Resident) -> Option<Resident> {
    let changes = resident.changes.as_deref()?;
    let filed = FiledUser::of(config, extension.as_str())?;
    let next = filed.with(resident, filed.in_force(resident));
    (next.changes.as_deref() != Some(changes)).then_some(next)
}

fn filed_user<'c>(config: &'c Config, extension: &str) -> Option<Cow<'c, User>> {
    if let Some(user) = config.site.users.get(extension) {
        return Some(Cow::Borrowed(user));
    }
    // SPEC 4.7: in lab mode every fitting name is a user.
    config.site.lab.as_ref()?;
    let home = config.network.home_of(extension).filter(|home| home.name == config.site.name);
    home.map(|_| Cow::Owned(User::plain(Extension::new(extension), "basic")))
}
