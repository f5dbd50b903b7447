//! Requests of phones outside a dialog, but for REGISTER (SPEC 9.4, 9.5): help first, then who asks, then what was dialled.

use std::sync::Arc;

use super::Node;
use super::admit::{Account, Proven};
use super::in_force::Settings;
use super::route::{dialler, number_of};
use super::tasks::{Asked, Passing};
use crate::ids::Extension;
use crate::link::proof::Peer;
use crate::link::{Caller as Claimed, Claims, HomeUser, Identity};
use crate::location::Record;
use crate::plan::{Feature, Outcome, Standing};
use crate::proxy::{Caller, is_anonymous, is_loop, is_withheld, routing_hash};
use crate::rejection::Rejection;
use crate::sip::{Method, Name, Reply, Request, Status};
use crate::timing::Now;
use crate::transmit::Flow;

/// Methods that a site answers (SPEC 9.1); others are passed on all the same.
pub(super) const ALLOW: &str =
    "INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, MESSAGE, INFO, UPDATE, PRACK, REFER, SUBSCRIBE, NOTIFY";

/// The same towards a trunk that takes no REFER.
pub(super) const ALLOW_TO_TRUNK: &str =
    "INVITE, ACK, CANCEL, BYE, OPTIONS, MESSAGE, INFO, UPDATE, PRACK, SUBSCRIBE, NOTIFY";

impl Node {
    pub(super) fn phone_asks(&mut self, now: Now, asked: Asked) {
        let dialled = number_of(&asked.request);
        let here = asked.request.uri().host().is_none_or(|host| self.names.is_in_network(host));
        if let Some(call) =
            dialled.as_ref().filter(|_| here).and_then(|number| self.emergency_of(&asked.request, number))
        {
            return self.call_for_help(now, asked, &call);
        }
        let Some(dialled) = dialled else { return self.phone_asks_site(now, &asked) };
        if !here || !self.is_from_network(&asked) {
            return self.refuse_statelessly(&asked, &Rejection::new(Status::FORBIDDEN));
        }
        if self.draining {
            return self.refuse_statelessly(&asked, &Rejection::draining());
        }
        if let Some(caller) = self.lost_caller(&asked) {
            return self.ask_of_lost(now, asked, caller);
        }
        match self.authenticate(now, &asked) {
            Ok(proven) => self.dials(now, asked, &proven, &dialled),
            Err(challenge) => self.refuse_statelessly(&asked, &challenge),
        }
    }

    /// A proven user dials.
    pub(super) fn dials(&mut self, now: Now, asked: Asked, proven: &Proven, dialled: &Extension) {
        if asked.request.method() == &Method::SUBSCRIBE && watches_itself(&asked.request, &proven.account, dialled) {
            return self.subscribe(now, &asked, &proven.account);
        }
        // SPEC 10.2: the calls of a phone are those of the user who sits there.
        let account = self.seated(&asked, &proven.account);
        let Some(plan) = self.passing(&asked, &account, dialled) else { return };
        let behind = self.breaks_out(now, &asked, &account);
        let decision = self.dialled(now, &account, dialled.as_str(), behind.as_ref());
        if let Err(rejection) = self.may_dial(now, &asked, [&account, &proven.account], &decision.outcome) {
            return self.refuse_known(now, &asked, &rejection);
        }
        let caller = self.caller_of(&account);
        let claims = self.claims_of(now, &asked, &account);
        if let Some(call) = self.help_behind(&asked, &decision) {
            return self.dial_help(now, asked, caller, &call, None);
        }
        if self.does_itself(now, &asked, [&account, &proven.account], &decision) {
            return;
        }
        let plan = Passing { gives: decision.gives(&self.config.site.name), ..plan };
        match self.stages(now, &asked, &decision, &caller, claims) {
            Ok(targets) => self.start_call(now, asked, caller, plan, targets),
            Err(rejection) => self.refuse_known(now, &asked, &rejection),
        }
    }

