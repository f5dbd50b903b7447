//! Requests of our own to other sites: logins, renewals, notices, probes (SPEC 5, 8.1, 11).

use std::time::{Duration, Instant};

use super::Node;
use super::branches::Resent;
use super::changing::Changing;
use super::convert::{device_told, forced};
use super::handover::{FIRST, Parcel};
use super::tasks::{ClientTask, Key, Timer};
use super::upkeep::Renewing;
use crate::event::Event;
use crate::hot_desk;
use crate::ids::{Extension, LoginId, LoginNumber, SiteName};
use crate::link::messages::{self, Displaced, Gone, LogoutRequest, Refusal, SettingsNotice};
use crate::link::{
    Answer, Bound, CONTENT_TYPE, Cause, Change, Claims, Clock, Peer, Proven, Purpose, Receipt, open_answer,
    seal_request,
};
use crate::location::{Ending, Record};
use crate::proxy::{Input, branch_with};
use crate::sip::{Draft, Method, Name, Response, Status};
use crate::timing::Now;
use crate::transaction::ClientId;

/// A non-INVITE request to another site has so long to its final response (SPEC 8.1).
pub(super) const FINAL: Duration = Duration::from_secs(4);
/// A notice that was not answered is sent again after so long, at first; doubled each time up to [`SLOWEST`].
const AGAIN: Duration = Duration::from_secs(2);
const SLOWEST: Duration = Duration::from_secs(30);
/// Most phones that are named to be kept out: home keeps no more of a user.
const TOLD: usize = 16;
/// What keeps phones out is told for as long as home would keep them out.
const KEPT_OUT: Duration = Duration::from_secs(86_400);
/// Most notices waiting for an answer; one more is not sent, and the lease tells the other site in the end.
const NOTICES: usize = 10_000;

/// Why we ask.
#[derive(Clone, Debug)]
pub(super) enum What {
    /// A visitor's login, for the REGISTER that waits.
    Login(Extension),
    /// Whether a digest is right, for the REGISTER that binds nothing and waits; the phone may take itself out.
    Farewell(Key),
    /// Whether a digest is right, and whether its phone is still kept out, for the request that waits.
    Lost(Key),
    /// A user's login by dialling, for the phone that waits.
    DialledLogin(Key),
    /// Leases of these visitors.
    Renew(Renewing),
    /// A notice that is sent until it is answered.
    Notice(Key),
    /// Whether a digest is right, for the call for help that waits.
    Help(Key),
    /// A change of settings, for the call that waits.
    Change(Changing),
    /// Whether the site is there.
    Probe,
}

/// A request under way.
#[derive(Debug)]
pub(super) struct LinkTask {
    site: SiteName,
    claims: Claims,
    to: Option<Extension>,
    body: Vec<u8>,
    what: What,
    receipt: Option<Receipt>,
    client: Option<ClientId>,
    /// Sent again with the boot id that the site named.
    again: bool,
}

/// Something that another site is told until it answers.
#[derive(Clone, Debug)]
pub(super) struct Notice {
    pub site: SiteName,
    pub purpose: Purpose,
    pub extension: Extension,
    pub body: Vec<u8>,
    /// How a visit here ended, of which home is told: by its number, so that a later one is not meant.
    pub ending: Option<Ending>,
}

/// A notice on its way.
#[derive(Debug)]
pub(super) struct Sending {
    notice: Notice,
    wait: Duration,
    until: Instant,
}

impl Notice {
    /// Home tells a site that its visitor is gone (SPEC 5.5).
    pub(super) fn displace(extension: &Extension, notice: hot_desk::Notice) -> Self {
        let hot_desk::Notice::Displace { site, ended, login, now_at } = notice;
        let gone = Gone { site: Some(now_at), newest: login };
        let body = messages::encode(&Displaced { extension: extension.clone(), login: ended, gone });
        Self { site, purpose: Purpose::Displaced, extension: extension.clone(), body, ending: None }
    }

