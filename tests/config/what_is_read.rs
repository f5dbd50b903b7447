//! Values as they come out of the files.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use hotdesk::config::{Loaded, Sites, ha1_md5, ha1_sha256, load};
use hotdesk::ids::SiteName;
use hotdesk::settings::{Registrar, Secret};

use crate::Folder;

const NETWORK: &str = r#"
[network]
realm = "r.example"
link_secret = { file = "link.secret" }
data_dir = "data"
[sites.london]
number = 1
domain = "London.Example"
listen = ["udp:127.0.0.1:5060", { udp = "0.0.0.0:5070", advertise = "203.0.113.9:5070" }]
extensions = ["2XX"]
plan = "sites/london.toml"
link_secrets = { paris = "01234567890123456789012345678901" }
[sites.paris]
number = 2
domain = "paris.example"
listen = [{ udp = "10.1.0.5:5060", advertise = "203.0.113.10:5060" }]
extensions = ["3XX"]
plan = "sites/paris.toml"
[sites.berlin]
number = 3
domain = "berlin.example"
listen = ["udp:[::1]:5060"]
extensions = ["4XX"]
plan = "sites/berlin.toml"
link_secrets = { paris = { file = "not-on-this-machine" } }
"#;

const NOTHING: &str = "[emergency]\nnone = true\n";

fn folder(london: &str) -> Folder {
    Folder::with(&[
        ("network.toml", NETWORK),
        ("link.secret", "98765432109876543210987654321098\n"),
        ("sites/london.toml", &format!("{NOTHING}{london}")),
        ("sites/paris.toml", NOTHING),
    ])
}

fn london(folder: &Folder) -> Loaded {
    let only = Sites::Named(BTreeSet::from([SiteName::new("london")]));
    load(&folder.path("network.toml"), &only).unwrap_or_else(|errors| panic!("{errors}"))
}

#[test]
fn what_is_not_written_has_its_default() {
    let loaded = london(&folder(""));
    assert_eq!(loaded.sites["london"].registrar, Registrar::default());
    assert_eq!(loaded.sites["london"].hot_desk.lease, Duration::from_secs(120));
    assert!(loaded.network.profiles.contains_key("basic"));
}

#[test]
fn a_default_stays_within_the_limits_that_are_written() {
    let loaded = london(&folder("[registrar]\nmin_expires = 600\nmax_expires = 7200\n"));
    let registrar = loaded.sites["london"].registrar;
    assert_eq!((registrar.default_expires, registrar.nat_expires), (600, 600));
}

#[test]
fn secrets_come_from_files_without_their_newline_and_are_never_printed() {
    let user = "[[users]]\nextension = \"201\"\npassword = \"hunter2\"\nlogin_code = \"31337\"\n";
    let trunk =
        "[[trunks]]\nname = \"t\"\ngroup = \"g\"\naddress = \"127.0.0.9\"\nusername = \"u\"\npassword = \"hunter2\"\n";
    let loaded = london(&folder(&format!("{user}{trunk}")));
    assert_eq!(loaded.network.link_secret, Some(Secret(b"98765432109876543210987654321098".to_vec())));
    let printed = format!("{loaded:?}");
    assert!(!printed.contains("9876543210") && !printed.contains("hunter2") && !printed.contains("31337"), "{printed}");
}

#[test]
fn a_pair_secret_counts_at_both_sites_and_only_those_of_this_machine_are_read() {
    let loaded = london(&folder(""));
    let secret = Secret(b"01234567890123456789012345678901".to_vec());
    assert_eq!(loaded.network.sites["london"].link_secrets["paris"], secret);
    assert_eq!(loaded.network.sites["paris"].link_secrets["london"], secret);
    assert!(loaded.network.sites["berlin"].link_secrets.is_empty());
}

#[test]
fn sockets_say_what_is_bound_and_what_the_world_sees() {
    let loaded = london(&folder(""));
    let site = &loaded.network.sites["london"];
    let address = |text: &str| text.parse::<SocketAddr>().expect("an address");
    assert_eq!(site.address, address("127.0.0.1:5060"));
    assert_eq!((site.listen[1].bind, site.listen[1].advertise), (address("0.0.0.0:5070"), address("203.0.113.9:5070")));
    assert_eq!(loaded.network.sites["paris"].address, address("203.0.113.10:5060"), "the first advertised address");
    assert_eq!(site.domain, "london.example");
}

#[test]
fn relative_paths_start_at_the_file_that_names_them() {
    let folder = folder("[site]\ninclude = [\"more/users.toml\"]\nusers_csv = \"users.csv\"\n");
    std::fs::create_dir(folder.path("sites/more")).expect("a folder");
    std::fs::write(folder.path("sites/more/users.toml"), "[[users]]\nextension = \"201\"\npassword = \"p\"\n")
        .expect("a file");
    let csv = "extension,name,password,priority,forward.busy,do_not_disturb\n\
        202,Charles,p,2,201,true\n\
        203,,p,,,\n";
    std::fs::write(folder.path("sites/users.csv"), csv).expect("a file");
    let loaded = london(&folder);
    let users = &loaded.sites["london"].users;
    assert_eq!(users.len(), 3);
    assert_eq!((users["202"].priority, users["202"].forward.busy.as_deref()), (2, Some("201")));
    assert!(users["202"].do_not_disturb && !users["203"].do_not_disturb);
    assert_eq!((users["203"].name.as_str(), users["203"].priority), ("203", 5));
    assert_eq!(folder.plain(&users["203"].origin.to_string()), "sites/users.csv:3");
    assert_eq!(folder.plain(&users["201"].origin.to_string()), "sites/more/users.toml:2");
    assert_eq!(loaded.network.data_dir, Some(folder.path("data")));
}

