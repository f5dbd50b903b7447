//! SPEC 5.3, 8.8: renewals are gathered, spread by chance, and one request follows the answer to another, also after a cut and a restart.

use std::time::Duration;

use hotdesk::digits::ExtensionPattern;
use hotdesk::ids::SiteName;
use hotdesk::settings::Lab;

use crate::support::{Seat, World, header};

const VISITORS: usize = 1_000;
/// Logins that one request can name.
const GATHERED: usize = 16;

/// A thousand users of London in Paris.
fn crowd(seed: u64) -> World {
    let mut world = World::with(seed, |sample| {
        // Each shard asks for its own.
        sample.shards(1);
        let london = sample.network.sites.get_mut(&SiteName::new("london")).expect("a site of the sample");
        london.extensions.push(ExtensionPattern::parse("2XXXX").expect("a pattern"));
        sample.site("paris").licences = None;
        for site in ["london", "paris"] {
            sample.site(site).lab = Some(Lab { password: None });
        }
    });
    world.with_disks();
    for number in numbers() {
        // An hour is long enough: what the phones do is not looked at.
        let phone = world.phone(&number, "paris");
        world.act(phone, |phone, now| phone.register(now, 3600));
        world.await_registration(phone).unwrap_or_else(|failure| panic!("{number} is not registered: {failure:?}"));
        world.switch_off(phone);
    }
    world
}

fn numbers() -> impl Iterator<Item = String> {
    (0..VISITORS).map(|number| (20_000 + number).to_string())
}

/// The requests for renewal of Paris that were sent since then. Each waited for the answer to the one before.
fn renewals(world: &World, since: Duration) -> Vec<Duration> {
    let (mut sent, mut open) = (Vec::new(), None);
    for rung in world.rungs().iter().filter(|rung| rung.at >= since) {
        let call_id = header(&rung.bytes, "Call-ID");
        if rung.from == "paris" && rung.to == "london" && rung.bytes.starts_with(b"MESSAGE sip:london.example ") {
            assert!(open.is_none() || open == Some(call_id.clone()), "two at once at {:?}", rung.at);
            if open.is_none() {
                sent.push(rung.at);
            }
            open = Some(call_id);
        } else if open.as_ref() == Some(&call_id) && rung.to == "paris" {
            open = None;
        }
    }
    sent
}

/// How many leases London believes in, and in how many seconds the first of them runs out.
fn leases(world: &mut World) -> (usize, u64) {
    let now = world.act(Seat(0), |_, now| now);
    let untils = numbers().filter_map(|number| {
        let record = world.location("london").record(&number)?;
        record.resident()?.away.as_ref().map(|away| away.until)
    });
    let untils: Vec<_> = untils.collect();
    let first = untils.iter().map(|until| until.saturating_duration_since(now).as_secs()).min();
    (untils.len(), first.unwrap_or(0))
}

#[test]
fn day_in_day_out_they_are_gathered_and_spread() {
    let mut world = crowd(1);
    world.pass(120);
    let start = world.now();
    world.pass(120);
    let sent = renewals(&world, start);
    // Each lease two to four times in 120 s: were nothing gathered, thousands.
    assert!(sent.len() >= 2 * VISITORS / GATHERED && sent.len() <= 6 * VISITORS / GATHERED, "{}", sent.len());
    // In no second more than a few.
    let busiest = (0..120).map(|second| {
        let within = start + Duration::from_secs(second)..start + Duration::from_secs(second + 1);
        sent.iter().filter(|at| within.contains(at)).count()
    });
    assert!(busiest.max() <= Some(20), "{sent:?}");
    let (known, first) = leases(&mut world);
    assert!(known == VISITORS && first >= 55, "{first} s: at most every half lease");
}

#[test]
fn after_a_cut_all_are_renewed_within_half_a_minute_and_in_no_rush() {
    let mut world = crowd(2);
    world.cut("london", "paris");
    world.pass(300);
    assert_eq!(leases(&mut world).0, 0, "all have run out");
    world.heal("london", "paris");
    let start = world.now();
    world.pass(35);
    assert_eq!(leases(&mut world).0, VISITORS);
    let sent = renewals(&world, start + Duration::from_secs(4));
    assert!(sent.len() >= VISITORS / GATHERED / 2 && sent.len() <= 3 * VISITORS / GATHERED, "{}", sent.len());
}

#[test]
fn after_a_restart_of_the_visited_site_too() {
    let mut world = crowd(3);
    let start = world.now();
    world.restart("paris");
    world.pass(10);
    assert_eq!(world.location("paris").len(), VISITORS, "home has confirmed them all");
    let sent = renewals(&world, start);
    assert!(sent.len() >= VISITORS / GATHERED && sent.len() <= 2 * VISITORS / GATHERED, "{}", sent.len());
}
