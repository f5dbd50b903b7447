//! What a REGISTER asks for (RFC 3261 §10.2, §10.3 steps 6 and 7).

use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;

use super::nat;
use crate::location::Device;
use crate::rejection::Rejection;
use crate::settings::{Limits, Registrar};
use crate::sip::{Contact, Contacts, Host, Malformed, Name, Request, Status, Uri};
use crate::transmit::Flow;

/// A REGISTER as the registrar needs it. Its bytes are the message's: what lasts is copied out when it is judged.
#[derive(Clone, Debug)]
pub struct Update {
    /// `Call-ID`.
    pub call_id: Bytes,
    /// The number of `CSeq`.
    pub cseq: u32,
    /// Where it came in and from where.
    pub flow: Flow,
    /// The values of `Path`, top first (RFC 3327).
    pub path: Vec<Bytes>,
    /// What is asked.
    pub asks: Asks,
}

/// What a REGISTER wants done.
#[derive(Clone, Debug)]
pub enum Asks {
    /// No Contact: the bindings as they are (RFC 3261 §10.2.3).
    Query,
    /// `Contact: *`: every binding is taken out (RFC 3261 §10.2.2).
    Clear,
    /// These contacts, in the order of the message; at least one.
    Contacts(Vec<Wanted>),
}

/// One contact of a REGISTER.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Its URI.
    pub uri: Uri,
    /// Its parameters as they came, without `expires`; begins with `;` or is empty.
    pub params: Bytes,
    /// `q` in thousandths; 1000 where there is none.
    pub q: u16,
    /// `reg-id`.
    pub reg_id: Option<u32>,
    /// The phone.
    pub device: Device,
    /// Granted seconds; 0 takes the binding out.
    pub expires: u32,
    /// The phone is behind NAT (SPEC 4.3).
    pub nat: bool,
}

impl Update {
    /// Reads a REGISTER that came by `flow`. 400 for contacts or an expiry that make no sense, 416 for a contact that is no SIP
    /// URI, 423 with `Min-Expires` for an expiry that is too short, 513 for more contacts than `limits` allow.
    pub fn read(request: &Request, flow: Flow, limits: &Limits, policy: &Registrar) -> Result<Self, Rejection> {
        let header_expires = request.expires().map_err(unreadable)?;
        let path: Vec<Bytes> = request.path().map_err(unreadable)?.into_iter().map(|route| route.raw).collect();
        let asks = match request.contacts(limits.contacts).map_err(unreadable)? {
            Contacts::None => Asks::Query,
            // RFC 3261 §10.3 step 6: `*` only with an expiry of 0.
            Contacts::Star if header_expires == Some(0) => Asks::Clear,
            Contacts::Star => return Err(Rejection::because(Status::BAD_REQUEST, "Contact * Needs Expires 0")),
            Contacts::List(contacts) => {
                let reader = Reader { request, flow, policy, header_expires, through_proxy: !path.is_empty() };
                let mut wanted = Vec::with_capacity(contacts.len());
                for contact in &contacts {
                    wanted.push(reader.wanted(contact)?);
                }
                Asks::Contacts(wanted)
            }
        };
        Ok(Self { call_id: Device::word(request.call_id().clone()), cseq: request.cseq().number, flow, path, asks })
    }

    /// The phone that sent it; where it names no contact, as far as Call-ID and source tell.
    pub fn device(&self) -> Device {
        match &self.asks {
            Asks::Contacts(contacts) if !contacts.is_empty() => contacts[0].device.clone(),
            Asks::Query | Asks::Clear | Asks::Contacts(_) => {
                let host = Bytes::from(self.flow.remote.to_string());
                Device::new(None, self.call_id.clone(), host, false)
            }
        }
    }

