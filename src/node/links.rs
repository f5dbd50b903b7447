//! This site's side of the site links: tokens and proofs written and judged, and who is there (SPEC 8.1, 11).

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;

use super::Config;
use super::commons::Commons;
use super::overview::LinkSeen;
use super::tasks::Asked;
use crate::guarded::Guarded;
use crate::ids::{Entropy, SiteName, SiteNumber};
use crate::link::proof::{self, Proof, RouteKeys, Side};
use crate::link::{
    Answer, Bound, Cause, Claims, Envelope, Gate, Help, Keyring, Minted, PairKeys, Peer, Purpose, Refused, State,
    Token, mint,
};
use crate::proxy::{Shows, rewritings};
use crate::settings::Secret;
use crate::sip::{Name, Request};
use crate::timing::Now;

/// Everything that another site has to believe, or we of it. Each shard has its own; what is known of the others is shared.
pub(super) struct Links {
    gate: Option<Gate>,
    routes: RouteKeys,
    /// The other sites.
    numbers: BTreeMap<SiteName, SiteNumber>,
    peers: Arc<Guarded<Peers>>,
    number: SiteNumber,
    /// Which start of this process the proofs of dialogs are of; never 0.
    boot: u32,
    /// Of our network table.
    fingerprint: [u8; 8],
    /// What is dialled for help here.
    help: Help,
}

/// What is known of the other sites.
pub(super) struct Peers(BTreeMap<SiteName, Peer>);

impl Peers {
    /// Nothing is known yet.
    pub(super) fn new(config: &Config, now: Now) -> Self {
        let peer = |name: &SiteName| (name.clone(), Peer::new(now.instant, config.site.links.probe));
        Self(numbers(config).keys().map(peer).collect())
    }

    /// Takes over a new configuration; what is known of the others stays known.
    pub(super) fn configure(&mut self, config: &Config, now: Now) {
        let (mut old, new) = (std::mem::take(&mut self.0), Self::new(config, now));
        self.0 = new.0.into_iter().map(|(name, new)| (name.clone(), old.remove(&name).unwrap_or(new))).collect();
        self.0.values_mut().for_each(|peer| peer.configure(config.site.links.probe));
    }

    /// What an operator may see of them.
    pub(super) fn seen(&self) -> Vec<LinkSeen> {
        let seen = |(site, peer): (&SiteName, &Peer)| LinkSeen {
            site: site.clone(),
            state: peer.state(),
            clock: peer.clock(),
            mistrust: peer.mistrust(),
            release: peer.release().map(str::to_owned),
            network: peer.network(),
        };
        self.0.iter().map(seen).collect()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.0.values().map(Peer::poll_timeout).min()
    }
}

impl Links {
    pub(super) fn new(config: &Config, commons: &Commons, entropy: &mut Entropy) -> Self {
        let own = &config.site.name;
        let seeds = std::array::from_fn(|_| entropy.next_u64());
        let gate = Keyring::new(&config.network, own).map(|keys| Gate::new(keys, commons.boot, seeds));
        let number = config.network.site(own.as_str()).map_or(SiteNumber(0), |site| site.number);
        let (fingerprint, peers) = (config.network.fingerprint, Arc::clone(&commons.peers));
        let routes = route_keys(config, &commons.route_secret);
        let boot = (commons.boot.0 as u32).max(1);
        let help = Help::new(config.plan.emergency_numbers());
        Self { gate, routes, numbers: numbers(config), peers, number, boot, fingerprint, help }
    }

    /// Takes over a new configuration.
    pub(super) fn configure(&mut self, config: &Config, now: Now, commons: &Commons) {
        self.fingerprint = config.network.fingerprint;
        self.help = Help::new(config.plan.emergency_numbers());
        let own = &config.site.name;
        if let (Some(gate), Some(keys)) = (&mut self.gate, Keyring::new(&config.network, own)) {
            gate.configure(keys);
        }
        if config.network.link_secret.is_some() {
            self.routes.replace(now.wall, route_keys(config, &commons.route_secret), config.site.sip.session_cap);
        }
        self.numbers = numbers(config);
    }

