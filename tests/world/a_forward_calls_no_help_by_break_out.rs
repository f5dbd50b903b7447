//! SPEC 6.7, 6.8: nobody's forward calls emergency services, though only the target of its Break Out knows that the number is one.

use hotdesk::phone::PhoneEvent;
use hotdesk::sip::Status;

use crate::support::World;

#[test]
fn a_forward_calls_no_help_by_break_out() {
    // 110 is the police in Berlin alone.
    let mut world = World::with(1, |sample| sample.user("301").forward.unconditional = Some("*83110".into()));
    let (charles, jean) = (world.registered("202", "london"), world.registered("302", "paris"));
    let in_charge = [world.registered("203", "london"), world.registered("306", "paris")];
    for (caller, number) in [(charles, "*82301"), (charles, "301"), (jean, "301")] {
        let call = world.dial(caller, number);
        assert_eq!(world.refused(call).status, Status::NOT_FOUND, "{number}");
    }
    world.pass(5);
    for carrier in ["bt", "orange", "telekom"] {
        assert!(!world.ever_rang(world.carrier(carrier)), "{carrier}");
    }
    for one in in_charge {
        assert!(!world.events(one).any(|event| matches!(event, PhoneEvent::Message { .. })), "nobody calls for help");
    }
    world.end();
}

/// A visitor's own home believes no third site, and still says that the number is one for emergencies.
#[test]
fn help_behind_a_chain_that_home_refuses_is_dialled_where_the_phone_is() {
    let mut world = World::new(2);
    let (ada, orange) = (world.registered("201", "paris"), world.carrier("orange"));
    let call = world.dial(ada, "*83*81902079460999");
    assert_eq!(world.refused(call).status, Status::FORBIDDEN);
    let help = world.talk(ada, "*83*81999", orange);
    assert!(help.uri.starts_with("sip:112@"), "{}", help.uri);
    world.end();
}
