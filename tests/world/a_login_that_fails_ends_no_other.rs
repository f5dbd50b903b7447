//! SPEC 5.2, 10.4: a user has a phone at Paris, and a login by dialling at another phone there comes to nothing: nothing has changed anywhere.

use std::time::Duration;

use hotdesk::settings::DeviceLimit;
use hotdesk::sip::Status;

use crate::support::{Sample, Seat, Stores, World};

/// 201 has a desk at London, and is at Paris by a phone of her own; beside it a phone of 302.
struct Play {
    world: World,
    charles: Seat,
    desk: Seat,
    own: Seat,
    sophie: Seat,
}

impl Play {
    fn new(seed: u64, change: impl FnOnce(&mut Sample)) -> Self {
        let mut world = World::with(seed, change);
        world.with_disks();
        let (charles, desk) = (world.registered("202", "london"), world.registered("201", "london"));
        let (own, sophie) = (world.registered("201", "paris"), world.registered("302", "paris"));
        Self { world, charles, desk, own, sophie }
    }

    /// Home has stored the login, and its answer has not come yet.
    fn dials_and_home_has_taken_it(&mut self) -> crate::support::Dialled {
        self.world.store("london", Stores::After(Duration::from_millis(500)));
        let dialled = self.world.dial(self.sophie, "*35*201*1201%23");
        self.world.run(Duration::from_millis(100));
        self.world.store("london", Stores::AtOnce);
        dialled
    }

    /// The user is at Paris by that one phone, now and after leases and refreshes, and no login is left when it goes.
    fn nothing_has_changed(mut self) {
        let Self { world, charles, desk, own, sophie } = &mut self;
        world.pass(5);
        for _ in 0..2 {
            let call = world.dial(*charles, "201");
            let arrival = world.arrival(*own);
            world.answered(call);
            world.hang_up((*charles, call.call), (*own, arrival.call));
            world.register(*own);
            world.pass(300);
        }
        assert!(!world.ever_rang(*desk) && !world.ever_rang(*sophie));
        world.unregister(*own);
        world.pass(1);
        world.talk(*charles, "201", *desk);
        self.world.end();
    }
}

#[test]
fn refused_for_one_device_too_many() {
    let mut play = Play::new(1, |sample| {
        sample.network.profiles.get_mut("power").expect("a profile").devices = 1;
        sample.site("paris").registrar.device_limit = DeviceLimit::Refuse;
    });
    let refused = play.world.code_refused(play.sophie, "*35*201*1201%23");
    assert!(refused.says("only 1 device at a time"), "{refused:?}");
    play.nothing_has_changed();
}

#[test]
fn given_up_by_the_caller() {
    let mut play = Play::new(2, |_| {});
    let dialled = play.dials_and_home_has_taken_it();
    play.world.act(play.sophie, |phone, now| phone.cancel(now, dialled.call));
    assert_eq!(play.world.refused(dialled).status, Status::REQUEST_TERMINATED);
    play.nothing_has_changed();
}

#[test]
fn never_answered_by_home() {
    // A moment, and longer than a lease.
    for seconds in [10, 300] {
        let mut play = Play::new(3, |_| {});
        play.world.cut_one_way("london", "paris");
        let refused = play.world.code_refused(play.sophie, "*35*201*1201%23");
        assert_eq!(refused.status, Status::SERVER_TIMEOUT);
        play.world.cut("london", "paris");
        play.world.pass(seconds);
        play.world.heal("london", "paris");
        play.world.pass(if seconds > 120 { 120 } else { 5 });
        play.nothing_has_changed();
    }
}

#[test]
fn not_stored_at_the_visited_site() {
    let mut play = Play::new(4, |_| {});
    play.world.store("paris", Stores::Failing);
    let refused = play.world.code_refused(play.sophie, "*35*201*1201%23");
    assert_eq!(refused.status, Status::SERVER_INTERNAL_ERROR);
    play.world.store("paris", Stores::AtOnce);
    play.nothing_has_changed();
}

#[test]
fn lost_with_the_process_of_the_visited_site() {
    let mut play = Play::new(5, |_| {});
    play.dials_and_home_has_taken_it();
    play.world.stop("paris");
    play.world.pass(2);
    play.world.start("paris");
    play.world.pass(10);
    play.world.register(play.own);
    play.world.register(play.sophie);
    // The call in which it was dialled has ended with the process.
    play.world.find(play.sophie, Duration::from_secs(60), |_| None::<()>);
    play.nothing_has_changed();
}

#[test]
fn taken_while_the_other_phone_leaves() {
    let Play { mut world, charles, own, sophie, .. } = Play::new(6, |_| {});
    world.store("london", Stores::After(Duration::from_millis(500)));
    let dialled = world.dial(sophie, "*35*201*1201%23");
    world.run(Duration::from_millis(100));
    world.unregister(own);
    world.code_done(dialled);
    world.store("london", Stores::AtOnce);
    world.pass(200);
    world.talk(charles, "201", sophie);
    world.end();
}
