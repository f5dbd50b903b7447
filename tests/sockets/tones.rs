//! SPEC 10.4: the confirmation of a code, as it is heard: the RTP of the real program is caught and its frequency measured.

use std::f64::consts::TAU;
use std::net::UdpSocket;
use std::time::{Duration, Instant};

use super::agent::{Agent, Dialog};
use super::message::header;
use super::support::{Network, loopback};

/// Samples a second.
const RATE: f64 = 8000.0;

/// Where a phone hears: its RTP.
struct Ear {
    socket: UdpSocket,
}

/// What was heard.
struct Heard {
    /// The last byte of the first 12: payload type, without the marker.
    payload_type: u8,
    samples: Vec<f64>,
    packets: usize,
    from: std::net::SocketAddr,
    lasted: Duration,
}

impl Ear {
    fn new() -> Self {
        let socket = UdpSocket::bind((loopback(), 0)).expect("a free port");
        socket.set_read_timeout(Some(Duration::from_millis(600))).expect("a timeout");
        Self { socket }
    }

    fn port(&self) -> u16 {
        self.socket.local_addr().expect("bound").port()
    }

    fn session(&self, media: &str) -> String {
        // The address is another's: the tone goes to where the INVITE came from all the same.
        let own = format!("v=0\no=- 1 1 IN IP4 192.0.2.9\ns=-\nc=IN IP4 192.0.2.9\nt=0 0\n{media}\n");
        own.replace("PORT", &self.port().to_string())
    }

    /// Everything until nothing comes for a while.
    #[expect(clippy::disallowed_methods, reason = "how long a tone lasts is what is measured")]
    fn listen(&self) -> Option<Heard> {
        let mut heard: Option<(Heard, Instant, u16)> = None;
        let mut buffer = [0; 2048];
        while let Ok((length, from)) = self.socket.recv_from(&mut buffer) {
            let packet = &buffer[..length];
            assert_eq!((packet[0], length), (0x80, 172), "RTP of 20 ms");
            let number = u16::from_be_bytes([packet[2], packet[3]]);
            let payload_type = packet[1] & 0x7f;
            let samples = packet[12..].iter().map(|&byte| expand(payload_type, byte));
            match &mut heard {
                None => {
                    let lasted = Duration::ZERO;
                    let first = Heard { payload_type, samples: samples.collect(), packets: 1, from, lasted };
                    heard = Some((first, Instant::now(), number));
                }
                Some((heard, begin, last)) => {
                    assert_eq!((number, from, payload_type), (last.wrapping_add(1), heard.from, heard.payload_type));
                    heard.samples.extend(samples);
                    (heard.packets, heard.lasted, *last) = (heard.packets + 1, begin.elapsed(), number);
                }
            }
        }
        heard.map(|(heard, ..)| heard)
    }
}

impl Heard {
    /// The power at a frequency, by Goertzel's algorithm, of the whole power of a sine there.
    fn power(&self, frequency: f64) -> f64 {
        let coefficient = 2.0 * (TAU * frequency / RATE).cos();
        let (a, b) = self.samples.iter().fold((0.0, 0.0), |(a, b), sample| (sample + coefficient * a - b, a));
        let power = a * a + b * b - coefficient * a * b;
        let energy: f64 = self.samples.iter().map(|sample| sample * sample).sum();
        2.0 * power / (energy * self.samples.len() as f64)
    }

    fn is_the_confirmation_tone(&self, payload_type: u8) {
        assert_eq!((self.payload_type, self.packets), (payload_type, 50));
        assert!((0.8..1.5).contains(&self.lasted.as_secs_f64()), "{:?}", self.lasted);
        let powers = (100..2000).step_by(5).map(|hertz| (self.power(f64::from(hertz)), hertz));
        let (_, strongest) = powers.max_by(|a, b| a.0.total_cmp(&b.0)).expect("a frequency");
        assert_eq!(strongest, 425, "Hz");
        // Two beeps in a second: four fifths of it.
        assert!((0.7..0.9).contains(&self.power(425.0)), "{}", self.power(425.0));
        println!("{strongest} Hz, {} packets in {:?}, payload type {payload_type}", self.packets, self.lasted);
    }
}

