//! The location of a call for help, towards a carrier that takes it (RFC 6442): as a reference, or as a document in the body.
//!
//! The document is a PIDF-LO (RFC 4119, RFC 5491) with the civic address of the phone's place (RFC 5139). It is the one thing that is
//! ever put into a body (SPEC 6.7, 9.8): what the phone sent keeps its bytes and becomes a part beside it (RFC 5621).
//!
//! Who asks is the node, for each trunk of an emergency call; a request that names a location itself is left as it is.

use std::fmt::Write;

use bytes::Bytes;

use crate::settings::Place;
use crate::sip::{Edit, Message, Name, escaped_xml};

/// What is told of a phone's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Conveyed {
    /// Where it can be looked up.
    Reference(Box<str>),
    /// The place itself.
    Document {
        /// Nothing else in the request has this name: 32 hexadecimal digits. It is the Content-ID's left side and the boundary.
        name: Box<str>,
        /// The Content-ID's right side.
        domain: Box<str>,
        /// The PIDF-LO.
        xml: Box<str>,
    },
}

/// Header fields that describe the body, and go with it into its part (RFC 3261 §7.4.1, RFC 8262).
fn of_the_body() -> [Name; 5] {
    let other = |name: &'static [u8]| Name::Other(Bytes::from_static(name));
    let [language, id] = [other(b"Content-Language"), other(b"Content-ID")];
    [Name::ContentType, Name::ContentDisposition, Name::ContentEncoding, language, id]
}

impl Conveyed {
    /// Writes it into a request that names no location of its own.
    pub(super) fn write(&self, request: &Message, edit: &mut Edit<'_>) {
        let location = match self {
            Self::Reference(uri) => format!("<{uri}>"),
            Self::Document { name, domain, xml } => {
                add_part(request, edit, name, &part(name, domain, xml));
                format!("<cid:{name}@{domain}>")
            }
        };
        edit.append(&Name::Geolocation, location);
        // RFC 6442 §4.2: whoever is next may route the call by it, which is what it is for.
        edit.remove(&Name::GeolocationRouting);
        edit.append(&Name::GeolocationRouting, "yes");
    }
}

/// Whether a request names a location of its own: it goes on as it came, and nothing is added (RFC 6442 §4.1).
pub fn has_location(request: &Message) -> bool {
    request.header(&Name::Geolocation).is_some()
}

/// The document of a place (RFC 4119 §2.2): `entity` is who is there, `time` when that is said (RFC 3339).
pub fn pidf_lo(place: &Place, entity: &str, time: &str) -> String {
    let mut civic = String::new();
    let text_is_said = place.civic.iter().any(|(name, _)| *name == "LOC");
    let loc = Some(("LOC", &place.location)).filter(|(_, text)| !text_is_said && !text.is_empty());
    let mut fields: Vec<(&str, &String)> = place.civic.iter().map(|(name, text)| (*name, text)).chain(loc).collect();
    // RFC 5139 §4: a sequence, in the order of the schema.
    fields.sort_by_key(|(name, _)| crate::settings::CIVIC_FIELDS.iter().position(|known| known == name));
    for (name, text) in fields {
        let _ = write!(civic, "<ca:{name}>{}</ca:{name}>", escaped_xml(text.as_bytes()));
    }
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n\
         <presence xmlns=\"urn:ietf:params:xml:ns:pidf\" xmlns:gp=\"urn:ietf:params:xml:ns:pidf:geopriv10\" \
         xmlns:gbp=\"urn:ietf:params:xml:ns:pidf:geopriv10:basicPolicy\" \
         xmlns:ca=\"urn:ietf:params:xml:ns:pidf:geopriv10:civicAddr\" entity=\"{}\">\r\n\
         <tuple id=\"place\"><status><gp:geopriv><gp:location-info><ca:civicAddress>{civic}</ca:civicAddress>\
         </gp:location-info><gp:usage-rules><gbp:retransmission-allowed>true</gbp:retransmission-allowed></gp:usage-rules>\
         <gp:method>Manual</gp:method></gp:geopriv></status><timestamp>{time}</timestamp></tuple>\r\n</presence>\r\n",
        escaped_xml(entity.as_bytes())
    )
}

