//! Session descriptions (RFC 8866), as far as a site that answers a call itself reads them: media, their formats, attributes and
//! whether a connection address is none. What is passed on is never read.

use std::borrow::Cow;

/// Most media of one description.
const MEDIA: usize = 32;

/// A session description.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Session {
    /// Its media, in order.
    pub media: Vec<Media>,
    /// What holds for every medium that says nothing of its own.
    attributes: Vec<Attribute>,
    is_nowhere: bool,
}

/// One `m=` line and what belongs to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Media {
    /// `audio`, `video` …
    pub kind: String,
    /// 0: not wanted.
    pub port: u16,
    /// `RTP/AVP` …
    pub transport: String,
    /// Payload types, or whatever the transport has instead; at least one.
    pub formats: Vec<String>,
    attributes: Vec<Attribute>,
    is_nowhere: Option<bool>,
}

/// Which way media goes, as the one who says it sees it (RFC 3264 §5.1, §6.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Both ways; where nothing is said.
    SendRecv,
    /// Only from here.
    SendOnly,
    /// Only to here.
    RecvOnly,
    /// Neither.
    Inactive,
}

/// A text that is no session description.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Malformed Session Description")]
pub struct BadSession;

/// `a=name:value` or `a=name`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Attribute {
    name: String,
    value: String,
}

impl Session {
    /// Reads a body. Line ends may be bare; characters that are no UTF-8 stand in names only, and are replaced.
    pub fn parse(body: &[u8]) -> Result<Self, BadSession> {
        let text: Cow<'_, str> = String::from_utf8_lossy(body);
        let mut lines = text.lines().filter(|line| !line.is_empty());
        // RFC 8866 §5.1: the version is the first line.
        lines.next().filter(|line| *line == "v=0").ok_or(BadSession)?;
        let mut session = Self::default();
        for line in lines {
            let (kind, value) = line.split_once('=').filter(|(kind, _)| kind.len() == 1).ok_or(BadSession)?;
            session.take(kind, value)?;
        }
        Ok(session)
    }

    fn take(&mut self, kind: &str, value: &str) -> Result<(), BadSession> {
        let is_full = self.media.len() >= MEDIA;
        match (kind, self.media.last_mut()) {
            ("m", _) if is_full => return Err(BadSession),
            ("m", _) => self.media.push(Media::parse(value)?),
            ("c", Some(media)) => media.is_nowhere = Some(is_nowhere(value)),
            ("c", None) => self.is_nowhere = is_nowhere(value),
            ("a", Some(media)) => media.attributes.push(Attribute::parse(value)),
            ("a", None) => self.attributes.push(Attribute::parse(value)),
            // The other lines say nothing to a tone.
            (_, _) => {}
        }
        Ok(())
    }

    /// Which way a medium goes: what it says itself, else what is said for all.
    pub fn direction(&self, media: &Media) -> Direction {
        let said = |attributes: &[Attribute]| attributes.iter().find_map(|attribute| Direction::parse(&attribute.name));
        said(&media.attributes).or_else(|| said(&self.attributes)).unwrap_or(Direction::SendRecv)
    }

    /// RFC 2543 §B.5, RFC 3264 §8.4: a connection address of zeros, by which old phones hold a call.
    pub fn is_nowhere(&self, media: &Media) -> bool {
        media.is_nowhere.unwrap_or(self.is_nowhere)
    }
}

impl Media {
    /// `audio 49170/2 RTP/AVP 0 8` (RFC 8866 §5.14).
    fn parse(value: &str) -> Result<Self, BadSession> {
        let mut words = value.split(' ').filter(|word| !word.is_empty());
        let mut next = || words.next().ok_or(BadSession);
        let (kind, port, transport) = (next()?.to_owned(), next()?, next()?.to_owned());
        let port = port.split('/').next().unwrap_or(port);
        let port = port.parse().map_err(|_| BadSession)?;
        let formats: Vec<String> = words.map(str::to_owned).collect();
        if formats.is_empty() {
            return Err(BadSession);
        }
        Ok(Self { kind, port, transport, formats, attributes: Vec::new(), is_nowhere: None })
    }

