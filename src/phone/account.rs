//! What a simulated phone is told when it is set up.

use std::net::SocketAddr;
use std::time::Duration;

use super::carrier::{Demand, Grants};
use crate::sip::Status;

/// What plays: a desk phone with an account, or a carrier's side of a trunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It registers, and every new request must be for the contact that it registered.
    Phone,
    /// It takes every number and never registers.
    Trunk,
}

/// What happens when a call comes in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// 180 at once, 200 after this time.
    Answer {
        /// How long it rings.
        after: Duration,
    },
    /// 180 and nothing more: somebody answers with [`Phone::answer`](super::Phone::answer), or the caller gives up.
    Ring,
    /// 486.
    Busy,
    /// Any other refusal.
    Reject {
        /// The code, 300 to 699.
        status: Status,
        /// Its phrase.
        reason: String,
    },
    /// 302 with this URI as Contact: the phone sends its calls elsewhere.
    Redirect {
        /// The URI.
        to: String,
    },
    /// No request is answered, as if the cable were out. What comes is still looked at.
    Silent,
}

/// One account at one registrar.
#[derive(Clone, Debug)]
pub struct PhoneConfig {
    /// Phone or trunk.
    pub kind: Kind,
    /// The user part of the account; also the digest username. For a trunk: the number that it calls from.
    pub user: String,
    /// The digest password.
    pub password: String,
    /// The network's digest realm: credentials for it are for the sites only.
    pub realm: String,
    /// Where it listens, and what stands in its Via and Contact.
    pub local: SocketAddr,
    /// The site: everything is sent there (RFC 3261 §8.1.2, outbound proxy).
    pub proxy: SocketAddr,
    /// The host of From, of To, and of what is dialled.
    pub domain: String,
    /// The display name.
    pub display: Option<String>,
    /// `+sip.instance` without its quotes, such as `<urn:uuid:…>`.
    pub instance: Option<String>,
    /// The `q` of its contact, such as `0.5`.
    pub q: Option<String>,
    /// How it answers calls.
    pub behaviour: Behaviour,
    /// T1 of RFC 3261 §17.1.1.1.
    pub t1: Duration,
    /// What a carrier asks of those who call by it.
    pub demand: Option<Demand>,
    /// What a carrier that is a registrar grants.
    pub grants: Option<Grants>,
}

impl PhoneConfig {
    /// A phone that answers after two seconds.
    pub fn phone(user: &str, password: &str, local: SocketAddr, proxy: SocketAddr, domain: &str) -> Self {
        Self {
            kind: Kind::Phone,
            user: user.into(),
            password: password.into(),
            realm: "hotdesk.example".into(),
            local,
            proxy,
            domain: domain.into(),
            display: None,
            instance: None,
            q: None,
            behaviour: Behaviour::Answer { after: Duration::from_secs(2) },
            t1: Duration::from_millis(500),
            demand: None,
            grants: None,
        }
    }

    /// A carrier that answers after two seconds and calls from `number`.
    pub fn trunk(number: &str, local: SocketAddr, site: SocketAddr, domain: &str) -> Self {
        Self { kind: Kind::Trunk, ..Self::phone(number, "", local, site, domain) }
    }

    /// The account's address of record.
    pub(super) fn aor(&self) -> String {
        match self.kind {
            Kind::Phone => format!("sip:{}@{}", self.user, self.domain),
            Kind::Trunk => format!("sip:{}@{}", self.user, self.local),
        }
    }

    /// The address of record as From or To writes it.
    pub(super) fn named_aor(&self) -> String {
        match &self.display {
            Some(name) => format!("\"{}\" <{}>", name.replace(['"', '\\'], ""), self.aor()),
            None => format!("<{}>", self.aor()),
        }
    }

    /// What is dialled, as a Request-URI.
    pub(super) fn dialled(&self, target: &str) -> String {
        if target.contains(':') {
            return target.into();
        }
        let user = target.replace('#', "%23");
        match self.kind {
            Kind::Phone => format!("sip:{user}@{}", self.domain),
            Kind::Trunk => format!("sip:{user}@{}", self.proxy),
        }
    }
}
