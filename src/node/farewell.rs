//! REGISTERs that bind nothing, for users of other sites who are not logged in here: un-REGISTERs and queries (SPEC 5.2, 5.5).
//!
//! There is nothing to end here, and nothing to list but what is in limbo. Whether the digest is right only home can say, and who is
//! answered 200 believes that it is: so home is asked, and of a phone that takes itself out it learns that it is kept out no more.
//!
//! ```text
//! an un-REGISTER or query ─ say_farewell ─► home ─┬─ the digest is wrong: 401
//!                                                 ├─ it is right: 200
//!                                                 └─ no answer: 200, and the phone is kept out until it tries again
//! ```

use super::Node;
use super::asking::What;
use super::tasks::{Asked, Key, ServerTask};
use crate::ids::{Extension, LoginId, SiteName};
use crate::link::messages::{self, LoginRequest, Terms};
use crate::link::{Claims, Purpose};
use crate::location::{Binding, Record, Visitor, forgive, is_phone};
use crate::registrar::{Update, answer};
use crate::rejection::Rejection;
use crate::sip::{Name, Reply, Status};
use crate::timing::Now;
use crate::transaction::ServerId;

/// Most that wait for a home site's word, and most of one source: nobody has proven anything yet.
const WAITING: usize = 256;
const WAITING_FROM_ONE: usize = 64;
/// Most that wait for one home: one that says nothing leaves room for the others.
const WAITING_AT_ONE: usize = 128;

/// One that waits.
#[derive(Debug)]
pub(super) struct Farewell {
    asked: Asked,
    /// Its transaction, if it has waited behind a login; else it has none until home has spoken, as nobody has proven anything.
    server: Option<ServerId>,
    user: Extension,
    home: SiteName,
    update: Update,
}

impl Node {
    /// Whether home is being asked about that very REGISTER: this is a copy.
    pub(super) fn is_farewell(&self, asked: &Asked) -> bool {
        let via = asked.request.via().raw();
        self.farewells.values().any(|other| other.asked.request.via().raw() == via)
    }

    /// A REGISTER over a fresh nonce of ours that binds nothing.
    pub(super) fn hear_farewell(&mut self, now: Now, asked: Asked, user: &Extension, home: &SiteName, update: Update) {
        if self.links.is_down(home) {
            return self.accept_farewell(now, None, &asked, user, &update);
        }
        let source = asked.source.remote.ip();
        let count = |counts: &dyn Fn(&Farewell) -> bool| self.farewells.values().filter(|other| counts(other)).count();
        if self.farewells.len() >= WAITING
            || count(&|other| other.asked.source.remote.ip() == source) >= WAITING_FROM_ONE
            || count(&|other| other.home == *home) >= WAITING_AT_ONE
        {
            return self.refuse_statelessly(&asked, &Rejection::busy());
        }
        self.say_farewell(now, asked, None, user, home, update);
    }

    /// Asks home.
    pub(super) fn say_farewell(
        &mut self,
        now: Now,
        asked: Asked,
        server: Option<ServerId>,
        user: &Extension,
        home: &SiteName,
        update: Update,
    ) {
        let id = LoginId(self.entropy.bytes());
        // On no terms home looks at the digest, and takes no login.
        let request = self.login_request(now, &asked, user, id, &update, Terms::default());
        let body = messages::encode(&LoginRequest { leaves: update.leaves(), ..request });
        let key = self.next_key();
        self.farewells.insert(key, Farewell { asked, server, user: user.clone(), home: home.clone(), update });
        self.ask_site(now, home, Claims::of(Purpose::Login), Some(user), body, What::Farewell(key));
    }

    /// Home has spoken; `None`: it can't be reached.
    pub(super) fn farewell_answered(&mut self, now: Now, key: Key, status: Option<Status>) {
        let Some(Farewell { asked, mut server, user, update, .. }) = self.farewells.remove(&key) else { return };
        let source = asked.source.remote.ip();
        match status {
            Some(Status::UNAUTHORIZED) => {
                self.commons.lockout.with(|lockout| lockout.note_wrong(now.instant, user.as_str(), source));
                let challenge = self.challenge(now, &Name::Authorization, false);
                return match server {
                    Some(server) => self.refuse(now, server, &asked, &challenge),
                    None => self.refuse_statelessly(&asked, &challenge),
                };
            }
            Some(status) if status.is_success() => {
                server = server.or_else(|| self.begin_proven(now, &asked));
                self.spend_digest(now, &asked, &Name::Authorization);
                self.lost_phone_leaves(now, &user, is_phone(&update.device()));
            }
            Some(Status::FORBIDDEN) => {
                server = server.or_else(|| self.begin_proven(now, &asked));
                self.spend_digest(now, &asked, &Name::Authorization);
            }
            Some(_) | None => {}
        }
        self.accept_farewell(now, server, &asked, &user, &update);
    }

    /// Its digest is spent, so that a copy which comes later would be refused: the phone is proven, and has a transaction that answers it.
    fn begin_proven(&mut self, now: Now, asked: &Asked) -> Option<ServerId> {
        let has_room = self.transactions.has_plenty();
        let begun = has_room
            .then(|| self.transactions.begin_server(now.instant, &asked.request, asked.reply_to, ServerTask::Own));
        begun?.ok()
    }

    fn accept_farewell(
        &mut self,
        now: Now,
        server: Option<ServerId>,
        asked: &Asked,
        user: &Extension,
        update: &Update,
    ) {
        if let Some(server) = server {
            let listed = self.listed_of(now, asked, user, update);
            let then = self.accepted(now, server, asked, &listed, update);
            return match self.forgiven_visitor(user, update) {
                Some(next) => {
                    self.change(now, user, Some(Record::Visitor(next)), then);
                    self.lost_phone_leaves(now, user, is_phone(&update.device()));
                }
                None => self.confirm(now, user, then),
            };
        }
        let (tag, listed) = (self.stateless_tag(asked.request.via().raw()), self.listed_of(now, asked, user, update));
        let reply = Reply::to(&asked.request, Status::OK).stamped(asked.stamp.received, asked.stamp.rport);
        let bytes = answer(reply.to_tag(&tag), &listed, &[], &mut self.date, now).write();
        self.send(asked.reply_to, bytes);
    }

    /// A visitor here who has lost that phone, which takes itself out: it is kept out no more.
    fn forgiven_visitor(&self, user: &Extension, update: &Update) -> Option<Visitor> {
        let view = self.location.view(user.as_str());
        let mut next = view.as_deref().and_then(Record::visitor).filter(|_| update.leaves())?.clone();
        let before = next.displaced.len();
        forgive(&mut next.displaced, &update.device());
        (next.displaced.len() < before).then_some(next)
    }

    /// What a query is told: what is in limbo, and nobody but who put it there learns of it.
    fn listed_of(&self, now: Now, asked: &Asked, user: &Extension, update: &Update) -> Vec<Binding> {
        if update.leaves() { Vec::new() } else { self.in_limbo_from(now, asked, user) }
    }
}
