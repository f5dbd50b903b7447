//! Requests that the site makes from nothing, and the Warning text.

use bytes::Bytes;

use super::lex;
use super::method::Method;
use super::name::Name;
use super::numeral::push_number;

/// A request in the making; the caller says every header but Content-Length.
pub struct Draft {
    out: Vec<u8>,
    body: Vec<u8>,
}

impl Draft {
    /// A request line.
    pub fn request(method: &Method, uri: impl AsRef<[u8]>) -> Self {
        let mut out = Vec::with_capacity(512);
        out.extend_from_slice(method.as_str().as_bytes());
        out.push(b' ');
        push_flat(&mut out, uri.as_ref());
        out.extend_from_slice(b" SIP/2.0\r\n");
        Self { out, body: Vec::new() }
    }

    /// Adds a header, behind those before.
    pub fn header(mut self, name: &Name, value: impl AsRef<[u8]>) -> Self {
        push_line(&mut self.out, name.canonical(), value.as_ref());
        self
    }

    /// The body and its type.
    pub fn body(mut self, content_type: &str, body: impl AsRef<[u8]>) -> Self {
        self.body = body.as_ref().to_vec();
        self.header(&Name::ContentType, content_type)
    }

    /// The request.
    pub fn write(self) -> Bytes {
        let Self { mut out, body } = self;
        push_end(&mut out, &body);
        Bytes::from(out)
    }
}

/// The value of a Warning header (RFC 3261 §20.43): `399 agent "text"`, quotes and backslashes escaped, controls made blanks.
pub fn warning(code: u16, agent: &str, text: &str) -> String {
    let mut value = format!("{code} {agent} \"");
    for c in text.chars() {
        match c {
            '"' | '\\' => value.extend(['\\', c]),
            c if c.is_control() => value.push(' '),
            c => value.push(c),
        }
    }
    value.push('"');
    value
}

/// A header line. What would break the line becomes blanks.
pub(super) fn push_line(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    push_flat(out, name);
    out.extend_from_slice(b": ");
    push_flat(out, value);
    out.extend_from_slice(b"\r\n");
}

/// `value` without line ends, so that no value that is made of foreign bytes can smuggle a header in.
pub(super) fn push_flat(out: &mut Vec<u8>, value: &[u8]) {
    let value = lex::trim(value);
    // Without an early end sixteen bytes are compared at a time.
    if value.iter().fold(false, |found, b| found | matches!(b, b'\r' | b'\n')) {
        out.extend(value.iter().map(|&b| if matches!(b, b'\r' | b'\n') { b' ' } else { b }));
    } else {
        out.extend_from_slice(value);
    }
}

/// Content-Length, the empty line, the body.
pub(super) fn push_end(out: &mut Vec<u8>, body: &[u8]) {
    out.extend_from_slice(b"Content-Length: ");
    push_number(out, body.len() as u64);
    out.extend_from_slice(b"\r\n\r\n");
    out.extend_from_slice(body);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_is_written_in_the_order_of_its_headers() {
        let draft = Draft::request(&Method::BYE, "sip:a@h")
            .header(&Name::CSeq, "1 BYE")
            .header(&Name::Other("X".into()), " y\r\n");
        assert_eq!(draft.write(), "BYE sip:a@h SIP/2.0\r\nCSeq: 1 BYE\r\nX: y\r\nContent-Length: 0\r\n\r\n");
    }

    #[test]
    fn a_warning_stays_within_its_quotes() {
        assert_eq!(warning(399, "h", "a \"b\" \\ c\r\nd"), r#"399 h "a \"b\" \\ c  d""#);
    }
}
