//! What other sites ask about logins: taken, renewed, ended, displaced (SPEC 5.2-5.7, 8.4).

use std::collections::BTreeSet;

use super::asking::Notice;
use super::convert::{device, forced_by, kept_out_told, terms};
use super::handover::Parcel;
use super::in_force::{Settings, in_force};
use super::logout::cause;
use super::sites::refusal_of;
use super::tasks::{Asked, Licence, Then};
use super::{Config, Node};
use crate::auth::{Claimed, Given, Ha1s};
use crate::event::{Event, LoggedOutBy};
use crate::hot_desk::{self, Renewed, Which};
use crate::ids::{Extension, LoginNumber, SiteName};
use crate::link::Token;
use crate::link::messages::{
    self, Displaced, LoginAnswer, LoginRequest, LogoutRequest, Pin, Refusal, RenewAnswer, RenewRequest, Renewal,
};
use crate::location::{Device, Displacement, Ending, Loss, Record, Resident, displacement, forgive};
use crate::rejection::Rejection;
use crate::settings::{Credentials, Profile, User};
use crate::sip::Status;
use crate::sip::digest::Entity;
use crate::timing::Now;
use crate::transaction::ServerId;

/// A change of a resident, and whom to tell once it is stored.
pub(super) type Step = (Extension, Resident, Vec<Notice>);

impl Node {
    /// SPEC 5.2: home checks the digest and that the user may, takes the login durably, and only then answers.
    pub(super) fn take_login(
        &mut self,
        now: Now,
        server: ServerId,
        asked: &Asked,
        token: &Token,
        site: &SiteName,
        request: &LoginRequest,
    ) {
        let extension = &request.extension;
        if self.undone_logins.has(now.instant, request.login_id) {
            let rejection = Rejection::because(Status::SERVER_TIMEOUT, "this login was undone");
            return self.refuse_site(now, server, asked, token, &rejection);
        }
        if request.leaves {
            return self.take_farewell(now, server, asked, token, request);
        }
        let taken = self.claimant(now, extension, request).and_then(|user| {
            let view = self.location.view(extension.as_str());
            let empty = Resident::default();
            let resident = view.as_deref().and_then(Record::resident).unwrap_or(&empty);
            let profile = self.config.network.profile(&user.profile);
            let login = hot_desk::LoginRequest {
                site: site.clone(),
                id: request.login_id,
                device: device(&request.device),
                by_dialling: request.by_dialling,
            };
            let terms = terms(&request.terms);
            let lease = self.config.site.hot_desk.lease;
            let login = hot_desk::login(resident, &login, &user.profile, &profile, &terms, lease, now)?;
            Ok((user, login))
        });
        let (user, login) = match taken {
            Ok(taken) => taken,
            Err(rejection) => {
                let displaced = rejection.status == Status::FORBIDDEN && self.is_kept_out(now, site, request);
                let refusal = Refusal { displaced, ..refusal_of(&rejection) };
                return self.refuse_site_with(now, server, asked, token, &refusal);
            }
        };
        let answer = LoginAnswer {
            kept_out: kept_out_told(&login.resident.displaced, site, now.wall),
            login: login.number,
            lease: self.config.site.hot_desk.lease.as_secs(),
            settings: settings_of(&self.config, &user, &login.profile),
            profile: login.profile,
            ha1: (&user.credentials).into(),
        };
        let mut then = self.site_then(now, server, asked, token, Some(&messages::encode(&answer)));
        then.notices = login.notices.into_iter().map(|notice| Notice::displace(extension, notice)).collect();
        then.events.push(self.logged_in(extension, &self.config.site.name, site, login.number, None));
        self.change(now, extension, Some(Record::Resident(login.resident)), then);
    }

    /// Whether a login is refused because its phone has lost the user (SPEC 5.5): that is looked at before anything else.
    fn is_kept_out(&self, now: Now, site: &SiteName, request: &LoginRequest) -> bool {
        let view = self.location.view(request.extension.as_str());
        let displaced = view.as_deref().and_then(Record::resident).map_or(&[][..], |resident| &resident.displaced);
        let standing = displacement(displaced, &device(&request.device), site, now.wall);
        !request.by_dialling && matches!(standing, Displacement::Holds(_))
    }

    /// SPEC 5.5: a phone at another site has taken itself out; it is kept out no more.
    fn take_farewell(&mut self, now: Now, server: ServerId, asked: &Asked, token: &Token, request: &LoginRequest) {
        let extension = &request.extension;
        if let Err(rejection) = self.proven_user(extension, request) {
            return self.refuse_site(now, server, asked, token, &rejection);
        }
        let then = self.site_then(now, server, asked, token, None);
        let view = self.location.view(extension.as_str());
        let resident = view.as_deref().and_then(Record::resident).cloned().unwrap_or_default();
        let mut next = resident.clone();
        forgive(&mut next.displaced, &device(&request.device));
        match next.displaced == resident.displaced {
            true => self.confirm(now, extension, then),
            false => self.change(now, extension, Some(Record::Resident(next)), then),
        }
    }

