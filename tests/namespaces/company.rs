//! The company: its configuration, and a process for each site.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::ground::{Ground, SITES, address, number};

pub const REALM: &str = "hotdesk.example";
/// Users of each site: 201 to 203 at the first, and so on.
pub const USERS: usize = 3;
/// The carrier's host at each site.
pub const CARRIER: usize = 29;
/// Seconds.
pub const LEASE: u64 = 6;
/// A debug build on a busy machine is ready by then.
const START: Duration = Duration::from_secs(30);

/// The processes of the sites, and their files.
pub struct Company {
    directory: PathBuf,
    running: BTreeMap<&'static str, Child>,
}

impl Company {
    /// Writes the configuration: `on_reconnect` counts at every site.
    pub fn found(on_reconnect: &str) -> Self {
        let name = format!("hotdesk-namespaces-{}-{on_reconnect}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir_all(&directory).expect("a directory for the test");
        let secret = "0123456789abcdef".repeat(3);
        let mut network = format!("[network]\nrealm = \"{REALM}\"\nlink_secret = \"{secret}\"\ndata_dir = \"data\"\n");
        for site in SITES {
            let n = number(site);
            network += &format!(
                "[sites.{site}]\nnumber = {n}\ndomain = \"{site}.example\"\nlisten = [\"udp:{}\"]\nextensions = [\"{}XX\"]\n\
                 plan = \"{site}.toml\"\n",
                address(site),
                n + 1
            );
            fs::write(directory.join(format!("{site}.toml")), plan(site, on_reconnect)).expect("a file of the test");
        }
        fs::write(directory.join("network.toml"), network).expect("a file of the test");
        Self { directory, running: BTreeMap::new() }
    }

    /// Starts a site and waits until it is ready. What it logs is added to the file that it had before.
    pub fn start(&mut self, ground: &Ground, site: &'static str) {
        if self.running.contains_key(site) {
            return;
        }
        let log = File::options().create(true).append(true).open(self.log_of(site)).expect("a log");
        let mut child = ground
            .inside(site, &program())
            .arg("run")
            .arg(self.directory.join("network.toml"))
            .args(["--site", site])
            .env_remove("RUST_LOG")
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("the program starts");
        let out = BufReader::new(child.stdout.take().expect("a pipe"));
        self.running.insert(site, child);
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let ready = std::iter::from_fn(|| receiver.recv_timeout(START).ok()).any(|line| line.starts_with("ready"));
        assert!(ready, "{site} does not start:\n{}", self.log(site));
    }

    /// `kill -9`.
    pub fn kill(&mut self, site: &str) {
        if let Some(mut child) = self.running.remove(site) {
            child.kill().expect("our child");
            child.wait().expect("our child");
        }
    }

    pub fn is_up(&self, site: &str) -> bool {
        self.running.contains_key(site)
    }

    fn log_of(&self, site: &str) -> PathBuf {
        self.directory.join(format!("{site}.log"))
    }

    /// All that a site has logged.
    pub fn log(&self, site: &str) -> String {
        fs::read_to_string(self.log_of(site)).unwrap_or_default()
    }
}

impl Drop for Company {
    fn drop(&mut self) {
        SITES.iter().for_each(|site| self.kill(site));
        if thread::panicking() {
            for site in SITES {
                let log = self.log(site);
                let lines: Vec<&str> = log.lines().collect();
                eprintln!("--- log of {site}\n{}", lines[lines.len().saturating_sub(40)..].join("\n"));
            }
        }
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// The program of this build, or that of `HOTDESK`.
fn program() -> String {
    std::env::var("HOTDESK").unwrap_or_else(|_| env!("CARGO_BIN_EXE_hotdesk").to_owned())
}

fn plan(site: &str, on_reconnect: &str) -> String {
    let n = number(site);
    let mut text = format!(
        "[site]\ncaller_id = \"+441234567890\"\n[emergency]\nnone = true\n[links]\nprobe = 1\nanswer = 1\n\
         [registrar]\nmin_expires = 1\n[hot_desk]\nlease = {LEASE}\non_reconnect = \"{on_reconnect}\"\n"
    );
    for user in 1..=USERS {
        let user = format!("{}0{user}", n + 1);
        text += &format!("[[users]]\nextension = \"{user}\"\npassword = \"secret-{user}\"\n");
    }
    text += "[[short_codes]]\ncode = \"9N;\"\nfeature = \"Dial\"\nnumber = \"N\"\nline_group = \"pstn\"\n";
    text + &format!("[[trunks]]\nname = \"carrier\"\ngroup = \"pstn\"\naddress = \"10.77.{n}.{CARRIER}:5060\"\n")
}
