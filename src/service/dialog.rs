//! Our side of a dialog that a phone's SUBSCRIBE or INVITE makes (RFC 3261 §12, RFC 6665 §4.5).

use bytes::Bytes;

use crate::sip::{Draft, Method, Name, Request, Route};

/// What is remembered of a dialog. All of it is a copy: nothing holds on to the datagram.
#[derive(Clone, Debug)]
pub(super) struct Dialog {
    call_id: Bytes,
    /// Our address, as in To of the first request.
    ours: Bytes,
    our_tag: String,
    /// The phone's, as in From of the first request, tag and all.
    theirs: Bytes,
    their_tag: Bytes,
    routes: Vec<Route>,
    pub target: Bytes,
    /// The number of our last request.
    cseq: u32,
    /// The number of the phone's last request.
    heard: u32,
}

impl Dialog {
    /// RFC 3261 §12.1.1. The Record-Route was found readable.
    pub fn new(first: &Request, our_tag: String, target: Bytes) -> Self {
        let copy = |bytes: &[u8]| Bytes::copy_from_slice(bytes);
        let lasting = |route: Route| Route::parse(copy(&route.raw), &Name::RecordRoute).ok();
        Self {
            call_id: copy(first.call_id()),
            ours: copy(first.to().raw()),
            our_tag,
            theirs: copy(first.from().raw()),
            their_tag: copy(first.from().tag().unwrap_or_default()),
            routes: first.record_routes().unwrap_or_default().into_iter().filter_map(lasting).collect(),
            target,
            cseq: 0,
            heard: first.cseq().number,
        }
    }

    /// What tells it from other dialogs: Call-ID, our tag, theirs.
    pub fn id(&self) -> (Bytes, String, Bytes) {
        (self.call_id.clone(), self.our_tag.clone(), self.their_tag.clone())
    }

    /// RFC 3261 §12.2.2: whether a request inside is newer than the last.
    pub fn hears(&mut self, cseq: u32) -> bool {
        let newer = cseq > self.heard;
        self.heard = self.heard.max(cseq);
        newer
    }

    /// A request inside (RFC 3261 §12.2.1.1) as far as the dialog says what stands in it.
    pub fn request(&mut self, method: &Method, via: &str) -> Draft {
        self.cseq += 1;
        let strict = self.routes.first().filter(|first| !first.uri.is_lr());
        let uri = strict.map_or(&self.target, |first| first.uri.as_bytes());
        let mut draft = Draft::request(method, uri)
            .header(&Name::Via, via)
            .header(&Name::MaxForwards, "70")
            .header(&Name::From, [&self.ours[..], b";tag=", self.our_tag.as_bytes()].concat())
            .header(&Name::To, &self.theirs)
            .header(&Name::CallId, &self.call_id)
            .header(&Name::CSeq, format!("{} {method}", self.cseq));
        for route in self.routes.iter().skip(usize::from(strict.is_some())) {
            draft = draft.header(&Name::Route, &route.raw);
        }
        if strict.is_some() {
            draft = draft.header(&Name::Route, [b"<", &self.target[..], b">"].concat());
        }
        draft
    }
}

#[cfg(test)]
mod tests {
    use super::super::subscription::fixtures::subscribe;
    use super::*;

    fn notify(lines: &[&str]) -> String {
        let mut dialog = Dialog::new(&subscribe("", lines), "ours".into(), Bytes::from_static(b"sip:phone"));
        let bytes = dialog.request(&Method::NOTIFY, "SIP/2.0/UDP h;branch=z").write();
        String::from_utf8(bytes.to_vec()).expect("text")
    }

    #[test]
    fn it_goes_to_the_target_by_the_loose_routes_in_their_order() {
        let text = notify(&["Record-Route: <sip:a;lr>, <sip:b;lr>"]);
        assert!(text.starts_with("NOTIFY sip:phone SIP/2.0\r\n"));
        assert!(text.contains("Route: <sip:a;lr>\r\nRoute: <sip:b;lr>\r\nContent-Length"), "{text}");
        assert!(
            text.contains("From: <sip:201@london.example>;tag=ours\r\nTo: <sip:201@london.example>;tag=theirs\r\n")
        );
        assert!(text.contains("CSeq: 1 NOTIFY\r\n"));
    }

    #[test]
    fn a_strict_router_gets_it_in_the_request_uri() {
        let text = notify(&["Record-Route: <sip:a>, <sip:b;lr>"]);
        assert!(text.starts_with("NOTIFY sip:a SIP/2.0\r\n"), "{text}");
        assert!(text.contains("Route: <sip:b;lr>\r\nRoute: <sip:phone>\r\n"), "{text}");
    }

    #[test]
    fn only_a_higher_cseq_is_newer() {
        let mut dialog = Dialog::new(&subscribe("", &[]), "ours".into(), Bytes::new());
        assert!(!dialog.hears(1) && dialog.hears(2) && !dialog.hears(2) && !dialog.hears(1));
    }
}
