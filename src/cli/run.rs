//! `hotdesk run`: serves sites until told to end (SPEC 2.1-2.3).

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::{pending, poll_fn};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use tokio::runtime;
use tokio::sync::{mpsc, oneshot};
use tracing::{error, info, warn};

use super::operator::{self, Operator, Reload};
use super::plans::Plans;
use super::{CONFIG, NOTHING_DONE, complain, network_file, say};
use crate::admin::{self, Counters};
use crate::config::Sites;
use crate::guarded::Guarded;
use crate::ids::SiteName;
use crate::location::{Memory, Store};
use crate::net::{self, Bound, Drops, Handle, HandoverDrops, Post, Running};
use crate::node::{Command, Config, Restored};
use crate::settings::SiteEntry;
use crate::shutdown::{Drained, PARTING, Signal, Signals};
use crate::storage::{self, Database, Writer};
use crate::telemetry::{self, Format, Log};

/// Serve the sites of a network
///
/// All sites in one process, or only those named by --site. Standard output has
/// one line for each listening socket and, last, a line that begins `ready`; logs
/// go to standard error.
///
/// SIGTERM and Ctrl-C let what is being set up finish, for 32 seconds at most; a
/// second one ends at once. SIGHUP reads the configuration anew: a bad one is
/// reported, and the old one stays.
#[derive(Clone, Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    /// The network's configuration
    #[arg(default_value = CONFIG)]
    config: PathBuf,

    /// Serve this site only; may be given more than once
    #[arg(long, value_name = "NAME")]
    site: Vec<String>,

    /// How log lines look
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    log_format: Format,

    /// What is logged: `error`, `warn`, `info`, `debug`, `trace`, or by module [default: RUST_LOG, else info]
    #[arg(long, value_name = "FILTER")]
    log: Option<String>,
}

impl Arguments {
    pub(super) fn run(self) -> ExitCode {
        match self.serve() {
            Ok(()) => ExitCode::SUCCESS,
            Err(Failure::Start(problems)) => {
                complain(problems);
                ExitCode::from(NOTHING_DONE)
            }
            Err(Failure::SiteBroke(name)) => {
                complain([format!("site {name} broke; the process ends")]);
                ExitCode::FAILURE
            }
        }
    }

