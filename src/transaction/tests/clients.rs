use super::*;

const BRANCH: &str = "z9hG4bKb1";

fn event(ms: u64, text: &str) -> Vec<(u64, String)> {
    vec![(ms, text.to_owned())]
}

#[test]
fn an_invite_is_sent_again_by_timer_a_until_timer_b() {
    let mut bench = Bench::new();
    bench.begin_client(Method::INVITE, BRANCH, 5);
    bench.until(31_999);
    assert_eq!(bench.times(), [0, 500, 1_500, 3_500, 7_500, 15_500, 31_500]);
    assert_eq!(bench.events(), []);
    bench.until(100_000);
    assert_eq!(bench.events(), event(32_000, "client 5 timed out"));
    assert_eq!(bench.times(), [0; 0]);
    assert_eq!(bench.table.clients(), Count::default());
}

#[test]
fn a_provisional_response_lets_an_invite_wait_for_ever() {
    let mut bench = Bench::new();
    bench.begin_client(Method::INVITE, BRANCH, 5);
    bench.until(700);
    assert_eq!(bench.answer(100, "INVITE", BRANCH), Some(5));
    assert_eq!(bench.answer(180, "INVITE", BRANCH), Some(5));
    assert_eq!(bench.table.poll_timeout(), None);
    bench.until(170_000);
    assert_eq!(bench.times(), [0, 500]);
    assert_eq!(bench.answer(183, "INVITE", BRANCH), Some(5));
}

#[test]
fn every_2xx_to_an_invite_is_passed_until_timer_m() {
    let mut bench = Bench::new();
    bench.begin_client(Method::INVITE, BRANCH, 5);
    bench.until(100);
    assert_eq!(bench.answer(200, "INVITE", BRANCH), Some(5));
    assert_eq!(bench.table.clients(), Count { invite: 1, non_invite: 0, pending: 0 });
    bench.until(32_099);
    assert_eq!(bench.answer(200, "INVITE", BRANCH), Some(5), "again, or of another branch downstream");
    assert_eq!(bench.answer(180, "INVITE", BRANCH), None);
    bench.until(32_100);
    assert_eq!(bench.events(), event(32_100, "client 5 ended"));
    assert_eq!(bench.sent().len(), 1, "the layer acknowledges no 2xx");
    assert_eq!(bench.table.hear_response(bench.now, &response(200, "INVITE", BRANCH)), Answer::Stray);
}

#[test]
fn a_failure_is_acknowledged_each_time_it_comes() {
    let mut bench = Bench::new();
    bench.begin_client(Method::INVITE, BRANCH, 5);
    bench.until(100);
    assert_eq!(bench.answer(486, "INVITE", BRANCH), Some(5));
    bench.drain();
    let (_, ack) = bench.sent.pop().expect("an ACK");
    insta::assert_snapshot!(ack.replace("\r\n", "\n"));
    bench.sent.clear();
    bench.until(32_099);
    assert_eq!(bench.answer(486, "INVITE", BRANCH), None);
    bench.drain();
    assert_eq!(bench.sent, [(32_099, ack)], "the same bytes");
    assert_eq!(bench.events(), []);
    bench.until(60_000);
    assert_eq!(bench.events(), event(32_100, "client 5 ended"), "timer D");
}

#[test]
fn a_non_invite_is_sent_again_at_intervals_up_to_t2() {
    let mut bench = Bench::new();
    bench.begin_client(Method::OPTIONS, BRANCH, 5);
    bench.until(100_000);
    assert_eq!(bench.times(), [0, 500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]);
    assert_eq!(bench.events(), event(32_000, "client 5 timed out"));
}

#[test]
fn after_a_provisional_response_a_non_invite_is_sent_every_t2() {
    let mut bench = Bench::new();
    bench.begin_client(Method::MESSAGE, BRANCH, 5);
    bench.until(600);
    assert_eq!(bench.answer(100, "MESSAGE", BRANCH), Some(5));
    bench.until(12_000);
    assert_eq!(bench.times(), [0, 500, 1_500, 5_500, 9_500]);
    assert_eq!(bench.answer(200, "MESSAGE", BRANCH), Some(5));
    assert_eq!(bench.answer(200, "MESSAGE", BRANCH), None);
    bench.until(60_000);
    assert_eq!(bench.times(), [0; 0]);
    assert_eq!(bench.events(), event(17_000, "client 5 ended"), "timer K");
}

