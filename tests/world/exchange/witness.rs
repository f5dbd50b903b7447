//! What must be true of the datagrams that phones and carriers have sent and been sent, whatever people did.
//!
//! The ladder shows each at its sending, with what became of it: what a site sends in a wrong order is seen, what the line turned
//! round is not held against it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::support::{Fate, Rung, World};

const SITES: [&str; 3] = ["london", "paris", "berlin"];
const ADDRESSES: [&str; 3] = ["127.0.0.1:5060", "127.0.0.2:5060", "127.0.0.3:5060"];
/// A little less than 64·T1, and than timer C.
const B: Duration = Duration::from_secs(31);
const C: Duration = Duration::from_secs(179);

/// One datagram, read by eyes that share nothing with the product.
struct Seen<'a> {
    at: Duration,
    from: &'a str,
    to: &'a str,
    arrived: bool,
    cut: bool,
    /// Of a request.
    method: Option<&'a str>,
    /// Of a response.
    code: u16,
    cseq: (&'a str, &'a str),
    vias: Vec<&'a str>,
    record_routes: Vec<&'a str>,
    from_tag: &'a str,
    to_tag: &'a str,
}

impl<'a> Seen<'a> {
    fn read(rung: &'a Rung) -> Option<(&'a str, Self)> {
        let head = rung.bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
        let mut lines = std::str::from_utf8(&rung.bytes[..head]).ok()?.split("\r\n");
        let first = lines.next()?;
        let (method, code) = match first.strip_prefix("SIP/2.0 ") {
            Some(rest) => (None, rest.get(..3)?.parse().ok()?),
            None => (first.split(' ').next(), 0),
        };
        let mut seen = Seen {
            at: rung.at,
            from: &rung.from,
            to: &rung.to,
            arrived: matches!(rung.fate, Fate::Sent | Fate::Twice),
            cut: rung.fate == Fate::Cut,
            method,
            code,
            cseq: ("", ""),
            vias: Vec::new(),
            record_routes: Vec::new(),
            from_tag: "",
            to_tag: "",
        };
        let mut call_id = "";
        for line in lines {
            let Some((name, value)) = line.split_once(": ") else { continue };
            match name {
                "Via" => seen.vias.push(value),
                "Record-Route" => seen.record_routes.push(value),
                "CSeq" => seen.cseq = value.split_once(' ')?,
                "Call-ID" => call_id = value,
                "From" => seen.from_tag = parameter(value, "tag"),
                "To" => seen.to_tag = parameter(value, "tag"),
                _ => {}
            }
        }
        Some((call_id, seen))
    }

    fn branch(&self) -> &'a str {
        parameter(self.vias.first().copied().unwrap_or_default(), "branch")
    }

    fn is_final(&self) -> bool {
        self.code >= 200
    }

    fn is_2xx(&self) -> bool {
        self.code / 100 == 2
    }

    /// The same request, wherever on its way.
    fn request(&self) -> (&'a str, &'a str, &'a str) {
        (self.from_tag, self.cseq.0, self.cseq.1)
    }
}

fn parameter<'a>(value: &'a str, name: &str) -> &'a str {
    let mut parameters = value.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    parameters.find(|(own, _)| *own == name).map(|(_, value)| value).unwrap_or_default()
}

fn is_site(name: &str) -> bool {
    SITES.contains(&name)
}

/// Looks at everything that was sent so far.
pub fn examine(world: &World) {
    let mut calls: BTreeMap<&str, Vec<Seen<'_>>> = BTreeMap::new();
    for (call_id, seen) in world.rungs().iter().filter_map(Seen::read) {
        calls.entry(call_id).or_default().push(seen);
    }
    for (call_id, seen) in &calls {
        let call = Call { seen, cut: seen.iter().any(|seen| seen.cut) };
        if let Err(breach) = call.examine() {
            panic!("{breach}\nCall-ID {call_id}\n{}", world.ladder_of(call_id));
        }
    }
}

/// All that was sent with one Call-ID.
struct Call<'a> {
    seen: &'a [Seen<'a>],
    /// A line was cut meanwhile: what would have come need not have.
    cut: bool,
}

type Verdict = Result<(), String>;

