//! One subscription to the `reg` event of its own user.
//!
//! ```text
//!             look ───────► the whole state is due            flush ─► NOTIFY ─► told() ─► flush …
//!  pending ◄─ observe ────► what changed is due                          one at a time: they must not overtake each other
//!             end ────────► the last NOTIFY, with the whole state, whatever is still under way
//! ```

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::dialog::Dialog;
use super::reg_info::{Change, RegInfo, contact_id};
use super::wanted::{CONTENT_TYPE, EVENT, Wanted};
use crate::ids::Extension;
use crate::location::{Binding, Device};
use crate::sip::{Method, Name, Request};
use crate::timing::Now;
use crate::transaction::ClientId;
use crate::transmit::Flow;

/// Most changes that wait to be told one by one; with more the whole state is told.
const PENDING: usize = 32;

/// Why a subscription ends (RFC 6665 §4.1.3). None of these makes a phone subscribe or register again at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Terminated {
    /// It ran out, or its phone ended it.
    Timeout,
    /// The phone lost its user: it should not subscribe again.
    Rejected,
    /// The user has left this site: there is nothing more to watch.
    NoResource,
    /// Another subscription of the same user took its place; it may be tried again after this.
    Probation(Duration),
}

impl Terminated {
    fn parameters(self) -> String {
        match self {
            Terminated::Timeout => "terminated;reason=timeout".to_owned(),
            Terminated::Rejected => "terminated;reason=rejected".to_owned(),
            Terminated::NoResource => "terminated;reason=noresource".to_owned(),
            Terminated::Probation(after) => format!("terminated;reason=probation;retry-after={}", after.as_secs()),
        }
    }
}

/// A phone that is told of its user's registrations.
#[derive(Clone, Debug)]
pub struct Subscription {
    /// The user.
    pub user: Extension,
    /// Where its NOTIFYs go.
    pub flow: Flow,
    /// When it runs out.
    pub expires_at: Instant,
    /// The NOTIFY that has no answer yet.
    pub under_way: Option<ClientId>,
    /// After a refusal that named a time: nothing is sent before.
    paused_until: Option<Instant>,
    dialog: Dialog,
    device: Device,
    id: Option<Bytes>,
    aor: String,
    /// The bindings as they are, or will be when all that is pending is told.
    seen: Vec<Binding>,
    /// What changed and was not told.
    pending: Vec<(Binding, Change)>,
    /// The next document says everything.
    whole: bool,
    version: u32,
}

impl Subscription {
    /// The subscription that a first SUBSCRIBE makes. `flow`: where its phone is reached; `our_tag`: that of To in the answer. `None`
    /// if the SUBSCRIBE has no Contact, which [`Wanted::read`] refuses.
    pub fn new(
        user: &Extension,
        request: &Request,
        wanted: &Wanted,
        flow: Flow,
        our_tag: String,
        now: Now,
    ) -> Option<Self> {
        let (target, device) = wanted.subscriber.clone()?;
        Some(Self {
            user: user.clone(),
            flow,
            expires_at: now.instant + Duration::from_secs(wanted.expires.into()),
            under_way: None,
            paused_until: None,
            dialog: Dialog::new(request, our_tag, target),
            device,
            id: wanted.id.clone(),
            aor: aor_of(request),
            seen: Vec::new(),
            pending: Vec::new(),
            whole: true,
            version: 0,
        })
    }

    /// What tells its dialog from others: Call-ID, our tag, theirs.
    pub fn dialog_id(&self) -> (Bytes, String, Bytes) {
        self.dialog.id()
    }

    /// RFC 3261 §12.2.2: whether a SUBSCRIBE inside is newer than the last; an older one is answered 500.
    pub fn hears(&mut self, cseq: u32) -> bool {
        self.dialog.hears(cseq)
    }

    /// Whether a SUBSCRIBE inside is for this subscription: one dialog has one (RFC 6665 §4.5.2).
    pub fn is_for(&self, wanted: &Wanted) -> bool {
        self.id == wanted.id
    }

