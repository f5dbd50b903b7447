//! The ground: network namespaces, bridges and wires.
//!
//! ```text
//!   london-desks ── br0 [london] wan0 ──┐
//!   paris-desks  ── br0 [paris]  wan0 ──┤ br0 [wire]
//!   berlin-desks ── br0 [berlin] wan0 ──┘
//! ```
//!
//! Site `n` is 10.77.n.1; its phones and carriers are 10.77.n.10 and up; on the wire between the sites it is 10.77.100.n.

use std::fs::{self, File};
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

pub const SITES: [&str; 3] = ["london", "paris", "berlin"];
/// Addresses for phones and carriers at each site.
const DESKS: std::ops::Range<usize> = 10..30;
/// What every namespace of ours is called first; then the process and a number follow.
const PREFIX: &str = "hotdesk";
/// Nobody has it.
const NOWHERE: &str = "02:00:00:00:00:99";

/// All namespaces of one test; removed when it is dropped.
pub struct Ground {
    name: String,
}

/// The number of a site, from 1.
pub fn number(site: &str) -> usize {
    1 + SITES.iter().position(|name| *name == site).expect("one of the sites")
}

/// Where a site listens.
pub fn address(site: &str) -> SocketAddr {
    ([10, 77, number(site) as u8, 1], 5060).into()
}

impl Ground {
    /// Makes everything; `None`, and a word why, where that can't be done.
    pub fn lay() -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            eprintln!("left out: only root may make network namespaces");
            return None;
        }
        if Command::new("ip").arg("-V").stdout(Stdio::null()).status().is_err() {
            eprintln!("left out: there is no `ip` (Debian: iproute2)");
            return None;
        }
        clear_away();
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let ground = Self { name: format!("{PREFIX}-{}-{count}", std::process::id()) };
        let names = SITES.iter().flat_map(|site| [(*site).to_owned(), format!("{site}-desks")]);
        for name in names.chain(["wire".to_owned()]) {
            ip(&["netns", "add", &ground.space(&name)]);
        }
        ground.batch("wire", "link set lo up\nlink add br0 type bridge\nlink set br0 up");
        SITES.iter().for_each(|site| ground.build(site));
        Some(ground)
    }

    fn build(&self, site: &str) {
        let (own, desks, wire) = (self.space(site), self.space(&format!("{site}-desks")), self.space("wire"));
        let n = number(site);
        self.batch(
            site,
            &format!(
                "link set lo up\nlink add br0 type bridge\nlink set br0 up\naddress add 10.77.{n}.1/24 dev br0\n\
                 link add wan0 type veth peer name {site} netns {wire}\nlink add lan0 type veth peer name lan0 netns {desks}\n\
                 link set lan0 master br0 up\naddress add 10.77.100.{n}/24 dev wan0\nlink set wan0 up"
            ),
        );
        self.batch("wire", &format!("link set {site} master br0 up"));
        let ways = SITES.iter().map(|site| number(site)).filter(|other| *other != n);
        let ways: Vec<String> =
            ways.map(|other| format!("route add 10.77.{other}.0/24 via 10.77.100.{other}")).collect();
        self.batch(site, &ways.join("\n"));
        let addresses = DESKS.map(|desk| format!("\naddress add 10.77.{n}.{desk}/24 dev lan0"));
        let addresses: String = addresses.collect();
        self.batch(&format!("{site}-desks"), &format!("link set lo up{addresses}\nlink set lan0 up"));
        assert!(own.len() < 255, "a name that the system takes");
    }

    fn space(&self, name: &str) -> String {
        format!("{}-{name}", self.name)
    }

    fn batch(&self, name: &str, commands: &str) {
        let file = std::env::temp_dir().join(self.space("batch"));
        fs::write(&file, commands).expect("a file for a moment");
        ip(&["-n", &self.space(name), "-batch", &file.display().to_string()]);
        let _ = fs::remove_file(&file);
    }

    /// A command that runs in a site's namespace. Its process is the program's.
    pub fn inside(&self, site: &str, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.space(site), program]);
        command
    }

    /// A socket at a desk of a site.
    pub fn socket(&self, local: SocketAddr, site: &str) -> UdpSocket {
        let socket = self.within(&format!("{site}-desks"), move || UdpSocket::bind(local).expect("an address of ours"));
        socket.set_nonblocking(true).expect("a socket");
        socket
    }

    /// What is done in a namespace, by a thread of its own: a socket stays in the one where it was made.
    pub fn within<T: Send + 'static>(&self, name: &str, what: impl FnOnce() -> T + Send + 'static) -> T {
        let space = File::open(PathBuf::from("/run/netns").join(self.space(name))).expect("a namespace of ours");
        let done = thread::spawn(move || {
            move_into_link_name_space(space.as_fd(), Some(LinkNameSpaceType::Network)).expect("we are root");
            what()
        });
        done.join().expect("done")
    }

    // ------------------------------------------------------------------------------------------------------------- the wires

    /// A site is cut off from all others.
    pub fn cut(&self, site: &str) {
        ip(&["-n", &self.space("wire"), "link", "set", site, "down"]);
    }

    /// It meets them again.
    pub fn heal(&self, site: &str) {
        ip(&["-n", &self.space("wire"), "link", "set", site, "up"]);
    }

    /// What one site sends to another goes nowhere, without a word.
    pub fn cut_one_way(&self, from: &str, to: &str) {
        let gateway = format!("10.77.100.{}", number(to));
        let at = ["-n", &self.space(from), "neigh", "replace", &gateway, "lladdr", NOWHERE, "dev", "wan0", "nud"];
        ip(&[&at[..], &["permanent"]].concat());
    }

    /// It arrives again.
    pub fn heal_one_way(&self, from: &str, to: &str) {
        ip(&["-n", &self.space(from), "neigh", "del", &format!("10.77.100.{}", number(to)), "dev", "wan0"]);
    }
}

impl Drop for Ground {
    /// With the last namespace of a pair its wire goes too.
    fn drop(&mut self) {
        remove(|space| space.starts_with(&format!("{}-", self.name)));
    }
}

/// Removes what tests have left that were killed.
fn clear_away() {
    let is_dead = |space: &str| {
        let process = space.strip_prefix(PREFIX).and_then(|rest| rest.strip_prefix('-')?.split('-').next());
        process.is_some_and(|process| process.parse::<u32>().is_ok() && !PathBuf::from("/proc").join(process).exists())
    };
    remove(is_dead);
}

fn remove(which: impl Fn(&str) -> bool) {
    let Ok(all) = fs::read_dir("/run/netns") else { return };
    for space in all.flatten().filter_map(|entry| entry.file_name().into_string().ok()).filter(|space| which(space)) {
        let _ = Command::new("ip").args(["netns", "del", &space]).stderr(Stdio::null()).status();
    }
}

fn ip(arguments: &[&str]) {
    let output = Command::new("ip").args(arguments).output().expect("`ip` is there");
    assert!(output.status.success(), "ip {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}
