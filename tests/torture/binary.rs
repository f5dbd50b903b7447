//! The same over UDP against the real program.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use crate::cases::{self, Heard, Table};
use crate::support::{Network, Phone};

/// An address of this process's own on loopback, so that any port of it is free.
fn own_address() -> Ipv4Addr {
    let id = std::process::id();
    let byte = |shift: u32| u8::try_from((id >> shift) & 0x7f).unwrap();
    Ipv4Addr::new(127, 100 + byte(14) % 100, 1 + byte(7), 1 + byte(0))
}

/// What has come by now.
fn heard_by(socket: &UdpSocket) -> Vec<Vec<u8>> {
    socket.set_read_timeout(Some(Duration::from_millis(10))).unwrap();
    let mut buffer = vec![0; 65_535];
    let mut all = Vec::new();
    while let Ok(length) = socket.recv(&mut buffer) {
        all.push(buffer[..length].to_vec());
    }
    all
}

#[test]
fn a_stranger_gets_the_expected_verdict_from_the_program() {
    let network = Network::new();
    let mut running = network.run(&[]);
    let site = network.address("london");
    let (trunk, bystander) = (network.trunk("london"), Phone::new());
    let mut table = Table::default();
    for (number, case) in (1..).zip(cases::all().into_iter().filter(|case| case.fits())) {
        let from = SocketAddr::from((own_address(), case.reply_port()));
        let socket = UdpSocket::bind(from).unwrap();
        socket.send_to(&case.bytes, site).unwrap();
        // One socket hears one after the other: when this is answered, the message has been dealt with.
        let pong = bystander.ping(site, number);
        assert!(pong.starts_with("SIP/2.0 200 "), "after {}: {pong}", case.file);
        let heard = heard_by(&socket);
        table.judge(&case, Heard::of(heard.iter().map(Vec::as_slice)));
    }
    assert!(running.is_running());
    assert_eq!(trunk.receive_within(Duration::from_millis(10)), None, "nothing of a stranger reaches a trunk");
    table.end("stranger, program over UDP");
}
