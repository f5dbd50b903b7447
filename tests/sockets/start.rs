//! Starting, answering, and not being stopped by what comes.

use super::support::{Network, Phone};

#[test]
fn the_program_says_what_it_listens_to_and_then_that_it_is_ready() {
    let network = Network::new();
    let running = network.run(&[]);
    let london = format!("listening udp:{} london", network.address("london"));
    let paris = format!("listening udp:{} paris", network.address("paris"));
    assert_eq!(running.lines, [london, paris, "ready: london, paris".to_owned()]);
    assert!(running.log().contains("receive_buffer="), "{}", running.log());
}

#[test]
fn only_the_named_sites_are_served() {
    let network = Network::new();
    std::fs::remove_file(network.directory.join("sites/london.toml")).expect("the plan");
    let running = network.run(&["--site", "paris"]);
    assert_eq!(running.lines.last().map(String::as_str), Some("ready: paris"));
    assert!(Phone::new().ping(network.address("paris"), 1).starts_with("SIP/2.0 200 "));
}

#[test]
fn options_to_every_site_gets_200() {
    let network = Network::new();
    let _running = network.run(&[]);
    let phone = Phone::new();
    for (number, (_, site)) in (1..).zip(&network.addresses) {
        let answer = phone.ping(*site, number);
        assert!(answer.starts_with("SIP/2.0 200 "), "{answer}");
        assert!(answer.contains(&format!("\nCSeq: {number} OPTIONS\n")), "{answer}");
    }
}

#[test]
fn garbage_does_not_stop_a_site() {
    let network = Network::new();
    let mut running = network.run(&[]);
    let (phone, site) = (Phone::new(), network.address("london"));
    let long = vec![b'a'; 65_000];
    let garbage: [&[u8]; 9] = [
        b"",
        b"\0",
        b"\r\n\r\n",
        b"INVITE",
        b"INVITE sip:\xff\xfe SIP/2.0\r\n\r\n",
        b"SIP/2.0 200 OK\r\nVia: \r\nCSeq: 99999999999999999999 \r\n\r\n",
        b"REGISTER sip:a SIP/2.0\r\nVia: SIP/2.0/UDP [::;branch=\r\nContent-Length: -1\r\n\r\n",
        b"OPTIONS sip:a SIP/2.0\r\nContent-Length: 18446744073709551616\r\n\r\nx",
        &long,
    ];
    for bytes in garbage {
        phone.send_bytes(site, bytes);
    }
    // Another socket: answers to the garbage are not what is asked for.
    assert!(Phone::new().ping(site, 1).starts_with("SIP/2.0 200 "));
    assert!(running.is_running());
}

#[test]
fn more_than_one_batch_at_once_is_answered_whole() {
    let network = Network::new();
    let _running = network.run(&["--site", "london"]);
    let phones: Vec<_> = (0..90).map(|_| Phone::new()).collect();
    let site = network.address("london");
    for (number, phone) in (1..).zip(&phones) {
        phone.send(site, &phone.options(site, number));
    }
    assert!(phones.iter().all(|phone| phone.receive().starts_with("SIP/2.0 ")));
}
