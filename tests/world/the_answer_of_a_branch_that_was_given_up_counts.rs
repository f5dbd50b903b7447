//! RFC 3261 §16.7 step 5: every 2xx to INVITE goes to the caller, however late.

use std::time::Duration;

use hotdesk::phone::Behaviour;

use crate::support::{Line, LineClass, World};

#[test]
fn a_phone_may_answer_in_the_moment_of_the_forward() {
    let mut world = World::with(1, |sample| {
        let forward = &mut sample.user("201").forward;
        (forward.no_answer, forward.after) = (Some("202".into()), Duration::from_secs(5));
    });
    let (mary, ada, charles) =
        (world.registered("203", "london"), world.registered("201", "london"), world.registered("202", "london"));
    world.behave(charles, Behaviour::Ring);
    // The 200 and the CANCEL cross on the line.
    for early in 0..6 {
        world.behave(ada, Behaviour::Answer { after: Duration::from_millis(4_996 + early) });
        let dialled = world.dial(mary, "201");
        let arrival = world.arrival(ada);
        world.pass(8);
        let up = (world.look(ada).calls_up(), world.look(charles).calls_up().len(), world.look(mary).calls_up().len());
        if up.2 == 1 {
            assert_eq!((up.0.len(), up.1), (1, 0), "{early}");
            world.hang_up((mary, dialled.call), (ada, arrival.call));
        } else {
            world.act(mary, |phone, now| phone.cancel(now, dialled.call));
            world.pass(2);
        }
        assert!(world.look(charles).calls_up().is_empty());
    }
    world.end();
}

#[test]
fn a_2xx_after_our_own_final_answer_is_passed_on() {
    let mut world = World::new(2);
    let mary = world.registered("203", "london");
    let away = world.registered("201", "paris");
    world.behave(away, Behaviour::Answer { after: Duration::ZERO });
    // Paris is so far away that London gives it up.
    world.lines(LineClass::Sites, Line::clean(1_200));
    let dialled = world.dial(mary, "201");
    assert_eq!(world.refused(dialled).status.0, 480);
    world.pass(3);
    assert!(world.has_sent("london", "203@london", b"SIP/2.0 200"));
}
