//! Messages made at random: legal ones in all their spellings, and broken ones.

use std::fmt::Write;

use bytes::Bytes;
use proptest::prelude::*;

use crate::torture;

/// A request together with what it says.
#[derive(Clone, Debug)]
pub struct Made {
    pub text: String,
    pub method: &'static str,
    pub user: Option<String>,
    pub host: String,
    pub port: Option<u16>,
    pub branches: Vec<String>,
    /// Of To, quotes and escapes taken off.
    pub display: &'static str,
    pub from_tag: String,
    pub to_tag: Option<String>,
    pub call_id: String,
    pub number: u32,
    pub max_forwards: Option<u8>,
    pub contacts: usize,
    pub body: String,
}

/// How a request is spelled. All ways mean the same.
#[derive(Clone, Debug)]
struct Spelling {
    plain: bool,
    compact: bool,
    upper: bool,
    folded: bool,
    spaced: bool,
    commas: bool,
    bare_lf: bool,
    content_length: bool,
}

impl Spelling {
    fn name(&self, full: &str, compact: &str) -> String {
        let name = if self.compact && !compact.is_empty() { compact } else { full };
        let name = if self.upper { name.to_uppercase() } else { name.to_owned() };
        name + if self.spaced { " \t:" } else { ":" } + if self.folded { "\r\n " } else { " " }
    }

    fn mark(&self, mark: char) -> String {
        if self.spaced { format!(" {mark}  ") } else { mark.into() }
    }

    /// One line per value, or one line with all.
    fn list(&self, out: &mut String, name: &str, values: &[String]) {
        if self.commas && !values.is_empty() {
            let _ = write!(out, "{name}{}\r\n", values.join(if self.folded { ",\r\n\t" } else { ", " }));
        } else {
            values.iter().for_each(|value| *out += &format!("{name}{value}\r\n"));
        }
    }
}

fn spelling() -> impl Strategy<Value = Spelling> {
    any::<[bool; 7]>().prop_map(|[compact, upper, folded, spaced, commas, bare_lf, content_length]| Spelling {
        plain: false,
        compact,
        upper,
        folded,
        spaced,
        commas,
        bare_lf,
        content_length,
    })
}

fn plain_spelling() -> impl Strategy<Value = Spelling> {
    let [compact, upper, folded, spaced, commas, bare_lf] = [false; 6];
    Just(Spelling { plain: true, compact, upper, folded, spaced, commas, bare_lf, content_length: true })
}

fn host() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z][a-z0-9-]{0,8}[a-z0-9]\\.(com|example)",
        any::<std::net::Ipv4Addr>().prop_map(|ip| ip.to_string()),
        any::<std::net::Ipv6Addr>().prop_map(|ip| format!("[{ip}]")),
    ]
}

fn plain_host() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z][a-z0-9]{1,8}\\.(com|example)", any::<std::net::Ipv4Addr>().prop_map(|ip| ip.to_string())]
}

/// Any request, in any spelling.
pub fn any_request() -> impl Strategy<Value = Made> {
    request(spelling().boxed(), "[a-z0-9.*#+-]{1,12}".boxed(), host().boxed())
}

/// Requests of the kind that `rsip` reads.
pub fn plain_request() -> impl Strategy<Value = Made> {
    request(plain_spelling().boxed(), "[a-z0-9]{1,12}".boxed(), plain_host().boxed())
}

fn request(
    spelling: BoxedStrategy<Spelling>,
    user: BoxedStrategy<String>,
    host: BoxedStrategy<String>,
) -> impl Strategy<Value = Made> {
    let method = prop::sample::select(vec!["INVITE", "REGISTER", "BYE", "OPTIONS", "MESSAGE", "ACK"]);
    let target = (prop::option::of(user), host, prop::option::of(1..=65_535_u16));
    let tags = ("[a-z0-9]{1,10}", prop::option::of("[a-z0-9]{1,10}"));
    let ids = ("[a-zA-Z0-9.-]{1,16}(@[a-z0-9.]{1,8})?", any::<u32>(), prop::option::of(any::<u8>()));
    let lists = (prop::collection::vec("z9hG4bK[a-zA-Z0-9]{1,12}", 1..4), 0..4_usize, "[ -~\r\n]{0,40}");
    (spelling, method, target, tags, ids, lists).prop_map(|(spelling, method, target, tags, ids, lists)| {
        let ((user, host, port), (from_tag, to_tag)) = (target, tags);
        let display = if spelling.plain { "Bob B" } else { "A, \"<B" };
        let ((call_id, number, max_forwards), (branches, contacts, body)) = (ids, lists);
        let mut made = Made {
            text: String::new(),
            method,
            user,
            host,
            port,
            branches,
            display,
            from_tag,
            to_tag,
            call_id,
            number,
            max_forwards,
            contacts,
            body,
        };
        made.text = write(&made, &spelling);
        made
    })
}

