//! The calls that this shard takes part in, from admission to their end (SPEC 9.6).
//!
//! ```text
//!          begin            hold(branch)          answered(dialog)        end_dialog(last), expired
//!   ────────────► asked ──────────────► ringing ──────────────────► up ──────────────────────────► over
//!                   │                      │ give_back(branch)                                       ▲
//!                   └── over (a final error, CANCEL) ───────────────────────────────────────────────┘
//! ```
//!
//! A call holds its caller's place, one place for each user that it rings or reached, and one channel for each branch to a trunk. A
//! branch gives back what it holds with its final error, an answered one with its last dialog. Whose BYE was lost ends by
//! its session timer (RFC 4028), and every call by the cap.
//!
//! The node asks for every INVITE outside a dialog and tells what becomes of it; a request inside a dialog is found again by
//! its Call-ID and tags. A call that passes here twice (a spiral, SPEC 9.1) is two passages of one name; each holds its own, and
//! a dialog's end is the end of both. After a restart the calls before it are not known, and pass all the same: SPEC 9.7.
//!
//! Bounded by [`LiveCalls::MOST`]. Names are 128 bits of a keyed hash, so that a call costs the same whatever its Call-ID.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use ahash::RandomState;
use smallvec::SmallVec;

use super::middle::Middle;
use super::tally::Tally;
use crate::deadlines::{Deadlines, Dense};
use crate::ids::Extension;
use crate::sip::Message;

/// Names a passage of a call, for as long as it lives and never another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiveId {
    place: u32,
    generation: u32,
}

impl Dense for LiveId {
    fn place(self) -> usize {
        self.place as usize
    }
}

/// What a request inside a dialog is found by: the same for both directions.
#[derive(Clone, Copy, Debug)]
pub struct DialogTags<'a> {
    /// Call-ID.
    pub call_id: &'a [u8],
    /// The tag of From.
    pub from: &'a [u8],
    /// The tag of To.
    pub to: &'a [u8],
}

/// A call that asks to be let in.
#[derive(Clone, Copy, Debug)]
pub struct Asks<'a> {
    /// Call-ID.
    pub call_id: &'a [u8],
    /// The tag of From.
    pub caller_tag: &'a [u8],
    /// The caller whose phone is here, and how many calls that user may have.
    pub user: Option<(&'a Extension, usize)>,
    /// The trunk that it comes by, which takes a channel; the carrier has found one free.
    pub came_by: Option<u32>,
    /// The address that calls for help without having proven anything.
    pub unproven: Option<IpAddr>,
    /// Never refused (SPEC 6.7).
    pub emergency: bool,
}

/// What a branch wants to hold before it is sent.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wants<'a> {
    /// The user whose phone rings, or who forwards, and how many calls that user may have.
    pub user: Option<(&'a Extension, usize)>,
    /// The trunk.
    pub trunk: Option<Channel>,
    /// Never refused (SPEC 6.7).
    pub emergency: bool,
}

/// A channel of a trunk.
#[derive(Clone, Copy, Debug)]
pub struct Channel {
    /// The trunk's mark.
    pub mark: u32,
    /// How many it has; `None`: no limit.
    pub most: Option<usize>,
    /// How many calls may pass from the trunk that this call came by, if it did, to any trunk.
    pub transit: Option<usize>,
}

/// What there is no room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoRoom {
    /// In the table.
    #[error("there are too many calls")]
    Table,
    /// The user has as many calls as the profile allows.
    #[error("call limit reached")]
    User,
    /// The trunk has no free channel.
    #[error("no line free")]
    Trunk,
    /// As many calls pass from the trunk that it came by to a trunk as may.
    #[error("no line free")]
    Transit,
}

/// A 2xx to a call's INVITE.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// The branch that it came by.
    pub branch: u32,
    /// The tag of To.
    pub callee_tag: &'a [u8],
    /// The session interval that was agreed (RFC 4028); `None`: it does not run out.
    pub session: Option<Duration>,
    /// The longest that a call lasts.
    pub cap: Duration,
}

