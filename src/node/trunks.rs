//! Calls from trunks (SPEC 9.5): incoming rules and nothing else.

use super::Node;
use super::route::number_of;
use super::tasks::{Asked, Passing};
use crate::link::proof::{Peer, trunk_mark};
use crate::link::{Caller as Claimed, Claims, Identity};
use crate::proxy::{Caller, is_anonymous, routing_hash};
use crate::rejection::Rejection;
use crate::sip::{Method, Name, Party, Status};
use crate::timing::Now;
use crate::transmit::Flow;

impl Node {
    pub(super) fn trunk_asks(&mut self, now: Now, asked: Asked, trunk: usize) {
        let Some(trunk) = self.config.site.trunks.get(trunk) else { return };
        let group = trunk.group.clone();
        let (mark, trusted) = (trunk_mark(&trunk.name), trunk.trusted);
        let Some(called) = number_of(&asked.request) else { return self.asks_site(now, &asked, true) };
        let method = asked.request.method();
        // SPEC 9.5: what a carrier has no business with.
        let is_replaced = asked.request.header(&Name::Replaces).is_some();
        if matches!(*method, Method::REFER | Method::SUBSCRIBE | Method::MESSAGE) || is_replaced {
            return self.refuse_known(now, &asked, &Rejection::new(Status::FORBIDDEN));
        }
        let Some(max_forwards) = self.hops_left(&asked) else { return };
        let caller = outside(&asked, trusted);
        // Whoever sends from outside is none of our users: their numbers are asserted for nobody else.
        let shown = if trusted || !self.is_own_number(&caller) { caller.clone() } else { Caller::Unknown };
        let config = self.config.clone();
        let decision = self.asking(now, |around| {
            config.plan.route_incoming(&group, called.as_str(), around, crate::plan::Trace::off())
        });
        let hash = routing_hash(&self.secret, &asked.request, b"trunk");
        if self.has_been_here(&asked, hash) {
            return self.refuse_statelessly(&asked, &Rejection::new(Status::LOOP_DETECTED));
        }
        let flow = Flow { socket: asked.source.socket, remote: asked.source.remote };
        let withheld = super::phones::withholds(&asked);
        let plan = Passing {
            max_forwards,
            hash,
            own_routes: 0,
            strict_last: None,
            drop_routes: true,
            record_route: Self::begins_dialog(method).then_some(Peer::Trunk { mark, flow }),
            asserted: shown.asserted(&self.entry().domain).filter(|_| !withheld),
            keep_identity: false,
            from_outside: true,
            sees_withheld: trusted,
            gives: decision.gives(&self.config.site.name),
            break_out: None,
        };
        let claims = self.outsider_claims(&shown, withheld);
        match self.stages(now, &asked, &decision, &caller, claims) {
            Ok(targets) => self.start_call(now, asked, caller, plan, targets),
            Err(rejection) => self.refuse_known(now, &asked, &rejection),
        }
    }

    fn outsider_claims(&self, shown: &Caller, withheld: bool) -> Claims {
        let identity = match shown {
            Caller::Outside { number, name } if !number.is_empty() => {
                Some(Identity { user: number.clone(), display: name.clone().unwrap_or_default() })
            }
            Caller::Outside { .. } | Caller::User { .. } | Caller::Desk(_) | Caller::Unknown => None,
        };
        Claims { caller: Some(Claimed::Outsider(self.entry().number)), identity, withheld, ..Claims::default() }
    }

    fn is_own_number(&self, caller: &Caller) -> bool {
        self.config.network.home_of(caller.label()).is_some()
    }
}

/// Who calls, as a carrier says it: From, or P-Asserted-Identity of a trusted one (RFC 3325 §5).
fn outside(asked: &Asked, trusted: bool) -> Caller {
    // There may be two, a SIP URI and a telephone number; the first one is shown.
    let asserted = trusted.then(|| asked.request.parties(&Name::PAssertedIdentity).find_map(Result::ok)).flatten();
    let party = asserted.as_ref().unwrap_or(asked.request.from());
    if is_anonymous(party) {
        return Caller::Outside { number: String::new(), name: None };
    }
    Caller::Outside { number: number(party), name: party.display_name().map(|name| name.into_owned()) }
}

fn number(party: &Party) -> String {
    party.uri().dialled().map(|number| number.into_owned()).unwrap_or_default()
}
