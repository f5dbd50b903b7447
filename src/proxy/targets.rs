//! The target set (RFC 3261 §16.5), in stages: the targets of a stage ring at once, the next stage when they have failed.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::ids::{Extension, SiteName};
use crate::link::Claims;
use crate::link::proof::Peer;
use crate::location::Binding;
use crate::settings::Links;
use crate::transmit::Flow;

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
    /// The user whose call it is there: the one whose phone rings here, or in whose name it is forwarded (SPEC 9.6).
    pub counts: Option<Extension>,
}

/// When a stage has failed and the next one is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Phones: at every failure but 6xx.
    Phones,
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
}

/// Targets that are tried at once.
#[derive(Clone, Debug)]
pub struct Stage {
    /// The targets, in the order of sending.
    pub targets: Vec<Target>,
}

impl Rule {
    /// How long a target may stay silent, without any response at all, before it counts as unreachable.
    pub fn silence(self, links: &Links) -> Option<Duration> {
        match self {
            Rule::Phones | Rule::Dialog => None,
            Rule::Visited | Rule::Site => Some(links.answer),
            Rule::Trunk => Some(Duration::from_secs(4)),
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
        counts: None,
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
