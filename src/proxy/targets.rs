//! The target set (RFC 3261 §16.5), in stages: the targets of a stage ring at once, the next stage when they have failed.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::diversion::{Cause, Diversion};
use super::geolocation::Conveyed;
use super::manner::Manner;
use super::rewriting::Shows;
use crate::ids::{Extension, SiteName};
use crate::link::Claims;
use crate::link::proof::Peer;
use crate::location::Binding;
use crate::settings::Links;
use crate::sip::Status;
use crate::transmit::Flow;
use crate::trunk::Gateway;

/// RFC 5393 §5.3.3.
const USUAL_BREADTH: u32 = 60;

/// What a target is: it decides what is written into the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A phone of this site.
    Phone,
    /// Another site, which is told these claims by a token (SPEC 11.1).
    Site(SiteName, Box<Claims>),
    /// A trunk, by its place in the site's list.
    Trunk(usize),
}

/// One place that a request is sent to.
#[derive(Clone, Debug)]
pub struct Target {
    /// The Request-URI.
    pub uri: Bytes,
    /// Where the datagram goes.
    pub flow: Flow,
    /// Route values to put on top, first first (RFC 3327 §5.3).
    pub path: Vec<Bytes>,
    /// How the dialog's later requests find it.
    pub peer: Peer,
    /// What it is.
    pub kind: Kind,
    /// When its failure brings the next stage.
    pub rule: Rule,
    /// The identity asserted to it, where that is another one than the caller's own: a trunk's calling number.
    pub asserted: Option<String>,
    /// What it sees in From and To, where that is not what the sender wrote.
    pub shows: Shows,
    /// This branch's share of the request's breadth (RFC 5393 §5.3); `None`: the header stays as it came.
    pub max_breadth: Option<u32>,
    /// The user whose call it is there: the one whose phone rings here, or in whose name it is forwarded (SPEC 9.6).
    pub counts: Option<Extension>,
    /// How the call is made to this trunk, where its short code says so; other targets have what is said of the call (SPEC 6.3).
    pub manner: Option<Arc<Manner>>,
    /// The location that an emergency call brings (SPEC 6.7).
    pub conveys: Option<Box<Conveyed>>,
}

impl Target {
    /// The trunk and its address, where it is one.
    pub fn gateway(&self) -> Option<Gateway> {
        match (&self.kind, self.peer) {
            (Kind::Trunk(_), Peer::Trunk { mark, flow }) => Some(Gateway { mark, address: flow.remote }),
            (Kind::Phone | Kind::Site(..) | Kind::Trunk(_), _) => None,
        }
    }

    /// Whether another site is asked.
    pub fn is_site(&self) -> bool {
        matches!(self.kind, Kind::Site(..))
    }

    /// How long it may stay silent, without any response at all, before it counts as unreachable.
    pub fn silence(&self, links: &Links) -> Option<Duration> {
        match (self.rule, &self.kind) {
            (Rule::Member, Kind::Site(..)) => Some(links.answer),
            (rule, _) => rule.silence(links),
        }
    }
}

/// When a stage has failed and the next one is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Phones: at every failure but 6xx.
    Phones,
    /// Members of a group that ring together: at every failure.
    Member,
    /// The site where the user is: at silence, or when it proves that the user is not there (SPEC 9.2).
    Visited,
    /// Another site that decides itself: never; silence is 504.
    Site,
    /// A trunk, by SPEC 6.6.
    Trunk,
    /// A trunk for an emergency call: at every final answer but 2xx (SPEC 6.7).
    Emergency,
    /// The other side of a dialog: never.
    Dialog,
    /// The site's voicemail: never.
    Voicemail,
}

/// Targets that are tried at once.
#[derive(Clone, Debug)]
pub struct Stage {
    /// The targets, in the order of sending.
    pub targets: Vec<Target>,
}

