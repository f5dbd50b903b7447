//! Reads the configuration: files of TOML into the validated values of `settings/`.
//!
//! `cli/` calls [`load`] at start and at every reload. The way of a file: `plan_file` reads it, `document` keeps its keys with
//! their places and fills the structs of `raw/` strictly, `network`, `site` and their siblings turn these into settings key by
//! key, `numbering`, `neighbours` and `after` judge what only the whole network can show, and `inactive` tells which keys
//! do nothing in this release. Everything that is wrong goes to one `Report`, so that a run names all of it, each with file,
//! line, key and where possible the remedy.
//!
//! The keys are those of SPEC §3. Relative paths are relative to the file that names them. Secrets are read here and nowhere
//! else. What a short code says is judged by `plan/`, whose errors join the others.

mod after;
mod calendar;
mod document;
mod emergency;
mod files;
mod fingerprint;
mod forwards;
mod inactive;
mod nearest;
mod neighbours;
mod network;
mod numbering;
mod people;
mod plan_file;
mod problem;
mod raw;
mod secrets;
mod sections;
mod site;
mod trunks;
mod users_csv;
mod values;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use self::document::Document;
pub use self::files::Files;
use self::numbering::{Numbering, Read};
use self::plan_file::PlanFiles;
use self::problem::Report;
pub use self::problem::{Errors, Problem, Spot};
use self::raw::NetworkFile;
pub use self::secrets::{ha1_md5, ha1_sha256};
use crate::ids::SiteName;
use crate::plan::{self, Everywhere, Finding, Plan, Tried};
use crate::settings::{Network, Site};

/// Whose plans are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sites {
    /// Every site's; each must be there. For a process that serves the whole network.
    All,
    /// Those of the sites that this process serves; no others are looked at.
    Named(BTreeSet<SiteName>),
    /// Those that are there; a missing one, or a secret that cannot be read here, is a warning. For `check` and `dial`.
    Present,
}

/// A configuration that holds.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// `network.toml`.
    pub network: Arc<Network>,
    /// The plans that were read.
    pub sites: BTreeMap<SiteName, Arc<Site>>,
    /// Their dial plans, compiled.
    pub plans: BTreeMap<SiteName, Arc<Plan>>,
    /// Sites whose plan is not here ([`Sites::Present`] only): nothing that needs it was looked into.
    pub missing: BTreeSet<SiteName>,
    /// What is odd but no error, in the order of files and lines.
    pub warnings: Vec<Problem>,
    /// A hash of what all sites must agree on; sites compare it over their links.
    pub network_hash: [u8; 32],
}

impl Loaded {
    /// What expectations and lint look into.
    pub fn everywhere(&self) -> Everywhere<'_> {
        Everywhere { network: &self.network, sites: &self.sites, plans: &self.plans }
    }

    /// Tries the expectations of every plan that was read (SPEC 6.10): `check` fails and a reload is refused where one is broken.
    pub fn try_expectations(&self) -> Tried {
        plan::try_expectations(&self.everywhere())
    }

    /// What is odd in the plans that were read (SPEC 6.11).
    pub fn lint(&self) -> Vec<Finding> {
        plan::lint(&self.everywhere())
    }
}

/// Reads the configuration at `path` and the plans that `only` asks for.
///
/// # Errors
///
/// All that is wrong with it, as far as one reading can tell; never empty.
pub fn load(path: &Path, only: &Sites) -> Result<Loaded, Errors> {
    load_from(Files::Disk, path, only)
}

/// As [`load`], with the files from elsewhere.
///
/// # Errors
///
/// As [`load`].
pub fn load_from(files: Files, path: &Path, only: &Sites) -> Result<Loaded, Errors> {
    let mut report = Report::new(files, *only == Sites::Present);
    match read(path, only, &mut report) {
        Some(loaded) => report.finish().map(|warnings| Loaded { warnings, ..loaded }),
        None => Err(report.finish().err().unwrap_or_else(|| Errors(Vec::new()))),
    }
}

