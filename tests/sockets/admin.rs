//! SPEC 12.2, 12.5: the operator's API, as a program meets it that speaks HTTP over a plain socket, and the commands on top of it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use serde_json::{Value, json};

use super::agent::Agent;
use super::message::status as sip_status;
use super::support::{Network, hotdesk};

const JSON: &str = "Content-Type: application/json\r\n";

pub struct Admin(SocketAddr);

pub struct Answer {
    pub status: u16,
    head: String,
    pub body: String,
}

impl Admin {
    /// The network with an API on a free port.
    pub fn of(network: &Network, more: &str) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("bound");
        network.edit("network.toml", "[network]\n", &format!("[network]\nadmin = \"{free}\"\n{more}"));
        Self(free)
    }

    pub fn ask(&self, method: &str, path: &str, more: &str, body: &str) -> Answer {
        let host = if more.contains("Host: ") { String::new() } else { format!("Host: {}\r\n", self.0) };
        let length = body.len();
        let mut stream = TcpStream::connect(self.0).expect("the API listens");
        stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a timeout");
        let request = format!(
            "{method} {path} HTTP/1.1\r\n{host}{more}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).expect("sent");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("an answer");
        let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status");
        Answer { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
    }

    pub fn get(&self, path: &str) -> Value {
        let answer = self.ask("GET", path, "", "");
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.json()
    }

    fn fails(&self, method: &str, path: &str, more: &str, body: &str) -> u16 {
        let answer = self.ask(method, path, more, body);
        let said = answer.json();
        assert!(said["error"].is_string() && said["hint"].is_string(), "{}", answer.body);
        answer.status
    }
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|why| panic!("{why}: {}", self.body))
    }
}

