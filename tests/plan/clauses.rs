//! `tests/data/dial-plan.md` says which rows and tests hold each clause, on both sides: what it names is there, and no row is left out.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const TABLE: &str = include_str!("../data/dial-plan.md");

/// Clause, what acts, what does not.
fn clauses() -> Vec<(&'static str, Vec<&'static str>, Vec<&'static str>)> {
    let named = |cell: &'static str| cell.split('`').skip(1).step_by(2).collect();
    let clause = |line: &'static str| {
        let &[_, clause, acts, does_not, _] = &line.split('|').collect::<Vec<_>>()[..] else {
            panic!("three cells in {line:?}");
        };
        (clause.trim(), named(acts), named(does_not))
    };
    TABLE.lines().filter(|line| line.starts_with("| ")).skip(1).map(clause).collect()
}

fn row_ids() -> BTreeSet<String> {
    let tables = [include_str!("../data/short-codes.tsv"), include_str!("../data/dial-plan.tsv")];
    let rows = tables.iter().flat_map(|table| table.lines().skip(1));
    rows.filter_map(|row| row.split('\t').next()).map(str::to_owned).collect()
}

/// The functions of every file below `src/` and `tests/`.
fn functions() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut open, mut functions) = (vec![root.join("src"), root.join("tests")], BTreeSet::new());
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).expect("a directory of the sources") {
            let path: PathBuf = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("a source");
                let lines = text.lines().filter_map(|line| line.trim_start().strip_prefix("fn "));
                functions.extend(lines.filter_map(|line| line.split_once('(')).map(|(name, _)| name.to_owned()));
            }
        }
    }
    functions
}

#[test]
fn every_clause_is_held_on_both_sides_by_what_is_there() {
    let (rows, functions) = (row_ids(), functions());
    let clauses = clauses();
    assert!(clauses.len() > 80, "{} clauses", clauses.len());
    for (clause, acts, does_not) in &clauses {
        assert!(!acts.is_empty() && !does_not.is_empty(), "one side only: {clause}");
        for name in acts.iter().chain(does_not) {
            assert!(rows.contains(*name) || functions.contains(*name), "{clause}: there is no {name}");
        }
    }
}

#[test]
fn every_row_holds_a_clause() {
    let named: BTreeSet<&str> =
        clauses().into_iter().flat_map(|(_, acts, does_not)| [acts, does_not]).flatten().collect();
    let left: Vec<String> = row_ids().into_iter().filter(|row| !named.contains(row.as_str())).collect();
    assert!(left.is_empty(), "in no clause: {left:?}");
}
