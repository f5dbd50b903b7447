//! Forwarding: splices over the bytes that came, written once.
//!
//! Called by the proxy for each branch and for each response that goes back. What no splice touches leaves as it came, byte for
//! byte: spacing, order, folds, compact names, line ends. RFC 3261 §16.6 (requests), §16.7 (responses), §18.2.1 and RFC 3581 §4
//! (the stamp on the top Via).

use std::net::IpAddr;

use bytes::Bytes;
use smallvec::SmallVec;

use super::credentials::Credentials;
use super::draft::{push_flat, push_line};
use super::lex::Values;
use super::lines::{Field, Lines};
use super::message::Message;
use super::name::{Known, Name};
use super::numeral::Digits;
use super::span::Span;
use super::stamp::stamp;

/// A list of changes to a message; each speaks of the message as it came, whatever the others do.
pub struct Edit<'m> {
    message: &'m Message,
    text: Vec<u8>,
    splices: SmallVec<[Splice; 16]>,
    /// Values taken out: the header's place among all, the value's place in it.
    gone: SmallVec<[(usize, usize); 4]>,
    vias_popped: usize,
    routes_popped: usize,
    /// Bytes put into the body.
    grown: usize,
}

/// `from..to` of the message gives way to `text` of the edit.
#[derive(Clone, Copy)]
struct Splice {
    from: usize,
    to: usize,
    /// Among splices at one place: what is pushed later stands higher, what is appended later stands lower.
    rank: isize,
    text: (usize, usize),
}

impl<'m> Edit<'m> {
    /// No change yet.
    pub fn new(message: &'m Message) -> Self {
        Self {
            message,
            text: Vec::with_capacity(384),
            splices: SmallVec::new(),
            gone: SmallVec::new(),
            vias_popped: 0,
            routes_popped: 0,
            grown: 0,
        }
    }

    /// RFC 3261 §16.6 step 2: another Request-URI. Nothing happens to a response.
    pub fn request_uri(&mut self, uri: impl AsRef<[u8]>) -> &mut Self {
        let target = self.message.target;
        if target != Span::default() {
            let text = self.write_text(|text| push_flat(text, uri.as_ref()));
            self.splice(target, text);
        }
        self
    }

    /// Stamps the top Via with where its datagram came from: `received` if given, `rport` if the Via asks for it (RFC 3581 §4).
    pub fn via_received(&mut self, received: Option<IpAddr>, rport: Option<u16>) -> &mut Self {
        for (span, mark) in stamp(&self.message.lines, &self.message.via, received, rport) {
            let text = self.write_text(|out| mark.write(out));
            self.splice(span, text);
        }
        self
    }

    /// Takes the top Via value off (RFC 3261 §16.7 step 3); once more: the next.
    pub fn pop_via(&mut self) -> &mut Self {
        let index = self.vias_popped;
        self.vias_popped += 1;
        self.remove_value(&Name::Via, index)
    }

    /// Puts a Via header above all (RFC 3261 §16.6 step 8).
    pub fn push_via(&mut self, value: impl AsRef<[u8]>) -> &mut Self {
        let top = self.top_of(&Name::Via).unwrap_or_else(|| self.first_line());
        self.push_at(top, &Name::Via, value.as_ref())
    }

    /// RFC 3261 §16.6 step 3: replaces Max-Forwards, or adds it.
    pub fn max_forwards(&mut self, value: u32) -> &mut Self {
        let value = Digits::of(value.into());
        match self.message.header(&Name::MaxForwards) {
            Some(_) => self.replace(&Name::MaxForwards, value),
            None => self.push(&Name::MaxForwards, value),
        }
    }

    /// Takes the first Route value off (RFC 3261 §16.4); once more: the next.
    pub fn pop_route(&mut self) -> &mut Self {
        let index = self.routes_popped;
        self.routes_popped += 1;
        self.remove_value(&Name::Route, index)
    }

    /// Puts a Route header above the others.
    pub fn push_route(&mut self, value: impl AsRef<[u8]>) -> &mut Self {
        self.push_above(&Name::Route, value.as_ref())
    }