    /// The user of a login, by what proves it: the digest of a REGISTER, the PIN of a login by dialling, or both where the site does not know
    /// the phone.
    fn claimant(&self, now: Now, extension: &Extension, request: &LoginRequest) -> Result<User, Rejection> {
        let wrong = || Rejection::new(Status::UNAUTHORIZED);
        if !request.by_dialling {
            return self.proven_user(extension, request);
        }
        let by_digest = !request.digest.username.is_empty();
        if by_digest {
            self.proven_user(extension, request)?;
        }
        match &request.code {
            Some(Pin(code)) => {
                self.check_code(now, extension, code).map_err(|_| wrong())?;
                self.commons.codes.with(|codes| codes.note_right(extension.as_str(), None));
            }
            None if by_digest => {}
            None => return Err(wrong()),
        }
        self.user_to_travel(extension).ok_or_else(wrong)
    }

    /// The user of a login, if the digest that the phone gave is right: an unknown user is like a wrong password (SPEC 4.4).
    fn proven_user(&self, extension: &Extension, request: &LoginRequest) -> Result<User, Rejection> {
        let wrong = || Rejection::new(Status::UNAUTHORIZED);
        let user = self.user_to_travel(extension);
        if self.is_open_lab() && self.owns(extension.as_str()) {
            return user.ok_or_else(wrong);
        }
        let digest = &request.digest;
        let given = Given {
            username: digest.username.as_bytes(),
            realm: digest.realm.as_bytes(),
            nonce: digest.nonce.as_bytes(),
            uri: digest.uri.as_bytes(),
            response: digest.response.as_bytes(),
            algorithm: digest.algorithm.as_deref().map(str::as_bytes),
            qop: digest.qop.as_deref().map(str::as_bytes),
            nc: digest.nc.as_deref().map(str::as_bytes),
            cnonce: digest.cnonce.as_deref().map(str::as_bytes),
        };
        let entity = match &digest.body_hash {
            Some(hash) => Entity::Hash(hash.as_bytes()),
            None => Entity::Body(b""),
        };
        let is_named = digest.username == extension.as_str() && digest.realm == self.config.network.realm;
        let ha1s = user.as_ref().filter(|_| is_named).map(|user| Ha1s::from(&user.credentials));
        let proven = Claimed::read(digest.method.as_bytes(), &given, entity).is_ok_and(|claimed| claimed.proves(ha1s));
        user.filter(|_| proven).ok_or_else(wrong)
    }

    /// A user of this site with what is set now, and with what proves the user.
    fn user_to_travel(&self, extension: &Extension) -> Option<User> {
        let view = self.location.view(extension.as_str());
        let user = in_force(&self.config, extension.as_str(), view.as_deref());
        if self.config.site.users.contains_key(extension) {
            return user.map(Settings::into_owned);
        }
        let lab = self.lab_user(extension)?;
        Some(match user {
            Some(user) => User { credentials: lab.credentials, ..user.into_owned() },
            None => lab,
        })
    }

    /// In lab mode every fitting name is a user with default settings (SPEC 4.7).
    fn lab_user(&self, extension: &Extension) -> Option<User> {
        let lab = self.config.site.lab.as_ref().filter(|_| self.owns(extension.as_str()))?;
        let credentials = match &lab.password {
            Some(password) => self.ha1s_of(extension.as_str(), password),
            None => Credentials::default(),
        };
        Some(User { credentials, ..User::plain(extension.clone(), "basic") })
    }

    /// SPEC 5.3, 8.4: another site says who of our users is still there.
    pub(super) fn take_renewals(
        &mut self,
        now: Now,
        server: ServerId,
        asked: &Asked,
        token: &Token,
        site: &SiteName,
        request: &RenewRequest,
    ) {
        let mut seen = BTreeSet::new();
        let once = request.logins.iter().take(RenewRequest::MOST).filter(|renewal| seen.insert(&renewal.extension));
        let logins: Vec<Renewal> = once.cloned().collect();
        if !logins.iter().all(|renewal| self.writes_for(&renewal.extension)) {
            return self.gather(now, server, asked, token, site, logins);
        }
        let (words, steps) = self.hear_renewals(now, site, &logins);
        let then = self.site_then(now, server, asked, token, Some(&messages::encode(&RenewAnswer::fitting(words))));
        self.take_steps(now, steps, then);
    }

