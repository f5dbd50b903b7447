//! Whether a phone that lost its user may register (SPEC 5.5, 4.2).

use super::update::Update;
use crate::ids::SiteName;
use crate::location::{DisplacedDevice, Displacement, bring_back, displacement, forgive};
use crate::rejection::Rejection;
use crate::timing::Wall;

/// What a list of displaced phones says about a REGISTER.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The phone was not displaced: the REGISTER is judged as any other.
    Free,
    /// A displaced phone that a person brings back: judged as any other; once it is obeyed, this is the list.
    Back(Vec<DisplacedDevice>),
    /// An un-REGISTER of a displaced phone: 200 without contacts, and this is the list. Nothing else changes.
    Left(Vec<DisplacedDevice>),
    /// 403 with the reason.
    Refused(Rejection),
}

/// Looks up the sender of `update`, a REGISTER at `here`, among the displaced phones of its user.
pub fn standing(displaced: &[DisplacedDevice], update: &Update, here: &SiteName, now: Wall) -> Standing {
    if displaced.is_empty() {
        return Standing::Free;
    }
    let device = update.device();
    match displacement(displaced, &device, here, now) {
        Displacement::None => Standing::Free,
        Displacement::Holds(entry) | Displacement::Over(entry) if update.leaves() => {
            let mut list = displaced.to_vec();
            forgive(&mut list, &entry.device);
            Standing::Left(list)
        }
        Displacement::Holds(entry) => Standing::Refused(entry.refusal(here)),
        Displacement::Over(entry) => {
            let mut list = displaced.to_vec();
            bring_back(&mut list, &entry.device);
            Standing::Back(list)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::update;
    use super::*;
    use crate::location::displace;
    use crate::sip::Status;

    const CONTACT: &str = "Contact: <sip:201@127.0.0.1:1>";

    /// The phone of Call-ID `a` lost its user to Berlin.
    fn list() -> Vec<DisplacedDevice> {
        let mut list = Vec::new();
        displace(&mut list, update("a", 1, &[CONTACT]).device(), &SiteName::new("berlin"), Wall(0));
        list
    }

    fn at_paris(call_id: &str, lines: &[&str]) -> Standing {
        standing(&list(), &update(call_id, 2, lines), &SiteName::new("paris"), Wall(1))
    }

    #[test]
    fn the_refresh_of_a_displaced_phone_is_refused_with_the_reason() {
        let Standing::Refused(refusal) = at_paris("a", &[CONTACT]) else { panic!("let in") };
        assert_eq!(refusal.status, Status::FORBIDDEN);
        assert_eq!(refusal.reason.as_deref(), Some("logged in at berlin"));
        assert_eq!(refusal.warning.as_deref(), Some("logged in at berlin"));
    }

    #[test]
    fn another_phone_is_free_and_so_is_everyone_without_a_list() {
        assert_eq!(at_paris("b", &["Contact: <sip:201@127.0.0.1:2>"]), Standing::Free);
        assert_eq!(standing(&[], &update("a", 2, &[CONTACT]), &SiteName::new("paris"), Wall(1)), Standing::Free);
    }

    #[test]
    fn a_new_call_id_brings_the_phone_back() {
        let Standing::Back(list) = at_paris("b", &[CONTACT]) else { panic!("not back") };
        assert!(list.len() == 1 && list[0].back);
    }

    #[test]
    fn an_unregister_of_a_displaced_phone_is_taken_and_forgives() {
        for lines in [&[CONTACT, "Expires: 0"][..], &["Contact: *", "Expires: 0"]] {
            assert_eq!(at_paris("a", lines), Standing::Left(Vec::new()), "{lines:?}");
        }
    }
}