#[test]
fn mistakes_in_included_files_are_named_there() {
    let folder =
        folder("[site]\ninclude = [\"more.toml\"]\nusers_csv = \"users.csv\"\n[registrar]\nmin_expires = 60\n");
    let more = "[registrar]\nmin_expires = 30\n[[users]]\nextension = \"201\"\npassword = \"p\"\nprofil = \"basic\"\n";
    std::fs::write(folder.path("sites/more.toml"), more).expect("a file");
    let csv =
        "extension,name,password,prioritty,priority\n201,Ada,p,,1\n202,Charles,p,,x\n203,Mary\n204,Michael,p,,6\n";
    std::fs::write(folder.path("sites/users.csv"), csv).expect("a file");
    let errors = load(&folder.path("network.toml"), &Sites::Named(BTreeSet::from([SiteName::new("london")])));
    let said = folder.plain(&errors.expect_err("there are mistakes").to_string());
    let expected = [
        "sites/more.toml:1: registrar: is already there: sites/london.toml:6",
        "sites/more.toml:6: users[0].profil: unknown key; did you mean `profile`?",
        "sites/users.csv:1: prioritty: unknown key; did you mean `priority`?",
        "sites/users.csv:2: extension: extension 201 is already the user at sites/more.toml:4",
        "sites/users.csv:3: priority: a whole number is needed, not `x`",
        "sites/users.csv:4: not CSV: 2 cells where the header has 5",
        "sites/users.csv:5: priority: 6 is out of range: 1 to 5",
    ];
    assert_eq!(said.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn a_password_becomes_both_hashes_and_hashes_stay_as_they_are() {
    let md5 = "00112233445566778899AABBCCDDEEFF";
    let users = format!(
        "[[users]]\nextension = \"201\"\npassword = \"p\"\n[[users]]\nextension = \"202\"\nha1_md5 = \"{md5}\"\n"
    );
    let loaded = london(&folder(&users));
    let users = &loaded.sites["london"].users;
    assert_eq!(users["201"].credentials.ha1_md5, Some(ha1_md5("201", "r.example", "p")));
    assert_eq!(users["201"].credentials.ha1_sha256, Some(ha1_sha256("201", "r.example", "p")));
    assert_eq!(users["202"].credentials.ha1_md5, Some(md5.to_lowercase()));
    assert_eq!(users["202"].credentials.password, None);
}

#[test]
fn what_is_not_here_is_a_warning_where_only_looking_is_meant() {
    let folder = folder("[[users]]\nextension = \"201\"\npassword = { env = \"HOTDESK_NO_SUCH\" }\n");
    let loaded = load(&folder.path("network.toml"), &Sites::Present).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(loaded.missing, BTreeSet::from([SiteName::new("berlin")]));
    assert!(loaded.sites["london"].users.contains_key("201"));
    let said: Vec<String> = loaded.warnings.iter().map(|warning| folder.plain(&warning.to_string())).collect();
    assert_eq!(said.len(), 3, "{said:#?}");
    assert!(said[0].starts_with("network.toml:24: sites.berlin.plan: sites/berlin.toml is not here"), "{said:#?}");
    assert!(said[1].starts_with("network.toml:25: sites.berlin.link_secrets.paris: cannot read"), "{said:#?}");
    assert!(said[2].starts_with("sites/london.toml:5: users[0].password: the environment has no"), "{said:#?}");
}

#[test]
fn a_user_known_by_a_hash_must_be_able_to_log_in_wherever_a_site_takes_the_user() {
    let user = "[[users]]\nextension = \"201\"\nha1_md5 = \"00112233445566778899aabbccddeeff\"\n";
    let paris = |more: &str| format!("{NOTHING}[auth]\nalgorithms = [\"SHA-256\"]\n{more}");
    let only = Sites::Named(BTreeSet::from([SiteName::new("london"), SiteName::new("paris")]));
    let folder = folder(user);
    let network = NETWORK.replace("{ file = \"not-on-this-machine\" }", "\"01234567890123456789012345678901\"");
    std::fs::write(folder.path("network.toml"), network).expect("a file");
    std::fs::write(folder.path("sites/paris.toml"), paris("")).expect("a file");
    let errors = load(&folder.path("network.toml"), &only).expect_err("Paris takes 201");
    assert_eq!(
        folder.plain(&errors.to_string()),
        "sites/london.toml:4: users.ha1_md5: paris offers SHA-256 only, and this hash is for MD5: nobody could log in there with it"
    );
    std::fs::write(folder.path("sites/paris.toml"), paris("[hot_desk]\nvisitors = false\n")).expect("a file");
    load(&folder.path("network.toml"), &only).unwrap_or_else(|errors| panic!("{errors}"));
}

#[test]
fn the_network_hash_says_what_sites_must_agree_on() {
    let hash = |network: &str| {
        let folder = folder("");
        std::fs::write(folder.path("network.toml"), network).expect("a file");
        london(&folder).network_hash
    };
    let first = hash(NETWORK);
    assert_eq!(
        hash(
            &NETWORK.replace(
                "link_secret = { file = \"link.secret\" }",
                "link_secret = \"abcdefghijabcdefghijabcdefghij12\""
            )
        ),
        first
    );
    assert_eq!(hash(&NETWORK.replace("data_dir = \"data\"", "# nothing")), first);
    assert_ne!(hash(&NETWORK.replace("extensions = [\"3XX\"]", "extensions = [\"3XXX\"]")), first);
    assert_ne!(hash(&NETWORK.replace("number = 3", "number = 4")), first);
}
