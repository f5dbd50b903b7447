//! SPEC 13: what was dialled leads nowhere, and the caller's phone can show why.

use hotdesk::phone::Behaviour;
use hotdesk::sip::Status;

use crate::support::World;

#[test]
fn a_number_that_leads_nowhere_says_why() {
    let mut world = World::new(1);
    let charles = world.registered("202", "london");
    for (number, status) in [("277", 404), ("7777", 404), ("*8", 484), ("204", 480)] {
        let dialled = world.dial(charles, number);
        let refused = world.refused(dialled);
        assert_eq!(refused.status, Status(status), "{number}");
        assert!(!refused.reason.is_empty(), "{number}");
    }
    let dialled = world.dial(charles, "204");
    assert!(world.refused(dialled).says("Not Logged In"));
    world.end();
}

#[test]
fn a_number_that_one_may_not_call_says_so() {
    let mut world = World::new(2);
    // 206 is barred from calling outside.
    let barred = world.registered("206", "london");
    let dialled = world.dial(barred, "902079460999");
    let refused = world.refused(dialled);
    assert_eq!(refused.status, Status::FORBIDDEN);
    assert!(refused.warning.is_some_and(|warning| warning.contains(&refused.reason)), "{}", refused.reason);
    world.end();
}

#[test]
fn a_busy_user_and_one_who_is_not_to_be_disturbed_are_busy() {
    let mut world = World::with(3, |sample| {
        sample
            .site("london")
            .users
            .values_mut()
            .filter(|user| user.extension.as_str() == "203")
            .for_each(|user| user.do_not_disturb = true);
    });
    let (charles, desk) = (world.registered("202", "london"), world.registered("201", "london"));
    world.registered("203", "london");
    world.behave(desk, Behaviour::Busy);
    let dialled = world.dial(charles, "201");
    assert_eq!(world.refused(dialled).status, Status::BUSY_HERE);
    let dialled = world.dial(charles, "203");
    let refused = world.refused(dialled);
    assert!(refused.status == Status::BUSY_HERE && refused.says("Do Not Disturb"), "{refused:?}");
    world.end();
}
