//! The client's side of digest towards a carrier (SPEC 9.10; RFC 3261 §22, RFC 7616, RFC 8760).
//!
//! ```text
//!            open                          accepted
//!   ─────────────────► sent ──────────────────────────────► done
//!                       │  ▲
//!            challenged │  │ Ok: send it again with these
//!                       ▼  │
//!                     answer ── Err: our credentials were refused, or nothing here knows how to answer ──► failed
//! ```
//!
//! [`Tries`] belongs to one request and knows what it has shown; [`Wallet`] belongs to a carrier and keeps its last challenges, so that
//! later requests show their credentials unasked. A carrier whose nonces are good for one request only is not shown them unasked for
//! long. Each challenger is answered: a proxy and the server behind it, each realm once, by the strongest algorithm that both know.

use std::fmt;

use bytes::Bytes;
use smallvec::SmallVec;

use crate::settings::DigestAlgorithm;
use crate::sip::digest::{self, Answering, Asked};
use crate::sip::{Challenge, Message, Name, Response, Status};

/// Most times that one request is sent again for a challenge: two challengers, each with a nonce that ran out meanwhile.
const ROUNDS: u8 = 4;
/// Most challengers of one carrier that are kept; the one that was heard first goes.
const KEPT: usize = 8;
/// So many nonces in a row that were refused at their second use: this carrier's are good for one.
const REFUSED: u8 = 3;

/// Who asks, and so in which header it is answered (RFC 3261 §22.2, §22.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asker {
    /// A server: 401.
    Server,
    /// A proxy: 407.
    Proxy,
}

/// A user name and its password, as a carrier knows them.
#[derive(Clone, Copy)]
pub struct Account<'a> {
    /// The name.
    pub username: &'a str,
    /// The password.
    pub password: &'a str,
}

/// What credentials are computed over.
#[derive(Clone, Copy, Debug)]
pub struct Asking<'a> {
    /// The request's method.
    pub method: &'a str,
    /// The Request-URI as it is sent.
    pub uri: &'a str,
    /// The body as it is sent.
    pub body: &'a [u8],
}

/// A challenge that is to be answered, and how often its nonce has been used then.
#[derive(Clone, Debug)]
pub struct Chosen {
    asker: Asker,
    challenge: Challenge,
    count: u32,
}

/// Why a challenge is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// They know who we claim to be, and do not believe it.
    #[error("the user name or the password is wrong")]
    Credentials,
    /// No Digest challenge with an algorithm and a quality of protection that are known here.
    #[error("none of its challenges can be answered")]
    Unknown,
    /// It asks again and again.
    #[error("it asks again and again")]
    Endless,
}

/// What one request has shown so far.
#[derive(Clone, Debug, Default)]
pub struct Tries {
    shown: SmallVec<[Shown; 1]>,
    rounds: u8,
    accepted: bool,
}

#[derive(Clone, Debug)]
struct Shown {
    asker: Asker,
    realm: Bytes,
    /// The nonce was given for this very request.
    asked: bool,
}

/// The last challenges of one carrier.
#[derive(Debug, Default)]
pub struct Wallet {
    kept: Vec<Kept>,
    warned: bool,
}

#[derive(Debug)]
struct Kept {
    asker: Asker,
    challenge: Challenge,
    /// How often this nonce was used.
    count: u32,
    /// It was taken a second time.
    reused: bool,
    /// Nonces in a row that were refused at their second use.
    refused: u8,
}

impl Wallet {
    /// What a new request shows unasked; nothing if nothing is known or the carrier takes no nonce twice.
    pub fn open(&mut self, tries: &mut Tries) -> Vec<Chosen> {
        let open = self.kept.iter_mut().filter(|kept| kept.refused < REFUSED);
        open.map(|kept| kept.show(tries, false)).collect()
    }

