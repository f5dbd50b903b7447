//! What happens in a history, and the histories that chance makes.

use std::fmt;
use std::time::Duration;

use hotdesk::ids::Entropy;

/// A site by its name.
pub type Site = &'static str;
/// A user by the number.
pub type Who = &'static str;

/// The sites of the largest network; a smaller one has the first of them.
pub const SITES: [Site; 5] = ["london", "paris", "berlin", "lisbon", "oslo"];
/// Who moves about; a site's own receptionist does not.
pub const MOVERS: [Who; 3] = ["201", "202", "301"];
/// Who sits at each site and never leaves.
pub const RECEPTION: [Who; 5] = ["209", "309", "409", "509", "609"];
/// A desk of nobody's at each site.
pub const DESKS: [Who; 5] = ["desk-2", "desk-3", "desk-4", "desk-5", "desk-6"];

/// The site where a user or desk is configured.
pub fn home_of(who: Who) -> Site {
    let number = who.strip_prefix("desk-").unwrap_or(who);
    SITES[usize::from(number.as_bytes()[0] - b'2')]
}

/// Whether it is a desk that has no user.
pub fn is_desk(who: Who) -> bool {
    who.starts_with("desk-")
}

/// What a user dials to log in.
pub fn pin_of(who: Who) -> String {
    format!("1{who}")
}

/// One phone: whose account it has, where it stands, which of several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Chair {
    pub who: Who,
    pub site: Site,
    pub nth: u8,
}

impl Chair {
    /// The receptionist's phone of a site.
    pub fn reception(site: usize) -> Self {
        Self { who: RECEPTION[site], site: SITES[site], nth: 0 }
    }

    /// The desk of nobody's of a site.
    pub fn desk(site: usize) -> Self {
        Self { who: DESKS[site], site: SITES[site], nth: 0 }
    }

    pub fn is_at_home(self) -> bool {
        home_of(self.who) == self.site
    }
}

impl fmt::Display for Chair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}{}", self.who, self.site, "'".repeat(self.nth.into()))
    }
}

/// What a user sets for oneself by dialling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Choice {
    /// Calls get busy.
    DoNotDisturb,
    /// Calls ring at the reception at home.
    Follow,
}

impl Choice {
    pub const ALL: [Self; 2] = [Self::DoNotDisturb, Self::Follow];
}

/// One thing that happens. What can't happen (the end of a process that has ended) does nothing.
#[derive(Clone, Copy, Debug)]
pub enum Deed {
    /// A REGISTER for so many seconds, as a person's new login or as before.
    Register { chair: Chair, expires: u32, anew: bool },
    /// A REGISTER that takes the binding out.
    Leave { chair: Chair },
    /// A user logs in by dialling, at a phone of somebody else's or the own one; `right`: the PIN is.
    LogIn { chair: Chair, who: Who, right: bool },
    /// Whoever is at a phone logs out by dialling.
    LogOut { chair: Chair },
    /// Whoever is at a phone sets something.
    Set { chair: Chair, choice: Choice, on: bool },
    /// The operator of a site logs a user out.
    Dismiss { site: Site, who: Who },
    /// A call from a phone to a user.
    Call { chair: Chair, to: Who },
    /// Nothing goes between two sites any more.
    Cut(Site, Site),
    /// Nothing goes from one to the other.
    CutOneWay(Site, Site),
    /// Nothing goes between a site and any other.
    Isolate(Site),
    /// Two sites meet again.
    Heal(Site, Site),
    /// A site meets all others again.
    Rejoin(Site),
    /// A process ends without a word.
    Kill(Site),
    /// It begins; `wiped`: with an empty disk.
    Start { site: Site, wiped: bool },
    /// The two at once.
    Restart { site: Site, wiped: bool },
    /// A site's clock is ahead by so many milliseconds from now on.
    Clock { site: Site, ahead: i64 },
}

impl fmt::Display for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let empty = |wiped: &bool| if *wiped { " with an empty disk" } else { "" };
        match self {
            Self::Register { chair, expires, anew } => {
                write!(f, "{chair} registers for {expires} s{}", if *anew { ", anew" } else { "" })
            }
            Self::Leave { chair } => write!(f, "{chair} un-registers"),
            Self::LogIn { chair, who, right } => {
                write!(f, "{who} logs in by dialling at {chair}{}", if *right { "" } else { " with a wrong PIN" })
            }
            Self::LogOut { chair } => write!(f, "{chair} logs out by dialling"),
            Self::Set { chair, choice, on } => {
                write!(f, "{chair} switches {choice:?} {}", if *on { "on" } else { "off" })
            }
            Self::Dismiss { site, who } => write!(f, "the operator of {site} logs {who} out"),
            Self::Call { chair, to } => write!(f, "{chair} dials {to}"),
            Self::Cut(a, b) => write!(f, "{a} and {b} are cut"),
            Self::CutOneWay(from, to) => write!(f, "nothing goes from {from} to {to}"),
            Self::Isolate(site) => write!(f, "{site} is cut off"),
            Self::Heal(a, b) => write!(f, "{a} and {b} meet again"),
            Self::Rejoin(site) => write!(f, "{site} meets all others again"),
            Self::Kill(site) => write!(f, "{site} dies"),
            Self::Start { site, wiped } => write!(f, "{site} starts{}", empty(wiped)),
            Self::Restart { site, wiped } => write!(f, "{site} restarts{}", empty(wiped)),
            Self::Clock { site, ahead } => write!(f, "the clock of {site} is ahead by {ahead} ms"),
        }
    }
}

