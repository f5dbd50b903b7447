//! What a site knows of one user: its own (a resident), or one who is logged in here from elsewhere (a visitor).

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::binding::Binding;
use super::device::Device;
use super::displaced::{DisplacedDevice, Forced};
use super::seats::Seat;
use crate::ids::{LoginId, LoginNumber, SiteName};
use crate::settings::{Changes, Profile, User};
use crate::timing::Wall;

/// One AOR of a site.
#[derive(Clone, Debug)]
pub enum Record {
    /// A user whose home this is.
    Resident(Resident),
    /// A user of another site, logged in here.
    Visitor(Visitor),
}

/// A user at the home site, which alone knows where its users are (SPEC 8.7).
#[derive(Clone, Debug, Default)]
pub struct Resident {
    /// The bindings here; parked while `away` is there.
    pub bindings: Vec<Binding>,
    /// Where the user is logged in instead.
    pub away: Option<Away>,
    /// The number of the newest login, here or elsewhere.
    pub login: LoginNumber,
    /// Counts if it is higher: a number that was given before `login` became the newest again. A site may know it all the same, so the
    /// next one is above it.
    pub given: LoginNumber,
    /// Phones that lost the user to the present login; at most [`Resident::DISPLACED`], oldest first.
    pub displaced: Vec<DisplacedDevice>,
    /// Parked phones that un-registered, as long as the login elsewhere lasts; at most [`Resident::TOMBSTONES`].
    pub tombstones: Vec<Device>,
    /// What the user has changed by dialling (SPEC 7.4); it outlasts every login.
    pub changes: Option<Arc<Changes>>,
    /// Phones of others here at which the user sits (SPEC 10.2); none while the user is elsewhere.
    pub seats: Vec<Seat>,
    /// When a user who sits at one last did something: sat down there, or ended a call that was answered (SPEC 12.5).
    pub active: Option<Activity>,
}

/// When a user did something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Activity {
    /// For timers.
    pub at: Instant,
    /// As a date, for what is written down.
    pub wall: Wall,
}

/// A login at another site, as home believes in it.
#[derive(Clone, Debug)]
pub struct Away {
    /// The visited site.
    pub site: SiteName,
    /// The visited site's name for this login.
    pub id: LoginId,
    /// When it began.
    pub since: Wall,
    /// How long home believes in it without hearing from the site.
    pub lease: Duration,
    /// When the lease runs out.
    pub until: Instant,
    /// The phones there.
    pub devices: Vec<Device>,
    /// When the site has last asked for a change of settings, by its clock: what it asked long before comes too late.
    pub asked: Wall,
    /// The newest logins, oldest first, as far as they joined a stay there and the site has not renewed under them yet.
    pub joined: Vec<Joined>,
}

/// A login at a site where the user is logged in already: what is true again if that site undoes it (SPEC 5.2, 10.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    /// The visited site's name for it.
    pub id: LoginId,
    /// The phone that logged in.
    pub device: Device,
    /// The phone was not there before.
    pub is_new: bool,
    /// The phone had been kept out until then.
    pub was_out: bool,
    /// The login before it.
    pub before: Earlier,
}

/// A login that another one has joined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Earlier {
    /// The visited site's name for it.
    pub id: LoginId,
    /// Its number.
    pub login: LoginNumber,
    /// When it began.
    pub since: Wall,
}

/// A user of another site, here.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// Where the user is configured.
    pub home: SiteName,
    /// The home site's number of this login.
    pub login: LoginNumber,
    /// Our name for this login.
    pub id: LoginId,
    /// When it began.
    pub since: Wall,
    /// When the user last did something here: logged in, or ended a call that was answered (SPEC 12.5).
    pub active_at: Instant,
    /// The same as a date, for what is written down.
    pub active_wall: Wall,
    /// The phones here.
    pub bindings: Vec<Binding>,
    /// What travels with the user (SPEC 7.1), with the HA1 values to check its digests.
    pub guest: Arc<Guest>,
    /// How long home believes in this login without hearing from us.
    pub lease: Duration,
    /// When to renew it next; at most half a lease after the last answer.
    pub renew_at: Instant,
    /// Phones of the user that home told us of as displaced, and those that had to go here for one device too many; at most
    /// [`Resident::DISPLACED`], oldest first.
    pub displaced: Vec<DisplacedDevice>,
    /// Phones of others here at which the user sits (SPEC 10.2).
    pub seats: Vec<Seat>,
    /// The visit is over and home has not heard of it: so the store keeps it until home has (SPEC 5.7), and nobody else does.
    pub ended: Option<Ending>,
}

/// How a visit ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The last phone left, or ran out.
    Left,
    /// A person ended it by dialling at the visitor's own phone, which is kept out (SPEC 10.1).
    ByHand,
    /// Neither the user nor another login ended it: its phones are kept out (SPEC 12.5).
    Forced(Forced),
}

impl Ending {
    /// Whether the phones of that login are kept out.
    pub fn keeps_out(self) -> bool {
        match self {
            Ending::Left => false,
            Ending::ByHand | Ending::Forced(_) => true,
        }
    }
}

/// What travels with a user to the visited site.
#[derive(Clone, Debug)]
pub struct Guest {
    /// Name, numbers, codes, rights' names, forwards; `credentials` hold HA1 values only.
    pub user: User,
    /// What the profile that is in force here allows.
    pub allows: Profile,
    /// The home site's version of these settings.
    pub version: u64,
}

impl Resident {
    /// Most displaced phones remembered per user.
    pub const DISPLACED: usize = 16;
    /// Most tombstones kept per user.
    pub const TOMBSTONES: usize = 8;
}

impl Record {
    /// The bindings here, parked ones too.
    pub fn bindings(&self) -> &[Binding] {
        match self {
            Record::Resident(resident) => &resident.bindings,
            Record::Visitor(visitor) => &visitor.bindings,
        }
    }

    /// Phones that have lost the user, as far as this site knows.
    pub fn displaced(&self) -> &[DisplacedDevice] {
        match self {
            Record::Resident(resident) => &resident.displaced,
            Record::Visitor(visitor) => &visitor.displaced,
        }
    }

    /// Its bindings, to be changed.
    pub fn bindings_mut(&mut self) -> &mut Vec<Binding> {
        match self {
            Record::Resident(resident) => &mut resident.bindings,
            Record::Visitor(visitor) => &mut visitor.bindings,
        }
    }

    /// The phones of others here at which the user sits.
    pub fn seats(&self) -> &[Seat] {
        match self {
            Record::Resident(resident) => &resident.seats,
            Record::Visitor(visitor) => &visitor.seats,
        }
    }

    /// The earliest moment at which something about this record runs out or falls due.
    pub fn next_alarm(&self) -> Option<Instant> {
        let other = match self {
            Record::Resident(resident) => resident.away.as_ref().map(|away| away.until),
            Record::Visitor(visitor) => Some(visitor.renew_at),
        };
        self.first_end().into_iter().chain(other).min()
    }

    /// When the first of its bindings runs out.
    pub fn first_end(&self) -> Option<Instant> {
        self.bindings().iter().map(|binding| binding.expires_at).min()
    }

    /// The resident, if it is one.
    pub fn resident(&self) -> Option<&Resident> {
        match self {
            Record::Resident(resident) => Some(resident),
            Record::Visitor(_) => None,
        }
    }

    /// The visitor, if it is one.
    pub fn visitor(&self) -> Option<&Visitor> {
        match self {
            Record::Resident(_) => None,
            Record::Visitor(visitor) => Some(visitor),
        }
    }
}
