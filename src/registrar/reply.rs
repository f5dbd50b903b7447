//! The 200 to a REGISTER (RFC 3261 §10.3 step 8).

use bytes::Bytes;

use crate::location::Binding;
use crate::sip::{Digits, Name, Reply};
use crate::timing::{Now, Wall};

/// Adds the headers of the 200: each live binding with what is left of it, oldest first; the request's own Path (RFC 3327 §5.3)
/// with the option that says that it is kept; and the date.
pub fn answer<'m>(reply: Reply<'m>, bindings: &[Binding], path: &[Bytes], date: &mut Date, now: Now) -> Reply<'m> {
    let live = bindings.iter().filter(|binding| binding.is_live(now.instant));
    let mut reply = live.fold(reply, |reply, binding| {
        let left = Digits::of(binding.expires_in(now.instant).into());
        let pieces = [b"<", &binding.uri.as_bytes()[..], b">", &binding.params[..], b";expires=", left.as_ref()];
        reply.header_of(&Name::Contact, &pieces)
    });
    reply = path.iter().fold(reply, |reply, value| reply.header(&Name::Path, value));
    if !path.is_empty() {
        reply = reply.header(&Name::Supported, "path");
    }
    match date.at(now.wall) {
        Some(date) => reply.header(&Name::Date, date),
        None => reply,
    }
}

/// The value of the Date header (RFC 3261 §20.17), which many answers share: it is made once a second.
#[derive(Debug, Default)]
pub struct Date {
    /// The second since 1970 that `value` speaks of.
    second: u64,
    value: Option<String>,
}

impl Date {
    /// Always in GMT. `None` for a clock beyond the calendar.
    pub fn at(&mut self, wall: Wall) -> Option<&str> {
        let second = wall.0 / 1000;
        if self.value.is_none() || self.second != second {
            let time = jiff::Timestamp::from_second(i64::try_from(second).ok()?).ok()?;
            *self = Self { second, value: Some(time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()) };
        }
        self.value.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{Aor, after, now, request};
    use super::*;
    use crate::sip::Status;

    /// The headers that are added to the request's own.
    fn lines(bindings: &[Binding], path: &[Bytes], now: Now) -> Vec<String> {
        let request = request("a", 1, &[]);
        let reply = answer(Reply::to(&request, Status::OK), bindings, path, &mut Date::default(), now).write();
        let text = String::from_utf8_lossy(&reply).into_owned();
        let own = text.lines().skip_while(|line| !line.starts_with("CSeq: ")).skip(1);
        own.take_while(|line| !line.starts_with("Content-Length: ")).map(str::to_owned).collect()
    }

    #[test]
    fn every_live_binding_is_listed_with_what_is_left_of_it() {
        let (mut aor, start) = (Aor::new(), now());
        let (short, long) = ("Contact: <sip:a@h>;expires=60", "Contact: \"B\" <sip:b@h;ob>;q=0.5;expires=120;audio");
        aor.hear("a", 1, &[short, long], start).expect("obeyed");
        assert_eq!(
            lines(&aor.bindings, &[], after(start, 500)),
            [
                "Contact: <sip:a@h>;expires=60",
                "Contact: <sip:b@h;ob>;q=0.5;audio;expires=120",
                "Date: Tue, 14 Nov 2023 22:13:20 GMT"
            ]
        );
        let late = lines(&aor.bindings, &[], after(start, 60_000));
        assert_eq!(late[0], "Contact: <sip:b@h;ob>;q=0.5;audio;expires=60");
        assert_eq!(late.len(), 2);
    }

    #[test]
    fn the_path_is_returned_in_its_order() {
        let path = [Bytes::from_static(b"<sip:p1;lr>"), Bytes::from_static(b"<sip:p2;lr>")];
        let lines = lines(&[], &path, now());
        assert_eq!(lines[..3], ["Path: <sip:p1;lr>", "Path: <sip:p2;lr>", "Supported: path"]);
    }

    #[test]
    fn the_date_is_that_of_the_second() {
        let (mut date, wall) = (Date::default(), now().wall.0);
        assert_eq!(date.at(Wall(wall + 999)), Some("Tue, 14 Nov 2023 22:13:20 GMT"));
        assert_eq!(date.at(Wall(wall + 1000)), Some("Tue, 14 Nov 2023 22:13:21 GMT"));
        assert_eq!(date.at(Wall(wall)), Some("Tue, 14 Nov 2023 22:13:20 GMT"));
    }

    #[test]
    fn a_clock_beyond_the_calendar_gives_no_date() {
        let mut date = Date::default();
        assert_eq!(date.at(Wall(0)), Some("Thu, 01 Jan 1970 00:00:00 GMT"));
        assert_eq!(date.at(Wall(u64::MAX)), None);
    }
}