/// What is told of a call at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// The caller, as identified.
    pub from: String,
    /// What was dialled.
    pub to: String,
    /// Where it went, in the words of SPEC 6.10.
    pub gives: String,
}

/// Why an answered call is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndedBy {
    /// BYE.
    Bye,
    /// 408 or 481 to a request in its dialog (RFC 3261 §12.2.1.2).
    Gone,
    /// Its session timer ran out: nobody refreshed it (RFC 4028 §10).
    SessionTimer,
    /// It was as long as a call may be.
    Cap,
    /// It was as long as its short code allows (SPEC 6.3); both sides are to be told.
    Limit,
}

/// An answered call that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// What is told of it.
    pub about: About,
    /// From its first 2xx.
    pub lasted: Duration,
    /// Why.
    pub by: EndedBy,
    /// Whose phones here took part in it at its end.
    pub users: SmallVec<[Extension; 2]>,
    /// What it takes to tell both sides, if it is for us to end it.
    pub middle: Option<Box<Middle>>,
}

/// What is known of a dialog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It has its 2xx and is not over.
    Up,
    /// Its call is known, it is not.
    NotOfThisCall,
    /// No such call: over, or from before a restart.
    Unknown,
}

/// All calls of a shard.
pub struct LiveCalls {
    secret: [u8; 32],
    places: Vec<Place>,
    free: Vec<u32>,
    by_name: HashMap<u128, SmallVec<[u32; 4]>, RandomState>,
    deadlines: Deadlines<LiveId>,
    tally: Arc<Tally>,
    /// Trunks that have got a channel back since somebody asked.
    freed: Vec<u32>,
    most: usize,
    /// How many calls have a middle.
    limited: usize,
}

struct Place {
    generation: u32,
    live: Option<Live>,
}

/// One passage of a call.
struct Live {
    name: u128,
    caller: Option<Extension>,
    /// In whose name it breaks out, where a forward does.
    lent: Option<Extension>,
    came_by: Option<u32>,
    unproven: Option<IpAddr>,
    /// It counts as transit of `came_by`.
    transit: bool,
    holds: SmallVec<[Hold; 1]>,
    dialogs: SmallVec<[Dialog; 1]>,
    up: Option<Up>,
}

/// What a branch holds.
struct Hold {
    branch: u32,
    user: Option<Extension>,
    trunk: Option<u32>,
}

struct Dialog {
    name: u128,
    branch: u32,
    /// When its session runs out.
    expires: Option<Instant>,
    /// Kept until the call ends: a late copy of its 2xx begins nothing.
    over: bool,
}

struct Up {
    since: Instant,
    until: Instant,
    about: Box<About>,
    /// Of a call that ends by [`EndedBy::Limit`].
    middle: Option<Box<Middle>>,
}

impl LiveCalls {
    /// Most calls at one time; one more is refused with 503.
    pub const MOST: usize = 200_000;
    /// Emergency calls have so much more room.
    pub const EMERGENCY: usize = 1_000;
    /// Most dialogs that are known of one call; a further one neither prolongs nor ends it.
    pub const DIALOGS: usize = 16;

    /// No calls. `secret` keys their names, so that nobody can make two calls look like one.
    pub fn new(secret: [u8; 32], seeds: [u64; 4], tally: Arc<Tally>) -> Self {
        let [a, b, c, d] = seeds;
        Self {
            secret,
            places: Vec::new(),
            free: Vec::new(),
            by_name: HashMap::with_hasher(RandomState::with_seeds(a, b, c, d)),
            deadlines: Deadlines::new(),
            tally,
            freed: Vec::new(),
            most: Self::MOST,
            limited: 0,
        }
    }

    /// The counters, which other shards may share.
    pub fn tally(&self) -> &Arc<Tally> {
        &self.tally
    }

