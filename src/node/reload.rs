//! A configuration that was read anew (SPEC 2.3), and what it means for this site's users who are logged in: the sites where they are
//! hear of it at once (SPEC 5.11).

use std::sync::Arc;

use super::asking::Notice;
use super::in_force::{in_force, without_stale};
use super::leases::settings_of;
use super::tasks::Then;
use super::{Config, Node, entry_of};
use crate::event::{Event, LoggedOutBy};
use crate::ids::Extension;
use crate::link::messages::SettingsNotice;
use crate::location::{Binding, Record, Resident};
use crate::proxy::Names;
use crate::timing::Now;

impl Node {
    /// It applies to the next request, and nothing is lost.
    pub(super) fn reload(&mut self, now: Now, config: Config) {
        self.entry = entry_of(&config);
        self.names = Names::new(&config.network, &self.entry);
        self.auth.configure(&config.site.auth);
        self.commons.configure(&config, now);
        self.links.configure(&config, now, &self.commons);
        let before = std::mem::replace(&mut self.config, Arc::new(config));
        self.look_at_registrations(now);
        self.look_at_own_users(now, &before);
        self.look_at_all_lines(now);
        self.schedule_logouts_anew(now, &before);
    }

    /// SPEC 5.11, 7.4: users who were removed are logged out; of the others, what they have changed is dropped where the file says
    /// something new, and the sites where they are hear of it all.
    fn look_at_own_users(&mut self, now: Now, before: &Config) {
        for (extension, _) in self.location.snapshot() {
            if !self.writes_for(&extension) {
                continue;
            }
            let Some(view) = self.location.view(extension.as_str()) else { continue };
            let Record::Resident(resident) = &*view else { continue };
            let was_user = before.site.users.contains_key(&extension);
            if (was_user || before.site.desks.contains_key(extension.as_str())) && !self.is_own(&extension) {
                self.remove(now, &extension, resident, was_user);
                continue;
            }
            let next = without_stale(&self.config, &extension, resident);
            let notices = self.tells_of_changes(before, &extension, resident).into_iter().collect();
            match next {
                Some(next) => {
                    self.change(now, &extension, Some(Record::Resident(next)), Then { notices, ..Then::default() });
                }
                None => notices.into_iter().for_each(|notice: Notice| self.notify(now, notice)),
            }
        }
    }

    /// A user or desk of the old configuration is none of the new one.
    fn remove(&mut self, now: Now, extension: &Extension, resident: &Resident, was_user: bool) {
        let at = resident.away.as_ref().map_or(&self.config.site.name, |away| &away.site).clone();
        let notices = resident.away.iter().map(|away| Notice::remove(extension, &away.site, resident.login)).collect();
        let is_there = |binding: &Binding| binding.is_live(now.instant);
        let is_in = was_user
            && (resident.away.is_some() || !resident.seats.is_empty() || resident.bindings.iter().any(is_there));
        let gone = Event::LoggedOut { extension: extension.clone(), at, by: LoggedOutBy::Removal };
        let events = is_in.then_some(gone).into_iter().collect();
        self.change(now, extension, None, Then { notices, events, ..Then::default() });
    }

    /// What the site where a user is has to know of the new configuration; `None`: nothing, or the user is not away.
    fn tells_of_changes(&self, before: &Config, extension: &Extension, resident: &Resident) -> Option<Notice> {
        let away = resident.away.as_ref()?;
        let record = Record::Resident(resident.clone());
        let old = in_force(before, extension.as_str(), Some(&record))?;
        let new = in_force(&self.config, extension.as_str(), Some(&record))?;
        let settings = settings_of(&self.config, &new, &new.profile);
        if settings.version == settings_of(before, &old, &old.profile).version {
            return None;
        }
        let password_changed = old.credentials != new.credentials;
        let notice = SettingsNotice {
            extension: extension.clone(),
            login: resident.login,
            settings: Some(settings),
            ha1: password_changed.then(|| (&new.credentials).into()),
            password_changed,
        };
        Some(Notice::settings(&away.site, &notice))
    }
}
