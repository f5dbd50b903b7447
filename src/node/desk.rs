//! Login and logout by dialling (SPEC 10.1, 10.2): `*35*201*1234#`, `*35*1234#`, `*36`.
//!
//! Everything here runs at the shard that does all writes for the user whom it logs in or out. A user of another site is asked for at home,
//! which checks the PIN and takes the login as it takes one by REGISTER; then home stores before it answers, this site before the phone
//! hears the tone.

use std::sync::Arc;
use std::time::Duration;

use super::Node;
use super::asking::{Notice, What};
use super::convert::{device_told, kept_out};
use super::features::{Deed, Wish};
use super::in_force::FiledUser;
use super::login::{cannot_be_reached, digest_of, guest_of};
use super::sitting::{SeatChange, SeatErrand};
use super::tasks::{Asked, Key, Licence, Then};
use crate::auth::is_code;
use crate::event::LoggedOutBy;
use crate::hot_desk::{self, Arrival, Devices, arrive};
use crate::ids::{Extension, LoginId, LoginNumber, SiteName};
use crate::link::messages::{self, LoginAnswer, LoginRequest, PhoneDigest, Pin, Refusal};
use crate::link::{Claims, Purpose};
use crate::location::{Device, Ending, LostPhone, Record, Resident, Seat, Visitor, displace};
use crate::rejection::Rejection;
use crate::sip::{Name, Status};
use crate::timing::Now;

/// A phone at which somebody logs in or out, and who wants it.
#[derive(Clone, Debug)]
struct Place {
    deed: Deed,
    /// The phone's own account, and the phone.
    phone: Extension,
    device: Device,
    /// How it was bound, if it has lost its own user (SPEC 5.10).
    lost: Option<LostPhone>,
}

/// By what home is asked to log a user in.
enum Shows<'w> {
    /// The code that was dialled.
    Code(&'w str),
    /// The digest of the INVITE: the phone's own user needs no code to have a phone again that was the user's.
    Digest(Box<PhoneDigest>),
}

/// A login by dialling that home has been asked for.
#[derive(Debug)]
pub(super) struct DialledLogin {
    place: Place,
    user: Extension,
    home: SiteName,
    id: LoginId,
    source: std::net::IpAddr,
    /// The newest login that home has spoken of meanwhile, and where.
    newest: Option<(LoginNumber, Option<SiteName>)>,
}

/// Most logins by dialling that wait for their homes; each is of a proven phone.
const WAITING: usize = 10_000;

/// What `ExtnLogin` was given: a user's number, where there is one, and the PIN.
pub(super) fn user_and_code(argument: &str) -> (Option<&str>, &str) {
    argument.split_once('*').map_or((None, argument), |(user, code)| (Some(user), code))
}

impl Node {
    /// `ExtnLogin`.
    pub(super) fn log_in_here(&mut self, now: Now, deed: Deed, wish: &Wish) {
        let (named, code) = user_and_code(&wish.argument);
        let user = match named.or_else(|| wish.phone.user()) {
            Some(user) => Extension::new(user),
            None => {
                return self.not_done(
                    now,
                    deed,
                    Rejection::warned(Status::FORBIDDEN, "this desk has no user of its own"),
                );
            }
        };
        let place = match self.place_of_wish(deed, wish) {
            Ok(place) => place,
            Err(rejection) => return self.not_done(now, deed, rejection),
        };
        // Where somebody sits somebody's calls ring: a phone that only this site remembers has no binding to ring by.
        if place.lost.as_ref().is_some_and(|lost| user != place.phone && !lost.is_in_limbo(now.instant)) {
            return self.not_done(now, deed, not_registered());
        }
        let source = wish.asked.source.remote.ip();
        let is_locked = |codes: &mut crate::auth::Codes| {
            codes.is_phone_locked(now.instant, user.as_str(), source, place.phone.as_str())
        };
        if self.commons.codes.with(is_locked) {
            return self.not_done(now, deed, wrong_code());
        }
        match self.config.network.home_of(user.as_str()).map(|home| home.name.clone()) {
            Some(home) if home != self.config.site.name => {
                self.ask_home_to_log_in(now, place, user, home, Shows::Code(code), source)
            }
            Some(_) => match self.check_code(now, &user, code) {
                Ok(()) => {
                    self.commons.codes.with(|codes| codes.note_right(user.as_str(), Some(source)));
                    self.sit_down(now, place, &user);
                }
                Err(rejection) => self.wrong_code_at(now, &place, &user, source, rejection),
            },
            // Nobody is told which numbers there are.
            None => self.wrong_code_at(now, &place, &user, source, wrong_code()),
        }
    }

