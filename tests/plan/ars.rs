//! SPEC 6.3 and 6.6: forms, their state and hours, and the routes that come out.

use hotdesk::plan::{Around, Caller, CallingNumber, Outcome, Plan, Priority, Route, Trace};
use hotdesk::settings::{Site, TimeProfile, Weekly};
use hotdesk::timing::Wall;

use crate::sample::*;

fn routes(plan: &Plan, digits: &str) -> Vec<Route> {
    match dials(plan, &ada(), digits).outcome {
        Outcome::Trunk(routes) => routes,
        other => panic!("{digits}: {other}"),
    }
}

fn in_words(routes: &[Route]) -> Vec<String> {
    routes.iter().map(ToString::to_string).collect()
}

fn with_form(mut site: Site, name: &str, change: impl FnOnce(&mut hotdesk::settings::ArsForm)) -> Site {
    change(site.ars.get_mut(name).expect("the form"));
    site
}

#[test]
fn codes_with_the_same_pattern_are_ways_in_file_order() {
    let plan = plan(&site(
        "london",
        "201",
        "9N;/Dial/N/main",
        "main{0N;/Dial/0N/pstn 1N/Dial/1N/pstn 0N/Dial/044N/colt N0/Dial/N/colt 0N/Barred 0N/Dial/0N/colt}",
    ));
    assert_eq!(in_words(&routes(&plan, "9012")), ["012 via pstn", "04412 via colt"], "Barred ends the search");
    assert_eq!(in_words(&routes(&plan, "912")), ["12 via pstn"]);
    assert_eq!(plan.trunks("pstn"), [0, 2]);
    assert_eq!(plan.trunks("colt"), [1]);
    assert!(plan.trunks("main").is_empty() && plan.trunks("nowhere").is_empty());
}

#[test]
fn a_way_that_leads_nowhere_leaves_the_next_one() {
    let ars = "main{0N/Dial/N/other 0N/Dial/0N/pstn} other{7N/Dial/7N/colt}";
    let plan = plan(&site("london", "201", "9N;/Dial/N/main", ars));
    assert_eq!(in_words(&routes(&plan, "9012")), ["012 via pstn"]);
    assert_eq!(in_words(&routes(&plan, "9071")), ["71 via colt", "071 via pstn"]);
}

#[test]
fn default_matches_of_a_form_are_ways_too() {
    let plan = plan(&site("london", "201", "9N;/Dial/N/main", "main{?/Dial/./pstn 1N/Busy ?/Dial/00./colt}"));
    assert_eq!(in_words(&routes(&plan, "922")), ["22 via pstn", "0022 via colt"]);
    assert_eq!(gives(&plan, &ada(), "912"), "Busy");
}

#[test]
fn a_form_out_of_service_sends_to_another_or_says_so() {
    let ars = "main{N;/Dial/N/pstn} backup{N;/Dial/00N/colt}";
    let out = || with_form(site("london", "201", "9N;/Dial/N/main", ars), "main", |form| form.in_service = false);
    assert_eq!(dials(&plan(&out()), &ada(), "912").outcome, Outcome::NoRoute);
    let instead = with_form(out(), "main", |form| form.out_of_service = Some("backup".into()));
    assert_eq!(gives(&plan(&instead), &ada(), "912"), "Dial 0012 via colt");
    let again = with_form(instead, "backup", |form| form.in_service = false);
    assert_eq!(gives(&plan(&again), &ada(), "912"), "480");
}

#[test]
fn outside_its_hours_a_form_sends_to_another() {
    let ars = "main{N;/Dial/N/pstn} night{N;/Dial/00N/colt}";
    let mut site = site("london", "201", "9N;/Dial/N/main", ars);
    let weekly = vec![Weekly { days: vec![0], from: 540, to: 1050 }];
    site.time_profiles.insert("hours".into(), TimeProfile { timezone: String::new(), weekly, closed: Vec::new() });
    site = with_form(site, "main", |form| {
        form.time_profile = Some("hours".into());
        form.out_of_hours = Some("night".into());
    });
    let compiled = plan(&site);
    let at = |local: &str| {
        let at = compiled.moment(local).expect("a moment");
        compiled.route("912", &ada(), &Around::alone(at), Trace::off()).gives(compiled.site())
    };
    assert_eq!(at("2026-11-23T08:59"), "Dial 0012 via colt");
    assert_eq!(at("2026-11-23T09:00"), "Dial 12 via pstn");
    assert_eq!(at("2026-11-23T17:29"), "Dial 12 via pstn");
    assert_eq!(at("2026-11-23T17:30"), "Dial 0012 via colt");
    assert_eq!(compiled.moment("2026-11-23T12:00"), Some(MONDAY_NOON));
    assert_eq!(compiled.moment("yesterday"), None);
    let closed = plan(&with_form(site, "main", |form| form.out_of_hours = None));
    let evening = Around::alone(Wall(MONDAY_NOON.0 + 8 * 3_600_000));
    assert_eq!(closed.route("912", &ada(), &evening, Trace::off()).outcome, Outcome::NoRoute);
}