fn read(path: &Path, only: &Sites, report: &mut Report) -> Option<Loaded> {
    let text = text_of(path, report)?;
    let (document, file) = Document::toml::<NetworkFile>(path, &text, report)?;
    let mut network = network::network(&document, &file, report);
    let served = served(&document, only, &network, report);
    let together = served.clone().unwrap_or_default();
    neighbours::neighbours(&document, &network, &together, report);
    neighbours::pair_secrets(&document, &file, served.as_ref(), &mut network, report);

    let (files, missing) = plans(&document, &file, served.as_ref(), report);
    let mut numbering = Numbering::default();
    let mut sites = BTreeMap::new();
    for (name, files) in &files {
        let Some(entry) = network.sites.get(name) else { continue };
        let site = site::site(&network, entry, files, &mut numbering, report);
        sites.insert(name.clone(), Arc::new(site));
    }
    let lab = sites.values().filter(|site| site.lab.is_some()).map(|site| site.name.clone()).collect();
    numbering.judge(&network, &Read { sites: files.keys().cloned().collect(), lab }, report);
    after::hashes_fit(&network, &sites, report);
    after::lab_stays_here(&document, &network, &sites, report);
    let plans = compile(&network, &sites, &files, report);
    forwards::can_be_taken(&network, &sites, &plans, report);
    inactive::warn(&document, &file, &files, report);
    let network_hash = fingerprint::fingerprint(&network);
    network.fingerprint.copy_from_slice(&network_hash[..8]);
    Some(Loaded { network: Arc::new(network), sites, plans, missing, warnings: Vec::new(), network_hash })
}

fn text_of(path: &Path, report: &mut Report) -> Option<String> {
    match report.files.text(path) {
        Ok(text) => Some(text),
        Err(why) => {
            report.error_at(Spot::file(path.display().to_string()), format!("cannot be read: {why}"));
            None
        }
    }
}

/// The sites that this process will serve; `None` where it serves nobody.
fn served(document: &Document, only: &Sites, network: &Network, report: &mut Report) -> Option<BTreeSet<SiteName>> {
    match only {
        Sites::All => Some(network.sites.keys().cloned().collect()),
        Sites::Present => None,
        Sites::Named(names) => {
            for name in names.iter().filter(|name| !network.sites.contains_key(*name)) {
                let known = nearest::hint(name.as_str(), network.sites.keys().map(SiteName::as_str));
                report.error(document.root().key("sites"), format!("no site `{name}`{known}"));
            }
            Some(names.clone())
        }
    }
}

/// Reads the plans of the sites that are served, or of all that are there.
fn plans(
    document: &Document,
    file: &NetworkFile,
    served: Option<&BTreeSet<SiteName>>,
    report: &mut Report,
) -> (BTreeMap<SiteName, PlanFiles>, BTreeSet<SiteName>) {
    let (mut plans, mut missing) = (BTreeMap::new(), BTreeSet::new());
    let root = document.root();
    let at = root.key("sites");
    for (name, row) in &file.sites {
        let site = SiteName::new(name);
        let Some(plan) = row.plan.as_deref().filter(|_| served.is_none_or(|served| served.contains(&site))) else {
            continue;
        };
        let path: PathBuf = document.path(plan);
        match report.files.text(&path) {
            Ok(text) => plans.extend(plan_file::read(&path, &text, report).map(|files| (site, files))),
            Err(why) if served.is_none() && why.kind() == std::io::ErrorKind::NotFound => {
                report.warn(
                    at.key(name).key("plan"),
                    format!("{} is not here; {name} was not looked into", path.display()),
                );
                missing.insert(site);
            }
            Err(why) => report.error(at.key(name).key("plan"), format!("cannot read {}: {why}", path.display())),
        }
    }
    if plans.is_empty() && !report.has_errors() {
        report.error(at, "not one plan is here to look into");
    }
    (plans, missing)
}

/// Compiles every plan; what is wrong in one is told beside the rest.
fn compile(
    network: &Network,
    sites: &BTreeMap<SiteName, Arc<Site>>,
    files: &BTreeMap<SiteName, PlanFiles>,
    report: &mut Report,
) -> BTreeMap<SiteName, Arc<Plan>> {
    let (mut plans, sound) = (BTreeMap::new(), !report.has_errors());
    for (name, site) in sites {
        match Plan::compile(network, site) {
            Ok(plan) => {
                plans.insert(name.clone(), Arc::new(plan));
            }
            Err(errors) => {
                let main = files.get(name).map_or_else(Arc::default, PlanFiles::name);
                for error in errors.iter().filter(|error| !is_told(&error.problem, sound)) {
                    let spot =
                        if error.origin.line == 0 { Spot::file(main.clone()) } else { Spot::of(&error.origin, "") };
                    report.error_at(spot, error.problem.to_string());
                }
            }
        }
    }
    plans
}

/// What the loader has already told, with line and key, and what may only follow from that.
fn is_told(problem: &plan::Problem, sound: bool) -> bool {
    use plan::Problem as P;
    if !sound && matches!(problem, P::NoEmergency { .. }) {
        return true;
    }
    matches!(
        problem,
        P::SharedName { .. }
            | P::TimeProfile { .. }
            | P::Timezone { .. }
            | P::NoTimezone { .. }
            | P::IncomingGroup { .. }
    )
}