#[test]
fn the_api_says_who_is_where_and_a_logout_keeps_the_phone_out() {
    let network = Network::new();
    let admin = Admin::of(&network, "");
    let running = network.run(&[]);
    assert_eq!(running.lines[running.lines.len() - 2], format!("admin http://{}", admin.0));
    let _desk = Agent::registered(&network, "london", "201");
    let visiting = Agent::registered(&network, "paris", "201");
    let user = admin.get("/api/users/201");
    let keys: Vec<&String> = user.as_object().expect("an object").keys().collect();
    assert_eq!(
        keys,
        ["changed", "contacts", "extension", "home", "login", "name", "profile", "rights", "since", "where"]
    );
    assert_eq!((&user["where"], &user["home"], &user["name"]), (&json!("paris"), &json!("london"), &json!("User 201")));
    assert_eq!(user["rights"], json!({ "name": null, "in_force": null, "missing": null }));
    let states: Vec<&Value> = user["contacts"].as_array().expect("contacts").iter().map(|c| &c["state"]).collect();
    assert_eq!(states, ["parked", "active"]);
    assert_eq!(admin.get("/api/users")["users"].as_array().map(Vec::len), Some(4));
    assert_eq!(admin.get("/api/users/202")["where"], Value::Null);
    assert_eq!(admin.get("/api/visitors?site=paris")["visitors"][0]["extension"], "201");
    assert_eq!(admin.get("/api/visitors?site=london")["visitors"], json!([]));
    assert_eq!(admin.fails("GET", "/api/visitors?site=rome", "", ""), 404);
    assert_eq!(admin.fails("GET", "/api/users/999", "", ""), 404);

    let said = network.command("who", &[]);
    let table = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(table.contains("201   User 201  london  paris") && table.contains("1 (+1 parked)"), "{table}");

    let answer = admin.ask("POST", "/api/users/201/logout", JSON, "{}");
    assert_eq!((answer.status, answer.json()["was_at"].clone()), (200, json!("paris")), "{}", answer.body);
    assert_eq!(admin.get("/api/users/201")["where"], "london", "the desk phone rings again");
    // Paris is told, and lets the phone in no more.
    let mut refused = visiting.register(300);
    for _ in 0..50 {
        if sip_status(&refused) == 403 {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
        refused = visiting.register(300);
    }
    assert!(sip_status(&refused) == 403 && refused.contains("logged out by the operator"), "{refused}");

    let said = network.command("logout", &["201"]);
    assert!(said.status.success(), "{said:?}");
    assert_eq!(String::from_utf8_lossy(&said.stdout), "201 is logged out; the login was at london\n");
    let again = network.command("logout", &["201"]);
    assert!(again.status.code() == Some(2) && String::from_utf8_lossy(&again.stderr).contains("logged in nowhere"));
    assert_eq!(admin.fails("POST", "/api/users/201/logout", JSON, "{}"), 409);
}

#[test]
fn all_visitors_of_a_site_are_sent_home_by_one_command() {
    let network = Network::new();
    let admin = Admin::of(&network, "");
    let _running = network.run(&[]);
    let visiting = ["201", "202"].map(|user| Agent::registered(&network, "paris", user));
    let own = Agent::registered(&network, "paris", "301");
    let said = network.command("logout", &["--site", "paris"]);
    assert_eq!(String::from_utf8_lossy(&said.stdout), "2 visitors of paris are logged out\n", "{said:?}");
    assert_eq!(admin.get("/api/visitors?site=paris")["visitors"], json!([]));
    for phone in &visiting {
        let refused = phone.register(300);
        assert!(sip_status(&refused) == 403 && refused.contains("logged out by the operator"), "{refused}");
    }
    assert_eq!(sip_status(&own.register(300)), 200, "who is at home stays");
    let answer = admin.ask("POST", "/api/visitors/logout?site=paris", JSON, "{}");
    assert_eq!(answer.json(), json!({ "site": "paris", "logged_out": 0 }));
    assert_eq!(admin.fails("POST", "/api/visitors/logout?site=rome", JSON, "{}"), 404);
    let wrong = network.command("logout", &["201", "--site", "paris"]);
    assert_eq!(wrong.status.code(), Some(2), "{wrong:?}");
    let wrong = network.command("logout", &["--site", "rome"]);
    let said = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert!(wrong.status.code() == Some(2) && said.contains("rome is not served here"), "{said}");
}

#[test]
fn the_rest_of_the_api_answers() {
    let network = Network::new();
    let admin = Admin::of(&network, "");
    let running = network.run(&[]);
    let _phone = Agent::registered(&network, "london", "201");
    assert_eq!(admin.get("/healthz"), json!({ "status": "ok" }));
    let sites = admin.get("/api/sites");
    assert_eq!((&sites["sites"][0]["name"], &sites["sites"][0]["registered"]), (&json!("london"), &json!(1)));
    assert_eq!(admin.get("/api/calls")["sites"][1]["calls"], 0);
    let links = admin.get("/api/links");
    assert_eq!((&links["links"][0]["from"], &links["links"][0]["to"]), (&json!("london"), &json!("paris")));
    let metrics = admin.ask("GET", "/metrics", "", "").body;
    for line in [
        "hotdesk_users_registered{site=\"london\"} 1",
        "hotdesk_calls{site=\"paris\"} 0",
        "# TYPE hotdesk_logins_total counter",
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line}\n{metrics}");
    }
    let dial = r#"{"site":"paris","user":"201","digits":"*70"}"#;
    let answer = admin.ask("POST", "/api/dial", JSON, dial);
    let printed = network.command("dial", &["--json", "--site", "paris", "--user", "201", "*70"]);
    assert_eq!(answer.json(), serde_json::from_slice::<Value>(&printed.stdout).expect("JSON"));
    assert_eq!(admin.fails("POST", "/api/dial", JSON, r#"{"site":"rome","user":"201","digits":"1"}"#), 400);
    assert_eq!(admin.fails("POST", "/api/dial", JSON, "{"), 400);
    network.edit("sites/london.toml", "User 201", "Ada Lovelace");
    assert_eq!(admin.ask("POST", "/api/reload", JSON, "{}").json(), json!({ "reloaded": true }));
    assert_eq!(admin.get("/api/users/201")["name"], "Ada Lovelace");
    network.edit("sites/london.toml", "Ada Lovelace\"", "Ada\"\nnmae = \"\"");
    assert_eq!(admin.fails("POST", "/api/reload", JSON, "{}"), 422);
    assert!(running.log().contains("the old one stays"));
}

#[test]
fn a_foreign_page_and_a_wrong_request_get_nothing() {
    let network = Network::new();
    let admin = Admin::of(&network, "");
    let _running = network.run(&[]);
    assert_eq!(admin.fails("GET", "/api/users", "Host: rebound.example\r\n", ""), 421);
    assert_eq!(admin.fails("GET", "/nothing", "", ""), 404);
    assert_eq!(admin.fails("GET", "/api/reload", "", ""), 405);
    assert_eq!(admin.fails("POST", "/api/reload", "", ""), 415);
    assert_eq!(admin.fails("POST", "/api/reload", &format!("{JSON}Origin: http://evil.example\r\n"), "{}"), 403);
    let own = format!("{JSON}Origin: http://{}\r\n", admin.0);
    let answer = admin.ask("POST", "/api/reload", &own, "{}");
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(
        !answer.head.contains("access-control-") && answer.head.contains("content-security-policy: default-src 'none'")
    );
}

#[test]
fn with_a_token_nobody_comes_in_without_it() {
    let network = Network::new();
    let admin = Admin::of(&network, "admin_token = \"open sesame\"\n");
    let _running = network.run(&["--site", "paris"]);
    assert_eq!(admin.fails("GET", "/healthz", "", ""), 401);
    assert_eq!(admin.fails("GET", "/api/users", "Authorization: Bearer wrong\r\n", ""), 401);
    let answer = admin.ask("GET", "/api/users", "Authorization: Bearer open sesame\r\n", "");
    assert_eq!((answer.status, &answer.json()["elsewhere"]), (200, &json!(["london"])));
    // The commands take the token from the configuration.
    let said = network.command("who", &["--json"]);
    assert!(said.status.success() && !String::from_utf8_lossy(&said.stdout).contains("sesame"), "{said:?}");
    let said = network.command("logout", &["201"]);
    assert!(
        said.status.code() == Some(2) && String::from_utf8_lossy(&said.stderr).contains("another process"),
        "{said:?}"
    );
}

#[test]
fn an_address_that_is_taken_is_named_with_its_line() {
    let network = Network::new();
    let admin = Admin::of(&network, "");
    let _taken = TcpListener::bind(admin.0).expect("still free");
    let output = hotdesk("run", &network.config(), &[]).output().expect("the program starts");
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let line = network.line("network.toml", "admin");
    assert!(
        said.contains(&format!("network.toml:{line}: network.admin: cannot listen on http://{}", admin.0)),
        "{said}"
    );
    assert!(!String::from_utf8_lossy(&output.stdout).contains("ready"));
}

#[test]
fn a_process_that_is_not_there_is_said_so() {
    let network = Network::new();
    let output = network.command("who", &[]);
    assert!(output.status.code() == Some(2) && String::from_utf8_lossy(&output.stderr).contains("has no `admin`"));
    let admin = Admin::of(&network, "");
    let output = network.command("who", &[]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(2) && said.contains(&admin.0.to_string()), "{said}");
}

#[test]
fn connections_that_say_nothing_keep_nobody_out() {
    let network = Network::new();
    let admin = Admin::of(&network, "");
    let running = network.run(&[]);
    let silent: Vec<TcpStream> = (0..100)
        .map(|_| {
            let mut stream = TcpStream::connect(admin.0).expect("the API listens");
            stream.write_all(b"GET /he").expect("sent");
            stream
        })
        .collect();
    // The first 64 are cut after 10 s, and the others have their turn beside this one.
    assert_eq!(admin.get("/healthz")["status"], "ok");
    let mut first = &silent[0];
    first.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout");
    let mut text = String::new();
    let _ = first.read_to_string(&mut text);
    assert!(text.is_empty() || text.starts_with("HTTP/1.1 408"), "{text}");
    drop(running);
}