/// The document as a part of the body. Who does not know it passes it over (RFC 5621 §8.1, RFC 3261 §20.11).
fn part(name: &str, domain: &str, xml: &str) -> String {
    format!(
        "Content-Type: application/pidf+xml\r\nContent-ID: <{name}@{domain}>\r\n\
         Content-Disposition: by-reference;handling=optional\r\n\r\n{xml}"
    )
}

/// Puts a part behind what the body has: into a `multipart/mixed` as its last one, else into a new one round it.
fn add_part(request: &Message, edit: &mut Edit<'_>, boundary: &str, part: &str) {
    let body = request.body();
    if let Some((end, theirs)) = closing(request, &body) {
        let text = [&b"\r\n--"[..], &theirs, b"\r\n", part.as_bytes()].concat();
        edit.insert_into_body(end, text);
        return;
    }
    let mut head = Vec::new();
    for name in of_the_body() {
        for header in request.all(&name).filter(|_| !body.is_empty()) {
            head.extend_from_slice(&[name.canonical(), b": ", &header.value(), b"\r\n"].concat());
        }
        edit.remove(&name);
    }
    if !body.is_empty() {
        edit.insert_into_body(0, [b"--", boundary.as_bytes(), b"\r\n", &head, b"\r\n"].concat());
    }
    let before = if body.is_empty() { "" } else { "\r\n" };
    edit.insert_into_body(body.len(), format!("{before}--{boundary}\r\n{part}\r\n--{boundary}--\r\n"));
    edit.append(&Name::ContentType, format!("multipart/mixed;boundary={boundary}"));
}

