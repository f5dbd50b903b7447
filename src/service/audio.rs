//! What is said of audio in a call that the site answers itself (SPEC 10.4): G.711 by the offer/answer model of RFC 3264, one way.

use std::net::{IpAddr, SocketAddr};

use super::tone::Law;
use crate::sip::{Direction, Media, Session};

/// The type of a session description.
pub const CONTENT_TYPE: &str = "application/sdp";

/// The audio that both sides can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Audio {
    /// How samples are written.
    pub law: Law,
    /// Under which payload type.
    pub payload_type: u8,
    /// Where the phone wants it.
    pub port: u16,
    /// The phone wants to hear something.
    pub is_heard: bool,
    /// Its place among the media.
    place: usize,
    direction: Direction,
}

impl Audio {
    /// The first audio of the phone's description that a tone can be sent by: plain RTP, PCMU or PCMA.
    pub fn of(session: &Session) -> Option<Self> {
        session.media.iter().enumerate().find_map(|(place, media)| Self::of_media(session, place, media))
    }

    fn of_media(session: &Session, place: usize, media: &Media) -> Option<Self> {
        if media.kind != "audio" || media.transport != "RTP/AVP" || media.port == 0 {
            return None;
        }
        let (law, payload_type) = media.formats.iter().find_map(|format| law_of(media, format))?;
        let direction = session.direction(media);
        let is_heard = matches!(direction, Direction::SendRecv | Direction::RecvOnly) && !session.is_nowhere(media);
        Some(Self { law, payload_type, port: media.port, is_heard, place, direction })
    }
}

/// RFC 3551 §6: 0 and 8 need no `rtpmap`; any other number may be mapped to the same encodings.
fn law_of(media: &Media, format: &str) -> Option<(Law, u8)> {
    let payload_type = format.parse().ok().filter(|number| *number < 128)?;
    let encoding = media.encoding(format).map(|name| name.to_ascii_uppercase());
    let law = match (encoding.as_deref(), payload_type) {
        (Some("PCMU/8000" | "PCMU/8000/1"), _) | (None, 0) => Law::Mu,
        (Some("PCMA/8000" | "PCMA/8000/1"), _) | (None, 8) => Law::A,
        (Some(_) | None, _) => return None,
    };
    Some((law, payload_type))
}

/// The answer to an offer: `audio` is taken at our `port`, everything else refused (RFC 3264 §6). Without a port nothing is taken.
pub fn answer(offer: &Session, audio: Option<&Audio>, here: IpAddr, port: Option<u16>, id: u64) -> String {
    let mut text = heading(here, id);
    for (place, media) in offer.media.iter().enumerate() {
        match audio.filter(|audio| audio.place == place).zip(port) {
            Some((audio, port)) => {
                text += &format!("m=audio {port} RTP/AVP {}\r\n", audio.payload_type);
                text += &mapping(audio.law, audio.payload_type);
                text += &format!("a={}\r\n", audio.direction.reversed().name());
            }
            None => {
                let format = media.formats.first().map_or("0", String::as_str);
                text += &format!("m={} 0 {} {format}\r\n", media.kind, media.transport);
            }
        }
    }
    text
}

/// Our own offer, to an INVITE without one (RFC 3261 §13.2.1).
pub fn offer(here: SocketAddr, id: u64) -> String {
    let laws = [Law::Mu, Law::A];
    let maps: String = laws.iter().map(|law| mapping(*law, law.payload_type())).collect();
    format!("{}m=audio {} RTP/AVP 0 8\r\n{maps}a=sendrecv\r\n", heading(here.ip(), id), here.port())
}

/// RFC 8866 §5. The id is a number of at most 62 bits (RFC 3264 §5).
fn heading(here: IpAddr, id: u64) -> String {
    let address = if here.is_ipv4() { format!("IP4 {here}") } else { format!("IP6 {here}") };
    let id = id >> 2;
    format!("v=0\r\no=hotdesk {id} {id} IN {address}\r\ns=-\r\nc=IN {address}\r\nt=0 0\r\n")
}

fn mapping(law: Law, payload_type: u8) -> String {
    format!("a=rtpmap:{payload_type} {}/8000\r\n", law.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn session(lines: &[&str]) -> Session {
        Session::parse(format!("v=0\r\n{}\r\n", lines.join("\r\n")).as_bytes()).expect("a description")
    }

    /// What is answered to the media of an offer.
    fn answered(lines: &[&str], port: Option<u16>) -> Vec<String> {
        let offer = session(lines);
        let text = answer(&offer, Audio::of(&offer).as_ref(), HERE, port, 4);
        let rest = text.strip_prefix("v=0\r\no=hotdesk 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n");
        rest.expect("a heading").lines().map(str::to_owned).collect()
    }

    #[test]
    fn the_first_g711_of_the_offer_is_taken_and_everything_else_refused() {
        assert_eq!(
            answered(
                &["m=video 1 RTP/AVP 96 97", "m=audio 4000 RTP/AVP 9 8 0 101", "m=audio 2 RTP/AVP 0"],
                Some(40_000)
            ),
            [
                "m=video 0 RTP/AVP 96",
                "m=audio 40000 RTP/AVP 8",
                "a=rtpmap:8 PCMA/8000",
                "a=sendrecv",
                "m=audio 0 RTP/AVP 0"
            ]
        );
        let mapped = ["m=audio 4000 RTP/AVP 96 97", "a=rtpmap:96 opus/48000/2", "a=rtpmap:97 pcmu/8000"];
        assert_eq!(
            answered(&mapped, Some(40_002)),
            ["m=audio 40002 RTP/AVP 97", "a=rtpmap:97 PCMU/8000", "a=sendrecv"]
        );
    }

    #[test]
    fn without_usable_audio_or_without_a_port_nothing_is_taken() {
        for media in ["m=audio 4000 RTP/SAVP 0", "m=audio 4000 RTP/AVP 9", "m=audio 0 RTP/AVP 0", "m=image 1 udptl t38"]
        {
            let words: Vec<&str> = media.split(' ').collect();
            assert_eq!(answered(&[media], Some(40_000)), [format!("{} 0 {} {}", words[0], words[2], words[3])]);
        }
        assert_eq!(answered(&["m=audio 4000 RTP/AVP 0"], None), ["m=audio 0 RTP/AVP 0"]);
        let remapped = ["m=audio 4000 RTP/AVP 0", "a=rtpmap:0 opus/48000/2"];
        assert_eq!(answered(&remapped, Some(40_000)), ["m=audio 0 RTP/AVP 0"]);
    }

    #[test]
    fn who_does_not_want_to_hear_hears_nothing() {
        let audio = |line: &str| Audio::of(&session(&["m=audio 4000 RTP/AVP 0", line])).expect("usable");
        let heard = ["a=sendrecv", "a=recvonly", "a=sendonly", "a=inactive", "c=IN IP4 0.0.0.0"]
            .map(|line| audio(line).is_heard);
        assert_eq!(heard, [true, true, false, false, false]);
        assert!(answered(&["m=audio 4000 RTP/AVP 0", "a=recvonly"], Some(1)).contains(&"a=sendonly".into()));
    }

    #[test]
    fn our_own_offer_is_of_both_laws() {
        let offer = Session::parse(offer((HERE, 40_000).into(), 1).as_bytes()).expect("what we write we can read");
        assert_eq!(offer.media.len(), 1);
        let audio = Audio::of(&offer).expect("usable");
        assert_eq!((audio.law, audio.port, offer.media[0].formats.join(" ").as_str()), (Law::Mu, 40_000, "0 8"));
    }
}
