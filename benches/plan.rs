//! What a dial plan costs: matching with 10, 1,000 and 100,000 codes in a level, loading as many, and the memory of one code.
//!
//! `cargo bench --bench plan`. The memory is what the process's resident set grows by when 100,000 codes are compiled.

use std::hint::black_box;

use hotdesk::ids::SiteName;
use hotdesk::plan::{Around, Caller, Plan, Trace};
use hotdesk::settings::{Network, ShortCodeRow, Site};
use hotdesk::timing::Wall;

fn main() {
    memory();
    divan::main();
}

const SIZES: [usize; 3] = [10, 1_000, 100_000];

/// Codes as a company has them that lists its carriers' area codes: seven digits, one of any kind, and the rest.
fn site(codes: usize) -> Site {
    let mut site = Site::empty(SiteName::new("london"));
    site.emergency.none = true;
    let row = |n: usize| ShortCodeRow {
        code: format!("9{n:06}XN;"),
        feature: "ForwardNumber".to_owned(),
        number: Some("N".to_owned()),
        ..ShortCodeRow::default()
    };
    site.short_codes = (0..codes).map(row).collect();
    site
}

fn network() -> Network {
    Network {
        fingerprint: [0; 8],
        realm: "hotdesk.example".to_owned(),
        link_secret: None,
        link_secret_previous: None,
        admin: None,
        admin_token: None,
        call_log: None,
        data_dir: None,
        resolvers: Vec::new(),
        profiles: Default::default(),
        sites: Default::default(),
    }
}

fn plan(codes: usize) -> Plan {
    Plan::compile(&network(), &site(codes)).expect("a plan")
}

/// A string of 12 digits that one code of each size matches.
#[divan::bench(args = SIZES)]
fn route_twelve_digits(bencher: divan::Bencher<'_, '_>, codes: usize) {
    let plan = plan(codes);
    let (caller, around) = (Caller { extension: "201", name: "Ada", ..Caller::default() }, Around::alone(Wall(0)));
    bencher.bench_local(|| plan.route(black_box("900000712345"), &caller, &around, Trace::off()).outcome);
}

/// A string that no code matches to its end.
#[divan::bench(args = SIZES)]
fn route_what_fits_nothing(bencher: divan::Bencher<'_, '_>, codes: usize) {
    let plan = plan(codes);
    let (caller, around) = (Caller { extension: "201", name: "Ada", ..Caller::default() }, Around::alone(Wall(0)));
    bencher.bench_local(|| plan.route(black_box("900000a12345"), &caller, &around, Trace::off()).outcome);
}

/// From settings to a plan.
#[divan::bench(args = SIZES, sample_count = 5, sample_size = 1)]
fn load(bencher: divan::Bencher<'_, '_>, codes: usize) {
    let (network, site) = (network(), site(codes));
    bencher.bench_local(|| Plan::compile(&network, &site).expect("a plan"));
}

fn memory() {
    let (network, site) = (network(), site(100_000));
    let Some(before) = resident() else { return };
    let plan = Plan::compile(&network, &site).expect("a plan");
    let after = resident().unwrap_or(before);
    println!("memory: {} bytes for each of 100,000 codes", after.saturating_sub(before) / 100_000);
    drop(black_box(plan));
}

/// Bytes of this process in memory, where the system says so.
fn resident() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: usize = status.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * 4096)
}
