//! A configuration that was read anew (SPEC 2.3), and what it means for this site's users who are logged in: the sites where they are
//! hear of it at once (SPEC 5.11).

use std::sync::Arc;

use super::asking::Notice;
use super::leases::settings_of;
use super::tasks::Then;
use super::{Config, Node, entry_of};
use crate::event::{Event, LoggedOutBy};
use crate::ids::Extension;
use crate::link::messages::SettingsNotice;
use crate::location::{Record, Resident};
use crate::proxy::Names;
use crate::settings::User;
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

    /// SPEC 5.11: users who were removed are logged out, and the sites where the others are hear of what has changed.
    fn look_at_own_users(&mut self, now: Now, before: &Config) {
        for (extension, _) in self.location.snapshot() {
            if !self.writes_for(&extension) {
                continue;
            }
            let Some(view) = self.location.view(extension.as_str()) else { continue };
            let Record::Resident(resident) = &*view else { continue };
            let (old, new) = (before.site.users.get(&extension), self.config.site.users.get(&extension).cloned());
            match (old, new) {
                (Some(_), None) if !self.is_own(&extension) => self.remove(now, &extension, resident),
                (Some(old), Some(new)) => self.tell_of_changes(now, before, old, &new, resident),
                (Some(_) | None, _) => {}
            }
        }
    }

    /// A user of the old configuration is none of the new one.
    fn remove(&mut self, now: Now, extension: &Extension, resident: &Resident) {
        let at = resident.away.as_ref().map_or(&self.config.site.name, |away| &away.site).clone();
        let notices = resident.away.iter().map(|away| Notice::remove(extension, &away.site, resident.login)).collect();
        let is_in = resident.away.is_some() || resident.bindings.iter().any(|binding| binding.is_live(now.instant));
        let gone = Event::LoggedOut { extension: extension.clone(), at, by: LoggedOutBy::Removal };
        let events = is_in.then_some(gone).into_iter().collect();
        self.change(now, extension, None, Then { notices, events, ..Then::default() });
    }

    fn tell_of_changes(&mut self, now: Now, before: &Config, old: &User, new: &User, resident: &Resident) {
        let Some(away) = &resident.away else { return };
        let settings = settings_of(&self.config, new, &new.profile);
        if settings.version == settings_of(before, old, &old.profile).version {
            return;
        }
        let password_changed = old.credentials != new.credentials;
        let notice = SettingsNotice {
            extension: new.extension.clone(),
            login: resident.login,
            settings: Some(settings),
            ha1: password_changed.then(|| (&new.credentials).into()),
            password_changed,
        };
        self.notify(now, Notice::settings(&away.site, &notice));
    }
}
