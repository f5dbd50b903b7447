//! What a phone that has lost its user may ask for (SPEC 5.10): help (see `help`), and a login by dialling.
//!
//! At home, and where the user is a visitor, the digest is checked here as ever. A site that the user has left has wiped what checks it
//! (SPEC 5.11): for a phone that it remembers, and for no other, it asks home whether the digest is right and whether the phone is still kept out.
//! ```text
//! a request of a phone that has lost its user here ─ ask_of_lost ─► home
//!   ├─ the digest is wrong: 407                            lost_judged
//!   ├─ somebody sits at the phone: it dials as that user   ─┐
//!   ├─ *35…, *36                                            ├─► dials
//!   └─ else 403 `logged in at berlin`                      ─┘
//! ```

use super::Node;
use super::admit::{Account, Credible, Proven, as_given};
use super::asking::What;
use super::convert::device_told;
use super::login::{cannot_be_reached, digest_of};
use super::route::number_of;
use super::tasks::{Asked, Key};
use crate::ids::{Extension, LoginId, SiteName};
use crate::link::messages::{self, LoginRequest, Refusal, Terms};
use crate::link::{Claims, Purpose};
use crate::location::{Binding, Device, Displacement, LostPhone, displacement};
use crate::rejection::Rejection;
use crate::sip::{Contact, Contacts, Name, Status};
use crate::timing::Now;

/// Most requests that wait for a home site's word, and most of one source: nobody has proven anything yet.
const WAITING: usize = 1_000;
const WAITING_FROM_ONE: usize = 16;

/// A request that a home site is asked about.
#[derive(Debug)]
pub(super) struct Losing {
    asked: Asked,
    user: Extension,
    home: SiteName,
}

/// A phone that has lost its user, whose digest only home can check.
pub(super) struct LostCaller {
    user: Extension,
    home: SiteName,
    device: Device,
}

impl Node {
    /// Why a phone may not call though the digest is right: the account has lost this one (SPEC 5.5).
    pub(super) fn kept_out(&self, now: Now, asked: &Asked, account: &Account) -> Option<Rejection> {
        let record = self.record(account.name())?;
        if record.displaced().is_empty() {
            return None;
        }
        let is_it = is_phone_of(asked);
        if record.bindings().iter().any(|binding| binding.is_live(now.instant) && is_it(binding)) {
            return None;
        }
        let here = &self.config.site.name;
        devices_of(asked).iter().find_map(|device| match displacement(record.displaced(), device, here, now.wall) {
            Displacement::Over(entry) if entry.is_left_elsewhere(here) => None,
            // What it dials has a Call-ID of its own, which says nothing.
            Displacement::Holds(entry) | Displacement::Over(entry) => Some(entry.refusal(here)),
            Displacement::None => None,
        })
    }

    /// The phone that sends a request, if it has lost the user of that account here.
    pub(super) fn lost_phone_of(&self, asked: &Asked, account: &str) -> Option<LostPhone> {
        if !self.location.has_lost_phones() {
            return None;
        }
        let (record, source) = (self.record(account), asked.source.remote.ip());
        let own = record.as_deref().map_or(&[][..], crate::location::Record::bindings);
        let own: Vec<&Binding> = own.iter().filter(|binding| binding.flow.remote.ip() == source).collect();
        let is_it = is_phone_of(asked);
        if own.iter().any(|binding| is_it(binding)) {
            return None;
        }
        let mut lost = self.location.lost_phones(account);
        lost.retain(|lost| lost.binding.flow.remote.ip() == source);
        let found = lost.iter().rposition(|lost| is_it(&lost.binding));
        let only = found.or_else(|| (own.is_empty() && lost.len() == 1).then_some(0));
        only.map(|at| lost.swap_remove(at))
    }

    /// Whether a phone of another site's user asks that this site remembers, and can't check any more.
    pub(super) fn lost_caller(&self, asked: &Asked) -> Option<LostCaller> {
        if !self.location.has_lost_phones() || self.is_open_lab() {
            return None;
        }
        let given = self.credentials(asked, &Name::ProxyAuthorization)?;
        let user = Extension::new(std::str::from_utf8(&given.username).ok()?);
        let home = self.config.network.home_of(user.as_str()).filter(|home| home.name != self.config.site.name)?;
        if self.location.view(user.as_str()).is_some() {
            return None;
        }
        let device = self.lost_phone_of(asked, user.as_str())?.binding.device;
        Some(LostCaller { home: home.name.clone(), user, device })
    }