/// Whom the targets stand for: it decides what becomes of the call when they fail (SPEC 9.3).
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Called {
    /// Nobody whose forwards are ours: a trunk, another site, voicemail, a user of the site that sends the call.
    #[default]
    Other,
    /// A user of this site, wherever the phones are; or a visitor who is called at this very site.
    User(Extension),
    /// A group: `next` is the member whose turn comes then; past the last one it is whoever is called after the group.
    Group {
        /// Its number.
        extension: Extension,
        /// A place in its list of members.
        next: usize,
    },
    /// A visitor's home, which is asked to forward the call.
    Home {
        /// The visitor.
        extension: Extension,
        /// Why.
        cause: Cause,
        /// What the caller is told when home can't be reached.
        otherwise: Status,
    },
    /// Whoever a user's forward leads to, none of ours.
    Diverted(Box<Diverted>),
}

/// A forward of a user of this site that leads out of it, and what holds again if nobody there can be had (SPEC 9.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diverted {
    /// Whose forward.
    pub extension: Extension,
    /// Why.
    pub cause: Cause,
    /// How many of the user's numbers for that cause have been tried.
    pub tried: usize,
    /// What was claimed of the call before it.
    pub claims: Claims,
    /// How many forwards it had gone through here.
    pub diversions: usize,
}

/// Targets in stages, and what becomes of the call when none of them answers.
#[derive(Clone, Debug, Default)]
pub struct Ringing {
    /// The stages, in the order of trying.
    pub stages: Vec<Stage>,
    /// Whom they stand for.
    pub called: Called,
    /// How long they ring, counted from the first sending; `None`: until the caller gives up.
    pub after: Option<Duration>,
    /// Where the call may wait for one of them, or for one that is not open to it yet.
    pub lines: Option<Lines>,
}

/// The ways out of a call that may wait for a line (SPEC 6.6): its form has an alternate.
#[derive(Clone, Debug)]
pub struct Lines {
    /// In the order of trying.
    pub ways: Vec<Line>,
    /// The caller's, 1 to 5.
    pub priority: u8,
}

/// One of them.
#[derive(Clone, Debug)]
pub struct Line {
    /// The trunk, at one of its addresses.
    pub target: Target,
    /// The caller waits so long before this way is open.
    pub wait: Duration,
}

/// Where a request goes.
#[derive(Clone, Debug, Default)]
pub struct TargetSet {
    /// What is tried.
    pub ringing: Ringing,
    /// What other sites are told of the caller, from now on.
    pub claims: Claims,
    /// The forwards that it went through, the first one first.
    pub diversions: Vec<Diversion>,
    /// How the call is made (SPEC 6.3).
    pub manner: Option<Arc<Manner>>,
}

impl From<Vec<Stage>> for Ringing {
    fn from(stages: Vec<Stage>) -> Self {
        Self { stages, ..Self::default() }
    }
}

impl From<Vec<Stage>> for TargetSet {
    fn from(stages: Vec<Stage>) -> Self {
        Self { ringing: stages.into(), ..Self::default() }
    }
}

/// The breadth of a request that says nothing of it, of which RFC 5393 §5.3.3 leaves the choice to us: 60, as it recommends, or what
/// the branches need that are to ring at once. A site among them forks again, and gets as much as if it had been asked alone.
pub fn own_breadth(targets: &[Target]) -> u32 {
    let each = if targets.iter().any(Target::is_site) { USUAL_BREADTH } else { 1 };
    u32::try_from(targets.len()).unwrap_or(u32::MAX).saturating_mul(each).max(USUAL_BREADTH)
}

/// Shares a request's breadth out among the branches that are to ring at once (RFC 5393 §5.3.3), at most as many as the breadth: what is
/// left over when each has the same is for sites, which fork again.
pub fn share_breadth(breadth: u32, targets: &mut [Target]) {
    let count = u32::try_from(targets.len()).unwrap_or(u32::MAX).max(1);
    let sites = u32::try_from(targets.iter().filter(|target| target.is_site()).count()).unwrap_or(u32::MAX);
    let (each, left) = (breadth / count, breadth % count);
    let takers = if sites == 0 { count } else { sites };
    let takes = |target: &Target| sites == 0 || target.is_site();
    targets.iter_mut().for_each(|target| target.max_breadth = Some(each));
    for (target, taker) in targets.iter_mut().filter(|target| takes(target)).zip(0..) {
        target.max_breadth = Some(each + left / takers + u32::from(taker < left % takers));
    }
}