    /// Puts a Record-Route header above the others (RFC 3261 §16.6 step 4).
    pub fn push_record_route(&mut self, value: impl AsRef<[u8]>) -> &mut Self {
        self.push_above(&Name::RecordRoute, value.as_ref())
    }

    /// Takes every header of that name out.
    pub fn remove(&mut self, name: &Name) -> &mut Self {
        let message = self.message;
        for field in message.lines.all(name) {
            self.splice(field.line, (0, 0));
        }
        self
    }

    /// Takes out the digest credentials for `realm` (RFC 3261 §16.6 step 6, §22.3); those for other realms stay.
    pub fn remove_credentials(&mut self, realm: &str) -> &mut Self {
        let message = self.message;
        for name in [Name::Authorization, Name::ProxyAuthorization] {
            for field in message.lines.all(&name) {
                let value = message.lines.bytes.slice_ref(message.lines.value_of(field));
                if Credentials::parse(&value).is_some_and(|given| given.realm == realm.as_bytes()) {
                    self.splice(field.line, (0, 0));
                }
            }
        }
        self
    }

    /// Takes one value out, counted from 0 over all headers of that name as they came; a header that loses its last goes too.
    pub fn remove_value(&mut self, name: &Name, index: usize) -> &mut Self {
        let lines = &self.message.lines;
        let mut before = 0;
        for field in lines.all(name) {
            let count = Values::of(lines.value_of(field)).count();
            if index < before + count {
                let place = lines.fields.iter().position(|other| other.line == field.line).unwrap_or_default();
                if !self.gone.contains(&(place, index - before)) {
                    self.gone.push((place, index - before));
                }
                break;
            }
            before += count;
        }
        self
    }

    /// Adds a header right below the Vias, above what was pushed before.
    pub fn push(&mut self, name: &Name, value: impl AsRef<[u8]>) -> &mut Self {
        self.push_at(self.below_vias(), name, value.as_ref())
    }

    /// Adds a header below all others.
    pub fn append(&mut self, name: &Name, value: impl AsRef<[u8]>) -> &mut Self {
        let text = self.write_text(|text| push_line(text, name.canonical(), value.as_ref()));
        let at = self.message.lines.headers_end;
        let rank = self.next_rank();
        self.splices.push(Splice { from: at, to: at, rank, text });
        self
    }

    /// Gives the first header of that name another value, or appends one.
    pub fn replace(&mut self, name: &Name, value: impl AsRef<[u8]>) -> &mut Self {
        match self.message.lines.all(name).next().copied() {
            Some(field) => {
                let bare = field.value.start == field.value.end;
                let text = self.write_text(|text| {
                    // `Subject:` without a value has no blank either.
                    if bare {
                        text.push(b' ');
                    }
                    push_flat(text, value.as_ref());
                });
                self.splice(field.value, text);
                self
            }
            None => self.append(name, value),
        }
    }

    /// Gives From or To another name and URI; its tag and the other parameters stay.
    pub fn party(&mut self, name: &Name, value: impl AsRef<[u8]>) -> &mut Self {
        let message = self.message;
        let party = if *name == Name::To { message.to() } else { message.from() };
        if let Some(field) = message.lines.all(name).next() {
            let start = usize::from(field.value.start);
            let text = self.write_text(|text| push_flat(text, value.as_ref()));
            self.splice(Span::new(start, start + party.written().len()), text);
        }
        self
    }

    /// Puts something into the body, before its byte `at` counted from 0; what is put in later at the same place stands behind it.
    /// Content-Length says what there is then.
    pub fn insert_into_body(&mut self, at: usize, bytes: impl AsRef<[u8]>) -> &mut Self {
        let body = self.message.lines.body;
        let text = self.write_text(|text| text.extend_from_slice(bytes.as_ref()));
        let (at, rank) = (body.saturating_add(at).min(self.message.lines.bytes.len()), self.next_rank());
        self.splices.push(Splice { from: at, to: at, rank, text });
        self.grown += bytes.as_ref().len();
        let length = self.message.lines.bytes.len() - body + self.grown;
        self.remove(&Name::ContentLength);
        // said once, below all others: the same length may have stood there twice
        let line =
            self.write_text(|text| push_line(text, Name::ContentLength.canonical(), length.to_string().as_bytes()));
        let end = self.message.lines.headers_end;
        let is_length = |splice: &&mut Splice| (splice.from, splice.to, splice.rank) == (end, end, isize::MAX);
        match self.splices.iter_mut().find(is_length) {
            Some(earlier) => earlier.text = line,
            None => self.splices.push(Splice { from: end, to: end, rank: isize::MAX, text: line }),
        }
        self
    }

