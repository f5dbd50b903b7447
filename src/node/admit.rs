//! Who a phone is: digest credentials against the users, visitors and desks of this site (SPEC 4.4, 9.4).

use std::borrow::Cow;
use std::sync::Arc;

use super::Node;
use super::tasks::Asked;
use crate::auth::{Flaw, Given, Ha1s, Verdict};
use crate::ids::Extension;
use crate::location::{Guest, Record};
use crate::registrar::Update;
use crate::rejection::Rejection;
use crate::settings::{Credentials, DigestAlgorithm, Site};
use crate::sip::{self, Name, Scheme, Status, Uri, digest};
use crate::timing::{Now, Wall};

/// Whom a digest proved.
#[derive(Clone, Debug)]
pub(super) enum Account {
    /// A user whose home this is.
    Resident(Extension),
    /// A user of another site, logged in here.
    Visitor(Extension, Arc<Guest>),
    /// A shared desk.
    Desk(String),
    /// A phone of another site's user who is not logged in here (SPEC 5.10), and why it may not call.
    Lost(Extension, Arc<str>),
}

/// A proven request.
#[derive(Clone, Debug)]
pub(super) struct Proven {
    /// By whom.
    pub account: Account,
    /// When its nonce was issued; `None` in lab mode without a password.
    pub nonce_issued: Option<Wall>,
}

/// Whether a source is locked for a user (SPEC 5.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lock {
    Open,
    Holds,
}

/// What a REGISTER for a visitor who is not logged in yet is asked at home.
#[derive(Clone, Debug)]
pub(super) enum Credible {
    /// The nonce is ours and fresh: home may judge the digest.
    Fresh(Box<sip::Credentials>),
    /// To be challenged.
    Challenge(Rejection),
}

impl Account {
    /// The digest username and the user it stands for.
    pub(super) fn name(&self) -> &str {
        match self {
            Account::Resident(extension) | Account::Visitor(extension, _) | Account::Lost(extension, _) => {
                extension.as_str()
            }
            Account::Desk(id) => id,
        }
    }

    /// The user; `None`: a desk has none.
    pub(super) fn user(&self) -> Option<&str> {
        match self {
            Account::Resident(extension) | Account::Visitor(extension, _) | Account::Lost(extension, _) => {
                Some(extension.as_str())
            }
            Account::Desk(_) => None,
        }
    }
}

impl Node {
    /// Proves the sender of a request that is no REGISTER; else the challenge (407).
    pub(super) fn authenticate(&mut self, now: Now, asked: &Asked) -> Result<Proven, Rejection> {
        if let Some(proven) = self.lab_caller(asked) {
            return Ok(proven);
        }
        self.prove(now, asked, &Name::ProxyAuthorization)
    }

    /// Proves the sender by the credentials of our realm in `header`; else the challenge that belongs to it.
    pub(super) fn prove(&mut self, now: Now, asked: &Asked, header: &Name) -> Result<Proven, Rejection> {
        match self.prove_unlocked(now, asked, header) {
            // SPEC 5.9: a locked one gets the answer that a wrong one gets.
            (_, Lock::Holds) => Err(self.challenge(now, header, false)),
            (proven, Lock::Open) => proven,
        }
    }

    /// The same for a call for help: no lockout stands before it (SPEC 6.7). A locked source that guesses may do so no oftener than one
    /// that proves nothing.
    pub(super) fn prove_for_help(&mut self, now: Now, asked: &Asked) -> Result<Proven, Rejection> {
        if let Some(proven) = self.lab_caller(asked) {
            return Ok(proven);
        }
        let header = Name::ProxyAuthorization;
        match self.prove_unlocked(now, asked, &header) {
            (Ok(_), Lock::Holds) if !self.may_call_for_help(now, asked.source.remote.ip()) => {
                Err(self.challenge(now, &header, false))
            }
            (proven, Lock::Holds | Lock::Open) => proven,
        }
    }

