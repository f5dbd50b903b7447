//! A visitor's first REGISTER: home is asked, and its word makes the visitor (SPEC 5.1, 5.2).

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::Node;
use super::admit::{Account, Credible, Proven};
use super::asking::{Notice, What};
use super::convert::{device_told, kept_out};
use super::logout::Untold;
use super::tasks::{Asked, Licence, ServerTask};
use crate::auth::Ha1s;
use crate::hot_desk::{self, Arrival, arrive};
use crate::ids::{Extension, LoginId, LoginNumber, SiteName};
use crate::link::messages::{self, LoginAnswer, LoginRequest, PhoneDigest, Refusal, Terms};
use crate::link::{Claims, Purpose};
use crate::location::{Binding, Device, Guest, Record, Seat, Visitor, displace};
use crate::registrar::{Judged, Standing, Update, judge, next_serial, standing};
use crate::rejection::Rejection;
use crate::settings::{Credentials, Origin};
use crate::sip::{self, Name, Status};
use crate::timing::Now;
use crate::transaction::ServerId;

/// A REGISTER that waits for home's word.
#[derive(Debug)]
struct Arriving {
    asked: Asked,
    server: ServerId,
    update: Update,
}

/// A visitor's phones after a REGISTER, and those that had to go for it.
struct Phones {
    bindings: Vec<Binding>,
    seats: Vec<Seat>,
    lost: Vec<Device>,
}

/// A login that home has been asked for.
#[derive(Debug)]
pub(super) struct Pending {
    first: Arriving,
    id: LoginId,
    home: SiteName,
    /// REGISTERs for the same user that came meanwhile.
    behind: VecDeque<Arriving>,
    /// The newest login that home has spoken of meanwhile, and where: it may have overtaken the answer to this one.
    newest: Option<(LoginNumber, Option<SiteName>)>,
}

/// Most REGISTERs that wait behind one login.
const BEHIND: usize = 16;
/// Most logins under way, and most from one address: nobody has proven anything yet.
const PENDING: usize = 10_000;
const PENDING_FROM_ONE: usize = 256;
/// Most logins that wait for one home: one that says nothing leaves room for the others.
const PENDING_AT_ONE: usize = 2_500;

impl Node {
    pub(super) fn register_visitor(&mut self, now: Now, asked: Asked, extension: &Extension, home: &SiteName) {
        let view = self.location.view(extension.as_str());
        let known = view.as_deref().and_then(Record::visitor);
        if let Some(visitor) = known.filter(|visitor| self.is_open_lab() || proves(visitor)) {
            return self.register_known(now, asked, extension, visitor);
        }
        // A copy of what home is asked about is a copy, whatever has become of its nonce.
        if self.is_farewell(&asked) {
            return;
        }
        if let Err(rejection) = self.credible_register(now, &asked, extension) {
            return self.refuse_statelessly(&asked, &rejection);
        }
        // SPEC 5.9: a locked one gets the answer that a wrong one gets.
        let source = asked.source.remote.ip();
        if self.commons.lockout.with(|lockout| lockout.is_locked(now.instant, extension.as_str(), source)) {
            let rejection = self.challenge(now, &Name::Authorization, false);
            return self.refuse_statelessly(&asked, &rejection);
        }
        let site = self.config.site.clone();
        let update = Update::read(&asked.request, asked.source, &site.limits, &site.registrar);
        let update = match update.and_then(|update| self.may_bind(&update).map(|()| update)) {
            Ok(update) => update,
            Err(rejection) => return self.refuse_statelessly(&asked, &rejection),
        };
        // What nobody has proven keeps nothing here, but for a login that home is asked about.
        if !update.stays() && !self.logins.contains_key(extension) {
            if self.returning.contains_key(extension) {
                // SPEC 8.5: what is on disk may come back, and only home's word says what proves the user.
                let text = format!("home site {home} has not confirmed the login yet");
                return self.refuse_statelessly(&asked, &Rejection::warned(Status::SERVER_TIMEOUT, text));
            }
            return self.hear_farewell(now, asked, extension, home, update);
        }
        if !self.has_room_for(extension, home, asked.source.remote.ip()) {
            return self.refuse_statelessly(&asked, &Rejection::busy());
        }
        let untold = match self.untold_logout(extension, home) {
            // SPEC 5.2: a home that is known to be away is not waited for.
            None if update.stays() && self.links.is_down(home) => Some(Untold::Away),
            untold => untold,
        };
        match untold {
            // The phone asks again after T1 (RFC 3261 §17.1.2.2), and home's word stands then.
            Some(Untold::Soon) => return,
            Some(Untold::Away) if !self.is_as_in_limbo(now, &asked, extension, &update) => {
                return self.refuse_statelessly(&asked, &cannot_be_reached(home));
            }
            Some(Untold::Away) | None => {}
        }
        let Some(server) = self.begin_anew(now, &asked, ServerTask::Own) else { return };
        let arriving = Arriving { asked, server, update };
        if untold.is_some() {
            return self.login_unjudged(now, extension, home, arriving);
        }
        match self.logins.get_mut(extension) {
            Some(pending) => pending.behind.push_back(arriving),
            None => self.ask_home(now, extension, home.clone(), arriving, VecDeque::new()),
        }
    }