    /// The phone, if it is registered, or was until it lost its user: only a binding can ring for somebody.
    fn place_of_wish(&self, deed: Deed, wish: &Wish) -> Result<Place, Rejection> {
        let phone = Extension::new(wish.phone.name());
        let lost = self.lost_phone_of(&wish.asked, phone.as_str());
        let binding = match &lost {
            Some(lost) => Some(lost.binding.clone()),
            None => self.binding_of(&wish.asked, phone.as_str()),
        };
        Ok(Place { deed, device: binding.ok_or_else(not_registered)?.device, phone, lost })
    }

    /// The PIN of a user whose home this is. A user who is locked, or has none, or is none, is like one whose PIN is another.
    pub(super) fn check_code(&self, now: Now, user: &Extension, code: &str) -> Result<(), Rejection> {
        if self.commons.codes.with(|codes| codes.is_user_locked(now.instant, user.as_str())) {
            return Err(wrong_code());
        }
        let view = self.location.view(user.as_str());
        let empty = Resident::default();
        let resident = view.as_deref().and_then(Record::resident).unwrap_or(&empty);
        let known = FiledUser::of(&self.config, user.as_str()).and_then(|filed| filed.in_force(resident).login_code);
        if known.is_some_and(|known| is_code(&known.hash, user, &self.config.network.realm, code)) {
            return Ok(());
        }
        self.commons.codes.with(|codes| codes.note_wrong_at_home(now.instant, user.as_str()));
        Err(wrong_code())
    }

    fn wrong_code_at(&mut self, now: Now, place: &Place, user: &Extension, source: std::net::IpAddr, why: Rejection) {
        self.commons.codes.with(|codes| {
            codes.note_wrong_at_phone(now.instant, user.as_str(), source, place.phone.as_str());
        });
        self.not_done(now, place.deed, why);
    }

    /// A user of this site, whose PIN was right.
    fn sit_down(&mut self, now: Now, place: Place, user: &Extension) {
        let view = self.location.view(user.as_str());
        let empty = Resident::default();
        let resident = view.as_deref().and_then(Record::resident).unwrap_or(&empty);
        if *user == place.phone {
            return self.own_user_is_back(now, place, resident);
        }
        let here = self.config.site.name.clone();
        let profile = self.config.site.users.get(user).map_or("basic", |user| &user.profile);
        let devices = self.devices(self.config.network.profile(profile).devices);
        let deed = place.deed;
        let seat = self.seat_at(now, place);
        match hot_desk::sit_down_at_home(resident, seat, devices, &here, now) {
            Ok((next, notice)) => {
                let then = Then {
                    notices: notice.into_iter().map(|notice| Notice::displace(user, notice)).collect(),
                    events: vec![self.logged_in(user, &here, &here, next.login, None)],
                    deed: Some(deed),
                    ..Then::default()
                };
                self.change(now, user, Some(Record::Resident(next)), then);
            }
            Err(rejection) => self.not_done(now, deed, rejection),
        }
    }

    /// Somebody sits down now: later than whoever did before, also where the clock was set back meanwhile (SPEC 8.8).
    fn seat_at(&self, now: Now, place: Place) -> Seat {
        let sitters = self.location.sitters(place.phone.as_str());
        let claims = sitters.iter().filter(|sitter| sitter.device.is(&place.device));
        let after = claims.map(|sitter| sitter.since.plus(Duration::from_millis(1))).max();
        Seat { phone: place.phone, device: place.device, since: now.wall.max(after.unwrap_or_default()) }
    }

    pub(super) fn devices(&self, most: usize) -> Devices {
        Devices { most, limit: self.config.site.registrar.device_limit }
    }

