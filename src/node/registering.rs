//! Registrations with carriers that want one (SPEC 3: `register`): what is sent, and what comes of it. The first shard does it for all.
//!
//! ```text
//! site                                  carrier
//!   │── REGISTER, Contact: RANDOM@us ────►│   again before it runs out, with a digest where it is asked for
//!   │◄─────────────────── 200, expires ───│
//!   │◄── INVITE RANDOM@us, To: NUMBER ────│   from wherever: who knows the contact is that carrier
//! ```
//!
//! The contact's user part is 128 bits that nobody can guess, another one after each start. When is [`Registration`]'s business.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::carriers::account_of;
use super::commons::Commons;
use super::handover::FIRST;
use super::tasks::{Asked, ClientTask, Key, Timer};
use super::{Config, Node};
use crate::event::Event;
use crate::ids::push_hex;
use crate::link::proof::trunk_mark;
use crate::proxy::{branch_with, escaped_user, via_value};
use crate::settings::{self, Limits, Trunk};
use crate::sip::{Contacts, Draft, Edit, Method, Name, Packet, Request, Response, Status, Uri, parse};
use crate::timing::{Now, Wall};
use crate::transaction::ClientId;
use crate::trunk::challenge::{Asking, Chosen, Tries, Wallet, is_challenge};
use crate::trunk::registration::{Input, News, Registration, Step, Wake};

/// At a start registrations begin so far apart.
const PACE: Duration = Duration::from_millis(200);
/// And so much later, where there is a name to be looked up first.
const LOOK_UP: Duration = Duration::from_secs(1);
/// Most characters of a carrier's reason phrase that are told.
const TOLD: usize = 100;

/// A registration with one carrier.
pub(super) struct Enrolment {
    /// As the configuration had it when it began.
    trunk: Trunk,
    terms: settings::Registration,
    machine: Registration,
    contact: String,
    call_id: String,
    tag: String,
    cseq: u32,
    /// The seconds that were asked for last.
    asked: u32,
    until: Option<Instant>,
    wallet: Wallet,
    /// What the REGISTER under way has shown.
    tries: Tries,
    client: Option<ClientId>,
}

/// What an operator may see of a registration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistrationSeen {
    /// Whether the carrier has us.
    pub state: RegistrationState,
    /// Until when, if it is not refreshed.
    pub until: Option<Wall>,
    /// Why not.
    pub why: Option<String>,
}

/// Whether a carrier has us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegistrationState {
    /// It has not answered yet.
    Trying,
    /// It has.
    Registered,
    /// It does not; it is asked again and again.
    Failed,
    /// We are out, as we wanted to be.
    Ended,
}

impl Enrolment {
    /// Whether it is what the configuration asks for.
    fn is_of(&self, trunk: &Trunk, terms: &settings::Registration) -> bool {
        let key =
            |trunk: &Trunk| (trunk.name.clone(), trunk.host.clone(), trunk.username.clone(), trunk.password.clone());
        !self.machine.is_stopping() && self.terms == *terms && key(&self.trunk) == key(trunk)
    }

    /// Whether that other registration is of the same address of record and contact.
    fn binds_as(&self, trunk: &Trunk, terms: &settings::Registration) -> bool {
        let key = |terms: &settings::Registration| (terms.registrar.clone(), terms.user.clone());
        self.trunk.name == trunk.name && key(&self.terms) == key(terms)
    }

    /// `sip:USER@REGISTRAR`, or the user as it is written where it has a domain of its own.
    fn aor(&self) -> String {
        if self.terms.user.contains('@') {
            return format!("sip:{}", self.terms.user);
        }
        let registrar = Uri::parse(self.terms.registrar.clone()).ok();
        let host = registrar.as_ref().and_then(|uri| uri.host()).map(ToString::to_string).unwrap_or_default();
        let port = registrar.as_ref().and_then(Uri::port).map(|port| format!(":{port}")).unwrap_or_default();
        format!("sip:{}@{host}{port}", escaped_user(&self.terms.user))
    }