    /// What the digest proves, and whether the source is locked for its user.
    fn prove_unlocked(&mut self, now: Now, asked: &Asked, header: &Name) -> (Result<Proven, Rejection>, Lock) {
        let Some(given) = self.credentials(asked, header) else {
            return (Err(self.challenge(now, header, false)), Lock::Open);
        };
        let username = String::from_utf8_lossy(&given.username);
        let config = Arc::clone(&self.config);
        let found = self.account(&config.site, &username, algorithm_of(&given));
        let ha1s = found.as_ref().map(|(_, credentials)| Ha1s::from(credentials.as_ref()));
        let verdict = self.verdict(now, asked, &given, ha1s);
        // Nobody's digest is right here for a user whom only home can prove: home's word is counted, where it is asked.
        let counted = if found.is_none() && self.lives_elsewhere(&username) { Verdict::Stale } else { verdict };
        let lock = if self.is_locked_out(now, asked, &username, counted) { Lock::Holds } else { Lock::Open };
        let proven = match (verdict, found) {
            (Verdict::Good { nonce_issued }, Some((account, _))) => {
                Ok(Proven { account, nonce_issued: Some(nonce_issued) })
            }
            (Verdict::Stale, _) => Err(self.challenge(now, header, true)),
            (Verdict::Good { .. } | Verdict::Wrong | Verdict::OtherRealm | Verdict::Malformed(_), _) => {
                Err(self.challenge(now, header, false))
            }
        };
        (proven, lock)
    }

    fn lives_elsewhere(&self, user: &str) -> bool {
        self.config.network.home_of(user).is_some_and(|home| home.name != self.config.site.name)
    }

    /// Counts wrong answers of a source for a user, and says whether it is locked. A device with a live binding is never locked out
    /// by others (SPEC 5.9).
    fn is_locked_out(&mut self, now: Now, asked: &Asked, user: &str, verdict: Verdict) -> bool {
        let source = asked.source.remote.ip();
        let locked = self.commons.lockout.with(|lockout| {
            let locked = lockout.is_locked(now.instant, user, source);
            match verdict {
                Verdict::Wrong => _ = lockout.note_wrong(now.instant, user, source),
                Verdict::Good { .. } if !locked => lockout.note_right(user, source),
                Verdict::Good { .. } | Verdict::Stale | Verdict::OtherRealm | Verdict::Malformed(_) => {}
            }
            locked
        });
        locked && !self.is_bound_at(now, user, asked)
    }

    /// Whether a live binding of the user came by this very flow.
    fn is_bound_at(&self, now: Now, user: &str, asked: &Asked) -> bool {
        let record = self.location.view(user);
        record.is_some_and(|record| {
            record.bindings().iter().any(|binding| binding.is_live(now.instant) && binding.flow == asked.source)
        })
    }

    /// The credentials of our realm, if there are any.
    pub(super) fn credentials(&self, asked: &Asked, header: &Name) -> Option<sip::Credentials> {
        let realm = self.config.network.realm.as_bytes();
        asked.request.credentials(header).find(|given| given.realm == realm)
    }

    pub(super) fn verdict(
        &mut self,
        now: Now,
        asked: &Asked,
        given: &sip::Credentials,
        ha1s: Option<Ha1s<'_>>,
    ) -> Verdict {
        // SPEC 4.4: a digest over another request's URI proves nothing about this one. It is not `Wrong`: that speaks of a nonce
        // that is ours and fresh, which is what a home site is asked on.
        let uri = Uri::parse(given.uri.clone());
        if !uri.is_ok_and(|uri| is_same_target(&uri, asked.request.uri())) {
            return Verdict::Malformed(Flaw::Missing("uri"));
        }
        let method = asked.request.method().as_str().as_bytes();
        self.auth.check(now.wall, method, &as_given(given), &asked.request.body(), ha1s)
    }

    /// A new challenge: 401 for `Authorization`, 407 for `Proxy-Authorization`.
    pub(super) fn challenge(&mut self, now: Now, header: &Name, stale: bool) -> Rejection {
        let (status, answer) = if header == &Name::Authorization {
            (Status::UNAUTHORIZED, Name::WwwAuthenticate)
        } else {
            (Status::PROXY_AUTHENTICATION_REQUIRED, Name::ProxyAuthenticate)
        };
        let nonce = self.auth.challenge(now.wall, &mut self.entropy);
        let values: Vec<String> = self.auth.challenge_values(&nonce, stale).collect();
        values.into_iter().fold(Rejection::new(status), |rejection, value| rejection.with(answer.clone(), value))
    }