    /// Home tells a site that its visitor is no user any more (SPEC 5.11).
    pub(super) fn remove(extension: &Extension, site: &SiteName, ended: LoginNumber) -> Self {
        let gone = Gone { site: None, newest: LoginNumber(ended.0.saturating_add(1)) };
        let body = messages::encode(&Displaced { extension: extension.clone(), login: ended, gone });
        Self { site: site.clone(), purpose: Purpose::Displaced, extension: extension.clone(), body, ending: None }
    }

    /// Home tells a site what has changed of its visitor (SPEC 5.11).
    pub(super) fn settings(site: &SiteName, notice: &SettingsNotice) -> Self {
        let (extension, body) = (notice.extension.clone(), messages::encode(notice));
        Self { site: site.clone(), purpose: Purpose::Settings, extension, body, ending: None }
    }

    /// A site tells home that a login has ended (SPEC 5.7).
    pub(super) fn logout(extension: &Extension, logout: &hot_desk::Logout) -> Self {
        Self::visit_ended(extension, logout, Ending::Left)
    }

    /// A site tells home how a login has ended.
    pub(super) fn visit_ended(extension: &Extension, logout: &hot_desk::Logout, ending: Ending) -> Self {
        let request = LogoutRequest::of(extension, logout.id, Some(logout.login));
        let request = match ending {
            Ending::Left => request,
            Ending::ByHand => LogoutRequest { by_hand: true, ..request },
            Ending::Forced(why) => forced(request, why),
        };
        let kept_out = logout.devices.iter().take(TOLD).filter(|_| ending.keeps_out());
        let request = LogoutRequest { devices: kept_out.map(device_told).collect(), ..request };
        Self { ending: Some(ending), ..Self::ended(extension, &logout.home, request) }
    }

    /// Until the other site knows of it, phones of that login are not let in, and it is told for as long as it would keep them out.
    pub(super) fn keeps_out(&self) -> bool {
        self.ending.is_some_and(Ending::keeps_out)
    }

    /// A site undoes a login whose answer never came (SPEC 5.2).
    pub(super) fn undo(extension: &Extension, home: &SiteName, login_id: LoginId) -> Self {
        Self::ended(extension, home, LogoutRequest::of(extension, login_id, None))
    }

    fn ended(extension: &Extension, home: &SiteName, request: LogoutRequest) -> Self {
        let body = messages::encode(&request);
        Self { site: home.clone(), purpose: Purpose::Logout, extension: extension.clone(), body, ending: None }
    }
}

impl Node {
    /// Asks another site; what comes of it is heard in [`link_answered`](Self::link_answered) or `link_failed`.
    pub(super) fn ask_site(
        &mut self,
        now: Now,
        site: &SiteName,
        claims: Claims,
        to: Option<&Extension>,
        body: Vec<u8>,
        what: What,
    ) {
        let key = self.next_key();
        let task = LinkTask {
            site: site.clone(),
            claims,
            to: to.cloned(),
            body,
            what,
            receipt: None,
            client: None,
            again: false,
        };
        self.send_link(now, key, task);
    }

    fn send_link(&mut self, now: Now, key: Key, mut task: LinkTask) {
        let Some(entry) = self.config.network.site(task.site.as_str()).cloned() else {
            return self.fail_link(now, task);
        };
        let flow = self.flow_to(entry.address);
        let method = if task.claims.purpose == Purpose::Probe { Method::OPTIONS } else { Method::MESSAGE };
        let uri = match &task.to {
            Some(user) => format!("sip:{}@{}", crate::proxy::escaped_user(user.as_str()), entry.domain),
            None => format!("sip:{}", entry.domain),
        };
        let (hash, tag) = (self.entropy.next_u64(), self.entropy.token());
        let branch = branch_with(self.shard, &mut self.entropy, hash);
        let call_id = format!("{}@{}", self.entropy.token(), self.entry().domain);
        let bound = Bound {
            method: method.as_str().as_bytes(),
            call_id: call_id.as_bytes(),
            cseq: 1,
            request_uri: uri.as_bytes(),
            branch: branch.as_bytes(),
        };
        let Some(minted) = self.links.mint(now, &task.site, &task.claims, &bound) else {
            return self.fail_link(now, task);
        };
        task.receipt = Some(minted.receipt);
        let out = self.listen[usize::from(flow.socket.0)];
        let mut draft = Draft::request(&method, &uri)
            .header(&Name::Via, format!("SIP/2.0/UDP {out};branch={branch}"))
            .header(&Name::MaxForwards, "70")
            .header(&Name::From, format!("<sip:{}>;tag={tag}", self.entry().domain))
            .header(&Name::To, format!("<{uri}>"))
            .header(&Name::CallId, &call_id)
            .header(&Name::CSeq, format!("1 {method}"))
            .header(&Name::HotdeskLink, &minted.text);
        if !task.body.is_empty() {
            let Some(keys) = self.links.pair_of(&task.site) else { return self.fail_link(now, task) };
            let sealed = seal_request(keys, &minted.receipt, &task.body, &mut self.entropy);
            draft = draft.body(CONTENT_TYPE, sealed);
        }
        let bytes = draft.write();
        let client = ClientTask::Link(key);
        let begun = self.transactions.begin_client(now.instant, &method, branch.as_bytes(), bytes, flow, client);
        // A table that is full is like a site that does not answer.
        let wait = if begun.is_ok() { FINAL } else { Duration::ZERO };
        task.client = begun.ok();
        self.link_tasks.insert(key, task);
        self.timers.arm(&Timer::Link(key), now.instant + wait);
    }