    /// A SUBSCRIBE inside (RFC 6665 §4.2.1.2): it lasts longer, its phone may have moved, and everything is told once more.
    pub fn refresh(&mut self, wanted: &Wanted, flow: Flow, now: Now) {
        self.expires_at = now.instant + Duration::from_secs(wanted.expires.into());
        if let Some((target, device)) = &wanted.subscriber {
            (self.dialog.target, self.device, self.flow) = (target.clone(), device.clone(), flow);
        }
        (self.whole, self.paused_until) = (true, None);
    }

    /// Shows the bindings as they stand, without saying what became of those that are gone.
    pub fn look(&mut self, bindings: &[Binding], now: Now) {
        self.seen = bindings.iter().filter(|binding| binding.is_live(now.instant)).cloned().collect();
    }

    /// Shows the bindings after a change; `fate` says what became of one that is gone. Whether the subscriber's own phone was
    /// rejected.
    pub fn observe(&mut self, bindings: &[Binding], fate: impl Fn(&Binding) -> Change, now: Now) -> bool {
        let before = std::mem::take(&mut self.seen);
        self.look(bindings, now);
        let mut rejected = false;
        for old in &before {
            match self.seen.iter().find(|new| is_same(old, new)).cloned() {
                None => {
                    let change = if old.is_live(now.instant) { fate(old) } else { Change::Expired };
                    rejected |= change == Change::Rejected && self.is_at(old);
                    self.note(old.clone(), change);
                }
                Some(new) if new.expires_at < old.expires_at => self.note(new, Change::Shortened),
                Some(_) => {}
            }
        }
        for new in self.seen.clone() {
            if !before.iter().any(|old| is_same(old, &new)) {
                self.note(new, Change::Registered);
            }
        }
        rejected && !self.seen.iter().any(|binding| self.is_at(binding))
    }

    /// Whether the subscriber is the phone of that binding. A flow tells where NAT hides the rest, but not behind a proxy.
    fn is_at(&self, binding: &Binding) -> bool {
        let is_alone = binding.nat && binding.path.is_empty();
        self.device.is(&binding.device) || (is_alone && self.flow == binding.flow)
    }

    /// Of one contact only what happened last is told.
    fn note(&mut self, binding: Binding, change: Change) {
        let id = contact_id(&binding);
        self.pending.retain(|(pending, _)| contact_id(pending) != id);
        if self.pending.len() >= PENDING {
            self.pending.clear();
            self.whole = true;
        }
        self.pending.push((binding, change));
    }

    /// Whether there is something to tell, and nothing under way.
    pub fn is_due(&self, now: Instant) -> bool {
        let waits = self.under_way.is_some() || self.paused_until.is_some_and(|until| until > now);
        !waits && (self.whole || !self.pending.is_empty())
    }

    /// The phone wants nothing before that time: what it refused is told then, as the whole state.
    pub fn pause(&mut self, until: Instant) {
        (self.paused_until, self.whole) = (Some(until), true);
    }

    /// The NOTIFY of what is due (RFC 6665 §4.2.2). `via` and `contact` are the values of those headers.
    pub fn notify(&mut self, via: &str, contact: &str, now: Now) -> Bytes {
        let left = self.expires_at.saturating_duration_since(now.instant).as_millis().div_ceil(1000);
        self.write(via, contact, &format!("active;expires={left}"), now)
    }

    /// The last NOTIFY, with the whole state.
    pub fn last(&mut self, why: Terminated, via: &str, contact: &str, now: Now) -> Bytes {
        self.whole = true;
        self.write(via, contact, &why.parameters(), now)
    }

    fn write(&mut self, via: &str, contact: &str, state: &str, now: Now) -> Bytes {
        let body = self.document(now);
        self.version = self.version.wrapping_add(1);
        self.whole = false;
        self.pending.clear();
        let event = match &self.id {
            Some(id) => [EVENT.as_bytes(), b";id=", id].concat(),
            None => EVENT.as_bytes().to_vec(),
        };
        let draft = self.dialog.request(&Method::NOTIFY, via).header(&Name::Contact, contact);
        let draft = draft.header(&Name::Event, event).header(&Name::SubscriptionState, state);
        draft.body(CONTENT_TYPE, body).write()
    }

