//! How a call is to be made, as the short code says that led it here (SPEC 6.3): ring pattern, priority, name, longest time.

use crate::plan::Modifiers;
use crate::sip::{Edit, Name};

/// What is said of a call that was dialled with a short code; nothing, for most.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manner {
    /// `r(x)`: 1 to 8.
    ring: Option<u8>,
    /// `p(x)`: 1 low to 5 high.
    priority: Option<u8>,
    /// `Z"…"`.
    pub name: Option<String>,
    /// `t(x)`: minutes from the answer.
    pub minutes: Option<u16>,
}

impl Manner {
    /// What a template said; `None` where it said nothing of this.
    pub fn of(modifiers: &Modifiers) -> Option<Self> {
        let Modifiers { ring, priority, name, minutes, host: _, calling: _, show: _ } = modifiers;
        let manner = Self { ring: *ring, priority: *priority, name: name.clone(), minutes: *minutes };
        (manner != Self::default()).then_some(manner)
    }

    /// Writes it into a request.
    pub(super) fn write(&self, edit: &mut Edit<'_>) {
        if let Some(ring) = self.ring {
            // What phones look for is this word, in the URI or in `info`; the URI is there for the grammar (RFC 3261 §20.4).
            edit.remove(&Name::AlertInfo);
            edit.append(&Name::AlertInfo, format!("<http://127.0.0.1/Bellcore-dr{ring}>;info=Bellcore-dr{ring}"));
        }
        if let Some(priority) = self.priority {
            // RFC 3261 §20.26
            let word = match priority {
                ..=2 => "non-urgent",
                3 => "normal",
                4.. => "urgent",
            };
            edit.remove(&Name::Priority);
            edit.append(&Name::Priority, word);
        }
    }
}