fn write(made: &Made, spelling: &Spelling) -> String {
    let mut uri = format!("sip:{}{}", made.user.as_ref().map_or(String::new(), |user| format!("{user}@")), made.host);
    uri += &made.port.map_or(String::new(), |port| format!(":{port}"));
    let (semi, equals, slash) = (spelling.mark(';'), spelling.mark('='), spelling.mark('/'));
    let mut out = format!("{} {uri} SIP/2.0\r\n", made.method);
    let via = |branch: &String| format!("SIP{slash}2.0{slash}UDP {}:5060{semi}branch{equals}{branch}", made.host);
    let vias: Vec<String> = made.branches.iter().map(via).collect();
    spelling.list(&mut out, &spelling.name("Via", "v"), &vias);
    if let Some(hops) = made.max_forwards {
        let _ = write!(out, "{}{hops}\r\n", spelling.name("Max-Forwards", ""));
    }
    let _ = write!(out, "{}<{uri}>{semi}tag{equals}{}\r\n", spelling.name("From", "f"), made.from_tag);
    let display = made.display.replace('"', "\\\"");
    let to_tag = made.to_tag.as_ref().map_or(String::new(), |tag| format!("{semi}tag{equals}{tag}"));
    let _ = write!(out, "{}\"{display}\" <{uri}>{to_tag}\r\n", spelling.name("To", "t"));
    let _ = write!(out, "{}{}\r\n", spelling.name("Call-ID", "i"), made.call_id);
    let _ = write!(out, "{}{} {}\r\n", spelling.name("CSeq", ""), made.number, made.method);
    let contacts: Vec<String> =
        (0..made.contacts).map(|n| format!("<sip:{n}@{}>{semi}q{equals}0.{n}", made.host)).collect();
    spelling.list(&mut out, &spelling.name("Contact", "m"), &contacts);
    if spelling.content_length {
        let _ = write!(out, "{}{}\r\n", spelling.name("Content-Length", "l"), made.body.len());
    }
    out.push_str("\r\n");
    if spelling.bare_lf {
        out = out.replace("\r\n", "\n");
    }
    out + &made.body
}

/// A request with a list of Route values, on lines of one to three each, and the values.
pub fn routed() -> impl Strategy<Value = (Bytes, Vec<String>)> {
    let line = (1..4_usize, prop::sample::select(vec![",", ", ", " ,\r\n\t"]));
    (plain_request(), prop::collection::vec(line, 1..5)).prop_map(|(made, lines)| {
        let (mut values, mut text) = (Vec::new(), String::new());
        for (count, comma) in lines {
            let here: Vec<String> = (0..count).map(|n| format!("\"r, {}\" <sip:{n};lr>", values.len() + n)).collect();
            text += &format!("Route: {}\r\n", here.join(comma));
            values.extend(here);
        }
        (made.text.replacen("From:", &format!("{text}From:"), 1).into(), values)
    })
}

/// Bytes that were a message before something happened to them: some are put in, taken out, changed or repeated.
pub fn broken() -> impl Strategy<Value = Bytes> {
    let torture: Vec<Bytes> = torture::files().map(torture::bytes).collect();
    let sound = prop_oneof![prop::sample::select(torture), any_request().prop_map(|made| made.text.into())];
    wounded(sound, SHARDS, 6)
}

/// Requests of the kind that `rsip` reads with a letter more or less: the marks that it takes for others are left alone.
pub fn plain_broken() -> impl Strategy<Value = Bytes> {
    let sound = plain_request().prop_map(|made| made.text.into());
    wounded(sound, &[b"", b"a", b"Z", b"7", b"-"], 4).prop_filter("a bare CR or LF", |bytes| {
        let head = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(bytes.len());
        let ends = bytes[..head].windows(2).filter(|two| two == b"\r\n").count();
        let marks = bytes[..head].iter().filter(|b| matches!(b, b'\r' | b'\n')).count();
        marks == 2 * ends
    })
}

fn wounded(sound: impl Strategy<Value = Bytes>, shards: &[&'static [u8]], most: usize) -> impl Strategy<Value = Bytes> {
    let wound = (any::<prop::sample::Index>(), 0..most, prop::sample::select(shards.to_vec()));
    (sound, prop::collection::vec(wound, 0..most)).prop_map(|(sound, wounds)| {
        let mut bytes = sound.to_vec();
        for (place, length, shard) in wounds {
            let at = place.index(bytes.len() + 1);
            let end = bytes.len().min(at + length);
            bytes.splice(at..end, shard.iter().copied());
        }
        bytes.into()
    })
}

/// What hurts a reader.
const SHARDS: &[&[u8]] = &[
    b"",
    b"\r",
    b"\n",
    b"\r\n",
    b"\r\n ",
    b"\r\n\r\n",
    b" ",
    b"\t",
    b":",
    b";",
    b",",
    b"=",
    b"\"",
    b"\\",
    b"<",
    b">",
    b"@",
    b"%",
    b"%0",
    b"[",
    b"]",
    b"?",
    b"*",
    b"\0",
    b"\xff",
    b"\xc3\xa9",
    b"99999999999999999999",
    b"-1",
    b";tag=x",
    b";branch=",
    b"SIP/2.0",
    b"Via: x\r\n",
    b"v: SIP/2.0/UDP h,",
    b"\r\nRoute: <sip:h;lr>,\r\n <sip:i>",
    b"l:3\r\n",
    b"()",
    b"::",
    b"sip:",
    b"tel:",
    b";;",
    b",,",
];
