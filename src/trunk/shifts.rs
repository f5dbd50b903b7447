//! By how much the CSeq numbers of a dialog are ahead at the carrier (SPEC 9.10).
//!
//! ```text
//! phone            INVITE 7      BYE 8
//!                  │             │
//! site             7  407  8     9  407  10          the proof says 1, known here from 8 on: 2
//!                  ▼       ▼     ▼       ▼
//! carrier          7       8     9       10
//! ```
//!
//! The shift with which a dialog begins stands in its Record-Route and lives as long as that. A carrier that challenges a request
//! *inside* a dialog moves the later ones on by one more, and that is known here only. A restart forgets it: [`after_restart`] is
//! more than any dialog can have been moved by.
//!
//! An ACK has the number of its INVITE, and RAck names one that may have come before a challenge: each shift counts from a number on.
//! Bounded: [`Shifts::MOST`] dialogs; the one that was moved first is forgotten, and its next request may be refused as out of order.

use std::time::{Duration, Instant};

use smallvec::SmallVec;

use super::remembered::Remembered;
use crate::sip::Name;
use crate::timing::Wall;

/// Most changes that are remembered of one dialog; of older ones the ACK may still be under way, but hardly.
const STEPS: usize = 8;
/// RFC 3261 §8.1.1.5: numbers are below 2³¹.
const LIMIT: u32 = 1 << 31;

/// One direction of a dialog: its requests to the carrier.
#[derive(Clone, Copy, Debug)]
pub struct Towards<'a> {
    /// Call-ID.
    pub call_id: &'a [u8],
    /// The tag of From: ours, or our phone's.
    pub from: &'a [u8],
    /// The tag of To: the carrier's.
    pub to: &'a [u8],
}

/// The dialogs of a shard that carriers have challenged.
#[derive(Debug)]
pub struct Shifts {
    secret: [u8; 32],
    dialogs: Remembered<SmallVec<[Step; 2]>>,
    answers: Remembered<Shown>,
}

/// From this number of the sender's on, the numbers are so much ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Step {
    from: u32,
    shift: u32,
}

/// The credentials that an INVITE was taken with.
#[derive(Debug)]
struct Shown {
    number: u32,
    lines: Vec<(Name, String)>,
}

impl Shifts {
    /// Most dialogs that were challenged inside, and most INVITEs that wait for their ACK.
    pub const MOST: usize = 20_000;

    /// None yet. `secret` keys their names, so that nobody can make two dialogs look like one.
    pub fn new(secret: [u8; 32]) -> Self {
        Self { secret, dialogs: Remembered::new(Self::MOST), answers: Remembered::new(Self::MOST) }
    }

    /// How many dialogs are known to have moved.
    pub fn len(&self) -> usize {
        self.dialogs.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// By how much the sender's `number` is ahead at the carrier, if that is not what the proof says.
    pub fn of(&self, dialog: &Towards<'_>, number: u32) -> Option<u32> {
        if self.is_empty() {
            return None;
        }
        let steps = self.dialogs.of(self.name(dialog))?;
        steps.iter().rev().find(|step| step.from <= number).map(|step| step.shift)
    }

    /// From the sender's `number` on they are ahead by `shift`. Kept for as long as a call may last.
    pub fn step(&mut self, now: Instant, lasts: Duration, dialog: &Towards<'_>, number: u32, shift: u32) {
        let name = self.name(dialog);
        let mut steps = self.dialogs.forget(name).unwrap_or_default();
        steps.retain(|step| step.from < number);
        if steps.len() >= STEPS {
            steps.remove(0);
        }
        steps.push(Step { from: number, shift });
        self.dialogs.keep(now, now + lasts, name, steps);
    }

    /// A dialog is over: both directions.
    pub fn over(&mut self, dialog: &Towards<'_>) {
        if !self.is_empty() {
            let back = Towards { from: dialog.to, to: dialog.from, ..*dialog };
            self.dialogs.forget(self.name(dialog));
            self.dialogs.forget(self.name(&back));
        }
    }

    /// RFC 3261 §22.1: the ACK shows what its INVITE did. Kept for as long as copies of the 2xx may come.
    pub fn show(
        &mut self,
        now: Instant,
        lasts: Duration,
        dialog: &Towards<'_>,
        number: u32,
        lines: Vec<(Name, String)>,
    ) {
        let name = self.invite(dialog);
        self.answers.keep(now, now + lasts, name, Shown { number, lines });
    }

    /// What the ACK to the sender's INVITE `number` shows.
    pub fn shown(&self, dialog: &Towards<'_>, number: u32) -> &[(Name, String)] {
        if self.answers.len() == 0 {
            return &[];
        }
        let shown = self.answers.of(self.invite(dialog)).filter(|shown| shown.number == number);
        shown.map(|shown| &shown.lines[..]).unwrap_or_default()
    }

    /// Of an INVITE: whoever answers, and however many do.
    fn invite(&self, dialog: &Towards<'_>) -> u128 {
        self.name(&Towards { to: b"", ..*dialog })
    }

    fn name(&self, dialog: &Towards<'_>) -> u128 {
        let mut hasher = blake3::Hasher::new_keyed(&self.secret);
        for part in [dialog.call_id, dialog.from, dialog.to] {
            hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
        }
        let (mut first, hash) = ([0; 16], hasher.finalize());
        first.copy_from_slice(&hash.as_bytes()[..16]);
        u128::from_le_bytes(first)
    }
}

/// Whether a number may be so much ahead.
pub fn fits(number: u32, shift: u32) -> bool {
    number.checked_add(shift).is_some_and(|number| number < LIMIT)
}

/// What the numbers of a dialog from before this start of the process are put ahead by, beside what its proof says. It grows by four a
/// second of the clock: by more than a dialog is challenged between two starts. It begins anew after some 190 days.
pub fn after_restart(started: Wall) -> u32 {
    const QUARTERS: u64 = 1 << 26;
    const LEAST: u32 = 64;
    LEAST + (started.0 / 250 % QUARTERS) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAP: Duration = Duration::from_secs(43_200);

    fn dialog(to: &str) -> Towards<'_> {
        Towards { call_id: b"c", from: b"a", to: to.as_bytes() }
    }

