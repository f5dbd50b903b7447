//! SPEC 6.8: dialling at another site as if one sat there.

use std::collections::BTreeMap;

use hotdesk::ids::SiteName;
use hotdesk::plan::{
    Around, Bar, BreakOutCall, Caller, Decision, Directory, FromSite, Neighbours, NoVisitors, Outcome, Plan,
    RightsNames, Standing, Trace, follow,
};
use hotdesk::settings::{Site, TimeProfile};

use crate::sample::*;

struct Plans(BTreeMap<String, Plan>);

impl Neighbours for Plans {
    fn plan(&self, site: &SiteName) -> Option<&Plan> {
        self.0.get(site.as_str())
    }

    fn directory(&self, _site: &SiteName) -> &dyn Directory {
        &NoVisitors
    }
}

impl Plans {
    fn new(sites: Vec<Site>) -> Self {
        Self(sites.iter().map(|site| (site.name.to_string(), plan(site))).collect())
    }

    fn dials(&self, from: &str, caller: &Caller<'_>, digits: &str) -> Decision {
        let around = Around { neighbours: self, ..Around::alone(MONDAY_NOON) };
        let plan = &self.0[from];
        follow(plan, plan.route(digits, caller, &around, Trace::on()), caller, &around)
    }

    fn gives(&self, from: &str, caller: &Caller<'_>, digits: &str) -> String {
        self.dials(from, caller, digits).gives(&SiteName::new(from))
    }
}

const PREFIXES: &str = "*81N;/BreakOut/N/london *82N;/BreakOut/N/paris *83N;/BreakOut/N/rome *80N/BreakOut/N";

fn london() -> Site {
    let mut london = site("london", "201 203", &format!("{PREFIXES} 9N;/Dial/N/pstn 999/DialEmergency/999/pstn"), "");
    london.emergency.none = false;
    london.emergency.default = Some("999".into());
    london
}

fn paris() -> Site {
    let codes = "0N;/Dial/N/main *35*N#/ExtnLogin/N *0/DoNotDisturbOn 7N/Busy";
    let mut paris =
        site("paris", "301", &format!("{PREFIXES} {codes}"), "main{15/DialEmergency/15/pstn N;/Dial/N/pstn}");
    paris.emergency.none = false;
    paris
}

fn rome() -> Site {
    site("rome", "401", &format!("{PREFIXES} 0N;/Dial/N/pstn"), "")
}

fn all() -> Plans {
    Plans::new(vec![london(), paris(), rome()])
}

#[test]
fn the_target_decides_with_its_extensions_and_system_codes() {
    let plans = all();
    assert_eq!(plans.gives("london", &ada(), "*820123456"), "Dial 123456 via pstn at paris");
    assert_eq!(plans.gives("london", &ada(), "*82301"), "Extension 301 at paris");
    assert_eq!(plans.gives("london", &ada(), "*82203"), "Extension 203");
    assert_eq!(plans.gives("london", &ada(), "*8271"), "Busy at paris");
    assert_eq!(plans.gives("london", &ada(), "*8288"), "404 at paris");
    assert_eq!(plans.gives("london", &ada(), "*82*0"), "404 at paris", "features do not act");
    assert_eq!(
        plans.gives("london", &ada(), "*82*35*301*1234#"),
        "484 at paris",
        "the final # was the end of the Break Out"
    );
}

#[test]
fn without_a_site_the_output_begins_with_the_target() {
    let plan = plan(&london());
    let target = |digits: &str| match dials(&plan, &ada(), digits).outcome {
        Outcome::BreakOut(BreakOutCall { site, digits }) => format!("{site} {digits}"),
        other => other.to_string(),
    };
    assert_eq!(target("*802*0123"), "paris 0123");
    assert_eq!(target("*80127*0*0*3*0123"), "rome 0123");
    assert_eq!(target("*80127*0*0*3"), "rome ");
    assert_eq!(target("*802"), "paris ");
    assert_eq!(target("*802*"), "paris ");
    assert_eq!(target("*809*1"), "404");
    assert_eq!(target("*80127*0*0*9*1"), "404");
    assert_eq!(target("*82"), "paris ");
}

#[test]
fn an_address_of_several_sites_names_none() {
    let mut network = network();
    for entry in network.sites.values_mut() {
        entry.address = "127.0.0.1:5060".parse().expect("an address");
    }
    let plan = Plan::compile(&network, &london()).expect("a plan");
    assert_eq!(gives(&plan, &ada(), "*80127*0*0*1*1"), "404");
}

