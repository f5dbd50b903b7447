//! What the far side of a trunk sees of the caller in From, To and Privacy, and how it is undone on the way back (SPEC 9.4, 9.7).
//!
//! ```text
//!            From: 201                     From: +442079460201
//!   phone ───────────────► site ───────────────────────────────► carrier
//!         ◄─────────────── [201 → +442079460201] ◄──────────────
//!            From: 201      in Record-Route         From: +442079460201   its answers
//!            To: 201                                To: +442079460201     its requests
//! ```
//!
//! The node decides by the plan what is shown; an answer is restored from the request that it answers, a later request from
//! the proof in our Route. Tags are never touched: they, not the URIs, name a dialog (RFC 3261 §12.1). CSeq goes the same way where
//! a carrier has challenged (SPEC 9.10).

use bytes::Bytes;

use crate::link::proof::{Proof, Rewritten, Side};
use crate::settings::{FromHeader, Trunk};
use crate::sip::{Edit, Host, Message, Name, Party};

/// RFC 3323 §4.1.1.3: nobody.
const NOBODY: &[u8] = b"\"Anonymous\" <sip:anonymous@anonymous.invalid>";
/// The host of a URI that hides who it is.
const NOWHERE: &str = "anonymous.invalid";

/// What a target sees in place of what the sender wrote; by default nothing is changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shows {
    /// From without its parameters.
    pub from: Option<Bytes>,
    /// To without its parameters.
    pub to: Option<Bytes>,
    /// Whether Privacy asks to withhold the identity (RFC 3325 §7); `None`: as it came.
    pub withheld: Option<bool>,
    /// By how much the number of CSeq is ahead (SPEC 9.10).
    pub cseq: u32,
    /// By how much that of the INVITE was, which RAck names (RFC 3262 §7.2).
    pub rack: u32,
}

/// Whether a call is withheld.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Withheld {
    /// As the caller asked.
    pub asked: bool,
    /// As the short code says: `W`, or `A`.
    pub coded: Option<bool>,
}

impl Withheld {
    /// What counts.
    pub fn holds(self) -> bool {
        self.coded.unwrap_or(self.asked)
    }
}

impl Shows {
    /// What a trunk shows of a caller whose From is `from`, and who is `identity` there (name and URI; `None`: nobody has a number).
    pub fn on(trunk: &Trunk, from: &Party, identity: Option<&str>, withheld: Withheld) -> Self {
        let identity =
            identity.filter(|identity| !identity.is_empty()).map(|identity| Bytes::from(identity.to_owned()));
        let from = match (withheld.holds(), trunk.trusted, trunk.from) {
            // SPEC 9.4: whoever may not know the identity learns nothing by From either.
            (true, false, _) => Some(Bytes::from_static(NOBODY)),
            // A carrier that knows and keeps it to itself passes From on: what hides the caller stays.
            (true, true, FromHeader::Rewrite) if is_anonymous(from) => None,
            (_, _, FromHeader::Rewrite) => identity,
            (_, _, FromHeader::Keep) => None,
        };
        let asked = withheld.holds().then_some(true);
        Self { from, withheld: asked.or(withheld.coded), ..Self::default() }
    }

    /// What an emergency service sees: the number of the phone's place, whatever the caller asked (SPEC 6.7).
    pub fn in_emergency(trunk: &Trunk, identity: Option<&str>) -> Self {
        let from =
            identity.filter(|_| trunk.from == FromHeader::Rewrite).map(|identity| Bytes::from(identity.to_owned()));
        Self { from, ..Self::default() }
    }

    /// What the other side sees of a request inside the dialog of that proof, whose CSeq is that of the dialog's begin.
    pub fn inside(proof: &Proof, sender: Side) -> Self {
        let written = |text: &[u8]| (!text.is_empty()).then(|| Bytes::copy_from_slice(text));
        let (was, is) = match &proof.from {
            Some(Rewritten { was, is }) => (written(was), written(is)),
            None => (None, None),
        };
        match sender {
            Side::Caller => Self { from: is, cseq: proof.cseq_shift, rack: proof.cseq_shift, ..Self::default() },
            // Numbers of the callee's are its own (RFC 3261 §12.2).
            Side::Callee => Self { to: was, ..Self::default() },
        }
    }

