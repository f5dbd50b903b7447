//! One value of a Via header (RFC 3261 §20.42, RFC 3581).

use std::net::IpAddr;

use bytes::Bytes;

use super::host::{self, Host};
use super::lex::{self, Lexed, Params};
use super::malformed::Malformed;
use super::name::Name;
use super::span::Span;

/// A Via value over the bytes that it came in.
#[derive(Clone, Debug)]
pub struct Via {
    raw: Bytes,
    transport: Span,
    host: Host,
    port: Option<u16>,
    branch: Option<Span>,
    received: Option<(IpAddr, Span)>,
    rport: Option<(Option<u16>, Span)>,
}

/// RFC 3261 §8.1.1.7: branches that begin so are unique over space and time.
pub const MAGIC_COOKIE: &[u8] = b"z9hG4bK";

impl Via {
    /// Reads one value.
    pub fn parse(raw: impl Into<Bytes>) -> Result<Self, Malformed> {
        match Self::read(raw.into()) {
            Some((via, true)) => Ok(via),
            _ => Err(Malformed::Syntax(Name::Via)),
        }
    }

    /// What can be read: whither an answer goes, and whether the parameters are whole. `None` without an address.
    pub(super) fn read(raw: Bytes) -> Option<(Self, bool)> {
        let (rest, transport) = protocol(&raw).ok()?;
        let (rest, host) = Host::lex(rest, &raw).ok()?;
        let (rest, port) = match lex::separator(":")(rest) {
            Ok((rest, ())) => port(rest).map(|(rest, port)| (rest, Some(port))).ok()?,
            Err(_) => (rest, None),
        };
        let transport = Span::of(&raw, transport);
        let mut known = KnownParams::default();
        let whole = known.read(&raw, rest).is_some();
        let KnownParams { branch, received, rport } = known;
        Some((Self { raw, transport, host, port, branch, received, rport }, whole))
    }
    /// The transport as written, such as `UDP`.
    pub fn transport(&self) -> &[u8] {
        self.transport.in_(&self.raw)
    }

    /// The host of sent-by.
    pub fn sent_by_host(&self) -> &Host {
        &self.host
    }

    /// The port of sent-by, if written.
    pub fn sent_by_port(&self) -> Option<u16> {
        self.port
    }

    /// The branch as written. RFC 2543 peers send none.
    pub fn branch(&self) -> Option<&[u8]> {
        self.branch.map(|branch| branch.in_(&self.raw))
    }

    /// Whether the branch names the transaction by itself: the magic cookie with something behind it (RFC 4475 §3.2.1).
    pub fn is_rfc3261_branch(&self) -> bool {
        self.branch().and_then(|branch| branch.strip_prefix(MAGIC_COOKIE)).is_some_and(|rest| !rest.is_empty())
    }

    /// `received`, with or without brackets (RFC 5118 §4.5).
    pub fn received(&self) -> Option<IpAddr> {
        self.received.map(|(ip, _)| ip)
    }

    /// RFC 3581: `Some(None)` asks for it, `Some(Some(port))` is answered.
    pub fn rport(&self) -> Option<Option<u16>> {
        self.rport.map(|(port, _)| port)
    }

    /// The value as it came.
    pub fn raw(&self) -> &Bytes {
        &self.raw
    }

    /// Where `;received=…` stands in `raw`.
    pub(super) fn received_at(&self) -> Option<Span> {
        self.received.map(|(_, at)| at)
    }

    /// Where `;rport…` stands in `raw`.
    pub(super) fn rport_at(&self) -> Option<Span> {
        self.rport.map(|(_, at)| at)
    }
}

/// The parameters that are looked at for every message.
#[derive(Default)]
struct KnownParams {
    branch: Option<Span>,
    received: Option<(IpAddr, Span)>,
    rport: Option<(Option<u16>, Span)>,
}