    fn document(&self, now: Now) -> String {
        let gone = self.pending.iter().any(|(_, change)| !change.is_active());
        let state = match (self.seen.is_empty(), gone) {
            (false, _) => "active",
            (true, true) => "terminated",
            (true, false) => "init",
        };
        let mut contacts: Vec<(&Binding, Change)> = Vec::new();
        if self.whole {
            contacts.extend(self.seen.iter().map(|binding| (binding, Change::Registered)));
        }
        let told = self.pending.iter().filter(|(_, change)| !(self.whole && change.is_active()));
        contacts.extend(told.map(|(binding, change)| (binding, *change)));
        let (aor, id) = (&self.aor, self.user.as_str());
        RegInfo { version: self.version, is_full: self.whole, aor, id, state, contacts }.write(now)
    }
}

/// RFC 3680 §5.3: another URI is another contact, though the binding goes on.
fn is_same(old: &Binding, new: &Binding) -> bool {
    old.serial == new.serial && old.uri.as_bytes() == new.uri.as_bytes()
}

/// The URI that was subscribed to, as the phone knows its account, without parameters.
fn aor_of(request: &Request) -> String {
    let uri = String::from_utf8_lossy(request.uri().as_bytes()).into_owned();
    let user = uri.find('@').unwrap_or(0);
    let end = uri[user..].find([';', '?']).map_or(uri.len(), |at| user + at);
    uri[..end].to_owned()
}

#[cfg(test)]
pub(super) mod fixtures {
    use super::*;
    use crate::settings::Limits;
    use crate::sip::{Packet, Uri, parse};
    use crate::timing::Wall;
    use crate::transmit::SocketId;

    /// Some time; the same at every call of a process.
    #[allow(clippy::disallowed_methods, reason = "any instant will do as the start")]
    pub fn now() -> Now {
        static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
        Now { instant: *START.get_or_init(Instant::now), wall: Wall(1_700_000_000_000) }
    }

    /// A SUBSCRIBE of 201 to itself with these parameters of To and these header lines.
    pub fn subscribe(to: &str, lines: &[&str]) -> Request {
        let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
        let text = format!(
            "SUBSCRIBE sip:201@london.example;x=1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bK1\r\n\
             From: <sip:201@london.example>;tag=theirs\r\nTo: <sip:201@london.example>{to}\r\nCall-ID: c\r\n\
             CSeq: 1 SUBSCRIBE\r\n{lines}\r\n"
        );
        match parse(Bytes::from(text), &Limits::default()) {
            Ok(Packet::Request(request)) => request,
            other => panic!("{other:?}"),
        }
    }

    /// A binding that runs out in 300 s, of a phone whose Call-ID is its serial.
    pub fn binding(serial: u64, uri: &str, params: &str) -> Binding {
        let now = now();
        let call_id = Bytes::from(format!("call-{serial}"));
        let device =
            Device { instance: None, call_id, host: Bytes::from(format!("127.0.0.1:{serial}")), rotates: false };
        Binding {
            serial,
            uri: Uri::parse(uri.to_owned()).expect("a URI"),
            params: Bytes::from(params.to_owned()),
            q: if params.contains(";q=0.5") { 500 } else { 1000 },
            reg_id: None,
            device,
            cseq: 1,
            expires_at: now.instant + Duration::from_secs(300),
            expires_wall: now.wall.plus(Duration::from_secs(300)),
            updated: now.wall,
            updated_at: now.instant,
            path: Vec::new(),
            flow: flow(serial as u16),
            nat: false,
        }
    }

    /// From that port.
    pub fn flow(port: u16) -> Flow {
        Flow { socket: SocketId(0), remote: ([127, 0, 0, 1], port).into() }
    }
}

#[cfg(test)]
mod tests {
    use super::fixtures::{binding, flow, now, subscribe};
    use super::*;