    /// A 401 or 407 came to a request: what it is to be sent again with, or why it is not.
    pub fn challenged(&mut self, tries: &mut Tries, response: &Response) -> Result<Vec<Chosen>, Refused> {
        let challenges = strongest(response);
        if challenges.is_empty() {
            return Err(Refused::Unknown);
        }
        let refused = |(asker, challenge): &(Asker, Challenge)| {
            tries.of(*asker, &challenge.realm).is_some_and(|shown| shown.asked && !challenge.stale)
        };
        if challenges.iter().any(refused) {
            self.kept.retain(|kept| !tries.shown.iter().any(|shown| shown.is(kept.asker, &kept.challenge.realm)));
            return Err(Refused::Credentials);
        }
        if tries.rounds >= ROUNDS {
            return Err(Refused::Endless);
        }
        tries.rounds += 1;
        tries.accepted = false;
        let others: Vec<Shown> = tries.shown.drain(..).collect();
        let mut chosen = Vec::new();
        for (asker, challenge) in challenges {
            let unasked = others.iter().any(|shown| shown.is(asker, &challenge.realm) && !shown.asked);
            chosen.push(self.keep(asker, challenge, unasked).show(tries, true));
        }
        // Who was content with what was shown is shown it again.
        for shown in others {
            let kept = self.kept.iter_mut().find(|kept| shown.is(kept.asker, &kept.challenge.realm));
            match kept {
                Some(kept) if !chosen.iter().any(|chosen: &Chosen| chosen.is_for(&shown)) => {
                    chosen.push(kept.show(tries, shown.asked));
                }
                Some(_) | None => {}
            }
        }
        Ok(chosen)
    }

    /// The carrier went on with a request.
    pub fn accepted(&mut self, tries: &mut Tries) {
        if std::mem::replace(&mut tries.accepted, true) || tries.shown.is_empty() {
            return;
        }
        self.warned = false;
        for shown in tries.shown.iter().filter(|shown| !shown.asked) {
            if let Some(kept) = self.kept.iter_mut().find(|kept| shown.is(kept.asker, &kept.challenge.realm)) {
                (kept.reused, kept.refused) = (true, 0);
            }
        }
    }

    /// Whether somebody is to be told that the credentials are refused: once, until they are taken again.
    pub fn warns(&mut self) -> bool {
        !std::mem::replace(&mut self.warned, true)
    }

    /// Keeps a challenge in place of the last one of that challenger, which was shown unasked or not.
    fn keep(&mut self, asker: Asker, challenge: Challenge, unasked: bool) -> &mut Kept {
        let known = self.kept.iter().position(|kept| kept.asker == asker && kept.challenge.realm == challenge.realm);
        let kept = match known.map(|at| self.kept.remove(at)) {
            // A server may give the nonce that it gives to others too.
            Some(kept) if kept.challenge.nonce == challenge.nonce => Kept { challenge, ..kept },
            Some(kept) => {
                // One that was taken several times has run out; one that never was is good for one request.
                let more = u8::from(unasked && !kept.reused);
                Kept { asker, challenge, count: 0, reused: false, refused: kept.refused.saturating_add(more) }
            }
            None => Kept { asker, challenge, count: 0, reused: false, refused: 0 },
        };
        if self.kept.len() >= KEPT {
            self.kept.remove(0);
        }
        self.kept.push(kept);
        self.kept.last_mut().expect("one was put there")
    }
}

impl Kept {
    fn show(&mut self, tries: &mut Tries, asked: bool) -> Chosen {
        self.count = self.count.saturating_add(1);
        tries.shown.push(Shown { asker: self.asker, realm: self.challenge.realm.clone(), asked });
        Chosen { asker: self.asker, challenge: self.challenge.clone(), count: self.count }
    }
}

impl Tries {
    fn of(&self, asker: Asker, realm: &Bytes) -> Option<&Shown> {
        self.shown.iter().find(|shown| shown.is(asker, realm))
    }
}

impl Shown {
    fn is(&self, asker: Asker, realm: &Bytes) -> bool {
        self.asker == asker && self.realm == realm
    }
}

impl Chosen {
    /// The header that answers; `cnonce` is a fresh random text. `None` never comes of a challenge that was chosen.
    pub fn answer(&self, account: Account<'_>, asking: &Asking<'_>, cnonce: &str) -> Option<(Name, String)> {
        let by = Answering {
            username: account.username,
            password: account.password,
            method: asking.method,
            uri: asking.uri,
            body: asking.body,
            cnonce,
            count: self.count,
        };
        Some((self.asker.answers_in(), digest::authorization(&Asked::by(&self.challenge)?, &by)))
    }

    fn is_for(&self, shown: &Shown) -> bool {
        shown.is(self.asker, &self.challenge.realm)
    }
}

impl Asker {
    fn asks_in(self) -> Name {
        match self {
            Asker::Server => Name::WwwAuthenticate,
            Asker::Proxy => Name::ProxyAuthenticate,
        }
    }

