//! Registration (RFC 3261 §10.2): the account's binding, its refreshes, and the digest challenge that it keeps.

use std::time::{Duration, Instant};

use super::asking::Purpose;
use super::dialog::lossy;
use super::event::PhoneEvent;
use super::outline::Outline;
use super::user_agent::Phone;
use crate::sip::digest::{self, Answering, Asked};
use crate::sip::{Challenge, Contacts, Method, Name, Response, Status};

/// What a phone remembers of its registration.
#[derive(Debug)]
pub(super) struct Registration {
    pub call_id: String,
    pub tag: String,
    pub cseq: u32,
    /// Asked for, in seconds; 0: out.
    pub wanted: u32,
    pub refresh_at: Option<Instant>,
    /// The last challenge, and how often it was answered: refreshes use it without being asked.
    pub kept: Option<(Challenge, u32)>,
    /// Refresh by itself at three quarters of the time.
    pub refreshes: bool,
}

impl Registration {
    pub fn new(call_id: String, tag: String) -> Self {
        Self { call_id, tag, cseq: 0, wanted: 0, refresh_at: None, kept: None, refreshes: true }
    }
}

impl Phone {
    /// Registers the contact for `expires` seconds, and from then on refreshes it.
    pub fn register(&mut self, now: Instant, expires: u32) {
        self.registration.wanted = expires;
        self.registration.refresh_at = None;
        let (call_id, tag) = (self.registration.call_id.clone(), self.registration.tag.clone());
        self.registration.cseq += 1;
        let aor = self.config.named_aor();
        let mut outline = Outline {
            method: Method::REGISTER,
            uri: format!("sip:{}", self.config.domain).into(),
            next_hop: self.config.proxy,
            routes: Vec::new(),
            from: format!("{aor};tag={tag}"),
            to: aor,
            call_id,
            cseq: self.registration.cseq,
            extras: vec![(Name::Contact, self.contact()), (Name::Expires, expires.to_string())],
            body: None,
            credentials: None,
        };
        if let Some((challenge, count)) = &mut self.registration.kept {
            *count += 1;
            let (challenge, count) = (challenge.clone(), *count);
            outline.credentials = self.credentials(&outline, &challenge, count, false);
        }
        self.ask(now, outline, Purpose::Register);
    }

    /// Takes the contact out.
    pub fn unregister(&mut self, now: Instant) {
        self.register(now, 0);
    }

    /// Registers under a new Call-ID: a person's new login.
    pub fn register_anew(&mut self, now: Instant, expires: u32) {
        let refreshes = self.registration.refreshes;
        self.registration = Registration::new(self.call_id(), self.entropy.token());
        self.registration.refreshes = refreshes;
        self.register(now, expires);
    }

    /// Forgets how far it has counted, as a phone that starts anew with its old Call-ID does, and what challenged it.
    pub fn count_anew(&mut self) {
        (self.registration.cseq, self.registration.kept) = (0, None);
    }

    /// Whether it refreshes its registration by itself; it does unless told.
    pub fn refresh_by_itself(&mut self, refreshes: bool) {
        self.registration.refreshes = refreshes;
    }

    pub(super) fn registered(&mut self, now: Instant, response: &Response) {
        let listed = match response.contacts(64) {
            Ok(Contacts::List(list)) => list,
            Ok(Contacts::None | Contacts::Star) | Err(_) => Vec::new(),
        };
        let own = self.contact_uri();
        let contacts = listed.iter().map(|contact| lossy(contact.uri().as_bytes())).collect::<Vec<_>>();
        let granted = listed.iter().find(|contact| contact.uri().as_bytes() == own.as_bytes());
        let expires = granted.and_then(|contact| contact.expires());
        match (self.registration.wanted, expires) {
            (0, None) => self.say(PhoneEvent::Unregistered { contacts }),
            (0, Some(_)) => self.complain("REGISTER: 200 still lists the contact that was taken out"),
            (_, None) => self.complain("REGISTER: 200 does not list our contact with its expires"),
            (wanted, Some(expires)) => {
                if expires == 0 || expires > wanted {
                    self.complain(format!("REGISTER: asked for {wanted} s and got {expires} s"));
                }
                let pause = Duration::from_secs(u64::from(expires)) * 3 / 4;
                self.registration.refresh_at = self.registration.refreshes.then(|| now + pause);
                self.say(PhoneEvent::Registered { contacts, expires });
            }
        }
    }

    /// A final answer to REGISTER that is neither 2xx nor a challenge that can be answered.
    pub(super) fn not_registered(&mut self, now: Instant, response: Option<&Response>) {
        self.registration.refresh_at = None;
        let Some(response) = response else {
            let (status, reason) = (Status::REQUEST_TIMEOUT, "no answer".into());
            return self.say(PhoneEvent::RegistrationRefused { status, reason, warning: None });
        };
        // RFC 3261 §10.2.8: 423 asks for a longer time.
        if let (Status(423), Ok(Some(least))) = (response.status(), response.seconds(&Name::MinExpires))
            && least > self.registration.wanted
        {
            return self.register(now, least);
        }
        let (status, reason, warning) = told(response);
        self.say(PhoneEvent::RegistrationRefused { status, reason, warning });
    }

    /// The credentials header that answers a challenge (RFC 3261 §22.2, RFC 7616 §3.4).
    pub(super) fn credentials(
        &mut self,
        outline: &Outline,
        challenge: &Challenge,
        count: u32,
        of_proxy: bool,
    ) -> Option<(Name, String)> {
        let asked = Asked::by(challenge)?;
        let cnonce = self.entropy.token();
        let by = Answering {
            username: &self.config.user,
            password: &self.config.password,
            method: outline.method.as_str(),
            uri: std::str::from_utf8(&outline.uri).ok()?,
            body: outline.body.as_ref().map(|(_, content)| &content[..]).unwrap_or_default(),
            cnonce: &cnonce,
            count,
        };
        let name = if of_proxy { Name::ProxyAuthorization } else { Name::Authorization };
        Some((name, digest::authorization(&asked, &by)))
    }
}

/// Status, phrase and first Warning of a refusal.
pub(super) fn told(response: &Response) -> (Status, String, Option<String>) {
    let warning = response.header(&Name::Warning).map(|header| lossy(&header.value()));
    (response.status(), lossy(response.reason()), warning)
}