    #[allow(clippy::disallowed_methods, reason = "any instant will do as the start")]
    fn now() -> Instant {
        Instant::now()
    }

    #[test]
    fn a_shift_counts_from_its_number_on_and_in_its_dialog() {
        let (mut shifts, now) = (Shifts::new([1; 32]), now());
        assert_eq!(shifts.of(&dialog("b"), 7), None);
        shifts.step(now, CAP, &dialog("b"), 8, 2);
        shifts.step(now, CAP, &dialog("b"), 10, 3);
        assert_eq!(
            [7, 8, 9, 10, 99].map(|number| shifts.of(&dialog("b"), number)),
            [None, Some(2), Some(2), Some(3), Some(3)]
        );
        assert_eq!(shifts.of(&dialog("c"), 9), None);
        // The same request was challenged again.
        shifts.step(now, CAP, &dialog("b"), 10, 4);
        assert_eq!((shifts.of(&dialog("b"), 9), shifts.of(&dialog("b"), 10)), (Some(2), Some(4)));
        shifts.over(&Towards { call_id: b"c", from: b"b", to: b"a" });
        assert_eq!((shifts.of(&dialog("b"), 10), shifts.len()), (None, 0));
    }

    #[test]
    fn of_a_dialog_that_is_always_challenged_the_newest_steps_are_known() {
        let (mut shifts, now) = (Shifts::new([1; 32]), now());
        (1..=100).for_each(|number| shifts.step(now, CAP, &dialog("b"), number, number));
        assert_eq!(shifts.of(&dialog("b"), 100), Some(100));
        assert_eq!((shifts.of(&dialog("b"), 93), shifts.of(&dialog("b"), 92)), (Some(93), None));
    }

    #[test]
    fn an_ack_shows_what_its_own_invite_showed() {
        let (mut shifts, now) = (Shifts::new([1; 32]), now());
        let lines = vec![(Name::ProxyAuthorization, "Digest a".to_owned())];
        shifts.show(now, CAP, &dialog("whoever"), 7, lines.clone());
        assert_eq!((shifts.shown(&dialog("b"), 7), shifts.shown(&dialog("b"), 8)), (&lines[..], &[][..]));
        assert_eq!(shifts.shown(&Towards { from: b"x", ..dialog("b") }, 7), &[]);
    }

    #[test]
    fn a_later_start_is_further_ahead_and_numbers_stay_numbers() {
        let start = Wall(1_795_431_600_000);
        assert_eq!(after_restart(start.plus(Duration::from_secs(10))), after_restart(start) + 40);
        assert!(after_restart(Wall(0)) >= 64 && after_restart(Wall(u64::MAX)) <= 64 + (1 << 26));
        assert!(fits(LIMIT - 2, 1) && !fits(LIMIT - 1, 1) && !fits(u32::MAX, 1));
    }
}