    /// Whether one more login may wait: behind another of the same user, or as a new one for that home and from that address.
    fn has_room_for(&self, extension: &Extension, home: &SiteName, source: IpAddr) -> bool {
        match self.logins.get(extension) {
            Some(pending) => pending.behind.len() < BEHIND,
            None => {
                let is_few = |most: usize, counts: &dyn Fn(&Pending) -> bool| {
                    self.logins.len() < most || self.logins.values().filter(|pending| counts(pending)).count() < most
                };
                self.logins.len() < PENDING
                    && is_few(PENDING_FROM_ONE, &|pending| pending.first.asked.source.remote.ip() == source)
                    && is_few(PENDING_AT_ONE, &|pending| pending.home == *home)
            }
        }
    }

    /// A visitor who is logged in here already.
    fn register_known(&mut self, now: Now, asked: Asked, extension: &Extension, visitor: &Visitor) {
        match self.prove_visitor(now, &asked, extension, visitor) {
            Ok(proven) => {
                let Some(server) = self.begin(now, &asked, ServerTask::Own) else { return };
                if let Err(rejection) = self.update_visitor(now, server, &asked, extension, visitor, &proven) {
                    self.refuse(now, server, &asked, &rejection);
                }
            }
            Err(rejection) => self.refuse_statelessly(&asked, &rejection),
        }
    }

    fn prove_visitor(
        &mut self,
        now: Now,
        asked: &Asked,
        extension: &Extension,
        visitor: &Visitor,
    ) -> Result<Proven, Rejection> {
        if self.is_open_lab() {
            let account = Account::Visitor(extension.clone(), Arc::clone(&visitor.guest));
            return Ok(Proven { account, nonce_issued: None });
        }
        self.prove_register(now, asked, extension)
    }

    /// Whether home may be asked: the credentials are this user's, over a fresh nonce of ours.
    fn credible_register(&mut self, now: Now, asked: &Asked, extension: &Extension) -> Result<(), Rejection> {
        if !self.config.site.hot_desk.visitors {
            return Err(Rejection::warned(Status::FORBIDDEN, "this site takes no visitors"));
        }
        if self.is_open_lab() {
            return Ok(());
        }
        match self.credible(now, asked, &Name::Authorization) {
            Credible::Fresh(given) if given.username == extension.as_str().as_bytes() => Ok(()),
            Credible::Fresh(_) => Err(Rejection::warned(Status::FORBIDDEN, "Wrong User")),
            Credible::Challenge(rejection) => Err(rejection),
        }
    }

    fn ask_home(
        &mut self,
        now: Now,
        extension: &Extension,
        home: SiteName,
        first: Arriving,
        behind: VecDeque<Arriving>,
    ) {
        let id = LoginId(self.entropy.bytes());
        let terms = self.terms_of_login(now, extension, id, &home);
        let request = self.login_request(now, &first.asked, extension, id, &first.update, terms);
        let body = messages::encode(&request);
        let what = What::Login(extension.clone());
        let pending = Pending { first, id, home: home.clone(), behind, newest: None };
        self.logins.insert(extension.clone(), pending);
        self.commons.arriving.with(|arriving| arriving.insert(extension.clone()));
        self.ask_site(now, &home, Claims::of(Purpose::Login), Some(extension), body, what);
    }

