//! A carrier that wants to know who calls by it, and one that is a registrar: what a trunk of the product meets outside.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use super::dialog::{lossy, target_of};
use super::event::CallRef;
use super::serving::ServeKey;
use super::user_agent::Phone;
use crate::settings::DigestAlgorithm;
use crate::sip::digest::{self, Counted, Entity, Qop, Statement};
use crate::sip::{Contacts, Credentials, Method, Name, Request, Status};

/// What a carrier asks of whoever calls by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand {
    /// The user name that it knows.
    pub username: String,
    /// Its password.
    pub password: String,
    /// Its realm.
    pub realm: String,
    /// 401 or 407.
    pub status: Status,
    /// The algorithms that it offers, in this order; none: MD5, without a name.
    pub offers: Vec<DigestAlgorithm>,
    /// `qop="auth"`; without it as in RFC 2069.
    pub qop: bool,
    /// Requests inside a call are asked too, but for ACK and CANCEL.
    pub inside: bool,
    /// How often a nonce may be used.
    pub uses: usize,
}

/// What a carrier that is a registrar grants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grants {
    /// Seconds; less is refused with 423.
    pub least: u32,
    /// Seconds; no more is granted.
    pub most: u32,
}

impl Demand {
    /// A proxy that knows that name and password, offers MD5 with `qop`, and asks for the first request of a call only.
    pub fn new(username: &str, password: &str) -> Self {
        Self {
            username: username.into(),
            password: password.into(),
            realm: "carrier.example".into(),
            status: Status::PROXY_AUTHENTICATION_REQUIRED,
            offers: vec![DigestAlgorithm::Md5],
            qop: true,
            inside: false,
            uses: usize::MAX,
        }
    }

    fn header(&self) -> Name {
        if self.status == Status::UNAUTHORIZED { Name::WwwAuthenticate } else { Name::ProxyAuthenticate }
    }

    fn answer(&self) -> Name {
        if self.status == Status::UNAUTHORIZED { Name::Authorization } else { Name::ProxyAuthorization }
    }
}

/// What a carrier remembers of those who call by it.
#[derive(Debug, Default)]
pub(super) struct Door {
    /// Its nonces, and the counts with which they were used.
    nonces: BTreeMap<String, BTreeSet<u32>>,
    /// The contact that is registered, and until when.
    registered: Option<(String, Instant)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Judged {
    Right,
    Stale,
    Wrong,
}

impl Phone {
    /// What it asks of those who call by it, from now on.
    pub fn demand(&mut self, demand: Option<Demand>) {
        self.config.demand = demand;
    }

    /// It is a registrar from now on, or none.
    pub fn grant(&mut self, grants: Option<Grants>) {
        self.config.grants = grants;
    }

    /// The contact that is registered at it and has not run out.
    pub fn registered_here(&self, now: Instant) -> Option<&str> {
        let (contact, until) = self.door.registered.as_ref()?;
        (*until > now).then_some(contact)
    }

    /// Calls a contact that is registered at it, or at another server of the carrier; `number` is what was dialled, which stands in To.
    pub fn call_contact(&mut self, now: Instant, contact: &str, number: &str, headers: Vec<(Name, String)>) -> CallRef {
        self.call_to(now, contact, number, headers)
    }

    /// Whether a request is let in; if not, it is challenged here.
    pub(super) fn lets_in(&mut self, now: Instant, key: &ServeKey, request: &Request) -> bool {
        let Some(demand) = self.config.demand.clone() else { return true };
        let is_inside = request.to().tag().is_some();
        if *request.method() == Method::CANCEL || is_inside && !demand.inside {
            return true;
        }
        let judged = self.judge(request, &demand);
        if judged == Judged::Right {
            return true;
        }
        if let Some(dialog) =
            self.calls.values_mut().filter_map(|own| own.dialog.as_mut()).find(|own| own.owns(request))
        {
            // Its number is used up; an older one comes too late.
            if dialog.remote_cseq.is_some_and(|last| request.cseq().number <= last) {
                self.complain(format!(
                    "CSeq {} {} in a dialog comes too late",
                    request.cseq().number,
                    request.method()
                ));
            } else {
                dialog.remote_cseq = Some(request.cseq().number);
            }
        }
        let nonce = self.entropy.token();
        let line = |algorithm: Option<DigestAlgorithm>| {
            let mut line = format!("Digest realm=\"{}\", nonce=\"{nonce}\"", demand.realm);
            line.push_str(if judged == Judged::Stale { ", stale=true" } else { "" });
            line.push_str(if demand.qop { ", qop=\"auth\"" } else { "" });
            algorithm.into_iter().for_each(|it| line.push_str(&format!(", algorithm={}", digest::token(it))));
            (demand.header(), line)
        };
        let lines = match &demand.offers[..] {
            [] => vec![line(None)],
            offers => offers.iter().map(|offer| line(Some(*offer))).collect(),
        };
        self.door.nonces.insert(nonce.clone(), BTreeSet::new());
        self.reply(now, key, demand.status, None, lines);
        false
    }

