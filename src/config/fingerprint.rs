//! A hash of what all sites must agree on. Sites compare it over their links (SPEC 3).

use crate::settings::Network;

/// The same for the same network, however its file is written. Holds no secret and nothing of one machine: paths and
/// `admin` may differ.
pub fn fingerprint(network: &Network) -> [u8; 32] {
    let mut hash = Fields(blake3::Hasher::new_derive_key("hotdesk network table 1"));
    hash.field(&network.realm);
    for (name, profile) in &network.profiles {
        hash.field("profile");
        hash.field(name);
        hash.field(format!("{} {}", profile.devices, profile.calls));
        hash.field(format!("{} {} {}", profile.forwarding, profile.forward_external, profile.remote_hot_desk));
    }
    for site in network.sites.values() {
        hash.field("site");
        hash.field(site.name.as_str());
        hash.field(site.number.to_string());
        hash.field(&site.domain);
        hash.field(site.address.to_string());
        hash.list("alias", site.aliases.iter().cloned());
        hash.list("socket", site.listen.iter().map(|socket| socket.advertise.to_string()));
        hash.list("extension", site.extensions.iter().map(ToString::to_string));
    }
    *hash.0.finalize().as_bytes()
}

struct Fields(blake3::Hasher);

impl Fields {
    fn field(&mut self, text: impl AsRef<str>) {
        let text = text.as_ref().as_bytes();
        self.0.update(&(text.len() as u64).to_le_bytes()).update(text);
    }

    fn list(&mut self, kind: &str, items: impl Iterator<Item = String>) {
        let mut items: Vec<String> = items.collect();
        items.sort();
        self.field(kind);
        self.field(items.len().to_string());
        items.iter().for_each(|item| self.field(item));
    }
}
