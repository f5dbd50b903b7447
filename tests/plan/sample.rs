//! Networks and plans written in a line, as in the conformance table.

use std::collections::BTreeMap;
use std::time::Duration;

use hotdesk::digits::ExtensionPattern;
use hotdesk::ids::{Extension, SiteName, SiteNumber};
use hotdesk::plan::{Around, Caller, Decision, Level, Plan, PlanError, Trace};
use hotdesk::settings::{
    ArsForm, CallerId, FromHeader, Geolocation, Listen, Network, Origin, Rights, ShortCodeRow, Site, SiteEntry, Trunk,
    User,
};
use hotdesk::timing::Wall;

/// 2026-11-23, a Monday, at 12:00 UTC.
pub const MONDAY_NOON: Wall = Wall(1_795_435_200_000);

/// `code/feature/number/line group or site`, separated by spaces.
pub fn rows(text: &str) -> Vec<ShortCodeRow> {
    text.split_whitespace().enumerate().map(|(at, row)| self::row(row, at)).collect()
}

fn row(text: &str, at: usize) -> ShortCodeRow {
    let mut parts = text.split('/').map(str::to_owned);
    let (code, feature) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let (number, last) = (parts.next().filter(|number| !number.is_empty()), parts.next());
    let (line_group, site) = if feature == "BreakOut" { (None, last) } else { (last, None) };
    ShortCodeRow {
        code,
        feature,
        number,
        line_group,
        site,
        origin: Origin { file: "test".into(), line: at as u32 + 1 },
    }
}

/// `name{codes}`, or `name>alternate{codes}`, separated by spaces.
pub fn forms(text: &str) -> BTreeMap<String, ArsForm> {
    let mut forms = BTreeMap::new();
    for form in text.split('}').map(str::trim).filter(|form| !form.is_empty()) {
        let (name, codes) = form.split_once('{').expect("name{codes}");
        let (name, alternate) =
            name.split_once('>').map_or((name, None), |(name, other)| (name, Some(other.to_owned())));
        forms.insert(name.to_owned(), ArsForm { alternate, ..self::form(codes) });
    }
    forms
}

pub fn form(codes: &str) -> ArsForm {
    ArsForm {
        in_service: true,
        out_of_service: None,
        time_profile: None,
        out_of_hours: None,
        alternate: None,
        alternate_priority: 3,
        alternate_wait: Duration::from_secs(30),
        short_codes: rows(codes),
        origin: Origin::default(),
    }
}

pub fn trunk(name: &str, group: &str) -> Trunk {
    Trunk {
        name: name.to_owned(),
        group: group.to_owned(),
        host: "192.0.2.1:5060".to_owned(),
        address: "192.0.2.1:5060".parse().ok(),
        channels: None,
        accept_from: Vec::new(),
        caller_id: CallerId::User,
        numbers: Vec::new(),
        any_caller_id: false,
        from: FromHeader::Rewrite,
        trusted: false,
        geolocation: Geolocation::No,
        retry: Duration::from_secs(30),
        transit_calls: 5,
        refer: false,
        redirects: false,
        username: String::new(),
        password: None,
        register: None,
        origin: Origin::default(),
    }
}

pub fn user(extension: &str) -> User {
    User {
        extension: Extension::new(extension),
        name: extension.to_owned(),
        credentials: Default::default(),
        login_code: None,
        profile: "basic".to_owned(),
        caller_id: None,
        rights: None,
        time_profile: None,
        out_of_hours_rights: None,
        outgoing_bar: false,
        do_not_disturb: false,
        priority: 5,
        forward: Default::default(),
        short_codes: Vec::new(),
        origin: Origin::default(),
    }
}

/// `london` owns 2XX, `paris` 3XX, `rome` 4XX.
pub fn network() -> Network {
    let mut sites = BTreeMap::new();
    for (number, name, extensions) in [(1, "london", "2XX"), (2, "paris", "3XX"), (3, "rome", "4XX")] {
        let address = format!("127.0.0.{number}:5060").parse().expect("an address");
        let entry = SiteEntry {
            name: SiteName::new(name),
            number: SiteNumber(number),
            domain: format!("{name}.example"),
            aliases: Vec::new(),
            listen: vec![Listen { bind: address, advertise: address }],
            address,
            extensions: vec![ExtensionPattern::parse(extensions).expect("a pattern")],
            link_secrets: BTreeMap::new(),
            admin: None,
            shards: 1,
        };
        sites.insert(entry.name.clone(), entry);
    }
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
        profiles: BTreeMap::new(),
        sites,
    }
}

/// A site with trunk groups `pstn` and `colt`, and no need for emergency numbers.
pub fn site(name: &str, users: &str, system: &str, ars: &str) -> Site {
    let mut site = Site::empty(SiteName::new(name));
    site.timezone = Some("UTC".to_owned());
    site.emergency.none = true;
    site.users = users.split_whitespace().map(|extension| (Extension::new(extension), user(extension))).collect();
    site.short_codes = rows(system);
    site.ars = forms(ars);
    site.trunks = vec![trunk("bt-1", "pstn"), trunk("colt-1", "colt"), trunk("bt-2", "pstn")];
    site
}

/// Adds `[rights.NAME]`.
pub fn with_rights(mut site: Site, name: &str, outgoing_bar: bool, codes: &str) -> Site {
    let rights = Rights { outgoing_bar, short_codes: rows(codes), origin: Origin::default() };
    site.rights.insert(name.to_owned(), rights);
    site
}

pub fn plan(site: &Site) -> Plan {
    Plan::compile(&network(), site).unwrap_or_else(|errors| panic!("{}", in_words(&errors)))
}

pub fn errors(site: &Site) -> String {
    in_words(&Plan::compile(&network(), site).expect_err("a plan with errors"))
}

pub fn in_words(errors: &[PlanError]) -> String {
    errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

pub fn level(codes: &str) -> Level {
    Level::compile(&rows(codes)).unwrap_or_else(|errors| panic!("{}", in_words(&errors)))
}

/// User 201 of London, where everything is asked.
pub fn ada<'a>() -> Caller<'a> {
    Caller { extension: "201", name: "Ada", ..Caller::default() }
}

/// What `caller` gets at noon on Monday, with the trace.
pub fn dials(plan: &Plan, caller: &Caller<'_>, digits: &str) -> Decision {
    plan.route(digits, caller, &Around::alone(MONDAY_NOON), Trace::on())
}

/// The same in the words of SPEC 6.10.
pub fn gives(plan: &Plan, caller: &Caller<'_>, digits: &str) -> String {
    dials(plan, caller, digits).gives(plan.site())
}