    /// A site answered a request of ours.
    pub(super) fn link_answered(&mut self, now: Now, key: Key, response: &Response) {
        if !response.status().is_final() {
            return;
        }
        let Some(task) = self.link_tasks.remove(key) else { return };
        let Some(receipt) = task.receipt else { return };
        let Some(proven) = self.proven(now, &task.site, &receipt, response) else {
            // SPEC 11.2: an unproven answer changes nothing.
            return self.fail_link(now, task);
        };
        if proven.answer.cause == Some(Cause::OtherBoot) && !task.again {
            let key = self.next_key();
            return self.send_link(now, key, LinkTask { again: true, ..task });
        }
        let keys = self.links.pair_of(&task.site);
        let body = keys
            .filter(|_| proven.covers_body)
            .and_then(|keys| open_answer(keys, &receipt, response.status().0, &response.body()).ok());
        match task.what {
            // SPEC 11.4: the person at the phone is told by how much.
            What::Login(extension) if proven.answer.cause == Some(Cause::Clock) => {
                let apart = now.wall.0.abs_diff(proven.answer.clock.0) / 1000;
                let text = format!("the clock of {} differs by {apart} s", task.site);
                let refusal = messages::encode(&Refusal { status: Status::SERVER_TIMEOUT.0, text, displaced: false });
                self.login_answered(now, &extension, response.status(), Some(&refusal));
            }
            What::Login(extension) => self.login_answered(now, &extension, response.status(), body.as_deref()),
            What::Farewell(key) => self.farewell_answered(now, key, Some(response.status())),
            What::Lost(key) => self.lost_judged(now, key, response.status(), body.as_deref()),
            What::DialledLogin(key) => self.dialled_login_answered(now, key, response.status(), body.as_deref()),
            What::Renew(asked) => self.renewals_answered(now, &task.site, &asked, body.as_deref()),
            What::Change(changing) => {
                self.change_answered(now, changing, &task.site, response.status(), body.as_deref())
            }
            What::Notice(notice) if response.status().is_success() => self.notice_over(notice),
            What::Notice(notice) => self.notice_failed(now, notice),
            What::Help(help) => self.help_judged(now, help, response.status()),
            What::Probe => {}
        }
    }

    /// The proof of an answer; what it says of the other site is noted.
    pub(super) fn proven(
        &mut self,
        now: Now,
        site: &SiteName,
        receipt: &Receipt,
        response: &Response,
    ) -> Option<Proven> {
        let text = response.header(&Name::HotdeskLink)?.value().into_owned();
        let keys = self.links.pair_of(site)?;
        let proven = Answer::check(keys, receipt, response.status().0, &text, &response.body()).ok()?;
        self.note_site(now, site, |peer| peer.note_answer(now, receipt, &proven));
        self.say_changes(site);
        Some(proven)
    }