    /// The message with its changes.
    pub fn write(mut self) -> Bytes {
        self.take_values_out();
        self.splices.sort_unstable_by_key(|splice| (splice.from, splice.rank));
        let bytes = &self.message.lines.bytes;
        let mut length = 0;
        self.pieces(|piece| length += piece.len());
        let mut out = Vec::with_capacity(length);
        self.pieces(|piece| out.extend_from_slice(piece));
        debug_assert!(!self.splices.is_empty() || out == *bytes);
        Bytes::from(out)
    }

    /// What the edited message is made of, in order. A splice inside something that is taken out is void.
    fn pieces<'a>(&'a self, mut take: impl FnMut(&'a [u8])) {
        let bytes = &self.message.lines.bytes;
        let mut at = 0;
        for splice in &self.splices {
            if splice.from >= at {
                take(&bytes[at..splice.from]);
                take(&self.text[splice.text.0..splice.text.1]);
            }
            at = at.max(splice.to);
        }
        take(&bytes[at..]);
    }

    /// Makes splices of `gone`: whole headers, or runs of values with the commas that led to them.
    fn take_values_out(&mut self) {
        let lines = &self.message.lines;
        let mut gone = std::mem::take(&mut self.gone);
        gone.sort_unstable();
        let mut rest = &gone[..];
        while let Some(&(place, _)) = rest.first() {
            let run = rest.iter().take_while(|(other, _)| *other == place).count();
            let (here, after) = rest.split_at(run);
            rest = after;
            if let Some(field) = lines.fields.get(place) {
                self.take_out_of(lines, field, here);
            }
        }
    }

    fn take_out_of(&mut self, lines: &Lines, field: &Field, gone: &[(usize, usize)]) {
        let start = usize::from(field.value.start);
        let values: SmallVec<[_; 8]> = Values::of(lines.value_of(field)).collect();
        let is_gone = |at: usize| gone.iter().any(|&(_, index)| index == at);
        let Some(first_kept) = (0..values.len()).find(|&at| !is_gone(at)) else {
            self.splice(field.line, (0, 0));
            return;
        };
        if first_kept > 0 {
            self.splice(Span::new(start + values[0].start, start + values[first_kept].start), (0, 0));
        }
        for at in (first_kept + 1..values.len()).filter(|&at| is_gone(at)) {
            self.splice(Span::new(start + values[at - 1].end, start + values[at].end), (0, 0));
        }
    }

    fn splice(&mut self, span: Span, text: (usize, usize)) {
        let splice = Splice { from: span.start.into(), to: span.end.into(), rank: 0, text };
        let same = |other: &&mut Splice| (other.from, other.to, other.rank) == (splice.from, splice.to, 0);
        // What is said later about the same place counts.
        match self.splices.iter_mut().find(same) {
            Some(earlier) => *earlier = splice,
            None => self.splices.push(splice),
        }
    }

    fn push_above(&mut self, name: &Name, value: &[u8]) -> &mut Self {
        let top = self.top_of(name).unwrap_or_else(|| self.below_vias());
        self.push_at(top, name, value)
    }

    fn push_at(&mut self, at: usize, name: &Name, value: &[u8]) -> &mut Self {
        let text = self.write_text(|text| push_line(text, name.canonical(), value));
        let rank = -self.next_rank();
        self.splices.push(Splice { from: at, to: at, rank, text });
        self
    }

    fn next_rank(&self) -> isize {
        1 + isize::try_from(self.splices.len()).unwrap_or(isize::MAX - 1)
    }