    /// Without a `link_secret`: proofs are made with a secret that outlives the process (SPEC 9.7).
    pub(super) fn keep_routes(&mut self, own: &SiteName, secret: [u8; 32]) {
        self.routes = RouteKeys::new(own, &Secret(secret.to_vec()), None);
    }

    /// A token for a request to `site`, as it will be sent.
    pub(super) fn mint(&self, now: Now, site: &SiteName, claims: &Claims, bound: &Bound<'_>) -> Option<Minted> {
        let to = *self.numbers.get(site)?;
        let keys = self.gate.as_ref()?.pair(to)?;
        let boot = self.with_peer(site, |peer| peer.boot())?;
        let envelope = Envelope { from: self.number, to, boot, at: now.wall };
        Some(mint(keys, &envelope, claims, bound))
    }

    /// A token for a forwarded request.
    pub(super) fn token(
        &self,
        now: Now,
        site: &SiteName,
        claims: &Claims,
        request: &Request,
        uri: &[u8],
        branch: &[u8],
    ) -> Option<Minted> {
        let bound = Bound {
            method: request.method().as_str().as_bytes(),
            call_id: request.call_id(),
            cseq: request.cseq().number,
            request_uri: uri,
            branch,
        };
        self.mint(now, site, claims, &bound)
    }

    /// Judges the token of a request; nothing if it has none to judge here.
    pub(super) fn admit(&mut self, now: Now, asked: &Asked) -> Option<Result<Token, Refused>> {
        let request = &asked.request;
        let text = request.header(&Name::HotdeskLink)?.value();
        let bound = Bound {
            method: request.method().as_str().as_bytes(),
            call_id: request.call_id(),
            cseq: request.cseq().number,
            request_uri: request.uri().as_bytes(),
            branch: request.via().branch().unwrap_or_default(),
        };
        Some(self.gate.as_mut()?.admit(now.wall, &text, &bound))
    }

    /// The keys shared with a site.
    pub(super) fn pair(&self, number: SiteNumber) -> Option<&PairKeys> {
        self.gate.as_ref()?.pair(number)
    }

    /// The keys shared with a site, by name.
    pub(super) fn pair_of(&self, site: &SiteName) -> Option<&PairKeys> {
        self.pair(*self.numbers.get(site)?)
    }

    /// The header's value for an answer to the request with that token. Who probes is told what there is to know of this site.
    pub(super) fn prove(
        &self,
        now: Now,
        token: &Token,
        status: u16,
        cause: Option<Cause>,
        body: Option<&[u8]>,
    ) -> Option<String> {
        let gate = self.gate.as_ref()?;
        let plain = Answer { boot: gate.boot(), clock: now.wall, cause, ..Answer::default() };
        let about_us = |plain| Answer {
            release: Some(env!("CARGO_PKG_VERSION").to_owned()),
            network: Some(self.fingerprint),
            help: Some(self.help.clone()),
            ..plain
        };
        let answer = if token.claims.purpose == Purpose::Probe { about_us(plain) } else { plain };
        Some(answer.prove(gate.pair(token.envelope.from)?, &token.receipt, status, body))
    }

    /// Whether these digits are dialled for help at that site, as it said when it was last heard (SPEC 6.7).
    pub(super) fn helps(&self, site: &SiteName, digits: &str) -> bool {
        self.with_peer(site, |peer| peer.help().is_dialled_by(digits)).unwrap_or(false)
    }

    /// Looks at what is known of a site, or changes it.
    pub(super) fn with_peer<R>(&self, site: &SiteName, look: impl FnOnce(&mut Peer) -> R) -> Option<R> {
        self.peers.with(|peers| peers.0.get_mut(site).map(look))
    }