    /// A request of ours was not answered in time.
    pub(super) fn link_failed(&mut self, now: Now, key: Key) {
        let Some(task) = self.link_tasks.remove(key) else { return };
        // It is not repeated any more: what is taken late would surprise everybody.
        if let Some(client) = task.client {
            self.transactions.abandon(client);
        }
        if !matches!(task.what, What::Probe) {
            self.note_silence(now, &task.site);
        }
        self.fail_link(now, task);
    }

    fn fail_link(&mut self, now: Now, task: LinkTask) {
        match task.what {
            What::Login(extension) => self.login_failed(now, &extension, &task.site),
            What::Farewell(key) => self.farewell_answered(now, key, None),
            What::Lost(key) => self.lost_unjudged(key),
            What::DialledLogin(key) => self.dialled_login_failed(now, key, &task.site),
            What::Renew(_) => self.renewals_failed(now, &task.site),
            What::Change(changing) => self.change_failed(now, changing, &task.site),
            What::Notice(notice) => self.notice_failed(now, notice),
            What::Help(help) => self.help_failed(now, help),
            What::Probe => {}
        }
    }

    /// Tells another site something until it answers, for as long as a login can last there without us.
    pub(super) fn notify(&mut self, now: Now, notice: Notice) {
        if self.notices.len() >= NOTICES {
            return;
        }
        let key = self.next_key();
        let lasts = self.config.site.hot_desk.lease.max(Duration::from_secs(120)) * 2;
        let until = now.instant + if notice.keeps_out() { KEPT_OUT } else { lasts };
        self.notices.insert(key, Sending { notice, wait: AGAIN, until });
        self.send_notice(now, key);
    }

    /// What other sites are being told, and whether it has failed once.
    pub(super) fn notices(&self) -> impl Iterator<Item = (&Notice, bool)> {
        self.notices.values().map(|sending| (&sending.notice, sending.wait > AGAIN))
    }

    pub(super) fn send_notice(&mut self, now: Now, key: Key) {
        let Some(sending) = self.notices.get(&key) else { return };
        let notice = sending.notice.clone();
        // For a day nobody is asked who is known not to be there.
        if notice.keeps_out() && self.links.is_down(&notice.site) {
            return self.notice_failed(now, key);
        }
        let claims = Claims::of(notice.purpose);
        self.ask_site(now, &notice.site, claims, Some(&notice.extension), notice.body, What::Notice(key));
    }

    fn notice_failed(&mut self, now: Now, key: Key) {
        let Some(sending) = self.notices.get_mut(&key) else { return };
        if now.instant >= sending.until {
            return self.notice_over(key);
        }
        let at = now.instant + sending.wait;
        sending.wait = (sending.wait * 2).min(SLOWEST);
        self.timers.arm(&Timer::Notice(key), at);
    }

    /// The other site has heard it, or will not: what was kept for that is kept no more.
    fn notice_over(&mut self, key: Key) {
        let Some(Sending { notice, .. }) = self.notices.remove(&key) else { return };
        let is_told_still = |other: &Notice| other.ending.is_some() && other.extension == notice.extension;
        let others = self.notices().any(|(other, _)| is_told_still(other));
        if notice.ending.is_some() && !others && !self.returning.contains_key(&notice.extension) {
            self.ledger.forget(&self.location, &notice.extension);
        }
    }

    /// What the store keeps of a visit that ends, until home has heard of it (SPEC 5.7): a crash must not let a phone in again that is
    /// kept out, nor leave home in the belief that the user is here.
    pub(super) fn owed(&self, now: Now, extension: &Extension, notices: &[Notice]) -> Option<Record> {
        let ending = notices.iter().find(|notice| notice.extension == *extension)?.ending?;
        let view = self.location.view(extension.as_str());
        let visitor = view.as_deref().and_then(Record::visitor).or_else(|| self.returning.get(extension))?;
        Some(Record::Visitor(hot_desk::ended(visitor, ending, now.wall)))
    }

    /// A request to the site met no response at all (SPEC 8.1).
    pub(super) fn note_silence(&mut self, now: Now, site: &SiteName) {
        self.note_site(now, site, |peer| peer.note_silence(now.instant));
    }

