//! Licences of visitors on the way in (SPEC 7.3): set aside while home is asked, taken when it has spoken.

use super::Node;
use super::asking::Notice;
use crate::ids::{Extension, LoginId, SiteName};
use crate::link::messages::{LoginAnswer, Settings, Terms};
use crate::rejection::Rejection;
use crate::sip::Status;
use crate::timing::Now;

impl Node {
    /// On what terms home is asked for a login: what is left here is set aside for it.
    pub(super) fn terms_of_login(&self, now: Now, user: &Extension, id: LoginId, home: &SiteName) -> Terms {
        let free = self.commons.licences.with(|licences| licences.hold(user, id, home, now.instant));
        Terms {
            visitors: true,
            licences: free.map(|free| free.into_iter().map(|profile| (profile, 1)).collect()),
            shortage: self.config.site.hot_desk.licence_shortage.into(),
        }
    }

    /// Home has taken a login: what the user is let in with. Where no licence is left, which home could not know, the login is undone there.
    pub(super) fn licensed(
        &mut self,
        now: Now,
        user: &Extension,
        id: LoginId,
        home: &SiteName,
        answer: LoginAnswer,
    ) -> Result<LoginAnswer, Rejection> {
        let (profile, shortage) = (&answer.profile, self.config.site.hot_desk.licence_shortage);
        let granted = self.commons.licences.with(|licences| licences.grant(user, id, profile, shortage, now.instant));
        match granted {
            Some(granted) if granted == answer.profile => Ok(answer),
            Some(profile) => {
                let allows = (&self.config.network.profile(&profile)).into();
                Ok(LoginAnswer { profile, settings: Settings { allows, ..answer.settings }, ..answer })
            }
            None => {
                self.notify(now, Notice::undo(user, home, id));
                Err(Rejection::warned(Status::FORBIDDEN, format!("no free licence for profile {}", answer.profile)))
            }
        }
    }

    /// The login was refused or undone.
    pub(super) fn release_licence(&self, user: &Extension, id: LoginId) {
        self.commons.licences.with(|licences| licences.release(user, id));
    }

    /// Home has not answered in time, or says that a user who was to log in is not proven: its logins hold nothing for a while.
    pub(super) fn doubt_logins_of(&self, now: Now, home: &SiteName) {
        self.commons.licences.with(|licences| licences.doubt(home, now.instant));
    }
}