#[test]
fn the_stricter_rule_wins() {
    let plans = all();
    let own = level("00N/Barred 01N/Busy 5N/Dial/N/pstn ?/Barred");
    let caller = Caller { level: Some(&own), ..ada() };
    assert_eq!(plans.gives("london", &caller, "*8200123"), "Barred");
    assert_eq!(plans.gives("london", &caller, "*8201"), "Busy");
    assert_eq!(
        plans.gives("london", &caller, "*8202"),
        "Dial 2 via pstn at paris",
        "a default match bars what nothing else takes"
    );
    let barred = Caller { outgoing_bar: true, ..ada() };
    assert_eq!(plans.gives("london", &barred, "*8202"), "Barred at paris");
    assert_eq!(plans.gives("london", &barred, "*82301"), "Extension 301 at paris");
}

#[test]
fn the_bar_of_rights_travels_and_rights_of_the_same_name_there_count() {
    let london = with_rights(with_rights(london(), "night", true, ""), "day", false, "");
    let paris = with_rights(paris(), "day", false, "09N/Barred 08N/Dial/1N/pstn 301/Busy");
    let plans = Plans::new(vec![london, paris]);
    let with = |name| Caller { rights: RightsNames { rights: Some(name), ..RightsNames::default() }, ..ada() };
    assert_eq!(plans.gives("london", &with("night"), "*8202"), "Barred at paris");
    assert_eq!(plans.gives("london", &with("day"), "*82091"), "Barred at paris");
    assert_eq!(plans.gives("london", &with("day"), "*82081"), "Dial 81 via pstn at paris", "they only refuse");
    assert_eq!(plans.gives("london", &with("day"), "*82301"), "Extension 301 at paris");
}

#[test]
fn the_rights_in_force_where_the_caller_is_are_those_that_travel() {
    let mut london = with_rights(with_rights(london(), "day", false, ""), "night", false, "");
    london.timezone = Some("Europe/London".into());
    let never = TimeProfile { timezone: String::new(), weekly: Vec::new(), closed: Vec::new() };
    london.time_profiles.insert("never".into(), never);
    let gives = |barred: &str| {
        let plans = Plans::new(vec![london.clone(), with_rights(paris(), barred, true, "")]);
        let rights = RightsNames { rights: Some("day"), time_profile: Some("never"), out_of_hours: Some("night") };
        plans.gives("london", &Caller { rights, ..ada() }, "*8202")
    };
    assert_eq!((gives("night"), gives("day")), ("Barred at paris".into(), "Dial 2 via pstn at paris".into()));
}

#[test]
fn missing_rights_bar_a_visitor_here_and_not_a_caller_there() {
    let mut paris = paris();
    paris.hot_desk.missing_rights = hotdesk::settings::MissingRights::Bar;
    let plans = Plans::new(vec![with_rights(london(), "day", false, ""), paris]);
    let names = RightsNames { rights: Some("day"), ..RightsNames::default() };
    let visitor = Caller { extension: "401", rights: names, standing: Standing::Visitor, ..Caller::default() };
    assert_eq!(plans.gives("london", &visitor, "*8202"), "Dial 2 via pstn at paris");
    assert_eq!(plans.gives("paris", &visitor, "02"), "Barred");
    assert_eq!(plans.gives("paris", &visitor, "*8191"), "Barred at london", "the bar in force travels");
}

#[test]
fn a_chain_takes_no_site_twice() {
    let plans = all();
    assert_eq!(plans.gives("london", &ada(), "*82*8302"), "Dial 2 via pstn at rome");
    assert_eq!(plans.gives("london", &ada(), "*82*8191"), "Dial 1 via pstn");
    assert_eq!(plans.gives("london", &ada(), "*82*81*8202"), "482");
    assert_eq!(plans.gives("london", &ada(), "*82*83*8202"), "482 at rome");
    assert_eq!(plans.gives("london", &ada(), "*8191"), "Dial 1 via pstn", "a prefix for home, dialled at home");
    assert_eq!(plans.gives("london", &ada(), "*81*8191"), "482");
}

#[test]
fn a_chain_has_five_steps_at_most() {
    let plan = plan(&rome());
    let sites: Vec<SiteName> = ["a", "b", "c", "d", "rome", "f"].map(SiteName::new).to_vec();
    let origin = SiteName::new("london");
    let ask = |chain: &[SiteName], digits: &str| {
        let from = FromSite { origin: &origin, chain };
        plan.route_from_site(digits, &ada(), &from, &Around::alone(MONDAY_NOON), Trace::off()).outcome.to_string()
    };
    assert_eq!(ask(&sites[..5], "02"), "Dial 2 via pstn");
    assert_eq!(ask(&sites, "02"), "482");
    assert_eq!(ask(&sites[1..5], "*8202"), "BreakOut 02");
    assert_eq!(ask(&sites[..5], "*8202"), "482");
    assert_eq!(ask(&[sites[4].clone(), sites[4].clone()], "02"), "482");
}

