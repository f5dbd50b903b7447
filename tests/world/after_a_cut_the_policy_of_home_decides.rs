//! SPEC 8.4: `on_reconnect` of home.

use hotdesk::settings::OnReconnect;

use crate::support::{Seat, World};

/// 201 is in Paris with a desk phone at home, or without one.
struct Apart {
    world: World,
    desk: Option<Seat>,
    charles: Seat,
    away: Seat,
}

impl Apart {
    fn new(seed: u64, policy: OnReconnect, with_desk: bool) -> Self {
        let mut world = World::with(seed, |sample| sample.site("london").hot_desk.on_reconnect = policy);
        let desk = with_desk.then(|| world.registered("201", "london"));
        let (charles, away) = (world.registered("202", "london"), world.registered("201", "paris"));
        Self { world, desk, charles, away }
    }

    /// Cut for so many seconds, and mended long enough for a renewal.
    fn cut_for(&mut self, seconds: u64) {
        self.world.cut("london", "paris");
        self.world.pass(seconds);
        self.world.heal("london", "paris");
        self.world.pass(70);
    }

    fn calls_reach_paris(mut self) {
        self.world.talk(self.charles, "201", self.away);
        self.world.end();
    }

    fn calls_reach_home(mut self) {
        let desk = self.desk.expect("there is one");
        self.world.talk(self.charles, "201", desk);
        assert!(self.world.location("paris").record("201").is_none());
        let refused = self.world.try_register(self.away).expect_err("displaced");
        assert!(refused.status.0 == 403 && refused.says("logged in at london"), "{refused:?}");
        self.world.end();
    }
}

#[test]
fn keep_takes_the_login_again_after_the_lease_has_run_out() {
    let mut apart = Apart::new(1, OnReconnect::Keep, true);
    apart.cut_for(200);
    apart.calls_reach_paris();
}

#[test]
fn return_home_brings_the_user_back_when_the_lease_has_run_out() {
    let mut apart = Apart::new(2, OnReconnect::ReturnHome, true);
    apart.cut_for(200);
    apart.calls_reach_home();
}

#[test]
fn and_leaves_the_user_there_when_it_has_not() {
    let mut apart = Apart::new(3, OnReconnect::ReturnHome, true);
    apart.cut_for(50);
    apart.calls_reach_paris();
}

#[test]
fn or_when_there_is_no_phone_at_home() {
    let mut apart = Apart::new(4, OnReconnect::ReturnHome, false);
    apart.cut_for(200);
    apart.calls_reach_paris();
}

#[test]
fn or_when_the_user_is_in_a_call_there() {
    let mut apart = Apart::new(5, OnReconnect::ReturnHome, true);
    let marie = apart.world.registered("301", "paris");
    let call = apart.world.dial(marie, "201");
    let arrival = apart.world.arrival(apart.away);
    apart.world.answered(call);
    apart.world.confirmed(&arrival);
    apart.cut_for(200);
    apart.world.hang_up((marie, call.call), (apart.away, arrival.call));
    apart.calls_reach_paris();
}
