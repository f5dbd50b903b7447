//! Requests of other sites, by the claims of their token (SPEC 11.1): the door, and answers with proof.

use super::Node;
use super::tasks::{Asked, ServerTask, Then, Waiting};
use crate::event::Event;
use crate::link::messages::{self, Refusal};
use crate::link::{CONTENT_TYPE, Cause, Purpose, Refused, Token, open_request, seal_answer};
use crate::rejection::Rejection;
use crate::sip::{Name, Status};
use crate::timing::Now;
use crate::transaction::ServerId;

/// SPEC 13: storage failed.
const UNSTORED: Status = Status::SERVER_INTERNAL_ERROR;

impl Node {
    /// Judges a token. `None`: the request is like any other from an unknown source (SPEC 11.3). `Err`: it has been answered.
    pub(super) fn vouched(&mut self, now: Now, asked: &Asked) -> Option<Result<Token, ()>> {
        match self.links.admit(now, asked)? {
            Ok(token) => Some(Ok(token)),
            Err(refused) => {
                let why = format!("link token refused: {refused}");
                self.say(Event::Dropped { source: asked.source.remote, why: why.into() });
                let told = self.note_mistrust(now, asked, &refused);
                told.into_iter().for_each(|told| self.say(told));
                let cause = match &refused {
                    Refused::OtherBoot(_) => Cause::OtherBoot,
                    Refused::Stale(_) => Cause::Clock,
                    // A copy of what was answered once deserves no answer.
                    Refused::Replay(_) => return Some(Err(())),
                    _ => return None,
                };
                let token = refused.proven()?.clone();
                if let Some(server) = self.begin(now, asked, ServerTask::Own) {
                    let status = Status::CONDITIONAL_REQUEST_FAILED;
                    self.answer_site(now, server, asked, &token, status, Some(cause), None);
                }
                Some(Err(()))
            }
        }
    }

    /// A request in a site's name that does not prove it may be the site's own, with another secret: an operator is told, and nobody
    /// else, as anybody can send one.
    fn note_mistrust(&self, now: Now, asked: &Asked, refused: &Refused) -> Option<Event> {
        let (number, why) = refused.mistrusts()?;
        let site = self.links.name(number)?.clone();
        let tells = self.links.with_peer(&site, |peer| peer.note_mistrust(now.instant, why))?;
        tells.then_some(Event::SiteNotBelieved { site, source: asked.source.remote, why })
    }

    /// A request that another site vouches for.
    pub(super) fn site_asks(&mut self, now: Now, asked: Asked, token: Token) {
        let Some(site) = self.links.name(token.envelope.from).cloned() else { return };
        match token.claims.purpose {
            Purpose::Deliver | Purpose::Extension | Purpose::BreakOut | Purpose::Forward => {
                self.site_calls(now, asked, &token, &site)
            }
            Purpose::Probe => self.plain_answer(now, &asked, &token, Status::OK),
            Purpose::Login => self.hear_body(now, asked, token, |node, now, server, asked, token, request| {
                node.take_login(now, server, asked, token, &site, &request)
            }),
            Purpose::Renew => self.hear_body(now, asked, token, |node, now, server, asked, token, request| {
                node.take_renewals(now, server, asked, token, &site, &request)
            }),
            Purpose::Logout => self.hear_body(now, asked, token, |node, now, server, asked, token, request| {
                node.take_logout(now, server, asked, token, &site, &request)
            }),
            Purpose::Displaced => self.hear_body(now, asked, token, |node, now, server, asked, token, request| {
                node.take_displacement(now, server, asked, token, &site, &request)
            }),
            Purpose::Settings if self.is_for_own_user(&asked) => {
                self.hear_body(now, asked, token, |node, now, server, asked, token, request| {
                    node.take_change(now, server, asked, token, &site, &request)
                })
            }
            Purpose::Settings => self.hear_body(now, asked, token, |node, now, server, asked, token, request| {
                node.take_settings(now, server, asked, token, &site, &request)
            }),
            // Of a later release: the asking site is told so, with proof.
            Purpose::Other(_) => {
                self.plain_answer(now, &asked, &token, Status::NOT_IMPLEMENTED);
            }
        }
    }

