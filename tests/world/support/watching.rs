//! Phones that watch their own registrations, and what they are told.

use std::time::Duration;

use hotdesk::phone::{PhoneEvent, RequestRef};
use hotdesk::sip::{Method, Name, Status};

use super::world::{Seat, World};

/// A NOTIFY of the `reg` event, as far as a scenario asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Subscription-State, without what is left of an active one.
    pub subscription: String,
    /// `version kind state:` of the document, then ` port event` of each contact's URI.
    pub document: String,
}

impl World {
    /// Subscribes a phone to the registrations of its own user; the answer.
    pub fn subscribes(&mut self, seat: Seat, event: &str, expires: u32) -> Status {
        let user = self.look(seat).config().user.clone();
        let request = self.act(seat, |phone, now| phone.subscribe(now, &user, event, expires));
        self.answer_to(seat, request)
    }

    /// Refreshes or ends the newest subscription of a phone; the answer.
    pub fn subscribes_again(&mut self, seat: Seat, expires: u32) -> Status {
        let request = self.act(seat, |phone, now| phone.subscribe_again(now, "reg", expires));
        self.answer_to(seat, request)
    }

    fn answer_to(&mut self, seat: Seat, wanted: RequestRef) -> Status {
        // Not `find`: NOTIFYs that came before the answer are still to be looked at.
        let answered = |world: &World| {
            world.events(seat).find_map(|event| match event {
                PhoneEvent::Response { request, response: Some(response), .. } if *request == wanted => {
                    Some(response.status())
                }
                _ => None,
            })
        };
        assert!(self.run_until(Duration::from_secs(40), |world| answered(world).is_some()), "SUBSCRIBE is answered");
        answered(self).expect("just seen")
    }

    /// The next NOTIFY that a phone gets, if one comes in time.
    pub fn told_within(&mut self, seat: Seat, within: Duration) -> Option<Told> {
        self.find(seat, within, |event| match event {
            PhoneEvent::Request { method, request, .. } if *method == Method::NOTIFY => {
                let state = request.header(&Name::SubscriptionState).map(|header| header.value().into_owned());
                let state = String::from_utf8(state.unwrap_or_default()).expect("text");
                let subscription = state.split(";expires=").next().unwrap_or_default().to_owned();
                Some(Told { subscription, document: digest(&String::from_utf8_lossy(&request.body())) })
            }
            _ => None,
        })
    }

    /// The next NOTIFY that a phone gets within a second: its subscription's state and its document.
    pub fn hears(&mut self, seat: Seat) -> (String, String) {
        let name = self.name(seat).to_owned();
        let told = self.told_within(seat, Duration::from_secs(1)).unwrap_or_else(|| panic!("{name} is told nothing"));
        (told.subscription, told.document)
    }

    /// The end of a contact's host: what tells phones apart in documents.
    pub fn mark(&self, seat: Seat) -> String {
        self.look(seat).config().local.ip().to_string()
    }
}

fn digest(document: &str) -> String {
    let value = |name: &str, from: &str| {
        let text = from.split_once(&format!("{name}=\"")).map(|(_, rest)| rest).unwrap_or_default();
        text.split('"').next().unwrap_or_default().to_owned()
    };
    let (_, body) = document.split_once("<reginfo").expect("a document");
    let (_, registration) = body.split_once("<registration").expect("a registration");
    let contacts = registration.split("<contact").skip(1).map(|contact| {
        let uri = contact.split("<uri>").nth(1).and_then(|rest| rest.split('<').next()).unwrap_or_default();
        let host = uri.split('@').nth(1).and_then(|host| host.split(':').next()).unwrap_or_default();
        format!(" {host} {}", value("event", contact))
    });
    let head = format!("{} {} {}:", value("version", body), value(" state", body), value(" state", registration));
    head + &contacts.collect::<String>()
}