    fn judge(&mut self, request: &Request, demand: &Demand) -> Judged {
        let given = request.credentials(&demand.answer()).find(|given| given.realm == demand.realm.as_bytes());
        let Some(given) = given else { return Judged::Wrong };
        let strongest = demand.offers.iter().copied().max_by_key(|offer| *offer == DigestAlgorithm::Sha256);
        let algorithm = given.algorithm.as_ref().and_then(|name| digest::named(name));
        if algorithm != strongest {
            self.complain(format!("{algorithm:?} was answered where {strongest:?} is offered"));
        }
        if given.uri != request.uri().as_bytes() {
            self.complain("the digest is of another URI");
        }
        if !proves(request, demand, &given, algorithm.unwrap_or(DigestAlgorithm::Md5)) {
            return Judged::Wrong;
        }
        let (nonce, count) = (lossy(&given.nonce), given.nc.as_ref().map(|nc| lossy(nc)));
        let Some(used) = self.door.nonces.get_mut(&nonce) else { return Judged::Stale };
        if used.len() >= demand.uses {
            return Judged::Stale;
        }
        let count = count.map_or(Some(used.len() as u32), |count| u32::from_str_radix(&count, 16).ok());
        if !count.is_some_and(|count| used.insert(count)) {
            self.complain("a nonce count was used twice");
        }
        Judged::Right
    }

    /// RFC 3261 §22.1: an ACK shows what its INVITE did.
    pub(super) fn look_at_ack(&mut self, ack: &Request, invite: &Request) {
        let Some(demand) = &self.config.demand else { return };
        let of = |request: &Request| request.header(&demand.answer()).map(|header| lossy(&header.value()));
        if of(ack) != of(invite) {
            self.complain("an ACK without the credentials of its INVITE");
        }
    }

    /// RFC 3261 §10.3, for one contact.
    pub(super) fn hear_register(&mut self, now: Instant, key: &ServeKey, request: &Request) {
        let Some(grants) = self.config.grants else {
            return self.reply(now, key, Status::METHOD_NOT_ALLOWED, None, Vec::new());
        };
        let Some(contact) = target_of(request) else {
            self.complain("a REGISTER without a contact");
            return self.reply(now, key, Status::BAD_REQUEST, None, Vec::new());
        };
        let own = match request.contacts(4) {
            Ok(Contacts::List(list)) => list.first().and_then(|contact| contact.expires()),
            Ok(Contacts::None | Contacts::Star) | Err(_) => None,
        };
        let asked = own.or_else(|| request.expires().ok().flatten()).unwrap_or(grants.most);
        if asked == 0 {
            self.door.registered = None;
            return self.reply(now, key, Status::OK, None, Vec::new());
        }
        if asked < grants.least {
            let least = vec![(Name::MinExpires, grants.least.to_string())];
            return self.reply(now, key, Status(423), None, least);
        }
        let (granted, contact) = (asked.min(grants.most), lossy(&contact));
        self.door.registered = Some((contact.clone(), now + std::time::Duration::from_secs(granted.into())));
        self.reply(now, key, Status::OK, None, vec![(Name::Contact, format!("<{contact}>;expires={granted}"))]);
    }
}

fn proves(request: &Request, demand: &Demand, given: &Credentials, algorithm: DigestAlgorithm) -> bool {
    let qop = given.qop.as_ref().and_then(|qop| Qop::parse(qop));
    if qop.is_some() != demand.qop || given.username != demand.username.as_bytes() {
        return false;
    }
    let (nc, cnonce) = (given.nc.clone().unwrap_or_default(), given.cnonce.clone().unwrap_or_default());
    let statement = Statement {
        algorithm,
        method: request.method().as_str().as_bytes(),
        uri: &given.uri,
        nonce: &given.nonce,
        counted: qop.map(|qop| Counted { qop, nc: &nc, cnonce: &cnonce }),
        entity: Entity::Body(b""),
    };
    let secret =
        digest::ha1(algorithm, demand.username.as_bytes(), demand.realm.as_bytes(), demand.password.as_bytes());
    digest::proves(&statement, secret.as_str().as_bytes(), &given.response)
}