    /// How many passages there are.
    pub fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Lets a call in. `Err(User)` or `Err(Table)`: nothing is held.
    pub fn begin(&mut self, asks: &Asks<'_>) -> Result<LiveId, NoRoom> {
        let room = self.most + if asks.emergency { Self::EMERGENCY } else { 0 };
        if self.len() >= room {
            return Err(NoRoom::Table);
        }
        if let Some((user, most)) = asks.user
            && !self.tally.users.reserve(user, Some(most).filter(|_| !asks.emergency))
        {
            return Err(NoRoom::User);
        }
        if let Some(mark) = asks.came_by {
            self.tally.channels.reserve(&mark, None);
        }
        if let Some(source) = asks.unproven {
            self.tally.unproven.reserve(&source, None);
        }
        let name = self.name(asks.call_id, asks.caller_tag);
        let live = Live {
            name,
            caller: asks.user.map(|(user, _)| user.clone()),
            lent: None,
            came_by: asks.came_by,
            unproven: asks.unproven,
            transit: false,
            holds: SmallVec::new(),
            dialogs: SmallVec::new(),
            up: None,
        };
        let id = self.put(live);
        let passages = self.by_name.entry(name).or_default();
        if passages.is_empty() {
            self.tally.calls.fetch_add(1, Ordering::Relaxed);
        }
        passages.push(id.place);
        Ok(id)
    }

    /// Takes what a branch needs, all or nothing. A call that is not known any more needs nothing.
    pub fn hold(&mut self, id: LiveId, branch: u32, wants: &Wants<'_>) -> Result<(), NoRoom> {
        let tally = Arc::clone(&self.tally);
        let Some(live) = self.live(id) else { return Ok(()) };
        let limit = |most: Option<usize>| most.filter(|_| !wants.emergency);
        // One per call: its caller may be its callee, and a user may have several phones.
        let user = wants.user.filter(|(user, _)| !live.has(user));
        if let Some((user, most)) = user
            && !tally.users.reserve(user, limit(Some(most)))
        {
            return Err(NoRoom::User);
        }
        let release_user = || user.iter().for_each(|(user, _)| tally.users.release(user));
        // One call has one channel of a trunk, at whichever of its addresses it is tried.
        let own = |hold: &Hold| wants.trunk.is_some_and(|channel| hold.trunk == Some(channel.mark));
        let passed_on = live.holds.iter().position(|hold| own(hold) && !live.is_up(hold.branch));
        if let Some(hold) = passed_on.and_then(|at| live.holds.get_mut(at)) {
            hold.trunk = None;
        } else if let Some(channel) = wants.trunk {
            if !tally.channels.reserve(&channel.mark, limit(channel.most)) {
                release_user();
                return Err(NoRoom::Trunk);
            }
            if let Some(came_by) = live.came_by.filter(|_| !live.transit) {
                if !tally.transit.reserve(&came_by, limit(channel.transit)) {
                    tally.channels.release(&channel.mark);
                    release_user();
                    return Err(NoRoom::Transit);
                }
                live.transit = true;
            }
        }
        let (user, trunk) = (wants.user.map(|(user, _)| user.clone()), wants.trunk.map(|channel| channel.mark));
        if user.is_some() || trunk.is_some() {
            live.holds.push(Hold { branch, user, trunk });
        }
        Ok(())
    }

    /// A branch had its final error: what it holds is free. One that has a dialog keeps it.
    pub fn give_back(&mut self, id: LiveId, branch: u32) {
        let tally = Arc::clone(&self.tally);
        let Some(live) = self.live(id) else { return };
        if !live.is_up(branch) {
            let freed = live.release(&tally, |hold| hold.branch == branch);
            self.freed.extend(freed);
        }
    }

    /// Nothing more comes from the branches that have not answered.
    pub fn settled(&mut self, id: LiveId) {
        let tally = Arc::clone(&self.tally);
        let Some(live) = self.live(id) else { return };
        let freed = live.release_idle(&tally);
        self.freed.extend(freed);
    }