    /// Who has that digest username here, and what proves it by `algorithm`. A visitor counts from the moment that home has let
    /// it in: the next phone of the same user need not wait for the store.
    fn account<'s>(
        &self,
        site: &'s Site,
        username: &str,
        algorithm: DigestAlgorithm,
    ) -> Option<(Account, Cow<'s, Credentials>)> {
        // SPEC 4.4: `201@domain` only for users with a stored password.
        let (user, domain) = username.split_once('@').map_or((username, None), |(user, domain)| (user, Some(domain)));
        if let Some(found) = site.users.get(user) {
            let account = Account::Resident(found.extension.clone());
            return match domain {
                None => Some((account, Cow::Borrowed(&found.credentials))),
                Some(_) => {
                    let password = found.credentials.password.as_deref()?;
                    Some((account, Cow::Owned(self.ha1_of(algorithm, username, password))))
                }
            };
        }
        if domain.is_some() {
            return None;
        }
        if let Some(desk) = site.desks.get(user) {
            return Some((Account::Desk(desk.id.clone()), Cow::Borrowed(&desk.credentials)));
        }
        if let Some(Record::Visitor(visitor)) = self.location.view(user).as_deref() {
            let account = Account::Visitor(Extension::new(user), Arc::clone(&visitor.guest));
            return Some((account, Cow::Owned(visitor.guest.user.credentials.clone())));
        }
        let password = self.lab_password().filter(|_| self.owns(user))?;
        Some((Account::Resident(Extension::new(user)), Cow::Owned(self.ha1_of(algorithm, user, password))))
    }

    /// What proves a user with that password, by every algorithm: for what travels.
    pub(super) fn ha1s_of(&self, username: &str, password: &str) -> Credentials {
        let md5 = self.ha1_of(DigestAlgorithm::Md5, username, password);
        Credentials { ha1_sha256: self.ha1_of(DigestAlgorithm::Sha256, username, password).ha1_sha256, ..md5 }
    }

    /// The same by one algorithm.
    fn ha1_of(&self, algorithm: DigestAlgorithm, username: &str, password: &str) -> Credentials {
        let realm = self.config.network.realm.as_bytes();
        let ha1 = digest::ha1(algorithm, username.as_bytes(), realm, password.as_bytes()).as_str().to_owned();
        match algorithm {
            DigestAlgorithm::Md5 => Credentials { ha1_md5: Some(ha1), ..Credentials::default() },
            DigestAlgorithm::Sha256 => Credentials { ha1_sha256: Some(ha1), ..Credentials::default() },
        }
    }

    /// The password of every user in lab mode (SPEC 4.7).
    pub(super) fn lab_password(&self) -> Option<&str> {
        self.config.site.lab.as_ref()?.password.as_deref()
    }

    /// Whether this is a lab whose users need no password.
    pub(super) fn is_open_lab(&self) -> bool {
        self.config.site.lab.as_ref().is_some_and(|lab| lab.password.is_none())
    }

    /// Lab mode without a password: a From that fits the extensions is believed.
    fn lab_caller(&self, asked: &Asked) -> Option<Proven> {
        if !self.is_open_lab() {
            return None;
        }
        let user = asked.request.from().uri().user()?;
        let account = match self.location.view(&user).as_deref() {
            Some(Record::Visitor(visitor)) => Account::Visitor(Extension::new(&user), Arc::clone(&visitor.guest)),
            Some(Record::Resident(_)) => Account::Resident(Extension::new(&user)),
            None if self.owns(&user) => Account::Resident(Extension::new(&user)),
            None => return None,
        };
        Some(Proven { account, nonce_issued: None })
    }

    /// Refuses a REGISTER that would make us call a trunk or another site as if it were a phone.
    pub(super) fn may_bind(&self, update: &Update) -> Result<(), Rejection> {
        if update.reached_at().any(|address| self.is_reserved(address)) {
            return Err(Rejection::warned(Status::FORBIDDEN, "the contact is a trunk or a site"));
        }
        Ok(())
    }

    /// Whether the number is in this site's extension patterns.
    pub(super) fn owns(&self, extension: &str) -> bool {
        self.entry().extensions.iter().any(|pattern| pattern.matches(extension))
    }

    /// A request of a user who is not logged in here, such as a visitor's REGISTER before the login: the nonce is judged here, the digest at
    /// home (SPEC 5.2).
    pub(super) fn credible(&mut self, now: Now, asked: &Asked, header: &Name) -> Credible {
        let Some(given) = self.credentials(asked, header) else {
            return Credible::Challenge(self.challenge(now, header, false));
        };
        match self.verdict(now, asked, &given, None) {
            // Nobody's digest is right for nobody: a fresh nonce shows as `Wrong`.
            Verdict::Wrong | Verdict::Good { .. } => Credible::Fresh(Box::new(given)),
            Verdict::Stale => Credible::Challenge(self.challenge(now, header, true)),
            Verdict::OtherRealm | Verdict::Malformed(_) => Credible::Challenge(self.challenge(now, header, false)),
        }
    }
}

