//! What hangs on a transaction, a stored step or a timer: who is to be told when it comes.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ahash::RandomState;
use bytes::Bytes;

use super::Config;
use super::asking::Notice;
use super::features::Deed;
use super::gather::Part;
use super::waiting::Outlook;
use crate::event::Event;
use crate::ids::{Extension, LoginId, SiteName};
use crate::proxy::{Caller, Context, Identities, LiveId, Restoring, SessionTimer, Stamp};
use crate::sip::{Name, Request, Status};
use crate::transaction::{ClientId, ServerId};
use crate::transmit::Flow;
use crate::trunk::Gateway;
use crate::trunk::challenge::Tries;

/// Names a call or a link request of this node; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key(pub u64);

/// On a server transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ServerTask {
    /// A request that is forwarded.
    Call(Key),
    /// A request that is answered here.
    Own,
    /// An INVITE of a call that the site answers itself.
    OwnCall(Key),
}

/// A request that had its transaction before it was decided where it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Begun {
    /// The call's.
    pub key: Key,
    /// The transaction, which has sent its 100.
    pub server: ServerId,
}

/// On a client transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClientTask {
    /// A branch of a forwarded request, and what becomes of identities in its answers: also of those that come when nothing else is
    /// left of the call.
    Branch(Key, u32, Identities),
    /// A request of our own to another site.
    Link(Key),
    /// A NOTIFY of a subscription.
    Notify(Key),
    /// OPTIONS to a trunk that is down.
    Probe(Key),
    /// A REGISTER to a carrier.
    Registration(Key),
    /// A CANCEL or a notice, whose answer nobody needs.
    Unheard,
}

/// What falls due at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Timer {
    /// A branch has had its time to say anything at all.
    Silence(Key, u32),
    /// The phones of a user or group have had their time to be answered, those of this round (SPEC 9.3).
    NoAnswer(Key, u32),
    /// A link request has had its time to be answered.
    Link(Key),
    /// A notice is to be sent again.
    Notice(Key),
    /// A probe of a trunk has had its time.
    Probe(Key),
    /// A way out has opened to a waiting call, or it has waited long enough.
    Line(Key),
    /// The owners have had their time to judge their parts of a renewal.
    Gathering(Key),
    /// A subscription runs out, or has waited long enough.
    Subscription(Key),
    /// Renewals were gathered for long enough (SPEC 5.3).
    Renewals,
    /// Visitors may have to go (SPEC 12.5).
    Logouts,
    /// Something falls due in a call that the site answers itself.
    OwnCall(Key),
    /// A registration with a carrier is to be refreshed, or tried again.
    Registration(Key),
}

/// A request as it came in.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    /// The request.
    pub request: Request,
    /// Where it came from.
    pub source: Flow,
    /// What its top Via is stamped with.
    pub stamp: Stamp,
    /// Where its responses go (SPEC 4.3).
    pub reply_to: Flow,
}

/// What waits for a step to be stored: everything outward of it.
#[derive(Debug, Default)]
pub(super) struct Then {
    /// What the request that caused it is answered, once it is true.
    pub answer: Option<Waiting>,
    /// What becomes of a licence: only a change that is true takes or gives one back for good.
    pub licence: Option<Licence>,
    /// Whose record it changes: those who watch it are told (SPEC 12.4).
    pub changed: Option<Extension>,
    /// What other sites are told.
    pub notices: Vec<Notice>,
    /// What is told to logs and tests.
    pub events: Vec<Event>,
    /// What another shard is told, whose answer this is a part of.
    pub part: Option<Part>,
    /// What a phone waits for that has dialled a feature.
    pub deed: Option<Deed>,
}

/// A step about licences (SPEC 7.3).
#[derive(Debug)]
pub(super) enum Licence {
    /// A visitor has come, or come once more, by this login, and has this profile; if that can't be stored, home is told that there was
    /// no such login.
    Settle(Extension, LoginId, String, SiteName),
    /// A visitor is gone.
    Leave(Extension),
}

/// An answer that waits for a step.
#[derive(Debug)]
pub(super) struct Waiting {
    /// The request's transaction.
    pub server: ServerId,
    /// The request.
    pub asked: Asked,
    /// The answer's status.
    pub status: Status,
    /// The answer.
    pub bytes: Bytes,
    /// What another site is answered, with proof, if the step can't be stored; a phone is answered by the status alone.
    pub otherwise: Option<Bytes>,
}

/// One forwarded request.
pub(super) struct Call {
    /// The request.
    pub asked: Asked,
    /// Its server transaction; `None` for a request that was forwarded without one.
    pub server: ServerId,
    /// The response context.
    pub context: Context,
    /// The branches' transactions, by number.
    pub clients: Vec<Leg>,
    /// The configuration that it began with.
    pub config: Arc<Config>,
    /// Who asks.
    pub caller: Caller,
    /// What is said about the request on its way.
    pub plan: Passing,
    /// What is left to do when the targets fail.
    pub way: super::forwards::Way,
    /// Its ways out, where it may wait for one.
    pub outlook: Option<Box<Outlook>>,
    /// When timer C runs out (RFC 3261 §16.8).
    pub rings_until: Instant,
    /// Its place among the calls that are counted; `None` where it is none: SPEC 9.6.
    pub live: Option<LiveId>,
    /// What its 2xx is measured by (RFC 4028).
    pub session: SessionTimer,
    /// What its answers say of From and To (SPEC 9.7).
    pub restoring: Restoring,
    /// Where carriers have sent it.
    pub redirected: Vec<Bytes>,
}