    pub(super) fn login_request(
        &self,
        now: Now,
        asked: &Asked,
        extension: &Extension,
        login_id: LoginId,
        update: &Update,
        terms: Terms,
    ) -> LoginRequest {
        let given = self.credentials(asked, &Name::Authorization);
        LoginRequest {
            extension: extension.clone(),
            login_id,
            device: device_told(&update.device()),
            terms,
            digest: given.map(|given| digest_of(asked, &given, now)).unwrap_or_default(),
            source: asked.source.remote.ip(),
            leaves: false,
            by_dialling: false,
            code: None,
        }
    }

    /// Home has spoken.
    pub(super) fn login_answered(&mut self, now: Now, extension: &Extension, status: Status, body: Option<&[u8]>) {
        let Some(pending) = self.logins.remove(extension) else { return };
        let answer = body.filter(|_| status.is_success()).and_then(|body| messages::decode::<LoginAnswer>(body).ok());
        match answer {
            Some(answer) => self.login_taken(now, extension, pending, answer),
            None => {
                let refusal = body.and_then(|body| messages::decode::<Refusal>(body).ok()).unwrap_or_default();
                self.login_refused(now, extension, pending, &refusal);
            }
        }
        self.note_arrived(extension);
    }

    fn login_taken(&mut self, now: Now, extension: &Extension, pending: Pending, answer: LoginAnswer) {
        let Pending { first: Arriving { asked, server, update }, id, home, behind, newest } = pending;
        let site = self.config.site.clone();
        let view = self.location.view(extension.as_str());
        let present = view.as_deref().and_then(Record::visitor);
        // The digest is known to be right now: its nonce count is spent, as at every other REGISTER.
        if let Some(given) = self.credentials(&asked, &Name::Authorization) {
            self.verdict(now, &asked, &given, Some(Ha1s::from(&answer.ha1.clone().into())));
        }
        let answer = match self.licensed(now, extension, id, &home, answer) {
            Ok(answer) => answer,
            Err(rejection) => {
                self.refuse(now, server, &asked, &rejection);
                return self.next_login(now, extension, &home, behind);
            }
        };
        let guest = guest_of(extension, &home, &answer);
        let Phones { bindings, seats, lost } = match self.phones_after(now, present, &update, guest.allows.devices) {
            Ok(phones) => phones,
            Err(rejection) => {
                self.release_licence(extension, id);
                self.notify(now, Notice::undo(extension, &home, id));
                self.refuse(now, server, &asked, &rejection);
                return self.next_login(now, extension, &home, behind);
            }
        };
        if let Some((_, now_at)) = newest.filter(|(newest, _)| *newest > answer.login) {
            // SPEC 5.5: a login elsewhere was newer, and its notice overtook this answer.
            self.release_licence(extension, id);
            let place = now_at.unwrap_or_else(|| home.clone());
            let rejection = Rejection::warned(Status::FORBIDDEN, format!("logged in at {place}"));
            self.refuse(now, server, &asked, &rejection);
            return self.next_login(now, extension, &home, behind);
        }
        let missing = self.missing_rights(&guest);
        let arrival = Arrival {
            home: home.clone(),
            id,
            login: answer.login,
            guest: Arc::new(guest),
            lease: Duration::from_secs(answer.lease.max(1)),
            displaced: kept_out(&answer.kept_out, &site.name),
        };
        let arrived = arrive(present, arrival, bindings, now, self.entropy.next_u64());
        let mut visitor = Visitor { seats, ..arrived };
        lost.into_iter().for_each(|device| displace(&mut visitor.displaced, device, &site.name, now.wall));
        let profile = visitor.guest.user.profile.clone();
        let licence = Licence::Settle(extension.clone(), id, profile, home.clone());
        let mut then = self.accepted(now, server, &asked, &visitor.bindings, &update);
        then.events.push(self.logged_in(extension, &home, &site.name, visitor.login, missing));
        then.licence = Some(licence);
        self.note_bound(now, asked.source.remote.ip());
        self.change(now, extension, Some(Record::Visitor(visitor)), then);
        self.hear_behind(now, extension, &home, behind);
    }