    /// The mark of a trunk that has got a channel back; call until `None`.
    pub fn poll_freed(&mut self) -> Option<u32> {
        self.freed.pop()
    }

    /// A 2xx to the INVITE: a dialog is up. The first one brings what is told of the call at its end; a copy changes nothing.
    pub fn answered(&mut self, now: Instant, id: LiveId, answer: &Answer<'_>, about: Option<About>) {
        let Answer { branch, callee_tag, session, cap } = *answer;
        let Some(name) = self.live(id).map(|live| live.name) else { return };
        let name = self.within(name, callee_tag);
        let Some(live) = self.live(id) else { return };
        if let (None, Some(about)) = (&live.up, about) {
            live.up = Some(Up { since: now, until: now + cap, about: Box::new(about), middle: None });
        }
        let is_new = live.up.is_some() && !live.dialogs.iter().any(|dialog| dialog.name == name);
        if is_new && live.dialogs.len() < Self::DIALOGS {
            live.dialogs.push(Dialog { name, branch, expires: session.map(|session| now + session), over: false });
        }
        self.wait(now, id);
    }

    /// An answered call lasts so long at most, and is then ended by us. It counts for the dialog of the first 2xx.
    pub fn limit(&mut self, now: Instant, id: LiveId, longest: Duration, middle: Middle) {
        let Some(up) = self.live(id).and_then(|live| live.up.as_mut()) else { return };
        if up.middle.is_none() && now + longest < up.until {
            (up.until, up.middle) = (now + longest, Some(Box::new(middle)));
            self.limited += 1;
            self.wait(now, id);
        }
    }

    /// A request inside a dialog passes: what it counts as is known to a call that is ended by us.
    pub fn passed(&mut self, request: &Message, tags: &DialogTags<'_>) {
        if self.limited == 0 {
            return;
        }
        for (id, _) in self.of(tags) {
            let middle = self.live(id).and_then(|live| live.up.as_mut()?.middle.as_mut());
            middle.into_iter().for_each(|middle| middle.note(request));
        }
    }

    /// A call that was never answered is over.
    pub fn over(&mut self, id: LiveId) {
        self.take(id);
    }

    /// A dialog was refreshed by a 2xx in it: its session runs as long from now, or (`None`) without an end (RFC 4028 §8.3).
    pub fn refreshed(&mut self, now: Instant, tags: &DialogTags<'_>, session: Option<Duration>) {
        for (id, name) in self.of(tags) {
            let Some(live) = self.live(id) else { continue };
            live.dialogs
                .iter_mut()
                .filter(|dialog| dialog.name == name)
                .for_each(|dialog| dialog.expires = session.map(|session| now + session));
            self.wait(now, id);
        }
    }

    /// A dialog is over, and its call if it was the last.
    pub fn end_dialog(&mut self, now: Instant, tags: &DialogTags<'_>, by: EndedBy) -> SmallVec<[Ended; 1]> {
        let of = self.of(tags);
        of.into_iter().filter_map(|(id, name)| self.end(now, id, by, |dialog| dialog.name == name)).collect()
    }

    /// One call whose session or whose time has run out by `now`; call until `None`.
    pub fn expired(&mut self, now: Instant) -> Option<Ended> {
        while let Some(id) = self.deadlines.expired(now) {
            let capped = self.live(id).and_then(|live| live.up.as_ref()).filter(|up| up.until <= now);
            let ended = match capped.map(|up| up.middle.is_some()) {
                Some(true) => self.end(now, id, EndedBy::Limit, |_| true),
                Some(false) => self.end(now, id, EndedBy::Cap, |_| true),
                None => self.end(now, id, EndedBy::SessionTimer, |dialog| dialog.expires.is_some_and(|at| at <= now)),
            };
            if ended.is_some() {
                return ended;
            }
            self.wait(now, id);
        }
        None
    }

