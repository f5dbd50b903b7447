//! Numbers and addresses written into a message.
//!
//! Every message that is answered or forwarded carries a handful of them; `std::fmt` takes longer for each than the rest of its
//! line does.

use std::io::Write;
use std::net::{IpAddr, SocketAddr};

/// A number's decimal digits.
pub struct Digits {
    /// As many as the largest number has.
    digits: [u8; 20],
    first: usize,
}

impl Digits {
    /// Those of `number`; one for zero.
    pub fn of(number: u64) -> Self {
        let mut own = Self { digits: [b'0'; 20], first: 0 };
        let mut rest = number;
        for (place, digit) in own.digits.iter_mut().enumerate().rev() {
            (*digit, own.first) = (b'0' + (rest % 10) as u8, place);
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        own
    }
}

impl AsRef<[u8]> for Digits {
    fn as_ref(&self) -> &[u8] {
        &self.digits[self.first..]
    }
}

/// `number` in decimal digits.
pub(super) fn push_number(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(Digits::of(number).as_ref());
}

/// An address without brackets, as it stands in `received`.
pub(super) fn push_ip(out: &mut Vec<u8>, ip: IpAddr) {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, c, d] = ip.octets();
            push_number(out, a.into());
            for octet in [b, c, d] {
                out.push(b'.');
                push_number(out, octet.into());
            }
        }
        IpAddr::V6(ip) => write!(out, "{ip}").expect("a vector takes every byte"),
    }
}

/// `address:port`, with brackets round an IPv6 address.
pub fn push_address(out: &mut Vec<u8>, address: SocketAddr) {
    match address {
        SocketAddr::V4(_) => {
            push_ip(out, address.ip());
            out.push(b':');
            push_number(out, address.port().into());
        }
        SocketAddr::V6(_) => write!(out, "{address}").expect("a vector takes every byte"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn numbers_are_written_as_everybody_writes_them() {
        for number in [0, 7, 9, 10, 99, 100, 5060, 65_535, 3_600_000_000, u64::MAX - 1, u64::MAX] {
            assert_eq!(written(|out| push_number(out, number)), number.to_string());
        }
    }

    #[test]
    fn addresses_are_written_as_everybody_writes_them() {
        for address in ["0.0.0.0:0", "127.0.0.1:5060", "255.255.255.255:65535", "[::1]:5060", "[2001:db8::9:1]:1"] {
            let parsed: SocketAddr = address.parse().expect("an address");
            assert_eq!(written(|out| push_address(out, parsed)), address);
            assert_eq!(written(|out| push_ip(out, parsed.ip())), parsed.ip().to_string());
        }
    }
}
