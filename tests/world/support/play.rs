//! What people do at their phones, and what they expect to happen: the words that the scenarios are written in.

use std::time::Duration;

use hotdesk::phone::{CallRef, PhoneEvent};
use hotdesk::sip::{Request, Response, Status};

use super::world::{Seat, TonePacket, World};

/// A call as its caller sees it.
#[derive(Clone, Copy, Debug)]
pub struct Dialled {
    pub seat: Seat,
    pub call: CallRef,
}

/// A call as the phone that rings sees it.
#[derive(Clone, Debug)]
pub struct Arrival {
    pub seat: Seat,
    pub call: CallRef,
    /// The asserted identity's URI.
    pub asserted: Option<String>,
    /// The Request-URI.
    pub uri: String,
    pub request: Request,
}

/// A call or registration that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub status: Status,
    pub reason: String,
    pub warning: Option<String>,
}

/// Longer than any answer to anything: B and F are 32 s.
const LONG: Duration = Duration::from_secs(40);

impl World {
    /// A phone of `user` that is registered at `site`.
    pub fn registered(&mut self, user: &str, site: &str) -> Seat {
        let seat = self.phone(user, site);
        self.register(seat);
        seat
    }

    /// Registers a phone where it is.
    pub fn register(&mut self, seat: Seat) {
        let name = self.name(seat).to_string();
        self.try_register(seat).unwrap_or_else(|failure| panic!("{name} is not registered: {failure:?}"));
    }

    /// Registers a phone where it is, or says why not.
    pub fn try_register(&mut self, seat: Seat) -> Result<(), Failure> {
        self.act(seat, |phone, now| phone.register(now, 300));
        self.await_registration(seat)
    }

    /// Registers a phone under a new Call-ID, as after a person's new login.
    pub fn try_register_anew(&mut self, seat: Seat) -> Result<(), Failure> {
        self.act(seat, |phone, now| phone.register_anew(now, 300));
        self.await_registration(seat)
    }

    /// What becomes of the registration that is under way.
    pub fn await_registration(&mut self, seat: Seat) -> Result<(), Failure> {
        let answer = self.find(seat, LONG, |event| match event {
            PhoneEvent::Registered { .. } => Some(Ok(())),
            PhoneEvent::RegistrationRefused { status, reason, warning } => {
                Some(Err(Failure { status: *status, reason: reason.clone(), warning: warning.clone() }))
            }
            _ => None,
        });
        answer.unwrap_or_else(|| panic!("{} has no answer to its REGISTER", self.name(seat)))
    }

    /// Takes a phone's binding out.
    pub fn unregister(&mut self, seat: Seat) {
        self.act(seat, |phone, now| phone.unregister(now));
        let gone = self.find(seat, LONG, |event| matches!(event, PhoneEvent::Unregistered { .. }).then_some(()));
        gone.unwrap_or_else(|| panic!("{} is not un-registered", self.name(seat)));
    }

    /// Dials.
    pub fn dial(&mut self, seat: Seat, number: &str) -> Dialled {
        let call = self.act(seat, |phone, now| phone.call(now, number));
        Dialled { seat, call }
    }

    /// The next call that rings at a phone or carrier.
    pub fn arrival(&mut self, seat: Seat) -> Arrival {
        self.arrival_within(seat, LONG).unwrap_or_else(|| panic!("nothing rings at {}", self.name(seat)))
    }

    /// The next call that rings at a phone or carrier, if one comes in time.
    pub fn arrival_within(&mut self, seat: Seat, within: Duration) -> Option<Arrival> {
        self.find(seat, within, |event| match event {
            PhoneEvent::Incoming { call, asserted, uri, request, .. } => Some(Arrival {
                seat,
                call: *call,
                asserted: asserted.clone(),
                uri: uri.clone(),
                request: request.clone(),
            }),
            _ => None,
        })
    }

