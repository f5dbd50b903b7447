//! What a dial plan costs: matching with 10, 1,000 and 100,000 codes in a level, loading as many, and the memory of one code.
//!
//! `cargo bench --bench plan`. A decision takes less than a look at the clock, so each sample is a thousand of them. The memory is what the
//! process's resident set grows by when 100,000 codes are compiled.

use std::hint::black_box;

use hotdesk::config;
use hotdesk::ids::SiteName;
use hotdesk::plan::{Around, Caller, Outcome, Plan, Standing, Trace};
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

/// The match in one level and no more: whether the system codes, taken alone, break out with a string of 12 digits. They do not.
#[divan::bench(args = SIZES, sample_size = 1000)]
fn match_twelve_digits(bencher: divan::Bencher<'_, '_>, codes: usize) {
    let plan = plan(codes);
    bencher.bench_local(|| plan.break_out_alone(black_box("900000712345")));
}

/// A whole decision about a string of 12 digits that one code of each size matches.
#[divan::bench(args = SIZES, sample_size = 1000)]
fn route_twelve_digits(bencher: divan::Bencher<'_, '_>, codes: usize) {
    let plan = plan(codes);
    let (caller, around) = (Caller { extension: "201", name: "Ada", ..Caller::default() }, Around::alone(Wall(0)));
    bencher.bench_local(|| plan.route(black_box("900000712345"), &caller, &around, Trace::off()).outcome);
}

/// A string that no code matches to its end.
#[divan::bench(args = SIZES, sample_size = 1000)]
fn route_what_fits_nothing(bencher: divan::Bencher<'_, '_>, codes: usize) {
    let plan = plan(codes);
    let (caller, around) = (Caller { extension: "201", name: "Ada", ..Caller::default() }, Around::alone(Wall(0)));
    bencher.bench_local(|| plan.route(black_box("900000a12345"), &caller, &around, Trace::off()).outcome);
}

/// A call out of London as the sample network has it: emergency numbers, own codes, rights with hours, the outside prefix, ARS. User 202 has
/// rights that always hold, 201 has them in office hours.
#[divan::bench(args = ["201", "202"], sample_size = 1000)]
fn route_out_of_the_sample(bencher: divan::Bencher<'_, '_>, user: &str) {
    let sample = config::load("config/network.toml".as_ref(), &config::Sites::Present).expect("the sample network");
    let all = sample.everywhere();
    let (site, plan) = (&all.sites[&SiteName::new("london")], &all.plans[&SiteName::new("london")]);
    let user = &site.users[user];
    let caller = Caller::of(user, plan.level_of(&user.extension), Standing::Local);
    let around = Around::alone(plan.moment("2026-11-23T12:00").expect("a moment"));
    let route = || plan.route(black_box("902079460999"), &caller, &around, Trace::off()).outcome;
    assert!(matches!(route(), Outcome::Trunk(_)));
    bencher.bench_local(route);
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