    /// How long the carrier has us, as its 2xx says: 0 if our contact is not among those that it lists (RFC 3261 §10.3 step 8).
    fn granted(&self, response: &Response) -> u32 {
        let otherwise = || response.expires().ok().flatten().unwrap_or(self.asked);
        match response.contacts(Limits::default().contacts) {
            Ok(Contacts::List(list)) => {
                let own = list.iter().find(|contact| contact.uri().user_bytes() == Some(self.contact.as_bytes()));
                own.map_or(0, |contact| contact.expires().unwrap_or_else(otherwise))
            }
            // It says that we are in, and no more.
            Ok(Contacts::None) => otherwise(),
            Ok(Contacts::Star) | Err(_) => 0,
        }
    }
}

impl Node {
    /// Begins and ends registrations as the configuration asks.
    pub(super) fn look_at_registrations(&mut self, now: Now) {
        self.contacts = contacts_of(&self.config, &self.commons);
        if self.shard != FIRST || self.draining {
            return;
        }
        let config = Arc::clone(&self.config);
        let wanted: Vec<(&Trunk, &settings::Registration)> =
            config.site.trunks.iter().filter_map(|trunk| Some((trunk, trunk.register.as_ref()?))).collect();
        let is_wanted = |own: &Enrolment| wanted.iter().any(|(trunk, terms)| own.is_of(trunk, terms));
        let gone: Vec<Key> = self.enrolments.iter().filter(|(_, own)| !is_wanted(own)).map(|(key, _)| *key).collect();
        for key in gone {
            // Another registration of the same contact takes its place: to leave first could overtake that.
            match self.enrolments.get(&key) {
                Some(own) if wanted.iter().any(|(trunk, terms)| own.binds_as(trunk, terms)) => {
                    self.bury_registration(key)
                }
                Some(_) => self.registration_hears(now, key, Input::Stop, ""),
                None => {}
            }
        }
        let is_there = |trunk: &Trunk, terms: &_| self.enrolments.values().any(|own| own.is_of(trunk, terms));
        let new: Vec<_> = wanted.into_iter().filter(|(trunk, terms)| !is_there(trunk, terms)).collect();
        for (place, (trunk, terms)) in (0..).zip(new) {
            let looked_up = if is_named(terms) { LOOK_UP } else { Duration::ZERO };
            self.begin_registration(now, trunk, terms, looked_up + PACE * place);
        }
        let stays = |name: &str| registers(&config, name);
        self.commons.carriers.with(|carriers| carriers.registrations.retain(|name, _| stays(name)));
    }

    fn begin_registration(&mut self, now: Now, trunk: &Trunk, terms: &settings::Registration, after: Duration) {
        let enrolment = Enrolment {
            machine: Registration::new(u32::try_from(terms.expires.as_secs()).unwrap_or(u32::MAX)),
            contact: contact_of(&self.commons, trunk_mark(&trunk.name)),
            call_id: format!("{}@{}", self.entropy.token(), self.entry().domain),
            tag: self.entropy.token(),
            trunk: trunk.clone(),
            terms: terms.clone(),
            cseq: 0,
            asked: 0,
            until: None,
            wallet: Wallet::default(),
            tries: Tries::default(),
            client: None,
        };
        let key = self.next_key();
        self.enrolments.insert(key, enrolment);
        self.show_registration(now, key, RegistrationState::Trying, None);
        self.timers.arm(&Timer::Registration(key), now.instant + after);
    }

    /// SPEC 2.3: at an orderly stop no carrier is left with a contact that leads nowhere.
    pub(super) fn leave_carriers(&mut self, now: Now) {
        let all: Vec<Key> = self.enrolments.keys().copied().collect();
        all.into_iter().for_each(|key| self.registration_hears(now, key, Input::Stop, ""));
    }