    /// What is answered to renewals of users that are this shard's, and the steps that they make.
    pub(super) fn hear_renewals(
        &mut self,
        now: Now,
        site: &SiteName,
        logins: &[Renewal],
    ) -> (Vec<messages::Renewed>, Vec<Step>) {
        let (mut words, mut steps) = (Vec::new(), Vec::new());
        for renewal in logins {
            let Some((word, step)) = self.hear_renewal(now, site, renewal) else { continue };
            words.push(word);
            steps.extend(step);
        }
        (words, steps)
    }

    /// Stages steps; what follows waits for the last of them: ids are cumulative.
    pub(super) fn take_steps(&mut self, now: Now, mut steps: Vec<Step>, then: Then) {
        let Some((extension, resident, notices)) = steps.pop() else { return self.fulfil(now, then) };
        for (extension, resident, notices) in steps {
            self.change(now, &extension, Some(Record::Resident(resident)), Then { notices, ..Then::default() });
        }
        self.change(now, &extension, Some(Record::Resident(resident)), Then { notices, ..then });
    }

    /// One renewal: what is answered, and the step that it makes, if it is more than a longer lease.
    fn hear_renewal(
        &mut self,
        now: Now,
        site: &SiteName,
        renewal: &Renewal,
    ) -> Option<(messages::Renewed, Option<Step>)> {
        let extension = &renewal.extension;
        let own = self.user_to_travel(extension);
        let gone = |newest: LoginNumber, now_at: Option<SiteName>| {
            let gone = messages::Gone { site: now_at, newest };
            messages::Renewed::gone(extension.clone(), renewal.login, gone)
        };
        // SPEC 5.11: a user who was removed is logged out.
        let Some(user) = own else { return Some((gone(renewal.login, None), None)) };
        let view = self.location.view(extension.as_str());
        let resident = view.as_deref().and_then(Record::resident).cloned().unwrap_or_default();
        let (lease, here) = (self.config.site.hot_desk.lease, self.config.site.name.clone());
        let on_reconnect = self.config.site.hot_desk.on_reconnect;
        let heard = hot_desk::Renewal {
            id: renewal.login_id,
            login: renewal.login,
            since: renewal.since,
            devices: renewal.devices.iter().map(device).collect(),
            busy: renewal.in_call,
        };
        let held = || {
            let mut word = messages::Renewed::held(extension.clone(), renewal.login, lease.as_secs());
            let settings = settings_of(&self.config, &user, &user.profile);
            let differs = settings.version != renewal.settings_version;
            word.ha1 = (differs || renewal.wants_ha1).then(|| (&user.credentials).into());
            word.settings = differs.then_some(settings);
            word
        };
        match hot_desk::renew(&resident, site, &heard, lease, on_reconnect, &here, now) {
            Renewed::Kept(next) => {
                let word = held();
                self.extend(now, extension, Record::Resident(next), Then::default());
                Some((word, None))
            }
            Renewed::Taken(next, notice) => {
                let notices = notice.into_iter().map(|notice| Notice::displace(extension, notice)).collect();
                Some((held(), Some((extension.clone(), next, notices))))
            }
            Renewed::ReturnedHome(next) => {
                Some((gone(next.login, Some(here)), Some((extension.clone(), next, Vec::new()))))
            }
            Renewed::Gone { now_at, login, kept_out } => {
                // What rests on a step that waits is said behind it.
                let waits = self.location.is_staged(extension.as_str());
                // A renewal that was under way when its last phone left keeps nobody out.
                let kept_out = kept_out.filter(|_| !self.left_logins.has(now.instant, renewal.login_id));
                let next = kept_out.map(|next| *next).or_else(|| waits.then(|| resident.clone()));
                let step = next.map(|next| (extension.clone(), next, Vec::new()));
                Some((gone(login, now_at.or(Some(here))), step))
            }
            Renewed::NotBelieved => None,
        }
    }

