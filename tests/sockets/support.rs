//! A network on free ports, the program that serves it, and sockets to talk to it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

/// Nothing on loopback takes longer, not even on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(10);

pub const REALM: &str = "hotdesk.example";

/// The sites of the network, with their extensions.
pub const SITES: [(&str, &str); 2] = [("london", "2"), ("paris", "3")];

/// The files of a network of two sites with two users each, such as 201 and 202 with the passwords `secret201` and `secret202`.
pub struct Network {
    pub directory: PathBuf,
    pub addresses: Vec<(&'static str, SocketAddr)>,
    trunks: Vec<(&'static str, Phone)>,
}

impl Network {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("hotdesk-sockets-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let directory = std::env::temp_dir().join(name);
        fs::create_dir_all(directory.join("sites")).expect("a directory for the test");
        let addresses = SITES.iter().map(|(site, _)| *site).zip(free_addresses(SITES.len())).collect();
        let trunks = SITES.iter().map(|(site, _)| (*site, Phone::new())).collect();
        let network = Self { directory, addresses, trunks };
        network.write("network.toml", &network.network_toml());
        for (site, first) in SITES {
            network.write(&format!("sites/{site}.toml"), &site_toml(first, network.trunk(site).address));
        }
        network
    }

    fn network_toml(&self) -> String {
        let mut text = format!("[network]\nrealm = \"{REALM}\"\nlink_secret = \"{}\"\n", "0123456789abcdef".repeat(3));
        for (number, (site, first)) in (1..).zip(SITES) {
            let address = self.address(site);
            text += &format!(
                "\n[sites.{site}]\nnumber = {number}\ndomain = \"{site}.example\"\nlisten = [\"udp:{address}\"]\n\
                 extensions = [\"{first}XX\"]\nplan = \"sites/{site}.toml\"\n"
            );
        }
        text
    }

    pub fn config(&self) -> PathBuf {
        self.directory.join("network.toml")
    }

    pub fn address(&self, site: &str) -> SocketAddr {
        self.addresses.iter().find(|(name, _)| *name == site).expect("a site of the network").1
    }

    /// What listens at the address of the site's trunk.
    pub fn trunk(&self, site: &str) -> Phone {
        self.trunks.iter().find(|(name, _)| *name == site).expect("a site of the network").1.clone()
    }

    pub fn write(&self, file: &str, text: &str) {
        fs::write(self.directory.join(file), text).expect("the test's own file");
    }

    /// Replaces `old`, which must be there, in one file.
    pub fn edit(&self, file: &str, old: &str, new: &str) {
        let text = fs::read_to_string(self.directory.join(file)).expect("the test's own file");
        assert!(text.contains(old), "{file} has no {old}");
        self.write(file, &text.replacen(old, new, 1));
    }

    /// The number of the first line of a file that holds `text`.
    pub fn line(&self, file: &str, text: &str) -> usize {
        let all = fs::read_to_string(self.directory.join(file)).expect("the test's own file");
        1 + all.lines().position(|line| line.contains(text)).expect("a line")
    }

    /// Starts the program and waits until it is ready.
    pub fn run(&self, arguments: &[&str]) -> Running {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let log = self.directory.join(format!("log-{}", COUNT.fetch_add(1, Ordering::Relaxed)));
        let mut child = hotdesk("run", &self.config(), arguments)
            .stdout(Stdio::piped())
            .stderr(fs::File::create(&log).expect("a log"))
            .spawn()
            .expect("the program starts");
        let lines = lines_until_ready(&mut child);
        let running = Running { child, log, lines };
        assert!(running.lines.last().is_some_and(|line| line.starts_with("ready")), "{:?}", running.lines);
        running
    }

    /// Runs a command to its end.
    pub fn command(&self, command: &str, arguments: &[&str]) -> Output {
        hotdesk(command, &self.config(), arguments).stdin(Stdio::null()).output().expect("the program starts")
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

fn site_toml(first: &str, trunk: SocketAddr) -> String {
    let mut text =
        "[site]\ncaller_id = \"+441234567890\"\ntimezone = \"Europe/London\"\n[emergency]\nnone = true\n".to_owned();
    for user in [format!("{first}01"), format!("{first}02")] {
        text += &format!("[[users]]\nextension = \"{user}\"\nname = \"User {user}\"\npassword = \"secret{user}\"\n");
    }
    text += "[[short_codes]]\ncode = \"*70\"\nfeature = \"Busy\"\n";
    text += "[[short_codes]]\ncode = \"9N;\"\nfeature = \"Dial\"\nnumber = \"N\"\nline_group = \"pstn\"\n";
    for (number, (site, _)) in (1..).zip(SITES).filter(|(_, (_, other))| *other != first) {
        text += &format!(
            "[[short_codes]]\ncode = \"*8{number}N;\"\nfeature = \"BreakOut\"\nnumber = \"N\"\nsite = \"{site}\"\n"
        );
    }
    text + &format!("[[trunks]]\nname = \"carrier\"\ngroup = \"pstn\"\naddress = \"{trunk}\"\n")
}

/// An address of loopback for this process alone: what another test's site sends again to a phone that is gone does not reach one that
/// has got its port since.
pub fn loopback() -> Ipv4Addr {
    let [_, a, b, c] = std::process::id().to_be_bytes();
    Ipv4Addr::new(127, a | 128, b, c)
}

/// Addresses that were free a moment ago.
pub fn free_addresses(number: usize) -> Vec<SocketAddr> {
    let sockets: Vec<_> = (0..number).map(|_| UdpSocket::bind((loopback(), 0)).expect("a free port")).collect();
    sockets.iter().map(|socket| socket.local_addr().expect("bound")).collect()
}

/// The program of this build, or that of `HOTDESK`.
pub fn hotdesk(command: &str, config: &Path, arguments: &[&str]) -> Command {
    let program = std::env::var_os("HOTDESK").unwrap_or_else(|| env!("CARGO_BIN_EXE_hotdesk").into());
    let mut program = Command::new(program);
    program.arg(command).arg(config).args(arguments).env_remove("RUST_LOG");
    program
}

/// What it prints up to the line that begins `ready`, or until it ends or patience does.
fn lines_until_ready(child: &mut Child) -> Vec<String> {
    let out = BufReader::new(child.stdout.take().expect("a pipe"));
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
    let mut lines = Vec::new();
    while let Ok(line) = receiver.recv_timeout(PATIENCE) {
        let ready = line.starts_with("ready");
        lines.push(line);
        if ready {
            break;
        }
    }
    lines
}

/// The program while it serves; killed at the end of the test.
pub struct Running {
    child: Child,
    log: PathBuf,
    /// What it printed.
    pub lines: Vec<String>,
}

impl Running {
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status();
        assert!(status.expect("kill is there").success());
    }

    /// From now on no file of the program's may grow beyond `size` (bytes, or `unlimited`), nor be written to beyond it: with 0 its disk is as
    /// good as full.
    pub fn limit_files(&self, size: &str) {
        let (process, limit) = (self.child.id().to_string(), format!("--fsize={size}:"));
        let status = Command::new("prlimit").args(["--pid", &process, &limit]).status();
        assert!(status.expect("prlimit of util-linux is there").success());
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("our child").is_none()
    }

    /// Waits for its end.
    pub fn end(&mut self) -> ExitStatus {
        eventually(|| self.child.try_wait().expect("our child"), || "the program did not end".to_owned())
    }

    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).expect("the log")
    }

    pub fn wait_for_log(&self, text: &str) {
        eventually(|| self.log().contains(text).then_some(()), || format!("no `{text}` in:\n{}", self.log()));
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("--- log of the program\n{}", self.log());
        }
    }
}

