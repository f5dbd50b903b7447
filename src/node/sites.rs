//! Requests of other sites, by the claims of their token (SPEC 11.1): calls, logins, leases, notices, probes.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::Node;
use super::asking::Notice;
use super::convert::{device, terms};
use super::route::number_of;
use super::tasks::{Asked, Licence, Passing, ServerTask, Then, Waiting};
use crate::auth::{Claimed, Given, Ha1s};
use crate::event::{Event, LoggedOutBy};
use crate::hot_desk::{self, Renewed, Which};
use crate::ids::{Extension, LoginId, LoginNumber, SiteName};
use crate::link::messages::{
    self, Displaced, LoginAnswer, LoginRequest, LogoutRequest, Refusal, RenewAnswer, RenewRequest,
};
use crate::link::proof::Peer;
use crate::link::{
    CONTENT_TYPE, Caller as Claimant, Cause, Claims, Purpose, Refused, Token, open_request, seal_answer,
};
use crate::location::{Record, Resident};
use crate::plan::{Caller as Dialler, FromSite, Outcome, RightsNames, Standing, Trace};
use crate::proxy::{Caller, routing_hash};
use crate::rejection::Rejection;
use crate::settings::{Credentials, Profile, User};
use crate::sip::digest::Entity;
use crate::sip::{Name, Status, Via};
use crate::timing::Now;
use crate::transaction::ServerId;

/// How long the id of a login that was undone is remembered: twice as long as its request can be repeated.
const UNDONE: Duration = Duration::from_secs(64);
/// Most of them.
const UNDONE_MOST: usize = 1_000;

/// Whether a user of another site is here.
enum Visiting {
    Here,
    /// A login is under way or not yet stored.
    Arriving,
    No,
}

/// SPEC 13: storage failed.
const UNSTORED: Status = Status::SERVER_INTERNAL_ERROR;

impl Node {
    /// Judges a token. `None`: the request is like any other from an unknown source (SPEC 11.3). `Err`: it has been answered.
    pub(super) fn vouched(&mut self, now: Now, asked: &Asked) -> Option<Result<Token, ()>> {
        match self.links.admit(now, asked)? {
            Ok(token) => Some(Ok(token)),
            Err(refused) => {
                let why = format!("link token refused: {refused}");
                self.say(Event::Dropped { source: asked.source.remote, why: why.into() });
                let cause = match &refused {
                    Refused::OtherBoot(_) => Cause::OtherBoot,
                    Refused::Stale(_) => Cause::Clock,
                    // A copy of what was answered once deserves no answer.
                    Refused::Replay(_) => return Some(Err(())),
                    _ => return None,
                };
                let token = refused.proven()?.clone();
                if let Some(server) = self.begin(now, asked, ServerTask::Own) {
                    let status = Status::CONDITIONAL_REQUEST_FAILED;
                    self.answer_site(now, server, asked, &token, status, Some(cause), None);
                }
                Some(Err(()))
            }
        }
    }

    /// A request that another site vouches for.
    pub(super) fn site_asks(&mut self, now: Now, asked: Asked, token: Token) {
        let Some(site) = self.links.name(token.envelope.from).cloned() else { return };
        match token.claims.purpose {
            Purpose::Deliver | Purpose::Extension | Purpose::BreakOut => self.site_calls(now, asked, &token, &site),
            Purpose::Probe => self.plain_answer(now, &asked, &token, Status::OK),
            Purpose::Login => self.hear_body(now, asked, token, |node, now, server, asked, token, request| {
                node.take_login(now, server, asked, token, &site, &request)
            }),
            Purpose::Renew => self.hear_body(now, asked, token, |node, now, server, asked, token, request| {
                node.take_renewals(now, server, asked, token, &site, &request)
            }),
            Purpose::Logout => self.hear_body(now, asked, token, |node, now, server, asked, token, request| {
                node.take_logout(now, server, asked, token, &site, &request)
            }),
            Purpose::Displaced => self.hear_body(now, asked, token, |node, now, server, asked, token, request| {
                node.take_displacement(now, server, asked, token, &site, &request)
            }),
            // Of a later release: the asking site is told so, with proof.
            Purpose::Forward | Purpose::Settings | Purpose::Other(_) => {
                self.plain_answer(now, &asked, &token, Status::NOT_IMPLEMENTED);
            }
        }
    }