    fn serve(&self) -> Result<(), Failure> {
        telemetry::init(self.log_format, self.log.as_deref())
            .map_err(|why| Failure::Start(vec![format!("the log filter can't be read: {why}")]))?;
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async {
            let signals = Signals::listen()?;
            let plans = Plans::load(&self.config, &self.only()).map_err(Failure::Start)?;
            let counters: CountersBySite = plans.0.sites.keys().map(|name| (name.clone(), Arc::default())).collect();
            let Started { sites, drops, admin } = self.start(&plans, &counters)?;
            let handovers = sites.iter().map(|site| (site.name.clone(), site.handover_drops())).collect();
            let (lab, names) = (plans.0.sites.values().any(|site| site.lab.is_some()), names_of(&plans));
            let (reloads, orders) = mpsc::channel(RELOADS);
            let plans = Arc::new(Guarded::new(Arc::new(plans)));
            let handles: Vec<Handle> = sites.iter().map(Running::handle).collect();
            let operator = Operator {
                plans: Arc::clone(&plans),
                handles: handles.clone(),
                counters: counters.clone(),
                reloads: reloads.clone(),
            };
            admin::serve(admin, Arc::new(operator))?;
            say(format_args!("ready{}: {names}", if lab { " (LAB)" } else { "" }));
            tokio::select! {
                result = self.watch(sites, signals, &reloads) => result,
                never = self.reload_when_asked(orders, &handles, &plans) => match never {},
                never = report_drops(drops, handovers, &counters) => match never {},
            }
        })
    }

    fn only(&self) -> Sites {
        if self.site.is_empty() { Sites::All } else { Sites::Named(self.site.iter().map(SiteName::new).collect()) }
    }

    /// Binds everything before anything runs, so that a start that fails has done nothing.
    fn start(&self, plans: &Plans, counters: &CountersBySite) -> Result<Started, Failure> {
        for warning in &plans.0.warnings {
            warn!("{warning}");
        }
        // SPEC 6.10: a start goes on, and says so loudly
        let broken = plans.0.try_expectations().broken;
        broken.iter().for_each(|broken| error!("{broken}"));
        if !broken.is_empty() {
            error!("{} of the plans' expectations do not hold; a reload would be refused", broken.len());
        }
        let mut bound = Vec::new();
        for (entry, config) in plans.sites() {
            bound.push((self.bind(entry)?, config));
        }
        let admin = operator::bind(&self.config, plans).map_err(|why| Failure::Start(vec![why]))?;
        for address in admin.iter().filter_map(|listener| listener.local_addr().ok()) {
            say(format_args!("admin http://{address}"));
        }
        let sockets = |(shards, config): &(Vec<Vec<Bound>>, Config)| {
            let drops = shards.iter().flatten().filter_map(Bound::drops);
            drops.map(|drops| (config.site.name.clone(), drops)).collect::<Vec<_>>()
        };
        let drops = bound.iter().flat_map(sockets).collect();
        let bound = bound.into_iter().map(|(shards, config)| Ok((Kept::open(&config, shards)?, config)));
        let bound: Vec<_> = bound.collect::<Result<_, Failure>>()?;
        let start = |(kept, config): (Kept, Config)| {
            let counters = counters.get(&config.site.name).cloned().unwrap_or_default();
            start(config, kept, counters)
        };
        let sites = bound.into_iter().map(start).collect::<Result<_, _>>()?;
        Ok(Started { sites, drops, admin })
    }

    /// The sockets of each shard of a site.
    fn bind(&self, entry: &SiteEntry) -> Result<Vec<Vec<Bound>>, Failure> {
        let mut shards: Vec<Vec<Bound>> = (0..entry.shards).map(|_| Vec::new()).collect();
        for (index, listen) in entry.listen.iter().enumerate() {
            let bound = net::bind_each(listen, entry.shards).map_err(|why| {
                let place = network_file::place_of_listen(&self.config, entry.name.as_str(), index);
                Failure::Start(vec![format!("{place}: {why}")])
            })?;
            if let Some(Bound { address, receive_buffer, send_buffer, .. }) = bound.first() {
                say(format_args!("listening udp:{address} {}", entry.name));
                let shards = entry.shards;
                info!(site = %entry.name, %address, shards, receive_buffer, send_buffer, "socket bound");
            }
            shards.iter_mut().zip(bound).for_each(|(sockets, socket)| sockets.push(socket));
        }
        Ok(shards)
    }

    /// Until a signal to end, then until nothing is left to do.
    async fn watch(
        &self,
        mut sites: Vec<Running>,
        mut signals: Signals,
        reloads: &mpsc::Sender<Reload>,
    ) -> Result<(), Failure> {
        loop {
            tokio::select! {
                signal = signals.next() => match signal {
                    Signal::End => break,
                    // Nobody waits for the answer; where so many wait already, theirs will have read this change too.
                    Signal::Reload => drop(reloads.try_send(oneshot::channel().0)),
                },
                name = one_ended(&mut sites) => return Err(Failure::SiteBroke(name)),
            }
        }
        info!("draining: no new calls");
        command(&sites, Command::Drain).await;
        match signals.drain(all_idle(&mut sites)).await {
            Drained::Idle => info!("everything is finished"),
            Drained::TimeOver => give_up(&sites, "the time is over").await,
            Drained::Told => give_up(&sites, "told again").await,
        }
        sites.into_iter().for_each(Running::stop);
        Ok(())
    }

    /// Reads the configuration anew as often as somebody asks, one time after another.
    async fn reload_when_asked(
        &self,
        mut asked: mpsc::Receiver<Reload>,
        sites: &[Handle],
        plans: &Guarded<Arc<Plans>>,
    ) -> Infallible {
        while let Some(answer) = asked.recv().await {
            let _ = answer.send(self.reload(sites, plans).await);
        }
        pending().await
    }

    /// SPEC 2.3: if it is bad, the old one stays; if it is good, it applies to the next request.
    async fn reload(&self, sites: &[Handle], plans: &Guarded<Arc<Plans>>) -> Result<(), Vec<String>> {
        let old = plans.with(|plans| Arc::clone(plans));
        let new = match self.read_anew(old).await {
            Ok(new) => new,
            Err(problems) => {
                problems.iter().for_each(|problem| error!("{problem}"));
                error!("the configuration is bad; the old one stays");
                return Err(problems);
            }
        };
        new.0.warnings.iter().for_each(|warning| warn!("{warning}"));
        for (entry, config) in new.sites() {
            let running = sites.iter().find(|site| site.name == entry.name);
            if let Some(site) = running {
                site.command(Command::Reload(Box::new(config))).await;
            }
        }
        plans.with(|plans| *plans = Arc::new(new));
        info!("the configuration was read anew");
        Ok(())
    }

    /// Reads and judges on a thread of its own: a file system may take its time, and signals are heard meanwhile. The process does not
    /// wait for that thread at its end.
    async fn read_anew(&self, old: Arc<Plans>) -> Result<Plans, Vec<String>> {
        let (arguments, (answer, read)) = (self.clone(), oneshot::channel());
        let reader = thread::Builder::new().name("reload".to_owned()).spawn(move || {
            let new = Plans::load(&arguments.config, &arguments.only());
            let _ = answer.send(new.and_then(|new| arguments.fits(&old, new)).and_then(keeps_promises));
        });
        reader.map_err(|why| vec![format!("the configuration can't be read: no thread for it: {why}")])?;
        read.await.unwrap_or_else(|_| Err(vec!["the configuration can't be read: the reader broke".to_owned()]))
    }

    /// Sites and sockets are made at the start: a configuration with others needs a new one.
    fn fits(&self, old: &Plans, new: Plans) -> Result<Plans, Vec<String>> {
        let mut problems = Vec::new();
        if old.0.network.resolvers != new.0.network.resolvers {
            problems.push(format!("{}: network.resolvers change only with a restart", self.config.display()));
        }
        if old.0.network.data_dir != new.0.network.data_dir {
            problems.push(format!("{}: network.data_dir changes only with a restart", self.config.display()));
        }
        if !operator::same_addresses(old, &new) {
            problems.push(format!("{}: `admin` changes only with a restart", self.config.display()));
        }
        let listen = |plans: &Plans, name: &SiteName| {
            let entry = plans.0.network.sites.get(name)?;
            Some((entry.listen.clone(), entry.shards))
        };
        for name in old.0.sites.keys().chain(new.0.sites.keys()) {
            let (before, after) = (listen(old, name), listen(&new, name));
            if before != after {
                problems.push(format!(
                    "{}: sites.{name}: its sockets and shards change only with a restart",
                    self.config.display()
                ));
            }
        }
        problems.dedup();
        if problems.is_empty() { Ok(new) } else { Err(problems) }
    }
}

