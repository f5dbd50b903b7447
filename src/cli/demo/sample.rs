//! The sample network of `config/`, built into the program and moved to other addresses.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;

use super::cast::Part;
use crate::cli::plans::Plans;
use crate::config::{self, Files, Sites};

const NETWORK: &str = "config/network.toml";

const TEXTS: [(&str, &str); 5] = [
    (NETWORK, include_str!("../../../config/network.toml")),
    ("config/sites/london.toml", include_str!("../../../config/sites/london.toml")),
    ("config/sites/paris.toml", include_str!("../../../config/sites/paris.toml")),
    ("config/sites/berlin.toml", include_str!("../../../config/sites/berlin.toml")),
    // As the plans beside it name it.
    ("config/sites/../features.toml", include_str!("../../../config/features.toml")),
];

/// Ada may not call out at night and on Sundays. The story is told at any hour: her rights are the same then.
const AT_NIGHT: [&str; 2] = ["\nout_of_hours_rights = \"night\"", "\nout_of_hours_rights = \"office\""];

/// The network with every site and carrier at its address in `places`.
///
/// # Errors
///
/// What the configuration's reader says.
pub fn load(places: &BTreeMap<Part, SocketAddr>) -> Result<Plans, Vec<String>> {
    let files = TEXTS.into_iter().map(|(path, text)| (path.into(), moved(text, places))).collect();
    config::load_from(Files::Memory(files), Path::new(NETWORK), &Sites::All)
        .map(Plans)
        .map_err(|errors| errors.0.iter().map(ToString::to_string).collect())
}

fn moved(text: &str, places: &BTreeMap<Part, SocketAddr>) -> String {
    let mut text = text.to_owned();
    for (part, address) in places {
        if let Some(old) = part.sample_address() {
            text = text.replace(&format!("{old}\""), &format!("{address}\""));
        }
    }
    let [night, office] = AT_NIGHT;
    text.replace(night, office)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{Extension, SiteName};

    #[test]
    fn the_sample_moves_and_holds_at_any_hour() {
        let address = |index: u16| SocketAddr::from(([127, 0, 0, 1], 40_000 + index));
        let places: BTreeMap<Part, SocketAddr> = (0..).zip(Part::ALL).map(|(n, part)| (part, address(n))).collect();
        let plans = load(&places).expect("the sample holds");
        for (entry, config) in plans.sites() {
            let part = Part::of_site(&entry.name).expect("a part for every site");
            assert_eq!((entry.listen[0].bind, entry.address), (places[&part], places[&part]));
            let moved = |address: SocketAddr| address.port() >= 40_000;
            assert!(
                config.site.trunks.iter().all(|trunk| trunk.address.is_some_and(moved)),
                "every carrier has a part"
            );
        }
        let london = &plans.0.sites[&SiteName::new("london")];
        let ada = &london.users[&Extension::new("201")];
        assert_eq!((ada.rights.as_deref(), ada.out_of_hours_rights.as_deref()), (Some("office"), Some("office")));
    }
}