/// A deed, and how long nothing else happens before it.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    pub pause: Duration,
    pub deed: Deed,
}

/// In what network it happens.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    pub seed: u64,
    pub sites: usize,
    pub shards: u8,
    /// `on_reconnect = "return-home"` everywhere.
    pub return_home: bool,
    pub survive_restart: bool,
    /// How long it takes to store anything; zero: no time.
    pub store: Duration,
    /// Licences for visitors at each site.
    pub places: u32,
    /// `[links] probe`: with the longer one nobody is believed to be down for being quiet.
    pub probe: Duration,
}

impl Setup {
    pub fn sites(&self) -> &'static [Site] {
        &SITES[..self.sites]
    }

    /// Every phone of the network: at each site the reception's and a desk of nobody's; two of each mover at home, one at every other
    /// site, and one more at one of them.
    pub fn chairs(&self) -> Vec<Chair> {
        let sites = self.sites();
        let reception = (0..self.sites).flat_map(|site| [Chair::reception(site), Chair::desk(site)]);
        let movers = MOVERS.iter().flat_map(|&who| {
            let second = |site: Site| home_of(who) == site || site == "berlin";
            let phones = move |site: Site| 0..if second(site) { 2 } else { 1 };
            sites.iter().flat_map(move |&site| phones(site).map(move |nth| Chair { who, site, nth }))
        });
        reception.chain(movers).collect()
    }
}

/// The history of a seed.
pub fn history(seed: u64, shards: u8) -> (Setup, Vec<Step>) {
    let mut hasher = blake3::Hasher::new_derive_key("hotdesk misfortunes");
    hasher.update(&seed.to_le_bytes());
    let mut chance = Entropy::new(*hasher.finalize().as_bytes());
    let setup = Setup {
        seed,
        sites: [3, 3, 3, 4, 5][chance.below(5) as usize],
        shards,
        return_home: chance.below(3) == 0,
        survive_restart: chance.below(3) == 0,
        places: [1, 1, 2][chance.below(3) as usize],
        store: Duration::from_millis([0, 0, 5, 80][chance.below(4) as usize]),
        probe: Duration::from_secs(if chance.below(10) == 0 { 5 } else { 60 }),
    };
    let chairs = setup.chairs();
    let number = 6 + chance.below(22);
    let steps = (0..number).map(|_| Step { pause: pause(&mut chance), deed: deed(&mut chance, &setup, &chairs) });
    (setup, steps.collect())
}

fn pause(chance: &mut Entropy) -> Duration {
    let most = [300, 300, 2_000, 2_000, 6_000, 30_000][chance.below(6) as usize];
    Duration::from_millis(chance.below(most))
}

fn deed(chance: &mut Entropy, setup: &Setup, chairs: &[Chair]) -> Deed {
    let mut one = |number: usize| chance.below(number as u64) as usize;
    let kind = one(100);
    let site = setup.sites()[one(setup.sites)];
    let others: Vec<Site> = setup.sites().iter().copied().filter(|other| *other != site).collect();
    let other = others[one(others.len())];
    let movers: Vec<Chair> = chairs.iter().copied().filter(|chair| MOVERS.contains(&chair.who)).collect();
    // Half of the time the first of them, so that a short history is about somebody.
    let who = MOVERS[[0, 0, 0, 1, 2][one(5)]];
    let own: Vec<Chair> = movers.iter().copied().filter(|chair| chair.who == who).collect();
    let chair = own[one(own.len())];
    let wiped = one(4) == 0;
    // Where somebody may sit down: often at a phone that is there for sure, and at few, so that people meet.
    let any = match one(4) {
        0 => Chair::desk(one(2)),
        1 => Chair::reception(one(2)),
        2 => movers[one(movers.len())],
        _ => chair,
    };
    match kind {
        0..26 => Deed::Register { chair, expires: [20, 90, 600, 600][one(4)], anew: one(3) == 0 },
        26..32 => Deed::Leave { chair },
        32..42 => Deed::LogIn { chair: any, who, right: one(7) != 0 },
        42..46 => Deed::LogOut { chair: any },
        46..52 => Deed::Set { chair: any, choice: Choice::ALL[one(2)], on: one(5) < 3 },
        52..54 => Deed::Dismiss { site: if one(2) == 0 { home_of(who) } else { site }, who },
        54..65 => {
            let chair = if one(3) == 0 { any } else { Chair::reception(one(setup.sites)) };
            let to = if one(4) == 0 { RECEPTION[one(setup.sites)] } else { who };
            Deed::Call { chair, to }
        }
        65..69 => Deed::Cut(site, other),
        69..73 => Deed::CutOneWay(site, other),
        73..76 => Deed::Isolate(site),
        76..81 => Deed::Heal(site, other),
        81..85 => Deed::Rejoin(site),
        85..88 => Deed::Kill(site),
        88..92 => Deed::Start { site, wiped },
        92..96 => Deed::Restart { site, wiped },
        _ => {
            Deed::Clock { site, ahead: [0, 0, 3_000, -3_000, -10_000, 70_000, -70_000, 3_600_000, -3_600_000][one(9)] }
        }
    }
}
