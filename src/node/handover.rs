//! What one shard of a site gives to another: packets that came to the wrong socket, and errands for the owner of an AOR.
//!
//! The shell carries them ([`Node::poll_handover`] here, [`Node::handle_handover`] there) and may drop them where a shard can't keep
//! up: a packet is sent again by whoever sent it, the next call says anew that a user is not there, renewals fall due again, who is
//! taken for idle is logged out a call too early, a feature that nobody performs is refused after a while, the first shard looks at the
//! links by its own timers, who waits for a line is told of the next one, and where nobody listens is noticed by the silence.

use std::net::SocketAddr;

use super::Node;
use super::features::{Deed, Wish};
use super::gather::Heard;
use super::sitting::SeatErrand;
use super::tasks::Key;
use crate::ids::{Extension, LoginNumber, ShardId, SiteName};
use crate::link::messages::Renewal;
use crate::rejection::Rejection;
use crate::sip::Packet;
use crate::timing::Now;
use crate::transmit::Flow;

/// The shard that looks after the links: it probes the other sites.
pub(super) const FIRST: ShardId = ShardId(0);

/// Something for another shard of the same site.
#[derive(Debug)]
pub struct Handover {
    /// The shard that it is for.
    pub to: ShardId,
    pub(super) parcel: Parcel,
}

/// What is handed over.
#[derive(Debug)]
pub(super) enum Parcel {
    /// A packet that the other shard owns, read once, and where it came from.
    Packet(Flow, Packet),
    /// A visited site says with proof that a user's login is not there (SPEC 9.2).
    NotThere { extension: Extension, site: SiteName, login: LoginNumber },
    /// Renewals of a site for users whose owner the other shard is; it answers with `Heard` to `back`.
    Renewals { site: SiteName, logins: Vec<Renewal>, back: ShardId, key: Key },
    /// What became of them.
    Heard(Key, Heard),
    /// A user's call that was answered is over.
    Active(Extension),
    /// A seat of a user whose owner the other shard is.
    Seat(Box<SeatErrand>),
    /// A feature that the other shard is to leave undone, if it still can.
    GiveUp(Deed),
    /// A feature that the other shard is to perform.
    Wish(Deed, Box<Wish>),
    /// What became of a feature that a call of the other shard waits for.
    Done(Key, Result<(), Rejection>),
    /// A site is to be looked at sooner than the first shard thinks.
    Links,
    /// So is a trunk.
    Trunks,
    /// A call that waits for a line may have one.
    Line(Key),
    /// Nobody listens at that address.
    Nobody(SocketAddr),
}

impl Node {
    /// The next thing for another shard of this site; never any where there is but one.
    pub fn poll_handover(&mut self) -> Option<Handover> {
        self.handovers.pop_front()
    }

    /// Something that another shard of this site has handed over.
    pub fn handle_handover(&mut self, now: Now, handover: Handover) {
        self.take_over(now, handover.parcel);
        self.settle(now);
    }

    fn take_over(&mut self, now: Now, parcel: Parcel) {
        match parcel {
            Parcel::Packet(source, packet) => self.hear_packet(now, source, packet),
            Parcel::NotThere { extension, site, login } => self.not_there(now, &extension, &site, login),
            Parcel::Renewals { site, logins, back, key } => self.hear_part(now, &site, &logins, back, key),
            Parcel::Heard(key, heard) => self.part_heard(now, key, heard),
            Parcel::Active(extension) => self.take_active(now, &extension),
            Parcel::Seat(errand) => self.change_seat(now, *errand),
            Parcel::GiveUp(deed) => self.give_up_login(now, deed),
            Parcel::Wish(deed, wish) => self.perform(now, deed, &wish),
            Parcel::Done(key, end) => self.deed_ended(now, key, end),
            Parcel::Links => self.look_at_sites(now),
            Parcel::Trunks => self.look_at_trunks(now),
            Parcel::Line(key) => self.line_free(now, key),
            Parcel::Nobody(remote) => self.transactions.unreachable(now.instant, remote),
        }
    }

    /// Gives something to its shard, which may be this one.
    pub(super) fn hand_over(&mut self, now: Now, to: ShardId, parcel: Parcel) {
        if to == self.shard {
            return self.take_over(now, parcel);
        }
        self.handovers.push_back(Handover { to, parcel });
    }

    /// Whether this shard does all writes for that AOR.
    pub(super) fn writes_for(&self, extension: &Extension) -> bool {
        self.commons.owners.of_user(extension.as_str()) == self.shard
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_may_run_on_threads_of_their_own() {
        fn may_be_sent<T: Send>() {}
        may_be_sent::<Handover>();
        may_be_sent::<Node>();
    }
}