    /// The phone of binding 1 watches for 600 s.
    fn watch() -> Subscription {
        let request = subscribe("", &["Event: reg;id=4", "Contact: <sip:201@127.0.0.1:1>", "Expires: 600"]);
        let wanted = Wanted::read(&request, 60).expect("good");
        let user = Extension::new("201");
        Subscription::new(&user, &request, &wanted, flow(1), "ours".into(), now()).expect("it has a contact")
    }

    fn desk(serial: u64) -> Binding {
        binding(serial, &format!("sip:201@127.0.0.1:{serial}"), "")
    }

    fn after(seconds: u64) -> Now {
        let now = now();
        Now { instant: now.instant + Duration::from_secs(seconds), ..now }
    }

    fn text(bytes: &Bytes) -> String {
        String::from_utf8(bytes.to_vec()).expect("text")
    }

    fn notify(watch: &mut Subscription, now: Now) -> String {
        assert!(watch.is_due(now.instant));
        let bytes = watch.notify("SIP/2.0/UDP us;branch=z", "<sip:201@us>", now);
        assert!(!watch.is_due(now.instant), "once");
        text(&bytes)
    }

    /// Version, kind, state of the registration, and `port event` of each contact.
    fn digest(notify: &str) -> String {
        let value = |name: &str, from: &str| {
            let text = from.split_once(&format!("{name}=\"")).map(|(_, rest)| rest).unwrap_or_default();
            text.split('"').next().unwrap_or_default().to_owned()
        };
        let body = notify.split_once("<reginfo").map(|(_, body)| body).expect("a document");
        let registration = body.split_once("<registration").map(|(_, rest)| rest).expect("a registration");
        let contacts = registration.split("<contact").skip(1).map(|contact| {
            let port = contact.split("127.0.0.1:").nth(1).and_then(|rest| rest.split('<').next()).unwrap_or_default();
            format!(" {port} {}", value("event", contact))
        });
        format!("{} {} {}:", value("version", body), value("state", body), value(" state", registration))
            + &contacts.collect::<String>()
    }

    const GONE: fn(&Binding) -> Change = |_| Change::Unregistered;

    #[test]
    fn the_first_notify_says_everything_and_later_ones_what_changed() {
        let mut watch = watch();
        watch.look(&[desk(1)], now());
        let first = notify(&mut watch, now());
        assert!(first.contains("Event: reg;id=4\r\nSubscription-State: active;expires=600\r\n"), "{first}");
        assert!(first.contains("aor=\"sip:201@london.example\" id=\"201\""), "{first}");
        assert_eq!(digest(&first), "0 full active: 1 registered");
        assert!(!watch.observe(&[desk(1), desk(2)], GONE, after(100)));
        let second = notify(&mut watch, after(100));
        assert!(second.contains("CSeq: 2 NOTIFY") && second.contains("active;expires=500"), "{second}");
        assert_eq!(digest(&second), "1 partial active: 2 registered");
        watch.observe(&[desk(2)], GONE, after(101));
        assert_eq!(digest(&notify(&mut watch, after(101))), "2 partial active: 1 unregistered");
        watch.observe(&[], GONE, after(301));
        assert_eq!(digest(&notify(&mut watch, after(301))), "3 partial terminated: 2 expired");
        watch.observe(&[], GONE, after(302));
        assert!(!watch.is_due(after(302).instant), "nothing changed");
    }

    #[test]
    fn nobody_registered_is_the_state_init() {
        assert_eq!(digest(&notify(&mut watch(), now())), "0 full init:");
    }

    #[test]
    fn a_refreshed_binding_is_not_told_and_a_shortened_one_is() {
        let mut watch = watch();
        watch.look(&[desk(1)], now());
        notify(&mut watch, now());
        let longer = Binding { expires_at: after(400).instant, ..desk(1) };
        watch.observe(&[longer], GONE, now());
        assert!(!watch.is_due(now().instant));
        watch.observe(&[Binding { expires_at: after(60).instant, ..desk(1) }], GONE, now());
        assert_eq!(digest(&notify(&mut watch, now())), "1 partial active: 1 shortened");
    }