/// Where the last part of a `multipart/mixed` ends, and its boundary (RFC 2046 §5.1.1).
fn closing(request: &Message, body: &[u8]) -> Option<(usize, Vec<u8>)> {
    let kind = request.header(&Name::ContentType)?.value().into_owned();
    let mut words = kind.split(|&byte| byte == b';').map(<[u8]>::trim_ascii);
    words.next().filter(|kind| kind.eq_ignore_ascii_case(b"multipart/mixed"))?;
    let boundary = words.find_map(|word| {
        let at = word.iter().position(|&byte| byte == b'=')?;
        let (name, value) = (word.get(..at)?.trim_ascii(), word.get(at + 1..)?.trim_ascii());
        let bare = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value);
        name.eq_ignore_ascii_case(b"boundary").then(|| bare.to_vec())
    })?;
    // RFC 2046 §5.1.1: 1 to 70 characters; an escape would mean another one.
    if boundary.is_empty() || boundary.len() > 70 || boundary.contains(&b'\\') {
        return None;
    }
    let close = [&b"\r\n--"[..], &boundary, b"--"].concat();
    let end = body.windows(close.len()).rposition(|window| window == close)?;
    Some((end, boundary))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Limits;
    use crate::sip::{Packet, Request, parse};

    const SDP: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\n";

    fn request(lines: &str, body: &str) -> Request {
        let text = format!(
            "INVITE sip:999@h SIP/2.0\r\nVia: SIP/2.0/UDP h\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:999@h>\r\nCall-ID: c\r\n\
             CSeq: 1 INVITE\r\n{lines}Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        read(text)
    }

    fn read(text: String) -> Request {
        match parse(Bytes::from(text.clone()), &Limits::default()) {
            Ok(Packet::Request(request)) => request,
            other => panic!("no request: {other:?}\n{text}"),
        }
    }

    fn sent(conveyed: &Conveyed, request: &Request) -> Request {
        let mut edit = Edit::new(request);
        conveyed.write(request, &mut edit);
        read(String::from_utf8(edit.write().to_vec()).expect("text"))
    }

    fn document() -> Conveyed {
        Conveyed::Document { name: "b0".into(), domain: "london.example".into(), xml: "<xml/>".into() }
    }

    fn value(request: &Request, name: &Name) -> Option<String> {
        request.header(name).map(|header| String::from_utf8_lossy(&header.value()).into_owned())
    }

    const PART: &str = "Content-Type: application/pidf+xml\r\nContent-ID: <b0@london.example>\r\n\
                        Content-Disposition: by-reference;handling=optional\r\n\r\n<xml/>";

    #[test]
    fn a_reference_is_a_header_and_nothing_else() {
        let came = request("Content-Type: application/sdp\r\nGeolocation-Routing: no\r\n", SDP);
        let gone = sent(&Conveyed::Reference("https://lis.example/1".into()), &came);
        assert_eq!(value(&gone, &Name::Geolocation).as_deref(), Some("<https://lis.example/1>"));
        assert_eq!(value(&gone, &Name::GeolocationRouting).as_deref(), Some("yes"));
        assert_eq!(gone.body(), came.body());
    }

    #[test]
    fn a_session_becomes_the_first_of_two_parts() {
        let lines = "c: application/sdp\r\nContent-Disposition: session\r\nContent-Language: en\r\n";
        let gone = sent(&document(), &request(lines, SDP));
        assert_eq!(value(&gone, &Name::Geolocation).as_deref(), Some("<cid:b0@london.example>"));
        assert_eq!(value(&gone, &Name::ContentType).as_deref(), Some("multipart/mixed;boundary=b0"));
        assert_eq!(value(&gone, &Name::ContentDisposition), None);
        let head = "Content-Type: application/sdp\r\nContent-Disposition: session\r\nContent-Language: en\r\n";
        let body = format!("--b0\r\n{head}\r\n{SDP}\r\n--b0\r\n{PART}\r\n--b0--\r\n");
        assert_eq!(String::from_utf8_lossy(&gone.body()), body);
    }

    #[test]
    fn a_call_without_a_body_has_the_document_alone() {
        let gone = sent(&document(), &request("", ""));
        assert_eq!(String::from_utf8_lossy(&gone.body()), format!("--b0\r\n{PART}\r\n--b0--\r\n"));
        assert_eq!(value(&gone, &Name::ContentType).as_deref(), Some("multipart/mixed;boundary=b0"));
    }

    #[test]
    fn a_body_of_several_parts_gets_one_more() {
        let parts = format!("--x\r\nContent-Type: application/sdp\r\n\r\n{SDP}\r\n--x--\r\n");
        for kind in ["multipart/mixed;boundary=x", "Multipart/Mixed ; a=1 ; Boundary=\"x\""] {
            let gone = sent(&document(), &request(&format!("Content-Type: {kind}\r\n"), &parts));
            assert_eq!(value(&gone, &Name::ContentType).as_deref(), Some(kind));
            let body = parts.replace("\r\n--x--", &format!("\r\n--x\r\n{PART}\r\n--x--"));
            assert_eq!(String::from_utf8_lossy(&gone.body()), body);
        }
        // Of another kind, torn, or with a boundary that can't be told: it is a part as a whole.
        for kind in ["multipart/alternative;boundary=x", "multipart/mixed;boundary=y", "multipart/mixed"] {
            let gone = sent(&document(), &request(&format!("Content-Type: {kind}\r\n"), &parts));
            let body = format!("--b0\r\nContent-Type: {kind}\r\n\r\n{parts}\r\n--b0\r\n{PART}\r\n--b0--\r\n");
            assert_eq!(String::from_utf8_lossy(&gone.body()), body, "{kind}");
        }
    }

    #[test]
    fn a_document_has_its_fields_in_the_order_of_the_schema() {
        let civic = vec![("country", "GB".to_owned()), ("A3", "London".to_owned()), ("FLR", "2 & <3>".to_owned())];
        let place = Place { location: "1 \"High\" Street".into(), civic, ..Place::default() };
        let xml = pidf_lo(&place, "pres:a&b@h", "2026-11-23T11:00:00Z");
        let address = "<ca:civicAddress><ca:country>GB</ca:country><ca:A3>London</ca:A3><ca:LOC>1 &quot;High&quot; Street</ca:LOC>\
                       <ca:FLR>2 &amp; &lt;3&gt;</ca:FLR></ca:civicAddress>";
        assert!(xml.contains(address), "{xml}");
        assert!(xml.contains("entity=\"pres:a&amp;b@h\"") && xml.contains("<timestamp>2026-11-23T11:00:00Z<"), "{xml}");
        let own = Place { civic: vec![("LOC", "Room 7".into())], ..place };
        assert!(pidf_lo(&own, "pres:a@h", "").contains("<ca:civicAddress><ca:LOC>Room 7</ca:LOC></ca:civicAddress>"));
    }
}
