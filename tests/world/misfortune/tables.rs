//! What the sites' tables say in the end, compared with what was promised.

use std::collections::{BTreeMap, BTreeSet};

use hotdesk::location::Record;

use super::deed::{Chair, Site, Who, home_of};
use super::history::{History, Verdict};

/// Where the tables say that a user is.
pub struct Whereabouts {
    pub(super) place: Site,
    /// The user's own phones there and at home.
    pub(super) bound: BTreeSet<Chair>,
    /// The phones of others.
    pub(super) seats: BTreeSet<Chair>,
}

impl History {
    /// At most one site believes that it hosts a user, it is the right one, and it knows every phone that it has confirmed.
    pub(super) fn compare(&self) -> Verdict {
        let now = self.world.now();
        for who in self.everybody() {
            let Whereabouts { place, bound, seats } = self.where_is(who)?;
            let places = self.promises.places(who, now);
            if !places.contains(place) {
                return Err(format!("{who} is at {place}, not at {places:?}"));
            }
            let home = home_of(who);
            let at: BTreeSet<Site> = [place, home].into();
            for site in at {
                let (must, may) = self.promises.phones(who, site, now);
                let found: BTreeSet<Chair> = bound.iter().copied().filter(|chair| chair.site == site).collect();
                let lost: Vec<String> = must.difference(&found).map(Chair::to_string).collect();
                let risen: Vec<String> = found.difference(&may).map(Chair::to_string).collect();
                if !lost.is_empty() || !risen.is_empty() {
                    return Err(format!("bindings of {who} at {site}: lost {lost:?}, risen {risen:?}"));
                }
            }
            let (must, may) = self.promises.seats(who, place, now);
            if !must.is_subset(&seats) || !seats.is_subset(&may) {
                return Err(format!("{who} sits at {seats:?}, and must at {must:?} of {may:?}"));
            }
        }
        self.compare_licences()
    }

    /// Where the tables say that a user is, and which phones they know there and at home.
    pub(super) fn where_is(&self, who: Who) -> Result<Whereabouts, String> {
        let home = home_of(who);
        let contacts: BTreeMap<String, Chair> =
            self.seats.iter().map(|(chair, seat)| (self.world.look(*seat).contact_uri(), *chair)).collect();
        let (mut away, mut hosts, mut bound, mut seats) = (None, Vec::new(), BTreeSet::new(), BTreeSet::new());
        for &site in self.setup.sites() {
            let Some(record) = self.world.location(site).record(who) else { continue };
            match &*record {
                Record::Resident(resident) => away = resident.away.as_ref().map(|away| away.site.to_string()),
                Record::Visitor(_) => hosts.push(site),
            }
            let uris =
                record.bindings().iter().map(|binding| String::from_utf8_lossy(binding.uri.as_bytes()).into_owned());
            bound.extend(uris.map(|uri| contacts[&uri]));
            for seat in record.seats() {
                let account = self.world.location(site).record(seat.phone.as_str());
                let bindings = account.as_deref().map_or(&[][..], Record::bindings);
                let Some(binding) = bindings.iter().find(|binding| binding.device.is(&seat.device)) else {
                    return Err(format!("{who} sits at {}'s phone at {site}, which is not there", seat.phone));
                };
                let chair = contacts[&*String::from_utf8_lossy(binding.uri.as_bytes())];
                match self.world.location(site).sitter(chair.who, &seat.device) {
                    Some(sitter) if sitter.as_str() == who => seats.insert(chair),
                    sitter => return Err(format!("{who} sits at {chair}, where {sitter:?} is")),
                };
            }
        }
        let at = |place| Ok(Whereabouts { place, bound, seats });
        match (hosts.as_slice(), away) {
            ([], None) => at(home),
            ([host], Some(away)) if away == *host => at(host),
            (hosts, away) => Err(format!("home believes {who} to be at {away:?}, and {hosts:?} have it as a visitor")),
        }
    }

    pub(super) fn compare_licences(&self) -> Verdict {
        for &site in self.setup.sites() {
            let visitors = self.everybody().into_iter().filter(|who| home_of(who) != site);
            let visitors = visitors.filter(|who| self.world.location(site).record(who).is_some()).count();
            let used = self.world.node(site).overview().licences_used("office");
            if used != visitors {
                return Err(format!("{site} has {visitors} visitors and {used} licences in use"));
            }
        }
        Ok(())
    }
}