/// SPEC 6.10: a configuration that breaks an expectation is refused.
fn keeps_promises(new: Plans) -> Result<Plans, Vec<String>> {
    let broken = new.0.try_expectations().broken;
    if broken.is_empty() { Ok(new) } else { Err(broken.iter().map(ToString::to_string).collect()) }
}

/// What happened at each site.
type CountersBySite = BTreeMap<SiteName, Arc<Counters>>;

/// Reloads that wait for their turn.
const RELOADS: usize = 16;

/// What runs.
struct Started {
    sites: Vec<Running>,
    drops: Vec<(SiteName, Drops)>,
    admin: Vec<TcpListener>,
}

fn names_of(plans: &Plans) -> String {
    plans.0.sites.keys().map(SiteName::as_str).collect::<Vec<_>>().join(", ")
}

/// Why `run` ends otherwise than by a signal.
enum Failure {
    /// It can't start, with every reason.
    Start(Vec<String>),
    /// The thread of that site is gone.
    SiteBroke(SiteName),
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Start(vec![error.to_string()])
    }
}

/// Where a site's changes become durable, beside its sockets, and what was there.
struct Kept {
    posts: Vec<Post>,
    restored: Restored,
}

impl Kept {
    /// Opens the database in `data_dir`; without that key everything is kept in memory.
    fn open(config: &Config, shards: Vec<Vec<Bound>>) -> Result<Self, Failure> {
        let Some(folder) = &config.network.data_dir else {
            let post = |sockets| Post { sockets, store: Box::new(Memory::default()) };
            return Ok(Self { posts: shards.into_iter().map(post).collect(), restored: Restored::default() });
        };
        let name = config.site.name.as_str();
        let fail = |why: storage::OpenError| Failure::Start(vec![why.to_string()]);
        let database = Database::open(folder, name, config.site.hot_desk.survive_restart).map_err(fail)?;
        let (forms, unreadable) = database.records().map_err(fail)?;
        for record in unreadable {
            error!(site = name, "a stored record can't be read and is left alone: {record}");
        }
        let routes = Some(database.routes_secret(random()?).map_err(fail)?);
        let stored = forms.len();
        let records = storage::restore(forms, net::now());
        info!(site = name, stored, live = records.len(), "what was stored is back");
        // Every shard writes its own AORs, all into the one file.
        let database = Arc::new(Mutex::new(database));
        let mut posts = Vec::new();
        for sockets in shards {
            let store: Box<dyn Store> = Box::new(Writer::start(name, Arc::clone(&database))?);
            posts.push(Post { sockets, store });
        }
        Ok(Self { posts, restored: Restored { records, routes } })
    }
}

