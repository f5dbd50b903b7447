//! SPEC 8.2-8.6 as people live through it: login at Paris, London cut off, and what `keep` and `return-home` make of it afterwards.

use std::time::Duration;

use hotdesk::sip::Status;

use super::company::LEASE;
use super::people::{Outcome, People, Seat};

/// Who is where: Ada (201) has a desk in London and sits in Paris, Charles (202) is in London, Jean (301) in Paris.
struct Cast {
    desk: Seat,
    visiting: Seat,
    charles: Seat,
    jean: Seat,
    orange: Seat,
}

/// Up to the heal: Ada is in Paris, London has been cut off for longer than a lease.
fn until_the_lease_is_out(people: &mut People) -> Cast {
    let cast = Cast {
        desk: people.phone("201", "london"),
        visiting: people.phone("201", "paris"),
        charles: people.phone("202", "london"),
        jean: people.phone("301", "paris"),
        orange: people.carrier("paris"),
    };
    let Cast { desk, visiting, charles, jean, orange } = cast;
    people.note("everybody registers; 201 logs in at Paris, and her calls go there");
    for seat in [desk, charles, jean, visiting] {
        people.register(seat);
    }
    soon_reaches(people, charles, "201", visiting);

    people.note("London is cut off: calls inside Paris and out by its trunk go on");
    people.ground.cut("london");
    people.reaches(jean, "201", visiting);
    people.reaches(visiting, "301", jean);
    people.reaches(visiting, "90123456789", orange);
    people.ask(visiting, 3600, false);
    people.answer(visiting).expect("Paris refreshes its visitor by itself");

    people.note("London's callers ring the parked phone, at once");
    people.reaches(charles, "201", desk);
    people.note("whom Paris can't reach is said so");
    let call = people.dial(jean, "202");
    let outcome = people.outcome(jean, call);
    assert!(matches!(&outcome, Outcome::Refused(Status::SERVER_TIMEOUT, _)), "{outcome:?}");

    people.note("the lease runs out");
    people.pass(Duration::from_secs(LEASE + 1));
    people.reaches(charles, "201", desk);
    people.reaches(jean, "201", visiting);
    people.note("London is there again");
    people.ground.heal("london");
    cast
}

/// Calls until one arrives where it should: sites that have just started or met again take each other for up after two answers to probes, each
/// by itself.
fn soon_reaches(people: &mut People, caller: Seat, number: &str, callee: Seat) {
    for _ in 0..20 {
        let call = people.dial(caller, number);
        if people.outcome(caller, call) == Outcome::At(callee) {
            return;
        }
        people.pass(Duration::from_millis(500));
    }
    people.reaches(caller, number, callee);
}

fn close(people: &People) {
    assert!(people.complaints().is_empty(), "{:#?}", people.complaints());
    eprintln!("{}", people.story());
}

#[test]
fn a_site_is_cut_off_and_keep_takes_the_login_up_again() {
    let Some(mut people) = People::gather("keep") else { return };
    let Cast { desk, visiting, charles, jean, orange } = until_the_lease_is_out(&mut people);
    soon_reaches(&mut people, charles, "201", visiting);

    people.note("London is killed with -9, and comes back: it still knows where 201 is");
    people.company.kill("london");
    people.reaches(jean, "201", visiting);
    people.reaches(visiting, "90123456789", orange);
    people.start("london");
    soon_reaches(&mut people, charles, "201", visiting);

    people.note("Paris is killed with -9: calls ring the parked phone, and Paris again as soon as London has confirmed the visitor");
    people.company.kill("paris");
    people.reaches(charles, "201", desk);
    people.start("paris");
    soon_reaches(&mut people, charles, "201", visiting);
    people.reaches(jean, "201", visiting);

    people.note("201 logs out in Paris: the parked phone is hers again");
    people.ask(visiting, 0, false);
    people.answer(visiting).expect("out");
    soon_reaches(&mut people, charles, "201", desk);
    soon_reaches(&mut people, jean, "201", desk);
    close(&people);
}

#[test]
fn a_site_is_cut_off_and_return_home_logs_the_user_in_at_home() {
    let Some(mut people) = People::gather("return-home") else { return };
    let Cast { desk, visiting, charles, jean, .. } = until_the_lease_is_out(&mut people);
    // Who is in a call is not sent home: nobody calls before it is done.
    people.until("Paris drops its visitor", |people| {
        people.company.log("paris").contains("displaced by a login elsewhere site=paris extension=201")
    });
    people.note("London has logged 201 in at home, and Paris has dropped its visitor");
    soon_reaches(&mut people, charles, "201", desk);
    soon_reaches(&mut people, jean, "201", desk);
    people.note("the phone in Paris learns of it at its next refresh; a person brings 201 back");
    people.ask(visiting, 3600, false);
    let (status, reason) = people.answer(visiting).expect_err("it lost its user");
    assert_eq!((status.0, &*reason), (403, "logged in at london"));
    people.register(visiting);
    soon_reaches(&mut people, charles, "201", visiting);
    close(&people);
}
