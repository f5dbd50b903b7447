use super::*;

/// A request of a peer of RFC 2543: no branch, or one that names nothing.
fn old(method: &str, via: &str, to_tag: &str) -> Request {
    let text = text(incoming(method, via).bytes());
    request(&text.replace("To: <sip:201@london.example>", &format!("To: <sip:201@london.example>{to_tag}")))
}

/// Answers with a To tag, as the ACK of such a peer must repeat it.
fn refuse(bench: &mut Bench, id: ServerId, tag: &str) {
    let answer = text(response(486, "INVITE", "x").bytes()).replace("tag=t9", &format!("tag={tag}"));
    bench.table.respond(bench.now, id, Status(486), Bytes::from(answer));
}

#[test]
fn a_copy_has_the_same_branch_sent_by_and_method() {
    let mut bench = Bench::new();
    bench.begin_server(&incoming("OPTIONS", "Phone.London.Example:5062;branch=z9hG4bKx1"), 5);
    let copies = [
        ("OPTIONS", "phone.london.example:5062;branch=z9hG4bKx1"),
        ("OPTIONS", "phone.london.example:5062;rport;branch=z9hG4bKx1;received=192.0.2.7"),
    ];
    for (method, via) in copies {
        assert_eq!(bench.hear(&incoming(method, via)), Heard::Copy, "{via}");
    }
    let others = [
        ("OPTIONS", "phone.london.example:5063;branch=z9hG4bKx1"),
        ("OPTIONS", "phone.london.example;branch=z9hG4bKx1"),
        ("OPTIONS", "phone.paris.example:5062;branch=z9hG4bKx1"),
        ("OPTIONS", "phone.london.example:5062;branch=z9hG4bKx2"),
        ("OPTIONS", "phone.london.example:5062;branch=z9hG4bKX1"),
        ("MESSAGE", "phone.london.example:5062;branch=z9hG4bKx1"),
        ("UNHEARD", "phone.london.example:5062;branch=z9hG4bKx1"),
    ];
    for (method, via) in others {
        assert_eq!(bench.hear(&incoming(method, via)), Heard::New, "{method} {via}");
    }
}

#[test]
fn addresses_are_compared_by_value_and_5060_is_the_port_where_none_is() {
    let mut bench = Bench::new();
    bench.begin_server(&incoming("OPTIONS", "[2001:db8::1];branch=z9hG4bKx1"), 5);
    assert_eq!(bench.hear(&incoming("OPTIONS", "[2001:DB8:0::1]:5060;branch=z9hG4bKx1")), Heard::Copy);
    assert_eq!(bench.hear(&incoming("OPTIONS", "[2001:db8::2];branch=z9hG4bKx1")), Heard::New);
}

#[test]
fn with_a_branch_of_rfc_3261_nothing_else_counts() {
    let mut bench = Bench::new();
    let via = "192.0.2.1;branch=z9hG4bKx1";
    bench.begin_server(&incoming("INVITE", via), 5);
    let other = text(incoming("INVITE", via).bytes()).replace("Call-ID: c1", "Call-ID: c2");
    assert_eq!(bench.hear(&request(&other)), Heard::Copy);
}

#[test]
fn an_rfc_2543_peer_is_matched_by_what_it_has() {
    for via in ["192.0.2.1:5062", "192.0.2.1:5062;branch=7", "192.0.2.1:5062;branch=z9hG4bK"] {
        let mut bench = Bench::new();
        bench.begin_server(&old("INVITE", via, ""), 5);
        assert_eq!(bench.hear(&old("INVITE", via, "")), Heard::Copy, "{via}");
        assert_eq!(bench.hear(&old("CANCEL", via, "")), Heard::Cancel(Some(5)), "{via}");
        let was = text(old("INVITE", via, "").bytes());
        let changes = [
            ("sip:201@london.example SIP/2.0", "sip:203@london.example SIP/2.0"),
            ("tag=f1", "tag=f2"),
            ("To: <sip:201@london.example>", "To: <sip:201@london.example>;tag=t1"),
            ("Call-ID: c1", "Call-ID: c2"),
            ("CSeq: 7", "CSeq: 8"),
            ("UDP 192.0.2.1", "UDP 192.0.2.2"),
            ("INVITE", "OPTIONS"),
        ];
        for (from, to) in changes {
            assert_eq!(bench.hear(&request(&was.replace(from, to))), Heard::New, "{to} {via}");
        }
    }
}

#[test]
fn the_ack_of_an_rfc_2543_peer_has_the_to_tag_of_our_response() {
    let (mut bench, via) = (Bench::new(), "192.0.2.1:5062");
    let id = bench.begin_server(&old("INVITE", via, ""), 5);
    refuse(&mut bench, id, "ours");
    assert_eq!(bench.hear(&old("ACK", via, ";tag=other")), Heard::New);
    assert_eq!(bench.hear(&old("ACK", via, "")), Heard::New);
    assert_eq!(bench.hear(&old("ACK", via, ";tag=ours")), Heard::Ack(5));
    assert_eq!(bench.hear(&old("ACK", via, ";tag=ours")), Heard::Copy);
    bench.until(100_000);
    assert_eq!(bench.events(), [(5_000, "server 5 ended".to_owned())]);
    assert_eq!(bench.hear(&old("ACK", via, ";tag=ours")), Heard::New, "both keys are gone");
    assert_eq!(bench.hear(&old("INVITE", via, "")), Heard::New, "both keys are gone");
}

#[test]
fn the_ack_of_an_rfc_2543_peer_to_a_2xx_goes_on() {
    let (mut bench, via) = (Bench::new(), "192.0.2.1:5062");
    let id = bench.begin_server(&old("INVITE", via, ""), 5);
    bench.respond(id, 200);
    assert_eq!(bench.hear(&old("ACK", via, ";tag=t1")), Heard::New);
}
