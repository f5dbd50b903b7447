//! Who sits at whose phone, as far as people were told (SPEC 10.2): a phone rings for the user who has logged in there by dialling, and
//! is its own user's again after that one's logout, or when its binding ends.

use std::collections::BTreeSet;
use std::time::Duration;

use super::choices::Choices;
use super::deed::{Chair, Site, Who, home_of, is_desk};
use super::promises::Promises;

impl Promises {
    /// What the user has set.
    pub fn choices(&self, who: Who) -> &Choices {
        &self.people[who].choices
    }

    /// Whose calls the phone makes, and whose calls ring there; `None`: that can't be said, or nobody's.
    pub fn user_at(&self, chair: Chair) -> Option<Who> {
        let sitters = &self.desks[&chair].sitters;
        let sitter = *sitters.first().filter(|_| sitters.len() == 1)?;
        sitter.or(Some(chair.who)).filter(|who| !is_desk(who))
    }

    /// Everybody whose calls the phone may make.
    pub fn users_at(&self, chair: Chair) -> BTreeSet<Who> {
        self.desks[&chair]
            .sitters
            .iter()
            .map(|sitter| sitter.unwrap_or(chair.who))
            .filter(|who| !is_desk(who))
            .collect()
    }

    /// Everybody but its own user who may sit at the phone.
    pub fn sitters(&self, chair: Chair) -> impl Iterator<Item = Who> {
        self.desks[&chair].sitters.iter().copied().flatten()
    }

    /// Whether nobody else sits there, or may.
    pub fn is_free(&self, chair: Chair) -> bool {
        self.desks[&chair].sitters == BTreeSet::from([None])
    }

    /// Whether calls to the user may ring there.
    pub fn may_ring(&self, who: Who, chair: Chair, now: Duration) -> bool {
        self.may(chair, now) && self.users_at(chair).contains(who)
    }

    /// The phones at a site that must ring for the user, and those that may.
    pub fn rings(&self, who: Who, site: Site, now: Duration) -> (BTreeSet<Chair>, BTreeSet<Chair>) {
        let here = || self.desks.keys().copied().filter(move |chair| chair.site == site);
        let must = here().filter(|chair| self.must(*chair, now) && self.user_at(*chair) == Some(who));
        (must.collect(), here().filter(|chair| self.may_ring(who, *chair, now)).collect())
    }

    /// The phones of others at a site at which the user must sit, and those at which the user may.
    pub fn seats(&self, who: Who, site: Site, now: Duration) -> (BTreeSet<Chair>, BTreeSet<Chair>) {
        let (must, may) = self.rings(who, site, now);
        let others = |chairs: BTreeSet<Chair>| chairs.into_iter().filter(|chair| chair.who != who).collect();
        (others(must), others(may))
    }

    /// Whether something keeps the user at a site for sure: a phone of the user's own, whoever sits there, or somebody else's.
    pub(super) fn lasts(&self, who: Who, site: Site, now: Duration) -> bool {
        self.of(who, site).any(|chair| self.must(chair, now)) || !self.seats(who, site, now).0.is_empty()
    }

    /// Whether something may keep the user there.
    pub(super) fn may_last(&self, who: Who, site: Site, now: Duration) -> bool {
        self.of(who, site).any(|chair| self.may(chair, now)) || !self.seats(who, site, now).1.is_empty()
    }

    // ------------------------------------------------------------------------------------------------------------- what happens

    /// A user has logged in by dialling.
    pub fn sat_down(&mut self, who: Who, chair: Chair) {
        self.moved(who, chair.site);
        self.desk(chair).sitters = BTreeSet::from([Some(who).filter(|_| chair.who != who)]);
    }

    /// A user may have logged in by dialling, or not: nobody was told.
    pub fn may_have_sat_down(&mut self, who: Who, chair: Chair) {
        self.unsettle(who, Some(chair.site));
        self.desk(chair).sitters.insert(Some(who).filter(|_| chair.who != who));
    }

    /// Whoever was at a phone has logged out by dialling. `known`: the site knows all of its visitors.
    pub fn stood_up(&mut self, chair: Chair, known: bool) {
        let own = self.desks[&chair].sitters.contains(&None) || !known;
        let free = self.is_free(chair);
        match own {
            false => {}
            true if free && known => self.own_user_left(chair),
            true => {
                self.unsettle(chair.who, None);
                self.desk(chair).held.iter_mut().for_each(|held| held.sure &= chair.is_at_home());
            }
        }
        let sitters = &mut self.desk(chair).sitters;
        sitters.retain(|sitter| sitter.is_none() || !known);
        sitters.insert(None);
    }

    /// At home a parked phone brings its user home, elsewhere a phone loses its user.
    fn own_user_left(&mut self, chair: Chair) {
        match chair.is_at_home() {
            true => self.moved(chair.who, chair.site),
            false => self.left(chair),
        }
    }

    /// Whoever was at a phone may have logged out by dialling.
    pub fn may_have_stood_up(&mut self, chair: Chair) {
        if self.desks[&chair].sitters.contains(&None) {
            self.unsettle(chair.who, None);
        }
        let desk = self.desk(chair);
        desk.sitters.insert(None);
        desk.held.iter_mut().for_each(|held| held.sure &= chair.is_at_home());
    }

    /// An operator has logged a user out at a site which believes that the user is logged in there, or, at home, elsewhere (`is_away`).
    pub fn dismissed(&mut self, who: Who, site: Site, is_away: bool) {
        let home = home_of(who);
        self.person(who).dismissed = true;
        if !is_away {
            self.of(who, site).collect::<Vec<_>>().into_iter().for_each(|chair| self.left(chair));
            self.leaves_seats(who, site);
        }
        let stays = self.people[who].place.iter().any(|place| ![site, home].contains(place));
        match site == home || !stays {
            true => self.moved(who, home),
            // It may be a stay of before that was ended there.
            false => self.unsettle(who, None),
        }
    }

    /// The user sits nowhere at that site any more.
    fn leaves_seats(&mut self, who: Who, site: Site) {
        for (_, desk) in self.desks.iter_mut().filter(|(chair, _)| chair.site == site) {
            if desk.sitters.remove(&Some(who)) {
                desk.sitters.insert(None);
            }
        }
    }

    /// A login somewhere else: home forgets at once at which phones there the user sat.
    pub(super) fn leaves_seats_at_home(&mut self, who: Who, site: Site) {
        let home = home_of(who);
        if site != home && !self.people[who].numbers_lost {
            self.leaves_seats(who, home);
        }
    }

    /// The user may sit no more at any phone of such sites.
    pub(super) fn doubt_seats(&mut self, who: Who, site: impl Fn(Site) -> bool) {
        for (_, desk) in self.desks.iter_mut().filter(|(chair, _)| site(chair.site)) {
            if desk.sitters.contains(&Some(who)) {
                desk.sitters.insert(None);
            }
        }
    }

    /// All sites have been in touch for so long that none believes what another knows better: where a user is not, no phone is bound to
    /// that user, and that user sits at none.
    pub fn settled(&mut self) {
        let places: Vec<(Who, BTreeSet<Site>)> =
            self.people.iter().map(|(who, person)| (*who, person.place.clone())).collect();
        for (who, place) in places {
            for (chair, desk) in &mut self.desks {
                if place.contains(chair.site) {
                    continue;
                }
                if desk.sitters.remove(&Some(who)) {
                    desk.sitters.insert(None);
                }
                if chair.who == who && !chair.is_at_home() {
                    (desk.held, desk.sitters) = (None, BTreeSet::from([None]));
                }
            }
        }
    }
}
