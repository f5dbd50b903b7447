//! SPEC 13, 12.2: nothing can be written, as on a full disk: what must be durable is refused, everything else goes on, and who looks
//! after the process is told.

use std::process::Command;

use serde_json::json;

use super::admin::Admin;
use super::agent::Agent;
use super::message::{header, status};
use super::support::{Network, eventually};

/// A network that keeps what it confirms, with an API; `None`, with a word about it, where no limit can be set on a running process.
fn limited() -> Option<(Network, Admin)> {
    if !Command::new("prlimit").arg("--version").output().is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: there is no prlimit (util-linux) here to forbid the program to write");
        return None;
    }
    let network = Network::new();
    let admin = Admin::of(&network, "data_dir = \"data\"\n");
    Some((network, admin))
}

#[test]
fn a_full_disk_refuses_changes_and_nothing_else_until_there_is_room() {
    let Some((network, admin)) = limited() else { return };
    let mut running = network.run(&[]);
    let ada = Agent::registered(&network, "london", "201");
    running.limit_files("0");
    let charles = Agent::new(&network, "london", "202");
    let refused = charles.register(300);
    assert_eq!((status(&refused), header(&refused, "Retry-After")), (500, "5"), "{refused}");
    assert!(header(&refused, "Warning").contains("the registration could not be stored"), "{refused}");
    let health = admin.ask("GET", "/healthz", "", "");
    let said = json!({ "status": "degraded", "reasons": ["london: changes can't be stored"] });
    assert_eq!((health.status, health.json()), (503, said));
    assert!(admin.ask("GET", "/metrics", "", "").body.contains("hotdesk_store_failing{site=\"london\"} 1"));

    // Refreshes and calls go on from memory; who can't leave is still there.
    assert_eq!(status(&ada.register(300)), 200);
    let call = charles.call("201");
    let mut dialogs = ada.pick_up_with(&charles, &call);
    ada.hang_up(&mut dialogs.1, &charles);
    assert_eq!(status(&ada.register(0)), 500);
    let call = charles.call("201");
    ada.pick_up_with(&charles, &call);

    // It is seen to work again though nobody changes anything.
    running.limit_files("unlimited");
    let health = || admin.ask("GET", "/healthz", "", "");
    eventually(|| (health().status == 200).then_some(()), || health().body);
    running.wait_for_log("the database can be written again");
    assert_eq!(status(&charles.register(300)), 200);
    running.signal("KILL");
    running.end();
    let _running = network.run(&[]);
    let call = charles.call("201");
    let mut dialogs = ada.pick_up_with(&charles, &call);
    charles.hang_up(&mut dialogs.0, &ada);
    let call = ada.call("202");
    charles.pick_up_with(&ada, &call);
}

#[test]
fn a_login_that_the_visited_site_cannot_store_is_undone_at_home() {
    let Some((network, _)) = limited() else { return };
    // A process has one API: here nobody asks.
    network.edit("network.toml", "admin = ", "# admin = ");
    let (_london, paris) = (network.run(&["--site", "london"]), network.run(&["--site", "paris"]));
    let (desk, charles) = (Agent::registered(&network, "london", "201"), Agent::registered(&network, "london", "202"));
    paris.limit_files("0");
    let visiting = Agent::new(&network, "paris", "201");
    let refused = visiting.register(300);
    assert_eq!(status(&refused), 500, "{refused}");
    // Home was told before the phone was.
    let call = charles.call("201");
    let mut dialogs = desk.pick_up_with(&charles, &call);
    desk.hang_up(&mut dialogs.1, &charles);
    paris.limit_files("unlimited");
    assert_eq!(status(&visiting.register(300)), 200);
}

#[test]
fn a_process_whose_disk_is_full_ends_all_the_same() {
    let Some((network, _)) = limited() else { return };
    let mut running = network.run(&[]);
    let ada = Agent::registered(&network, "london", "201");
    running.limit_files("0");
    assert_eq!(status(&Agent::new(&network, "london", "202").register(300)), 500);
    // What is only to be written later.
    assert_eq!(status(&ada.register(600)), 200);
    running.signal("TERM");
    assert_eq!(running.end().code(), Some(0));
}