    fn write_text(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> (usize, usize) {
        let from = self.text.len();
        write(&mut self.text);
        (from, self.text.len())
    }

    fn top_of(&self, name: &Name) -> Option<usize> {
        self.message.lines.all(name).next().map(|field| field.line.start.into())
    }

    fn first_line(&self) -> usize {
        self.message.lines.fields.first().map_or(self.message.lines.headers_end, |field| field.line.start.into())
    }

    /// Behind the first block of Via lines.
    fn below_vias(&self) -> usize {
        let is_via = |field: &&Field| field.known == Known::Via;
        let from_first = self.message.lines.fields.iter().skip_while(|field| !is_via(field));
        from_first.take_while(is_via).last().map_or_else(|| self.first_line(), |field| field.line.end.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Limits;
    use crate::sip::{Packet, Request, parse};

    const REQUEST: &str = "INVITE sip:b@h SIP/2.0\r\nv: SIP/2.0/UDP a;rport;branch=1 , SIP/2.0/UDP b\r\nVia: SIP/2.0/UDP c\r\n\
                           Route: <sip:1;lr>,\r\n <sip:2;lr> , <sip:3;lr>\r\nf: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\nCall-ID: c\r\n\
                           CSeq:  1 INVITE\r\nSubject:\r\n\r\nbody";

    fn edited(change: impl for<'e, 'm> FnOnce(&'e mut Edit<'m>) -> &'e mut Edit<'m>) -> String {
        let Ok(Packet::Request(request)) = parse(Bytes::from(REQUEST), &Limits::default()) else { panic!("a request") };
        apply(&request, change)
    }

    fn apply(request: &Request, change: impl for<'e, 'm> FnOnce(&'e mut Edit<'m>) -> &'e mut Edit<'m>) -> String {
        let mut edit = Edit::new(request);
        change(&mut edit);
        String::from_utf8(edit.write().to_vec()).expect("text")
    }

    fn swapped(from: &str, to: &str) -> String {
        assert_eq!(REQUEST.matches(from).count(), 1, "{from}");
        REQUEST.replace(from, to)
    }

    #[test]
    fn no_change_gives_the_bytes_that_came() {
        assert_eq!(edited(|e| e), REQUEST);
    }

    #[test]
    fn the_top_via_is_stamped_pushed_over_and_popped() {
        let stamp = edited(|e| e.via_received(Some("10.0.0.1".parse().expect("ip")), Some(7)));
        assert_eq!(stamp, swapped("a;rport;branch=1 ", "a;rport=7;branch=1;received=10.0.0.1 "));
        let unasked = edited(|e| e.pop_via().via_received(Some("10.0.0.1".parse().expect("ip")), Some(7)));
        assert_eq!(unasked, swapped("SIP/2.0/UDP a;rport;branch=1 , ", ""));
        assert_eq!(edited(|e| e.push_via("X").push_via("Y")), swapped("v: ", "Via: Y\r\nVia: X\r\nv: "));
        assert_eq!(
            edited(|e| e.pop_via().pop_via()),
            swapped("v: SIP/2.0/UDP a;rport;branch=1 , SIP/2.0/UDP b\r\n", "")
        );
        let all = swapped("v: SIP/2.0/UDP a;rport;branch=1 , SIP/2.0/UDP b\r\nVia: SIP/2.0/UDP c\r\n", "");
        assert_eq!(edited(|e| e.pop_via().pop_via().pop_via().pop_via()), all);
    }

    #[test]
    fn a_body_that_grows_keeps_its_bytes_and_says_its_length() {
        let grown = |text: &str| swapped("\r\n\r\nbody", text);
        let edit = edited(|e| e.insert_into_body(0, "<").insert_into_body(4, ">").append(&Name::Subject, "x"));
        assert_eq!(edit, grown("\r\nSubject: x\r\nContent-Length: 6\r\n\r\n<body>"));
        let edit = edited(|e| e.insert_into_body(9, "(").insert_into_body(4, "y"));
        assert_eq!(edit, grown("\r\nContent-Length: 6\r\n\r\nbody(y"));
        let twice = REQUEST.replace("Subject:\r\n", "l: 4\r\nContent-Length: 4\r\n");
        let Ok(Packet::Request(request)) = parse(Bytes::from(twice), &Limits::default()) else { panic!("a request") };
        let edit = apply(&request, |e| e.insert_into_body(0, "a "));
        assert!(edit.ends_with("CSeq:  1 INVITE\r\nContent-Length: 6\r\n\r\na body"), "{edit}");
    }

    #[test]
    fn a_party_gets_another_name_and_keeps_its_parameters() {
        let anonymous = r#""Anonymous" <sip:anonymous@anonymous.invalid>"#;
        assert_eq!(edited(|e| e.party(&Name::From, anonymous)), swapped("<sip:a@h>;", &format!("{anonymous};")));
        assert_eq!(edited(|e| e.party(&Name::To, "<sip:c@h>")), swapped("<sip:b@h>", "<sip:c@h>"));
        // RFC 3261 §20: without brackets the parameters are the header's; folds and blanks before them stay too.
        for (from, there) in [
            ("sip:a@h;tag=1", "<sip:c@h>;tag=1"),
            ("\"A\r\n B\" <sip:a@h> \r\n ;x=y ; tag=1", "<sip:c@h> \r\n ;x=y ; tag=1"),
            ("<sip:a@h>", "<sip:c@h>"),
        ] {
            let text = REQUEST.replace("<sip:a@h>;tag=1", from);
            let Ok(Packet::Request(request)) = parse(Bytes::from(text), &Limits::default()) else { panic!("{from}") };
            assert_eq!(
                apply(&request, |e| e.party(&Name::From, "<sip:c@h>")),
                REQUEST.replace("<sip:a@h>;tag=1", there)
            );
        }
    }

    #[test]
    fn routes_are_popped_from_the_top_whatever_their_lines() {
        assert_eq!(edited(|e| e.pop_route()), swapped("<sip:1;lr>,\r\n ", ""));
        assert_eq!(edited(|e| e.pop_route().pop_route()), swapped("<sip:1;lr>,\r\n <sip:2;lr> , ", ""));
        let line = "Route: <sip:1;lr>,\r\n <sip:2;lr> , <sip:3;lr>\r\n";
        assert_eq!(edited(|e| e.pop_route().pop_route().pop_route()), swapped(line, ""));
        assert_eq!(edited(|e| e.remove(&Name::Route).pop_route()), swapped(line, ""));
        assert_eq!(edited(|e| e.remove_value(&Name::Route, 1)), swapped(",\r\n <sip:2;lr> ,", " ,"));
        assert_eq!(edited(|e| e.remove_value(&Name::Route, 2).remove_value(&Name::Route, 0)), {
            swapped("<sip:1;lr>,\r\n <sip:2;lr> , <sip:3;lr>", "<sip:2;lr>")
        });
        assert_eq!(edited(|e| e.remove_value(&Name::Route, 3)), REQUEST);
        assert_eq!(
            edited(|e| e.pop_route().push_route("<sip:0>")),
            swapped("Route: <sip:1;lr>,\r\n ", "Route: <sip:0>\r\nRoute: ")
        );
    }

    #[test]
    fn headers_are_added_replaced_and_kept_to_their_line() {
        let below_vias = "Via: SIP/2.0/UDP c\r\n";
        let pushed = |lines: &str| swapped(below_vias, &format!("{below_vias}{lines}"));
        assert_eq!(edited(|e| e.max_forwards(69)), pushed("Max-Forwards: 69\r\n"));
        assert_eq!(
            edited(|e| e.push_record_route("1").push_record_route("2")),
            pushed("Record-Route: 2\r\nRecord-Route: 1\r\n")
        );
        assert_eq!(
            edited(|e| e.append(&Name::Server, "1").append(&Name::Server, "2")),
            swapped("\r\n\r\n", "\r\nServer: 1\r\nServer: 2\r\n\r\n")
        );
        assert_eq!(edited(|e| e.replace(&Name::CSeq, "2 INVITE")), swapped("CSeq:  1", "CSeq:  2"));
        assert_eq!(edited(|e| e.replace(&Name::Subject, "x\r\nEvil: y")), swapped("Subject:", "Subject: x  Evil: y"));
        assert_eq!(edited(|e| e.request_uri("sip:x")), swapped("INVITE sip:b@h ", "INVITE sip:x "));
    }
}