    /// The phones here once the one that logs in is among them. 403 for one that had to go from here, and for one device too many.
    fn phones_after(
        &self,
        now: Now,
        present: Option<&Visitor>,
        update: &Update,
        allowed: usize,
    ) -> Result<Phones, Rejection> {
        let site = &self.config.site;
        let (before, seats, displaced) = present.map_or((&[][..], &[][..], &[][..]), |present| {
            (&present.bindings[..], &present.seats[..], &present.displaced[..])
        });
        if let Standing::Refused(why) = standing(displaced, update, &site.name, now.wall) {
            return Err(why);
        }
        let (mut seats, serial) = (seats.to_vec(), next_serial(before, now.wall));
        let judged = judge(before, update, allowed, &site.registrar, Some(now.wall), serial, now)?;
        let (mut bindings, mut lost) = match judged {
            Judged::Changed { bindings, displaced } => (bindings, displaced),
            Judged::Extended { bindings } => (bindings, Vec::new()),
            Judged::Query | Judged::Unchanged => (before.to_vec(), Vec::new()),
        };
        let devices = self.devices(allowed);
        lost.extend(hot_desk::make_room(before, &mut bindings, &mut seats, &update.device(), devices)?);
        Ok(Phones { bindings, seats, lost })
    }

    /// REGISTERs that waited: as long as the user is logged in here, this site judges them itself.
    fn hear_behind(&mut self, now: Now, extension: &Extension, home: &SiteName, mut behind: VecDeque<Arriving>) {
        loop {
            let view = self.location.view(extension.as_str());
            let Some(visitor) = view.as_deref().and_then(Record::visitor) else {
                return self.next_login(now, extension, home, behind);
            };
            let Some(Arriving { asked, server, .. }) = behind.pop_front() else { return };
            let done = self
                .prove_visitor(now, &asked, extension, visitor)
                .and_then(|proven| self.update_visitor(now, server, &asked, extension, visitor, &proven));
            if let Err(rejection) = done {
                self.refuse(now, server, &asked, &rejection);
            }
        }
    }

    fn login_refused(&mut self, now: Now, extension: &Extension, pending: Pending, refusal: &Refusal) {
        self.release_licence(extension, pending.id);
        let Pending { first: Arriving { asked, server, update }, home, behind, .. } = pending;
        if refusal.status == Status::FORBIDDEN.0 {
            self.spend_digest(now, &asked, &Name::Authorization);
        }
        let rejection = match refusal.status {
            401 => {
                let source = asked.source.remote.ip();
                self.doubt_logins_of(now, &home);
                self.commons.lockout.with(|lockout| lockout.note_wrong(now.instant, extension.as_str(), source));
                self.challenge(now, &Name::Authorization, false)
            }
            status @ 400..=699 => Rejection::warned(Status(status), refusal.text.clone()),
            _ => Rejection::warned(Status::SERVER_TIMEOUT, "the home site gave no reason"),
        };
        let end = match refusal.displaced {
            true => self.keep_out(now, server, &asked, extension, &update, Some(now.wall), rejection),
            false => Err(rejection),
        };
        if let Err(rejection) = end {
            self.refuse(now, server, &asked, &rejection);
        }
        self.next_login(now, extension, &home, behind);
    }

    /// The next REGISTER in the queue: what was wrong with one says nothing about another. Those that bind nothing hold nobody up.
    fn next_login(&mut self, now: Now, extension: &Extension, home: &SiteName, mut behind: VecDeque<Arriving>) {
        while let Some(first) = behind.pop_front() {
            if first.update.stays() {
                return self.ask_home(now, extension, home.clone(), first, behind);
            }
            self.say_farewell(now, first.asked, Some(first.server), extension, home, first.update);
        }
    }

    /// A login is under way here, or one of before a restart is not confirmed yet, at whatever shard: where it ends is not known yet.
    pub(super) fn is_arriving(&self, extension: &Extension) -> bool {
        self.commons.arriving.with(|arriving| arriving.contains(extension))
    }

    /// A login has ended, and what came of it is staged: the others see it there.
    pub(super) fn note_arrived(&self, extension: &Extension) {
        // The next one in the queue may have begun.
        let waits = self.logins.contains_key(extension) || self.is_dialled_in(extension);
        if !waits && !self.returning.contains_key(extension) {
            self.commons.arriving.with(|arriving| arriving.remove(extension));
        }
    }

