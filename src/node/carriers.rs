//! Carriers that want to know who we are (SPEC 9.10): their challenges are answered here, and the caller hears nothing of it.
//!
//! ```text
//! phone                    site                         carrier
//!   │── INVITE, CSeq 7 ─────►│── INVITE, CSeq 7 ──────────►│
//!   │                        │◄──────────────────────── 407│
//!   │                        │── INVITE, CSeq 8, digest ──►│   the same branch of the call, a new transaction
//!   │◄───── 200, CSeq 7 ─────│◄───────────── 200, CSeq 8 ──│
//!   │── ACK, CSeq 7 ────────►│── ACK, CSeq 8 ─────────────►│   by the proof in our Record-Route
//! ```
//!
//! The challenges of a carrier are shared by the shards; what is known of a dialog belongs to the shard that owns its Call-ID.

use std::collections::BTreeMap;
use std::time::Instant;

use super::Node;
use super::branches::Resent;
use super::registering::RegistrationSeen;
use super::tally::tags_of;
use super::tasks::{CarrierLeg, Key};
use crate::event::Event;
use crate::link::proof::{Peer, Proof, Side};
use crate::proxy::{Input, Rule, Shows, Target, rack_number};
use crate::settings::Trunk;
use crate::sip::{Method, Name, Request, Response, Status};
use crate::timing::Now;
use crate::trunk::challenge::{Account, Asking, Chosen, Refused, Tries, Wallet, is_challenge};
use crate::trunk::shifts::{Towards, after_restart, fits};

/// What the shards of a site know of its carriers in common.
#[derive(Default)]
pub(super) struct Carriers {
    /// By the mark of their trunk.
    wallets: BTreeMap<u32, Wallet>,
    /// What became of our registrations, by the name of the trunk.
    pub(super) registrations: BTreeMap<String, RegistrationSeen>,
}

impl Carriers {
    /// There is a new configuration: other credentials may be right now, and are warned of anew.
    pub(super) fn configure(&mut self) {
        self.wallets.clear();
    }

    fn wallet(&mut self, mark: u32) -> &mut Wallet {
        self.wallets.entry(mark).or_default()
    }
}

/// What a branch to a carrier shows of us.
pub(super) struct Introduction {
    leg: CarrierLeg,
    chosen: Vec<Chosen>,
}

impl Node {
    /// What a new branch shows unasked; `None`: it goes to nobody who may ask.
    pub(super) fn introduce(&self, target: &Target) -> Option<Introduction> {
        let mark = self.challenger(&target.peer)?;
        let mut tries = Tries::default();
        let chosen = self.commons.carriers.with(|carriers| carriers.wallet(mark).open(&mut tries));
        let leg = CarrierLeg { mark, target: target.clone(), tries, shown: Vec::new(), silent_until: None };
        Some(Introduction { leg, chosen })
    }

    /// Writes the credentials for a request to that target; the leg keeps them.
    pub(super) fn show_credentials(
        &mut self,
        introduction: Introduction,
        request: &Request,
        target: &Target,
    ) -> Box<CarrierLeg> {
        let Introduction { mut leg, chosen } = introduction;
        let cnonces: Vec<String> = chosen.iter().map(|_| self.entropy.token()).collect();
        let (body, uri) = (request.body(), std::str::from_utf8(&target.uri).unwrap_or_default());
        let asking = Asking { method: request.method().as_str(), uri, body: &body };
        let account = self.trunk_of(leg.mark).and_then(account_of);
        leg.shown = match account {
            Some(account) => chosen
                .iter()
                .zip(&cnonces)
                .filter_map(|(chosen, cnonce)| chosen.answer(account, &asking, cnonce))
                .collect(),
            None => Vec::new(),
        };
        Box::new(leg)
    }