    /// Whether a carrier is still to hear that we are out.
    pub(super) fn is_leaving_carriers(&self) -> bool {
        self.enrolments.values().any(|own| own.machine.is_stopping())
    }

    /// Something happened to a registration; `why` tells of a failure.
    pub(super) fn registration_hears(&mut self, now: Now, key: Key, input: Input, why: &str) {
        let Some(own) = self.enrolments.get_mut(&key) else { return };
        if let Input::Granted(seconds) = input {
            own.until = Some(now.instant + Duration::from_secs(seconds.into()));
        }
        let Step { ask, wake, news } = own.machine.on(now.instant, input);
        let is_in = own.machine.is_in();
        if let Some(wake) = wake {
            let wait = match wake {
                Wake::After(wait) => wait,
                Wake::Within(wait) => {
                    wait / 2 + Duration::from_millis(self.entropy.below(wait.as_millis() as u64 / 2 + 1))
                }
            };
            self.timers.arm(&Timer::Registration(key), now.instant + wait);
        }
        match (input, news) {
            (_, Some(News::Left)) => self.show_registration(now, key, RegistrationState::Ended, None),
            (Input::Granted(_), _) if is_in => self.show_registration(now, key, RegistrationState::Registered, None),
            (Input::Granted(_) | Input::TooBrief(_) | Input::Refused(_) | Input::Silent, _) if ask.is_none() => {
                self.show_registration(now, key, RegistrationState::Failed, Some(why));
            }
            (
                Input::Due | Input::Stop | Input::Granted(_) | Input::TooBrief(_) | Input::Refused(_) | Input::Silent,
                _,
            ) => {}
        }
        self.tell_registration(key, input, news, why);
        if let Some(seconds) = ask {
            self.send_register(now, key, seconds, None);
        }
        if self.enrolments.get(&key).is_some_and(|own| own.machine.is_left()) {
            self.bury_registration(key);
        }
    }

    fn tell_registration(&mut self, key: Key, input: Input, news: Option<News>, why: &str) {
        let (Some(own), Some(news)) = (self.enrolments.get(&key), news) else { return };
        let trunk = own.trunk.name.clone();
        let expires = if let Input::Granted(seconds) = input { seconds } else { own.asked };
        // One that was never in has nothing to leave.
        if news == News::Left && own.until.is_none() {
            return;
        }
        self.say(match news {
            News::In => Event::CarrierRegistered { trunk, expires },
            News::Out => Event::CarrierNotRegistered { trunk, why: why.to_owned().into() },
            News::Left => Event::CarrierLeft { trunk },
        });
    }

    fn bury_registration(&mut self, key: Key) {
        if let Some(client) = self.enrolments.remove(&key).and_then(|own| own.client) {
            self.transactions.abandon(client);
        }
    }

    /// What an operator sees, where no newer registration of that trunk is.
    fn show_registration(&mut self, now: Now, key: Key, state: RegistrationState, why: Option<&str>) {
        let Some(own) = self.enrolments.get(&key) else { return };
        let name = &own.trunk.name;
        let is_newest = !self.enrolments.iter().any(|(other, newer)| *other > key && newer.trunk.name == *name);
        if !is_newest || !registers(&self.config, name) {
            return;
        }
        let until = own.until.filter(|until| *until > now.instant && state != RegistrationState::Ended);
        let until = until.map(|until| now.wall.plus(until - now.instant));
        let seen = RegistrationSeen { state, until, why: why.map(str::to_owned) };
        self.commons.carriers.with(|carriers| carriers.registrations.insert(name.clone(), seen));
    }