    /// When [`expired`](Self::expired) is to be asked again.
    pub fn next(&self) -> Option<Instant> {
        self.deadlines.next()
    }

    /// The call breaks out to another site in that user's name, whoever has called.
    pub fn breaks_out(&mut self, id: LiveId, user: &Extension) {
        if let Some(live) = self.live(id).filter(|live| live.caller.as_ref() != Some(user)) {
            live.lent = Some(user.clone());
        }
    }

    /// Whether a call of that user, or in that user's name, with this name is under way: it was admitted here, and is not over.
    pub fn is_of(&self, call_id: &[u8], caller_tag: &[u8], user: &Extension) -> bool {
        let passages = self.by_name.get(&self.name(call_id, caller_tag)).into_iter().flatten();
        passages
            .filter_map(|&place| self.places.get(place as usize)?.live.as_ref())
            .any(|live| [&live.caller, &live.lent].into_iter().flatten().any(|name| name == user))
    }

    /// Whether such a dialog is up.
    pub fn standing(&self, tags: &DialogTags<'_>) -> Standing {
        let of = self.of(tags);
        let is_up = |&(id, name): &(LiveId, u128)| {
            let live = self.places.get(id.place as usize).and_then(|place| place.live.as_ref());
            live.is_some_and(|live| live.dialogs.iter().any(|dialog| dialog.name == name && !dialog.over))
        };
        match of.iter().any(is_up) {
            true => Standing::Up,
            false if of.is_empty() => Standing::Unknown,
            false => Standing::NotOfThisCall,
        }
    }

    fn end(&mut self, now: Instant, id: LiveId, by: EndedBy, over: impl Fn(&Dialog) -> bool) -> Option<Ended> {
        let tally = Arc::clone(&self.tally);
        let live = self.live(id).filter(|live| live.up.is_some())?;
        live.dialogs.iter_mut().filter(|dialog| over(dialog)).for_each(|dialog| dialog.over = true);
        if live.dialogs.iter().any(|dialog| !dialog.over) {
            let freed = live.release_idle(&tally);
            self.freed.extend(freed);
            return None;
        }
        let users = live.users();
        let Up { since, about, middle, .. } = self.take(id)?.up?;
        let middle = middle.filter(|_| by == EndedBy::Limit);
        Some(Ended { about: *about, lasted: now.saturating_duration_since(since), by, users, middle })
    }

    /// Waits for the nearest end of an answered call.
    fn wait(&mut self, now: Instant, id: LiveId) {
        let Some(live) = self.live(id) else { return };
        let Some(up) = &live.up else { return };
        let sessions = live.dialogs.iter().filter(|dialog| !dialog.over).filter_map(|dialog| dialog.expires);
        let at = sessions.fold(up.until, Instant::min);
        self.deadlines.set(now, id, at);
    }

    fn live(&mut self, id: LiveId) -> Option<&mut Live> {
        let place = self.places.get_mut(id.place as usize)?;
        place.live.as_mut().filter(|_| place.generation == id.generation)
    }

    fn put(&mut self, live: Live) -> LiveId {
        let place = self.free.pop().unwrap_or_else(|| {
            self.places.push(Place { generation: 0, live: None });
            (self.places.len() - 1) as u32
        });
        let at = &mut self.places[place as usize];
        at.live = Some(live);
        LiveId { place, generation: at.generation }
    }

