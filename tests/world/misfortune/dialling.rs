//! What people dial that changes something: logins, logouts, settings (SPEC 7.4, 10); and what an operator orders (SPEC 12.5).

use std::collections::BTreeSet;
use std::time::Duration;

use hotdesk::ids::Extension;
use hotdesk::location::Record;
use hotdesk::node::Command;
use hotdesk::phone::CallRef;
use hotdesk::sip::Status;

use super::deed::{Chair, Choice, RECEPTION, SITES, Site, Who, home_of, is_desk, pin_of};
use super::history::{History, SETTLED, Verdict};
use super::offices::LEASE;

/// After so many wrong PINs a right one may be refused for a while (SPEC 5.9).
const ATTEMPTS: usize = 4;

/// What is dialled.
#[derive(Clone, Copy, Debug)]
pub enum Wish {
    LogIn { who: Who, right: bool },
    LogOut,
    Set { choice: Choice, on: bool },
}

/// A code under way.
pub struct Dialled {
    call: CallRef,
    wish: Wish,
    at: Duration,
    /// The phone's own user, those who may sit there, and who logs in.
    concerned: BTreeSet<Who>,
    /// Nothing could reach the user's home then.
    blocked: bool,
}

impl Dialled {
    /// Whether it may change anything about that user.
    pub fn concerns(&self, who: Who) -> bool {
        self.concerned.contains(who)
    }
}

/// Where the calls of everybody ring who follows anybody.
pub const FOLLOWED: Chair = Chair { who: RECEPTION[0], site: SITES[0], nth: 0 };

impl History {
    pub(super) fn dial(&mut self, chair: Chair, wish: Wish) {
        let Some(&seat) = self.seats.get(&chair) else { return };
        let now = self.world.now();
        let mut concerned: BTreeSet<Who> = self.promises.sitters(chair).chain([chair.who]).collect();
        if let Wish::LogIn { who, right } = wish {
            if !self.setup.sites().contains(&home_of(who)) {
                return;
            }
            concerned.insert(who);
            self.wrong += usize::from(!right);
        }
        let homes = match wish {
            Wish::LogIn { who, .. } => vec![home_of(who)],
            Wish::LogOut => Vec::new(),
            Wish::Set { .. } => self.promises.users_at(chair).into_iter().map(home_of).collect(),
        };
        let blocked = homes.iter().all(|home| self.world.is_cut(chair.site, home) || !self.world.is_up(home));
        let digits = digits(wish, chair);
        let call = self.world.act(seat, |phone, now| phone.call(now, &digits));
        self.stir(&concerned);
        if matches!(wish, Wish::LogOut) {
            self.left.insert(chair);
        }
        self.dialled.insert(chair, Dialled { call, wish, at: now, concerned, blocked });
    }

    fn stir(&mut self, concerned: &BTreeSet<Who>) {
        let now = self.world.now();
        self.stirred.extend(concerned.iter().map(|who| (*who, now)));
    }

    pub(super) fn is_code(&self, chair: Chair, call: CallRef) -> bool {
        self.dialled.get(&chair).is_some_and(|dialled| dialled.call == call)
    }

    /// Whoever waits for longer than any site takes hangs up.
    pub(super) fn give_up_dialling(&mut self, who: Who) {
        let waiting = self.dialled.iter().filter(|(_, dialled)| dialled.concerns(who));
        for (chair, call) in waiting.map(|(chair, dialled)| (*chair, dialled.call)).collect::<Vec<_>>() {
            self.note(format!("{chair} hangs up on its code"));
            self.world.act(self.seats[&chair], |phone, now| phone.cancel(now, call));
        }
    }

    /// Whether the site knows everybody who is, or may be, at a phone: after a restart it has to hear of its visitors from their homes.
    fn knows_all(&self, chair: Chair) -> bool {
        let away = |who: &Who| home_of(who) == chair.site || self.in_touch_for(chair.site, home_of(who)) > SETTLED;
        away(&chair.who) && self.promises.sitters(chair).all(|who| away(&who))
    }

    // ------------------------------------------------------------------------------------------------------------- the answers

