//! Reads a site's plan file and what it includes, so that the rest sees one list of rows, each with its place.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::document::{At, Document};
use super::problem::{Report, Spot};
use super::raw::{SiteFile, UserRow};
use super::users_csv;

/// A site's files as they were read; the first is the plan itself.
#[derive(Debug)]
pub struct PlanFiles {
    /// The plan and its included files.
    pub parts: Vec<(Document, SiteFile)>,
    /// The users of `users_csv`.
    pub users: Option<(Document, Vec<UserRow>)>,
}

/// Reads the plan at `path`, whose text this is, and what it names. `None` where the plan itself cannot be read as TOML.
pub fn read(path: &Path, text: &str, report: &mut Report) -> Option<PlanFiles> {
    let main = Document::toml::<SiteFile>(path, text, report)?;
    let mut files = PlanFiles { parts: vec![main], users: None };
    let (document, file) = files.parts.first()?;
    let (root, mut included) = (document.root(), Vec::new());
    let at = root.key("site");
    if let Some(site) = &file.site {
        for (index, name) in site.include.iter().enumerate() {
            included.extend(include(at.key("include").row(index), name, report));
        }
        files.users = site.users_csv.as_deref().and_then(|name| users_csv::read(at.key("users_csv"), name, report));
    }
    files.parts.extend(included);
    Some(files)
}

fn include(at: At<'_>, name: &str, report: &mut Report) -> Option<(Document, SiteFile)> {
    let path = at.document.path(name);
    match report.files.text(&path) {
        Ok(text) => Document::toml(&path, &text, report),
        Err(why) => {
            report.error(at, format!("cannot read {}: {why}", path.display()));
            None
        }
    }
}

impl PlanFiles {
    /// The plan as the operator names it.
    pub fn name(&self) -> Arc<str> {
        self.parts.first().map_or_else(Arc::default, |(document, _)| document.name.clone())
    }

    /// The rows of a list that may stand in every file, each with its place.
    pub fn rows<'f, T: 'f>(
        &'f self,
        key: &'f str,
        list: impl Fn(&'f SiteFile) -> &'f [T],
        mut each: impl FnMut(At<'_>, &'f T),
    ) {
        for (document, file) in &self.parts {
            let root = document.root();
            let at = root.key(key);
            list(file).iter().enumerate().for_each(|(index, row)| each(at.row(index), row));
        }
    }

    /// The entries of a table of names that may stand in every file; a name may stand once.
    pub fn named<'f, T: 'f>(
        &'f self,
        key: &'f str,
        report: &mut Report,
        table: impl Fn(&'f SiteFile) -> &'f BTreeMap<String, T>,
        mut each: impl FnMut(At<'_>, &'f str, &'f T, &mut Report),
    ) {
        let mut seen = BTreeMap::<&str, Spot>::new();
        for (document, file) in &self.parts {
            let root = document.root();
            let at = root.key(key);
            for (name, row) in table(file) {
                let here = at.key(name);
                match seen.get(name.as_str()) {
                    Some(first) => report.error(here, format!("is already there: {first}")),
                    None => {
                        seen.insert(name, here.spot());
                        each(here, name, row, report);
                    }
                }
            }
        }
    }

    /// A table that may stand in one of the files only.
    pub fn single<'f, T: 'f, R>(
        &'f self,
        key: &'f str,
        report: &mut Report,
        table: impl Fn(&'f SiteFile) -> Option<&'f T>,
        read: impl FnOnce(At<'_>, &'f T, &mut Report) -> R,
    ) -> Option<R> {
        let mut found: Option<(&'f Document, &'f T)> = None;
        for (document, file) in &self.parts {
            let Some(row) = table(file) else { continue };
            match found {
                Some((first, _)) => {
                    let place = first.root().key(key).spot();
                    report.error(document.root().key(key), format!("is already there: {place}"));
                }
                None => found = Some((document, row)),
            }
        }
        let (document, row) = found?;
        let root = document.root();
        Some(read(root.key(key), row, report))
    }
}