/// Asks every 10 ms.
pub fn eventually<T>(mut ask: impl FnMut() -> Option<T>, complaint: impl Fn() -> String) -> T {
    for _ in 0..PATIENCE.as_millis() / 10 {
        if let Some(answer) = ask() {
            return answer;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("{}", complaint());
}

/// A socket that plays a phone or a trunk.
#[derive(Clone)]
pub struct Phone {
    socket: Arc<UdpSocket>,
    pub address: SocketAddr,
}

impl Phone {
    pub fn new() -> Self {
        let socket = UdpSocket::bind((loopback(), 0)).expect("a free port");
        let address = socket.local_addr().expect("bound");
        Self { socket: Arc::new(socket), address }
    }

    /// Sends a message that is written with plain line ends.
    pub fn send(&self, to: SocketAddr, text: &str) {
        self.send_bytes(to, text.replace("\r\n", "\n").replace('\n', "\r\n").as_bytes());
    }

    pub fn send_bytes(&self, to: SocketAddr, bytes: &[u8]) {
        self.socket.send_to(bytes, to).expect("sent");
    }

    /// The next message, with plain line ends; fails the test when none comes.
    pub fn receive(&self) -> String {
        self.receive_within(PATIENCE).expect("a message")
    }

    pub fn receive_within(&self, patience: Duration) -> Option<String> {
        Some(String::from_utf8_lossy(&self.receive_bytes_within(patience)?).replace("\r\n", "\n"))
    }

    /// The next message as it came.
    pub fn receive_bytes(&self) -> Vec<u8> {
        self.receive_bytes_within(PATIENCE).expect("a message")
    }

    fn receive_bytes_within(&self, patience: Duration) -> Option<Vec<u8>> {
        self.socket.set_read_timeout(Some(patience)).expect("a timeout");
        let mut buffer = vec![0; 65_535];
        let (length, _) = self.socket.recv_from(&mut buffer).ok()?;
        buffer.truncate(length);
        Some(buffer)
    }

    /// An OPTIONS to the site itself, and what comes back.
    pub fn ping(&self, site: SocketAddr, number: u32) -> String {
        self.send(site, &self.options(site, number));
        self.receive()
    }

    pub fn options(&self, site: SocketAddr, number: u32) -> String {
        let address = self.address;
        format!(
            "OPTIONS sip:{site} SIP/2.0\nVia: SIP/2.0/UDP {address};branch=z9hG4bKping{number};rport\n\
             From: <sip:ping@london.example>;tag=p{number}\nTo: <sip:{site}>\nCall-ID: ping{number}@{address}\n\
             CSeq: {number} OPTIONS\nMax-Forwards: 70\nContent-Length: 0\n\n"
        )
    }
}
