//! Who sits at which phone (SPEC 10.2): whose calls a phone makes though its digest is another's, and what ends a seat.

use super::Node;
use super::admit::Account;
use super::asking::Notice;
use super::features::Deed;
use super::handover::Parcel;
use super::tasks::{Asked, Licence, Then};
use crate::event::LoggedOutBy;
use crate::hot_desk::{self, Stays};
use crate::ids::Extension;
use crate::location::{Binding, Device, Record, Resident, Seat, Visitor, sitter_at};
use crate::sip::Contacts;
use crate::timing::Now;

/// A user is to leave a phone, or follow it: an errand for the shard that does all writes for the user.
#[derive(Debug)]
pub(super) struct SeatErrand {
    pub user: Extension,
    /// The phone's own account.
    pub phone: Extension,
    /// The phone, as the user's record knows it.
    pub device: Device,
    pub what: SeatChange,
    /// What waits for it.
    pub deed: Option<Deed>,
}

/// What happens to a seat.
#[derive(Debug)]
pub(super) enum SeatChange {
    /// It ends.
    Ends(LoggedOutBy),
    /// The phone is known by something else now, such as a new Call-ID.
    Follows(Device),
}

impl Node {
    /// Whose calls a proven phone makes: those of the user who sits there, else its own.
    pub(super) fn seated(&self, asked: &Asked, account: &Account) -> Account {
        let sitters = self.location.sitters(account.name());
        if sitters.is_empty() {
            return account.clone();
        }
        let phone = self.binding_of(asked, account.name());
        let sitter = phone.and_then(|phone| sitter_at(&sitters, &phone.device).map(|sitter| sitter.user.clone()));
        sitter.map_or_else(|| account.clone(), |user| self.account_of(user))
    }

    fn account_of(&self, user: Extension) -> Account {
        match self.record(user.as_str()).as_deref() {
            Some(Record::Visitor(visitor)) => Account::Visitor(user, visitor.guest.clone()),
            Some(Record::Resident(_)) | None => Account::Resident(user),
        }
    }

    /// The binding of the phone that sends a request, among those of its account that came from its address: by what its Contact says, else
    /// by where it sends from, else the only one.
    pub(super) fn binding_of(&self, asked: &Asked, account: &str) -> Option<Binding> {
        let (record, source) = (self.record(account), asked.source.remote);
        let in_limbo = self.location.lost_phones(account).into_iter().filter(|phone| phone.in_limbo);
        let in_limbo: Vec<Binding> = in_limbo.map(|phone| phone.binding).collect();
        let own = record.as_deref().map_or(&[][..], Record::bindings);
        let bindings: Vec<&Binding> =
            in_limbo.iter().chain(own).filter(|binding| binding.flow.remote.ip() == source.ip()).collect();
        let contact = match asked.request.contacts(1) {
            Ok(Contacts::List(list)) => list.into_iter().next(),
            Ok(Contacts::Star | Contacts::None) | Err(_) => None,
        };
        let named = contact.as_ref().and_then(|contact| Device::of_contact(contact, asked.request.call_id().clone()));
        let by_uri =
            |binding: &&&Binding| contact.as_ref().is_some_and(|contact| binding.uri.equivalent(contact.uri()));
        let behind = named.clone().map(|named| named.behind(source.ip()));
        let by_device = |binding: &&&Binding| {
            let named = if binding.nat { &behind } else { &named };
            named.as_ref().is_some_and(|named| named.is(&binding.device))
        };
        let by_flow = |binding: &&&Binding| binding.flow.remote == source;
        let found = bindings.iter().rfind(by_uri).or_else(|| bindings.iter().rfind(by_device));
        let found = found.or_else(|| bindings.iter().rfind(by_flow));
        found.or_else(|| bindings.first().filter(|_| bindings.len() == 1)).map(|binding| Binding::clone(binding))
    }

    /// A record is committed: seats that it speaks of may be somebody else's now, and phones that it speaks of may be gone.
    pub(super) fn look_at_seats(&mut self, now: Now, changed: &Extension) {
        if !self.location.has_seats() {
            return;
        }
        let record = self.location.record(changed.as_str());
        let mut errands = self.seats_without_phones(now, changed, record.as_deref());
        errands.extend(self.seats_of_others(now, changed, record.as_deref()));
        for errand in errands {
            self.errand(now, errand);
        }
    }

    /// Gives an errand to the shard that writes for its user.
    pub(super) fn errand(&mut self, now: Now, errand: SeatErrand) {
        let owner = self.commons.owners.of_user(errand.user.as_str());
        self.hand_over(now, owner, Parcel::Seat(Box::new(errand)));
    }

    /// What becomes of those who sit at phones of a changed account.
    fn seats_without_phones(&self, now: Now, account: &Extension, record: Option<&Record>) -> Vec<SeatErrand> {
        let in_limbo = self.location.in_limbo(account.as_str(), now.instant);
        let own = record.map_or(&[][..], Record::bindings).iter().filter(|binding| binding.is_live(now.instant));
        let live: Vec<&Binding> = in_limbo.iter().chain(own).collect();
        let sitters = self.location.sitters(account.as_str());
        let change = |device: &Device| match live.iter().rfind(|binding| binding.device.is(device)) {
            None => Some(SeatChange::Ends(LoggedOutBy::Expiry)),
            Some(binding) => (binding.device != *device).then(|| SeatChange::Follows(binding.device.clone())),
        };
        let errand = |sitter: &crate::location::Sitter| {
            let what = change(&sitter.device)?;
            let (user, phone, device) = (sitter.user.clone(), account.clone(), sitter.device.clone());
            Some(SeatErrand { user, phone, device, what, deed: None })
        };
        sitters.iter().filter_map(errand).collect()
    }