    /// Changes what is known of a site; true if it is to be looked at sooner than before.
    pub(super) fn note(&self, site: &SiteName, change: impl FnOnce(&mut Peer)) -> bool {
        let sooner = self.with_peer(site, |peer| {
            let before = peer.poll_timeout();
            change(peer);
            peer.poll_timeout() < before
        });
        sooner.unwrap_or(false)
    }

    /// Whether this is the hash of our own network table.
    pub(super) fn agrees(&self, network: [u8; 8]) -> bool {
        self.fingerprint == network
    }

    /// The name of the site with that number.
    pub(super) fn name(&self, number: SiteNumber) -> Option<&SiteName> {
        self.numbers.iter().find(|(_, other)| **other == number).map(|(name, _)| name)
    }

    /// Whether the site has been silent for so long that nothing is worth sending.
    pub(super) fn is_down(&self, site: &SiteName) -> bool {
        self.with_peer(site, |peer| peer.state()) == Some(State::Down)
    }

    /// The other sites, in order.
    pub(super) fn sites(&self) -> Vec<SiteName> {
        self.numbers.keys().cloned().collect()
    }

    /// When the next site is to be looked at.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.gate.as_ref()?;
        self.peers.with(|peers| peers.poll_timeout())
    }

    /// Our Record-Route values for a request between these peers: one, or two where the sockets differ (RFC 5658). The last one
    /// is on top in the end. And From for the callee, as it is to be shown: what of it can be restored by them.
    pub(super) fn record_routes(
        &self,
        request: &Request,
        caller: proof::Peer,
        callee: proof::Peer,
        back: SocketAddr,
        out: SocketAddr,
        shows: &Shows,
    ) -> (Vec<String>, Option<Bytes>) {
        let tag = request.from().tag().unwrap_or_default();
        let mint = |from| {
            let between = Proof::between(caller, callee);
            let proof = Proof { boot: self.boot, from, cseq_shift: shows.cseq, ..between };
            let is = proof.from.as_ref().map(|from| Bytes::copy_from_slice(&from.is));
            Some((self.routes.mint(&proof, request.call_id(), tag)?, is))
        };
        let rewritten = shows
            .from
            .as_deref()
            .and_then(|is| rewritings(request.from(), is).into_iter().find_map(|it| mint(Some(it))));
        let Some((proof, from)) = rewritten.or_else(|| mint(None)) else { return (Vec::new(), None) };
        let mut values = vec![format!("<sip:{proof}@{out};lr>")];
        if back != out {
            values.insert(0, format!("<sip:{proof}@{back};lr>"));
        }
        (values, from)
    }

    /// Whether this process made the proof, and knows what became of its call.
    pub(super) fn made(&self, proof: &Proof) -> bool {
        proof.boot == self.boot
    }

    /// Opens the user part of one of our Route URIs, and says who sent the request.
    pub(super) fn open_proof(&self, now: Now, request: &Request, text: &[u8]) -> Option<(Proof, Side)> {
        let (from, to) = (request.from().tag().unwrap_or_default(), request.to().tag().unwrap_or_default());
        self.routes.open(now.wall, text, request.call_id(), from, to)
    }
}

/// The other sites by name.
fn numbers(config: &Config) -> BTreeMap<SiteName, SiteNumber> {
    let others = config.network.sites.values().filter(|site| site.name != config.site.name);
    others.map(|site| (site.name.clone(), site.number)).collect()
}

/// `own_secret` where there is no link secret.
fn route_keys(config: &Config, own_secret: &[u8; 32]) -> RouteKeys {
    let own = &config.site.name;
    match &config.network.link_secret {
        Some(secret) => RouteKeys::new(own, secret, config.network.link_secret_previous.as_ref()),
        None => RouteKeys::new(own, &Secret(own_secret.to_vec()), None),
    }
}