    /// Notes what was heard of a site; the first shard is told if it is to look sooner.
    fn note_site(&mut self, now: Now, site: &SiteName, change: impl FnOnce(&mut Peer)) {
        if self.links.note(site, change) && self.shard != FIRST {
            self.hand_over(now, FIRST, Parcel::Links);
        }
    }

    /// When the first shard is to look at the sites; the others need not.
    pub(super) fn next_look_at_sites(&self) -> Option<Instant> {
        self.links.poll_timeout().filter(|_| self.shard == FIRST)
    }

    /// Probes the sites that have been quiet, and says who has gone or come back.
    pub(super) fn look_at_sites(&mut self, now: Now) {
        if self.next_look_at_sites().is_none_or(|at| at > now.instant) {
            return;
        }
        for site in self.links.sites() {
            let probes = self.links.with_peer(&site, |peer| {
                peer.handle_timeout(now.instant);
                peer.wants_probe(now.instant)
            });
            self.say_changes(&site);
            if probes == Some(true) {
                self.ask_site(now, &site, Claims::of(Purpose::Probe), None, Vec::new(), What::Probe);
            }
        }
    }

    fn say_changes(&mut self, site: &SiteName) {
        while let Some(change) = self.links.with_peer(site, |peer| peer.poll_change()).flatten() {
            let site = site.clone();
            match change {
                Change::Up => self.say(Event::SiteUp { site }),
                Change::Down => self.say(Event::SiteDown { site }),
                Change::Clock(Clock::Apart(by) | Clock::Far(by)) => {
                    self.say(Event::ClockDiffers { site, by: Duration::from_millis(by.unsigned_abs()) });
                }
                Change::Network(hash) if !self.links.agrees(hash) => self.say(Event::NetworkDiffers { site }),
                Change::Clock(Clock::Near(_)) | Change::Restarted(_) | Change::Network(_) => {}
            }
        }
    }

    /// A branch to another site was answered by the site itself: 412 names its boot, and the branch is sent again once (SPEC 11.1).
    pub(super) fn site_answered(&mut self, now: Now, key: Key, branch: usize, response: &Response) -> bool {
        if response.status() != Status::CONDITIONAL_REQUEST_FAILED {
            return false;
        }
        let Some(leg) = self.calls.of(key).and_then(|call| call.clients.get(branch)?.site.clone()) else {
            return false;
        };
        let crate::proxy::Kind::Site(site, _) = &leg.target.kind else { return false };
        let Some(proven) = self.proven(now, site, &leg.receipt, response) else { return false };
        if proven.answer.cause != Some(Cause::OtherBoot) || leg.again {
            return false;
        }
        if self.calls.of(key).is_some_and(|call| call.context.is_wanted(branch)) {
            self.send_branch_anew(now, key, branch, &leg.target, Resent::ForBoot);
        } else {
            // Cancelled, or given up: that is how it ends.
            let ended =
                Input::Failure { status: Status::REQUEST_TERMINATED, bytes: None, cause: None, not_here: false };
            self.judge(now, key, branch, ended, None);
        }
        true
    }

    /// Whether the other site proves that the request is not for it: the user is not there (SPEC 9.2; then home ends that login), or
    /// the number behind a Break Out prefix is one for emergencies (SPEC 6.7; then it is dialled where the phone stands).
    pub(super) fn hands_back(&mut self, now: Now, key: Key, branch: usize, response: &Response) -> bool {
        let Some(leg) = self.calls.of(key).and_then(|call| call.clients.get(branch)?.site.clone()) else {
            return false;
        };
        let crate::proxy::Kind::Site(site, claims) = &leg.target.kind else { return false };
        let Some(proven) = self.proven(now, site, &leg.receipt, response) else { return false };
        let Some(number) = leg.number() else { return false };
        match (proven.answer.cause, claims.purpose) {
            (Some(Cause::NotHere), Purpose::Deliver) => {
                claims.login.into_iter().for_each(|login| self.not_there(now, &number, site, login));
                true
            }
            (Some(Cause::EmergencyAtOrigin), Purpose::BreakOut) => self.help_at_origin(now, key, &number),
            (_, _) => false,
        }
    }
}
