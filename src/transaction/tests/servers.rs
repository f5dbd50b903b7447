use super::*;

const VIA: &str = "192.0.2.1:5062;branch=z9hG4bKphone;rport";

fn event(ms: u64, text: &str) -> Vec<(u64, String)> {
    vec![(ms, text.to_owned())]
}

#[test]
fn a_failure_is_sent_again_by_timer_g_until_timer_h() {
    let mut bench = Bench::new();
    let id = bench.begin_server(&incoming("INVITE", VIA), 5);
    bench.respond(id, 486);
    bench.until(100_000);
    assert_eq!(bench.times(), [0, 500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500]);
    assert_eq!(bench.events(), event(32_000, "server 5 without ACK"));
    assert_eq!(bench.table.servers(), Count::default());
}

#[test]
fn an_ack_ends_the_repetition_and_is_absorbed() {
    let mut bench = Bench::new();
    let id = bench.begin_server(&incoming("INVITE", VIA), 5);
    bench.respond(id, 486);
    bench.until(1_000);
    assert_eq!(bench.hear(&incoming("INVITE", VIA)), Heard::Copy);
    assert_eq!(bench.times(), [0, 500, 1_000], "a copy is answered at once");
    assert_eq!(bench.hear(&incoming("ACK", VIA)), Heard::Ack(5));
    assert_eq!(bench.hear(&incoming("ACK", VIA)), Heard::Copy);
    assert_eq!(bench.hear(&incoming("INVITE", VIA)), Heard::Copy, "late");
    bench.until(100_000);
    assert_eq!(bench.times(), [0; 0]);
    assert_eq!(bench.events(), event(6_000, "server 5 ended"), "timer I");
    assert_eq!(bench.hear(&incoming("ACK", VIA)), Heard::New);
}

#[test]
fn a_copy_of_an_invite_gets_the_last_provisional_response() {
    let mut bench = Bench::new();
    let id = bench.begin_server(&incoming("INVITE", VIA), 5);
    assert_eq!(bench.hear(&incoming("INVITE", VIA)), Heard::Copy);
    assert_eq!(bench.sent(), [], "nothing to answer with yet");
    bench.respond(id, 100);
    bench.respond(id, 180);
    bench.until(500);
    assert_eq!(bench.hear(&incoming("INVITE", VIA)), Heard::Copy);
    let lines = bench.sent().into_iter().map(|(_, line)| line).collect::<Vec<_>>();
    assert_eq!(lines, ["SIP/2.0 100 X", "SIP/2.0 180 X", "SIP/2.0 180 X"]);
    assert_eq!(bench.hear(&incoming("ACK", VIA)), Heard::Copy, "an ACK to nothing");
    bench.until(170_000);
    assert_eq!((bench.sent(), bench.events()), (vec![], vec![]), "its owner ends it, no timer");
}

#[test]
fn a_2xx_passes_again_and_again_and_copies_of_its_invite_are_absorbed() {
    let mut bench = Bench::new();
    let id = bench.begin_server(&incoming("INVITE", VIA), 5);
    bench.respond(id, 200);
    bench.until(500);
    bench.respond(id, 200);
    assert_eq!(bench.hear(&incoming("INVITE", VIA)), Heard::Copy);
    assert_eq!(bench.hear(&incoming("ACK", VIA)), Heard::New, "the ACK to a 2xx goes on, whatever its branch");
    bench.respond(id, 486);
    bench.respond(id, 180);
    assert_eq!(bench.times(), [0, 500], "no repetition by this layer, no answer to the copy, nothing but 2xx");
    bench.until(31_999);
    assert_eq!(bench.events(), []);
    bench.until(32_000);
    assert_eq!(bench.events(), event(32_000, "server 5 ended"), "timer L");
    bench.respond(id, 200);
    assert_eq!(bench.sent(), []);
}