    /// Whether the request is to a user whose home this is: the token binds the Request-URI.
    fn is_for_own_user(&self, asked: &Asked) -> bool {
        asked.request.uri().user().is_some_and(|user| self.owns(&user))
    }

    fn plain_answer(&mut self, now: Now, asked: &Asked, token: &Token, status: Status) {
        if let Some(server) = self.begin(now, asked, ServerTask::Own) {
            self.answer_site(now, server, asked, token, status, None, None);
        }
    }

    /// Opens the sealed body of a request that changes something.
    fn hear_body<T: serde::de::DeserializeOwned>(
        &mut self,
        now: Now,
        asked: Asked,
        token: Token,
        hear: impl FnOnce(&mut Self, Now, ServerId, &Asked, &Token, T),
    ) {
        let Some(server) = self.begin(now, &asked, ServerTask::Own) else { return };
        let keys = self.links.pair(token.envelope.from);
        let body = keys.and_then(|keys| open_request(keys, &token.receipt, &asked.request.body()).ok());
        match body.and_then(|body| messages::decode(&body).ok()) {
            Some(request) => hear(self, now, server, &asked, &token, request),
            None => self.answer_site(now, server, &asked, &token, Status::BAD_REQUEST, None, None),
        }
    }

    /// Answers another site with proof, and seals what it is told.
    #[expect(clippy::too_many_arguments, reason = "an answer has so many parts, and this is where they meet")]
    pub(super) fn answer_site(
        &mut self,
        now: Now,
        server: ServerId,
        asked: &Asked,
        token: &Token,
        status: Status,
        cause: Option<Cause>,
        body: Option<&[u8]>,
    ) {
        let bytes = self.site_answer(now, asked, token, status, cause, body);
        self.transactions.respond(now.instant, server, status, bytes);
    }

    pub(super) fn site_answer(
        &mut self,
        now: Now,
        asked: &Asked,
        token: &Token,
        status: Status,
        cause: Option<Cause>,
        body: Option<&[u8]>,
    ) -> bytes::Bytes {
        let from = token.envelope.from;
        let sealed = match (body, self.links.pair(from)) {
            (Some(body), Some(keys)) => Some(seal_answer(keys, &token.receipt, status.0, body, &mut self.entropy)),
            (Some(_) | None, _) => None,
        };
        let proof = self.links.prove(now, token, status.0, cause, sealed.as_deref());
        let mut reply = self.reply(asked, status);
        if let Some(proof) = proof {
            reply = reply.header(&Name::HotdeskLink, proof);
        }
        if let Some(sealed) = sealed {
            reply = reply.body(CONTENT_TYPE, sealed);
        }
        reply.write()
    }

    /// What waits for a step, with an answer to a site in it.
    pub(super) fn site_then(
        &mut self,
        now: Now,
        server: ServerId,
        asked: &Asked,
        token: &Token,
        body: Option<&[u8]>,
    ) -> Then {
        let bytes = self.site_answer(now, asked, token, Status::OK, None, body);
        let refusal =
            Refusal { status: UNSTORED.0, text: "the change could not be stored".to_owned(), displaced: false };
        let otherwise = self.site_answer(now, asked, token, UNSTORED, None, Some(&messages::encode(&refusal)));
        let otherwise = Some(otherwise);
        let answer = Waiting { server, asked: asked.clone(), status: Status::OK, bytes, otherwise };
        Then { answer: Some(answer), ..Then::default() }
    }

    pub(super) fn refuse_site(
        &mut self,
        now: Now,
        server: ServerId,
        asked: &Asked,
        token: &Token,
        rejection: &Rejection,
    ) {
        self.refuse_site_with(now, server, asked, token, &refusal_of(rejection));
    }

    /// The same with all that is said about it.
    pub(super) fn refuse_site_with(
        &mut self,
        now: Now,
        server: ServerId,
        asked: &Asked,
        token: &Token,
        refusal: &Refusal,
    ) {
        let body = messages::encode(refusal);
        self.answer_site(now, server, asked, token, Status(refusal.status), None, Some(&body));
    }
}

/// What another site is told of a refusal.
pub(super) fn refusal_of(rejection: &Rejection) -> Refusal {
    let text = rejection.warning.clone().or(rejection.reason.clone()).unwrap_or(rejection.status.reason().into());
    Refusal { status: rejection.status.0, text: text.into_owned(), displaced: false }
}
