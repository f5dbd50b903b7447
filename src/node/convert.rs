//! Between the words of the links and those of the roles: neither knows the other.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;

use crate::hot_desk;
use crate::ids::SiteName;
use crate::link::messages::{self, KeptOut, LogoutRequest};
use crate::location::{Device, DisplacedDevice, Displacement, Forced, Loss, Resident, displacement};
use crate::settings;
use crate::timing::{TimeOfDay, Wall};

/// Of a login's answer, for the phones that are kept out.
const KEPT_OUT_BYTES: usize = 8_192;

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

/// Phones that a login at `site` leaves kept out, as that site is told: the newest, as far as they go into a datagram beside the rest.
pub(super) fn kept_out_told(displaced: &[DisplacedDevice], site: &SiteName, now: Wall) -> Vec<KeptOut> {
    let holds =
        |entry: &&DisplacedDevice| matches!(displacement(displaced, &entry.device, site, now), Displacement::Holds(_));
    let mut room = KEPT_OUT_BYTES;
    let mut fits = |told: &KeptOut| {
        let device = &told.device;
        let bytes = device.call_id.len() + device.contact.len() + device.instance.as_ref().map_or(0, String::len);
        room = room.saturating_sub(bytes);
        room > 0
    };
    let told = |entry: &DisplacedDevice| KeptOut {
        device: device_told(&entry.device),
        at: entry.at,
        wait: entry.wait.as_secs(),
    };
    let mut newest: Vec<KeptOut> =
        displaced.iter().rev().filter(holds).map(told).take_while(|told| fits(told)).collect();
    newest.reverse();
    newest
}

/// The same as the visited site `here` keeps them: the login there is what keeps them out.
pub(super) fn kept_out(told: &[KeptOut], here: &SiteName) -> Vec<DisplacedDevice> {
    let entry = |told: &KeptOut| DisplacedDevice {
        device: device(&told.device),
        why: Loss::LoggedIn(here.clone()),
        at: told.at,
        wait: Duration::from_secs(told.wait),
        back: false,
    };
    told.iter().take(Resident::DISPLACED).map(entry).collect()
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