    /// RFC 3261 §10.2. `answering` is the answer to a challenge; without one a REGISTER shows its credentials unasked, if it can.
    fn send_register(&mut self, now: Now, key: Key, seconds: u32, answering: Option<Vec<Chosen>>) {
        let remote = self.enrolments.get(&key).and_then(|own| self.registrar_of(own));
        let Some(remote) = remote else {
            return self.registration_hears(now, key, Input::Silent, "its address is not known");
        };
        let flow = self.flow_to(remote);
        let out = self.listen[usize::from(flow.socket.0).min(self.listen.len() - 1)];
        let (hash, cnonce) = (self.entropy.next_u64(), self.entropy.token());
        let branch = branch_with(self.shard, &mut self.entropy, hash);
        let Some(own) = self.enrolments.get_mut(&key) else { return };
        let chosen = answering.unwrap_or_else(|| {
            own.tries = Tries::default();
            own.wallet.open(&mut own.tries)
        });
        own.cseq += 1;
        own.asked = seconds;
        let (aor, uri) = (own.aor(), &own.terms.registrar);
        let asking = Asking { method: Method::REGISTER.as_str(), uri, body: b"" };
        let account = account_of(&own.trunk);
        let shown = chosen.iter().filter_map(|chosen| chosen.answer(account?, &asking, &cnonce));
        let draft = Draft::request(&Method::REGISTER, uri)
            .header(&Name::Via, via_value(out, &branch))
            .header(&Name::MaxForwards, "70")
            .header(&Name::From, format!("<{aor}>;tag={}", own.tag))
            .header(&Name::To, format!("<{aor}>"))
            .header(&Name::CallId, &own.call_id)
            .header(&Name::CSeq, format!("{} REGISTER", own.cseq))
            .header(&Name::Contact, format!("<sip:{}@{out}>", own.contact))
            .header(&Name::Expires, seconds.to_string());
        let bytes = shown.fold(draft, |draft, (name, value)| draft.header(&name, value)).write();
        let task = ClientTask::Registration(key);
        let begun =
            self.transactions.begin_client(now.instant, &Method::REGISTER, branch.as_bytes(), bytes, flow, task).ok();
        own.client = begun;
        if begun.is_none() {
            self.registration_hears(now, key, Input::Silent, "there are too many transactions");
        }
    }

    /// Where its REGISTERs go: to the registrar where it has an address, else to the trunk, which stands before it.
    fn registrar_of(&self, own: &Enrolment) -> Option<SocketAddr> {
        let registrar = Uri::parse(own.terms.registrar.clone()).ok()?;
        let trunk = || self.commons.trunks.addresses(trunk_mark(&own.trunk.name)).first().copied();
        self.addresses_at(&registrar).first().copied().or_else(trunk)
    }

    /// A response to a REGISTER of ours.
    pub(super) fn registration_answered(&mut self, now: Now, key: Key, response: &Response) {
        let status = response.status();
        let Some(own) = self.enrolments.get_mut(&key).filter(|_| status.is_final()) else { return };
        // Who wants to be out answers no challenge to come in.
        if is_challenge(status) && !(own.machine.is_stopping() && own.asked > 0) {
            let (asked, heard) = (own.asked, own.wallet.challenged(&mut own.tries, response));
            return match heard {
                Ok(_) if account_of(&own.trunk).is_none() => {
                    self.registration_hears(now, key, Input::Refused(None), "it wants a user name and a password");
                }
                Ok(chosen) => self.send_register(now, key, asked, Some(chosen)),
                Err(why) => self.registration_hears(now, key, Input::Refused(None), &why.to_string()),
            };
        }
        if status.is_success() {
            own.wallet.accepted(&mut own.tries);
        }
        let seconds = |name| response.seconds(&name).ok().flatten();
        let input = match status {
            Status(200..=299) => Input::Granted(own.granted(response)),
            Status::INTERVAL_TOO_BRIEF => Input::TooBrief(seconds(Name::MinExpires)),
            Status(_) => Input::Refused(retry_after(response)),
        };
        let why = match input {
            Input::Granted(_) => "it does not list our contact".to_owned(),
            Input::Due | Input::TooBrief(_) | Input::Refused(_) | Input::Silent | Input::Stop => told(response),
        };
        self.registration_hears(now, key, input, &why);
    }