impl Rule {
    /// How long a target may stay silent, without any response at all, before it counts as unreachable.
    fn silence(self, links: &Links) -> Option<Duration> {
        match self {
            Rule::Phones | Rule::Member | Rule::Dialog => None,
            Rule::Visited | Rule::Site => Some(links.answer),
            Rule::Trunk | Rule::Voicemail => Some(Duration::from_secs(4)),
            Rule::Emergency => Some(Duration::from_secs(2)),
        }
    }
}

/// The live bindings as stages: by `q`, highest first; bindings of one `q` ring at once, the newest first. `is_reserved` knows the
/// addresses of trunks and sites, which are no phone's.
pub fn phone_stages(bindings: &[Binding], now: Instant, is_reserved: impl Fn(SocketAddr) -> bool) -> Vec<Stage> {
    let live = bindings.iter().filter(|binding| binding.is_live(now));
    let mut live: Vec<(&Binding, Target)> =
        live.filter_map(|binding| Some((binding, phone(binding, &is_reserved)?))).collect();
    live.sort_by_key(|(binding, _)| std::cmp::Reverse((binding.q, binding.serial)));
    let mut stages: Vec<(u16, Stage)> = Vec::new();
    for (binding, target) in live {
        match stages.last_mut() {
            Some((q, stage)) if *q == binding.q => stage.targets.push(target),
            Some(_) | None => stages.push((binding.q, Stage { targets: vec![target] })),
        }
    }
    stages.into_iter().map(|(_, stage)| stage).collect()
}

/// A binding that can be reached without asking a trunk or a site: one may have become a trunk's since it registered.
fn phone(binding: &Binding, is_reserved: &impl Fn(SocketAddr) -> bool) -> Option<Target> {
    let named = contact_address(binding).filter(|named| !is_reserved(*named));
    let flow = Flow { remote: named.unwrap_or(binding.flow.remote), ..binding.flow };
    if named.is_none() && is_reserved(flow.remote) {
        return None;
    }
    Some(Target {
        uri: binding.uri.as_bytes().clone(),
        flow,
        path: binding.path.clone(),
        peer: Peer::Phone { flow, nat: named.is_none() },
        kind: Kind::Phone,
        rule: Rule::Phones,
        asserted: None,
        shows: Shows::default(),
        max_breadth: None,
        counts: None,
        manner: None,
        conveys: None,
    })
}

