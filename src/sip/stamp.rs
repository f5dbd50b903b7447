//! Where a request came from, written into its top Via (RFC 3261 §18.2.1, RFC 3581 §4).

use std::net::IpAddr;

use smallvec::SmallVec;

use super::lines::Lines;
use super::numeral::{push_ip, push_number};
use super::span::Span;
use super::via::Via;

/// What is written at one place.
#[derive(Clone, Copy, Debug)]
pub(super) enum Mark {
    Received(IpAddr),
    Rport(u16),
}

impl Mark {
    pub(super) fn write(self, out: &mut Vec<u8>) {
        match self {
            Self::Received(ip) => {
                out.extend_from_slice(b";received=");
                push_ip(out, ip);
            }
            Self::Rport(port) => {
                out.extend_from_slice(b";rport=");
                push_number(out, port.into());
            }
        }
    }
}

/// The places of the message that give way to a mark, in order: `received` if given, `rport` if the Via asks for it.
pub(super) fn stamp(
    lines: &Lines,
    via: &Via,
    received: Option<IpAddr>,
    rport: Option<u16>,
) -> SmallVec<[(Span, Mark); 2]> {
    let base = Span::of(&lines.bytes, via.raw());
    let at = |span: Span| Span { start: base.start + span.start, end: base.start + span.end };
    let mut marks = SmallVec::new();
    if let (Some(port), Some(span)) = (rport, via.rport_at()) {
        marks.push((at(span), Mark::Rport(port)));
    }
    if let Some(ip) = received {
        let end = Span { start: base.end, end: base.end };
        marks.push((via.received_at().map_or(end, at), Mark::Received(ip)));
    }
    marks.sort_unstable_by_key(|(span, _): &(Span, Mark)| span.start);
    marks
}