    /// The trunk whose contact a request names (SPEC 3): wherever it comes from, it is that carrier's.
    pub(super) fn trunk_of_contact(&self, request: &Request) -> Option<usize> {
        if self.contacts.is_empty() {
            return None;
        }
        let mark = *self.contacts.get(request.uri().user_bytes()?)?;
        self.config.site.trunks.iter().position(|trunk| trunk_mark(&trunk.name) == mark)
    }

    /// A request for a contact of ours. The number that was dialled stands in P-Called-Party-ID (RFC 7315 §4.2), else in To.
    pub(super) fn contact_asks(&mut self, now: Now, asked: Asked, trunk: usize) {
        let called = Some(&asked.request).filter(|request| request.method() != &Method::OPTIONS);
        let number = called.and_then(called_number).filter(|number| !self.contacts.contains_key(number.as_bytes()));
        let request = number.and_then(|number| as_dialled(&asked.request, &number, &self.entry().domain));
        match request {
            Some(request) => self.trunk_asks(now, Asked { request, ..asked }, trunk),
            None => self.asks_site(now, &asked, true),
        }
    }
}

/// Whether the registrar is written as a name.
fn is_named(terms: &settings::Registration) -> bool {
    Uri::parse(terms.registrar.clone()).is_ok_and(|uri| uri.host().is_some_and(|host| host.ip().is_none()))
}

/// Whether that trunk is to be registered with.
fn registers(config: &Config, name: &str) -> bool {
    config.site.trunks.iter().any(|trunk| trunk.name == name && trunk.register.is_some())
}

/// The user parts that carriers call, and the marks of their trunks.
fn contacts_of(config: &Config, commons: &Commons) -> BTreeMap<Vec<u8>, u32> {
    let registered = config.site.trunks.iter().filter(|trunk| trunk.register.is_some());
    let marks = registered.map(|trunk| trunk_mark(&trunk.name));
    marks.map(|mark| (contact_of(commons, mark).into_bytes(), mark)).collect()
}

/// The same at every shard, another one after each start, and known to nobody but the carrier.
fn contact_of(commons: &Commons, mark: u32) -> String {
    let mut hasher = blake3::Hasher::new_keyed(&commons.secret);
    let hash = hasher.update(b"contact").update(&mark.to_be_bytes()).finalize();
    let mut contact = String::with_capacity(32);
    for half in hash.as_bytes().chunks_exact(8).take(2) {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(half);
        push_hex(&mut contact, u64::from_be_bytes(bytes));
    }
    contact
}

fn called_number(request: &Request) -> Option<String> {
    let called = request.parties(&Name::PCalledPartyId).find_map(Result::ok);
    let uri = called.as_ref().unwrap_or(request.to()).uri();
    uri.dialled().map(|number| number.into_owned()).filter(|number| !number.is_empty())
}

/// The request with that number in its Request-URI, as other carriers send it.
fn as_dialled(request: &Request, number: &str, domain: &str) -> Option<Request> {
    let mut edit = Edit::new(request);
    edit.request_uri(format!("sip:{}@{domain}", escaped_user(number)));
    match parse(edit.write(), &Limits::default()) {
        Ok(Packet::Request(request)) => Some(request),
        Ok(Packet::Response(_) | Packet::KeepAlive(_)) | Err(_) => None,
    }
}

/// RFC 3261 §20.33: seconds, behind which a comment or parameters may stand.
fn retry_after(response: &Response) -> Option<u32> {
    let value = response.header(&Name::RetryAfter)?.value().into_owned();
    let digits = value.iter().take_while(|byte| byte.is_ascii_digit()).count();
    std::str::from_utf8(value.get(..digits)?).ok()?.parse().ok()
}

/// Status and phrase in a few words.
fn told(response: &Response) -> String {
    let reason = String::from_utf8_lossy(response.reason());
    format!("{} {}", response.status(), reason.chars().take(TOLD).collect::<String>())
}