    /// Whether any call came in at a phone or carrier so far, looked at or not.
    pub fn ever_rang(&self, seat: Seat) -> bool {
        self.events(seat).any(|event| matches!(event, PhoneEvent::Incoming { .. }))
    }

    /// How a call ends up: answered, or refused.
    pub fn outcome(&mut self, dialled: Dialled) -> Result<Response, Failure> {
        let answer = self.find(dialled.seat, Duration::from_secs(400), |event| match event {
            PhoneEvent::Answered { call, response } if *call == dialled.call => Some(Ok(response.clone())),
            PhoneEvent::Failed { call, status, reason, warning } if *call == dialled.call => {
                Some(Err(Failure { status: *status, reason: reason.clone(), warning: warning.clone() }))
            }
            _ => None,
        });
        answer.unwrap_or_else(|| panic!("{}'s call has no end", self.name(dialled.seat)))
    }

    /// Dials a code that the site answers itself: it is done, and the site hangs up. The tone's packets.
    pub fn code(&mut self, seat: Seat, code: &str) -> Vec<TonePacket> {
        let before = self.tones().len();
        let dialled = self.dial(seat, code);
        self.code_done(dialled);
        self.tones()[before..].to_vec()
    }

    /// A code that was dialled is done, and the site hangs up.
    pub fn code_done(&mut self, dialled: Dialled) {
        self.answered(dialled);
        let own = dialled.call;
        let over = |event: &PhoneEvent| matches!(event, PhoneEvent::Ended { call } if *call == own).then_some(());
        self.find(dialled.seat, LONG, over).unwrap_or_else(|| panic!("nobody hangs up on {}", self.name(dialled.seat)));
    }

    /// Dials a code that the site does not do.
    pub fn code_refused(&mut self, seat: Seat, code: &str) -> Failure {
        let dialled = self.dial(seat, code);
        self.refused(dialled)
    }

    /// The call is answered.
    pub fn answered(&mut self, dialled: Dialled) -> Response {
        let name = self.name(dialled.seat).to_string();
        self.outcome(dialled).unwrap_or_else(|failure| panic!("{name}'s call failed: {failure:?}"))
    }

    /// The call is refused.
    pub fn refused(&mut self, dialled: Dialled) -> Failure {
        match self.outcome(dialled) {
            Ok(_) => panic!("{}'s call was answered", self.name(dialled.seat)),
            Err(failure) => failure,
        }
    }

    /// The caller's ACK reaches the phone that answered.
    pub fn confirmed(&mut self, arrival: &Arrival) {
        let own = arrival.call;
        let up = self.find(arrival.seat, LONG, |event| {
            matches!(event, PhoneEvent::Confirmed { call } if *call == own).then_some(())
        });
        up.unwrap_or_else(|| panic!("the ACK does not reach {}", self.name(arrival.seat)));
    }

    /// One side hangs up, and the call ends at both.
    pub fn hang_up(&mut self, (seat, call): (Seat, CallRef), (other, others): (Seat, CallRef)) {
        self.act(seat, |phone, now| phone.hang_up(now, call));
        for (seat, own) in [(other, others), (seat, call)] {
            let ended = self
                .find(seat, LONG, |event| matches!(event, PhoneEvent::Ended { call } if *call == own).then_some(()));
            ended.unwrap_or_else(|| panic!("the call does not end at {}", self.name(seat)));
        }
    }

    /// A whole call: `caller` dials `number`, it rings at `callee`, is answered, and the caller hangs up. What arrived.
    pub fn talk(&mut self, caller: Seat, number: &str, callee: Seat) -> Arrival {
        let dialled = self.dial(caller, number);
        let arrival = self.arrival(callee);
        self.answered(dialled);
        self.confirmed(&arrival);
        self.hang_up((caller, dialled.call), (callee, arrival.call));
        arrival
    }
}

impl Failure {
    /// Whether the reason phrase and the Warning both say it.
    pub fn says(&self, text: &str) -> bool {
        self.reason.contains(text) && self.warning.as_ref().is_some_and(|warning| warning.contains(text))
    }
}