    /// The phone's own user, whose home this is, has the phone again: from whoever sits there, and from another site, also from one that is not
    /// heard just now and would be given the user back (SPEC 8.4).
    fn own_user_is_back(&mut self, now: Now, place: Place, resident: &Resident) {
        let (own, here) = (place.phone.clone(), self.config.site.name.clone());
        let sitter = self.location.sitter(own.as_str(), &place.device);
        let (mut next, notice) = hot_desk::come_back(resident, &place.device, &here, now);
        if let Some(lost) = &place.lost {
            let phone = self.revived(now, lost, &next.bindings);
            let profile = self.config.site.users.get(&own).map_or("basic", |user| &user.profile);
            let devices = self.devices(self.config.network.profile(profile).devices);
            match hot_desk::take_phone(&mut next.bindings, &mut next.seats, phone, devices) {
                Ok(lost) => lost.into_iter().for_each(|device| displace(&mut next.displaced, device, &here, now.wall)),
                Err(rejection) => return self.not_done(now, place.deed, rejection),
            }
        }
        let is_new = resident.away.is_some() || place.lost.is_some();
        let event = is_new.then(|| self.logged_in(&own, &here, &here, next.login, None));
        let then = Then {
            notices: notice.into_iter().map(|notice| Notice::displace(&own, notice)).collect(),
            events: event.into_iter().collect(),
            deed: sitter.is_none().then_some(place.deed),
            ..Then::default()
        };
        self.change(now, &own, Some(Record::Resident(next)), then);
        if let Some(user) = sitter {
            self.stand_up(now, place, user, LoggedOutBy::Displacement);
        }
    }

    /// Whoever sits at the phone leaves it; nobody waits for that.
    fn free(&mut self, now: Now, place: &Place) {
        if let Some(user) = self.location.sitter(place.phone.as_str(), &place.device) {
            let (phone, device) = (place.phone.clone(), place.device.clone());
            let what = SeatChange::Ends(LoggedOutBy::Displacement);
            self.errand(now, SeatErrand { user, phone, device, what, deed: None });
        }
    }

    /// Whoever sits at the phone leaves it.
    fn stand_up(&mut self, now: Now, place: Place, user: Extension, by: LoggedOutBy) {
        let Place { deed, phone, device, .. } = place;
        self.errand(now, SeatErrand { user, phone, device, what: SeatChange::Ends(by), deed: Some(deed) });
    }

    /// `ExtnLogout`.
    pub(super) fn log_out_here(&mut self, now: Now, deed: Deed, wish: &Wish) {
        let place = match self.place_of_wish(deed, wish) {
            Ok(place) => place,
            Err(rejection) => return self.not_done(now, deed, rejection),
        };
        if wish.account.name() != wish.phone.name() {
            let user = Extension::new(wish.account.name());
            return self.stand_up(now, place, user, LoggedOutBy::Phone);
        }
        let nobody = |text: &'static str| Rejection::warned(Status::FORBIDDEN, text);
        let Some(own) = wish.phone.user().map(Extension::new) else {
            return self.not_done(now, deed, nobody("nobody is logged in at this phone"));
        };
        match self.location.view(own.as_str()).as_deref() {
            Some(Record::Resident(resident)) if resident.away.is_some() || place.lost.is_some() => {
                self.own_user_is_back(now, place, resident);
            }
            Some(Record::Visitor(_)) | None if place.lost.is_some() => {
                self.own_user_comes_in(now, place, own, &wish.asked)
            }
            Some(Record::Visitor(visitor)) => self.visitor_leaves(now, place, visitor),
            Some(Record::Resident(_)) | None => {
                self.not_done(now, deed, nobody("only the phone's own user is logged in here"));
            }
        }
    }

    /// A phone of a user of another site, which has lost that user, brings the user in here.
    fn own_user_comes_in(&mut self, now: Now, place: Place, own: Extension, asked: &Asked) {
        let home = self.config.network.home_of(own.as_str()).map(|home| home.name.clone());
        let given = self.credentials(asked, &Name::ProxyAuthorization);
        let (Some(home), Some(given)) = (home, given) else { return self.not_done(now, place.deed, not_registered()) };
        let (digest, source) = (digest_of(asked, &given, now), asked.source.remote.ip());
        self.ask_home_to_log_in(now, place, own, home, Shows::Digest(digest.into()), source);
    }

    /// A visitor logs out at a phone that has registered as the visitor's own.
    fn visitor_leaves(&mut self, now: Now, place: Place, visitor: &Visitor) {
        let (user, here, deed) = (place.phone, self.config.site.name.clone(), Some(place.deed));
        match hot_desk::leave_phone(visitor, &place.device, &here, now.wall) {
            Ok(next) => {
                let next = Visitor { renew_at: now.instant, ..next };
                self.change(now, &user, Some(Record::Visitor(next)), Then { deed, ..Then::default() });
            }
            Err(logout) => {
                self.lose_phones(now, &user, &visitor.bindings);
                let then = Then {
                    licence: Some(Licence::Leave(user.clone())),
                    notices: vec![Notice::visit_ended(&user, &logout, Ending::ByHand)],
                    events: vec![self.logged_out(&user, LoggedOutBy::Phone)],
                    deed,
                    ..Then::default()
                };
                self.change(now, &user, None, then);
            }
        }
    }