    fn answers_in(self) -> Name {
        match self {
            Asker::Server => Name::Authorization,
            Asker::Proxy => Name::ProxyAuthorization,
        }
    }
}

impl fmt::Debug for Account<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Account(…)")
    }
}

/// Whether a status asks who we are.
pub fn is_challenge(status: Status) -> bool {
    matches!(status, Status::UNAUTHORIZED | Status::PROXY_AUTHENTICATION_REQUIRED)
}

/// Of each challenger the challenge with the strongest algorithm (RFC 8760 §2.4), the first one of those.
fn strongest(response: &Message) -> SmallVec<[(Asker, Challenge); 1]> {
    let mut chosen: SmallVec<[(Asker, Challenge); 1]> = SmallVec::new();
    for asker in [Asker::Server, Asker::Proxy] {
        for challenge in response.challenges(&asker.asks_in()).filter(|challenge| Asked::by(challenge).is_some()) {
            let same = chosen.iter().position(|(other, known)| *other == asker && known.realm == challenge.realm);
            match same {
                Some(at) if strength(&challenge) > strength(&chosen[at].1) => chosen[at].1 = challenge,
                Some(_) => {}
                None if chosen.len() < KEPT => chosen.push((asker, challenge)),
                None => {}
            }
        }
    }
    chosen
}