    /// Those who have lost their phone to the changed user, or whom the changed user has lost one to; and phones that are gone already.
    fn seats_of_others(&self, now: Now, user: &Extension, record: Option<&Record>) -> Vec<SeatErrand> {
        let mut errands = Vec::new();
        for seat in record.map_or(&[][..], Record::seats) {
            let sitters = self.location.sitters(seat.phone.as_str());
            let winner = sitter_at(&sitters, &seat.device).map(|sitter| sitter.user.clone());
            let losers = sitters.iter().filter(|sitter| sitter.device.is(&seat.device));
            for loser in losers.filter(|sitter| Some(&sitter.user) != winner.as_ref()) {
                let (user, phone, device) = (loser.user.clone(), seat.phone.clone(), loser.device.clone());
                let what = SeatChange::Ends(LoggedOutBy::Displacement);
                errands.push(SeatErrand { user, phone, device, what, deed: None });
            }
            // A visitor of before a restart may still come back to its phone, or is just being stored.
            let account = self.record(seat.phone.as_str());
            let bindings = account.as_deref().map_or(&[][..], Record::bindings);
            let in_limbo = self.location.in_limbo(seat.phone.as_str(), now.instant);
            let is_gone = !bindings.iter().chain(&in_limbo).any(|binding| binding.device.is(&seat.device));
            let comes = self.is_arriving(&seat.phone) || self.location.is_staged(seat.phone.as_str());
            if is_gone && !comes {
                let (phone, device) = (seat.phone.clone(), seat.device.clone());
                let what = SeatChange::Ends(LoggedOutBy::Expiry);
                errands.push(SeatErrand { user: user.clone(), phone, device, what, deed: None });
            }
        }
        errands
    }

    /// An errand for a user whose writes are this shard's.
    pub(super) fn change_seat(&mut self, now: Now, errand: SeatErrand) {
        let SeatErrand { user, phone, device, what, deed } = errand;
        let view = self.location.view(user.as_str());
        let is_it = |seat: &Seat| seat.phone == phone && seat.device.is(&device);
        match (view.as_deref(), what) {
            (Some(Record::Resident(resident)), SeatChange::Ends(by)) => {
                self.resident_stands_up(now, &user, resident, is_it, by, deed);
            }
            (Some(Record::Visitor(visitor)), SeatChange::Ends(by)) => {
                self.visitor_stands_up(now, &user, visitor, is_it, by, deed);
            }
            (Some(record), SeatChange::Follows(known)) => {
                let mut next = record.clone();
                let seats = match &mut next {
                    Record::Resident(resident) => &mut resident.seats,
                    Record::Visitor(visitor) => &mut visitor.seats,
                };
                seats.iter_mut().filter(|seat| is_it(seat)).for_each(|seat| seat.device = known.clone());
                if next.seats() != record.seats() {
                    self.extend(now, &user, next, Then::default());
                }
            }
            (None, SeatChange::Ends(_) | SeatChange::Follows(_)) => {
                deed.into_iter().for_each(|deed| self.done(now, deed))
            }
        }
    }

    pub(super) fn resident_stands_up(
        &mut self,
        now: Now,
        user: &Extension,
        resident: &Resident,
        is_left: impl Fn(&Seat) -> bool,
        by: LoggedOutBy,
        deed: Option<Deed>,
    ) {
        let Some(next) = hot_desk::stand_up_at_home(resident, is_left, now) else {
            return self.confirm(now, user, Then { deed, ..Then::default() });
        };
        let is_out = next.away.is_none() && next.seats.is_empty() && next.bindings.is_empty();
        let events = is_out.then(|| self.logged_out(user, by)).into_iter().collect();
        self.change(now, user, Some(Record::Resident(next)), Then { events, deed, ..Then::default() });
    }

    fn visitor_stands_up(
        &mut self,
        now: Now,
        user: &Extension,
        visitor: &Visitor,
        is_left: impl Fn(&Seat) -> bool,
        by: LoggedOutBy,
        deed: Option<Deed>,
    ) {
        match hot_desk::stand_up_visiting(visitor, is_left) {
            None => self.confirm(now, user, Then { deed, ..Then::default() }),
            Some(Stays::Here(next)) => {
                // Home is told which phones are left here.
                let next = Visitor { renew_at: now.instant, ..next };
                self.change(now, user, Some(Record::Visitor(next)), Then { deed, ..Then::default() });
            }
            Some(Stays::Left(logout)) => {
                let then = Then {
                    licence: Some(Licence::Leave(user.clone())),
                    notices: vec![Notice::logout(user, &logout)],
                    events: vec![self.logged_out(user, by)],
                    deed,
                    ..Then::default()
                };
                self.change(now, user, None, then);
            }
        }
    }
}
