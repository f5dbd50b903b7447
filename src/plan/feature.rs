//! What a short code does (SPEC 6.5), and which fields of its row each feature reads.

use std::fmt;

use serde::Serialize;

/// What a row's field is to a feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    /// The row must have it.
    Required,
    /// It may be left out.
    Optional,
    /// Having it is an error.
    Unused,
}

/// The fields of one feature.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields {
    pub(super) number: Need,
    pub(super) line_group: Need,
}

const NUMBER_TO_GROUP: Fields = Fields { number: Need::Required, line_group: Need::Required };
const NUMBER: Fields = Fields { number: Need::Required, line_group: Need::Unused };
const NUMBER_OR_NOT: Fields = Fields { number: Need::Optional, line_group: Need::Unused };
const NOTHING: Fields = Fields { number: Need::Unused, line_group: Need::Unused };

macro_rules! features {
    ($($(#[$doc:meta])* $name:ident $fields:ident,)*) => {
        /// A feature of SPEC 6.5.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        pub enum Feature { $($(#[$doc])* $name,)* }

        impl Feature {
            /// All of them, in the order of SPEC 6.5.
            pub const ALL: &'static [Feature] = &[$(Feature::$name,)*];

            /// As written in a row.
            pub fn name(self) -> &'static str {
                match self { $(Feature::$name => stringify!($name),)* }
            }

            pub(super) fn fields(self) -> Fields {
                match self { $(Feature::$name => $fields,)* }
            }
        }
    };
}

features! {
    /// Sends the number to a trunk group or an ARS form.
    Dial NUMBER_TO_GROUP,
    /// Calls an extension.
    DialExtn NUMBER,
    /// Calls for help; nothing stands before it (SPEC 6.7).
    DialEmergency NUMBER_TO_GROUP,
    /// Dials the number at another site (SPEC 6.8).
    BreakOut NUMBER_OR_NOT,
    /// 486.
    Busy NOTHING,
    /// 403; in ARS it ends the search.
    Barred NOTHING,
    /// Logs a user in at this phone: `extension*code`, or the code of the phone's own user.
    ExtnLogin NUMBER,
    /// Logs the user out of this phone.
    ExtnLogout NOTHING,
    /// `old*new`.
    ChangeLoginCode NUMBER,
    /// Calls get 486.
    DoNotDisturbOn NOTHING,
    /// Calls ring again.
    DoNotDisturbOff NOTHING,
    /// Forwards every call.
    ForwardUnconditionalOn NOTHING,
    /// No longer.
    ForwardUnconditionalOff NOTHING,
    /// Forwards calls while busy.
    ForwardOnBusyOn NOTHING,
    /// No longer.
    ForwardOnBusyOff NOTHING,
    /// Forwards calls that are not answered.
    ForwardOnNoAnswerOn NOTHING,
    /// No longer.
    ForwardOnNoAnswerOff NOTHING,
    /// Where unconditional forwards go.
    ForwardNumber NUMBER,
    /// Where calls go on busy and no answer.
    ForwardOnBusyNumber NUMBER,
    /// Ends every forward.
    CancelAllForwarding NOTHING,
    /// The caller's calls ring at that extension.
    FollowMeTo NUMBER,
    /// The caller locks external calls.
    OutgoingCallBarOn NOTHING,
    /// Unlocks them with the login code.
    OutgoingCallBarOff NUMBER,
    /// Rings the desk of that extension, whoever sits there.
    DialPhysicalExtn NUMBER,
}

impl Feature {
    /// The feature of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|feature| feature.name() == name)
    }

    /// The name that `name` may have been meant to be.
    pub(super) fn nearest(name: &str) -> Option<&'static str> {
        nearest(name, Self::ALL.iter().map(|feature| feature.name()))
    }

    /// An ARS form has only these.
    pub(super) fn belongs_in_form(self) -> bool {
        matches!(self, Self::Dial | Self::DialEmergency | Self::Busy | Self::Barred)
    }

    /// Its argument holds a PIN (SPEC 10.5).
    pub fn takes_pin(self) -> bool {
        matches!(self, Self::ExtnLogin | Self::ChangeLoginCode | Self::OutgoingCallBarOff)
    }

    /// What of its argument may be shown: never a PIN.
    pub(super) fn shown(self, argument: &str) -> &str {
        match self {
            Self::ExtnLogin | Self::OutgoingCallBarOff => {
                argument.split_once('*').map_or("", |(extension, _)| extension)
            }
            Self::ChangeLoginCode => "",
            _ => argument,
        }
    }

    /// What was dialled, without the PIN of the argument that it made (SPEC 10.5).
    pub fn masked(self, dialled: &str, argument: &str) -> String {
        if !self.takes_pin() {
            return dialled.to_owned();
        }
        let secret = argument.get(self.shown(argument).len()..).unwrap_or(argument);
        match dialled.rsplit_once(secret).filter(|_| !secret.is_empty()) {
            Some((before, after)) => format!("{before}{}…{after}", if secret.starts_with('*') { "*" } else { "" }),
            None => "…".to_owned(),
        }
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The candidate that differs least from `name`, if it is near enough to have been meant.
pub(super) fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let folded = name.to_ascii_lowercase();
    candidates
        .map(|candidate| (strsim::damerau_levenshtein(&folded, &candidate.to_ascii_lowercase()), candidate))
        .min()
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len() / 3)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_offered_and_a_far_one_is_not() {
        assert_eq!(Feature::nearest("Dail"), Some("Dial"));
        assert_eq!(Feature::nearest("breakout"), Some("BreakOut"));
        assert_eq!(Feature::nearest("VoicemailCollect"), None);
    }

    #[test]
    fn a_pin_is_never_shown() {
        assert_eq!(Feature::ExtnLogin.shown("204*1234"), "204");
        assert_eq!(Feature::ExtnLogin.shown("1234"), "");
        assert_eq!(Feature::ChangeLoginCode.shown("1234*5678"), "");
        assert_eq!(Feature::ForwardNumber.shown("201"), "201");
    }

    #[test]
    fn what_was_dialled_is_masked_where_the_pin_stands() {
        assert_eq!(Feature::ExtnLogin.masked("*35*204*1234#", "204*1234"), "*35*204*…#");
        assert_eq!(Feature::ExtnLogin.masked("*35*1234#", "1234"), "*35*…#");
        assert_eq!(Feature::ChangeLoginCode.masked("*341234*5678", "1234*5678"), "*34…");
        assert_eq!(Feature::OutgoingCallBarOff.masked("*11 99", "1234"), "…");
        assert_eq!(Feature::ExtnLogin.masked("*35", ""), "…");
        assert_eq!(Feature::ForwardNumber.masked("*07*201#", "201"), "*07*201#");
    }
}