    /// Where the phones that it puts in would be called: the contacts' addresses, and the flow of those behind NAT or a proxy in
    /// `Path` (SPEC 4.3).
    pub fn reached_at(&self) -> impl Iterator<Item = SocketAddr> {
        let wanted = match &self.asks {
            Asks::Query | Asks::Clear => &[][..],
            Asks::Contacts(wanted) => wanted,
        };
        wanted.iter().filter(|wanted| wanted.expires > 0).map(|wanted| {
            let is_direct = !wanted.nat && self.path.is_empty();
            let ip = wanted.uri.host().and_then(Host::ip).filter(|_| is_direct);
            ip.map_or(self.flow.remote, |ip| SocketAddr::new(ip, wanted.uri.port().unwrap_or(5060)))
        })
    }

    /// Whether it only takes bindings out: an un-REGISTER.
    pub fn leaves(&self) -> bool {
        match &self.asks {
            Asks::Query => false,
            Asks::Clear => true,
            Asks::Contacts(contacts) => contacts.iter().all(|contact| contact.expires == 0),
        }
    }

    /// Whether it puts a binding in or keeps one.
    pub fn stays(&self) -> bool {
        match &self.asks {
            Asks::Query | Asks::Clear => false,
            Asks::Contacts(contacts) => contacts.iter().any(|contact| contact.expires > 0),
        }
    }
}

/// What the contacts of one REGISTER have in common.
struct Reader<'r> {
    request: &'r Request,
    flow: Flow,
    policy: &'r Registrar,
    header_expires: Option<u32>,
    through_proxy: bool,
}

impl Reader<'_> {
    fn wanted(&self, contact: &Contact) -> Result<Wanted, Rejection> {
        let uri = contact.uri().clone();
        let device = Device::of_contact(contact, self.request.call_id().clone());
        let (Some(device), Some(host)) = (device, uri.host()) else {
            return Err(Rejection::because(Status::UNSUPPORTED_URI_SCHEME, "Unsupported URI Scheme In Contact Header"));
        };
        let nat = self.is_nat(host);
        let device = if nat { device.behind(self.flow.remote.ip()) } else { device };
        Ok(Wanted {
            params: without_expires(contact),
            q: contact.q().unwrap_or(1000),
            reg_id: contact.reg_id(),
            device,
            expires: self.granted(contact, nat)?,
            nat,
            uri,
        })
    }

    /// Behind a proxy that is in Path, the source is that proxy's: only its own sent-by tells.
    fn is_nat(&self, contact: &Host) -> bool {
        let source: IpAddr = self.flow.remote.ip();
        nat::is_behind(self.request.via().sent_by_host(), source)
            || (!self.through_proxy && nat::is_behind(contact, source))
    }

    /// RFC 3261 §10.3 step 7: `expires` over `Expires` over the default; too short is 423, too long is shortened.
    fn granted(&self, contact: &Contact, nat: bool) -> Result<u32, Rejection> {
        let policy = self.policy;
        let asked = contact.expires().or(self.header_expires).unwrap_or(policy.default_expires);
        if asked > 0 && asked < policy.min_expires {
            return Err(
                Rejection::new(Status::INTERVAL_TOO_BRIEF).with(Name::MinExpires, policy.min_expires.to_string())
            );
        }
        let longest = match (nat, policy.nat_expires) {
            (true, limit @ 1..) => limit.min(policy.max_expires),
            (true, 0) | (false, _) => policy.max_expires,
        };
        Ok(asked.min(longest))
    }
}

fn without_expires(contact: &Contact) -> Bytes {
    let mut kept = Vec::new();
    contact
        .params()
        .filter(|(name, _)| !name.eq_ignore_ascii_case(b"expires"))
        .for_each(|(_, whole)| kept.extend_from_slice(whole));
    kept.into()
}