/// Where the contact itself says it is; nothing for a phone behind NAT, which is reached by its flow (SPEC 4.3), and for one
/// behind a proxy in Path, which is reached by that proxy (RFC 3327 §5.3).
fn contact_address(binding: &Binding) -> Option<SocketAddr> {
    if binding.nat || !binding.path.is_empty() {
        return None;
    }
    let ip = binding.uri.host()?.ip()?;
    Some(SocketAddr::new(ip, binding.uri.port().unwrap_or(5060)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::location::Device;
    use crate::sip::Uri;
    use crate::timing::Wall;
    use crate::transmit::SocketId;

    #[allow(clippy::disallowed_methods, reason = "any instant will do as the start")]
    fn now() -> Instant {
        Instant::now()
    }

    fn binding(serial: u64, contact: &'static str, q: u16) -> Binding {
        let (now, wall) = (now(), Wall(1_700_000_000_000));
        let flow = Flow { socket: SocketId(0), remote: ([203, 0, 113, 7], 40_000).into() };
        let device = Device { instance: None, call_id: Bytes::from_static(b"a"), host: Bytes::new(), rotates: false };
        Binding {
            serial,
            uri: Uri::parse(contact).expect(contact),
            params: Bytes::new(),
            q,
            reg_id: None,
            device,
            cseq: 1,
            expires_at: now + Duration::from_secs(60),
            expires_wall: wall,
            updated: wall,
            updated_at: now,
            path: Vec::new(),
            flow,
            nat: false,
        }
    }

    fn ringing(bindings: &[Binding], reserved: &[&str]) -> Vec<Vec<(String, bool)>> {
        let is_reserved = |address: SocketAddr| reserved.contains(&address.to_string().as_str());
        let one = |target: &Target| {
            let Peer::Phone { flow, nat } = target.peer else { panic!("a phone: {target:?}") };
            assert_eq!(flow, target.flow);
            (flow.remote.to_string(), nat)
        };
        let stages = phone_stages(bindings, now(), is_reserved);
        stages.iter().map(|stage| stage.targets.iter().map(one).collect()).collect()
    }

    /// Phones, and sites behind them.
    fn targets(phones: usize, sites: usize) -> Vec<Target> {
        let binding = binding(1, "sip:a@192.0.2.1", 1000);
        let stages = phone_stages(&vec![binding; phones + sites], now(), |_| false);
        let mut targets: Vec<Target> = stages.into_iter().flat_map(|stage| stage.targets).collect();
        let paris = || Kind::Site(SiteName::new("paris"), Box::default());
        targets.iter_mut().skip(phones).for_each(|target| target.kind = paris());
        targets
    }

    fn shares(breadth: u32, phones: usize, sites: usize) -> Vec<u32> {
        let mut targets = targets(phones, sites);
        share_breadth(breadth, &mut targets);
        targets.iter().filter_map(|target| target.max_breadth).collect()
    }

    #[test]
    fn breadth_is_shared_out_and_nobody_gets_none() {
        assert_eq!(shares(60, 1, 0), [60]);
        assert_eq!(shares(60, 3, 0), [20, 20, 20]);
        assert_eq!(shares(5, 3, 0), [2, 2, 1]);
        assert_eq!(shares(3, 3, 0), [1, 1, 1]);
    }

    #[test]
    fn what_is_left_over_is_for_sites() {
        assert_eq!(shares(10, 5, 1), [1, 1, 1, 1, 1, 5]);
        assert_eq!(shares(11, 4, 2), [1, 1, 1, 1, 4, 3]);
        assert_eq!(shares(6, 4, 2), [1; 6]);
    }

    #[test]
    fn a_request_without_breadth_gets_what_it_needs() {
        let own = |phones, sites| own_breadth(&targets(phones, sites));
        assert_eq!((own(3, 0), own(60, 0), own(61, 0), own(440, 0)), (60, 60, 61, 440));
        assert_eq!((own(0, 1), own(57, 1)), (60, 58 * 60));
    }

    #[test]
    fn bindings_of_one_q_ring_at_once_the_newest_first_and_lower_ones_later() {
        let all = [
            binding(1, "sip:a@192.0.2.1", 500),
            binding(2, "sip:a@192.0.2.2:9", 1000),
            binding(3, "sip:a@192.0.2.3", 500),
        ];
        let at = |text: &str| (text.to_owned(), false);
        assert_eq!(ringing(&all, &[]), [vec![at("192.0.2.2:9")], vec![at("192.0.2.3:5060"), at("192.0.2.1:5060")]]);
    }

    #[test]
    fn a_phone_behind_nat_or_a_proxy_is_reached_by_its_flow() {
        let flow = [[("203.0.113.7:40000".to_owned(), true)]];
        let nat = Binding { nat: true, ..binding(1, "sip:a@192.0.2.1", 1000) };
        assert_eq!(ringing(&[nat], &[]), flow);
        let path = vec![Bytes::from_static(b"<sip:edge.example;lr>")];
        assert_eq!(ringing(&[Binding { path, ..binding(1, "sip:a@192.0.2.1", 1000) }], &[]), flow);
    }

    #[test]
    fn a_contact_that_is_a_trunk_by_now_is_not_asked() {
        let all = [binding(1, "sip:0900@192.0.2.1", 1000)];
        assert_eq!(ringing(&all, &["192.0.2.1:5060"]), [[("203.0.113.7:40000".to_owned(), true)]]);
        assert!(ringing(&all, &["192.0.2.1:5060", "203.0.113.7:40000"]).is_empty());
    }
}