    #[test]
    fn another_uri_of_the_same_binding_is_another_contact() {
        let mut watch = watch();
        watch.look(&[desk(1)], now());
        notify(&mut watch, now());
        watch.observe(&[binding(1, "sip:201@127.0.0.1:9", "")], GONE, now());
        assert_eq!(digest(&notify(&mut watch, now())), "1 partial active: 1 unregistered 9 registered");
    }

    #[test]
    fn what_happens_meanwhile_waits_and_is_told_together() {
        let mut watch = watch();
        watch.look(&[desk(1)], now());
        notify(&mut watch, now());
        watch.paused_until = Some(after(5).instant);
        watch.observe(&[desk(1), desk(2)], GONE, now());
        watch.observe(&[desk(1)], GONE, now());
        watch.observe(&[desk(1), desk(3)], GONE, now());
        assert!(!watch.is_due(after(4).instant) && watch.is_due(after(5).instant));
        assert_eq!(digest(&notify(&mut watch, after(5))), "1 partial active: 2 unregistered 3 registered");
    }

    #[test]
    fn more_changes_than_can_wait_become_the_whole_state() {
        let mut watch = watch();
        watch.look(&[], now());
        notify(&mut watch, now());
        let many = |count: u64| (1..=count).map(desk).collect::<Vec<_>>();
        watch.observe(&many(PENDING as u64), GONE, now());
        assert!(!watch.whole && watch.pending.len() == PENDING);
        watch.observe(&many(PENDING as u64 + 1), GONE, now());
        assert!(notify(&mut watch, now()).contains("state=\"full\""));
    }

    #[test]
    fn only_the_phone_that_was_rejected_loses_its_subscription() {
        let rejected: fn(&Binding) -> Change = |_| Change::Rejected;
        let mut watch = watch();
        watch.look(&[desk(1), desk(2)], now());
        notify(&mut watch, now());
        assert!(!watch.observe(&[desk(1)], rejected, now()), "another phone");
        assert!(watch.observe(&[], rejected, now()));
        let last = text(&watch.last(Terminated::Rejected, "v", "c", now()));
        assert!(last.contains("Subscription-State: terminated;reason=rejected\r\n"), "{last}");
        assert_eq!(digest(&last), "1 full terminated: 2 rejected 1 rejected");
    }

    #[test]
    fn the_reasons_are_those_of_the_rfc() {
        let all = [
            Terminated::Timeout,
            Terminated::Rejected,
            Terminated::NoResource,
            Terminated::Probation(Duration::from_secs(90)),
        ];
        assert_eq!(
            all.map(Terminated::parameters),
            [
                "terminated;reason=timeout",
                "terminated;reason=rejected",
                "terminated;reason=noresource",
                "terminated;reason=probation;retry-after=90"
            ]
        );
    }

    #[test]
    fn a_refresh_moves_the_end_and_the_target_and_tells_everything_again() {
        let mut watch = watch();
        watch.look(&[desk(1)], now());
        notify(&mut watch, now());
        let request = subscribe(";tag=ours", &["Event: reg;id=4", "Contact: <sip:201@127.0.0.1:7>", "Expires: 60"]);
        let wanted = Wanted::read(&request, 60).expect("good");
        assert!(watch.is_for(&wanted) && !watch.is_for(&Wanted { id: None, ..wanted.clone() }));
        watch.refresh(&wanted, flow(7), after(100));
        let again = notify(&mut watch, after(100));
        assert!(again.starts_with("NOTIFY sip:201@127.0.0.1:7 ") && again.contains("active;expires=60"), "{again}");
        assert_eq!((digest(&again).as_str(), watch.flow), ("1 full active: 1 registered", flow(7)));
        watch.refresh(&Wanted { subscriber: None, ..wanted }, flow(9), after(100));
        assert_eq!(watch.flow, flow(7), "without a Contact the phone has not moved");
    }

    #[test]
    fn the_aor_is_what_was_subscribed_to_without_parameters() {
        assert_eq!(aor_of(&subscribe("", &[])), "sip:201@london.example");
    }
}
