//! What lint says: what, where, why it matters, how to mend it.

use std::fmt;

use crate::settings::Origin;

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The row's file and line.
    pub origin: Origin,
    /// What kind.
    pub kind: Kind,
    /// What was found, with a string that shows it.
    pub what: String,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal,)*) => {
        /// The kinds, in the order in which they matter.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind { $($(#[$doc])* $kind,)* }

        impl Kind {
            /// All of them.
            pub const ALL: &'static [Kind] = &[$(Kind::$kind,)*];

            /// As printed.
            pub fn name(self) -> &'static str {
                match self { $(Self::$kind => $name,)* }
            }
        }
    };
}

kinds! {
    /// An emergency number behind a Break Out prefix that somebody cannot call.
    EmergencyNotReached = "emergency-not-reached",
    /// A row of the plan that would hide an emergency number, if these did not come first.
    HidesEmergency = "hides-emergency",
    /// An extension that is an emergency number.
    ExtensionIsEmergency = "extension-is-emergency",
    /// A code that calls for help whatever it matches.
    AlwaysEmergency = "always-emergency",
    /// Nobody can call for help without a password.
    NobodyUnknown = "nobody-unknown",
    /// A code that no string reaches.
    NeverWins = "never-wins",
    /// A row of a form that no number reaches.
    NeverArrives = "never-arrives",
    /// Extensions hide a code, or a part of what it matches.
    HiddenByExtension = "hidden-by-extension",
    /// A `Dial` code of which no number reaches a trunk.
    NoTrunk = "no-trunk",
    /// A code or rule that calls an extension, and nobody has any of its numbers.
    NoExtension = "no-extension",
    /// A `BreakOut` code whose numbers name no site.
    NoSite = "no-site",
    /// Break Outs that lead to each other without end.
    BreakOutLoop = "break-out-loop",
    /// A form that nothing leads to.
    UnusedForm = "unused-form",
    /// An alternate form that helps no number of its form.
    UselessAlternate = "useless-alternate",
    /// Rights that a user brings to a site that lacks them.
    LacksRights = "lacks-rights",
    /// A time profile that a user brings to a site that lacks it.
    LacksTimeProfile = "lacks-time-profile",
    /// A user for whom no other site has a licence.
    NoLicence = "no-licence",
    /// What could not be decided.
    Undecided = "undecided",
}

impl Kind {
    /// Why it matters, and how to mend it.
    pub fn advice(self) -> (&'static str, &'static str) {
        match self {
            Self::EmergencyNotReached => (
                "whoever dials it in need does not reach help",
                "let the code that decides leave these digits alone, or take the rights away",
            ),
            Self::HidesEmergency => (
                "emergency numbers come before everything, so the code does not do there what it says",
                "change the code so that it does not match the emergency number",
            ),
            Self::ExtensionIsEmergency => {
                ("the extension can never be called by dialling it", "give the extension another number")
            }
            Self::AlwaysEmergency => (
                "whoever dials anything of this kind calls emergency services",
                "let the number be the emergency number only where it was dialled",
            ),
            Self::NobodyUnknown => (
                "a phone whose password is wrong, or that was never set up, cannot call for help",
                "name the networks of the offices in `[emergency] anyone_from`",
            ),
            Self::NeverWins => {
                ("the row does nothing", "take it out, or make it fit better than those that win instead")
            }
            Self::NeverArrives => ("the row does nothing", "take it out, or mend the code that leads to the form"),
            Self::HiddenByExtension => (
                "an extension comes before every code: these digits ring somebody",
                "change the code, or the number of the extension",
            ),
            Self::NoTrunk => {
                ("whoever dials it gets 404", "give the form a code for these numbers, or name another line group")
            }
            Self::NoExtension => ("the call gets 404", "mend the number, or add the user"),
            Self::NoSite => {
                ("whoever dials it gets 404", "name the `site`, or let the number begin with a site's number and *")
            }
            Self::BreakOutLoop => {
                ("the call goes round until it is refused with 482", "let one of the sites dial these digits itself")
            }
            Self::UnusedForm => ("its codes do nothing", "name it as a line group or in another form, or take it out"),
            Self::UselessAlternate => {
                ("when every line is busy there is no other", "give the alternate codes for the numbers of the form")
            }
            Self::LacksRights => {
                ("the user is not barred there from what is barred at home", "give that site rights of this name")
            }
            Self::LacksTimeProfile => {
                ("neither the rights nor those out of hours apply there", "give that site a time profile of this name")
            }
            Self::NoLicence => ("the user can log in only at home", "raise a number in `[licences]` somewhere"),
            Self::Undecided => {
                ("this part of the plan was not proven, neither good nor bad", "try it with `hotdesk dial`")
            }
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (why, mend) = self.kind.advice();
        writeln!(f, "{}: {}: {}", self.origin, self.kind.name(), self.what)?;
        writeln!(f, "    why it matters: {why}")?;
        write!(f, "    to mend it: {mend}")
    }
}
