//! A mistake each, and what is said about it.
//!
//! The files in `tests/data/bad-config` are right; each example changes one place of one of them.

use hotdesk::config::{Sites, load};
use hotdesk::ids::SiteName;

use crate::Folder;

const GOOD: [(&str, &str); 3] = [
    ("network.toml", include_str!("../data/bad-config/network.toml")),
    ("london.toml", include_str!("../data/bad-config/london.toml")),
    ("paris.toml", include_str!("../data/bad-config/paris.toml")),
];

struct Bad {
    what: &'static str,
    file: &'static str,
    find: &'static str,
    put: &'static str,
    says: &'static [&'static str],
}

#[test]
fn the_files_that_the_examples_change_are_right() {
    let folder = Folder::with(&GOOD);
    let loaded = load(&folder.path("network.toml"), &Sites::All).unwrap_or_else(|errors| panic!("{errors}"));
    let odd = loaded.warnings.iter().filter(|warning| !warning.message.starts_with("has no effect in this release"));
    assert_eq!(odd.count(), 0, "{:#?}", loaded.warnings);
}

#[test]
fn every_mistake_is_named_where_it_stands() {
    let mut wrong = String::new();
    for bad in EXAMPLES {
        let said = said_of(&change(bad.file, bad.find, bad.put));
        if said.lines().ne(bad.says.iter().copied()) {
            wrong.push_str(&format!("{}:\n  {}\n", bad.what, said.replace('\n', "\n  ")));
        }
    }
    assert!(wrong.is_empty(), "said otherwise of:\n{wrong}");
}

#[test]
fn lab_mode_stays_on_loopback() {
    let lab = |(name, text): (&'static str, String)| {
        (name, if name == "paris.toml" { format!("[lab]\nusers = \"any\"\n{text}") } else { text })
    };
    let files = |file, find, put| change(file, find, put).map(lab);
    assert_eq!(said_of(&files("network.toml", "realm", "realm")), "", "everything is on loopback");
    assert_eq!(
        said_of(&files("network.toml", "udp:127.0.0.2:5060", "udp:10.0.0.2:5060")),
        "network.toml:12: sites.paris: paris is in lab mode, which is for loopback only: 10.0.0.2:5060 is not"
    );
    assert_eq!(
        said_of(&files("london.toml", "127.0.0.10:5080", "10.0.0.1:5080")),
        "london.toml:37: trunks.address: paris is in lab mode, which is for loopback only: trunk `bt-1` is not"
    );
    assert_eq!(
        said_of(&files("london.toml", "127.0.0.10:5080", "carrier.example")),
        "london.toml:37: trunks.address: paris is in lab mode, which is for loopback only: trunk `bt-1` is not"
    );
}

#[test]
fn two_sites_of_one_process_cannot_bind_one_port_on_every_address() {
    let mut files =
        change("network.toml", "\"udp:127.0.0.1:5060\"", "{ udp = \"0.0.0.0:5060\", advertise = \"127.0.0.1:5060\" }");
    files[0].1 =
        files[0].1.replace("\"udp:127.0.0.2:5060\"", "{ udp = \"0.0.0.0:5060\", advertise = \"127.0.0.2:5060\" }");
    let beside =
        "network.toml:15: sites.paris.listen[0]: 0.0.0.0:5060 cannot be bound beside a socket of london in one process";
    assert_eq!(said_of(&files), beside);
    let folder = Folder::with(&[]);
    for (name, text) in &files {
        std::fs::create_dir_all(folder.path("")).expect("a folder");
        std::fs::write(folder.path(name), text).expect("a file");
    }
    let alone = Sites::Named([SiteName::new("paris")].into());
    assert_eq!(load(&folder.path("network.toml"), &alone).err(), None, "on a machine each it is right");
}

#[test]
fn mistakes_in_several_files_are_told_in_one_run() {
    let mut files = change("network.toml", "number = 2", "numbr = 2");
    files[1].1 = files[1].1.replace("priority = 3", "priority = 0");
    files[2].1 = files[2].1.replace("password", "pasword");
    let said = said_of(&files);
    assert_eq!(said.lines().count(), 3, "{said}");
}

#[test]
fn no_message_shows_a_secret() {
    for (find, put) in [
        ("password = \"secret-201\"", "password = hunter2"),
        ("password = \"secret-201\"", "password = 31337"),
        ("password = \"secret-201\"", "password = [\"hunter2\"]"),
        ("password = \"secret-201\"", "password = { fiel = \"hunter2\" }"),
        ("password = \"secret-201\"", "ha1_md5 = \"hunter2\""),
        ("login_code = \"1234\"", "login_code = \"31337x\""),
    ] {
        let said = said_of(&change("london.toml", find, put));
        assert!(!said.is_empty() && !said.contains("hunter2") && !said.contains("31337"), "{said}");
    }
}

#[test]
fn a_network_file_that_is_not_there_is_named() {
    let folder = Folder::with(&[]);
    let errors = load(&folder.path("network.toml"), &Sites::All).expect_err("there is no file");
    assert!(folder.plain(&errors.to_string()).starts_with("network.toml: cannot be read: "), "{errors}");
}