    fn plain_answer(&mut self, now: Now, asked: &Asked, token: &Token, status: Status) {
        if let Some(server) = self.begin(now, asked, ServerTask::Own) {
            self.answer_site(now, server, asked, token, status, None, None);
        }
    }

    /// Opens the sealed body of a request that changes something.
    fn hear_body<T: serde::de::DeserializeOwned>(
        &mut self,
        now: Now,
        asked: Asked,
        token: Token,
        hear: impl FnOnce(&mut Self, Now, ServerId, &Asked, &Token, T),
    ) {
        let Some(server) = self.begin(now, &asked, ServerTask::Own) else { return };
        let keys = self.links.pair(token.envelope.from);
        let body = keys.and_then(|keys| open_request(keys, &token.receipt, &asked.request.body()).ok());
        match body.and_then(|body| messages::decode(&body).ok()) {
            Some(request) => hear(self, now, server, &asked, &token, request),
            None => self.answer_site(now, server, &asked, &token, Status::BAD_REQUEST, None, None),
        }
    }

    /// Answers another site with proof, and seals what it is told.
    #[expect(clippy::too_many_arguments, reason = "an answer has so many parts, and this is where they meet")]
    fn answer_site(
        &mut self,
        now: Now,
        server: ServerId,
        asked: &Asked,
        token: &Token,
        status: Status,
        cause: Option<Cause>,
        body: Option<&[u8]>,
    ) {
        let bytes = self.site_answer(now, asked, token, status, cause, body);
        self.transactions.respond(now.instant, server, status, bytes);
    }

    fn site_answer(
        &mut self,
        now: Now,
        asked: &Asked,
        token: &Token,
        status: Status,
        cause: Option<Cause>,
        body: Option<&[u8]>,
    ) -> bytes::Bytes {
        let from = token.envelope.from;
        let sealed = match (body, self.links.pair(from)) {
            (Some(body), Some(keys)) => Some(seal_answer(keys, &token.receipt, status.0, body, &mut self.entropy)),
            (Some(_) | None, _) => None,
        };
        let proof = self.links.prove(now, from, &token.receipt, status.0, cause, sealed.as_deref());
        let mut reply = self.reply(asked, status);
        if let Some(proof) = proof {
            reply = reply.header(&Name::HotdeskLink, proof);
        }
        if let Some(sealed) = sealed {
            reply = reply.body(CONTENT_TYPE, sealed);
        }
        reply.write()
    }

    /// What waits for a step, with an answer to a site in it.
    fn site_then(&mut self, now: Now, server: ServerId, asked: &Asked, token: &Token, body: Option<&[u8]>) -> Then {
        let bytes = self.site_answer(now, asked, token, Status::OK, None, body);
        let refusal = Refusal { status: UNSTORED.0, text: "the login could not be stored".to_owned() };
        let otherwise = self.site_answer(now, asked, token, UNSTORED, None, Some(&messages::encode(&refusal)));
        let otherwise = Some(otherwise);
        let answer = Waiting { server, asked: asked.clone(), status: Status::OK, bytes, otherwise };
        Then { answer: Some(answer), ..Then::default() }
    }

    fn refuse_site(&mut self, now: Now, server: ServerId, asked: &Asked, token: &Token, rejection: &Rejection) {
        let text = rejection.warning.clone().or(rejection.reason.clone()).unwrap_or(rejection.status.reason().into());
        let body = messages::encode(&Refusal { status: rejection.status.0, text: text.into_owned() });
        self.answer_site(now, server, asked, token, rejection.status, None, Some(&body));
    }