#[test]
fn a_cancel_before_a_provisional_response_is_remembered() {
    let mut bench = Bench::new();
    let id = bench.begin_client(Method::INVITE, BRANCH, 5);
    bench.until(100);
    assert!(bench.table.cancel(bench.now, id, Some(b"SIP;cause=200;text=\"Call completed elsewhere\""), 6));
    assert!(!bench.table.cancel(bench.now, id, None, 7), "once is enough");
    bench.until(600);
    assert_eq!(bench.times(), [0, 500], "the INVITE alone");
    assert_eq!(bench.answer(100, "INVITE", BRANCH), Some(5));
    bench.drain();
    let (ms, cancel) = bench.sent.pop().expect("a CANCEL");
    assert_eq!(ms, 600);
    insta::assert_snapshot!(cancel.replace("\r\n", "\n"));
    bench.until(1_200);
    assert_eq!(bench.times(), [1_100], "the CANCEL is sent again by timer E");
    assert_eq!(bench.answer(200, "CANCEL", BRANCH), Some(6), "a transaction of its own");
    assert_eq!(bench.answer(487, "INVITE", BRANCH), Some(5));
    assert_eq!(bench.sent(), [(1_200, "ACK sip:201@192.0.2.2:5060 SIP/2.0".to_owned())]);
}

#[test]
fn a_cancel_after_a_provisional_response_goes_out_at_once() {
    let mut bench = Bench::new();
    let id = bench.begin_client(Method::INVITE, BRANCH, 5);
    bench.answer(180, "INVITE", BRANCH);
    bench.until(9_000);
    bench.sent();
    assert!(bench.table.cancel(bench.now, id, None, 6));
    assert!(!bench.table.cancel(bench.now, id, None, 7));
    assert_eq!(bench.sent(), [(9_000, "CANCEL sip:201@192.0.2.2:5060 SIP/2.0".to_owned())]);
}

#[test]
fn a_cancelled_invite_without_a_final_response_times_out() {
    let mut bench = Bench::new();
    let id = bench.begin_client(Method::INVITE, BRANCH, 5);
    bench.answer(180, "INVITE", BRANCH);
    bench.until(1_000);
    bench.table.cancel(bench.now, id, None, 6);
    bench.answer(200, "CANCEL", BRANCH);
    bench.until(2_000);
    assert_eq!(bench.answer(180, "INVITE", BRANCH), Some(5), "a late one changes nothing");
    bench.until(32_999);
    assert_eq!(bench.events(), event(6_000, "client 6 ended"));
    bench.until(33_000);
    assert_eq!(bench.events(), event(33_000, "client 5 timed out"));
}

#[test]
fn what_has_its_final_response_is_not_cancelled() {
    let mut bench = Bench::new();
    let invite = bench.begin_client(Method::INVITE, BRANCH, 5);
    let options = bench.begin_client(Method::OPTIONS, "z9hG4bKb2", 6);
    assert!(bench.table.cancel(bench.now, invite, None, 7));
    assert!(!bench.table.cancel(bench.now, options, None, 7), "only an INVITE is cancelled");
    assert_eq!(bench.answer(200, "INVITE", BRANCH), Some(5));
    assert!(!bench.table.cancel(bench.now, invite, None, 7));
    assert_eq!(bench.answer(180, "INVITE", BRANCH), None);
    assert!(!bench.sent().iter().any(|(_, line)| line.starts_with("CANCEL")));
}

#[test]
fn an_icmp_error_ends_what_still_sends_to_that_address() {
    let mut bench = Bench::new();
    bench.begin_client(Method::INVITE, "z9hG4bKcalling", 1);
    bench.begin_client(Method::OPTIONS, "z9hG4bKtrying", 2);
    bench.begin_client(Method::INVITE, "z9hG4bKringing", 3);
    bench.begin_client(Method::INVITE, "z9hG4bKanswered", 4);
    bench.answer(180, "INVITE", "z9hG4bKringing");
    bench.answer(200, "INVITE", "z9hG4bKanswered");
    let elsewhere = outgoing("OPTIONS", "z9hG4bKelsewhere");
    let begun = bench
        .table
        .begin_client(bench.now, &Method::OPTIONS, b"z9hG4bKelsewhere", elsewhere, flow(3), 5)
        .expect("room");
    bench.table.unreachable(bench.now, flow(2).remote);
    bench.table.unreachable(bench.now, flow(2).remote);
    assert_eq!(bench.events(), [(0, "client 1 unreachable".to_owned()), (0, "client 2 unreachable".to_owned())]);
    assert_eq!(bench.table.client_data(begun), Some(5));
    assert_eq!(bench.answer(486, "INVITE", "z9hG4bKringing"), Some(3));
}

#[test]
fn a_response_without_a_transaction_is_a_stray() {
    let mut bench = Bench::new();
    bench.begin_client(Method::INVITE, BRANCH, 5);
    for (method, branch) in [("INVITE", "z9hG4bKb2"), ("OPTIONS", BRANCH), ("CANCEL", BRANCH)] {
        assert_eq!(bench.table.hear_response(bench.now, &response(200, method, branch)), Answer::Stray, "{method}");
    }
}

#[test]
fn the_owner_may_change_its_word() {
    let mut bench = Bench::new();
    let id = bench.begin_client(Method::INVITE, BRANCH, 5);
    bench.table.set_client_data(id, 8);
    assert_eq!(bench.table.client_data(id), Some(8));
    assert_eq!(bench.answer(180, "INVITE", BRANCH), Some(8));
}