    pub(super) fn code_done(&mut self, chair: Chair) -> Verdict {
        let Some(dialled) = self.dialled.remove(&chair) else { return Ok(()) };
        self.note(format!("{chair} hears the tone"));
        let now = self.world.now();
        self.stir(&dialled.concerned);
        match dialled.wish {
            Wish::LogIn { who, right: false } => Err(format!("{who} is let in at {chair} with a wrong PIN")),
            Wish::LogIn { who, .. } if who == chair.who && self.promises.was_ever_let_in(chair) => {
                self.promises.sat_down(who, chair);
                self.promises.revived(chair, dialled.at, now);
                Ok(())
            }
            Wish::LogIn { who, .. } if !self.promises.may(chair, dialled.at) => {
                Err(format!("{who} is let in at {chair}, which is not registered"))
            }
            Wish::LogIn { who, .. } => {
                self.promises.sat_down(who, chair);
                Ok(())
            }
            // SPEC 5.10: a phone that has lost its user has that user again.
            Wish::LogOut if !self.promises.may(chair, dialled.at) => {
                self.promises.sat_down(chair.who, chair);
                self.promises.revived(chair, dialled.at, now);
                match self.promises.was_ever_let_in(chair) {
                    true => Ok(()),
                    false => Err(format!("{chair} was never registered, and logs out")),
                }
            }
            Wish::LogOut => {
                let known = self.knows_all(chair);
                let bound = self.promises.must(chair, now);
                if bound && chair.is_at_home() && known && self.promises.user_at(chair) == Some(chair.who) {
                    let places = self.promises.places(chair.who, now);
                    if places == BTreeSet::from([chair.site]) {
                        return Err(format!("{chair} is not parked, and its user has come home to it"));
                    }
                }
                self.promises.stood_up(chair, known);
                if !bound {
                    self.promises.may_have_sat_down(chair.who, chair);
                    self.promises.revived(chair, dialled.at, now);
                }
                Ok(())
            }
            Wish::Set { choice, on } => {
                let known = self.knows_all(chair);
                let mut users = self.promises.users_at(chair);
                if !known {
                    users.insert(chair.who);
                }
                match (users.first(), users.len()) {
                    (Some(who), 1) => self.promises.person(who).choices.set(choice, on),
                    (Some(_), _) => self.maybe_set(&users, choice, on),
                    (None, _) => return Err(format!("{chair} has no user, and sets something")),
                }
                Ok(())
            }
        }
    }

    fn maybe_set(&mut self, users: &BTreeSet<Who>, choice: Choice, on: bool) {
        let now = self.world.now();
        for who in users.iter().filter(|who| !is_desk(who)) {
            self.promises.person(who).choices.unclear(choice, on, now);
        }
    }

    pub(super) fn code_refused(&mut self, chair: Chair, status: Status, reason: &str) -> Verdict {
        let Some(dialled) = self.dialled.remove(&chair) else { return Ok(()) };
        self.note(format!("{chair} is refused: {status} {reason}"));
        self.stir(&dialled.concerned);
        match status.0 {
            400..=407 | 409..=486 | 488..=499 => match self.may_be_refused(chair, &dialled, reason) {
                true => {
                    if let Wish::LogIn { who, .. } = dialled.wish
                        && reason.starts_with("no free licence")
                    {
                        self.licence_refused(who, dialled.at);
                    }
                    Ok(())
                }
                false => Err(format!("{chair}'s {:?} is refused without a reason: {status} {reason}", dialled.wish)),
            },
            504 if self.is_far(chair, &dialled) => {
                // What could reach nobody has changed nothing.
                if !dialled.blocked || self.mended >= dialled.at {
                    self.may_be_done(chair, &dialled);
                }
                Ok(())
            }
            408 | 487 | 500 | 503 if !self.was_quiet(chair.site, chair.site, dialled.at) => {
                self.may_be_done(chair, &dialled);
                Ok(())
            }
            _ => Err(format!("{chair}'s {:?} fails without a reason: {status} {reason}", dialled.wish)),
        }
    }

    /// Whether something may have stood between the phone's site and the home of whoever is concerned.
    fn is_far(&self, chair: Chair, dialled: &Dialled) -> bool {
        let mut homes: BTreeSet<Site> = match dialled.wish {
            Wish::LogIn { who, .. } => BTreeSet::from([home_of(who)]),
            Wish::LogOut => BTreeSet::new(),
            Wish::Set { .. } => self.promises.users_at(chair).into_iter().map(home_of).collect(),
        };
        // SPEC 5.10: of a phone that has lost its user, home is asked about the digest.
        if !self.promises.must(chair, self.world.now()) {
            homes.insert(home_of(chair.who));
        }
        homes.into_iter().any(|home| home != chair.site && !self.was_quiet(chair.site, home, dialled.at))
    }

    /// Whether nothing has stood between two sites since then, nor for a while.
    fn was_quiet(&self, a: Site, b: Site, then: Duration) -> bool {
        self.is_quiet(a, b) && self.in_touch_for(a, b) >= self.world.now() - then
    }

