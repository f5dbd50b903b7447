//! A phone that knows SIP as far as the tests need it: it registers, calls and is called.

use std::cell::Cell;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::message::{address, credentials, header, headers, list, status, uri};
use super::support::{Network, PATIENCE, Phone};

const SDP: &str = "v=0\no=- 1 1 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 40000 RTP/AVP 0\n";

/// A user's phone at one site.
pub struct Agent {
    pub phone: Phone,
    user: String,
    site: SocketAddr,
    domain: String,
    call_id: String,
    cseq: Cell<u32>,
}

/// A side of a call.
pub struct Dialog {
    call_id: String,
    local: String,
    remote: String,
    target: String,
    routes: Vec<String>,
    cseq: u32,
}

impl Dialog {
    /// The number of our last request.
    pub fn cseq(&self) -> u32 {
        self.cseq
    }

    /// Our next request has a higher number than that.
    pub fn count_from(&mut self, cseq: u32) {
        self.cseq = self.cseq.max(cseq);
    }
}

/// A call on its way: the INVITE as it was sent.
pub struct Outgoing {
    invite: String,
}

impl Agent {
    /// A phone at that site for `user`, whose password is `secret` and the extension.
    pub fn new(network: &Network, site: &str, user: &str) -> Self {
        let phone = Phone::new();
        let call_id = unique("registration");
        let domain = format!("{site}.example");
        Self { phone, user: user.to_owned(), site: network.address(site), domain, call_id, cseq: Cell::new(0) }
    }

    /// The same, registered.
    pub fn registered(network: &Network, site: &str, user: &str) -> Self {
        let agent = Self::new(network, site, user);
        let answer = agent.register(300);
        assert_eq!(status(&answer), 200, "{answer}");
        agent
    }

    /// The same phone, as a NAT shows it that has given it another port.
    pub fn behind_another_port(&self) -> Self {
        Self {
            phone: Phone::new(),
            user: self.user.clone(),
            site: self.site,
            domain: self.domain.clone(),
            call_id: self.call_id.clone(),
            cseq: self.cseq.clone(),
        }
    }

    /// A site's trunk: what answers there.
    pub fn trunk(network: &Network, site: &str) -> Self {
        Self::carrier(network, site, network.trunk(site))
    }

    /// What answers at the address of another trunk of that site.
    pub fn carrier(network: &Network, site: &str, phone: Phone) -> Self {
        let domain = format!("{site}.example");
        Self {
            phone,
            user: "trunk".to_owned(),
            site: network.address(site),
            domain,
            call_id: String::new(),
            cseq: Cell::new(0),
        }
    }

    /// Another server of a site's carrier, at an address that the site does not know.
    pub fn carrier_elsewhere(network: &Network, site: &str) -> Self {
        Self { phone: Phone::new(), ..Self::trunk(network, site) }
    }

    fn password(&self) -> String {
        format!("secret{}", self.user)
    }

    pub fn contact(&self) -> String {
        format!("<sip:{}@{}>", self.user, self.phone.address)
    }

    /// Registers, answering one challenge; the final answer.
    pub fn register(&self, expires: u32) -> String {
        self.register_with(expires, &self.password())
    }

    pub fn register_with(&self, expires: u32, password: &str) -> String {
        let request_uri = format!("sip:{}", self.domain);
        let challenge = self.ask_to_register(&request_uri, expires, "");
        if status(&challenge) != 401 {
            return challenge;
        }
        let answer =
            credentials(header(&challenge, "WWW-Authenticate"), &self.user, password, "REGISTER", &request_uri);
        self.ask_to_register(&request_uri, expires, &format!("Authorization: {answer}\n"))
    }

    fn ask_to_register(&self, request_uri: &str, expires: u32, more: &str) -> String {
        self.cseq.set(self.cseq.get() + 1);
        let (who, cseq) = (format!("<sip:{}@{}>", self.user, self.domain), self.cseq.get());
        let head = self.head("REGISTER", request_uri, &format!("{who};tag=r1"), &who, &self.call_id, cseq);
        let request = format!("{head}Contact: {}\nExpires: {expires}\n{more}Content-Length: 0\n\n", self.contact());
        // RFC 3261 §17.1.2.2, timer E: a site that can't answer yet leaves it to the phone to ask again.
        let once = |_| {
            self.phone.send(self.site, &request);
            self.response_within(Duration::from_secs(2), cseq, "REGISTER")
        };
        (0..8).find_map(once).expect("an answer")
    }

