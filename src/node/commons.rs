//! What the shards of a site have in common: made once for a site, held by each of its shards.
//!
//! | shared | because |
//! |---|---|
//! | the location table, staged changes too | every call asks where a user is; only the AOR's owner writes |
//! | nonces and their counts | the phone that was challenged by one shard answers to another |
//! | lockouts, recent callers, licences, calls, the state of the other sites and of the trunks, who waits for a line | they count what happens at the whole site |
//! | phones that have dialled a Break Out code alone | their next call may be another shard's |
//! | logins under way | a call that overtakes one may come to another shard |
//! | the challenges of carriers, our registrations | a nonce is counted over all that use it; the first shard registers, any may be called |
//! | the boot id, the secrets | copies of one message look the same at every shard |
//!
//! Each shard has for itself: transactions, calls, the changes that wait, its timers, the requests that it made, and what it has
//! seen of link tokens (a replay comes to the same shard). A lock is held for one look or change ([`Guarded`]).

use std::collections::BTreeSet;
use std::sync::Arc;

use super::callers::Callers;
use super::carriers::Carriers;
use super::gateways::marked;
use super::links::Peers;
use super::names::other_names;
use super::owner::Owners;
use super::pings::Pings;
use super::tasks::Key;
use super::{Config, lockout_of};
use crate::auth::{Authenticator, Codes, Lockout};
use crate::guarded::Guarded;
use crate::hot_desk::Licences;
use crate::ids::{BootId, Entropy, Extension, ShardId};
use crate::location::Location;
use crate::proxy::Tally;
use crate::service::NextCalls;
use crate::timing::{Now, Wall};
use crate::trunk::{Queue, Trunks};

/// What the shards of a site have in common.
pub(super) struct Commons {
    /// Who owns what.
    pub owners: Owners,
    /// Where every user is.
    pub location: Arc<Location>,
    /// To be cloned: the clones share the counts of nonces.
    pub auth: Authenticator,
    /// Wrong answers.
    pub lockout: Guarded<Lockout>,
    /// Wrong PINs.
    pub codes: Guarded<Codes>,
    /// Who may call for help without credentials.
    pub callers: Guarded<Callers>,
    /// The licences of visitors.
    pub licences: Guarded<Licences>,
    /// How many calls there are.
    pub tally: Arc<Tally>,
    /// Whether the trunks answer.
    pub trunks: Trunks,
    /// Who waits for one of their lines.
    pub queue: Queue<(ShardId, Key)>,
    /// The OPTIONS that were answered in this second.
    pub pings: Guarded<Pings>,
    /// Phones that have dialled a Break Out code without digits.
    pub next_calls: Guarded<NextCalls>,
    /// Users whose login waits for the word of their home.
    pub arriving: Guarded<BTreeSet<Extension>>,
    /// Whether the other sites are there.
    pub peers: Arc<Guarded<Peers>>,
    /// What carriers have asked lately, and where we are registered.
    pub carriers: Guarded<Carriers>,
    /// When the site was started.
    pub started: Wall,
    /// Which start of the site this is.
    pub boot: BootId,
    /// Keys what must look the same for every copy: stateless tags, loop hashes.
    pub secret: [u8; 32],
    /// Keys the proofs of dialogs where there is no link secret.
    pub route_secret: [u8; 32],
}

impl Commons {
    /// For a site that starts now with so many shards.
    pub(super) fn new(config: &Config, now: Now, shards: u8, entropy: &mut Entropy) -> Self {
        let secret = entropy.bytes();
        let trunks = Trunks::default();
        trunks.configure(now.instant, marked(&config.site.trunks), other_names(&config.site));
        Self {
            owners: Owners::new(entropy.bytes(), shards),
            location: Arc::new(Location::new(std::array::from_fn(|_| entropy.next_u64()))),
            auth: Authenticator::new(&config.network.realm, &config.site.auth, entropy.bytes()),
            lockout: Guarded::new(lockout_of(config)),
            codes: Guarded::new(Codes::new(config.site.hot_desk.login_attempts, config.site.hot_desk.login_lock)),
            callers: Guarded::default(),
            licences: Guarded::new(Licences::new(config.site.licences.clone())),
            tally: Arc::new(Tally::new(std::array::from_fn(|_| entropy.next_u64()))),
            trunks,
            queue: Queue::default(),
            pings: Guarded::default(),
            next_calls: Guarded::default(),
            arriving: Guarded::default(),
            peers: Arc::new(Guarded::new(Peers::new(config, now))),
            carriers: Guarded::default(),
            started: now.wall,
            boot: BootId(entropy.next_u64().max(1)),
            secret,
            route_secret: entropy.bytes(),
        }
    }

    /// Takes over a new configuration. Each shard says so once: what it does twice it does for nothing.
    pub(super) fn configure(&self, config: &Config, now: Now) {
        let hot_desk = &config.site.hot_desk;
        self.lockout.with(|lockout| lockout.configure(hot_desk.login_attempts, hot_desk.login_lock));
        self.codes.with(|codes| codes.configure(hot_desk.login_attempts, hot_desk.login_lock));
        self.licences.with(|licences| licences.set_places(config.site.licences.clone()));
        self.peers.with(|peers| peers.configure(config, now));
        self.trunks.configure(now.instant, marked(&config.site.trunks), other_names(&config.site));
        self.carriers.with(Carriers::configure);
    }
}