    /// Writes it.
    pub(super) fn write(&self, message: &Message, edit: &mut Edit<'_>) {
        if let Some(from) = &self.from {
            edit.party(&Name::From, from);
        }
        if let Some(to) = &self.to {
            edit.party(&Name::To, to);
        }
        match self.withheld {
            Some(true) => withhold(message, edit),
            Some(false) => _ = edit.remove(&Name::Privacy),
            None => {}
        }
        if self.cseq != 0 {
            write_cseq(message, message.cseq().number.saturating_add(self.cseq), edit);
        }
        if let Some(rack) = Some(self.rack).filter(|&ahead| ahead != 0).and_then(|ahead| rack_ahead(message, ahead)) {
            edit.replace(&Name::RAck, rack);
        }
    }
}

/// Another number in CSeq; the method stays.
fn write_cseq(message: &Message, number: u32, edit: &mut Edit<'_>) {
    edit.replace(&Name::CSeq, format!("{number} {}", message.cseq().method));
}

/// The number of the INVITE that RAck names (RFC 3262 §7.2): `776656 1 INVITE`.
pub fn rack_number(message: &Message) -> Option<u32> {
    let value = message.header(&Name::RAck)?.value().into_owned();
    std::str::from_utf8(&value).ok()?.split_ascii_whitespace().nth(1)?.parse().ok()
}

fn rack_ahead(message: &Message, ahead: u32) -> Option<String> {
    let value = message.header(&Name::RAck)?.value().into_owned();
    let mut words = std::str::from_utf8(&value).ok()?.split_ascii_whitespace();
    let (answer, number, method) = (words.next()?, words.next()?.parse::<u32>().ok()?, words.next()?);
    Some(format!("{answer} {} {method}", number.saturating_add(ahead)))
}

/// From, To and the number of CSeq as the sender of a request wrote them, where it went on with others: so they stand in its answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Restoring {
    from: Option<Bytes>,
    to: Option<Bytes>,
    cseq: Option<u32>,
}

impl Restoring {
    /// Notes what this request says, if a branch of it shows something else.
    pub fn note(&mut self, request: &Message, shows: &Shows) {
        let written = |party: &Party| Bytes::copy_from_slice(party.written());
        if shows.from.is_some() && self.from.is_none() {
            self.from = Some(written(request.from()));
        }
        if shows.to.is_some() && self.to.is_none() {
            self.to = Some(written(request.to()));
        }
        if shows.cseq != 0 {
            self.cseq = Some(request.cseq().number);
        }
    }

    /// Writes them into an answer; one that has them already keeps its bytes.
    pub(super) fn write(&self, response: &Message, edit: &mut Edit<'_>) {
        for (name, party, was) in [(Name::From, response.from(), &self.from), (Name::To, response.to(), &self.to)] {
            if let Some(was) = was.as_ref().filter(|was| party.written() != &was[..]) {
                edit.party(&name, was);
            }
        }
        if let Some(was) = self.cseq.filter(|was| *was != response.cseq().number) {
            write_cseq(response, was, edit);
        }
    }
}

/// What a proof may carry of a From that is to be `is`, the fullest first. The last one leaves To of the callee's requests
/// as the callee writes it, which is right by the tags alone.
pub fn rewritings(from: &Party, is: &[u8]) -> [Rewritten; 4] {
    let (was, is) = (from.written().to_vec(), is.to_vec());
    let bare_was = [b"<", &from.uri().as_bytes()[..], b">"].concat();
    let bare_is = match is.iter().rposition(|&byte| byte == b'<') {
        Some(begin) => is.get(begin..).unwrap_or_default().to_vec(),
        None => is.clone(),
    };
    [
        Rewritten { was, is: is.clone() },
        Rewritten { was: bare_was.clone(), is },
        Rewritten { was: bare_was, is: bare_is.clone() },
        Rewritten { was: Vec::new(), is: bare_is },
    ]
}

/// Whether From or an asserted identity names nobody (RFC 3323 §4.1.1.3, RFC 3325 §9.1).
pub fn is_anonymous(party: &Party) -> bool {
    let uri = party.uri();
    uri.host().is_some_and(is_nowhere) || uri.user_bytes().is_some_and(|user| user.eq_ignore_ascii_case(b"anonymous"))
}

/// Whether it is the host of a URI that hides who it is (RFC 3323 §4.1.1.3).
pub fn is_nowhere(host: &Host) -> bool {
    host.eq_name(NOWHERE)
}

