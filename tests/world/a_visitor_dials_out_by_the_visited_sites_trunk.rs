//! SPEC 6.4, 6.6, 7.1, 9.4.

use hotdesk::sip::Name;

use crate::support::World;

#[test]
fn a_visitor_dials_out_by_the_visited_sites_trunk() {
    let mut world = World::new(1);
    let ada = world.registered("201", "paris");
    let orange = world.carrier("orange");
    world.chapter();
    let arrival = world.talk(ada, "00145678901", orange);
    insta::assert_snapshot!("outgoing", world.ladder());
    assert!(arrival.uri.starts_with("sip:0145678901@"), "{}", arrival.uri);
    let identity = arrival.asserted.expect("the calling number is asserted");
    assert!(identity.contains("+33199000300"), "the carrier knows no London numbers: {identity}");
    assert!(arrival.request.header(&Name::ProxyAuthorization).is_none());
    world.end();
}

#[test]
fn a_user_at_home_shows_the_users_own_number() {
    let mut world = World::new(2);
    let ada = world.registered("201", "london");
    let bt = world.carrier("bt");
    let arrival = world.talk(ada, "902079460999", bt);
    assert!(arrival.uri.starts_with("sip:02079460999@"), "{}", arrival.uri);
    assert!(arrival.asserted.is_some_and(|identity| identity.contains("+442079460201")));
    world.end();
}

#[test]
fn what_the_visited_site_bars_is_barred_for_visitors_too() {
    let mut world = World::new(3);
    let ada = world.registered("201", "paris");
    let dialled = world.dial(ada, "0089123456");
    let refused = world.refused(dialled);
    assert_eq!(refused.status.0, 403, "SPEC 7.2: rights of that name at the visited site: {refused:?}");
    world.end();
}

#[test]
fn a_barred_user_stays_barred_away_from_home() {
    let mut world = World::new(4);
    let lobby = world.registered("206", "paris");
    let dialled = world.dial(lobby, "00145678901");
    assert_eq!(world.refused(dialled).status.0, 403);
    world.end();
}

#[test]
fn the_users_own_short_codes_travel() {
    let mut world = World::new(5);
    let ada = world.registered("201", "paris");
    let charles = world.registered("202", "london");
    world.talk(ada, "*1", charles);
    world.end();
}
