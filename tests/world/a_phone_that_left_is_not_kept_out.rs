//! SPEC 5.7, 8.4: a renewal that was under way when the last phone left is heard after the logout. It names a phone that home does not
//! know any more; that phone has lost nothing, and may come again.

use std::time::Duration;

use crate::support::{Line, LineClass, World};

#[test]
fn a_phone_that_left_is_not_kept_out_by_a_renewal_that_was_under_way() {
    let mut world = World::new(1);
    let desk = world.registered("201", "london");
    let charles = world.registered("202", "london");
    let away = world.registered("201", "paris");
    let renewed = |world: &World| {
        let to_home = |(from, to, bytes): &(&str, &str, &bytes::Bytes)| {
            *from == "paris" && *to == "london" && bytes.starts_with(b"MESSAGE sip:london")
        };
        world.datagrams().filter(to_home).count()
    };
    let before = renewed(&world);
    world.lines(LineClass::Sites, Line::clean(400));
    assert!(world.run_until(Duration::from_secs(120), |world| renewed(world) > before), "one is under way");
    world.lines(LineClass::Sites, Line::clean(10));
    world.unregister(away);
    world.pass(2);
    assert!(world.location("london").record("201").is_some_and(|record| record.displaced().is_empty()));
    world.register(away);
    world.talk(charles, "201", away);
    assert!(!world.ever_rang(desk));
    world.end();
}