    /// SPEC 5.2: home checks the digest and that the user may, takes the login durably, and only then answers.
    fn take_login(
        &mut self,
        now: Now,
        server: ServerId,
        asked: &Asked,
        token: &Token,
        site: &SiteName,
        request: &LoginRequest,
    ) {
        let extension = &request.extension;
        if self.undone_logins.iter().any(|(_, id)| *id == request.login_id) {
            let rejection = Rejection::because(Status::SERVER_TIMEOUT, "this login was undone");
            return self.refuse_site(now, server, asked, token, &rejection);
        }
        let taken = self.own_user(extension, request).and_then(|user| {
            let view = self.ledger.view(&self.location, extension.as_str());
            let empty = Resident::default();
            let resident = view.as_deref().and_then(Record::resident).unwrap_or(&empty);
            let profile = self.config.network.profile(&user.profile);
            let login =
                hot_desk::LoginRequest { site: site.clone(), id: request.login_id, device: device(&request.device) };
            let terms = terms(&request.terms);
            let lease = self.config.site.hot_desk.lease;
            let login = hot_desk::login(resident, &login, &user.profile, &profile, &terms, lease, now)?;
            Ok((user, login))
        });
        let (user, login) = match taken {
            Ok(taken) => taken,
            Err(rejection) => return self.refuse_site(now, server, asked, token, &rejection),
        };
        let answer = LoginAnswer {
            login: login.number,
            lease: self.config.site.hot_desk.lease.as_secs(),
            settings: self.settings_of(&user, &login.profile),
            profile: login.profile,
            ha1: (&user.credentials).into(),
        };
        let mut then = self.site_then(now, server, asked, token, Some(&messages::encode(&answer)));
        then.notices = login.notices.into_iter().map(|notice| Notice::displace(extension, notice)).collect();
        then.events.push(self.logged_in(extension, &self.config.site.name, site, login.number, None));
        self.change(now, extension, Some(Record::Resident(login.resident)), then);
    }

    /// The user of a login, if the digest that the phone gave is right: an unknown user is like a wrong password (SPEC 4.4).
    fn own_user(&self, extension: &Extension, request: &LoginRequest) -> Result<User, Rejection> {
        let wrong = || Rejection::new(Status::UNAUTHORIZED);
        let user = self.config.site.users.get(extension).cloned();
        let user = user.or_else(|| self.lab_user(extension));
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

    /// In lab mode every fitting name is a user with default settings (SPEC 4.7).
    fn lab_user(&self, extension: &Extension) -> Option<User> {
        let lab = self.config.site.lab.as_ref().filter(|_| self.owns(extension.as_str()))?;
        let credentials = match &lab.password {
            Some(password) => self.ha1s_of(extension.as_str(), password),
            None => Credentials::default(),
        };
        Some(User { credentials, ..User::plain(extension.clone(), "basic") })
    }

    /// What travels with the user, with a version that is another for another content.
    fn settings_of(&self, user: &User, granted: &str) -> messages::Settings {
        let profile: Profile = self.config.network.profile(granted);
        let settings = messages::Settings::of(user, &profile, 0);
        let hash = blake3::hash(&messages::encode(&settings));
        let mut first = [0; 8];
        first.copy_from_slice(&hash.as_bytes()[..8]);
        // Versions fit JSON's safe integers.
        messages::Settings { version: (u64::from_le_bytes(first) >> 12).max(1), ..settings }
    }

    /// SPEC 5.3, 8.4: another site says who of our users is still there.
    fn take_renewals(
        &mut self,
        now: Now,
        server: ServerId,
        asked: &Asked,
        token: &Token,
        site: &SiteName,
        request: &RenewRequest,
    ) {
        let mut answer = RenewAnswer::default();
        let mut steps: Vec<(Extension, Resident, Vec<Notice>)> = Vec::new();
        let mut seen = BTreeSet::new();
        for renewal in request.logins.iter().take(RenewRequest::MOST).filter(|r| seen.insert(r.extension.clone())) {
            let heard = self.hear_renewal(now, site, renewal);
            let Some((word, step)) = heard else { continue };
            answer.logins.push(word);
            steps.extend(step);
        }
        let then = self.site_then(now, server, asked, token, Some(&messages::encode(&answer)));
        // The answer waits for the last step: ids are cumulative.
        let Some((extension, resident, notices)) = steps.pop() else { return self.fulfil(now, then) };
        for (extension, resident, notices) in steps {
            self.change(now, &extension, Some(Record::Resident(resident)), Then { notices, ..Then::default() });
        }
        self.change(now, &extension, Some(Record::Resident(resident)), Then { notices, ..then });
    }

    /// One renewal: what is answered, and the step that it makes, if it is more than a longer lease.
    #[expect(clippy::type_complexity, reason = "an answer and perhaps a step")]
    fn hear_renewal(
        &mut self,
        now: Now,
        site: &SiteName,
        renewal: &messages::Renewal,
    ) -> Option<(messages::Renewed, Option<(Extension, Resident, Vec<Notice>)>)> {
        let extension = &renewal.extension;
        let own = self.config.site.users.get(extension).cloned().or_else(|| self.lab_user(extension));
        let gone = |newest: LoginNumber, now_at: Option<SiteName>| {
            let gone = messages::Gone { site: now_at, newest };
            messages::Renewed::gone(extension.clone(), renewal.login, gone)
        };
        // SPEC 5.11: a user who was removed is logged out.
        let Some(user) = own else { return Some((gone(renewal.login, None), None)) };
        let view = self.ledger.view(&self.location, extension.as_str());
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
            let settings = self.settings_of(&user, &user.profile);
            word.settings = (settings.version != renewal.settings_version).then_some(settings);
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
            Renewed::Gone { now_at, login } => {
                // What rests on a step that waits is said behind it.
                let waits = self.ledger.is_staged(extension.as_str());
                let step = waits.then(|| (extension.clone(), resident.clone(), Vec::new()));
                Some((gone(login, now_at.or(Some(here))), step))
            }
            Renewed::NotBelieved => None,
        }
    }