    /// A response came to a branch: true if it was a carrier's challenge, which is dealt with here.
    pub(super) fn carrier_answered(&mut self, now: Now, key: Key, branch: usize, response: &Response) -> bool {
        let Some(leg) = self.calls.of(key).and_then(|call| call.clients.get_mut(branch)?.carrier.take()) else {
            return false;
        };
        if !is_challenge(response.status()) {
            let leg = self.carrier_goes_on(now, key, leg, response);
            self.keep_carrier(key, branch, leg);
            return false;
        }
        let CarrierLeg { mark, mut tries, target, .. } = *leg;
        let heard = self.commons.carriers.with(|carriers| carriers.wallet(mark).challenged(&mut tries, response));
        let wanted = self.calls.of(key).is_some_and(|call| call.context.is_wanted(branch));
        match heard {
            Ok(chosen) if wanted => self.answer_challenge(now, key, branch, mark, tries, target, chosen),
            Ok(_) => self.judge(now, key, branch, failed(Status::REQUEST_TERMINATED, None), None),
            Err(why) => self.not_believed(now, key, branch, mark, target.rule, why),
        }
        true
    }

    fn keep_carrier(&mut self, key: Key, branch: usize, carrier: Box<CarrierLeg>) {
        if let Some(leg) = self.calls.of(key).and_then(|call| call.clients.get_mut(branch)) {
            leg.carrier = Some(carrier);
        }
    }

    /// The carrier has taken what was shown.
    fn carrier_goes_on(
        &mut self,
        now: Now,
        key: Key,
        mut leg: Box<CarrierLeg>,
        response: &Response,
    ) -> Box<CarrierLeg> {
        let status = response.status();
        if matches!(status.class(), 1 | 2) {
            self.commons.carriers.with(|carriers| carriers.wallet(leg.mark).accepted(&mut leg.tries));
        }
        let is_answer = status.is_success() && response.cseq().method == Method::INVITE;
        if is_answer
            && !leg.shown.is_empty()
            && let Some(call) = self.calls.of(key)
        {
            let request = call.asked.request.clone();
            let lasts = self.timing.t1x64() * 2;
            self.shifts.show(now.instant, lasts, &towards(&request), request.cseq().number, leg.shown.clone());
        }
        leg
    }

    /// RFC 3261 §22.2: the request is sent again with CSeq one higher.
    #[expect(clippy::too_many_arguments, reason = "the parts of a leg that is taken apart")]
    fn answer_challenge(
        &mut self,
        now: Now,
        key: Key,
        branch: usize,
        mark: u32,
        tries: Tries,
        mut target: Target,
        chosen: Vec<Chosen>,
    ) {
        let Some(call) = self.calls.of(key) else { return };
        let request = call.asked.request.clone();
        let number = request.cseq().number;
        if !fits(number, target.shows.cseq + 1) {
            return self.not_believed(now, key, branch, mark, target.rule, Refused::Endless);
        }
        target.shows.cseq += 1;
        let silence = target.silence(&call.config.site.links);
        call.context.again(branch);
        // A BYE is the last request of its dialog.
        if request.to().tag().is_some() && request.method() != &Method::BYE {
            let lasts = self.config.site.sip.session_cap;
            self.shifts.step(now.instant, lasts, &towards(&request), number, target.shows.cseq);
        }
        let silent_until = silence.map(|silence| now.instant + silence);
        let leg = CarrierLeg { mark, target: target.clone(), tries, shown: Vec::new(), silent_until };
        self.send_branch_anew(now, key, branch, &target, Resent::ToCarrier(Box::new(Introduction { leg, chosen })));
    }

