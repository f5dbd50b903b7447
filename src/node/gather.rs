//! A gathered renewal whose logins belong to several shards (SPEC 5.3): each is given its part, and their words are one answer.
//!
//! An owner says its words once what they rest on is stored, so the answer waits for the last of them. A part that does not come in
//! time, or could not be stored, is left out: the visited site's renewal of those logins falls due again by itself.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Node;
use super::handover::Parcel;
use super::tasks::{Asked, Key, Then, Timer};
use crate::ids::{Extension, ShardId, SiteName};
use crate::link::Token;
use crate::link::messages::{self, RenewAnswer, Renewal, Renewed};
use crate::rejection::Rejection;
use crate::sip::Status;
use crate::timing::Now;
use crate::transaction::ServerId;

/// So long the owners have: the site that asks gives up after 4 s (SPEC 8.1).
const PATIENCE: Duration = Duration::from_secs(3);
/// Most renewals that wait for their parts; one more is refused, and its logins fall due again.
const MOST: usize = 1_000;

/// The words of one owner; empty where its part could not be stored.
#[derive(Debug, Default)]
pub(super) struct Heard(pub Vec<Renewed>);

/// An owner's words that wait for the steps that they rest on.
#[derive(Debug)]
pub(super) struct Part {
    pub to: ShardId,
    pub key: Key,
    pub words: Vec<Renewed>,
}

/// A renewal whose parts are with their owners.
pub(super) struct Gathering {
    server: ServerId,
    asked: Asked,
    token: Token,
    /// The place of each user in the request: the words are in its order.
    places: BTreeMap<Extension, usize>,
    words: Vec<Renewed>,
    /// How many owners have not spoken yet.
    open: usize,
}

impl Node {
    /// Gives each owner its part.
    pub(super) fn gather(
        &mut self,
        now: Now,
        server: ServerId,
        asked: &Asked,
        token: &Token,
        site: &SiteName,
        logins: Vec<Renewal>,
    ) {
        if self.gatherings.len() >= MOST {
            return self.refuse_site(now, server, asked, token, &Rejection::new(Status::SERVICE_UNAVAILABLE));
        }
        let places = logins.iter().enumerate().map(|(place, login)| (login.extension.clone(), place)).collect();
        let mut parts: BTreeMap<ShardId, Vec<Renewal>> = BTreeMap::new();
        for login in logins {
            parts.entry(self.commons.owners.of_user(login.extension.as_str())).or_default().push(login);
        }
        let key = self.next_key();
        let (asked, token) = (asked.clone(), token.clone());
        self.gatherings.insert(key, Gathering { server, asked, token, places, words: Vec::new(), open: parts.len() });
        self.timers.arm(&Timer::Gathering(key), now.instant + PATIENCE);
        let back = self.shard;
        for (owner, logins) in parts {
            self.hand_over(now, owner, Parcel::Renewals { site: site.clone(), logins, back, key });
        }
    }

    /// As the owner: the words go back once they are true.
    pub(super) fn hear_part(&mut self, now: Now, site: &SiteName, logins: &[Renewal], back: ShardId, key: Key) {
        let (words, steps) = self.hear_renewals(now, site, logins);
        let part = Some(Part { to: back, key, words });
        self.take_steps(now, steps, Then { part, ..Then::default() });
    }

    /// An owner has spoken; behind the last one the answer goes out.
    pub(super) fn part_heard(&mut self, now: Now, key: Key, heard: Heard) {
        let Some(gathering) = self.gatherings.of(key) else { return };
        gathering.words.extend(heard.0);
        gathering.open = gathering.open.saturating_sub(1);
        if gathering.open == 0 {
            self.end_gathering(now, key);
        }
    }

    /// Answers with what there is.
    pub(super) fn end_gathering(&mut self, now: Now, key: Key) {
        let Some(Gathering { server, asked, token, places, mut words, .. }) = self.gatherings.remove(key) else {
            return;
        };
        words.sort_by_key(|word| places.get(&word.extension));
        let answer = RenewAnswer::fitting(words);
        self.answer_site(now, server, &asked, &token, Status::OK, None, Some(&messages::encode(&answer)));
    }
}