impl KnownParams {
    /// `None` where the grammar is broken, a number is none, or one of them comes twice; what came before is kept.
    fn read(&mut self, raw: &[u8], params: &[u8]) -> Option<()> {
        for param in Params(params) {
            let param = param.ok()?;
            let (value, whole) = (param.value.unwrap_or_default(), Span::of(raw, param.whole));
            let again = if param.is("branch") {
                self.branch.replace(Span::of(raw, param.value.filter(|branch| !branch.is_empty())?)).is_some()
            } else if param.is("received") {
                self.received.replace((host::ip(value)?, whole)).is_some()
            } else if param.is("rport") {
                let port = if value.is_empty() { None } else { Some(host::port(value)?) };
                self.rport.replace((port, whole)).is_some()
            } else {
                false
            };
            if again {
                return None;
            }
        }
        Some(())
    }
}

/// `SIP / 2.0 / UDP` and the blanks behind; the version is not looked at, so that another one can be answered.
fn protocol(input: &[u8]) -> Lexed<'_, &[u8]> {
    let (rest, name) = lex::token(lex::skip_ws(input))?;
    if !name.eq_ignore_ascii_case(b"SIP") {
        return Err(nom::Err::Error(()));
    }
    let (rest, ()) = lex::separator("/")(rest)?;
    let (rest, _version) = lex::token(rest)?;
    let (rest, ()) = lex::separator("/")(rest)?;
    let (rest, transport) = lex::token(rest)?;
    let host = lex::skip_ws(rest);
    if host.len() == rest.len() { Err(nom::Err::Error(())) } else { Ok((host, transport)) }
}

fn port(input: &[u8]) -> Lexed<'_, u16> {
    let digits = input.iter().take_while(|b| b.is_ascii_digit()).count();
    let port = host::port(&input[..digits]).ok_or(nom::Err::Error(()))?;
    Ok((&input[digits..], port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_via_comes_apart_with_blanks_anywhere() {
        let via =
            Via::parse("SIP / 2.0\r\n /UDP  h.example : 5070 ; branch = z9hG4bKx ;rport ; received = [2001:db8::1]")
                .expect("a Via");
        assert_eq!((via.transport(), via.sent_by_port()), (&b"UDP"[..], Some(5070)));
        assert!(via.sent_by_host().eq_name("h.example") && via.is_rfc3261_branch());
        assert_eq!((via.branch(), via.rport()), (Some(&b"z9hG4bKx"[..]), Some(None)));
        assert_eq!(via.received(), "2001:db8::1".parse().ok());
    }

    #[test]
    fn ipv6_needs_brackets_in_sent_by_but_not_in_received() {
        let via = Via::parse("SIP/2.0/UDP [2001:db8::9:1]:6050;received=2001:db8::9:255;rport=7;branch=z9hG4bK")
            .expect("a Via");
        assert_eq!(via.sent_by_host().ip(), "2001:db8::9:1".parse().ok());
        assert_eq!((via.received(), via.rport()), ("2001:db8::9:255".parse().ok(), Some(Some(7))));
        assert!(!via.is_rfc3261_branch());
        assert!(Via::parse("SIP/2.0/UDP 2001:db8::9:1").is_err());
    }

    #[test]
    fn broken_parameters_leave_an_address_to_answer() {
        for text in
            ["SIP/2.0/UDP h;;", "SIP/2.0/UDP h;branch=", "SIP/2.0/UDP h;branch=a;branch=b", "SIP/2.0/UDP h;rport=65536"]
        {
            assert!(Via::parse(text).is_err(), "{text}");
            assert!(Via::read(Bytes::from(text)).is_some(), "{text}");
        }
        for text in
            ["", "SIP/2.0/UDP", "SIP/2.0/UDP ", "SIP/2.0 h", "HTTP/1.1/TCP h", "SIP/2.0/UDP h:0", "SIP/2.0/UDP h:x"]
        {
            assert!(Via::read(Bytes::from(text)).is_none(), "{text}");
        }
    }
}
