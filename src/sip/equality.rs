//! When two URIs are the same: RFC 3261 §19.1.4, for `tel` RFC 3966 §4.

use super::lex;
use super::uri::{Scheme, Uri, is_visual_separator};

impl Uri {
    /// Whether the two name the same resource. Not transitive, as the RFC says.
    pub fn equivalent(&self, other: &Self) -> bool {
        if self.as_bytes() == other.as_bytes() {
            return true;
        }
        if self.scheme() != other.scheme() {
            return false;
        }
        match self.scheme() {
            Scheme::Sip | Scheme::Sips => {
                self.same_address(other) && self.same_sip_params(other) && same_headers(self, other)
            }
            Scheme::Tel => same_tel(self, other),
            Scheme::Other => false,
        }
    }

    fn same_address(&self, other: &Self) -> bool {
        let same = |a: Option<&[u8]>, b: Option<&[u8]>| match (a, b) {
            (Some(a), Some(b)) => meaning(a).eq(meaning(b)),
            (a, b) => a.is_none() && b.is_none(),
        };
        self.host() == other.host()
            && self.port() == other.port()
            && same(self.user_bytes(), other.user_bytes())
            && same(self.password(), other.password())
    }

    fn same_sip_params(&self, other: &Self) -> bool {
        covers_params(self, other) && covers_params(other, self)
    }
}

/// Each byte, and whether it is a reserved one that was escaped: such a one differs from the bare byte.
fn meaning(text: &[u8]) -> impl Iterator<Item = (u8, bool)> {
    let is_reserved = |b: u8| matches!(b, b';' | b'/' | b'?' | b':' | b'@' | b'&' | b'=' | b'+' | b'$' | b',');
    lex::decoded(text).map(move |(byte, escaped)| (byte, escaped && is_reserved(byte)))
}

fn same_folded(a: &[u8], b: &[u8]) -> bool {
    meaning(&a.to_ascii_lowercase()).map(lower).eq(meaning(&b.to_ascii_lowercase()).map(lower))
}

fn lower((byte, escaped): (u8, bool)) -> (u8, bool) {
    (byte.to_ascii_lowercase(), escaped)
}

/// Whether what `a`'s parameters demand of `b` is so.
fn covers_params(a: &Uri, b: &Uri) -> bool {
    a.params().all(|(name, value)| {
        let twin = b.params().find(|(other, _)| same_folded(name, other));
        match twin {
            Some((_, other)) => same_folded(value.unwrap_or_default(), other.unwrap_or_default()),
            None => !counts_alone(name),
        }
    })
}

/// Parameters that make a difference even where the other URI has none: those of the RFC's text, and `transport` by its examples.
fn counts_alone(name: &[u8]) -> bool {
    let name = lex::percent_decode(name);
    ["user", "ttl", "method", "maddr", "transport"].iter().any(|word| name.eq_ignore_ascii_case(word.as_bytes()))
}

/// Header components are never ignored, but their order is.
fn same_headers(a: &Uri, b: &Uri) -> bool {
    let covers = |a: &Uri, b: &Uri| {
        a.headers().all(|(name, value)| {
            b.headers().any(|(other, theirs)| {
                same_folded(name, other) && meaning(value.unwrap_or_default()).eq(meaning(theirs.unwrap_or_default()))
            })
        })
    };
    a.headers().count() == b.headers().count() && covers(a, b) && covers(b, a)
}

/// RFC 3966 §4: separators and case count nothing, the parameters must be the same ones.
fn same_tel(a: &Uri, b: &Uri) -> bool {
    let covers = |a: &Uri, b: &Uri| {
        a.params().all(|(name, value)| {
            b.params().any(|(other, theirs)| {
                same_folded(name, other) && same_number(value.unwrap_or_default(), theirs.unwrap_or_default())
            })
        })
    };
    let number = |uri: &Uri| uri.tel_number().map(|number| number.to_ascii_lowercase());
    number(a) == number(b) && a.params().count() == b.params().count() && covers(a, b) && covers(b, a)
}

fn same_number(a: &[u8], b: &[u8]) -> bool {
    let bare = |text: &[u8]| -> Vec<u8> {
        let lower = text.iter().map(u8::to_ascii_lowercase);
        if text.starts_with(b"+") {
            lower.filter(|&b| !is_visual_separator(b.into())).collect()
        } else {
            lower.collect()
        }
    };
    bare(a) == bare(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(a: &'static str, b: &'static str) -> bool {
        let (a, b) = (Uri::parse(a).expect(a), Uri::parse(b).expect(b));
        assert_eq!(a.equivalent(&b), b.equivalent(&a), "{a} {b}");
        a.equivalent(&b)
    }

    #[test]
    fn the_rfcs_equal_pairs_are_equal() {
        for (a, b) in [
            ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtlanTa.CoM;Transport=tcp"),
            ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
            ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;newparam=5"),
            (
                "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
                "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
            ),
            (
                "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
                "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
            ),
            ("sip:*35%23@h", "sip:*35#@h"),
            ("sip:a@[2001:db8::1]", "sip:a@[2001:DB8:0::1]"),
            ("sip:a:p%41@h", "sip:a:pA@h"),
            ("sip:a@h;x=%61", "sip:a@h;x=A"),
        ] {
            assert!(same(a, b), "{a} {b}");
        }
    }

    #[test]
    fn the_rfcs_unequal_pairs_are_unequal() {
        for (a, b) in [
            ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
            ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"),
            ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
            ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
            ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"),
            ("sip:a@h", "sips:a@h"),
            ("sip:a@h", "sip:h"),
            ("sip:a:x@h", "sip:a:y@h"),
            ("sip:a:x@h", "sip:a@h"),
            ("sip:a%3Bb@h", "sip:a;b@h"),
            ("sip:a@h;maddr=1.2.3.4", "sip:a@h"),
            ("sip:a@h;user=phone", "sip:a@h"),
            ("sip:a@h;user", "sip:a@h;user=phone"),
        ] {
            assert!(!same(a, b), "{a} {b}");
        }
    }

    #[test]
    fn tel_numbers_are_compared_by_their_digits() {
        assert!(same("tel:+1-201-555", "tel:+1201.555"));
        assert!(same("tel:7042;phone-context=Example.com", "tel:7042;Phone-Context=example.com"));
        assert!(!same("tel:7042;phone-context=a", "tel:7042") && !same("tel:+1", "tel:1"));
        assert!(same("urn:a:B", "urn:a:B") && !same("urn:a:B", "urn:a:b"));
    }
}