    /// `PCMU/8000` of `a=rtpmap:0 PCMU/8000`, for that format.
    pub fn encoding(&self, format: &str) -> Option<&str> {
        let maps = self.attributes.iter().filter(|attribute| attribute.name == "rtpmap");
        maps.filter_map(|map| map.value.split_once(' ')).find(|(of, _)| *of == format).map(|(_, name)| name.trim())
    }
}

impl Attribute {
    fn parse(value: &str) -> Self {
        let (name, value) = value.split_once(':').unwrap_or((value, ""));
        Self { name: name.trim().to_owned(), value: value.to_owned() }
    }
}

impl Direction {
    fn parse(name: &str) -> Option<Self> {
        match name {
            "sendrecv" => Some(Self::SendRecv),
            "sendonly" => Some(Self::SendOnly),
            "recvonly" => Some(Self::RecvOnly),
            "inactive" => Some(Self::Inactive),
            _ => None,
        }
    }

    /// As an attribute.
    pub fn name(self) -> &'static str {
        match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }

    /// As the other side sees it: what answers it (RFC 3264 §6.1).
    pub fn reversed(self) -> Self {
        match self {
            Self::SendOnly => Self::RecvOnly,
            Self::RecvOnly => Self::SendOnly,
            Self::SendRecv | Self::Inactive => self,
        }
    }
}

/// `IN IP4 0.0.0.0`
fn is_nowhere(connection: &str) -> bool {
    let address = connection.split(' ').next_back().unwrap_or_default();
    address.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_unspecified())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(lines: &[&str]) -> Result<Session, BadSession> {
        Session::parse(lines.join("\r\n").as_bytes())
    }

    #[test]
    fn media_have_their_own_attributes_and_those_of_the_session() {
        let session = parse(&[
            "v=0",
            "o=- 1 1 IN IP4 192.0.2.1",
            "s=\u{e9}",
            "c=IN IP4 192.0.2.1",
            "t=0 0",
            "a=sendonly",
            "m=audio 4000/2 RTP/AVP 0 101",
            "a=rtpmap:0 PCMU/8000",
            "a=rtpmap:101 telephone-event/8000",
            "a=inactive",
            "m=video 0 RTP/SAVP 99",
            "c=IN IP6 ::",
            "",
        ])
        .expect("a description");
        let [audio, video] = &session.media[..] else { panic!("two media") };
        assert_eq!((audio.kind.as_str(), audio.port, audio.transport.as_str()), ("audio", 4000, "RTP/AVP"));
        assert_eq!(
            (audio.formats.as_slice(), audio.encoding("101")),
            (&["0".into(), "101".into()][..], Some("telephone-event/8000"))
        );
        assert_eq!((session.direction(audio), session.direction(video)), (Direction::Inactive, Direction::SendOnly));
        assert_eq!((session.is_nowhere(audio), session.is_nowhere(video)), (false, true));
    }

    #[test]
    fn what_is_no_description_is_none() {
        for wrong in [
            &[][..],
            &["s=-"],
            &["v=1"],
            &["v=0", "audio"],
            &["v=0", "mm=audio"],
            &["v=0", "m=audio"],
            &["v=0", "m=audio 65536 RTP/AVP 0"],
            &["v=0", "m=audio x RTP/AVP 0"],
            &["v=0", "m=audio 1 RTP/AVP"],
        ] {
            assert_eq!(parse(wrong), Err(BadSession), "{wrong:?}");
        }
        assert_eq!(Session::parse(b"v=0\n"), Ok(Session::default()));
        assert!(Session::parse(b"v=0\ns=\xe9\n").is_ok());
    }

    #[test]
    fn the_number_of_media_is_bounded() {
        let many = |count: usize| [vec!["v=0"], vec!["m=audio 1 RTP/AVP 0"; count]].concat();
        assert!(parse(&many(MEDIA)).is_ok() && parse(&many(MEDIA + 1)).is_err());
    }

    #[test]
    fn the_answer_to_a_direction_is_its_mirror() {
        for (one, other) in [("sendonly", "recvonly"), ("sendrecv", "sendrecv"), ("inactive", "inactive")] {
            let direction = Direction::parse(one).expect("a direction");
            assert_eq!((direction.name(), direction.reversed().name()), (one, other));
            assert_eq!(direction.reversed().reversed(), direction);
        }
    }
}
