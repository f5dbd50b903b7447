//! What commands look up in `network.toml` themselves: the realm, and the line of a key that turned out wrong only later.

use std::path::Path;

use toml::de::{DeTable, DeValue};

use crate::config::Files;

/// `[network] realm` of the file.
///
/// # Errors
///
/// What is wrong, naming the file.
pub fn realm(path: &Path) -> Result<String, String> {
    let text = Files::Disk.text(path).map_err(|why| format!("{}: cannot be read: {why}", path.display()))?;
    let table: toml::Table =
        text.parse().map_err(|why: toml::de::Error| format!("{}: {}", path.display(), why.message()))?;
    let realm = table.get("network").and_then(|network| network.get("realm")).and_then(toml::Value::as_str);
    realm.map(str::to_owned).ok_or_else(|| format!("{}: [network] has no realm", path.display()))
}

/// Where `listen[index]` of a site stands, as `file:line: key`; without the line where the file has changed meanwhile.
pub fn place_of_listen(path: &Path, site: &str, index: usize) -> String {
    let line = std::fs::read_to_string(path).ok().and_then(|text| line_of_listen(&text, site, index));
    let line = line.map_or_else(String::new, |line| format!("{line}:"));
    format!("{}:{line} sites.{site}.listen[{index}]", path.display())
}

/// Where `admin` of a site stands, or with `None` that of the network, as [`place_of_listen`] says it.
pub fn place_of_admin(path: &Path, site: Option<&str>) -> String {
    let line = std::fs::read_to_string(path).ok().and_then(|text| line_of_admin(&text, site));
    let line = line.map_or_else(String::new, |line| format!("{line}:"));
    let key = site.map_or_else(|| "network.admin".to_owned(), |site| format!("sites.{site}.admin"));
    format!("{}:{line} {key}", path.display())
}

fn line_of_admin(text: &str, site: Option<&str>) -> Option<usize> {
    let root = DeTable::parse(text).ok()?;
    let owner = match site {
        None => root.get_ref().get("network")?,
        Some(site) => table(root.get_ref().get("sites")?.get_ref())?.get(site)?,
    };
    let admin = table(owner.get_ref())?.get("admin")?;
    Some(text.get(..admin.span().start)?.matches('\n').count() + 1)
}

fn line_of_listen(text: &str, site: &str, index: usize) -> Option<usize> {
    let root = DeTable::parse(text).ok()?;
    let listen = table(table(root.get_ref().get("sites")?.get_ref())?.get(site)?.get_ref())?.get("listen")?;
    let row = match listen.get_ref() {
        DeValue::Array(rows) => rows.get(index)?,
        _ => listen,
    };
    Some(text.get(..row.span().start)?.matches('\n').count() + 1)
}

fn table<'v, 't>(value: &'v DeValue<'t>) -> Option<&'v DeTable<'t>> {
    match value {
        DeValue::Table(table) => Some(table),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "[network]\nrealm = \"r\"\n\n[sites.a]\nlisten = [\n  \"udp:1\",\n  { udp = \"2\" },\n]\n[sites.b]\nlisten = []\n";

    #[test]
    fn an_admin_address_has_a_line() {
        let text = "[network]\nadmin = \"a\"\n[sites.a]\nnumber = 1\nadmin = \"b\"\n[sites.b]\n";
        assert_eq!(line_of_admin(text, None), Some(2));
        assert_eq!(line_of_admin(text, Some("a")), Some(5));
        assert_eq!(line_of_admin(text, Some("b")), None);
    }

    #[test]
    fn a_socket_has_a_line() {
        assert_eq!(line_of_listen(TEXT, "a", 0), Some(6));
        assert_eq!(line_of_listen(TEXT, "a", 1), Some(7));
        assert_eq!(line_of_listen(TEXT, "a", 2), None);
        assert_eq!(line_of_listen(TEXT, "c", 0), None);
    }
}