/// The routes with what lets the caller use each.
fn with_conditions(plan: &Plan, priority: u8, digits: &str) -> Vec<String> {
    let caller = Caller { priority: Priority(priority), ..ada() };
    let Outcome::Trunk(routes) = dials(plan, &caller, digits).outcome else { panic!("{digits} has no route") };
    let words = |route: &Route| match &route.alternate {
        Some(alternate) => format!("{route} {alternate}"),
        None => route.to_string(),
    };
    routes.iter().map(words).collect()
}

#[test]
fn an_alternate_is_open_at_once_or_after_a_wait() {
    let site = site("london", "201", "9N;/Dial/N/main", "main>backup{0N/Dial/0N/pstn} backup{0N/Dial/80N/colt}");
    let plan = plan(&with_form(site, "main", |form| form.alternate_priority = 4));
    let at_once = ["012 via pstn", "8012 via colt by the alternate backup at once"];
    let later = ["012 via pstn", "8012 via colt by the alternate backup after 30 s"];
    assert_eq!([5, 4].map(|priority| with_conditions(&plan, priority, "9012")), [at_once, at_once]);
    assert_eq!([3, 1].map(|priority| with_conditions(&plan, priority, "9012")), [later, later]);
    assert_eq!(Caller::default().priority, Priority(5), "that of whom nothing is said");
}

#[test]
fn what_a_code_says_of_the_priority_comes_before_the_callers() {
    let ars = "main>backup{0N/Dial/0N/pstn} backup{0N/Dial/80N/colt}";
    let site = site("london", "201", "8N;/Dial/Np(4)/main 7N;/Dial/Np(3)/main", ars);
    let plan = plan(&with_form(site, "main", |form| form.alternate_priority = 4));
    assert_eq!(with_conditions(&plan, 1, "8012")[1], "8012 via colt by the alternate backup at once");
    assert_eq!(with_conditions(&plan, 5, "7012")[1], "8012 via colt by the alternate backup after 30 s");
}

#[test]
fn the_wait_for_an_alternates_alternate_comes_after_the_first() {
    let ars = "main>second{N/Dial/1N/pstn} second>third{N/Dial/2N/colt} third{N/Dial/3N/pstn}";
    let site = with_form(site("london", "201", "9N;/Dial/N/main", ars), "second", |form| {
        (form.alternate_priority, form.alternate_wait) = (5, std::time::Duration::from_secs(15));
    });
    let plan = plan(&site);
    let routes = |priority| with_conditions(&plan, priority, "95");
    assert_eq!(
        routes(4),
        ["15 via pstn", "25 via colt by the alternate second at once", "35 via pstn by the alternate third after 15 s"]
    );
    assert_eq!(
        routes(1),
        [
            "15 via pstn",
            "25 via colt by the alternate second after 30 s",
            "35 via pstn by the alternate third after 45 s"
        ]
    );
}

#[test]
fn a_way_that_is_there_already_is_no_alternate() {
    let ars = "main>backup{0N/Dial/0N/pstn 0N/Dial/0N/colt} backup{0N/Dial/0N/colt 0N/Dial/70N/colt}";
    let plan = plan(&site("london", "201", "9N;/Dial/N/main", ars));
    assert_eq!(
        with_conditions(&plan, 5, "9012"),
        ["012 via pstn", "012 via colt", "7012 via colt by the alternate backup at once"]
    );
}