impl<'a> Call<'a> {
    fn examine(&self) -> Verdict {
        for seen in self.seen.iter().filter(|seen| is_site(seen.from) && !is_site(seen.to)) {
            let ours = |route: &&str| ADDRESSES.iter().any(|address| route.contains(address));
            must(seen.record_routes.iter().all(ours), || format!("a Record-Route of somebody else at {}", seen.to))?;
        }
        let mut known = BTreeSet::new();
        for seen in self.seen.iter().filter(|seen| seen.method.is_some_and(|method| method != "ACK")) {
            let is_first = known.insert((seen.from, seen.to, seen.branch(), seen.method));
            match (is_first, is_site(seen.from), is_site(seen.to)) {
                (true, false, true) => self.asked(seen)?,
                (true, true, false) if seen.method == Some("INVITE") => self.served(seen)?,
                _ => {}
            }
        }
        let mut accepted = BTreeSet::new();
        for seen in self.seen.iter().filter(|seen| seen.is_2xx() && seen.cseq.1 == "INVITE" && !is_site(seen.from)) {
            if accepted.insert((seen.to_tag, seen.request())) {
                self.accepted(seen)?;
            }
        }
        Ok(())
    }

    fn responses<'s>(&'s self, from: &'s str, to: &'s str, of: &'s Seen<'a>) -> impl Iterator<Item = &'s Seen<'a>> {
        let (branch, cseq) = (of.branch(), of.cseq);
        self.seen.iter().filter(move |seen| {
            seen.method.is_none() && seen.from == from && seen.to == to && seen.cseq == cseq && seen.branch() == branch
        })
    }

    /// A request of a phone or carrier, and what its site answered.
    fn asked(&self, request: &Seen<'a>) -> Verdict {
        let name = || format!("{} {} of {}", request.cseq.0, request.cseq.1, request.from);
        let answers: Vec<_> = self.responses(request.to, request.from, request).collect();
        let mut first: Option<&Seen<'_>> = None;
        for answer in &answers {
            must(same_via(&answer.vias, &request.vias), || {
                format!("{}: the Vias came back as {:?}", name(), answer.vias)
            })?;
            must(answer.code != 408 || request.cseq.1 == "INVITE", || format!("408 to {}", name()))?;
            let Some(before) = first else {
                first = answer.is_final().then_some(answer);
                continue;
            };
            must(answer.is_final(), || format!("{}: {} after {}", name(), answer.code, before.code))?;
            let another = request.cseq.1 == "INVITE" && answer.is_2xx();
            let copy = answer.code == before.code && answer.to_tag == before.to_tag;
            must(another || copy, || format!("{}: {} after {}", name(), answer.code, before.code))?;
        }
        let is_answered_here = matches!(request.cseq.1, "INVITE" | "CANCEL" | "REGISTER");
        let heard = self.seen.iter().any(|seen| {
            seen.method == request.method
                && seen.from == request.from
                && seen.arrived
                && seen.branch() == request.branch()
        });
        let reached = self.seen.iter().any(|seen| {
            seen.is_final()
                && seen.request() == request.request()
                && (request.to_tag.is_empty() || seen.to_tag == request.to_tag)
                && !is_site(seen.from)
                && seen.arrived
                && seen.at < request.at + B
        });
        let owed = is_answered_here && heard || reached && !self.cut;
        must(first.is_some() || !owed, || format!("{} has no final answer", name()))
    }

    /// An INVITE to a phone or carrier, and what came of it.
    fn served(&self, invite: &Seen<'a>) -> Verdict {
        let name = || format!("{} INVITE to {}", invite.cseq.0, invite.to);
        let of_site = |method: &'static str| {
            self.seen.iter().filter(move |seen| {
                seen.method == Some(method) && seen.to == invite.to && seen.branch() == invite.branch()
            })
        };
        let provisional =
            self.responses(invite.to, invite.from, invite).find(|answer| !answer.is_final() && answer.arrived);
        let cancel = of_site("CANCEL").next();
        if let Some(cancel) = cancel {
            // RFC 3261 §9.1.
            let may = provisional.is_some_and(|provisional| provisional.at <= cancel.at);
            must(may, || format!("{}: CANCEL before any provisional response", name()))?;
        }
        let until = match (provisional, cancel) {
            (Some(provisional), _) if provisional.at > invite.at + B => return Ok(()),
            (_, Some(cancel)) => cancel.at + B,
            (Some(provisional), None) => provisional.at + C,
            (None, None) => invite.at + B,
        };
        let refusal = self.responses(invite.to, invite.from, invite).find(|answer| answer.is_final() && answer.arrived);
        let Some(refusal) = refusal.filter(|refusal| !refusal.is_2xx() && refusal.at < until) else { return Ok(()) };
        let acked = of_site("ACK").any(|ack| self.cut || ack.arrived);
        must(acked, || format!("{}: {} gets no ACK", name(), refusal.code))
    }

    /// A 2xx of a phone or carrier to INVITE: it reaches the caller, whose ACK reaches the phone, and the call ends.
    fn accepted(&self, success: &Seen<'a>) -> Verdict {
        let name = || format!("{} to {} of {}", success.code, success.cseq.0, success.from);
        let own = |seen: &&Seen<'a>| seen.request() == success.request() && seen.to_tag == success.to_tag;
        let dialog = |seen: &&Seen<'a>| {
            let tags = (seen.from_tag, seen.to_tag);
            tags == (success.from_tag, success.to_tag) || tags == (success.to_tag, success.from_tag)
        };
        let ended = self.seen.iter().filter(dialog).any(|seen| seen.method == Some("BYE") && !is_site(seen.from));
        must(ended, || format!("{}: the call has no end", name()))?;
        let asked = self.seen.iter().find(|seen| seen.method.is_some() && seen.request() == success.request());
        let Some(asked) = asked.filter(|_| !self.cut && self.in_time(success)) else { return Ok(()) };
        let refused_before = self.seen.iter().any(|seen| {
            seen.to == asked.from
                && seen.request() == success.request()
                && seen.code >= 300
                && !matches!(seen.code, 401 | 407)
        });
        // A site that was refused by the next one has done with it (RFC 3261 §17.1.1.2): a 2xx behind the refusal ends there.
        let given_back = self.seen.iter().any(|seen| {
            seen.from == success.to
                && is_site(seen.to)
                && seen.request() == success.request()
                && seen.code >= 300
                && seen.at <= success.at
        });
        if given_back {
            return Ok(());
        }
        let came =
            self.seen.iter().filter(own).any(|seen| seen.to == asked.from && seen.method.is_none() && seen.arrived);
        must(came, || format!("{} does not reach {}", name(), asked.from))?;
        if refused_before {
            // Its transaction ended with the refusal; the phone that answered gets no ACK, and says BYE.
            return Ok(());
        }
        let ack = |seen: &&Seen<'a>| {
            seen.method == Some("ACK") && seen.cseq.0 == success.cseq.0 && dialog(seen) && seen.arrived
        };
        let sent = self.seen.iter().filter(ack).any(|ack| ack.from == asked.from);
        must(sent, || format!("{} has no ACK", name()))?;
        let acked = self.seen.iter().filter(ack).any(|ack| ack.to == success.from);
        must(acked, || format!("{}: the ACK does not arrive", name()))
    }

    /// Whether the first copy of the 2xx came to the site while the transaction was there.
    fn in_time(&self, success: &Seen<'a>) -> bool {
        let invite = self
            .seen
            .iter()
            .find(|seen| seen.method == Some("INVITE") && seen.to == success.from && seen.branch() == success.branch());
        let Some(invite) = invite else { return false };
        let of = |seen: &&Seen<'a>| {
            seen.from == success.from && seen.branch() == success.branch() && seen.cseq == success.cseq
        };
        let provisional = self.seen.iter().filter(of).find(|seen| seen.code / 100 == 1 && seen.arrived);
        let cancel = self
            .seen
            .iter()
            .find(|seen| seen.method == Some("CANCEL") && seen.to == success.from && seen.branch() == success.branch());
        let until = match (provisional, cancel) {
            (_, Some(cancel)) => cancel.at + B,
            (Some(provisional), None) => provisional.at + C,
            (None, None) => invite.at + B,
        };
        self.seen.iter().filter(of).any(|seen| seen.is_2xx() && seen.arrived && seen.at < until)
    }
}

/// The sender's Vias, with nothing but what RFC 3581 adds.
fn same_via(came: &[&str], sent: &[&str]) -> bool {
    let bare = |via: &str| -> Vec<String> {
        let parts = via.split(';').filter(|part| !part.starts_with("rport") && !part.starts_with("received"));
        parts.map(str::to_owned).collect()
    };
    came.len() == sent.len() && came.iter().zip(sent).all(|(came, sent)| bare(came) == bare(sent))
}

fn must(holds: bool, otherwise: impl FnOnce() -> String) -> Verdict {
    if holds { Ok(()) } else { Err(otherwise()) }
}