/// SPEC 4.4: §19.1.4 of RFC 3261, but a missing default port is no difference.
fn is_same_target(given: &Uri, asked: &Uri) -> bool {
    if given.equivalent(asked) {
        return true;
    }
    match (with_port(given), with_port(asked)) {
        (Some(given), Some(asked)) => given.equivalent(&asked),
        (Some(given), None) => given.equivalent(asked),
        (None, Some(asked)) => given.equivalent(&asked),
        (None, None) => false,
    }
}

/// A URI that names no port, with its scheme's.
fn with_port(uri: &Uri) -> Option<Uri> {
    let (bytes, port) = match (uri.scheme(), uri.port()) {
        (Scheme::Sip, None) => (uri.as_bytes(), ":5060"),
        (Scheme::Sips, None) => (uri.as_bytes(), ":5061"),
        (Scheme::Sip | Scheme::Sips | Scheme::Tel | Scheme::Other, _) => return None,
    };
    // Before the `@` any of these may be the user's.
    let user = uri.user_bytes().and_then(|_| bytes.iter().position(|&byte| byte == b'@')).unwrap_or(0);
    let end = bytes.iter().skip(user).position(|byte| matches!(byte, b';' | b'?')).map_or(bytes.len(), |at| user + at);
    let (address, rest) = bytes.split_at(end);
    Uri::parse([address, port.as_bytes(), rest].concat()).ok()
}

/// The algorithm that credentials use; MD5 where they name none, or one that nobody offered.
fn algorithm_of(given: &sip::Credentials) -> DigestAlgorithm {
    given.algorithm.as_deref().and_then(digest::named).unwrap_or(DigestAlgorithm::Md5)
}

/// The same credentials for the authenticator.
pub(super) fn as_given(given: &sip::Credentials) -> Given<'_> {
    Given {
        username: &given.username,
        realm: &given.realm,
        nonce: &given.nonce,
        uri: &given.uri,
        response: &given.response,
        algorithm: given.algorithm.as_deref(),
        qop: given.qop.as_deref(),
        nc: given.nc.as_deref(),
        cnonce: given.cnonce.as_deref(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(given: &'static str, asked: &'static str) -> bool {
        let (given, asked) = (Uri::parse(given).expect(given), Uri::parse(asked).expect(asked));
        assert_eq!(is_same_target(&given, &asked), is_same_target(&asked, &given));
        is_same_target(&given, &asked)
    }

    #[test]
    fn a_missing_default_port_is_no_difference() {
        assert!(same("sip:london.example:5060", "sip:london.example"));
        assert!(same("sip:202;x=1@london.example:5060;user=phone", "sip:202;x=1@LONDON.example;user=phone"));
        assert!(same("sip:[2001:db8::1]", "sip:[2001:db8::1]:5060"));
        assert!(same("sips:h", "sips:h:5061"));
    }

    #[test]
    fn every_other_difference_is_one() {
        assert!(!same("sip:h:5061", "sip:h") && !same("sips:h:5060", "sips:h"));
        assert!(!same("sip:202@h:5060", "sip:203@h") && !same("sip:202@h:5060", "sip:202@g"));
        assert!(!same("sip:h:5060;user=phone", "sip:h") && !same("tel:5060", "sip:5060"));
    }
}