#[test]
fn a_site_says_who_may_break_out_there() {
    let mut paris = paris();
    paris.break_out.allow = Some(vec![SiteName::new("rome")]);
    let plans = Plans::new(vec![london(), paris, rome()]);
    assert_eq!(plans.gives("london", &ada(), "*8202"), "403 at paris");
    assert_eq!(plans.gives("rome", &ada(), "*8202"), "Dial 2 via pstn at paris");
    assert_eq!(plans.gives("rome", &ada(), "*81*8202"), "Dial 2 via pstn at paris", "the origin counts");
    assert_eq!(plans.gives("london", &ada(), "*83*8202"), "403 at paris");
    assert_eq!(plans.gives("paris", &ada(), "*8202"), "Dial 2 via pstn");
}

#[test]
fn a_visitors_own_home_is_reached_from_where_the_visitor_is_and_by_no_third_site() {
    let plans = all();
    let visitor = Caller { standing: Standing::Visitor, ..ada() };
    assert_eq!(plans.gives("paris", &visitor, "*8191"), "Dial 1 via pstn at london");
    assert_eq!(plans.gives("paris", &visitor, "*83*8191"), "403 at london");
    assert_eq!(
        plans.gives("paris", &visitor, "*83*82*8191"),
        "Dial 1 via pstn at london",
        "by way of the visited site"
    );
    assert_eq!(plans.gives("paris", &visitor, "*83*81999"), "Emergency 15 via pstn", "help is no call by a third site");
    let of_rome = Caller { extension: "401", ..visitor };
    assert_eq!(plans.gives("paris", &of_rome, "*83*8191"), "Dial 1 via pstn at london", "a home of somebody else");
    let refused = plans.dials("paris", &visitor, "*83*8191");
    assert!(
        matches!(&refused.outcome, Outcome::Forbidden(why) if why.to_string().contains("from paris, not from rome"))
    );
    // What home would do with it is not asked, so its plan need not be at hand.
    let without = Plans::new(vec![paris(), rome()]);
    assert_eq!(without.gives("paris", &visitor, "*83*8191"), "403 at london");
}

#[test]
fn a_prefix_alone_is_for_the_phones_next_call_and_only_a_phone_has_one() {
    let plans = all();
    let decision = plans.dials("london", &ada(), "*82");
    assert_eq!(decision.gives(&SiteName::new("london")), "BreakOut at paris");
    let said = decision.trace.to_string();
    assert!(
        said.contains("what the phone dials next, within 30 s, is dialled at paris\n= BreakOut at paris"),
        "{said}"
    );
    assert_eq!(plans.gives("london", &ada(), "*81"), "BreakOut");
    assert_eq!(plans.gives("london", &ada(), "*82*83"), "484 at paris");
    assert_eq!(plans.gives("london", &ada(), "*81*82"), "484", "at home as from afar");
}

#[test]
fn an_emergency_number_behind_the_prefix_is_dialled_here() {
    let plans = all();
    let barred = Caller { outgoing_bar: true, ..ada() };
    for digits in ["*82999", "*829999"] {
        assert_eq!(plans.gives("london", &barred, digits), "Emergency 999 via pstn", "{digits}");
    }
    for digits in ["*8215", "*82015", "*83*8215", "*83*82015"] {
        assert_eq!(plans.gives("london", &barred, digits), "Emergency 999 via pstn", "another country's: {digits}");
    }
    assert_eq!(plans.gives("rome", &ada(), "*8215"), "404", "rome has no way to emergency services");
    assert_eq!(plans.gives("london", &ada(), "*8216"), "404 at paris");
}

#[test]
fn a_target_says_that_a_number_is_an_emergency_number_there() {
    // the origin does not have the target's plan
    let (london, paris) = (plan(&london()), plan(&paris()));
    assert_eq!(gives(&london, &ada(), "*82015"), "BreakOut 015 at paris");
    let (origin, chain) = (SiteName::new("london"), [SiteName::new("paris")]);
    let from = FromSite { origin: &origin, chain: &chain };
    let answer = paris.route_from_site("015", &ada(), &from, &Around::alone(MONDAY_NOON), Trace::off());
    assert_eq!(answer.outcome, Outcome::EmergencyAtOrigin { number: "15".into() });
    // also where the target takes no Break Out from there
    let mut closed = self::paris();
    closed.break_out.allow = Some(Vec::new());
    let closed = plan(&closed);
    let refuses = |digits| closed.route_from_site(digits, &ada(), &from, &Around::alone(MONDAY_NOON), Trace::off());
    assert_eq!(refuses("15").outcome, Outcome::EmergencyAtOrigin { number: "15".into() });
    assert_eq!(refuses("016").outcome.to_string(), "403");
    assert_eq!(london.emergency_for("15").map(|call| call.number).as_deref(), Some("999"));
}

#[test]
fn bars_are_named() {
    let plans = all();
    let barred = Caller { outgoing_bar: true, ..ada() };
    assert_eq!(plans.dials("london", &barred, "*8202").outcome, Outcome::Barred(Bar::User));
    assert_eq!(plans.dials("london", &barred, "91").outcome, Outcome::Barred(Bar::User));
}