/// What is left of a request that has its 2xx: the way back for later ones.
#[derive(Clone, Debug)]
pub(super) struct Answered {
    /// Its server transaction.
    pub server: ServerId,
    /// As in [`Call`].
    pub live: Option<LiveId>,
    /// As in [`Call`].
    pub session: SessionTimer,
    /// As in [`Call`].
    pub restoring: Restoring,
}

/// What is left of a request that has another final answer while a 2xx may still come.
#[derive(Clone, Debug)]
pub(super) struct Late {
    /// Where it goes.
    pub reply_to: Flow,
    /// As in [`Call`].
    pub restoring: Restoring,
}

/// How a request is passed on, the same for all its branches.
#[derive(Clone, Debug)]
pub(super) struct Passing {
    /// Max-Forwards to write.
    pub max_forwards: u32,
    /// The loop hash of its branches.
    pub hash: u64,
    /// Routes of ours on top.
    pub own_routes: usize,
    /// The Route value that has become the Request-URI, after a strict router.
    pub strict_last: Option<usize>,
    /// The sender's other Routes are ignored.
    pub drop_routes: bool,
    /// We stay in the dialog that it may create.
    pub record_route: Option<crate::link::proof::Peer>,
    /// The identity that replaces the sender's; with `keep_identity`, nothing is touched.
    pub asserted: Option<String>,
    /// Inside a dialog identities pass.
    pub keep_identity: bool,
    /// It comes from a trunk.
    pub from_outside: bool,
    /// It comes from another site or a trusted trunk, which may see identities that are withheld from others (RFC 3325 §7).
    pub sees_withheld: bool,
    /// In the words of SPEC 6.10, for records.
    pub gives: String,
    /// What a Break Out of another site came with: that site may have to dial it after all.
    pub break_out: Option<Box<crate::link::Token>>,
}

/// One branch of a call.
#[derive(Debug, Default)]
pub(super) struct Leg {
    /// Its transaction; `None` where the table was full.
    pub client: Option<ClientId>,
    /// The other site, its token and whether it was sent again with a newer boot id.
    pub site: Option<SiteLeg>,
    /// The address of the trunk that it went to.
    pub gateway: Option<Gateway>,
    /// A carrier that may ask who we are, and what it was shown.
    pub carrier: Option<Box<CarrierLeg>>,
    /// How long the call may last that this branch is answered with, and how many Record-Routes were put on it (SPEC 6.3: `t(x)`).
    pub limit: Option<(Duration, usize)>,
    /// The target, where its carrier may send the call elsewhere.
    pub redirects: Option<Box<crate::proxy::Target>>,
}

/// A branch that goes to a carrier where we have a name and a password.
#[derive(Debug)]
pub(super) struct CarrierLeg {
    /// The trunk's mark.
    pub mark: u32,
    /// The target, to send it again.
    pub target: crate::proxy::Target,
    /// What this request has shown so far.
    pub tries: Tries,
    /// The credentials that it was sent with last.
    pub shown: Vec<(Name, String)>,
    /// Sent again: until then nothing need be heard of it.
    pub silent_until: Option<Instant>,
}

/// A branch that goes to another site.
#[derive(Clone, Debug)]
pub(super) struct SiteLeg {
    /// The target, to send it again.
    pub target: crate::proxy::Target,
    /// What its answers are bound to.
    pub receipt: crate::link::Receipt,
    /// Sent again already.
    pub again: bool,
}

impl SiteLeg {
    /// The number that was sent there.
    pub fn number(&self) -> Option<Extension> {
        let uri = crate::sip::Uri::parse(Bytes::clone(&self.target.uri)).ok()?;
        uri.user().map(Extension::new)
    }
}

/// Calls and link requests by their keys.
pub(super) struct Keyed<T> {
    items: HashMap<Key, T, RandomState>,
}

impl<T> Keyed<T> {
    pub(super) fn new(seeds: [u64; 4]) -> Self {
        let hasher = RandomState::with_seeds(seeds[0], seeds[1], seeds[2], seeds[3]);
        Self { items: HashMap::with_hasher(hasher) }
    }

    pub(super) fn insert(&mut self, key: Key, item: T) {
        self.items.insert(key, item);
    }

    pub(super) fn of(&mut self, key: Key) -> Option<&mut T> {
        self.items.get_mut(&key)
    }

    pub(super) fn remove(&mut self, key: Key) -> Option<T> {
        self.items.remove(&key)
    }

    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    /// The keys of all, the oldest first.
    pub(super) fn keys(&self) -> Vec<Key> {
        let mut keys: Vec<Key> = self.items.keys().copied().collect();
        keys.sort_unstable();
        keys
    }
}
