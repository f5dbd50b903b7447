//! Between the words of the links and those of the roles: neither knows the other.

use std::collections::BTreeSet;

use bytes::Bytes;

use crate::hot_desk;
use crate::link::messages::{self, LogoutRequest};
use crate::location::{Device, Forced};
use crate::settings;
use crate::timing::TimeOfDay;

/// A phone as another site names it.
pub(super) fn device(told: &messages::Device) -> Device {
    let bytes = |text: &str| Bytes::copy_from_slice(text.as_bytes());
    Device::new(told.instance.as_deref().map(bytes), bytes(&told.call_id), bytes(&told.contact), told.rotates)
}

/// A phone as it is named to another site.
pub(super) fn device_told(device: &Device) -> messages::Device {
    let text = |bytes: &Bytes| String::from_utf8_lossy(bytes).into_owned();
    messages::Device {
        instance: device.instance.as_ref().map(text),
        call_id: text(&device.call_id),
        contact: text(&device.host),
        rotates: device.rotates,
    }
}

/// On what terms another site takes a visitor.
pub(super) fn terms(told: &messages::Terms) -> hot_desk::Terms {
    let free = |licences: &std::collections::BTreeMap<String, u32>| -> BTreeSet<String> {
        licences.iter().filter(|(_, free)| **free > 0).map(|(profile, _)| profile.clone()).collect()
    };
    hot_desk::Terms {
        visitors: told.visitors,
        free: told.licences.as_ref().map(free),
        shortage: match told.shortage {
            messages::Shortage::Basic => settings::Shortage::Basic,
            messages::Shortage::Refuse => settings::Shortage::Refuse,
        },
    }
}

/// A logout that was forced, as it is told to home.
pub(super) fn forced(request: LogoutRequest, why: Forced) -> LogoutRequest {
    let (clock, idle) = match why {
        Forced::Operator => (None, false),
        Forced::Clock(at) => (Some(at.0), false),
        Forced::Idle => (None, true),
    };
    LogoutRequest { forced: true, clock, idle, ..request }
}

/// Who forced a logout, if anybody did.
pub(super) fn forced_by(told: &LogoutRequest) -> Option<Forced> {
    match (told.forced, told.clock, told.idle) {
        (false, _, _) => None,
        (true, Some(at), _) => Some(Forced::Clock(TimeOfDay(at % 1440))),
        (true, None, true) => Some(Forced::Idle),
        (true, None, false) => Some(Forced::Operator),
    }
}