    /// SPEC 5.7, 5.2: a login elsewhere has ended, or is undone.
    fn take_logout(
        &mut self,
        now: Now,
        server: ServerId,
        asked: &Asked,
        token: &Token,
        site: &SiteName,
        request: &LogoutRequest,
    ) {
        let extension = &request.extension;
        let view = self.ledger.view(&self.location, extension.as_str());
        let which = request.login.map_or(Which::Id(request.login_id), Which::Number);
        if request.login.is_none() {
            self.note_undone(now, request.login_id);
        }
        let ended = view
            .as_deref()
            .and_then(Record::resident)
            .and_then(|resident| hot_desk::logout(resident, site, which, now));
        let mut then = self.site_then(now, server, asked, token, None);
        let Some(next) = ended else { return self.confirm(now, extension, then) };
        then.events.push(Event::LoggedOut { extension: extension.clone(), at: site.clone(), by: LoggedOutBy::Phone });
        self.change(now, extension, Some(Record::Resident(next)), then);
    }

    /// A login that is undone must not be taken when its request arrives late: requests are repeated for 32 s.
    fn note_undone(&mut self, now: Now, id: LoginId) {
        let over = |at: Instant| now.instant.saturating_duration_since(at) > UNDONE;
        while self.undone_logins.front().is_some_and(|(at, _)| over(*at)) || self.undone_logins.len() >= UNDONE_MOST {
            self.undone_logins.pop_front();
        }
        self.undone_logins.push_back((now.instant, id));
    }

    /// SPEC 5.5: our visitor is logged in elsewhere now.
    fn take_displacement(
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
        let view = self.ledger.view(&self.location, extension.as_str());
        let Some(visitor) = view.as_deref().and_then(Record::visitor) else { return false };
        if visitor.home != *home || !hot_desk::is_displaced(visitor, newest) {
            return false;
        }
        then.licence = Some(Licence::Leave(extension.clone()));
        then.events.push(self.logged_out(extension, LoggedOutBy::Displacement));
        self.change(now, extension, None, std::mem::take(then));
        true
    }