    /// SPEC 6.6: the next trunk is tried. The caller never sees a challenge that is not its to answer (SPEC 9.10).
    fn not_believed(&mut self, now: Now, key: Key, branch: usize, mark: u32, rule: Rule, why: Refused) {
        if self.commons.carriers.with(|carriers| carriers.wallet(mark).warns())
            && let Some(trunk) = self.trunk_of(mark).map(|trunk| trunk.name.clone())
        {
            self.say(Event::CarrierRefuses { trunk, why: why.to_string().into() });
        }
        let input = match rule {
            // RFC 5057 §5.2: it says nothing of the dialog.
            Rule::Dialog => failed(Status::FORBIDDEN, None),
            Rule::Trunk
            | Rule::Emergency
            | Rule::Phones
            | Rule::Member
            | Rule::Visited
            | Rule::Site
            | Rule::Voicemail => failed(Status::TEMPORARILY_UNAVAILABLE, Some(34)),
        };
        self.judge(now, key, branch, input, None);
    }

    /// Until when a branch that was sent again may stay silent, if that is still to come.
    pub(super) fn may_be_silent(&mut self, now: Now, key: Key, branch: usize) -> Option<Instant> {
        let leg = self.calls.of(key)?.clients.get(branch)?.carrier.as_ref()?;
        leg.silent_until.filter(|until| *until > now.instant)
    }

    /// What the other side of a dialog sees of a request: as its proof says, and as its carrier has counted since.
    pub(super) fn shows_inside(&self, request: &Request, proof: &Proof, side: Side) -> Shows {
        let shows = Shows::inside(proof, side);
        if self.shifts.is_empty() || !matches!(proof.peer(side.other()), Peer::Trunk { .. }) {
            return shows;
        }
        let ahead = |number: u32, otherwise: u32| self.shifts.of(&towards(request), number).unwrap_or(otherwise);
        let (cseq, rack) = (ahead(request.cseq().number, shows.cseq), rack_number(request));
        Shows { cseq, rack: rack.map_or(shows.rack, |number| ahead(number, shows.rack)), ..shows }
    }

    /// A request in a dialog from before this start of the process: how far its carrier had counted is forgotten, and its numbers go on
    /// well above that. An ACK has the number of an INVITE that was sent before.
    pub(super) fn count_on_after_restart(&mut self, now: Now, request: &Request, proof: &Proof, side: Side) {
        if self.challenger(proof.peer(side.other())).is_none() || self.links.made(proof) {
            return;
        }
        let (dialog, number) = (towards(request), request.cseq().number);
        let shift = Shows::inside(proof, side).cseq.saturating_add(after_restart(self.commons.started));
        if self.shifts.of(&dialog, number).is_none() && fits(number, shift) {
            self.shifts.step(now.instant, self.config.site.sip.session_cap, &dialog, number, shift);
        }
    }

    /// What the ACK to a 2xx shows (RFC 3261 §22.1).
    pub(super) fn shown_with_ack(&self, ack: &Request) -> &[(Name, String)] {
        self.shifts.shown(&towards(ack), ack.cseq().number)
    }

    /// A dialog is over.
    pub(super) fn forget_shifts(&mut self, request: &Request) {
        self.shifts.over(&towards(request));
    }

    /// The mark of the trunk that a peer is, if we can say who we are there.
    fn challenger(&self, peer: &Peer) -> Option<u32> {
        match peer {
            Peer::Trunk { mark, .. } => self.trunk_of(*mark).and_then(account_of).map(|_| *mark),
            Peer::Phone { .. } | Peer::Site(_) => None,
        }
    }
}

/// Who we are at a trunk; `None`: it has no credentials, and its challenges are the caller's to answer.
pub(super) fn account_of(trunk: &Trunk) -> Option<Account<'_>> {
    let password = trunk.password.as_ref().filter(|_| !trunk.username.is_empty())?;
    Some(Account { username: &trunk.username, password: std::str::from_utf8(&password.0).ok()? })
}

fn towards(request: &Request) -> Towards<'_> {
    let tags = tags_of(request);
    Towards { call_id: tags.call_id, from: tags.from, to: tags.to }
}

fn failed(status: Status, cause: Option<u16>) -> Input {
    Input::Failure { status, bytes: None, cause, not_here: false }
}