    /// Home says where the user is while its answer to a login here is under way.
    pub(super) fn note_newest(&mut self, extension: &Extension, newest: LoginNumber, now_at: Option<&SiteName>) {
        self.note_newest_dialled(extension, newest, now_at);
        let Some(pending) = self.logins.get_mut(extension) else { return };
        if pending.newest.as_ref().is_none_or(|(known, _)| *known < newest) {
            pending.newest = Some((newest, now_at.cloned()));
        }
    }

    /// Home did not answer: 504, and the login is undone there as soon as that can be said (SPEC 5.2).
    pub(super) fn login_failed(&mut self, now: Now, extension: &Extension, home: &SiteName) {
        let Some(pending) = self.logins.remove(extension) else { return };
        self.release_licence(extension, pending.id);
        self.doubt_logins_of(now, home);
        self.notify(now, Notice::undo(extension, home, pending.id));
        for arriving in std::iter::once(pending.first).chain(pending.behind) {
            self.login_unjudged(now, extension, home, arriving);
        }
        self.note_arrived(extension);
    }

    /// Only home could say whether the phone may come in: 504, and what is in limbo stays there.
    fn login_unjudged(&mut self, now: Now, extension: &Extension, home: &SiteName, arriving: Arriving) {
        let (Arriving { asked, server, update }, unreachable) = (arriving, cannot_be_reached(home));
        let end = match self.is_as_in_limbo(now, &asked, extension, &update) {
            true => self.keep_out(now, server, &asked, extension, &update, Some(now.wall), unreachable),
            false => Err(unreachable),
        };
        if let Err(rejection) = end {
            self.refuse(now, server, &asked, &rejection);
        }
    }

    /// The rights that the visitor's home names and this site lacks (SPEC 7.2).
    pub(super) fn missing_rights(&self, guest: &Guest) -> Option<String> {
        let site = &self.config.site;
        let lacks = |name: &&String| !site.rights.contains_key(*name);
        guest.user.rights.as_ref().filter(lacks).or(guest.user.out_of_hours_rights.as_ref().filter(lacks)).cloned()
    }
}

/// SPEC 5.2: 504 that names the home site.
pub(super) fn cannot_be_reached(home: &SiteName) -> Rejection {
    Rejection::warned(Status::SERVER_TIMEOUT, format!("home site {home} cannot be reached"))
}

/// What travels, as this site keeps it.
pub(super) fn guest_of(extension: &Extension, home: &SiteName, answer: &LoginAnswer) -> Guest {
    let origin = Origin { file: format!("user {extension} of {home}").into(), line: 0 };
    Guest {
        user: answer.settings.user(extension.clone(), &answer.profile, answer.ha1.clone().into(), &origin),
        allows: (&answer.settings.allows).into(),
        version: answer.settings.version,
    }
}

/// Whether there is something here that proves the visitor: not after a change of the password, until home has said more (SPEC 5.11).
fn proves(visitor: &Visitor) -> bool {
    visitor.guest.user.credentials != Credentials::default()
}

pub(super) fn digest_of(asked: &Asked, given: &sip::Credentials, now: Now) -> PhoneDigest {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let optional = |bytes: &Option<bytes::Bytes>| bytes.as_deref().map(text);
    PhoneDigest {
        method: asked.request.method().as_str().to_owned(),
        username: text(&given.username),
        realm: text(&given.realm),
        nonce: text(&given.nonce),
        uri: text(&given.uri),
        response: text(&given.response),
        algorithm: optional(&given.algorithm),
        qop: optional(&given.qop),
        nc: optional(&given.nc),
        cnonce: optional(&given.cnonce),
        body_hash: given.qop.as_deref().filter(|qop| qop.eq_ignore_ascii_case(b"auth-int")).map(|_| {
            let algorithm = given.algorithm.as_deref().and_then(sip::digest::named);
            let algorithm = algorithm.unwrap_or(crate::settings::DigestAlgorithm::Md5);
            sip::digest::body_hash(algorithm, &asked.request.body()).as_str().to_owned()
        }),
        nonce_issued: now.wall,
    }
}