    /// A call, or any other request, that another site sends here.
    fn site_calls(&mut self, now: Now, asked: Asked, token: &Token, site: &SiteName) {
        let Some(number) = number_of(&asked.request) else {
            return self.refuse_known(now, &asked, &Rejection::new(Status::NOT_FOUND));
        };
        let claims = token.claims.clone();
        let speaks = self.may_speak_for(&claims, site);
        if !speaks && claims.purpose == Purpose::BreakOut {
            return self.refuse_known(now, &asked, &Rejection::because(Status::FORBIDDEN, "Not Your User"));
        }
        let Some(max_forwards) = self.hops_left(&asked) else { return };
        let hash =
            routing_hash(&self.secret, &asked.request, &[claims.chain.len() as u8, purpose_code(claims.purpose)]);
        if self.has_been_here(&asked, hash) {
            return self.refuse_known(now, &asked, &Rejection::new(Status::LOOP_DETECTED));
        }
        let mut caller = self.claimed_caller(&claims);
        // SPEC 6.8: a call of our own user that another site hands back has passed here; else the claim is worth no more than
        // an outsider's.
        if !speaks && !self.has_passed_here(&asked) {
            caller = Caller::Outside { number: caller.label().to_owned(), name: None };
        }
        let domain = self.domain_of_claims(&claims);
        let mut plan = Passing {
            max_forwards,
            hash,
            own_routes: 0,
            strict_last: None,
            drop_routes: false,
            record_route: Self::begins_dialog(asked.request.method()).then_some(Peer::Site(token.envelope.from)),
            asserted: caller.asserted(&domain).filter(|_| !claims.withheld),
            keep_identity: false,
            from_outside: matches!(caller, Caller::Outside { .. }),
            gives: format!("Extension {number}"),
        };
        let stages = match claims.purpose {
            Purpose::Deliver => match self.visiting(&number, site) {
                Visiting::Here => self.extension_stages(now.instant, asked.request.method(), number.as_str(), &claims),
                // The call has overtaken the login that it follows: that says nothing about where the user is.
                Visiting::Arriving => Err(Rejection::because(Status::TEMPORARILY_UNAVAILABLE, "Logging In")),
                Visiting::No => return self.not_here(now, &asked, token),
            },
            Purpose::BreakOut => {
                let outcome = self.break_out(now, number.as_str(), &claims, site);
                plan.gives = outcome.gives(&self.config.site.name);
                if let Outcome::EmergencyAtOrigin { .. } = outcome.outcome {
                    return self.dial_there(now, &asked, token);
                }
                self.stages(now, &asked, &outcome, &caller, &claims)
            }
            _ => {
                let config = self.config.clone();
                let decision =
                    self.asking(now, |around| config.plan.route_extension(number.as_str(), around, Trace::off()));
                self.stages(now, &asked, &decision, &caller, &claims)
            }
        };
        match stages {
            Ok(stages) => self.start_call(now, asked, caller, plan, stages),
            Err(rejection) => self.refuse_known(now, &asked, &rejection),
        }
    }

    /// SPEC 11.3: for one of our own users a site speaks only while that user is logged in there.
    fn may_speak_for(&self, claims: &Claims, site: &SiteName) -> bool {
        let Some(Claimant::User(user)) = &claims.caller else { return true };
        if user.home != self.entry().number {
            return true;
        }
        let record = self.record(user.extension.as_str());
        let away = record.as_deref().and_then(Record::resident).and_then(|resident| resident.away.as_ref());
        // A call that a site delivers to its own user may come from a user of ours at a third site, which spoke for the caller.
        away.is_some_and(|away| away.site == *site || claims.purpose == Purpose::Deliver)
    }

    fn has_passed_here(&self, asked: &Asked) -> bool {
        let is_ours = |via: &Via| self.names.is_our_address(via.sent_by_host(), via.sent_by_port());
        asked.request.vias().skip(1).filter_map(Result::ok).any(|via| is_ours(&via))
    }