fn random() -> Result<[u8; 32], Failure> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)
        .map_err(|why| Failure::Start(vec![format!("the system gives no random bytes: {why}")]))?;
    Ok(bytes)
}

fn start(config: Config, kept: Kept, counters: Arc<Counters>) -> Result<Running, Failure> {
    let seed = random()?;
    let mut log = Log::new(config.site.name.clone());
    let tell = Box::new(move |now, event| {
        counters.note(&event);
        log.write(now, &event);
    });
    let Kept { posts, restored } = kept;
    Ok(net::start(net::Site { config, posts, restored, seed, tell })?)
}

/// Says every ten seconds what the kernel had to drop, and what one shard could not give to another.
async fn report_drops(
    mut drops: Vec<(SiteName, Drops)>,
    mut handovers: Vec<(SiteName, HandoverDrops)>,
    counters: &CountersBySite,
) -> Infallible {
    loop {
        tokio::time::sleep(Duration::from_secs(10)).await;
        for (site, socket) in &mut drops {
            let (address, dropped) = (socket.address, socket.more());
            if dropped > 0 {
                counters.get(site).into_iter().for_each(|counters| counters.lost_datagrams(dropped));
                warn!(%address, dropped, "datagrams came faster than they could be handled");
            }
        }
        for (site, handovers) in &mut handovers {
            let dropped = handovers.more();
            if dropped > 0 {
                counters.get(site).into_iter().for_each(|counters| counters.lost_handovers(dropped));
                warn!(%site, dropped, "shards handed over more than they could handle");
            }
        }
    }
}

async fn one_ended(sites: &mut [Running]) -> SiteName {
    poll_fn(|cx| match sites.iter_mut().find_map(|site| site.poll_ended(cx).is_ready().then(|| site.name.clone())) {
        Some(name) => Poll::Ready(name),
        None => Poll::Pending,
    })
    .await
}

async fn command(sites: &[Running], command: Command) {
    for site in sites {
        site.command(command.clone()).await;
    }
}

/// SPEC 2.3: what is not finished is left, and who waits for it is told so.
async fn give_up(sites: &[Running], why: &str) {
    warn!("{why}; what is not finished is given up");
    command(sites, Command::GiveUp).await;
    tokio::time::sleep(PARTING).await;
    // A call for help that has come since.
    command(sites, Command::GiveUp).await;
}

/// All at once: a site that has nothing left to do still answers another that has.
async fn all_idle(sites: &mut [Running]) {
    loop {
        for site in sites.iter_mut() {
            site.idle().await;
        }
        if sites.iter().all(Running::is_idle) {
            return;
        }
    }
}
