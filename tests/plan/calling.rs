//! SPEC 9.4: the calling number that a trunk shows.

use hotdesk::plan::{Caller, CallingNumber, Modifiers, Plan};
use hotdesk::settings::{CallerId, Trunk};

use crate::sample::*;

fn plan_with(change: impl FnOnce(&mut Trunk)) -> Plan {
    let mut site = site("london", "201", "", "");
    site.caller_id = Some("+4420000".into());
    change(&mut site.trunks[0]);
    plan(&site)
}

fn shows(plan: &Plan, modifiers: &Modifiers, caller: &Caller<'_>) -> Option<String> {
    plan.calling(0, modifiers, caller).number
}

fn asking(calling: CallingNumber) -> Modifiers {
    Modifiers { calling: Some(calling), ..Modifiers::default() }
}

#[test]
fn a_trunk_shows_the_users_number_the_sites_or_its_own() {
    let with_own = Caller { caller_id: Some("+4420201"), ..ada() };
    let plain = Modifiers::default();
    let user = plan_with(|_| {});
    assert_eq!(shows(&user, &plain, &with_own).as_deref(), Some("+4420201"));
    assert_eq!(shows(&user, &plain, &ada()).as_deref(), Some("+4420000"));
    let site = plan_with(|trunk| trunk.caller_id = CallerId::Site);
    assert_eq!(shows(&site, &plain, &with_own).as_deref(), Some("+4420000"));
    let fixed = plan_with(|trunk| trunk.caller_id = CallerId::Fixed("0800".into()));
    assert_eq!(shows(&fixed, &plain, &with_own).as_deref(), Some("0800"));
    assert_eq!(user.calling(99, &plain, &ada()).number, None);
}

#[test]
fn a_number_that_the_carrier_does_not_accept_becomes_the_sites() {
    let plan = plan_with(|trunk| trunk.numbers = vec!["+44202XX".into()]);
    let plain = Modifiers::default();
    assert_eq!(shows(&plan, &plain, &Caller { caller_id: Some("+4420201"), ..ada() }).as_deref(), Some("+4420201"));
    assert_eq!(shows(&plan, &plain, &Caller { caller_id: Some("+331201"), ..ada() }).as_deref(), Some("+4420000"));
    assert_eq!(shows(&plan, &asking(CallingNumber::Set("+4420299".into())), &ada()).as_deref(), Some("+4420299"));
    assert_eq!(shows(&plan, &asking(CallingNumber::Set("999".into())), &ada()).as_deref(), Some("+4420000"));
}

#[test]
fn the_original_number_passes_where_the_carrier_takes_any() {
    let passed = Caller { original: Some("+15551234"), ..ada() };
    let numbers = |any| {
        plan_with(move |trunk| {
            trunk.numbers = vec!["+44202XX".into()];
            trunk.any_caller_id = any;
        })
    };
    let original = asking(CallingNumber::Original);
    assert_eq!(shows(&numbers(true), &original, &passed).as_deref(), Some("+15551234"));
    assert_eq!(shows(&numbers(false), &original, &passed).as_deref(), Some("+4420000"));
    assert_eq!(shows(&plan_with(|_| {}), &original, &passed).as_deref(), Some("+15551234"), "all numbers are accepted");
    assert_eq!(shows(&numbers(true), &original, &ada()).as_deref(), Some("+4420000"), "there is no other number");
}

#[test]
fn showing_and_withholding_and_the_name_come_from_the_template() {
    let plan = plan_with(|_| {});
    let with = |show| Modifiers { show, name: Some("Reception".into()), ..Modifiers::default() };
    assert_eq!(plan.calling(0, &with(Some(false)), &ada()).withheld, Some(true));
    assert_eq!(plan.calling(0, &with(Some(true)), &ada()).withheld, Some(false));
    assert_eq!(plan.calling(0, &with(None), &ada()).withheld, None);
    assert_eq!(plan.calling(0, &with(None), &ada()).name.as_deref(), Some("Reception"));
}