    /// SPEC 5.7, 5.2: a login elsewhere has ended, or is undone.
    pub(super) fn take_logout(
        &mut self,
        now: Now,
        server: ServerId,
        asked: &Asked,
        token: &Token,
        site: &SiteName,
        request: &LogoutRequest,
    ) {
        let extension = &request.extension;
        let view = self.location.view(extension.as_str());
        let which = request.login.map_or(Which::Id(request.login_id), Which::Number);
        let forced = forced_by(request);
        match which {
            // Its request may come late, and must not be taken then.
            Which::Id(id) => self.undone_logins.note(now.instant, id),
            Which::Number(_) if forced.is_none() && !request.by_hand => {
                self.left_logins.note(now.instant, request.login_id);
            }
            // Its phones are kept out, whatever else is heard of it.
            Which::Number(_) => {}
        }
        let devices: Vec<Device> = request.devices.iter().map(device).collect();
        let ended = view.as_deref().and_then(Record::resident).and_then(|resident| match forced {
            Some(why) => hot_desk::forced_out(resident, site, which, why, now),
            None if request.by_hand => hot_desk::left_by_hand(resident, site, which, now),
            None => hot_desk::logout(resident, site, which, now),
        });
        let kept_out_by = forced.map(Loss::LoggedOut).or_else(|| request.by_hand.then(|| Loss::LeftAt(site.clone())));
        let resident = ended.as_ref().or_else(|| view.as_deref().and_then(Record::resident));
        let kept_out = resident
            .and_then(|resident| hot_desk::keep_out_unknown(resident, which, &devices, kept_out_by.as_ref()?, now));
        let mut then = self.site_then(now, server, asked, token, None);
        let Some(next) = ended else {
            return match kept_out {
                Some(next) => self.change(now, extension, Some(Record::Resident(next)), then),
                None => self.confirm(now, extension, then),
            };
        };
        if next.away.is_none() {
            let by = forced.map_or(LoggedOutBy::Phone, cause);
            then.events.push(Event::LoggedOut { extension: extension.clone(), at: site.clone(), by });
        }
        self.change(now, extension, Some(Record::Resident(kept_out.unwrap_or(next))), then);
    }

    /// SPEC 5.5: our visitor is logged in elsewhere now.
    pub(super) fn take_displacement(
        &mut self,
        now: Now,
        server: ServerId,
        asked: &Asked,
        token: &Token,
        site: &SiteName,
        request: &Displaced,
    ) {
        let mut then = self.site_then(now, server, asked, token, None);
        self.note_newest(&request.extension, request.gone.newest, request.gone.site.as_ref());
        if !self.drop_visitor(now, &request.extension, site, request.gone.newest, &mut then) {
            self.confirm(now, &request.extension, then);
        }
    }

    /// Ends a visit that home says is over; false if there is none that old.
    pub(super) fn drop_visitor(
        &mut self,
        now: Now,
        extension: &Extension,
        home: &SiteName,
        newest: LoginNumber,
        then: &mut Then,
    ) -> bool {
        let view = self.location.view(extension.as_str());
        let Some(visitor) = view.as_deref().and_then(Record::visitor) else { return false };
        if visitor.home != *home || !hot_desk::is_displaced(visitor, newest) {
            return false;
        }
        then.licence = Some(Licence::Leave(extension.clone()));
        then.events.push(self.logged_out(extension, LoggedOutBy::Displacement));
        let left = hot_desk::left_before(visitor);
        then.notices.extend(left.map(|left| Notice::visit_ended(extension, &left, Ending::ByHand)));
        self.lose_phones(now, extension, &visitor.bindings);
        self.change(now, extension, None, std::mem::take(then));
        true
    }

    /// Home ends a login that the visited site says is not there (SPEC 9.2): the call that found out may be another shard's.
    pub(super) fn not_there(&mut self, now: Now, extension: &Extension, site: &SiteName, login: LoginNumber) {
        if !self.writes_for(extension) {
            let (owner, extension) = (self.commons.owners.of_user(extension.as_str()), extension.clone());
            return self.hand_over(now, owner, Parcel::NotThere { extension, site: site.clone(), login });
        }
        let view = self.location.view(extension.as_str());
        let resident = view.as_deref().and_then(Record::resident);
        let Some(next) = resident.and_then(|resident| hot_desk::not_there(resident, site, login, now)) else { return };
        let event = Event::LoggedOut { extension: extension.clone(), at: site.clone(), by: LoggedOutBy::NotThere };
        let then = Then { events: vec![event], ..Then::default() };
        self.change(now, extension, Some(Record::Resident(next)), then);
    }
}

/// What travels with the user, with a version that is another for another content or another password (SPEC 5.11).
pub(super) fn settings_of(config: &Config, user: &User, granted: &str) -> messages::Settings {
    let profile: Profile = config.network.profile(granted);
    let mut settings = messages::Settings::of(user, &profile, 0);
    // The visited site learns where calls are to be handed back; what is dialled then is judged here.
    if let Some(voicemail) = &config.site.voicemail {
        let forward = &mut settings.forward;
        for last in [&mut forward.busy, &mut forward.no_answer, &mut forward.unreachable] {
            last.get_or_insert_with(|| voicemail.clone());
        }
    }
    let ha1 = messages::encode(&messages::Ha1::from(&user.credentials));
    let hash = blake3::Hasher::new().update(&messages::encode(&settings)).update(&ha1).finalize();
    let mut first = [0; 8];
    first.copy_from_slice(&hash.as_bytes()[..8]);
    // Versions fit JSON's safe integers.
    messages::Settings { version: (u64::from_le_bytes(first) >> 12).max(1), ..settings }
}