    fn ask_home_to_log_in(
        &mut self,
        now: Now,
        place: Place,
        user: Extension,
        home: SiteName,
        shows: Shows<'_>,
        source: std::net::IpAddr,
    ) {
        if !self.config.site.hot_desk.visitors {
            return self.not_done(now, place.deed, Rejection::warned(Status::FORBIDDEN, "this site takes no visitors"));
        }
        if self.dialled_logins.len() >= WAITING {
            return self.not_done(now, place.deed, Rejection::busy());
        }
        if self.links.is_down(&home) {
            return self.not_done(now, place.deed, cannot_be_reached(&home));
        }
        let id = LoginId(self.entropy.bytes());
        let (digest, code) = match shows {
            Shows::Code(code) => (PhoneDigest::default(), Some(Pin(code.to_owned()))),
            Shows::Digest(digest) => (*digest, None),
        };
        let request = LoginRequest {
            extension: user.clone(),
            login_id: id,
            device: device_told(&place.device),
            terms: self.terms_of_login(now, &user, id, &home),
            digest,
            source,
            leaves: false,
            by_dialling: true,
            code,
        };
        let (key, body) = (self.next_key(), messages::encode(&request));
        self.commons.arriving.with(|arriving| arriving.insert(user.clone()));
        let login = DialledLogin { place, user: user.clone(), home: home.clone(), id, source, newest: None };
        self.dialled_logins.insert(key, login);
        self.ask_site(now, &home, Claims::of(Purpose::Login), Some(&user), body, What::DialledLogin(key));
    }

    /// Home has spoken.
    pub(super) fn dialled_login_answered(&mut self, now: Now, key: Key, status: Status, body: Option<&[u8]>) {
        let Some(login) = self.dialled_logins.remove(&key) else { return };
        let user = login.user.clone();
        let answer = body.filter(|_| status.is_success()).and_then(|body| messages::decode::<LoginAnswer>(body).ok());
        match answer {
            Some(answer) => self.dialled_login_taken(now, login, answer),
            None => {
                let refusal = body.and_then(|body| messages::decode::<Refusal>(body).ok()).unwrap_or_default();
                self.dialled_login_refused(now, &login, &refusal);
            }
        }
        self.note_arrived(&user);
    }

    fn dialled_login_refused(&mut self, now: Now, login: &DialledLogin, refusal: &Refusal) {
        self.release_licence(&login.user, login.id);
        let why = match refusal.status {
            401 => {
                self.doubt_logins_of(now, &login.home);
                return self.wrong_code_at(now, &login.place, &login.user, login.source, wrong_code());
            }
            status @ 400..=699 => Rejection::warned(Status(status), refusal.text.clone()),
            _ => Rejection::warned(Status::SERVER_TIMEOUT, "the home site gave no reason"),
        };
        self.not_done(now, login.place.deed, why);
    }

    fn dialled_login_taken(&mut self, now: Now, login: DialledLogin, answer: LoginAnswer) {
        let DialledLogin { place, user, home, id, source, newest } = login;
        self.commons.codes.with(|codes| codes.note_right(user.as_str(), Some(source)));
        let is_older = newest.filter(|(newest, _)| *newest > answer.login);
        if let Some((_, now_at)) = is_older {
            // SPEC 5.5: a login elsewhere was newer, and its notice overtook this answer.
            self.release_licence(&user, id);
            let place_now = now_at.unwrap_or(home);
            let why = Rejection::warned(Status::FORBIDDEN, format!("logged in at {place_now}"));
            return self.not_done(now, place.deed, why);
        }
        let deed = place.deed;
        let answer = match self.licensed(now, &user, id, &home, answer) {
            Ok(answer) => answer,
            Err(why) => return self.not_done(now, deed, why),
        };
        match self.visitor_sits_down(now, place, &user, &home, id, &answer) {
            Ok((visitor, missing)) => {
                let site = self.config.site.name.clone();
                let profile = visitor.guest.user.profile.clone();
                let then = Then {
                    licence: Some(Licence::Settle(user.clone(), id, profile, home.clone())),
                    events: vec![self.logged_in(&user, &home, &site, visitor.login, missing)],
                    deed: Some(deed),
                    ..Then::default()
                };
                self.change(now, &user, Some(Record::Visitor(visitor)), then);
            }
            Err(why) => {
                self.release_licence(&user, id);
                self.notify(now, Notice::undo(&user, &home, id));
                self.not_done(now, deed, why);
            }
        }
    }

