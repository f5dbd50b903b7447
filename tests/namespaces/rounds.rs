//! Rounds at random: somebody logs in, something breaks, people go on calling, it is mended, and the next call must find the phone.
//!
//! `HOTDESK_ROUNDS=500` plays so many; `HOTDESK_SEED` other ones.

use std::time::Duration;

use hotdesk::ids::Entropy;
use hotdesk::sip::Status;

use super::company::LEASE;
use super::ground::SITES;
use super::ladder::now;
use super::people::{Outcome, PATIENCE, People, Seat};

const ROUNDS: u32 = 20;

/// What breaks.
#[derive(Clone, Copy, Debug)]
enum Fault {
    Nothing,
    Cut(&'static str),
    OneWay(&'static str, &'static str),
    Kill(&'static str),
    KillAndCut(&'static str, &'static str),
}

impl Fault {
    fn any(chance: &mut Entropy) -> Self {
        let first = chance.below(3) as usize;
        let (one, other) = (SITES[first], SITES[(first + 1 + chance.below(2) as usize) % 3]);
        match chance.below(9) {
            0 => Self::Nothing,
            1 | 2 => Self::Cut(one),
            3 | 4 => Self::OneWay(one, other),
            5..8 => Self::Kill(one),
            _ => Self::KillAndCut(one, other),
        }
    }

    fn begin(self, people: &mut People) {
        match self {
            Self::Nothing => {}
            Self::Cut(site) => people.ground.cut(site),
            Self::OneWay(from, to) => people.ground.cut_one_way(from, to),
            Self::Kill(site) => people.company.kill(site),
            Self::KillAndCut(site, other) => {
                people.company.kill(site);
                people.ground.cut(other);
            }
        }
    }

    fn end(self, people: &mut People) {
        match self {
            Self::Nothing => {}
            Self::Cut(site) => people.ground.heal(site),
            Self::OneWay(from, to) => people.ground.heal_one_way(from, to),
            Self::Kill(site) => people.start(site),
            Self::KillAndCut(site, other) => {
                people.start(site);
                people.ground.heal(other);
            }
        }
    }
}

/// A user who moves about, with a phone at each site, and where the last login was.
struct Mover {
    number: &'static str,
    phones: Vec<Seat>,
    /// The one at home.
    desk: Seat,
    at: Option<Seat>,
}

#[test]
fn after_every_fault_a_call_finds_the_phone_where_its_user_logged_in_last() {
    let Some(mut people) = People::gather("keep") else { return };
    let asked = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let rounds = asked("HOTDESK_ROUNDS").map_or(ROUNDS, |rounds| rounds as u32);
    let seed = asked("HOTDESK_SEED").unwrap_or(1);
    let mut chance = Entropy::new(*blake3::hash(&seed.to_le_bytes()).as_bytes());
    let reception: Vec<Seat> =
        ["203", "303", "403"].into_iter().zip(SITES).map(|(user, site)| people.phone(user, site)).collect();
    reception.iter().for_each(|seat| people.register(*seat));
    let mut movers: Vec<Mover> = Vec::new();
    for (home, number) in ["201", "301"].into_iter().enumerate() {
        let phones: Vec<Seat> = SITES.iter().map(|site| people.phone(number, site)).collect();
        movers.push(Mover { number, desk: phones[home], phones, at: None });
    }
    for round in 1..=rounds {
        let mover = &mut movers[chance.below(2) as usize];
        let begun = now();
        play(&mut people, &mut chance, round, mover, &reception);
        if rounds > ROUNDS {
            eprintln!("round {round}: {:.1} s", now().duration_since(begun).as_secs_f64());
        }
    }
    assert!(people.complaints().is_empty(), "{:#?}", people.complaints());
}

/// The answer to what a phone has asked. It asks again while a site is not yet seen to be back (SPEC 8.1, 8.5).
fn answered(people: &mut People, phone: Seat, expires: u32) -> Result<(), (Status, String)> {
    for _ in 0..20 {
        match people.answer(phone) {
            Err((status, _)) if status == Status::SERVER_TIMEOUT => {
                people.pass(Duration::from_millis(500));
                people.ask(phone, expires, false);
            }
            answer => return answer,
        }
    }
    people.answer(phone)
}

fn play(people: &mut People, chance: &mut Entropy, round: u32, mover: &mut Mover, reception: &[Seat]) {
    let fault = Fault::any(chance);
    let phone = mover.phones[chance.below(3) as usize];
    let (name, number) = (people.name(phone).to_owned(), mover.number);
    // Half of the time a person leaves one desk before sitting down at the next: who never does is kept out in the end (SPEC 5.5).
    // A phone at home that is parked does not bring its user home (SPEC 5.6).
    if (phone == mover.desk || chance.below(2) == 0)
        && let Some(before) = mover.at.take()
    {
        people.ask(before, 0, false);
        answered(people, before, 0)
            .unwrap_or_else(|refusal| panic!("{} can't leave: {refusal:?}", people.name(before)));
    }
    people.note(format!("round {round}: {name} logs in, then {fault:?}"));
    // A fault may come in the middle of the login.
    let amid = chance.below(3) == 0;
    people.ask(phone, 3600, true);
    if amid {
        people.pass(Duration::from_millis(chance.below(40)));
        fault.begin(people);
    }
    let answer = if amid { people.answer(phone) } else { answered(people, phone, 3600) };
    match answer {
        Ok(()) => mover.at = Some(phone),
        // Whether it was taken nobody knows; it is undone in the end.
        Err(_) if amid => mover.at = None,
        // It is displaced too often (SPEC 5.5): a person would wait.
        Err((status, reason)) if status.0 == 403 && reason.starts_with("logged in at") => {}
        Err(refusal) => panic!("{name} is refused: {refusal:?}"),
    }
    if !amid {
        fault.begin(people);
    }
    // Life goes on: every call has an end, and one in three faults lasts longer than a lease.
    for _ in 0..chance.below(3) {
        let caller = reception[chance.below(3) as usize];
        if people.company.is_up(SITES[reception.iter().position(|seat| *seat == caller).unwrap_or_default()]) {
            let call = people.dial(caller, number);
            people.outcome(caller, call);
        }
    }
    let lasts =
        if chance.below(8) == 0 { Duration::from_secs(LEASE + 1) } else { Duration::from_millis(chance.below(400)) };
    people.pass(lasts);
    fault.end(people);
    if mover.at.is_none() {
        mover.at = Some(come_back(people, mover));
    }
    let at = mover.at.expect("somewhere");
    people.note(format!("round {round}: mended; {number} is at {}", people.name(at)));
    for &caller in [&reception[chance.below(3) as usize], &reception[chance.below(3) as usize]] {
        soon(people, caller, number, at);
    }
}

/// Somebody who was not let in tries again, away from home, where a phone may be parked.
fn come_back(people: &mut People, mover: &Mover) -> Seat {
    let until = now() + PATIENCE;
    loop {
        for &phone in mover.phones.iter().filter(|phone| **phone != mover.desk) {
            people.ask(phone, 3600, true);
            if people.answer(phone).is_ok() {
                return phone;
            }
        }
        assert!(now() < until, "{} is let in nowhere", mover.number);
        people.pass(Duration::from_millis(500));
    }
}

/// The sites need a moment to meet, and a lease to forget.
fn soon(people: &mut People, caller: Seat, number: &str, callee: Seat) {
    let until = now() + Duration::from_secs(LEASE * 5);
    loop {
        let call = people.dial(caller, number);
        let outcome = people.outcome(caller, call);
        if outcome == Outcome::At(callee) {
            return;
        }
        let (from, to) = (people.name(caller).to_owned(), people.name(callee).to_owned());
        assert!(now() < until, "{from} dials {number}, means {to}, and gets {outcome:?}");
        people.pass(Duration::from_millis(100));
    }
}
