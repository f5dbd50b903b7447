use super::*;

fn via(n: u32) -> String {
    format!("192.0.2.1:5062;branch=z9hG4bKn{n}")
}

#[test]
fn a_full_table_takes_nothing_until_something_ends() {
    let mut bench = Bench::with(TableLimits { servers: 2, clients: 1 }, [1, 2, 3, 4]);
    let first = bench.begin_server(&incoming("MESSAGE", &via(1)), 1);
    bench.begin_server(&incoming("INVITE", &via(2)), 2);
    let third = incoming("MESSAGE", &via(3));
    assert_eq!(bench.table.begin_server(bench.now, &third, flow(1), 3), Err(Full));
    assert_eq!(bench.hear(&third), Heard::New, "nothing of it stayed");
    bench.respond(first, 200);
    assert_eq!(bench.table.begin_server(bench.now, &third, flow(1), 3), Err(Full), "what absorbs counts too");
    bench.until(32_000);
    assert!(bench.table.begin_server(bench.now, &third, flow(1), 3).is_ok());
    assert_eq!(bench.hear(&third), Heard::Copy);

    let invite = bench.begin_client(Method::INVITE, "z9hG4bKc1", 1);
    let more = outgoing("OPTIONS", "z9hG4bKc2");
    let refused = bench.table.begin_client(bench.now, &Method::OPTIONS, b"z9hG4bKc2", more, flow(2), 2);
    assert_eq!(refused, Err(Full));
    assert_eq!(bench.sent().len(), 2, "the answer and the INVITE, not what was refused");
    bench.answer(180, "INVITE", "z9hG4bKc1");
    assert!(bench.table.cancel(bench.now, invite, None, 3), "a CANCEL always has room");
    assert_eq!(bench.sent().len(), 1);
}

#[test]
fn a_sixteenth_is_kept_for_what_cannot_wait() {
    let mut bench = Bench::with(TableLimits { servers: 32, clients: 16 }, [1, 2, 3, 4]);
    for n in 0..29 {
        bench.begin_server(&incoming("MESSAGE", &via(n)), n);
    }
    assert!(bench.table.has_room());
    bench.begin_server(&incoming("MESSAGE", &via(29)), 29);
    assert!(!bench.table.has_room());
    assert!(bench.table.begin_server(bench.now, &incoming("INVITE", &via(30)), flow(1), 30).is_ok());

    let mut bench = Bench::with(TableLimits { servers: 32, clients: 16 }, [1, 2, 3, 4]);
    for n in 0..15 {
        assert!(bench.table.has_room());
        bench.begin_client(Method::OPTIONS, &format!("z9hG4bKc{n}"), n);
    }
    assert!(!bench.table.has_room());
}

#[test]
fn an_id_of_an_ended_transaction_finds_nothing() {
    let mut bench = Bench::new();
    let old = bench.begin_client(Method::OPTIONS, "z9hG4bKc1", 1);
    bench.until(32_000);
    let new = bench.begin_client(Method::INVITE, "z9hG4bKc2", 2);
    assert_ne!(old, new);
    assert_eq!(bench.table.client_data(old), None);
    assert!(!bench.table.cancel(bench.now, old, None, 3));
}

#[test]
fn one_call_fires_at_most_a_thousand_and_is_due_again_at_once() {
    let mut bench = Bench::new();
    for n in 0..2_500 {
        let id = bench.begin_server(&incoming("MESSAGE", &via(n)), n);
        bench.respond(id, 200);
    }
    bench.sent();
    bench.now += Duration::from_secs(32);
    let mut ended = Vec::new();
    while bench.table.poll_timeout().is_some_and(|at| at <= bench.now) {
        bench.table.handle_timeout(bench.now);
        ended.push(bench.events().len());
    }
    assert_eq!(ended, [1_000, 1_000, 500]);
    assert_eq!((bench.table.servers(), bench.table.poll_timeout()), (Count::default(), None));
}

#[test]
fn a_late_call_ends_a_transaction_without_sending_it_again() {
    let mut bench = Bench::new();
    bench.begin_client(Method::INVITE, "z9hG4bKc1", 1);
    bench.sent();
    bench.now += Duration::from_secs(40);
    bench.table.handle_timeout(bench.now);
    assert_eq!(bench.sent(), []);
    assert_eq!(bench.events(), [(40_000, "client 1 timed out".to_owned())]);
}

#[test]
fn what_is_no_longer_needed_is_not_kept() {
    let mut bench = Bench::new();
    let invite = outgoing("INVITE", "z9hG4bKc1");
    bench.table.begin_client(bench.now, &Method::INVITE, b"z9hG4bKc1", invite.clone(), flow(2), 1).expect("room");
    bench.sent();
    assert!(!invite.is_unique(), "it may have to be sent again");
    bench.answer(200, "INVITE", "z9hG4bKc1");
    assert!(invite.is_unique());

    let (ok, refusal) = (Bytes::from(vec![1]), Bytes::from(vec![2]));
    let message = incoming("MESSAGE", &via(1));
    let id = bench.begin_server(&message, 2);
    bench.table.respond(bench.now, id, Status(200), ok.clone());
    let bytes = message.bytes().clone();
    drop(message);
    assert!(bytes.is_unique(), "the request is not needed once it is answered");
    bench.sent();
    assert!(!ok.is_unique(), "a copy is answered with it");

    let id = bench.begin_server(&incoming("INVITE", &via(2)), 3);
    bench.table.respond(bench.now, id, Status(486), refusal.clone());
    bench.sent();
    assert!(!refusal.is_unique(), "timer G sends it");
    bench.hear(&incoming("ACK", &via(2)));
    assert!(refusal.is_unique());
}

/// A small mixed history, as everything that came out.
fn history(seeds: [u64; 4]) -> String {
    let mut bench = Bench::with(TableLimits::default(), seeds);
    for n in 0..50 {
        let method = if n % 3 == 0 { "MESSAGE" } else { "INVITE" };
        let id = bench.begin_server(&incoming(method, &via(n)), n);
        bench.begin_client(Method::OPTIONS, &format!("z9hG4bKc{n}"), n);
        if n % 2 == 0 {
            bench.respond(id, 486);
        }
    }
    bench.table.unreachable(bench.now, flow(9).remote);
    bench.until(20_000);
    bench.table.unreachable(bench.now, flow(2).remote);
    bench.until(100_000);
    format!("{:?}\n{:?}", bench.sent, bench.events)
}

#[test]
fn one_history_gives_one_sequence_whatever_the_hash_seeds() {
    assert_eq!(history([1, 2, 3, 4]), history([5, 6, 7, 8]));
}