/// RFC 3325 §7: `id` among what the caller asks for; `none` goes (RFC 3323 §4.2).
fn withhold(message: &Message, edit: &mut Edit<'_>) {
    let values: Vec<Bytes> = message.values(&Name::Privacy).collect();
    let words = || values.iter().flat_map(|value| value.split(|&byte| byte == b';')).map(|word| word.trim_ascii());
    if words().any(|word| word.eq_ignore_ascii_case(b"id")) {
        return;
    }
    let mut value = b"id".to_vec();
    for word in words().filter(|word| !word.is_empty() && !word.eq_ignore_ascii_case(b"none")) {
        value.push(b';');
        value.extend_from_slice(word);
    }
    edit.remove(&Name::Privacy);
    edit.append(&Name::Privacy, value);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Limits;
    use crate::sip::{Packet, Request, parse};

    fn request(from: &str, lines: &str) -> Request {
        let text = format!(
            "INVITE sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nFrom: {from}\r\nTo: <sip:b@h>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n\
             {lines}Content-Length: 0\r\n\r\n"
        );
        let Ok(Packet::Request(request)) = parse(Bytes::from(text), &Limits::default()) else { panic!("a request") };
        request
    }

    fn written(request: &Request, shows: &Shows) -> String {
        let mut edit = Edit::new(request);
        shows.write(request, &mut edit);
        String::from_utf8(edit.write().to_vec()).expect("text")
    }

    #[test]
    fn privacy_is_asked_for_once_and_taken_out_whole() {
        let privacy = |lines: &str, withheld: bool| {
            let asked = request("<sip:a@h>;tag=1", lines);
            let text = written(&asked, &Shows { withheld: Some(withheld), ..Shows::default() });
            let lines = text.lines().filter_map(|line| line.strip_prefix("Privacy: ").map(str::to_owned));
            lines.collect::<Vec<_>>()
        };
        assert_eq!(privacy("", true), ["id"]);
        assert_eq!(privacy("Privacy: none\r\n", true), ["id"]);
        assert_eq!(privacy("Privacy: user; critical\r\n", true), ["id;user;critical"]);
        assert_eq!(privacy("Privacy: user;ID\r\n", true), ["user;ID"]);
        assert!(privacy("Privacy: id\r\nPrivacy: user\r\n", false).is_empty());
    }

    #[test]
    fn what_hides_the_caller_is_known_by_its_host_or_its_name() {
        for (from, hides) in [
            ("\"Anonymous\" <sip:anonymous@anonymous.invalid>", true),
            ("<sip:x@Anonymous.Invalid>", true),
            ("<sip:Anonymous@carrier.example>", true),
            ("\"Anonymous\" <sip:201@london.example>", false),
            ("<tel:+44207>", false),
        ] {
            assert_eq!(is_anonymous(request(&format!("{from};tag=1"), "").from()), hides, "{from}");
        }
    }

    #[test]
    fn a_proof_is_offered_less_and_less() {
        let asked = request("\"A\" <sip:201@london.example>;tag=1", "");
        let offers = rewritings(asked.from(), b"\"B <\" <sip:+44@london.example>");
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
        let offers = offers.map(|Rewritten { was, is }| format!("{} → {}", text(&was), text(&is)));
        assert_eq!(
            offers,
            [
                "\"A\" <sip:201@london.example> → \"B <\" <sip:+44@london.example>",
                "<sip:201@london.example> → \"B <\" <sip:+44@london.example>",
                "<sip:201@london.example> → <sip:+44@london.example>",
                " → <sip:+44@london.example>",
            ]
        );
    }

    #[test]
    fn an_answer_that_has_the_callers_from_keeps_its_bytes() {
        let asked = request("\"A\" <sip:201@h> ;tag=1", "");
        let mut restoring = Restoring::default();
        restoring.note(&asked, &Shows { from: Some(Bytes::from_static(b"<sip:+44@h>")), ..Shows::default() });
        for (from, there) in [
            ("<sip:+44@h>;tag=1", "\"A\" <sip:201@h>;tag=1"),
            ("\"A\" <sip:201@h>  ; tag=1", "\"A\" <sip:201@h>  ; tag=1"),
        ] {
            let answer = request(from, "");
            let mut edit = Edit::new(&answer);
            restoring.write(&answer, &mut edit);
            assert_eq!(edit.write(), *request(there, "").bytes(), "{from}");
        }
    }
}