    fn visitor_sits_down(
        &mut self,
        now: Now,
        place: Place,
        user: &Extension,
        home: &SiteName,
        id: LoginId,
        answer: &LoginAnswer,
    ) -> Result<(Visitor, Option<String>), Rejection> {
        let view = self.location.view(user.as_str());
        let present = view.as_deref().and_then(Record::visitor);
        let bindings = present.map(|present| present.bindings.clone()).unwrap_or_default();
        let guest = guest_of(user, home, answer);
        let missing = self.missing_rights(&guest);
        let arrival = Arrival {
            home: home.clone(),
            id,
            login: answer.login,
            guest: Arc::new(guest),
            lease: Duration::from_secs(answer.lease.max(1)),
            displaced: kept_out(&answer.kept_out, &self.config.site.name),
        };
        let here = self.config.site.name.clone();
        let mut visitor = arrive(present, arrival, bindings, now, self.entropy.next_u64());
        if *user == place.phone {
            self.own_visitor_is_back(now, &place, &mut visitor)?;
        } else {
            let devices = self.devices(visitor.guest.allows.devices);
            let seat = self.seat_at(now, place);
            hot_desk::sit_down_visiting(&mut visitor, seat, devices, &here, now.wall)?;
        }
        Ok((visitor, missing))
    }

    /// The visitor whose own phone it is has it again.
    fn own_visitor_is_back(&mut self, now: Now, place: &Place, visitor: &mut Visitor) -> Result<(), Rejection> {
        if !visitor.bindings.iter().any(|binding| binding.device.is(&place.device)) {
            let phone = self.revived(now, place.lost.as_ref().ok_or_else(not_registered)?, &visitor.bindings);
            let (devices, here) = (self.devices(visitor.guest.allows.devices), &self.config.site.name);
            for lost in hot_desk::take_phone(&mut visitor.bindings, &mut visitor.seats, phone, devices)? {
                displace(&mut visitor.displaced, lost, here, now.wall);
            }
        }
        crate::location::bring_back(&mut visitor.displaced, &place.device);
        self.free(now, place);
        Ok(())
    }

    /// Home did not answer: 504, and the login is undone there as soon as that can be said (SPEC 5.2).
    pub(super) fn dialled_login_failed(&mut self, now: Now, key: Key, home: &SiteName) {
        self.doubt_logins_of(now, home);
        self.undo_dialled_login(now, key, &cannot_be_reached(home));
    }

    /// The phone hangs up while home is being asked.
    pub(super) fn give_up_login(&mut self, now: Now, deed: Deed) {
        let key = self.dialled_logins.iter().find(|(_, login)| login.place.deed == deed).map(|(key, _)| *key);
        if let Some(key) = key {
            self.undo_dialled_login(now, key, &Rejection::new(Status::REQUEST_TERMINATED));
        }
    }

    fn undo_dialled_login(&mut self, now: Now, key: Key, why: &Rejection) {
        let Some(login) = self.dialled_logins.remove(&key) else { return };
        self.release_licence(&login.user, login.id);
        self.notify(now, Notice::undo(&login.user, &login.home, login.id));
        self.not_done(now, login.place.deed, why.clone());
        self.note_arrived(&login.user);
    }

    /// Home says where a user is while its answer to a login here is under way.
    pub(super) fn note_newest_dialled(&mut self, user: &Extension, newest: LoginNumber, now_at: Option<&SiteName>) {
        for login in self.dialled_logins.values_mut().filter(|login| login.user == *user) {
            if login.newest.as_ref().is_none_or(|(known, _)| *known < newest) {
                login.newest = Some((newest, now_at.cloned()));
            }
        }
    }

    /// Whether a login by dialling waits for that user's home.
    pub(super) fn is_dialled_in(&self, user: &Extension) -> bool {
        self.dialled_logins.values().any(|login| login.user == *user)
    }
}

/// Nothing can ring there, and the site does not know what else it might be.
fn not_registered() -> Rejection {
    Rejection::warned(Status::FORBIDDEN, "this phone is not registered here")
}

/// Right or wrong, locked or not: what a person is told of a code that is not taken.
pub(super) fn wrong_code() -> Rejection {
    Rejection::warned(Status::FORBIDDEN, "wrong code")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_the_user_stands_before_the_code() {
        assert_eq!(user_and_code("201*1234"), (Some("201"), "1234"));
        assert_eq!(user_and_code("1234"), (None, "1234"));
        assert_eq!(user_and_code(""), (None, ""));
        assert_eq!(user_and_code("*1234"), (Some(""), "1234"));
    }
}
