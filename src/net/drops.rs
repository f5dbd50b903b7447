//! Datagrams that the kernel dropped because a site did not take them in time: where the system says so (Linux), in `/proc/net/udp`.

use std::fs;
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::path::PathBuf;

/// Watches one socket from the outside.
#[derive(Debug)]
pub struct Drops {
    /// The socket's address.
    pub address: SocketAddr,
    inode: String,
    seen: u64,
}

impl Drops {
    /// For a bound socket; `None` where the system does not tell.
    pub(super) fn of(socket: &impl AsRawFd, address: SocketAddr) -> Option<Self> {
        let link = PathBuf::from(format!("/proc/self/fd/{}", socket.as_raw_fd()));
        let name = fs::read_link(link).ok()?;
        let inode = name.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned();
        Some(Self { address, inode, seen: 0 })
    }

    /// How many more it is than when this was last asked.
    pub fn more(&mut self) -> u64 {
        let table = if self.address.is_ipv6() { "/proc/net/udp6" } else { "/proc/net/udp" };
        let all = fs::read_to_string(table).ok().and_then(|text| dropped(&text, &self.inode)).unwrap_or(self.seen);
        let more = all.saturating_sub(self.seen);
        self.seen = all;
        more
    }
}

/// The last column of the socket's row.
fn dropped(table: &str, inode: &str) -> Option<u64> {
    let row = table.lines().find(|row| row.split_ascii_whitespace().nth(9) == Some(inode))?;
    row.split_ascii_whitespace().next_back()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
 1234: 0100007F:13C4 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 77777 2 0000000000000000 0
 1235: 0100007F:13C5 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 88888 2 0000000000000000 42
";

    #[test]
    fn the_row_of_the_socket_is_read() {
        assert_eq!(dropped(TABLE, "88888"), Some(42));
        assert_eq!(dropped(TABLE, "77777"), Some(0));
        assert_eq!(dropped(TABLE, "8888"), None);
    }
}