    fn head(&self, method: &str, request_uri: &str, from: &str, to: &str, call_id: &str, cseq: u32) -> String {
        format!(
            "{method} {request_uri} SIP/2.0\nVia: SIP/2.0/UDP {};branch=z9hG4bK{};rport\nMax-Forwards: 70\nFrom: {from}\nTo: {to}\n\
             Call-ID: {call_id}\nCSeq: {cseq} {method}\n",
            self.phone.address,
            unique("b")
        )
    }

    /// The final response to a request of ours.
    fn response(&self, cseq: u32, method: &str) -> String {
        self.response_within(PATIENCE, cseq, method).expect("a message")
    }

    /// The final answer, if it comes before there is silence for so long.
    fn response_within(&self, patience: Duration, cseq: u32, method: &str) -> Option<String> {
        let wanted = format!("{cseq} {method}");
        loop {
            let message = self.phone.receive_within(patience)?;
            if message.starts_with("SIP/2.0 ") && header(&message, "CSeq") == wanted && status(&message) >= 200 {
                return Some(message);
            }
        }
    }

    /// Calls a number, answering one challenge; returns as soon as the call is on its way.
    pub fn call(&self, number: &str) -> Outgoing {
        self.call_offering(number, SDP)
    }

    /// The same with that session description, or none where it is empty.
    pub fn call_offering(&self, number: &str, session: &str) -> Outgoing {
        let request_uri =
            if number.contains(':') { number.to_owned() } else { format!("sip:{number}@{}", self.domain) };
        let from = format!("<sip:{}@{}>;tag={}", self.user, self.domain, unique("t"));
        let call_id = unique("call");
        let invite = |cseq, more: &str| {
            let head = self.head("INVITE", &request_uri, &from, &format!("<{request_uri}>"), &call_id, cseq);
            format!("{head}Contact: {}\n{more}{}", self.contact(), body(session))
        };
        let first = invite(1, "");
        self.phone.send(self.site, &first);
        let challenge = self.response(1, "INVITE");
        assert_eq!(status(&challenge), 407, "{challenge}");
        self.acknowledge(&first, &challenge);
        let value = header(&challenge, "Proxy-Authenticate");
        let answer = credentials(value, &self.user, &self.password(), "INVITE", &request_uri);
        let invite = invite(2, &format!("Proxy-Authorization: {answer}\n"));
        self.phone.send(self.site, &invite);
        Outgoing { invite }
    }

    /// A carrier calls a contact that has registered with it; what was dialled stands in To.
    pub fn calls_contact(&self, contact: &str, number: &str) {
        let from = format!("<sip:+4412345@{}>;tag={}", self.phone.address, unique("t"));
        let to = format!("<sip:{number}@{}>", self.phone.address);
        let head = self.head("INVITE", contact, &from, &to, &unique("call"), 1);
        self.phone.send(self.site, &format!("{head}Contact: {}\nContent-Length: 0\n\n", self.contact()));
    }

    /// RFC 3261 §17.1.1.3.
    fn acknowledge(&self, invite: &str, response: &str) {
        let request_uri = invite.split(' ').nth(1).expect("a Request-URI");
        let cseq = header(invite, "CSeq").replace("INVITE", "ACK");
        self.phone.send(
            self.site,
            &format!(
                "ACK {request_uri} SIP/2.0\nVia: {}\nMax-Forwards: 70\nFrom: {}\nTo: {}\nCall-ID: {}\nCSeq: {cseq}\nContent-Length: 0\n\n",
                header(invite, "Via"),
                header(invite, "From"),
                header(response, "To"),
                header(invite, "Call-ID"),
            ),
        );
    }

    /// How the call ended, when it was not answered.
    pub fn refusal(&self, call: &Outgoing) -> String {
        let response = self.response(2, "INVITE");
        assert!(status(&response) >= 300, "{response}");
        self.acknowledge(&call.invite, &response);
        response
    }

    /// The final answer to a call.
    pub fn final_answer(&self, _: &Outgoing) -> String {
        self.response(2, "INVITE")
    }

    /// Waits until the call rings.
    pub fn hears_ringing(&self) {
        while status(&self.phone.receive()) != 180 {}
    }

    /// RFC 3261 §9.1.
    pub fn cancel(&self, call: &Outgoing) -> String {
        let invite = &call.invite;
        let request_uri = invite.split(' ').nth(1).expect("a Request-URI");
        let line = |name| format!("{name}: {}\n", header(invite, name));
        let lines = ["Via", "From", "To", "Call-ID"].map(line).concat();
        self.phone.send(
            self.site,
            &format!("CANCEL {request_uri} SIP/2.0\n{lines}Max-Forwards: 70\nCSeq: 2 CANCEL\nContent-Length: 0\n\n"),
        );
        self.response(2, "CANCEL")
    }