    fn claimed_caller(&self, claims: &Claims) -> Caller {
        let identity = claims.identity.as_ref();
        let display = identity.map(|identity| identity.display.clone()).unwrap_or_default();
        match &claims.caller {
            Some(Claimant::User(user)) => {
                let home = self.site_by_number(user.home).map(|site| site.name.clone());
                let home = home.unwrap_or_else(|| self.config.site.name.clone());
                Caller::User { extension: user.extension.clone(), home, name: display }
            }
            Some(Claimant::Outsider(_)) => Caller::Outside {
                number: identity.map(|identity| identity.user.clone()).unwrap_or_default(),
                name: Some(display).filter(|display| !display.is_empty()),
            },
            None => Caller::Unknown,
        }
    }

    fn domain_of_claims(&self, claims: &Claims) -> String {
        let number = match &claims.caller {
            Some(Claimant::User(user)) => Some(user.home),
            Some(Claimant::Outsider(site)) => Some(*site),
            None => None,
        };
        let site = number.and_then(|number| self.site_by_number(number)).unwrap_or(self.entry());
        site.domain.clone()
    }

    /// Whether that user of `home` is logged in here.
    fn visiting(&self, extension: &Extension, home: &SiteName) -> Visiting {
        let record = self.record(extension.as_str());
        if record.as_deref().and_then(Record::visitor).is_some_and(|visitor| visitor.home == *home) {
            return Visiting::Here;
        }
        if self.is_arriving(extension) || self.ledger.is_staged(extension.as_str()) {
            return Visiting::Arriving;
        }
        Visiting::No
    }

    /// SPEC 9.2: home is told with proof, and ends that login.
    fn not_here(&mut self, now: Now, asked: &Asked, token: &Token) {
        if let Some(server) = self.begin(now, asked, ServerTask::Own) {
            let status = Status::TEMPORARILY_UNAVAILABLE;
            self.answer_site(now, server, asked, token, status, Some(Cause::NotHere), None);
        }
    }

    /// SPEC 6.7: an emergency number of ours behind a Break Out prefix is dialled where the phone stands.
    fn dial_there(&mut self, now: Now, asked: &Asked, token: &Token) {
        if let Some(server) = self.begin(now, asked, ServerTask::Own) {
            self.answer_site(now, server, asked, token, Status::NOT_FOUND, Some(Cause::EmergencyAtOrigin), None);
        }
    }

    /// SPEC 6.8: digits that another site sends, dialled as if here, under the caller's own bar.
    fn break_out(&self, now: Now, digits: &str, claims: &Claims, site: &SiteName) -> crate::plan::Decision {
        let extension = match &claims.caller {
            Some(Claimant::User(user)) => user.extension.as_str(),
            Some(Claimant::Outsider(_)) | None => "",
        };
        let identity = claims.identity.as_ref();
        let dialler = Dialler {
            extension,
            name: identity.map_or("", |identity| &identity.display),
            caller_id: identity.map(|identity| identity.user.as_str()),
            original: None,
            level: None,
            rights: RightsNames { rights: claims.rights.as_deref(), ..RightsNames::default() },
            outgoing_bar: claims.barred,
            standing: Standing::Visitor,
        };
        let sites = claims.chain.iter().filter_map(|number| self.site_by_number(*number));
        let chain: Vec<SiteName> = sites.map(|site| site.name.clone()).collect();
        let from = FromSite { origin: site, chain: &chain };
        self.asking(now, |around| self.config.plan.route_from_site(digits, &dialler, &from, around, Trace::off()))
    }

    /// Home ends a login that the visited site says is not there (SPEC 9.2).
    pub(super) fn not_there(&mut self, now: Now, extension: &Extension, site: &SiteName, login: LoginNumber) {
        let view = self.ledger.view(&self.location, extension.as_str());
        let resident = view.as_deref().and_then(Record::resident);
        let Some(next) = resident.and_then(|resident| hot_desk::not_there(resident, site, login, now)) else { return };
        let event = Event::LoggedOut { extension: extension.clone(), at: site.clone(), by: LoggedOutBy::NotThere };
        let then = Then { events: vec![event], ..Then::default() };
        self.change(now, extension, Some(Record::Resident(next)), then);
    }
}

fn purpose_code(purpose: Purpose) -> u8 {
    match purpose {
        Purpose::Deliver => 1,
        Purpose::Extension => 2,
        Purpose::BreakOut => 3,
        _ => 0,
    }
}
