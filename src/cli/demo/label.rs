//! A message in a few words, for its arrow in the ladder.

use bytes::Bytes;

use crate::settings::Limits;
use crate::sip::{self, Method, Name, Packet, Request};

/// What the ladder shows of one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// `INVITE 201`, `180 Ringing`.
    pub text: String,
    /// What is worth saying besides, where there is room: `digest`, `proof`, the method that an answer is to.
    pub note: Option<String>,
    /// CSeq's method.
    pub method: Method,
    /// Whether it is a request.
    pub is_request: bool,
}

/// `None` for what is no message of SIP, such as a keep-alive.
pub fn label(datagram: &Bytes) -> Option<Label> {
    match sip::parse(datagram.clone(), &Limits::default()) {
        Ok(Packet::Request(request)) => {
            let method = request.method().clone();
            Some(Label { text: asked(&request), note: note(&request), method, is_request: true })
        }
        Ok(Packet::Response(response)) => {
            let (status, method) = (response.status().0, response.cseq().method.clone());
            let reason = String::from_utf8_lossy(response.reason()).replace("Authentication", "Auth");
            let note = (method != Method::INVITE).then(|| method.as_str().to_owned());
            Some(Label { text: format!("{status} {reason}"), note, method, is_request: false })
        }
        Ok(Packet::KeepAlive(_)) | Err(_) => None,
    }
}

fn asked(request: &Request) -> String {
    let method = request.method();
    // Inside a call the Request-URI is the other's contact, and the arrow says who that is.
    let is_inside = request.to().tag().is_some() || *method == Method::ACK || *method == Method::CANCEL;
    // That of a REGISTER is the registrar; To is who registers (RFC 3261 §10.2).
    let uri = if *method == Method::REGISTER { request.to().uri() } else { request.uri() };
    let whom = uri.user().filter(|_| !is_inside);
    let whom = whom.map(|user| format!(" {user}")).unwrap_or_default();
    let leaving = *method == Method::REGISTER && request.expires() == Ok(Some(0));
    let expires = if leaving { ", Expires: 0" } else { "" };
    format!("{}{whom}{expires}", method.as_str())
}

fn note(request: &Request) -> Option<String> {
    let has = |name: &Name| request.header(name).is_some();
    if has(&Name::HotdeskLink) {
        return Some("proof".into());
    }
    let proves = *request.method() != Method::ACK && (has(&Name::Authorization) || has(&Name::ProxyAuthorization));
    proves.then(|| "digest".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(start: &str, to_tag: &str, cseq: &str, more: &str) -> String {
        let text = format!(
            "{start}\r\nVia: SIP/2.0/UDP 127.0.0.1:5061;branch=z9hG4bKa\r\nMax-Forwards: 70\r\nFrom: <sip:202@a>;tag=1\r\n\
             To: <sip:201@a>{to_tag}\r\nCall-ID: c\r\nCSeq: {cseq}\r\n{more}Content-Length: 0\r\n\r\n"
        );
        let label = label(&Bytes::from(text)).expect("a message");
        format!("{} | {}", label.text, label.note.unwrap_or_default())
    }

    #[test]
    fn a_message_is_named_by_what_matters() {
        assert_eq!(of("INVITE sip:902@a SIP/2.0", "", "1 INVITE", ""), "INVITE 902 | ");
        assert_eq!(of("BYE sip:x@b SIP/2.0", ";tag=2", "2 BYE", ""), "BYE | ");
        assert_eq!(of("SIP/2.0 180 Ringing", ";tag=2", "1 INVITE", ""), "180 Ringing | ");
        assert_eq!(of("SIP/2.0 200 OK", ";tag=2", "2 BYE", ""), "200 OK | BYE");
        let leaving = of("REGISTER sip:a SIP/2.0", "", "3 REGISTER", "Expires: 0\r\nAuthorization: Digest a=b\r\n");
        assert_eq!(leaving, "REGISTER 201, Expires: 0 | digest");
        assert_eq!(label(&Bytes::from_static(b"\r\n\r\n")), None);
    }
}
