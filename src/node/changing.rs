//! Settings of users that change while they are logged in (SPEC 5.11, 7.4).

use std::sync::Arc;

use super::Node;
use super::tasks::Asked;
use super::upkeep::{Told, updated};
use crate::ids::SiteName;
use crate::link::Token;
use crate::link::messages::SettingsNotice;
use crate::location::{Record, Visitor};
use crate::rejection::Rejection;
use crate::timing::Now;
use crate::transaction::ServerId;

impl Node {
    /// SPEC 5.11: home says what has changed of a visitor here. A notice may overtake another one: the renewal that is due at once
    /// says which holds.
    pub(super) fn take_settings(
        &mut self,
        now: Now,
        server: ServerId,
        asked: &Asked,
        token: &Token,
        site: &SiteName,
        notice: &SettingsNotice,
    ) {
        let extension = &notice.extension;
        if self.is_arriving(extension) {
            // What the login's answer says may be older: home says it again.
            return self.refuse_site(now, server, asked, token, &Rejection::busy());
        }
        let then = self.site_then(now, server, asked, token, None);
        let view = self.location.view(extension.as_str());
        let visitor = view.as_deref().and_then(Record::visitor);
        let told = Told {
            settings: notice.settings.as_ref(),
            ha1: notice.ha1.as_ref(),
            password_changed: notice.password_changed,
        };
        let is_meant = |visitor: &&Visitor| visitor.home == *site && visitor.login == notice.login;
        let changed = visitor.filter(is_meant).and_then(|visitor| Some((visitor, updated(visitor, &told)?)));
        let Some((visitor, guest)) = changed else { return self.confirm(now, extension, then) };
        let next = Visitor { guest: Arc::new(guest), renew_at: now.instant, ..visitor.clone() };
        self.change(now, extension, Some(Record::Visitor(next)), then);
    }
}