    /// SPEC 5.10, 9.9: what is refused whatever the plan says. A phone that is parked or has lost its user logs in and out by dialling, and
    /// nothing else. `account` is whoever sits at the phone, `phone` its own.
    fn may_dial(
        &self,
        now: Now,
        asked: &Asked,
        [account, phone]: [&Account; 2],
        outcome: &Outcome,
    ) -> Result<(), Rejection> {
        let method = asked.request.method();
        if method == &Method::PUBLISH {
            return Err(Rejection::new(Status::METHOD_NOT_ALLOWED).with(Name::Allow, ALLOW));
        }
        if let Outcome::Feature { feature: Feature::ExtnLogin | Feature::ExtnLogout, .. } = outcome {
            return Ok(());
        }
        if let Account::Lost(_, why) = account {
            return Err(Rejection::warned(Status::FORBIDDEN, why.to_string()));
        }
        // In a lab without passwords nobody has proven to be the user who is elsewhere (SPEC 4.7).
        if self.is_open_lab() {
            return Ok(());
        }
        if account.name() == phone.name()
            && let Some(why) = self.kept_out(now, asked, account)
        {
            return Err(why);
        }
        let Account::Resident(extension) = account else { return Ok(()) };
        match self.record(extension.as_str()).as_deref() {
            Some(Record::Resident(resident)) => match &resident.away {
                Some(away) => Err(Rejection::warned(Status::FORBIDDEN, format!("logged in at {}", away.site))),
                None => Ok(()),
            },
            Some(Record::Visitor(_)) | None => Ok(()),
        }
    }

    /// How a phone's request is passed on; refused here when it has no hop left or has been here before.
    fn passing(&mut self, asked: &Asked, account: &Account, dialled: &Extension) -> Option<Passing> {
        let max_forwards = self.hops_left(asked)?;
        let hash = routing_hash(&self.secret, &asked.request, dialled.as_str().as_bytes());
        if self.has_been_here(asked, hash) {
            self.refuse_statelessly(asked, &Rejection::new(Status::LOOP_DETECTED));
            return None;
        }
        let withheld = withholds(asked);
        let asserted = self.caller_of(account).asserted(&self.domain_of(account)).filter(|_| !withheld);
        Some(Passing {
            max_forwards,
            hash,
            own_routes: 0,
            strict_last: None,
            drop_routes: true,
            record_route: Self::begins_dialog(asked.request.method()).then(|| self.caller_peer(asked)),
            asserted,
            keep_identity: false,
            from_outside: false,
            sees_withheld: false,
            gives: String::new(),
            break_out: None,
        })
    }

    /// Whether a Via of ours carries this hash (RFC 5393 §4.2).
    pub(super) fn has_been_here(&self, asked: &Asked, hash: u64) -> bool {
        is_loop(&asked.request, hash, |via| self.names.is_our_address(via.sent_by_host(), via.sent_by_port()))
    }

    /// The phone that calls, for the proof of the dialog: its contact, or its flow behind NAT or a proxy (SPEC 4.3, 9.7), and
    /// where the contact is that of a trunk or a site.
    pub(super) fn caller_peer(&self, asked: &Asked) -> Peer {
        let request = &asked.request;
        if request.header(&Name::RecordRoute).is_some() || request.vias().nth(1).is_some() {
            return Peer::Phone { flow: asked.source, nat: true };
        }
        let contact = match asked.request.contacts(1) {
            Ok(crate::sip::Contacts::List(list)) => list.into_iter().next(),
            Ok(crate::sip::Contacts::Star | crate::sip::Contacts::None) | Err(_) => None,
        };
        let source = asked.source.remote;
        let host = contact.as_ref().and_then(|contact| contact.uri().host());
        let nat = host.is_none_or(|host| crate::registrar::is_behind_nat(host, source.ip()))
            || crate::registrar::is_behind_nat(asked.request.via().sent_by_host(), source.ip());
        let named = host.and_then(|host| host.ip()).map(|ip| {
            let port = contact.as_ref().and_then(|contact| contact.uri().port()).unwrap_or(5060);
            (ip, port).into()
        });
        let address = named.filter(|named| !nat && !self.is_reserved(*named));
        let flow = Flow { remote: address.unwrap_or(source), ..asked.source };
        Peer::Phone { flow, nat: address.is_none() }
    }

    pub(super) fn caller_of(&self, account: &Account) -> Caller {
        match account {
            Account::Resident(extension) => Caller::User {
                extension: extension.clone(),
                home: self.config.site.name.clone(),
                name: self.config.site.users.get(extension).map(|user| user.name.clone()).unwrap_or_default(),
            },
            Account::Visitor(extension, guest) => Caller::User {
                extension: extension.clone(),
                home: self.home_of(extension),
                name: guest.user.name.clone(),
            },
            Account::Lost(extension, _) => {
                Caller::User { extension: extension.clone(), home: self.home_of(extension), name: String::new() }
            }
            Account::Desk(id) => Caller::Desk(id.clone()),
        }
    }