    /// Nobody was told what became of it.
    fn may_be_done(&mut self, chair: Chair, dialled: &Dialled) {
        match dialled.wish {
            Wish::LogIn { right: false, .. } => {}
            Wish::LogIn { who, right: true } => {
                self.promises.may_have_sat_down(who, chair);
                if who == chair.who {
                    self.promises.may_be_revived(chair, self.world.now());
                }
            }
            Wish::LogOut => {
                self.promises.may_have_stood_up(chair);
                if !self.promises.must(chair, self.world.now()) {
                    self.promises.may_have_sat_down(chair.who, chair);
                    self.promises.may_be_revived(chair, self.world.now());
                }
            }
            Wish::Set { choice, on } => self.maybe_set(&dialled.concerned, choice, on),
        }
    }

    /// Whether there is a reason for a refusal, after which nothing has changed.
    fn may_be_refused(&self, chair: Chair, dialled: &Dialled, reason: &str) -> bool {
        let (now, site) = (self.world.now(), chair.site);
        let is_bound = self.promises.must(chair, now) && self.knows_all(chair);
        if !is_bound {
            return true;
        }
        match dialled.wish {
            Wish::LogIn { right: false, .. } => reason == "wrong code",
            Wish::LogIn { who, .. } => {
                let far = home_of(who) != site && !self.was_quiet(site, home_of(who), dialled.at);
                match reason {
                    "wrong code" => self.wrong >= ATTEMPTS,
                    _ if reason.starts_with("no free licence") => self.may_be_full(site, who),
                    _ if reason.starts_with("logged in at") => far,
                    _ => false,
                }
            }
            Wish::LogOut => {
                // Nobody sits there, or nobody can tell.
                let nobody = self.promises.user_at(chair).is_none_or(|who| who == chair.who);
                match reason {
                    "nobody is logged in at this phone" => is_desk(chair.who) && nobody,
                    "only the phone's own user is logged in here" => {
                        let home = home_of(chair.who);
                        let back = self.promises.places(chair.who, now).contains(home)
                            || self.promises.places(chair.who, now).iter().any(|at| !self.is_quiet(home, at));
                        chair.is_at_home() && nobody && back
                    }
                    _ => false,
                }
            }
            Wish::Set { .. } => {
                let Some(user) = self.promises.user_at(chair) else { return true };
                let home = home_of(user);
                // A parked phone may not, and a lease may have run out.
                let is_here = self.promises.places(user, now) == BTreeSet::from([site]);
                let apart = home != site && self.in_touch_for(site, home) <= SETTLED;
                let at = reason.strip_prefix("logged in at ").filter(|_| home == site);
                let still = at.is_some_and(|at| self.promises.may_be_believed_at(user, at, now, LEASE + SETTLED));
                let late = reason.starts_with("a later change") && self.set.contains(site);
                !is_here || apart || late || still
            }
        }
    }

    // ------------------------------------------------------------------------------------------------------------ the operator

    /// The operator's word is done when it is stored.
    pub(super) fn dismiss(&mut self, site: Site, who: Who) -> Verdict {
        if !self.setup.sites().contains(&site) || !self.setup.sites().contains(&home_of(who)) || !self.world.is_up(site)
        {
            return Ok(());
        }
        let record = self.world.location(site).record(who);
        let is_away = match record.as_deref() {
            Some(Record::Resident(resident)) => {
                let is_here = !(resident.bindings.is_empty() && resident.seats.is_empty());
                resident.away.as_ref().map(|_| true).or(is_here.then_some(false))
            }
            Some(Record::Visitor(_)) => Some(false),
            None => None,
        };
        self.world.command(site, Command::LogOut(Extension::new(who)));
        is_away.into_iter().for_each(|is_away| self.promises.dismissed(who, site, is_away));
        self.stir(&BTreeSet::from([who]));
        self.pass(self.setup.store + Duration::from_millis(1))
    }
}

fn digits(wish: Wish, chair: Chair) -> String {
    match wish {
        Wish::LogIn { who, right } => {
            let pin = if right { pin_of(who) } else { "9999".to_owned() };
            // The phone's own user need not say who it is.
            let user = if who == chair.who { String::new() } else { format!("{who}*") };
            format!("*35*{user}{pin}%23")
        }
        Wish::LogOut => "*36".to_owned(),
        Wish::Set { choice: Choice::DoNotDisturb, on } => if on { "*08" } else { "*09" }.to_owned(),
        Wish::Set { choice: Choice::Follow, on } => {
            let number = if on { FOLLOWED.who } else { "" };
            format!("*14*{number}%23")
        }
    }
}
