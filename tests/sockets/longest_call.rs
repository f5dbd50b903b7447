//! SPEC 6.3: `t(x)`, the longest time of a call, on the clock of the wall: the shortest that there is, one minute.

use std::time::Duration;

use super::agent::Agent;
use super::message::header;
use super::support::Network;

#[test]
fn a_call_of_one_minute_is_hung_up_on_both_sides_when_it_is_over() {
    let network = Network::new();
    let code = "[[short_codes]]\ncode = \"*9N;\"\nfeature = \"Dial\"\nnumber = \"Nt(1)\"\nline_group = \"pstn\"\n";
    network.edit("sites/london.toml", "[[trunks]]", &format!("{code}[[trunks]]"));
    let running = network.run(&[]);
    let (ada, carrier) = (Agent::registered(&network, "london", "201"), Agent::trunk(&network, "london"));
    let call = ada.call("*902079460000");
    carrier.pick_up_with(&ada, &call);
    let answered = hotdesk::net::now().instant;
    let bye = ada.phone.receive_within(Duration::from_secs(65)).expect("the site hangs up");
    let lasted = answered.elapsed();
    assert!(bye.starts_with("BYE ") && header(&bye, "Reason").starts_with("Q.850;cause=16;"), "{bye}");
    assert!(lasted > Duration::from_secs(59) && lasted < Duration::from_secs(63), "{lasted:?}");
    ada.answer(&bye, "200 OK");
    let bye = carrier.request("BYE");
    carrier.answer(&bye, "200 OK");
    running.wait_for_log("longest call of its code");
}