    /// Asks home about a request of such a phone.
    pub(super) fn ask_of_lost(&mut self, now: Now, asked: Asked, caller: LostCaller) {
        let (via, source) = (asked.request.via().raw(), asked.source.remote.ip());
        if self.losing.values().any(|other| other.asked.request.via().raw() == via) {
            return; // a copy: the first one is being judged
        }
        let header = Name::ProxyAuthorization;
        let given = match self.credible(now, &asked, &header) {
            Credible::Fresh(given) => given,
            Credible::Challenge(challenge) => return self.refuse_statelessly(&asked, &challenge),
        };
        let LostCaller { user, home, device } = caller;
        if self.commons.lockout.with(|lockout| lockout.is_locked(now.instant, user.as_str(), source)) {
            let challenge = self.challenge(now, &header, false);
            return self.refuse_statelessly(&asked, &challenge);
        }
        if self.links.is_down(&home) {
            return self.refuse_statelessly(&asked, &cannot_be_reached(&home));
        }
        let from_there = self.losing.values().filter(|other| other.asked.source.remote.ip() == source).count();
        if self.losing.len() >= WAITING || from_there >= WAITING_FROM_ONE {
            return self.refuse_statelessly(&asked, &Rejection::busy());
        }
        // A login on no terms: home looks at the digest first, then whether the phone is kept out, and takes no login.
        let request = LoginRequest {
            extension: user.clone(),
            login_id: LoginId(self.entropy.bytes()),
            device: device_told(&device),
            terms: Terms::default(),
            digest: digest_of(&asked, &given, now),
            source,
            leaves: false,
            by_dialling: false,
            code: None,
        };
        let (key, body) = (self.next_key(), messages::encode(&request));
        self.losing.insert(key, Losing { asked, user: user.clone(), home: home.clone() });
        self.ask_site(now, &home, Claims::of(Purpose::Login), Some(&user), body, What::Lost(key));
    }

    /// Home has judged the digest: 401 says that it is wrong, a refusal of the login that it is right.
    pub(super) fn lost_judged(&mut self, now: Now, key: Key, status: Status, body: Option<&[u8]>) {
        let Some(Losing { asked, user, home }) = self.losing.remove(&key) else { return };
        let source = asked.source.remote.ip();
        match status {
            Status::UNAUTHORIZED => {
                self.commons.lockout.with(|lockout| lockout.note_wrong(now.instant, user.as_str(), source));
                let challenge = self.challenge(now, &Name::ProxyAuthorization, false);
                self.refuse_statelessly(&asked, &challenge);
            }
            Status::FORBIDDEN => {
                self.commons.lockout.with(|lockout| lockout.note_right(user.as_str(), source));
                self.spend_digest(now, &asked, &Name::ProxyAuthorization);
                let refusal = body.and_then(|body| messages::decode::<Refusal>(body).ok()).unwrap_or_default();
                // It may register again, and has not yet.
                let here = || format!("not logged in at {}", self.config.site.name);
                let why = if refusal.displaced { refusal.text } else { here() };
                self.lost_dials(now, asked, user, why);
            }
            _ => self.refuse_statelessly(&asked, &cannot_be_reached(&home)),
        }
    }

    /// Home has not answered.
    pub(super) fn lost_unjudged(&mut self, key: Key) {
        let Some(Losing { asked, home, .. }) = self.losing.remove(&key) else { return };
        self.refuse_statelessly(&asked, &cannot_be_reached(&home));
    }

    fn lost_dials(&mut self, now: Now, asked: Asked, user: Extension, why: String) {
        let Some(dialled) = number_of(&asked.request) else {
            return self.refuse_known(now, &asked, &Rejection::new(Status::NOT_FOUND));
        };
        let proven = Proven { account: Account::Lost(user, why.into()), nonce_issued: None };
        self.dials(now, asked, &proven, &dialled);
    }

    /// Home has found the digest of a request to be right, and this site does not get to check it: it proves nothing a second time.
    pub(super) fn spend_digest(&mut self, now: Now, asked: &Asked, header: &Name) {
        if let Some(given) = self.credentials(asked, header) {
            self.auth.spend(now.wall, asked.request.method().as_str().as_bytes(), &as_given(&given));
        }
    }
}

fn contact_of(asked: &Asked) -> Option<Contact> {
    match asked.request.contacts(1) {
        Ok(Contacts::List(list)) => list.into_iter().next(),
        Ok(Contacts::Star | Contacts::None) | Err(_) => None,
    }
}

/// The phone that sends a request: by its Contact, else by where it sends from; and as it is known if it is behind NAT.
fn devices_of(asked: &Asked) -> [Device; 2] {
    let (call_id, source) = (asked.request.call_id(), asked.source.remote);
    let named = contact_of(asked).and_then(|contact| Device::of_contact(&contact, call_id.clone()));
    let host = || source.to_string().into();
    let device = named.unwrap_or_else(|| Device::new(None, call_id.clone(), host(), false));
    [device.clone(), device.behind(source.ip())]
}

/// Whether a binding is that of the phone that sends a request.
fn is_phone_of(asked: &Asked) -> impl Fn(&Binding) -> bool {
    let ([plain, behind], source) = (devices_of(asked), asked.source);
    move |binding| (if binding.nat { &behind } else { &plain }).is(&binding.device) || binding.flow == source
}