#[test]
fn an_alternate_that_is_closed_bars_or_has_no_way_changes_nothing() {
    let ars = "main>backup{0N/Dial/0N/pstn} backup{1N/Dial/1N/colt 02N/Barred 03N/Busy}";
    let open = || site("london", "201", "9N;/Dial/N/main", ars);
    let compiled = plan(&open());
    for digits in ["9012", "9022", "9032"] {
        assert_eq!(with_conditions(&compiled, 5, digits), [format!("{} via pstn", &digits[1..])]);
    }
    let closed = plan(&with_form(open(), "backup", |form| form.in_service = false));
    assert_eq!(with_conditions(&closed, 5, "9012"), ["012 via pstn"]);
    // The form itself is closed: its alternate is for full trunks, not for that.
    let out = plan(&with_form(open(), "main", |form| form.in_service = false));
    assert_eq!(dials(&out, &ada(), "9012").outcome, Outcome::NoRoute);
}

#[test]
fn what_ends_the_search_among_the_forms_codes_ends_it_before_the_alternate() {
    let ars = "main>backup{0N/Dial/0N/pstn 0N/Barred} backup{0N/Dial/0N/colt}";
    let plan = plan(&site("london", "201", "9N;/Dial/N/main", ars));
    assert_eq!(with_conditions(&plan, 5, "9012"), ["012 via pstn"]);
}

#[test]
fn the_trace_says_what_lets_the_caller_use_the_alternate() {
    let plan = plan(&site("london", "201", "9N;/Dial/N/main", "main>backup{0N/Dial/0N/pstn} backup{0N/Dial/80N/colt}"));
    let trace = |priority| dials(&plan, &Caller { priority: Priority(priority), ..ada() }, "9012").trace.to_string();
    let line = "ARS main: while no route above can be had, backup instead: ";
    assert!(trace(3).contains(&format!("{line}at once (priority 3, 3 needed)\n")), "{}", trace(3));
    assert!(trace(2).contains(&format!("{line}after 30 s of waiting (priority 2, 3 needed)\n")), "{}", trace(2));
    assert!(trace(2).contains("  route: 8012 via colt (trunks colt-1)"), "{}", trace(2));
}

#[test]
fn a_number_that_begins_something_in_the_form_is_incomplete() {
    let plan = plan(&site("london", "201", "9N;/Dial/N/main", "main{01X/Dial/01N/pstn}"));
    assert_eq!(gives(&plan, &ada(), "9"), "484");
    assert_eq!(gives(&plan, &ada(), "901"), "484");
    assert_eq!(gives(&plan, &ada(), "9012"), "Dial 012 via pstn");
    assert_eq!(gives(&plan, &ada(), "9012#"), "Dial 012 via pstn");
    assert_eq!(gives(&plan, &ada(), "90123"), "404");
}

#[test]
fn a_final_hash_of_the_output_is_dropped_in_the_form() {
    let plan = plan(&site("london", "201", "9N;/Dial/N#/main", "main{0N/Dial/0N/pstn 1#/Dial/1/pstn}"));
    assert_eq!(gives(&plan, &ada(), "9012"), "Dial 012 via pstn");
    assert_eq!(gives(&plan, &ada(), "91"), "Dial 1 via pstn");
}

#[test]
fn what_goes_with_the_number_travels_through_the_forms() {
    let system = "9N;/Dial/NS020WZ\"Desk\"t(5)\"@first.example\"/main 8N/Dial/.SSA/pstn";
    let plan = plan(&site("london", "201", system, "main{0N/Dial/0NS030r(2)\"@second.example\"/pstn 1N/Dial/1N/pstn}"));
    let first = &routes(&plan, "912")[0];
    assert_eq!(first.to_string(), "12@first.example via pstn");
    assert_eq!(first.modifiers.calling, Some(CallingNumber::Set("020".into())));
    let second = &routes(&plan, "902")[0];
    assert_eq!(second.to_string(), "02@second.example via pstn", "the later wish counts");
    assert_eq!(second.modifiers.calling, Some(CallingNumber::Set("030".into())));
    assert_eq!(
        (second.modifiers.show, second.modifiers.minutes, second.modifiers.ring),
        (Some(false), Some(5), Some(2))
    );
    assert_eq!(second.modifiers.name.as_deref(), Some("Desk"));
    let passed = &routes(&plan, "85")[0].modifiers;
    assert_eq!((passed.calling.clone(), passed.show), (Some(CallingNumber::Original), Some(true)));
}