    /// The call is answered: acknowledges that, and is in a dialog.
    pub fn answered(&self, call: &Outgoing) -> Dialog {
        let response = self.response(2, "INVITE");
        assert_eq!(status(&response), 200, "{response}");
        let mut routes = list(&response, "Record-Route");
        routes.reverse();
        let dialog = Dialog {
            call_id: header(&call.invite, "Call-ID").to_owned(),
            local: header(&call.invite, "From").to_owned(),
            remote: header(&response, "To").to_owned(),
            target: uri(header(&response, "Contact")).to_owned(),
            routes,
            cseq: 2,
        };
        self.send_in(&dialog, "ACK", dialog.cseq);
        dialog
    }

    /// The next request of that method; copies of others are passed over.
    pub fn request(&self, method: &str) -> String {
        loop {
            let message = self.phone.receive();
            if message.starts_with(&format!("{method} ")) {
                return message;
            }
        }
    }

    /// Answers a request; with a tag of ours, unless `To` has one.
    pub fn answer(&self, request: &str, line: &str) -> String {
        self.answer_with(request, &format!("{line}\nContact: {}", self.contact()))
    }

    /// The same without a contact of ours.
    pub fn answer_with(&self, request: &str, line: &str) -> String {
        let mut to = header(request, "To").to_owned();
        if !to.contains(";tag=") {
            to += ";tag=callee";
        }
        let vias: String = headers(request, "Via").iter().map(|via| format!("Via: {via}\n")).collect();
        let routes: String =
            headers(request, "Record-Route").iter().map(|route| format!("Record-Route: {route}\n")).collect();
        let (from, call_id, cseq) = (header(request, "From"), header(request, "Call-ID"), header(request, "CSeq"));
        let text = format!(
            "SIP/2.0 {line}\n{vias}{routes}From: {from}\nTo: {to}\nCall-ID: {call_id}\nCSeq: {cseq}\nContent-Length: 0\n\n"
        );
        let via = header(request, "Via").split([' ', ';']).nth(1).expect("sent-by");
        self.phone.send(via.parse().expect("an address"), &text);
        text
    }

    /// Rings and answers, while `caller` hears it and acknowledges: the caller's side of the call, and ours.
    pub fn pick_up_with(&self, caller: &Agent, call: &Outgoing) -> (Dialog, Dialog) {
        let invite = self.request("INVITE");
        self.answer(&invite, "180 Ringing");
        let answer = self.answer(&invite, "200 OK");
        let theirs = caller.answered(call);
        self.request("ACK");
        (theirs, self.callee_of(&invite, &answer))
    }

    /// Our side of a call that we have answered.
    pub fn callee_of(&self, invite: &str, answer: &str) -> Dialog {
        Dialog {
            call_id: header(invite, "Call-ID").to_owned(),
            local: header(answer, "To").to_owned(),
            remote: header(invite, "From").to_owned(),
            target: uri(header(invite, "Contact")).to_owned(),
            routes: list(invite, "Record-Route"),
            cseq: 100,
        }
    }

    /// Ends the call; the answer to the BYE is 200.
    pub fn hang_up(&self, dialog: &mut Dialog, other: &Agent) {
        dialog.cseq += 1;
        self.send_in(dialog, "BYE", dialog.cseq);
        let bye = other.request("BYE");
        other.answer(&bye, "200 OK");
        let response = self.response(dialog.cseq, "BYE");
        assert_eq!(status(&response), 200, "{response}");
    }

    fn send_in(&self, dialog: &Dialog, method: &str, cseq: u32) {
        self.send_with(dialog, method, cseq, &body(""));
    }

    fn send_with(&self, dialog: &Dialog, method: &str, cseq: u32, body: &str) {
        let head = self.head(method, &dialog.target, &dialog.local, &dialog.remote, &dialog.call_id, cseq);
        let routes: String = dialog.routes.iter().map(|route| format!("Route: {route}\n")).collect();
        let next = dialog.routes.first().map_or(&*dialog.target, |route| uri(route));
        self.phone.send(address(next), &format!("{head}{routes}{body}"));
    }

