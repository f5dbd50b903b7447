//! `[emergency]`: who is told, who may call without credentials, and the places that help has to come to.

use std::collections::BTreeMap;

use super::document::At;
use super::nearest::hint;
use super::numbering::{Numbering, Wanted};
use super::plan_file::PlanFiles;
use super::problem::Report;
use super::raw::{EmergencyTable, LocationRow};
use crate::ids::{Extension, SiteName};
use crate::settings::{CIVIC_FIELDS, Emergency, Geolocation, Location, Place, Site, Trunk};

/// The longest text of one civic field, and the longest URI of a place: the request has to fit into a datagram.
const LONGEST: usize = 255;

/// Reads the table; the trunks have been read before.
pub fn fill(site: &mut Site, files: &PlanFiles, numbering: &mut Numbering, report: &mut Report) {
    let name = site.name.clone();
    let read = |at: At<'_>, table, report: &mut Report| emergency(at, table, &name, numbering, report);
    site.emergency = files.single("emergency", report, |file| file.emergency.as_ref(), read).unwrap_or_default();
    let (emergency, trunks) = (&site.emergency, &site.trunks);
    files.rows(
        "trunks",
        |file| &file.trunks,
        |at, row| {
            let trunk = trunks.iter().find(|trunk| row.name.as_deref() == Some(&trunk.name));
            if let Some(trunk) = trunk.filter(|_| !emergency.none) {
                has_what_is_sent(at.key("geolocation"), trunk, emergency, report);
            }
        },
    );
}

/// A trunk that takes the location is told one for every place.
fn has_what_is_sent(at: At<'_>, trunk: &Trunk, emergency: &Emergency, report: &mut Report) {
    let lacks = |place: &Place| match trunk.geolocation {
        Geolocation::No => None,
        Geolocation::Uri => place.uri.is_none().then_some("`uri`"),
        Geolocation::Body => (place.location.is_empty() && place.civic.is_empty()).then_some("`location`"),
    };
    let others = emergency.locations.iter().enumerate().map(|(index, other)| {
        let name = format!("emergency.locations[{index}]");
        (name, &other.place)
    });
    for (name, place) in std::iter::once(("emergency".to_owned(), &emergency.place)).chain(others) {
        if let Some(key) = lacks(place) {
            report.error(at, format!("{name} has no {key}, which this trunk sends with a call for help"));
        }
    }
}

fn emergency(
    at: At<'_>,
    table: &EmergencyTable,
    site: &SiteName,
    numbering: &mut Numbering,
    report: &mut Report,
) -> Emergency {
    let list = at.key("notify");
    let mut notify = Vec::new();
    for (index, number) in table.notify.iter().enumerate() {
        numbering.mention(list.row(index), site, number, Wanted::User);
        notify.push(Extension::new(number));
    }
    let locations = at.key("locations");
    Emergency {
        place: Place {
            location: report.text(at.key("location"), table.location.as_deref()).unwrap_or_default(),
            civic: civic(at.key("civic"), &table.civic, report),
            uri: uri(at.key("uri"), table.uri.as_deref(), report),
            caller_id: report.number(at.key("caller_id"), table.caller_id.as_deref()),
        },
        default: report.number(at.key("default"), table.default.as_deref()),
        notify,
        anyone_from: report.sources(at.key("anyone_from"), &table.anyone_from),
        none: table.none.unwrap_or(false),
        locations: table.locations.iter().enumerate().map(|(i, row)| location(locations.row(i), row, report)).collect(),
    }
}

fn location(at: At<'_>, row: &LocationRow, report: &mut Report) -> Location {
    if row.networks.is_empty() {
        report.error(at.key("networks"), "is missing: which phones are there");
    }
    Location {
        networks: report.sources(at.key("networks"), &row.networks),
        place: Place {
            location: report.required(at.key("location"), row.location.as_deref()).unwrap_or_default(),
            civic: civic(at.key("civic"), &row.civic, report),
            uri: uri(at.key("uri"), row.uri.as_deref(), report),
            caller_id: report.number(at.key("caller_id"), row.caller_id.as_deref()),
        },
    }
}

/// A civic address, in the order in which it is sent.
fn civic(at: At<'_>, table: &BTreeMap<String, String>, report: &mut Report) -> Vec<(&'static str, String)> {
    let mut fields = Vec::new();
    for (name, value) in table {
        let at = at.key(name);
        let Some(place) = CIVIC_FIELDS.iter().position(|known| known == name) else {
            let same = CIVIC_FIELDS.into_iter().find(|known| known.eq_ignore_ascii_case(name));
            let meant = same.map_or_else(|| hint(name, CIVIC_FIELDS), |known| format!("; did you mean `{known}`?"));
            report.error(at, format!("no civic field `{name}` (RFC 5139){meant}"));
            continue;
        };
        let Some(text) = report.text(at, Some(value)) else { continue };
        if name == "country" && !(text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase())) {
            report.error(at, format!("`{text}` is no country of two capital letters, such as GB"));
        } else if text.len() > LONGEST {
            report.error(at, format!("is longer than {LONGEST} bytes"));
        }
        fields.push((place, text));
    }
    fields.sort();
    fields.into_iter().filter_map(|(place, text)| Some((*CIVIC_FIELDS.get(place)?, text))).collect()
}

/// A URI that emergency services can look up.
fn uri(at: At<'_>, written: Option<&str>, report: &mut Report) -> Option<String> {
    let uri = report.text(at, written)?;
    let rest = ["https:", "http:", "sips:", "sip:", "pres:"].iter().find_map(|scheme| uri.strip_prefix(scheme));
    let is_sound = |rest: &str| {
        !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>' | b'"'))
    };
    if !rest.is_some_and(is_sound) || uri.len() > LONGEST {
        let known = "a sip:, sips:, pres:, http: or https: URI of at most 255 characters (RFC 6442)";
        report.error(at, format!("`{uri}` is no reference to a location: {known}"));
        return None;
    }
    Some(uri)
}