    /// Takes a passage out, with all that it holds.
    fn take(&mut self, id: LiveId) -> Option<Live> {
        self.live(id)?;
        let place = &mut self.places[id.place as usize];
        let mut live = place.live.take()?;
        place.generation = place.generation.wrapping_add(1);
        self.free.push(id.place);
        self.deadlines.clear(id);
        if let Some(passages) = self.by_name.get_mut(&live.name) {
            passages.retain(|place| *place != id.place);
            if passages.is_empty() {
                self.by_name.remove(&live.name);
                self.tally.calls.fetch_sub(1, Ordering::Relaxed);
            }
        }
        self.freed.extend(live.release(&self.tally, |_| true));
        self.limited -= usize::from(live.up.as_ref().is_some_and(|up| up.middle.is_some()));
        if let Some(user) = live.caller.take() {
            self.tally.users.release(&user);
        }
        if let Some(mark) = live.came_by {
            self.tally.channels.release(&mark);
            self.freed.push(mark);
        }
        if let Some(source) = live.unproven {
            self.tally.unproven.release(&source);
        }
        Some(live)
    }

    /// The passages of a dialog's call, and the dialog's name in each: From may be the caller's or the callee's.
    fn of(&self, tags: &DialogTags<'_>) -> SmallVec<[(LiveId, u128); 2]> {
        let mut found = SmallVec::new();
        if self.by_name.is_empty() {
            return found;
        }
        for (caller, callee) in [(tags.from, tags.to), (tags.to, tags.from)] {
            let name = self.name(tags.call_id, caller);
            let Some(passages) = self.by_name.get(&name) else { continue };
            let dialog = self.within(name, callee);
            for &place in passages {
                let generation = self.places[place as usize].generation;
                found.push((LiveId { place, generation }, dialog));
            }
        }
        found
    }

    fn name(&self, call_id: &[u8], caller_tag: &[u8]) -> u128 {
        let length = (call_id.len() as u64).to_le_bytes();
        first_16(blake3::Hasher::new_keyed(&self.secret).update(&length).update(call_id).update(caller_tag).finalize())
    }

    fn within(&self, call: u128, callee_tag: &[u8]) -> u128 {
        first_16(blake3::Hasher::new_keyed(&self.secret).update(&call.to_le_bytes()).update(callee_tag).finalize())
    }
}

impl Live {
    fn has(&self, user: &Extension) -> bool {
        self.caller.as_ref() == Some(user) || self.holds.iter().any(|hold| hold.user.as_ref() == Some(user))
    }

    fn users(&self) -> SmallVec<[Extension; 2]> {
        self.caller.iter().chain(self.holds.iter().filter_map(|hold| hold.user.as_ref())).cloned().collect()
    }

    /// Whether the branch has a dialog that is not over.
    fn is_up(&self, branch: u32) -> bool {
        self.dialogs.iter().any(|dialog| dialog.branch == branch && !dialog.over)
    }

    /// Gives back what is held by branches without a dialog.
    fn release_idle(&mut self, tally: &Tally) -> SmallVec<[u32; 2]> {
        let up: SmallVec<[u32; 4]> = self.dialogs.iter().filter(|it| !it.over).map(|it| it.branch).collect();
        self.release(tally, |hold| !up.contains(&hold.branch))
    }

    /// Gives back what these hold; the trunks that have got a channel back.
    fn release(&mut self, tally: &Tally, over: impl Fn(&Hold) -> bool) -> SmallVec<[u32; 2]> {
        let (mut at, mut freed) = (0, SmallVec::new());
        while let Some(hold) = self.holds.get(at) {
            if !over(hold) {
                at += 1;
                continue;
            }
            let hold = self.holds.swap_remove(at);
            if let Some(user) = hold.user.filter(|user| !self.has(user)) {
                tally.users.release(&user);
            }
            if let Some(mark) = hold.trunk {
                tally.channels.release(&mark);
                freed.push(mark);
            }
        }
        if self.transit && self.holds.iter().all(|hold| hold.trunk.is_none()) {
            self.transit = false;
            if let Some(came_by) = self.came_by {
                tally.transit.release(&came_by);
            }
        }
        freed
    }
}

fn first_16(hash: blake3::Hash) -> u128 {
    let mut first = [0; 16];
    first.copy_from_slice(&hash.as_bytes()[..16]);
    u128::from_le_bytes(first)
}

#[cfg(test)]
mod tests;
