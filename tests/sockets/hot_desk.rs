//! SPEC 5, 6.8, 8.1: a user of London at a phone in Paris.

use super::agent::Agent;
use super::message::{header, status};
use super::support::Network;

#[test]
fn calls_follow_a_user_who_logs_in_at_another_site_and_come_back() {
    let network = Network::new();
    let _running = network.run(&[]);
    let (desk, charles) = (Agent::registered(&network, "london", "201"), Agent::registered(&network, "london", "202"));
    let visiting = Agent::registered(&network, "paris", "201");

    let call = charles.call("201");
    let mut dialogs = visiting.pick_up_with(&charles, &call);
    visiting.hang_up(&mut dialogs.1, &charles);
    desk.stays_silent();

    // SPEC 5.6: the desk phone's refresh does not take the user home.
    assert_eq!(status(&desk.register(300)), 200);
    let call = charles.call("201");
    visiting.pick_up_with(&charles, &call);
    desk.stays_silent();

    assert_eq!(status(&visiting.register(0)), 200);
    let call = charles.call("201");
    desk.pick_up_with(&charles, &call);
}

#[test]
fn a_visitor_dials_by_the_plan_of_the_visited_site() {
    let network = Network::new();
    let _running = network.run(&[]);
    let visiting = Agent::registered(&network, "paris", "201");
    let _call = visiting.call("90145000000");
    let invite = Agent::trunk(&network, "paris").request("INVITE");
    assert!(invite.starts_with("INVITE sip:0145000000@"), "{invite}");
}

#[test]
fn a_break_out_leaves_by_the_trunk_of_the_other_site() {
    let network = Network::new();
    let _running = network.run(&[]);
    let visiting = Agent::registered(&network, "paris", "201");
    let _call = visiting.call("*81902079460000");
    let invite = Agent::trunk(&network, "london").request("INVITE");
    assert!(invite.starts_with("INVITE sip:02079460000@"), "{invite}");
    Agent::trunk(&network, "paris").stays_silent();
}

#[test]
fn a_visitor_calls_home_and_the_people_of_the_visited_site() {
    let network = Network::new();
    let _running = network.run(&[]);
    let visiting = Agent::registered(&network, "paris", "201");
    for (site, user) in [("paris", "301"), ("london", "202")] {
        let other = Agent::registered(&network, site, user);
        let call = visiting.call(user);
        let mut dialogs = other.pick_up_with(&visiting, &call);
        visiting.hang_up(&mut dialogs.0, &other);
    }
}

#[test]
fn a_wrong_password_at_another_site_is_refused_by_home() {
    let network = Network::new();
    let _running = network.run(&[]);
    let answer = Agent::new(&network, "paris", "201").register_with(300, "guess");
    assert_eq!(status(&answer), 401, "{answer}");
}

#[test]
fn a_home_that_cannot_be_reached_is_named() {
    let network = Network::new();
    let _paris = network.run(&["--site", "paris"]);
    let answer = Agent::new(&network, "paris", "201").register(300);
    assert_eq!(status(&answer), 504, "{answer}");
    assert!(header(&answer, "Warning").contains("london"), "{answer}");
}

#[test]
fn the_same_story_with_a_process_for_each_site() {
    let network = Network::new();
    let (_london, _paris) = (network.run(&["--site", "london"]), network.run(&["--site", "paris"]));
    let charles = Agent::registered(&network, "london", "202");
    let visiting = Agent::registered(&network, "paris", "201");
    let call = charles.call("201");
    let mut dialogs = visiting.pick_up_with(&charles, &call);
    charles.hang_up(&mut dialogs.0, &visiting);
}

#[test]
fn a_phone_that_is_displaced_is_told_where_its_user_is() {
    let network = Network::new();
    let _running = network.run(&[]);
    let first = Agent::registered(&network, "paris", "201");
    let home = Agent::registered(&network, "london", "201");
    // London tells Paris while it answers the phone: a refresh may still be quicker.
    let mut refreshes = std::iter::repeat_with(|| first.register(300)).take(100);
    let refused = refreshes.find(|answer| status(answer) != 200).expect("the displaced phone is told");
    assert_eq!(status(&refused), 403, "{refused}");
    assert!(header(&refused, "Warning").contains("logged in at london"), "{refused}");
    let charles = Agent::registered(&network, "london", "202");
    let call = charles.call("201");
    home.pick_up_with(&charles, &call);
}

#[test]
fn a_visitor_without_a_call_is_logged_out_and_its_phone_shows_why() {
    let network = Network::new();
    network.edit("sites/paris.toml", "[emergency]", "[hot_desk]\nidle_logout = 2\n[emergency]");
    let running = network.run(&[]);
    let visiting = Agent::registered(&network, "paris", "201");
    let talker = Agent::registered(&network, "paris", "202");
    let call = visiting.call("202");
    let mut dialogs = talker.pick_up_with(&visiting, &call);
    running.wait_for_log("site up");
    std::thread::sleep(std::time::Duration::from_secs(3));
    visiting.hang_up(&mut dialogs.0, &talker);
    // Both talked until just now.
    assert_eq!((status(&visiting.register(300)), status(&talker.register(300))), (200, 200));
    running.wait_for_log("logout site=paris extension=201 at=paris by=\"idle\"");
    running.wait_for_log("logout site=london extension=201 at=paris by=\"idle\"");
    let refused = visiting.register(300);
    assert!(status(&refused) == 403 && refused.contains("logged out for being idle"), "{refused}");
}

#[test]
fn one_phone_may_be_logged_in_for_two_users() {
    let network = Network::new();
    let _running = network.run(&[]);
    let marie = Agent::registered(&network, "paris", "301");
    let first = Agent::registered(&network, "paris", "201");
    let mut second = Agent::new(&network, "paris", "202");
    second.phone = first.phone.clone();
    assert_eq!(status(&second.register(300)), 200);
    for user in ["201", "202"] {
        let call = marie.call(user);
        let invite = first.request("INVITE");
        assert!(invite.starts_with(&format!("INVITE sip:{user}@{} ", first.phone.address)), "{invite}");
        first.answer(&invite, "486 Busy Here");
        assert_eq!(status(&marie.refusal(&call)), 486);
        first.request("ACK");
    }
    // One logs out, and the other stays.
    assert_eq!(status(&first.register(0)), 200);
    let call = marie.call("202");
    let mut dialogs = second.pick_up_with(&marie, &call);
    marie.hang_up(&mut dialogs.0, &second);
    let call = marie.call("201");
    assert_eq!(status(&marie.refusal(&call)), 480);
}

#[test]
fn a_displaced_phone_that_is_switched_off_and_on_at_its_account_is_let_in() {
    let network = Network::new();
    let _running = network.run(&[]);
    let visiting = Agent::registered(&network, "paris", "201");
    let _home = Agent::registered(&network, "london", "201");
    let mut refreshes = std::iter::repeat_with(|| visiting.register(300)).take(100);
    let refused = refreshes.find(|answer| status(answer) != 200).expect("the displaced phone is told");
    assert_eq!(status(&refused), 403, "{refused}");
    // As a person does it: the same Call-ID, out and in again. Home hears of the former just before the latter.
    assert_eq!(status(&visiting.register(0)), 200);
    let answer = visiting.register(300);
    assert_eq!(status(&answer), 200, "{answer}");
    let charles = Agent::registered(&network, "london", "202");
    let call = charles.call("201");
    visiting.pick_up_with(&charles, &call);
}
