//! The 200 to a REGISTER (RFC 3261 §10.3 step 8).

use bytes::{BufMut, Bytes, BytesMut};

use crate::location::Binding;
use crate::sip::Name;
use crate::timing::{Now, Wall};

/// The headers of the 200: each live binding with what is left of it, oldest first; the request's own Path (RFC 3327 §5.3) with
/// the option that says that it is kept; and the date.
pub fn answer(bindings: &[Binding], path: &[Bytes], now: Now) -> Vec<(Name, Bytes)> {
    let live = bindings.iter().filter(|binding| binding.is_live(now.instant));
    let mut headers: Vec<(Name, Bytes)> = live.map(|binding| (Name::Contact, contact(binding, now))).collect();
    headers.extend(path.iter().map(|value| (Name::Path, value.clone())));
    if !path.is_empty() {
        headers.push((Name::Supported, Bytes::from_static(b"path")));
    }
    headers.extend(date(now.wall).map(|date| (Name::Date, date)));
    headers
}

fn contact(binding: &Binding, now: Now) -> Bytes {
    let uri = binding.uri.as_bytes();
    let mut value = BytesMut::with_capacity(uri.len() + binding.params.len() + 24);
    value.put_u8(b'<');
    value.put_slice(uri);
    value.put_u8(b'>');
    value.put_slice(&binding.params);
    value.put_slice(b";expires=");
    value.put_slice(binding.expires_in(now.instant).to_string().as_bytes());
    value.freeze()
}

/// RFC 3261 §20.17: always in GMT. `None` for a clock beyond the calendar.
fn date(wall: Wall) -> Option<Bytes> {
    let time = jiff::Timestamp::from_millisecond(i64::try_from(wall.0).ok()?).ok()?;
    Some(Bytes::from(time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()))
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{Aor, after, now};
    use super::*;

    fn lines(headers: Vec<(Name, Bytes)>) -> Vec<String> {
        headers.iter().map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value))).collect()
    }

    #[test]
    fn every_live_binding_is_listed_with_what_is_left_of_it() {
        let (mut aor, start) = (Aor::new(), now());
        let (short, long) = ("Contact: <sip:a@h>;expires=60", "Contact: \"B\" <sip:b@h;ob>;q=0.5;expires=120;audio");
        aor.hear("a", 1, &[short, long], start).expect("obeyed");
        assert_eq!(
            lines(answer(&aor.bindings, &[], after(start, 500))),
            [
                "Contact: <sip:a@h>;expires=60",
                "Contact: <sip:b@h;ob>;q=0.5;audio;expires=120",
                "Date: Tue, 14 Nov 2023 22:13:20 GMT"
            ]
        );
        let late = lines(answer(&aor.bindings, &[], after(start, 60_000)));
        assert_eq!(late[0], "Contact: <sip:b@h;ob>;q=0.5;audio;expires=60");
        assert_eq!(late.len(), 2);
    }

    #[test]
    fn the_path_is_returned_in_its_order() {
        let path = [Bytes::from_static(b"<sip:p1;lr>"), Bytes::from_static(b"<sip:p2;lr>")];
        let lines = lines(answer(&[], &path, now()));
        assert_eq!(lines[..3], ["Path: <sip:p1;lr>", "Path: <sip:p2;lr>", "Supported: path"]);
    }

    #[test]
    fn a_clock_beyond_the_calendar_gives_no_date() {
        assert_eq!(date(Wall(u64::MAX)), None);
    }
}