    fn home_of(&self, extension: &Extension) -> crate::ids::SiteName {
        let home = self.config.network.home_of(extension.as_str());
        home.map_or_else(|| self.config.site.name.clone(), |home| home.name.clone())
    }

    fn domain_of(&self, account: &Account) -> String {
        match account {
            Account::Visitor(extension, _) | Account::Lost(extension, _) => {
                let home = self.config.network.home_of(extension.as_str());
                home.map_or_else(|| self.entry().domain.clone(), |home| home.domain.clone())
            }
            Account::Resident(_) | Account::Desk(_) => self.entry().domain.clone(),
        }
    }

    /// What another site is told of the caller (SPEC 11.1).
    fn claims_of(&self, now: Now, asked: &Asked, account: &Account) -> Claims {
        let (extension, user, standing) = match account {
            Account::Resident(extension) => (extension, self.own_user(extension.as_str()), Standing::Local),
            Account::Visitor(extension, guest) => {
                (extension, Some(Settings::Guest(Arc::clone(guest))), Standing::Visitor)
            }
            Account::Desk(_) | Account::Lost(..) => return Claims::default(),
        };
        let user = user.as_deref();
        let home = self.config.network.home_of(extension.as_str()).unwrap_or(self.entry());
        let caller = HomeUser { home: home.number, extension: extension.clone() };
        let (plan, dialler) = (&self.config.plan, dialler(extension.as_str(), user, None, standing));
        Claims {
            payer: Some(caller.clone()),
            caller: Some(Claimed::User(caller)),
            // The stricter rule wins: what bars the caller here bars the caller there (SPEC 6.8).
            barred: plan.bar(&dialler, now.wall).is_some(),
            rights: plan.rights_due(&dialler.rights, now.wall).map(str::to_owned),
            priority: user.map(|user| user.priority),
            identity: Some(Identity {
                user: user.and_then(|user| user.caller_id.clone()).unwrap_or_else(|| extension.to_string()),
                display: user.map(|user| user.name.clone()).unwrap_or_default(),
            }),
            withheld: withholds(asked),
            ..Claims::default()
        }
    }

    /// SPEC 4.6, 9.5: a phone may ask this site itself, by one of its names; a stranger only whether it is there.
    fn phone_asks_site(&mut self, now: Now, asked: &Asked) {
        let is_options = asked.request.method() == &Method::OPTIONS;
        let is_ours = asked.request.uri().host().is_some_and(|host| self.names.is_here(host));
        if !(is_ours && (is_options || self.is_from_network(asked))) {
            return self.refuse_statelessly(asked, &Rejection::new(Status::FORBIDDEN));
        }
        self.asks_site(now, asked, false);
    }

    /// A request without a user part asks the site itself.
    pub(super) fn asks_site(&mut self, now: Now, asked: &Asked, is_carrier: bool) {
        if asked.request.method() != &Method::OPTIONS {
            return self.refuse_statelessly(asked, &Rejection::new(Status::NOT_FOUND));
        }
        if !self.may_answer_options(now, asked.source, is_carrier) {
            return;
        }
        let tag = self.stateless_tag(asked.request.via().raw());
        let reply = Reply::to(&asked.request, Status::OK).stamped(asked.stamp.received, asked.stamp.rport).to_tag(&tag);
        if self.is_from_network(asked) {
            let full = reply.header(&Name::Allow, ALLOW).header(&Name::Supported, "path").write();
            return self.send(asked.reply_to, full);
        }
        // A stranger learns that somebody is there, at no more than SPEC 9.5 allows.
        self.answer_stranger(asked.reply_to, asked.request.bytes().len(), reply.write());
    }
}

/// SPEC 9.9: a SUBSCRIBE to one's own AOR. To must name it too: by that the request has come to the shard that owns the AOR.
fn watches_itself(request: &Request, account: &Account, dialled: &Extension) -> bool {
    let to = request.to().uri().user();
    !matches!(account, Account::Lost(..))
        && account.name() == dialled.as_str()
        && to.is_some_and(|to| *to == *dialled.as_str())
}

/// RFC 3323 §4.1.1.3, §4.2: the caller does not want to be shown, and says so in From or in Privacy.
pub(super) fn withholds(asked: &Asked) -> bool {
    is_anonymous(asked.request.from()) || is_withheld(asked.request.values(&Name::Privacy))
}