/// ITU-T G.711.
fn expand(payload_type: u8, byte: u8) -> f64 {
    let level = if payload_type == 0 {
        let byte = !byte;
        let level = ((i32::from(byte & 0x0f) << 3) + 132) << ((byte >> 4) & 7);
        if byte & 0x80 == 0 { level - 132 } else { 132 - level }
    } else {
        let byte = byte ^ 0x55;
        let (step, mantissa) = ((byte >> 4) & 7, i32::from(byte & 0x0f) << 4);
        let level = if step == 0 { mantissa + 8 } else { (mantissa + 0x108) << (step - 1) };
        if byte & 0x80 == 0 { -level } else { level }
    };
    f64::from(level)
}

/// The body of a message.
fn body(message: &str) -> &str {
    message.split_once("\n\n").map(|(_, body)| body).unwrap_or_default()
}

/// The site hangs up, and its BYE is answered.
fn is_hung_up_on(agent: &Agent) {
    let bye = agent.request("BYE");
    assert_eq!(header(&bye, "CSeq"), "1 BYE");
    agent.answer(&bye, "200 OK");
}

/// Dials a code with that offer: the answer and the dialog.
fn answered(agent: &Agent, session: &str) -> (String, Dialog) {
    let call = agent.call_offering("*82", session);
    agent.hears(&call, 200)
}

#[test]
fn a_phone_hears_the_tone_in_the_law_that_it_asks_for_first() {
    let network = Network::new();
    let _running = network.run(&[]);
    for (media, taken) in
        [("m=audio PORT RTP/AVP 9 0 8 101\na=rtpmap:101 telephone-event/8000", 0), ("m=audio PORT RTP/AVP 8 0", 8)]
    {
        let (ada, ear) = (Agent::registered(&network, "london", "201"), Ear::new());
        let (ok, dialog) = answered(&ada, &ear.session(media));
        assert!(body(&ok).contains(&format!(" RTP/AVP {taken}\n")), "{ok}");
        ada.confirm(&dialog);
        let heard = ear.listen().expect("a tone");
        heard.is_the_confirmation_tone(taken);
        assert!((40_000..41_000).contains(&heard.from.port()), "{}", heard.from);
        is_hung_up_on(&ada);
    }
}

#[test]
fn without_an_offer_the_site_makes_one() {
    let network = Network::new();
    let _running = network.run(&[]);
    let (ada, ear) = (Agent::registered(&network, "london", "201"), Ear::new());
    let (ok, dialog) = answered(&ada, "");
    assert!(body(&ok).contains("RTP/AVP 0 8\n"), "{ok}");
    ada.confirm_answering(&dialog, &ear.session("m=audio PORT RTP/AVP 8"));
    ear.listen().expect("a tone").is_the_confirmation_tone(8);
    is_hung_up_on(&ada);
}

#[test]
fn who_takes_only_encrypted_audio_is_answered_without_any() {
    let network = Network::new();
    let _running = network.run(&[]);
    let (ada, ear) = (Agent::registered(&network, "london", "201"), Ear::new());
    let (ok, dialog) = answered(&ada, &ear.session("m=audio PORT RTP/SAVP 0"));
    assert!(body(&ok).contains("m=audio 0 RTP/SAVP 0\n"), "{ok}");
    ada.confirm(&dialog);
    is_hung_up_on(&ada);
    assert!(ear.listen().is_none());
}

#[test]
fn the_ports_are_those_of_the_plan() {
    let network = Network::new();
    network.edit("sites/london.toml", "[emergency]", "[sip]\nrtp_ports = \"43210-43291\"\n[emergency]");
    let _running = network.run(&[]);
    let (ada, ear) = (Agent::registered(&network, "london", "201"), Ear::new());
    let (_, dialog) = answered(&ada, &ear.session("m=audio PORT RTP/AVP 0"));
    ada.confirm(&dialog);
    let from = ear.listen().expect("a tone").from.port();
    assert!((43_210..43_292).contains(&from) && from % 2 == 0, "{from}");
    is_hung_up_on(&ada);
}
