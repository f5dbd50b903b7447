//! DESIGN §1, Scaling up: sites that run several shards, each with sockets of its own at the same address. The kernel spreads what
//! comes by its source, and nobody may notice.

use super::agent::Agent;
use super::message::{headers, status};
use super::support::{Network, Phone, SITES};

/// Every site runs three shards.
fn network() -> Network {
    let network = Network::new();
    for (site, _) in SITES {
        network.edit("network.toml", &format!("[sites.{site}]\n"), &format!("[sites.{site}]\nshards = 3\n"));
    }
    network
}

#[test]
fn calls_of_one_site_work_from_whatever_port_their_requests_come() {
    let network = network();
    let running = network.run(&[]);
    assert!(running.log().contains("shards=3"), "{}", running.log());
    let (ada, charles) = (Agent::registered(&network, "london", "201"), Agent::registered(&network, "london", "202"));
    for _ in 0..6 {
        let call = ada.call("202");
        let mut dialogs = charles.pick_up_with(&ada, &call);
        ada.behind_another_port().hang_up(&mut dialogs.0, &charles);
    }
    for _ in 0..6 {
        let call = ada.call("202");
        let invite = charles.request("INVITE");
        charles.answer(&invite, "180 Ringing");
        ada.hears_ringing();
        assert_eq!(status(&ada.behind_another_port().cancel(&call)), 200);
        let cancel = charles.request("CANCEL");
        charles.answer(&cancel, "200 OK");
        charles.answer(&invite, "487 Request Terminated");
        assert_eq!(status(&ada.refusal(&call)), 487);
        charles.request("ACK");
    }
}

#[test]
fn the_phones_of_a_user_register_refresh_and_leave_each_at_its_own_port() {
    let network = network();
    let _running = network.run(&[]);
    for user in ["201", "202"] {
        let phones: Vec<Agent> = (0..3).map(|_| Agent::registered(&network, "london", user)).collect();
        for (left, phone) in (0..).zip(&phones) {
            let answer = phone.register(300);
            assert_eq!((status(&answer), headers(&answer, "Contact").len()), (200, 3 - left), "{answer}");
            assert_eq!(status(&phone.register(0)), 200);
        }
    }
}

#[test]
fn calls_follow_a_user_who_logs_in_at_another_site_and_come_back() {
    let network = network();
    let _running = network.run(&[]);
    let (desk, charles) = (Agent::registered(&network, "london", "201"), Agent::registered(&network, "london", "202"));
    for _ in 0..3 {
        let visiting = Agent::registered(&network, "paris", "201");
        let call = charles.call("201");
        let mut dialogs = visiting.pick_up_with(&charles, &call);
        visiting.hang_up(&mut dialogs.1, &charles);
        let call = visiting.call("202");
        let mut dialogs = charles.pick_up_with(&visiting, &call);
        charles.hang_up(&mut dialogs.1, &visiting);
        desk.stays_silent();

        assert_eq!(status(&visiting.register(0)), 200);
        let call = charles.call("201");
        let mut dialogs = desk.pick_up_with(&charles, &call);
        desk.hang_up(&mut dialogs.1, &charles);
    }
}

#[test]
fn a_reload_reaches_every_shard_and_sigterm_waits_for_the_call_that_rings() {
    let network = network();
    let mut running = network.run(&[]);
    let (ada, charles) = (Agent::registered(&network, "london", "201"), Agent::registered(&network, "london", "202"));
    network.edit("sites/london.toml", "code = \"*70\"", "code = \"*71\"");
    running.signal("HUP");
    running.wait_for_log("the configuration was read anew");
    for _ in 0..6 {
        let call = ada.call("*71");
        assert_eq!(status(&ada.refusal(&call)), 486);
    }

    let call = ada.call("202");
    let invite = charles.request("INVITE");
    charles.answer(&invite, "180 Ringing");
    ada.hears_ringing();
    running.signal("TERM");
    running.wait_for_log("draining");
    assert!(running.is_running());
    charles.answer(&invite, "200 OK");
    assert_eq!(running.end().code(), Some(0));
    assert_eq!(status(&ada.final_answer(&call)), 200);
}

#[test]
fn another_number_of_shards_needs_a_restart() {
    let network = network();
    let running = network.run(&[]);
    network.edit("network.toml", "shards = 3", "shards = 2");
    running.signal("HUP");
    running.wait_for_log("sites.london: its sockets and shards change only with a restart");
    assert!(Phone::new().ping(network.address("london"), 1).starts_with("SIP/2.0 200 "));
}

#[test]
fn a_second_process_does_not_share_the_address() {
    let network = network();
    let _running = network.run(&[]);
    let second = network.command("run", &[]);
    assert_eq!(second.status.code(), Some(2));
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(said.contains("can't listen on udp:"), "{said}");
}