#[test]
fn a_copy_of_a_non_invite_gets_the_same_answer() {
    let mut bench = Bench::new();
    let id = bench.begin_server(&incoming("MESSAGE", VIA), 5);
    assert_eq!(bench.hear(&incoming("MESSAGE", VIA)), Heard::Copy);
    assert_eq!(bench.sent(), []);
    bench.until(200);
    bench.respond(id, 202);
    bench.respond(id, 500);
    bench.until(32_199);
    assert_eq!(bench.hear(&incoming("MESSAGE", VIA)), Heard::Copy);
    let answer = "SIP/2.0 202 X".to_owned();
    assert_eq!(bench.sent(), [(200, answer.clone()), (32_199, answer)]);
    bench.until(32_200);
    assert_eq!(bench.events(), event(32_200, "server 5 ended"), "timer J");
    assert_eq!(bench.hear(&incoming("MESSAGE", VIA)), Heard::New);
}

#[test]
fn a_non_invite_gets_its_100_after_three_and_a_half_seconds_and_no_other_provisional() {
    let mut bench = Bench::new();
    let id = bench.begin_server(&incoming("MESSAGE", VIA), 5);
    bench.respond(id, 100);
    bench.respond(id, 183);
    bench.until(3_499);
    assert_eq!(bench.sent(), []);
    bench.until(3_500);
    let (_, trying) = bench.sent.pop().expect("a 100");
    insta::assert_snapshot!(trying.replace("\r\n", "\n"));
    bench.until(4_000);
    assert_eq!(bench.hear(&incoming("MESSAGE", VIA)), Heard::Copy);
    bench.respond(id, 183);
    bench.respond(id, 200);
    assert_eq!(bench.sent(), [(4_000, "SIP/2.0 100 Trying".to_owned()), (4_000, "SIP/2.0 200 X".to_owned())]);
}

#[test]
fn a_non_invite_is_never_answered_408() {
    let mut bench = Bench::new();
    let id = bench.begin_server(&incoming("MESSAGE", VIA), 5);
    bench.until(4_000);
    bench.sent();
    bench.respond(id, 408);
    assert_eq!(bench.hear(&incoming("MESSAGE", VIA)), Heard::Copy);
    bench.respond(id, 200);
    bench.until(100_000);
    assert_eq!(bench.sent(), []);
    assert_eq!(bench.events(), event(36_000, "server 5 ended"));
}

#[test]
fn an_invite_may_be_answered_408() {
    let mut bench = Bench::new();
    let id = bench.begin_server(&incoming("INVITE", VIA), 5);
    bench.respond(id, 408);
    assert_eq!(bench.sent(), [(0, "SIP/2.0 408 X".to_owned())]);
}

#[test]
fn a_non_invite_without_an_answer_ends_when_its_client_gives_up() {
    let mut bench = Bench::new();
    let id = bench.begin_server(&incoming("MESSAGE", VIA), 5);
    bench.until(31_999);
    assert_eq!(bench.events(), []);
    bench.until(32_000);
    assert_eq!(bench.events(), event(32_000, "server 5 ended"));
    bench.sent();
    bench.respond(id, 200);
    assert_eq!(bench.sent(), [], "RFC 4320: nothing late");
}

#[test]
fn a_cancel_has_a_server_transaction_of_its_own_and_finds_its_invite() {
    let mut bench = Bench::new();
    assert_eq!(bench.hear(&incoming("CANCEL", VIA)), Heard::Cancel(None));
    let invite = bench.begin_server(&incoming("INVITE", VIA), 5);
    assert_eq!(bench.hear(&incoming("CANCEL", VIA)), Heard::Cancel(Some(5)));
    let cancel = bench.begin_server(&incoming("CANCEL", VIA), 6);
    bench.respond(cancel, 200);
    bench.respond(invite, 487);
    assert_eq!(bench.sent().len(), 2);
    assert_eq!(bench.hear(&incoming("CANCEL", VIA)), Heard::Copy);
    assert_eq!(bench.sent(), [(0, "SIP/2.0 200 X".to_owned())]);
    assert_eq!(bench.hear(&incoming("ACK", VIA)), Heard::Ack(5));
    assert_eq!(bench.table.servers(), Count { invite: 1, non_invite: 1, pending: 0 });
}

#[test]
fn the_owner_may_change_its_word() {
    let mut bench = Bench::new();
    let id = bench.begin_server(&incoming("INVITE", VIA), 5);
    bench.table.set_server_data(id, 8);
    assert_eq!(bench.table.server_data(id), Some(8));
    assert_eq!(bench.hear(&incoming("CANCEL", VIA)), Heard::Cancel(Some(8)));
}
