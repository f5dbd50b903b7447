//! Every row of `tests/data/short-codes.tsv` and `tests/data/dial-plan.tsv`: the codes of each level, what user 201 dials, and what that gives.

use hotdesk::plan::{Caller, RightsNames};

use crate::sample::{ada, dials, level, plan, site, with_rights};

#[test]
fn every_row_of_the_table_gives_what_it_says() {
    assert_eq!(rows(include_str!("../data/short-codes.tsv")), 52);
}

#[test]
fn every_row_of_our_own_gives_what_it_says() {
    assert!(rows(include_str!("../data/dial-plan.tsv")) >= 150);
}

/// Tries every row, and says how many there are.
fn rows(table: &str) -> usize {
    let mut wrong = Vec::new();
    let mut rows = 0;
    for line in table.lines().skip(1) {
        let fields: Vec<&str> = line.split('\t').collect();
        let &[id, rule, extensions, user, rights, system, ars, dialled, gives] = &fields[..] else {
            panic!("nine fields in {line:?}");
        };
        let plan = plan(&with_rights(site("london", extensions, system, ars), "office", false, rights));
        let own = level(user);
        let names = RightsNames { rights: Some("office"), ..RightsNames::default() };
        let caller = Caller { level: Some(&own), rights: names, ..ada() };
        let decision = dials(&plan, &caller, dialled);
        let got = decision.gives(plan.site());
        if got != gives {
            wrong.push(format!("{id} ({rule}): {dialled} gives {got}, not {gives}\n{}", decision.trace));
        }
        rows += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    rows
}