fn change(file: &str, find: &str, put: &str) -> [(&'static str, String); 3] {
    GOOD.map(|(name, text)| {
        assert!(name != file || text.contains(find), "`{find}` is not in {file}");
        (name, if name == file { text.replacen(find, put, 1) } else { text.to_owned() })
    })
}

/// What loading these files says, without the folder that they stand in.
fn said_of(files: &[(&'static str, String)]) -> String {
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let folder = Folder::with(&files);
    load(&folder.path("network.toml"), &Sites::All)
        .err()
        .map(|errors| folder.plain(&errors.to_string()))
        .unwrap_or_default()
}

const EXAMPLES: &[Bad] = &[
    Bad {
        what: "an unknown key in a row",
        file: "london.toml",
        find: r#"name = "Ada""#,
        put: r#"nmae = "Ada""#,
        says: &["london.toml:7: users[0].nmae: unknown key; did you mean `name`?"],
    },
    Bad {
        what: "a mistyped key that is needed",
        file: "london.toml",
        find: r#"extension = "202""#,
        put: r#"extention = "202""#,
        says: &["london.toml:17: users[1].extention: unknown key; did you mean `extension`?"],
    },
    Bad {
        what: "an unknown key like no other",
        file: "network.toml",
        find: r#"realm = "r.example""#,
        put: r#"realm = "r.example"
colour = "red""#,
        says: &[
            "network.toml:3: network.colour: unknown key; known here: realm, link_secret, link_secret_previous, admin, admin_token, call_log, data_dir, resolvers",
        ],
    },
    Bad {
        what: "an unknown table",
        file: "london.toml",
        find: "[emergency]",
        put: "[emergancy]",
        says: &["london.toml:45: emergancy: unknown key; did you mean `emergency`?"],
    },
    Bad {
        what: "text where a number belongs",
        file: "london.toml",
        find: "min_expires = 60",
        put: r#"min_expires = "60""#,
        says: &[r#"london.toml:4: registrar.min_expires: a whole number is needed, not string "60""#],
    },
    Bad {
        what: "a number where text belongs",
        file: "london.toml",
        find: r#"extension = "201""#,
        put: "extension = 201",
        says: &["london.toml:6: users[0].extension: a string is needed, not integer `201`"],
    },
    Bad {
        what: "a secret without quotes",
        file: "london.toml",
        find: r#"password = "secret-201""#,
        put: "password = 1234",
        says: &["london.toml:8: users[0].password: a secret stands in quotes"],
    },
    Bad {
        what: "not toml",
        file: "london.toml",
        find: r#"timezone = "Europe/London""#,
        put: "timezone = Europe/London",
        says: &["london.toml:2: not TOML: string values must be quoted, expected literal string"],
    },
    Bad {
        what: "a key twice",
        file: "london.toml",
        find: r#"name = "Ada""#,
        put: r#"name = "Ada"
name = "Eda""#,
        says: &["london.toml:8: not TOML: duplicate key `name`"],
    },
    Bad {
        what: "no realm",
        file: "network.toml",
        find: r#"realm = "r.example"
"#,
        put: "",
        says: &["network.toml:1: network.realm: is missing"],
    },
    Bad {
        what: "no link secret",
        file: "network.toml",
        find: r#"link_secret = "0123456789012345678901234567890123456789"
"#,
        put: "",
        says: &["network.toml:1: network.link_secret: is missing: with two or more sites they must know each other"],
    },
    Bad {
        what: "a short link secret",
        file: "network.toml",
        find: "0123456789012345678901234567890123456789",
        put: "0123456789012345678901234567890",
        says: &[
            "network.toml:3: network.link_secret: has 31 bytes; a link secret needs at least 32 (`hotdesk secret` makes one)",
        ],
    },
    Bad {
        what: "a secret in a missing file",
        file: "network.toml",
        find: r#"link_secret = "0123456789012345678901234567890123456789""#,
        put: r#"link_secret = { file = "no.secret" }"#,
        says: &["network.toml:3: network.link_secret: cannot read no.secret: No such file or directory (os error 2)"],
    },
    Bad {
        what: "a secret in no environment",
        file: "network.toml",
        find: r#"link_secret = "0123456789012345678901234567890123456789""#,
        put: r#"link_secret = { env = "HOTDESK_NO_SUCH" }"#,
        says: &["network.toml:3: network.link_secret: the environment has no `HOTDESK_NO_SUCH`"],
    },
    Bad {
        what: "a secret of an unknown kind",
        file: "network.toml",
        find: r#"link_secret = "0123456789012345678901234567890123456789""#,
        put: r#"link_secret = { fiel = "no.secret" }"#,
        says: &["network.toml:3: network.link_secret: unknown key; did you mean `file`?"],
    },
    Bad {
        what: "admin abroad without token",
        file: "network.toml",
        find: "[network]",
        put: r#"[network]
admin = "10.0.0.1:8080""#,
        says: &["network.toml:1: network.admin_token: is missing: `admin` is not on loopback"],
    },
    Bad {
        what: "a name server without an address",
        file: "network.toml",
        find: "[network]",
        put: r#"[network]
resolvers = ["10.0.0.53", "dns.example", "0.0.0.0", "10.0.0.1:0"]"#,
        says: &[
            "network.toml:2: network.resolvers[1]: `dns.example` is no address of a name server, such as 10.0.0.53 or 127.0.0.1:5353",
            "network.toml:2: network.resolvers[2]: `0.0.0.0` is no address of a name server, such as 10.0.0.53 or 127.0.0.1:5353",
            "network.toml:2: network.resolvers[3]: `10.0.0.1:0` is no address of a name server, such as 10.0.0.53 or 127.0.0.1:5353",
        ],
    },
    Bad {
        what: "a site admin abroad without token",
        file: "network.toml",
        find: "number = 1",
        put: r#"number = 1
admin = "10.0.0.1:8080""#,
        says: &["network.toml:8: sites.london.admin: is not on loopback: `admin_token` is needed in [network]"],
    },
    Bad {
        what: "a wildcard socket",
        file: "network.toml",
        find: r#"listen = ["udp:127.0.0.1:5060"]"#,
        put: r#"listen = ["udp:0.0.0.0:5060"]"#,
        says: &[
            "network.toml:9: sites.london.listen[0]: 0.0.0.0:5060 is every address of the machine: `advertise` must say which one phones and sites reach",
        ],
    },
    Bad {
        what: "a socket of another transport",
        file: "network.toml",
        find: r#"listen = ["udp:127.0.0.1:5060"]"#,
        put: r#"listen = ["tcp:127.0.0.1:5060"]"#,
        says: &["network.toml:9: sites.london.listen[0]: `tcp:127.0.0.1:5060`: only udp for now"],
    },
    Bad {
        what: "a socket without port",
        file: "network.toml",
        find: r#"listen = ["udp:127.0.0.1:5060"]"#,
        put: r#"listen = ["udp:127.0.0.1"]"#,
        says: &[
            "network.toml:9: sites.london.listen[0]: `127.0.0.1` is not ADDRESS:PORT, such as 10.1.0.5:5060 or [2001:db8::5]:5060",
        ],
    },
    Bad {
        what: "one socket at two sites",
        file: "network.toml",
        find: "udp:127.0.0.2:5060",
        put: "udp:127.0.0.1:5060",
        says: &["network.toml:15: sites.paris.listen[0]: 127.0.0.1:5060 is already a socket of london"],
    },
    Bad {
        what: "one number at two sites",
        file: "network.toml",
        find: "number = 2",
        put: "number = 1",
        says: &["network.toml:13: sites.paris.number: 1 is already the number of london"],
    },
    Bad {
        what: "a site number out of range",
        file: "network.toml",
        find: "number = 2",
        put: "number = 10000",
        says: &["network.toml:13: sites.paris.number: 10000 is out of range: 1 to 9999"],
    },
    Bad {
        what: "no shard",
        file: "network.toml",
        find: "number = 2",
        put: "number = 2\nshards = 0",
        says: &["network.toml:14: sites.paris.shards: 0 is out of range: 1 to 64"],
    },
    Bad {
        what: "more shards than there may be",
        file: "network.toml",
        find: "number = 2",
        put: "number = 2\nshards = 65",
        says: &["network.toml:14: sites.paris.shards: 65 is out of range: 1 to 64"],
    },
    Bad {
        what: "one domain at two sites",
        file: "network.toml",
        find: r#"domain = "paris.example""#,
        put: r#"domain = "London.example""#,
        says: &["network.toml:14: sites.paris.domain: `london.example` is already a name of london"],
    },
    Bad {
        what: "an alias that is anothers domain",
        file: "network.toml",
        find: r#"domain = "paris.example""#,
        put: r#"domain = "paris.example"
aliases = ["london.example"]"#,
        says: &["network.toml:15: sites.paris.aliases[0]: `london.example` is already a name of london"],
    },
    Bad {
        what: "overlapping extensions",
        file: "network.toml",
        find: r#"extensions = ["3XX"]"#,
        put: r#"extensions = ["3XX", "20X"]"#,
        says: &["network.toml:16: sites.paris.extensions[1]: `20X` overlaps `2XX` of london: a number has one home"],
    },
    Bad {
        what: "a bad extension pattern",
        file: "network.toml",
        find: r#"extensions = ["3XX"]"#,
        put: r#"extensions = ["3x-"]"#,
        says: &[
            "network.toml:16: sites.paris.extensions[0]: `3x-`: `-` at position 2 does not belong in an extension pattern: digits, `X`, letters, or a final `N`",
        ],
    },
    Bad {
        what: "letters without lab mode",
        file: "network.toml",
        find: r#"extensions = ["3XX"]"#,
        put: r#"extensions = ["3XX", "uN"]"#,
        says: &["network.toml:16: sites.paris.extensions[1]: `uN`: letters and a final `N` are for lab mode only"],
    },
    Bad {
        what: "a bad site name",
        file: "network.toml",
        find: "[sites.paris]",
        put: "[sites.Paris]",
        says: &["network.toml:12: sites.Paris: a site's name has 1 to 32 characters of a-z 0-9 - _"],
    },
    Bad {
        what: "a missing plan",
        file: "network.toml",
        find: r#"plan = "paris.toml""#,
        put: r#"plan = "nowhere.toml""#,
        says: &["network.toml:17: sites.paris.plan: cannot read nowhere.toml: No such file or directory (os error 2)"],
    },
    Bad {
        what: "no plan",
        file: "network.toml",
        find: r#"plan = "paris.toml""#,
        put: "",
        says: &["network.toml:12: sites.paris.plan: is missing"],
    },
    Bad {
        what: "a pair secret with nobody",
        file: "network.toml",
        find: "number = 2",
        put: r#"number = 2
link_secrets = { londen = "0123456789012345678901234567890123456789" }"#,
        says: &["network.toml:14: sites.paris.link_secrets.londen: no other site `londen`; did you mean `london`?"],
    },
    Bad {
        what: "a profile without devices",
        file: "network.toml",
        find: "devices = 2",
        put: "devices = 0",
        says: &["network.toml:5: profiles.power.devices: 0 is out of range: 1 to 1000"],
    },
    Bad {
        what: "a missing include",
        file: "london.toml",
        find: "[site]",
        put: r#"[site]
include = ["more.toml"]"#,
        says: &["london.toml:2: site.include[0]: cannot read more.toml: No such file or directory (os error 2)"],
    },
    Bad {
        what: "a duplicate extension",
        file: "london.toml",
        find: r#"extension = "202""#,
        put: r#"extension = "201""#,
        says: &["london.toml:17: users[1].extension: extension 201 is already the user at london.toml:6"],
    },
    Bad {
        what: "a duplicate extension over two sites",
        file: "paris.toml",
        find: r#"extension = "301""#,
        put: r#"extension = "201""#,
        says: &["paris.toml:2: users[0].extension: extension 201 is already the user of london at london.toml:6"],
    },
    Bad {
        what: "a user of nobodys number",
        file: "paris.toml",
        find: r#"extension = "301""#,
        put: r#"extension = "501""#,
        says: &["paris.toml:2: users[0].extension: extension 501 is none of paris's (3XX)"],
    },
    Bad {
        what: "a user of another sites number",
        file: "paris.toml",
        find: r#"extension = "301""#,
        put: r#"extension = "299""#,
        says: &["paris.toml:2: users[0].extension: extension 299 is none of paris's (3XX); it belongs to london"],
    },
    Bad {
        what: "a group with a users number",
        file: "london.toml",
        find: r#"extension = "290""#,
        put: r#"extension = "202""#,
        says: &["london.toml:23: groups[0].extension: extension 202 is already the user at london.toml:17"],
    },
    Bad {
        what: "a group with an unknown member",
        file: "london.toml",
        find: r#"members = ["201"]"#,
        put: r#"members = ["201", "299"]"#,
        says: &["london.toml:24: groups[0].members[1]: no user `299` at london or any other site"],
    },
    Bad {
        what: "a group of groups",
        file: "london.toml",
        find: r#"members = ["201"]"#,
        put: r#"members = ["290"]"#,
        says: &["london.toml:24: groups[0].members[0]: 290 is a group; a user is needed here"],
    },
    Bad {
        what: "a user without password",
        file: "london.toml",
        find: r#"password = "secret-201"
"#,
        put: "",
        says: &["london.toml:5: users[0].password: is missing: a password, or the hash that `hotdesk hash 201` prints"],
    },
    Bad {
        what: "password and hash",
        file: "london.toml",
        find: r#"password = "secret-201""#,
        put: r#"password = "secret-201"
ha1_md5 = "00112233445566778899aabbccddeeff""#,
        says: &["london.toml:8: users[0].password: either the password or its hashes, not both"],
    },
    Bad {
        what: "a hash of the wrong length",
        file: "london.toml",
        find: r#"password = "secret-201""#,
        put: r#"ha1_md5 = "0011""#,
        says: &["london.toml:8: users[0].ha1_md5: is no hash of 32 hexadecimal digits"],
    },
    Bad {
        what: "a hash for an algorithm not offered",
        file: "london.toml",
        find: r#"password = "secret-201""#,
        put: r#"ha1_sha256 = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff""#,
        says: &[
            "london.toml:6: users.ha1_sha256: london offers MD5 only, and this hash is for SHA-256: nobody could log in there with it",
            "london.toml:6: users.ha1_sha256: paris offers MD5 only, and this hash is for SHA-256: nobody could log in there with it",
        ],
    },
    Bad {
        what: "a login code that cannot be dialled",
        file: "london.toml",
        find: r#"login_code = "1234""#,
        put: r#"login_code = "12ab""#,
        says: &["london.toml:9: users[0].login_code: is no code of 1 to 31 digits, which is all that a phone can dial"],
    },
    Bad {
        what: "an unknown profile",
        file: "london.toml",
        find: r#"profile = "power""#,
        put: r#"profile = "powr""#,
        says: &["london.toml:10: users[0].profile: no profile `powr`; did you mean `power`?"],
    },
    Bad {
        what: "unknown rights",
        file: "london.toml",
        find: r#"rights = "office""#,
        put: r#"rights = "offices""#,
        says: &["london.toml:11: users[0].rights: no rights `offices`; did you mean `office`?"],
    },
    Bad {
        what: "an unknown time profile",
        file: "london.toml",
        find: r#"time_profile = "hours""#,
        put: r#"time_profile = "days""#,
        says: &["london.toml:12: users[0].time_profile: no time profile `days`; there is hours"],
    },
    Bad {
        what: "out of hours without hours",
        file: "london.toml",
        find: r#"time_profile = "hours"
"#,
        put: "",
        says: &[
            "london.toml:12: users[0].out_of_hours_rights: needs a `time_profile`: without one, `rights` are always in force",
        ],
    },
    Bad {
        what: "a group with hours and nobody outside them",
        file: "london.toml",
        find: r#"members = ["201"]"#,
        put: r#"members = ["201"]
time_profile = "hours""#,
        says: &["london.toml:25: groups[0].time_profile: needs `out_of_hours`: who is called outside it"],
    },
    Bad {
        what: "a group outside no hours",
        file: "london.toml",
        find: r#"members = ["201"]"#,
        put: r#"members = ["201"]
out_of_hours = "209""#,
        says: &[
            "london.toml:25: groups[0].out_of_hours: needs a `time_profile`: outside which hours",
            "london.toml:25: groups[0].out_of_hours: no user or group `209` at london or any other site",
        ],
    },
    Bad {
        what: "groups that give each other their calls",
        file: "london.toml",
        find: r#"members = ["201"]"#,
        put: r#"members = ["201"]
time_profile = "hours"
out_of_hours = "291"
[[groups]]
extension = "291"
members = ["202"]
time_profile = "hours"
out_of_hours = "290""#,
        says: &["london.toml:23: out of hours the calls of groups go in a circle: 290 -> 291 -> 290"],
    },
    Bad {
        what: "an incoming rule with unknown hours",
        file: "london.toml",
        find: r#"number = "+44XXX""#,
        put: r#"number = "+44XXX"
time_profile = "hour"
out_of_hours = "2-1""#,
        says: &["london.toml:44: incoming[0].time_profile: no time profile `hour`; did you mean `hours`?"],
    },
    Bad {
        what: "an incoming rule that leads nowhere out of hours",
        file: "london.toml",
        find: r#"number = "+44XXX""#,
        put: r#"number = "+44XXX"
time_profile = "hours"
out_of_hours = "E""#,
        says: &[
            "london.toml:43: incoming rule `+44XXX`, to `E`: `E` at character 1 says nothing of a call from a trunk",
        ],
    },
    Bad {
        what: "priority out of range",
        file: "london.toml",
        find: "priority = 3",
        put: "priority = 6",
        says: &["london.toml:14: users[0].priority: 6 is out of range: 1 to 5"],
    },
    Bad {
        what: "a forward that cannot be dialled",
        file: "london.toml",
        find: r#"busy = "202""#,
        put: r#"busy = "two""#,
        says: &["london.toml:15: users[0].forward.busy: `two` is no number: `t` cannot be dialled"],
    },
    Bad {
        what: "a forward of a user whose profile forwards nothing",
        file: "network.toml",
        find: "devices = 2",
        put: "devices = 2\nforwarding = false",
        says: &[
            "london.toml:6: users.forward.busy: 202 of 201 could never be forwarded to: the profile `power` forwards nothing",
        ],
    },
    Bad {
        what: "a forward to where the user is barred at any hour",
        file: "london.toml",
        find: r#"forward = { busy = "202" }"#,
        put: "outgoing_bar = true\nforward = { busy = \"202\", no_answer = \"80123\" }\n\
              [[short_codes]]\ncode = \"8N;\"\nfeature = \"Dial\"\nnumber = \"N\"\nline_group = \"pstn\"",
        says: &[
            "london.toml:6: users.forward.no_answer: 80123 of 201 could never be forwarded to: external calls are barred for this user",
        ],
    },
    Bad {
        what: "a forward to help",
        file: "london.toml",
        find: r#"busy = "202""#,
        put: r#"busy = "999""#,
        says: &[
            "london.toml:6: users.forward.busy: 999 of 201 could never be forwarded to: no forward leads to emergency services",
        ],
    },
    Bad {
        what: "a duplicate desk",
        file: "london.toml",
        find: "[[groups]]",
        put: r#"[[phones]]
id = "desk-7"
password = "x"
[[groups]]"#,
        says: &["london.toml:23: phones[1].id: desk `desk-7` is already there: london.toml:20"],
    },
    Bad {
        what: "a desk named like a user",
        file: "london.toml",
        find: r#"id = "desk-7""#,
        put: r#"id = "205""#,
        says: &["london.toml:20: phones[0].id: `205` is an extension of london; a desk needs a name of its own"],
    },
    Bad {
        what: "a registrar that is a user",
        file: "london.toml",
        find: r#"address = "127.0.0.10:5080""#,
        put: r#"address = "127.0.0.10:5080"
register = { registrar = "sip:london1@carrier.example", user = "london1" }"#,
        says: &[
            "london.toml:40: trunks[0].register.registrar: `sip:london1@carrier.example` is no SIP URI of a server, \
                 such as sip:carrier.example",
        ],
    },
    Bad {
        what: "a registration without user, and a short one",
        file: "london.toml",
        find: r#"address = "127.0.0.10:5080""#,
        put: r#"address = "127.0.0.10:5080"
register = { registrar = "sip:carrier.example", expires = 59 }"#,
        says: &[
            "london.toml:40: trunks[0].register.user: is missing",
            "london.toml:40: trunks[0].register.expires: 59 is out of range: 60 to 86400",
        ],
    },
    Bad {
        what: "a duplicate trunk",
        file: "london.toml",
        find: "[[incoming]]",
        put: r#"[[trunks]]
name = "bt-1"
group = "pstn"
address = "127.0.0.12:5080"
[[incoming]]"#,
        says: &["london.toml:42: trunks[1].name: trunk `bt-1` is already there: london.toml:37"],
    },
    Bad {
        what: "two trunks at one address",
        file: "london.toml",
        find: "[[incoming]]",
        put: r#"[[trunks]]
name = "bt-2"
group = "pstn"
address = "127.0.0.10:5080"
[[incoming]]"#,
        says: &["london.toml:44: trunks[1].address: is the address of trunk `bt-1` too: where is a call from it from?"],
    },
    Bad {
        what: "two trunks with one host name",
        file: "london.toml",
        find: r#"address = "127.0.0.10:5080""#,
        put: r#"address = "carrier.example"
[[trunks]]
name = "bt-2"
group = "pstn"
address = "Carrier.example:5060"
[[trunks]]
name = "bt-3"
group = "pstn"
address = "carrier.example:5070""#,
        says: &["london.toml:43: trunks[1].address: is the address of trunk `bt-1` too: where is a call from it from?"],
    },
    Bad {
        what: "a trunk group named like a form",
        file: "london.toml",
        find: "[ars.main]",
        put: "[ars.pstn]\nshort_codes = []\n[ars.main]",
        says: &["london.toml:40: trunks[0].group: `pstn` is the name of an ARS form too"],
    },
    Bad {
        what: "a trunk that is a site",
        file: "london.toml",
        find: r#"address = "127.0.0.10:5080""#,
        put: r#"address = "127.0.0.2:5060""#,
        says: &[
            "london.toml:39: trunks[0].address: 127.0.0.2:5060 is an address of the site paris: a source is a trunk or a site, not both",
        ],
    },
    Bad {
        what: "a source that is a site",
        file: "london.toml",
        find: r#"address = "127.0.0.10:5080""#,
        put: r#"address = "127.0.0.10:5080"
accept_from = ["10.0.0.0/8", "127.0.0.0/30"]"#,
        says: &[
            "london.toml:40: trunks[0].accept_from[1]: 127.0.0.1:5060 is an address of the site london: a source is a trunk or a site, not both",
            "london.toml:40: trunks[0].accept_from[1]: 127.0.0.2:5060 is an address of the site paris: a source is a trunk or a site, not both",
        ],
    },
    Bad {
        what: "a network with host bits",
        file: "london.toml",
        find: r#"address = "127.0.0.10:5080""#,
        put: r#"address = "127.0.0.10:5080"
accept_from = ["10.0.0.7/8"]"#,
        says: &[
            "london.toml:40: trunks[0].accept_from[0]: `10.0.0.7/8` is no network: with 8 bits it begins at 10.0.0.0",
        ],
    },
    Bad {
        what: "a trunk at no address",
        file: "london.toml",
        find: r#"address = "127.0.0.10:5080""#,
        put: r#"address = "bt..example:5080""#,
        says: &["london.toml:39: trunks[0].address: `bt..example:5080` is no address:port and no host:port"],
    },
    Bad {
        what: "a trunk on every address",
        file: "london.toml",
        find: r#"address = "127.0.0.10:5080""#,
        put: r#"address = "0.0.0.0:5080""#,
        says: &[
            "london.toml:39: trunks[0].address: nobody can be called at 0.0.0.0:5080: a carrier has an address and a port",
        ],
    },
    Bad {
        what: "a trunk on every address of IPv6",
        file: "london.toml",
        find: r#"address = "127.0.0.10:5080""#,
        put: r#"address = "::""#,
        says: &[
            "london.toml:39: trunks[0].address: nobody can be called at [::]:5060: a carrier has an address and a port",
        ],
    },
    Bad {
        what: "a trunk at a multicast address",
        file: "london.toml",
        find: r#"address = "127.0.0.10:5080""#,
        put: r#"address = "224.0.1.75:5060""#,
        says: &[
            "london.toml:39: trunks[0].address: nobody can be called at 224.0.1.75:5060: a carrier has an address and a port",
        ],
    },
    Bad {
        what: "a trunk at a broadcast address",
        file: "london.toml",
        find: r#"address = "127.0.0.10:5080""#,
        put: r#"address = "255.255.255.255""#,
        says: &[
            "london.toml:39: trunks[0].address: nobody can be called at 255.255.255.255:5060: a carrier has an address and a port",
        ],
    },
    Bad {
        what: "a trunk without port",
        file: "london.toml",
        find: r#"address = "127.0.0.10:5080""#,
        put: r#"address = "127.0.0.10:0""#,
        says: &[
            "london.toml:39: trunks[0].address: nobody can be called at 127.0.0.10:0: a carrier has an address and a port",
        ],
    },
    Bad {
        what: "a trunk password without name",
        file: "london.toml",
        find: r#"address = "127.0.0.10:5080""#,
        put: r#"address = "127.0.0.10:5080"
password = "x""#,
        says: &["london.toml:36: trunks[0].username: `username` and `password` go together"],
    },
    Bad {
        what: "an unknown choice",
        file: "london.toml",
        find: r#"caller_id = "user""#,
        put: r#"from = "change""#,
        says: &["london.toml:40: trunks[0].from: `change` is no choice here: `rewrite` or `keep`"],
    },
    Bad {
        what: "incoming of an unknown group",
        file: "london.toml",
        find: r#"group = "pstn" # incoming"#,
        put: r#"group = "pstm""#,
        says: &["london.toml:42: incoming[0].group: no trunk group `pstm`; did you mean `pstn`?"],
    },
    Bad {
        what: "min above max",
        file: "london.toml",
        find: "min_expires = 60",
        put: "min_expires = 60\nmax_expires = 30",
        says: &["london.toml:5: registrar.max_expires: `min_expires` (60) is more than `max_expires` (30)"],
    },
    Bad {
        what: "a default outside min and max",
        file: "london.toml",
        find: "min_expires = 60",
        put: "min_expires = 60\ndefault_expires = 30",
        says: &[
            "london.toml:5: registrar.default_expires: 30 is not between `min_expires` (60) and `max_expires` (3600)",
        ],
    },
    Bad {
        what: "min expires zero",
        file: "london.toml",
        find: "min_expires = 60",
        put: "min_expires = 0",
        says: &["london.toml:4: registrar.min_expires: 0 is out of range: 1 to 2147483647"],
    },
    Bad {
        what: "an unknown algorithm",
        file: "london.toml",
        find: "[emergency]",
        put: r#"[auth]
algorithms = ["md5"]
[emergency]"#,
        says: &["london.toml:46: auth.algorithms[0]: `md5` is no choice here: `MD5` or `SHA-256`"],
    },
    Bad {
        what: "a session timer below the rfcs",
        file: "london.toml",
        find: "[emergency]",
        put: "[sip]\nsession_expires = 60\n[emergency]",
        says: &["london.toml:46: sip.session_expires: RFC 4028 §4 asks for at least 90 seconds; 0 for none"],
    },
    Bad {
        what: "a bad range of ports",
        file: "london.toml",
        find: "[emergency]",
        put: r#"[sip]
rtp_ports = "40999-40000"
[emergency]"#,
        says: &["london.toml:46: sip.rtp_ports: `40999-40000` is no range of ports above 1023, such as 40000-40999"],
    },
    Bad {
        what: "a table of transactions that holds nothing",
        file: "london.toml",
        find: "[emergency]",
        put: "[sip]\ntransactions = 99\n[emergency]",
        says: &["london.toml:46: sip.transactions: 99 is out of range: 100 to 10000000"],
    },
    Bad {
        what: "an unknown time zone",
        file: "london.toml",
        find: r#"timezone = "Europe/London""#,
        put: r#"timezone = "Europe/Londres""#,
        says: &[
            "london.toml:2: site.timezone: no time zone `Europe/Londres`: an IANA name such as Europe/London is needed",
        ],
    },
    Bad {
        what: "a time profile without time zone",
        file: "london.toml",
        find: r#"timezone = "Europe/London"
"#,
        put: "",
        says: &["london.toml:25: time_profiles.hours.timezone: is missing, and the site has none either"],
    },
    Bad {
        what: "a bad time of day",
        file: "london.toml",
        find: r#"from = "09:00""#,
        put: r#"from = "9:00""#,
        says: &["london.toml:27: time_profiles.hours.weekly[0].from: `9:00` is no time of day, such as 09:00"],
    },
    Bad {
        what: "a time to log out that no clock shows",
        file: "london.toml",
        find: "[emergency]",
        put: "[hot_desk]\nlogout_at = \"24:00\"\n[emergency]",
        says: &["london.toml:46: hot_desk.logout_at: `24:00` is no time of day, such as 09:00"],
    },
    Bad {
        what: "a time to log out by no clock",
        file: "paris.toml",
        find: "[emergency]",
        put: "[hot_desk]\nlogout_at = \"20:00\"\n[emergency]",
        says: &["paris.toml: site.timezone: is missing: `hot_desk.logout_at` needs it"],
    },
    Bad {
        what: "a place for displaced phones that there is not",
        file: "london.toml",
        find: "[emergency]",
        put: "[hot_desk]\ndisplaced = \"purgatory\"\n[emergency]",
        says: &["london.toml:46: hot_desk.displaced: `purgatory` is no choice here: `refuse` or `limbo`"],
    },
    Bad {
        what: "less than no time without a call",
        file: "london.toml",
        find: "[emergency]",
        put: "[hot_desk]\nidle_logout = -1\n[emergency]",
        says: &["london.toml:46: hot_desk.idle_logout: -1 is out of range: 0 to 2147483647"],
    },
    Bad {
        what: "a bad day",
        file: "london.toml",
        find: r#""mon""#,
        put: r#""monday""#,
        says: &[
            "london.toml:27: time_profiles.hours.weekly[0].days[0]: `monday` is no choice here: `mon`, `tue`, `wed`, `thu`, `fri`, `sat` or `sun`",
        ],
    },
    Bad {
        what: "a bad date",
        file: "london.toml",
        find: "2026-12-25",
        put: "2026-02-30",
        says: &["london.toml:28: time_profiles.hours.closed[0]: `2026-02-30` is no date, such as 2026-12-25"],
    },
    Bad {
        what: "break out for an unknown site",
        file: "london.toml",
        find: "[emergency]",
        put: r#"[break_out]
allow = ["pariss"]
[emergency]"#,
        says: &["london.toml:46: break_out.allow[0]: no site `pariss`; did you mean `paris`?"],
    },
    Bad {
        what: "a message to nobody",
        file: "london.toml",
        find: r#"notify = ["201"]"#,
        put: r#"notify = ["244"]"#,
        says: &["london.toml:46: emergency.notify[0]: no user `244` at london or any other site"],
    },
    Bad {
        what: "a field that no civic address has",
        file: "london.toml",
        find: r#"notify = ["201"]"#,
        put: r#"civic = { rd = "High Street", CITY = "London" }"#,
        says: &[
            "london.toml:46: emergency.civic.rd: no civic field `rd` (RFC 5139); did you mean `RD`?",
            "london.toml:46: emergency.civic.CITY: no civic field `CITY` (RFC 5139)",
        ],
    },
    Bad {
        what: "a country by its name",
        file: "london.toml",
        find: r#"notify = ["201"]"#,
        put: r#"civic = { country = "England", A3 = "" }"#,
        says: &[
            "london.toml:46: emergency.civic.country: `England` is no country of two capital letters, such as GB",
            "london.toml:46: emergency.civic.A3: is empty; leave the key out for none",
        ],
    },
    Bad {
        what: "a location that nobody can look up",
        file: "london.toml",
        find: r#"notify = ["201"]"#,
        put: r#"uri = "ftp://lis.example/1""#,
        says: &[
            "london.toml:46: emergency.uri: `ftp://lis.example/1` is no reference to a location: a sip:, sips:, pres:, http: or https: URI of at most 255 characters (RFC 6442)",
        ],
    },
    Bad {
        what: "a location as a reference that is not there",
        file: "london.toml",
        find: r#"caller_id = "user""#,
        put: r#"geolocation = "uri""#,
        says: &[
            "london.toml:40: trunks[0].geolocation: emergency has no `uri`, which this trunk sends with a call for help",
        ],
    },
    Bad {
        what: "a location that nobody has described",
        file: "london.toml",
        find: r#"caller_id = "user""#,
        put: r#"geolocation = "body""#,
        says: &[
            "london.toml:40: trunks[0].geolocation: emergency has no `location`, which this trunk sends with a call for help",
        ],
    },
    Bad {
        what: "admin on a socket of the site",
        file: "network.toml",
        find: "[network]",
        put: r#"[network]
admin = "127.0.0.1:5060""#,
        says: &["network.toml:10: sites.london.listen[0]: 127.0.0.1:5060 is the `admin` address"],
    },
    Bad {
        what: "lab mode of an unknown kind",
        file: "paris.toml",
        find: "[emergency]",
        put: r#"[lab]
users = "all"
[emergency]"#,
        says: &["paris.toml:5: lab.users: `all` is no choice here: `any`"],
    },
    Bad {
        what: "an expectation of nobody",
        file: "london.toml",
        find: r#"[[expect]]
user = "201""#,
        put: "[[expect]]",
        says: &["london.toml:47: expect[0]: says either which `user` or which `trunk` group dials"],
    },
    Bad {
        what: "a short code without feature",
        file: "london.toml",
        find: r#"feature = "Dial"
"#,
        put: "",
        says: &["london.toml:29: short_codes[0].feature: is missing"],
    },
    Bad {
        what: "a bad short code",
        file: "london.toml",
        find: r#"code = "9N;""#,
        put: r#"code = "9;N""#,
        says: &["london.toml:30: code `9;N`: `;` at character 2: it may only be the last character"],
    },
    Bad {
        what: "a letter that a number does not know",
        file: "london.toml",
        find: r#"number = "N""#,
        put: r#"number = "NK""#,
        says: &[
            "london.toml:30: code `9N;`, number `NK`: `K` at character 2: Called Party and Keypad fields exist in ISDN only",
        ],
    },
    Bad {
        what: "an unknown feature",
        file: "london.toml",
        find: r#"feature = "Dial""#,
        put: r#"feature = "Dail""#,
        says: &[
            "london.toml:30: code `9N;`: unknown feature `Dail` (did you mean `Dial`?); the features are Dial, DialExtn, DialEmergency, BreakOut, Busy, Barred, ExtnLogin, ExtnLogout, ChangeLoginCode, DoNotDisturbOn, DoNotDisturbOff, ForwardUnconditionalOn, ForwardUnconditionalOff, ForwardOnBusyOn, ForwardOnBusyOff, ForwardOnNoAnswerOn, ForwardOnNoAnswerOff, ForwardNumber, ForwardOnBusyNumber, CancelAllForwarding, FollowMeTo, OutgoingCallBarOn, OutgoingCallBarOff, DialPhysicalExtn",
        ],
    },
    Bad {
        what: "a field that the feature does not use",
        file: "london.toml",
        find: r#"feature = "Dial""#,
        put: r#"feature = "Barred""#,
        says: &[
            "london.toml:30: code `9N;`: `Barred` does not use `line_group`",
            "london.toml:30: code `9N;`: `Barred` does not use `number`",
        ],
    },
    Bad {
        what: "a line group that leads nowhere",
        file: "london.toml",
        find: r#"line_group = "main""#,
        put: r#"line_group = "mian""#,
        says: &[
            "london.toml:30: code `9N;`: line group `mian` leads nowhere: there is no trunk group and no ARS form of that name (did you mean `main`?)",
        ],
    },
    Bad {
        what: "a break out to an unknown site",
        file: "london.toml",
        find: "[ars.main]",
        put: r#"[[short_codes]]
code = "*82N;"
feature = "BreakOut"
number = "N"
site = "pariss"
[ars.main]"#,
        says: &["london.toml:35: code `*82N;`: there is no site `pariss` (did you mean `paris`?)"],
    },
    Bad {
        what: "a form that names no form",
        file: "london.toml",
        find: "[ars.main]",
        put: r#"[ars.main]
alternate = "backup""#,
        says: &["london.toml:34: ARS form `main`: `alternate` names the form `backup`, which does not exist"],
    },
    Bad {
        what: "forms in a circle",
        file: "london.toml",
        find: "[ars.main]",
        put: r#"[ars.main]
alternate = "main""#,
        says: &["london.toml:34: ARS forms lead in a circle: main -> main"],
    },
    Bad {
        what: "no way to emergency services",
        file: "paris.toml",
        find: "none = true",
        put: "none = false",
        says: &[
            "paris.toml: site `paris`: no code leads to DialEmergency; if that is so, say `[emergency] none = true`",
        ],
    },
    Bad {
        what: "an incoming pattern that is none",
        file: "london.toml",
        find: r#"number = "+44XXX""#,
        put: r#"number = "+44;X""#,
        says: &["london.toml:43: incoming rule `+44;X`: `;` at character 4: it may only be the last character"],
    },
    Bad {
        what: "many at once",
        file: "london.toml",
        find: r#"name = "Ada""#,
        put: r#"nmae = "Ada"
no_name = 9
caller_id = "x""#,
        says: &[
            "london.toml:7: users[0].nmae: unknown key; did you mean `name`?",
            "london.toml:8: users[0].no_name: unknown key; known here: extension, name, password, ha1_md5, ha1_sha256, login_code, login_code_hash, profile, caller_id, rights, time_profile, out_of_hours_rights, outgoing_bar, do_not_disturb, priority, forward, short_codes",
            "london.toml:9: users[0].caller_id: `x` is no number: `x` cannot be dialled",
        ],
    },
];