    /// The next response to the INVITE with that status, as the caller's dialog: an early one where it is provisional.
    pub fn hears(&self, call: &Outgoing, wanted: u16) -> (String, Dialog) {
        loop {
            let response = self.phone.receive();
            if !response.starts_with("SIP/2.0 ") || status(&response) != wanted {
                continue;
            }
            let mut routes = list(&response, "Record-Route");
            routes.reverse();
            let dialog = Dialog {
                call_id: header(&call.invite, "Call-ID").to_owned(),
                local: header(&call.invite, "From").to_owned(),
                remote: header(&response, "To").to_owned(),
                target: uri(header(&response, "Contact")).to_owned(),
                routes,
                cseq: 2,
            };
            return (response, dialog);
        }
    }

    /// Acknowledges a 2xx, once more if it came once more.
    pub fn confirm(&self, dialog: &Dialog) {
        self.send_in(dialog, "ACK", dialog.cseq);
    }

    /// The same with the answer to the offer that the 2xx made.
    pub fn confirm_answering(&self, dialog: &Dialog, session: &str) {
        self.send_with(dialog, "ACK", dialog.cseq, &body(session));
    }

    /// Sends a request inside the call; its CSeq.
    pub fn ask_in(&self, dialog: &mut Dialog, method: &str) -> u32 {
        self.ask_with(dialog, method, "")
    }

    /// The same with more lines.
    pub fn ask_with(&self, dialog: &mut Dialog, method: &str, more: &str) -> u32 {
        dialog.cseq += 1;
        self.send_with(dialog, method, dialog.cseq, &format!("{more}{}", body("")));
        dialog.cseq
    }

    /// The final response to a request inside the call.
    pub fn told(&self, cseq: u32, method: &str) -> u16 {
        status(&self.response(cseq, method))
    }

    /// Subscribes to an event of the phone's own user, answering one challenge: the dialog.
    pub fn subscribe(&self, event: &str, expires: u32) -> Dialog {
        let request_uri = format!("sip:{}@{}", self.user, self.domain);
        let mut dialog = Dialog {
            call_id: unique("subscription"),
            local: format!("<{request_uri}>;tag={}", unique("t")),
            remote: format!("<{request_uri}>"),
            target: request_uri,
            routes: Vec::new(),
            cseq: 0,
        };
        let response = self.subscribe_in(&mut dialog, event, expires);
        assert_eq!(status(&response), 200, "{response}");
        dialog.remote = header(&response, "To").to_owned();
        dialog.target = uri(header(&response, "Contact")).to_owned();
        dialog
    }

    /// Refreshes a subscription, or ends it, answering one challenge; the final answer.
    pub fn subscribe_in(&self, dialog: &mut Dialog, event: &str, expires: u32) -> String {
        let challenge = self.ask_to_subscribe(dialog, event, expires, "");
        if status(&challenge) != 407 {
            return challenge;
        }
        let value = header(&challenge, "Proxy-Authenticate");
        let answer = credentials(value, &self.user, &self.password(), "SUBSCRIBE", &dialog.target);
        self.ask_to_subscribe(dialog, event, expires, &format!("Proxy-Authorization: {answer}\n"))
    }

    fn ask_to_subscribe(&self, dialog: &mut Dialog, event: &str, expires: u32, more: &str) -> String {
        dialog.cseq += 1;
        let head = self.head("SUBSCRIBE", &dialog.target, &dialog.local, &dialog.remote, &dialog.call_id, dialog.cseq);
        let lines = format!("Contact: {}\nEvent: {event}\nExpires: {expires}\n{more}", self.contact());
        self.phone.send(self.site, &format!("{head}{lines}Content-Length: 0\n\n"));
        self.response(dialog.cseq, "SUBSCRIBE")
    }

    /// The next NOTIFY, which is answered.
    pub fn is_notified(&self) -> String {
        let notify = self.request("NOTIFY");
        self.answer(&notify, "200 OK");
        notify
    }

    /// The final answer to a request of ours outside a call.
    pub fn final_of(&self, cseq: u32, method: &str) -> u16 {
        status(&self.response(cseq, method))
    }

    /// Nothing arrives for a fifth of a second.
    pub fn stays_silent(&self) {
        let message = self.phone.receive_within(std::time::Duration::from_millis(200));
        assert_eq!(message, None);
    }
}

/// The headers of a body, the empty line, and the body.
fn body(session: &str) -> String {
    if session.is_empty() {
        return "Content-Length: 0\n\n".to_owned();
    }
    let length = session.len() + session.lines().count();
    format!("Content-Type: application/sdp\nContent-Length: {length}\n\n{session}")
}

fn unique(kind: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("{kind}{}x{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}