fn unreadable(fault: Malformed) -> Rejection {
    Rejection::because(fault.status(), fault.to_string())
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{POLICY, flow, message, read, request, update};
    use super::*;

    fn wanted(lines: &[&str]) -> Vec<Wanted> {
        match update("a", 1, lines).asks {
            Asks::Contacts(contacts) => contacts,
            other => panic!("{other:?}"),
        }
    }

    fn refusal(lines: &[&str]) -> Rejection {
        read(&request("a", 1, lines)).expect_err("refused")
    }

    fn from(source: &str, contact: &str) -> Wanted {
        let request = request("a", 1, &[contact]);
        let update = Update::read(&request, flow(source), &Limits::default(), &POLICY).expect("good");
        match update.asks {
            Asks::Contacts(mut contacts) => contacts.remove(0),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn contacts_come_in_several_lines_and_several_to_a_line() {
        let all = wanted(&["Contact: <sip:a@127.0.0.1>, sip:b@127.0.0.2:5070", "m: <sip:c@[::1]:9>"]);
        let hosts: Vec<_> = all.iter().map(|w| w.device.host.clone()).collect();
        assert_eq!(hosts, ["127.0.0.1:5060", "127.0.0.2:5070", "[::1]:9"]);
    }

    #[test]
    fn the_parameter_wins_over_the_header_and_the_header_over_the_default() {
        let expires = |lines: &[&str]| wanted(lines)[0].expires;
        assert_eq!(expires(&["Contact: <sip:a@127.0.0.1>;expires=100", "Expires: 200"]), 100);
        assert_eq!(expires(&["Contact: <sip:a@127.0.0.1>", "Expires: 200"]), 200);
        assert_eq!(expires(&["Contact: <sip:a@127.0.0.1>"]), 300);
        assert_eq!(expires(&["Contact: <sip:a@127.0.0.1>;expires=0", "Expires: 200"]), 0);
    }

    #[test]
    fn a_long_expiry_is_shortened_and_a_short_one_refused() {
        let expires =
            |seconds: &str| wanted(&["Contact: <sip:a@127.0.0.1>", &format!("Expires: {seconds}")])[0].expires;
        assert_eq!([expires("3600"), expires("3601"), expires("4294967295"), expires("60")], [3600, 3600, 3600, 60]);
        let refused = refusal(&["Contact: <sip:a@127.0.0.1>, <sip:b@127.0.0.1>;expires=59"]);
        assert_eq!(refused.status, Status::INTERVAL_TOO_BRIEF);
        assert_eq!(refused.headers, [(Name::MinExpires, "60".to_owned())]);
        assert_eq!(expires("0"), 0);
    }

    #[test]
    fn the_star_stands_alone_and_with_an_expiry_of_zero() {
        assert!(matches!(update("a", 1, &["Contact: *", "Expires: 0"]).asks, Asks::Clear));
        for lines in [&["Contact: *"][..], &["Contact: *", "Expires: 60"], &["Contact: *, <sip:a@h>", "Expires: 0"]] {
            assert_eq!(refusal(lines).status, Status::BAD_REQUEST, "{lines:?}");
        }
    }

    #[test]
    fn a_query_has_no_contact() {
        let query = update("a", 1, &["Expires: 60"]);
        assert!(matches!(query.asks, Asks::Query) && !query.leaves() && !query.stays());
    }

    #[test]
    fn taking_out_alone_is_leaving_and_with_a_new_contact_it_is_not() {
        let leave = update("a", 1, &["Contact: <sip:a@h>", "Expires: 0"]);
        assert!(leave.leaves() && !leave.stays());
        let swap = update("a", 1, &["Contact: <sip:a@h>;expires=0, <sip:b@h>"]);
        assert!(!swap.leaves() && swap.stays());
    }

    #[test]
    fn parameters_are_kept_as_they_came_but_for_expires() {
        let contact =
            "Contact: <sip:a@127.0.0.1;ob>;q=0.5;Expires=90;+sip.instance=\"<urn:uuid:1>\";reg-id=2;x=\"a;expires=1\"";
        let wanted = &wanted(&[contact])[0];
        assert_eq!(wanted.params, ";q=0.5;+sip.instance=\"<urn:uuid:1>\";reg-id=2;x=\"a;expires=1\"");
        assert_eq!((wanted.q, wanted.reg_id, wanted.expires), (500, Some(2), 90));
        assert_eq!(wanted.device.instance.as_deref(), Some(&b"<urn:uuid:1>"[..]));
    }

    #[test]
    fn phones_behind_two_nats_with_one_private_address_are_two() {
        let at = |source| from(source, "Contact: <sip:a@192.168.1.5>;expires=600").device.host;
        assert_eq!(at("203.0.113.7:40000"), at("203.0.113.7:40001"), "the port of a NAT changes");
        assert_ne!(at("203.0.113.7:40000"), at("203.0.113.8:40000"));
        assert_eq!(at("192.168.1.5:5060"), "192.168.1.5:5060");
    }

    #[test]
    fn a_phone_behind_nat_gets_the_shorter_expiry() {
        let nat = from("203.0.113.7:40000", "Contact: <sip:a@192.168.1.5>;expires=600");
        assert_eq!((nat.nat, nat.expires), (true, 120));
        let lan = from("192.168.1.5:5060", "Contact: <sip:a@192.168.1.5>;expires=600");
        assert_eq!((lan.nat, lan.expires), (false, 600));
    }

    #[test]
    fn behind_a_proxy_in_path_the_contact_host_says_nothing() {
        let lines = ["Contact: <sip:a@192.168.1.5>", "Path: <sip:edge@203.0.113.7;lr>", "Path: <sip:b;lr>, <sip:c;lr>"];
        let update = Update::read(&request("a", 1, &lines), flow("203.0.113.7:5060"), &Limits::default(), &POLICY);
        let update = update.expect("good");
        assert_eq!(update.path, ["<sip:edge@203.0.113.7;lr>", "<sip:b;lr>", "<sip:c;lr>"]);
        assert!(matches!(&update.asks, Asks::Contacts(contacts) if !contacts[0].nat));
    }

    #[test]
    fn a_phone_would_be_called_at_its_contact_or_by_its_flow() {
        let at = |source: &str, lines: &[&str]| -> Vec<String> {
            let update = Update::read(&request("a", 1, lines), flow(source), &Limits::default(), &POLICY);
            update.expect("good").reached_at().map(|address| address.to_string()).collect()
        };
        let source = "203.0.113.7:40000";
        assert_eq!(
            at(source, &["Contact: <sip:a@198.51.100.1:9>, <sip:b@198.51.100.2>"]),
            ["198.51.100.1:9", "198.51.100.2:5060"]
        );
        assert_eq!(at(source, &["Contact: <sip:a@192.168.1.5>"]), [source]);
        assert_eq!(at(source, &["Contact: <sip:a@198.51.100.1:9>", "Path: <sip:edge;lr>"]), [source]);
        assert!(at(source, &["Contact: <sip:a@198.51.100.1:9>;expires=0"]).is_empty());
        assert!(at(source, &["Contact: *", "Expires: 0"]).is_empty());
    }

    #[test]
    fn what_can_not_be_reached_is_no_contact() {
        assert_eq!(refusal(&["Contact: <tel:+441234>"]).status, Status::UNSUPPORTED_URI_SCHEME);
        assert_eq!(refusal(&["Contact: <sip:a@h>;q=2"]).status, Status::BAD_REQUEST);
        assert_eq!(refusal(&["Contact: <sip:a@h>", "Expires: 99999999999"]).status, Status::BAD_REQUEST);
    }

    #[test]
    fn one_contact_more_than_the_limit_is_too_large() {
        let request = request("a", 1, &["Contact: <sip:a@127.0.0.1>, <sip:b@127.0.0.1>"]);
        let with = |contacts| {
            let limits = Limits { contacts, ..Limits::default() };
            Update::read(&request, flow("127.0.0.1:5070"), &limits, &POLICY).map_err(|refusal| refusal.status)
        };
        assert!(with(2).is_ok());
        assert_eq!(with(1).err(), Some(Status::MESSAGE_TOO_LARGE));
    }

    #[test]
    fn a_request_without_contact_is_known_by_call_id_and_source() {
        let request = message("sip:london.example", "sip:201@london.example", "x", 1, &["Contact: *", "Expires: 0"]);
        let device = read(&request).expect("good").device();
        assert_eq!((&device.call_id[..], &device.host[..]), (&b"x"[..], &b"127.0.0.1:5070"[..]));
    }
}