fn strength(challenge: &Challenge) -> u8 {
    match Asked::by(challenge).and_then(|asked| asked.algorithm) {
        Some(DigestAlgorithm::Sha256) => 2,
        Some(DigestAlgorithm::Md5) | None => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Limits;
    use crate::sip::{Packet, parse};

    const SERVER: &str = "WWW-Authenticate: Digest realm=\"a\", nonce=\"1\", qop=\"auth\"\r\n";
    const PROXY: &str = "Proxy-Authenticate: Digest realm=\"a\", nonce=\"2\", qop=\"auth\"\r\n";

    fn response(lines: &str) -> Response {
        let text = format!(
            "SIP/2.0 401 x\r\nVia: SIP/2.0/UDP h\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:b@h>;tag=2\r\nCall-ID: c\r\n\
             CSeq: 1 INVITE\r\n{lines}Content-Length: 0\r\n\r\n"
        );
        let Ok(Packet::Response(response)) = parse(Bytes::from(text), &Limits::default()) else { panic!("a response") };
        response
    }

    fn nonce(nonce: &str, more: &str) -> Response {
        response(&format!("Proxy-Authenticate: Digest realm=\"r\", nonce=\"{nonce}\", qop=\"auth\"{more}\r\n"))
    }

    /// What is shown: the header, the nonce and its count.
    fn told(chosen: &[Chosen]) -> Vec<String> {
        let account = Account { username: "u", password: "p" };
        let asking = Asking { method: "INVITE", uri: "sip:b@h", body: b"" };
        let line = |chosen: &Chosen| {
            let (name, value) = chosen.answer(account, &asking, "x").expect("it can be answered");
            let of = |key: &str| {
                value.split(&format!("{key}=")).nth(1).map(|rest| rest.split(',').next().unwrap_or(rest).to_owned())
            };
            format!(
                "{} {} {}",
                String::from_utf8_lossy(name.canonical()),
                of("nonce").unwrap_or_default(),
                of("nc").unwrap_or_default()
            )
        };
        chosen.iter().map(line).collect()
    }

    #[test]
    fn a_challenge_is_answered_once_and_again_where_the_nonce_is_stale() {
        let (mut wallet, mut tries) = (Wallet::default(), Tries::default());
        assert!(wallet.open(&mut tries).is_empty());
        let first = wallet.challenged(&mut tries, &nonce("1", "")).expect("answered");
        assert_eq!(told(&first), ["Proxy-Authorization \"1\" 00000001"]);
        let stale = wallet.challenged(&mut tries, &nonce("2", ", stale=true")).expect("answered");
        assert_eq!(told(&stale), ["Proxy-Authorization \"2\" 00000001"]);
        assert_eq!(wallet.challenged(&mut tries, &nonce("3", "")).map(|_| ()), Err(Refused::Credentials));
        assert!(wallet.open(&mut Tries::default()).is_empty(), "what is refused is not shown again");
    }

    #[test]
    fn later_requests_show_their_credentials_unasked_and_count() {
        let mut wallet = Wallet::default();
        wallet.challenged(&mut Tries::default(), &nonce("1", "")).expect("answered");
        for count in 2..5 {
            let mut tries = Tries::default();
            assert_eq!(told(&wallet.open(&mut tries)), [format!("Proxy-Authorization \"1\" {count:08x}")]);
            wallet.accepted(&mut tries);
        }
        // It has run out: that is no refusal of the credentials, whether the server says stale or not.
        let mut tries = Tries::default();
        wallet.open(&mut tries);
        let again = wallet.challenged(&mut tries, &nonce("2", "")).expect("answered");
        assert_eq!(told(&again), ["Proxy-Authorization \"2\" 00000001"]);
    }

    #[test]
    fn nonces_that_are_good_once_are_soon_not_shown_unasked() {
        let mut wallet = Wallet::default();
        wallet.challenged(&mut Tries::default(), &nonce("0", "")).expect("answered");
        for round in 1..=u32::from(REFUSED) {
            let mut tries = Tries::default();
            assert_eq!(wallet.open(&mut tries).len(), 1, "round {round}");
            wallet.challenged(&mut tries, &nonce(&round.to_string(), "")).expect("answered");
            wallet.accepted(&mut tries);
        }
        assert!(wallet.open(&mut Tries::default()).is_empty());
        assert!(wallet.challenged(&mut Tries::default(), &nonce("9", "")).is_ok());
    }

    #[test]
    fn the_strongest_of_a_challengers_offers_is_answered_and_every_challenger() {
        let offers = "Proxy-Authenticate: Digest realm=\"r\", nonce=\"m\", algorithm=MD5\r\n\
                      Proxy-Authenticate: Digest realm=\"r\", nonce=\"s\", algorithm=SHA-256, qop=\"auth\"\r\n\
                      Proxy-Authenticate: Digest realm=\"r\", nonce=\"l\", algorithm=SHA-512-256\r\n";
        let (mut wallet, mut tries) = (Wallet::default(), Tries::default());
        let chosen = wallet.challenged(&mut tries, &response(&format!("{offers}{SERVER}"))).expect("answered");
        assert_eq!(told(&chosen), ["Authorization \"1\" 00000001", "Proxy-Authorization \"s\" 00000001"]);
        let unknown = response(
            "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", algorithm=SHA-512-256\r\nWWW-Authenticate: Basic x\r\n",
        );
        assert_eq!(wallet.challenged(&mut Tries::default(), &unknown).map(|_| ()), Err(Refused::Unknown));
    }

    #[test]
    fn the_server_behind_a_proxy_asks_too_and_the_proxy_is_shown_its_answer_again() {
        let (mut wallet, mut tries) = (Wallet::default(), Tries::default());
        let proxy = wallet.challenged(&mut tries, &response(PROXY)).expect("answered");
        assert_eq!(told(&proxy), ["Proxy-Authorization \"2\" 00000001"]);
        let both = wallet.challenged(&mut tries, &response(SERVER)).expect("answered");
        assert_eq!(told(&both), ["Authorization \"1\" 00000001", "Proxy-Authorization \"2\" 00000002"]);
        assert_eq!(wallet.challenged(&mut tries, &response(PROXY)).map(|_| ()), Err(Refused::Credentials));
    }

    #[test]
    fn who_asks_again_and_again_is_not_answered_for_ever() {
        let (mut wallet, mut tries) = (Wallet::default(), Tries::default());
        let mut ask = |round: u8| wallet.challenged(&mut tries, &nonce(&round.to_string(), ", stale=true")).map(|_| ());
        assert!((0..ROUNDS).all(|round| ask(round).is_ok()));
        assert_eq!(ask(ROUNDS), Err(Refused::Endless));
    }

    #[test]
    fn a_refusal_is_told_once_until_the_credentials_are_taken_again() {
        let (mut wallet, mut tries) = (Wallet::default(), Tries::default());
        assert!(wallet.warns() && !wallet.warns());
        wallet.challenged(&mut tries, &nonce("1", "")).expect("answered");
        wallet.accepted(&mut tries);
        assert!(wallet.warns() && !wallet.warns());
    }

    #[test]
    fn the_challengers_of_a_carrier_are_few() {
        let mut wallet = Wallet::default();
        for realm in 0..100 {
            let challenge = format!("WWW-Authenticate: Digest realm=\"{realm}\", nonce=\"n\"\r\n");
            wallet.challenged(&mut Tries::default(), &response(&challenge)).expect("answered");
        }
        assert_eq!(wallet.open(&mut Tries::default()).len(), KEPT);
    }
}
