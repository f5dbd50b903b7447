//! Carriers that send a call elsewhere (RFC 3261 §8.1.3.4, §16.7 step 4), where the trunk's `redirects` lets them: to other addresses of
//! that very carrier, and to nobody else.

use std::net::SocketAddr;

use super::Node;
use super::tasks::Key;
use crate::link::proof::Peer;
use crate::proxy::{Input, Rule, Stage, Target};
use crate::settings::Trunk;
use crate::sip::{Contact, Contacts, Response, Scheme, Status, Uri};
use crate::timing::Now;
use crate::transmit::Flow;

/// Most addresses that one call is sent to by redirection.
const MOST: usize = 5;

impl Node {
    /// The target of a branch, if its carrier may send it elsewhere.
    pub(super) fn may_be_redirected(&self, target: &Target) -> Option<Box<Target>> {
        let Peer::Trunk { mark, .. } = target.peer else { return None };
        let follows = target.rule == Rule::Trunk && self.trunk_of(mark).is_some_and(|trunk| trunk.redirects);
        follows.then(|| Box::new(target.clone()))
    }

    /// A response came to a branch: true if it is a carrier's redirection and the call goes on where that says, by q.
    pub(super) fn redirected(&mut self, now: Now, key: Key, branch: usize, response: &Response) -> bool {
        if !matches!(response.status().0, 300..=302) {
            return false;
        }
        let Some(call) = self.calls.of(key).filter(|call| call.context.is_wanted(branch)) else { return false };
        let from = call.clients.get_mut(branch).and_then(|leg| leg.redirects.take());
        let (Some(from), Ok(Contacts::List(mut named))) = (from, response.contacts(MOST)) else { return false };
        named.sort_by_key(|contact| std::cmp::Reverse(contact.q().unwrap_or(1000)));
        let stages: Vec<Stage> =
            named.iter().filter_map(|contact| self.stage_by_redirection(key, &from, contact)).collect();
        let Some(call) = self.calls.of(key).filter(|_| !stages.is_empty()) else { return false };
        call.context.insert(stages);
        let input =
            Input::Failure { status: Status::TEMPORARILY_UNAVAILABLE, bytes: None, cause: Some(34), not_here: true };
        self.judge(now, key, branch, input, None);
        true
    }

    /// §16.5: no URI is tried twice.
    fn stage_by_redirection(&mut self, key: Key, from: &Target, contact: &Contact) -> Option<Stage> {
        let Peer::Trunk { mark, flow } = from.peer else { return None };
        let uri = contact.uri();
        let is_number = uri.scheme() == Scheme::Sip && uri.user().is_some_and(|user| !user.is_empty());
        let known = self.commons.trunks.addresses(mark);
        let remote =
            place_at(self.trunk_of(mark)?, &known, uri, flow.remote).filter(|_| is_number && !uri.has_headers())?;
        let call = self.calls.of(key)?;
        let uri = uri.detached().as_bytes().clone();
        if call.redirected.len() >= MOST || uri == from.uri || call.redirected.contains(&uri) {
            return None;
        }
        call.redirected.push(uri.clone());
        let flow = Flow { remote, ..flow };
        Some(Stage { targets: vec![Target { uri, flow, peer: Peer::Trunk { mark, flow }, ..from.clone() }] })
    }
}

/// The address that a URI names, if the trunk has it: one of its own, or one that its calls may come from.
fn place_at(trunk: &Trunk, known: &[SocketAddr], uri: &Uri, own: SocketAddr) -> Option<SocketAddr> {
    let host = uri.host()?;
    let Some(ip) = host.ip() else {
        let (name, _) = trunk.host.rsplit_once(':').unwrap_or((&trunk.host, ""));
        return host.to_string().eq_ignore_ascii_case(name).then_some(own);
    };
    let named = SocketAddr::new(ip, uri.port().unwrap_or(5060));
    let is_its = named == own || known.contains(&named) || trunk.accept_from.iter().any(|rule| rule.matches(named));
    is_its.then_some(named)
}
