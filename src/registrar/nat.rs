//! Which phones are behind NAT (SPEC 4.3).

use std::net::{IpAddr, Ipv4Addr};

use crate::sip::Host;

/// Whether a host that a phone gives for itself shows that the phone is behind NAT: the host can't be reached from here as it
/// stands, and the packet came from elsewhere. Loopback is reached from where it is used; a name is not asked for.
pub fn is_behind(host: &Host, source: IpAddr) -> bool {
    match host.ip() {
        Some(ip) => is_private(ip.to_canonical()) && ip.to_canonical() != source.to_canonical(),
        None => true,
    }
}

/// RFC 1918, RFC 6598, link-local and ULA addresses, and the one that is none.
fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_private() || ip.is_link_local() || ip.is_unspecified() || is_shared(ip),
        IpAddr::V6(ip) => ip.is_unique_local() || ip.is_unicast_link_local() || ip.is_unspecified(),
    }
}

/// RFC 6598: 100.64.0.0/10.
fn is_shared(ip: Ipv4Addr) -> bool {
    let [a, b, ..] = ip.octets();
    a == 100 && b & 0xc0 == 64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn behind(host: &'static str, source: &str) -> bool {
        is_behind(&Host::parse(host).expect("a host"), source.parse().expect("an address"))
    }

    #[test]
    fn a_private_host_from_another_source_is_behind_nat() {
        for host in ["10.0.0.5", "172.31.0.1", "192.168.1.9", "100.64.0.1", "100.127.255.254", "169.254.3.4", "0.0.0.0"]
        {
            assert!(behind(host, "203.0.113.7"), "{host}");
        }
        assert!(behind("[fd00::1]", "2001:db8::7") && behind("[fe80::1]", "2001:db8::7"));
    }

    #[test]
    fn a_private_host_that_is_the_source_is_on_our_lan() {
        assert!(!behind("10.0.0.5", "10.0.0.5") && !behind("[fd00::1]", "fd00::1"));
        assert!(!behind("10.0.0.5", "::ffff:10.0.0.5"));
    }

    #[test]
    fn loopback_and_public_hosts_are_taken_at_their_word() {
        for host in ["127.0.0.1", "[::1]", "198.51.100.4", "172.32.0.1", "100.63.255.255", "100.128.0.1"] {
            assert!(!behind(host, "203.0.113.7"), "{host}");
        }
    }

    #[test]
    fn a_name_says_nothing_about_where_the_phone_is() {
        assert!(behind("phone.example", "203.0.113.7"));
    }
}
