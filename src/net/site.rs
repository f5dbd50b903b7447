//! A running site: its threads, one for each shard, and the handle by which the process speaks to it.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread;

use tokio::runtime;
use tokio::sync::{mpsc, oneshot, watch};

use super::clock;
use super::driver::Driver;
use super::handle::{Gauges, Handle};
use super::resolver::Resolver;
use super::siblings::{HandoverDrops, Siblings};
use super::tap::Tap;
use super::udp::{Bound, Sockets};
use crate::event::Event;
use crate::guarded::Guarded;
use crate::ids::SiteName;
use crate::location::Store;
use crate::node::{Command, Config, Node, Overview, Restored};
use crate::timing::Now;

/// Who is told what happens at a site, on the thread where it happens and one thing at a time: it must not block.
pub type Tell = Box<dyn FnMut(Now, Event) + Send>;

/// Orders that wait for a site; an operator gives few.
const ORDERS: usize = 16;

/// What a site needs in order to run.
pub struct Site {
    /// Its configuration.
    pub config: Config,
    /// What each of its shards needs, at least one: as many shards run.
    pub posts: Vec<Post>,
    /// What was stored before.
    pub restored: Restored,
    /// Secret and fresh: everything random comes from it.
    pub seed: [u8; 32],
    /// Who is told what happens.
    pub tell: Tell,
}

/// What one shard touches.
pub struct Post {
    /// Its sockets, in the order of `listen`.
    pub sockets: Vec<Bound>,
    /// Where its changes become durable: those of its AORs, in its own numbering.
    pub store: Box<dyn Store>,
}

/// What the process asks of a site's loop.
pub enum Order {
    /// For the node.
    Command(Command),
    /// Shows the tap every datagram from now on, or shows nobody any.
    Tap(Option<Tap>),
    /// End now.
    Stop,
}

/// A site that runs.
pub struct Running {
    /// The site.
    pub name: SiteName,
    shards: Vec<Shard>,
    overview: Overview,
    handover_drops: HandoverDrops,
}

/// One of its shards.
struct Shard {
    orders: mpsc::Sender<Order>,
    gauges: Arc<Gauges>,
    idle: watch::Receiver<bool>,
    ended: oneshot::Receiver<()>,
    thread: thread::JoinHandle<()>,
}

/// Starts a site, each of its shards on a thread of its own.
pub fn start(site: Site) -> io::Result<Running> {
    let (name, resolvers) = (site.config.site.name.clone(), site.config.network.resolvers.clone());
    let count = u8::try_from(site.posts.len()).map_err(io::Error::other)?;
    let now = clock::now();
    let mut nodes = Node::shards(site.config, now, site.seed, count);
    Node::restore_shards(&mut nodes, now, site.restored);
    let overview = nodes.first().map(Node::overview).ok_or_else(|| io::Error::other("a site without shards"))?;
    let (siblings, handover_drops) = Siblings::of(nodes.len());
    let (alone, tell) = (count == 1, Arc::new(Guarded::new(site.tell)));
    let mut shards = Vec::new();
    for ((id, node), (post, siblings)) in nodes.into_iter().enumerate().zip(site.posts.into_iter().zip(siblings)) {
        let thread = if alone { format!("site {name}") } else { format!("site {name} {id}") };
        let tell = Arc::clone(&tell);
        let tell: Tell = Box::new(move |now, event| tell.with(|tell| tell(now, event)));
        shards.push(Shard::start(thread, node, post, siblings, Resolver::new(&resolvers), tell)?);
    }
    Ok(Running { name, shards, overview, handover_drops })
}

impl Shard {
    fn start(
        name: String,
        node: Node,
        post: Post,
        siblings: Siblings,
        resolver: Resolver,
        tell: Tell,
    ) -> io::Result<Self> {
        let (orders, receiver) = mpsc::channel(ORDERS);
        let (idle_sender, idle) = watch::channel(false);
        let gauges = Arc::new(Gauges::of(&*post.store));
        let told = Arc::clone(&gauges);
        let (end, ended) = oneshot::channel();
        let runtime = runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
        let sockets = {
            let _here = runtime.enter();
            Sockets::new(post.sockets)?
        };
        let thread = thread::Builder::new().name(name).spawn(move || {
            runtime.block_on(async move {
                Driver::new(node, sockets, siblings, post.store, resolver, receiver, tell, idle_sender, told)
                    .serve()
                    .await;
            });
            let _ = end.send(());
        })?;
        Ok(Self { orders, gauges, idle, ended, thread })
    }

    fn is_idle(&self) -> bool {
        *self.idle.borrow() || self.idle.has_changed().is_err()
    }
}

impl Running {
    /// Gives every shard's node a command. A site that has ended takes none.
    pub async fn command(&self, command: Command) {
        for shard in &self.shards {
            let _ = shard.orders.send(Order::Command(command.clone())).await;
        }
    }

    /// A handle for other threads.
    pub fn handle(&self) -> Handle {
        let shards = self.shards.iter().map(|shard| (shard.orders.downgrade(), Arc::clone(&shard.gauges))).collect();
        Handle { name: self.name.clone(), overview: self.overview.clone(), shards }
    }

    /// Shows the tap every datagram from now on; `None` takes the tap away. There is one at a time.
    pub async fn tap(&self, tap: Option<Tap>) {
        let tap = tap.map(|tap| Arc::new(Guarded::new(tap)));
        for shard in &self.shards {
            let own = tap.clone().map(|tap| -> Tap { Box::new(move |seen| tap.with(|tap| tap(seen))) });
            let _ = shard.orders.send(Order::Tap(own)).await;
        }
    }

    /// Ready when one of the site's shards has ended, which it does only when its thread broke. Not to be asked again then.
    pub fn poll_ended(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // All are asked, so that all know whom to wake.
        let ended = self.shards.iter_mut().filter_map(|shard| match Pin::new(&mut shard.ended).poll(cx) {
            Poll::Ready(_) => Some(()),
            Poll::Pending => None,
        });
        if ended.count() > 0 { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Until the site, which was told to drain, has nothing left to do; it goes on serving.
    pub async fn idle(&mut self) {
        while !self.is_idle() {
            for shard in &mut self.shards {
                // A shard that has ended does nothing.
                let _ = shard.idle.wait_for(|idle| *idle).await;
            }
        }
    }

    /// Whether it has nothing left to do at this moment, or has ended.
    pub fn is_idle(&self) -> bool {
        self.shards.iter().all(Shard::is_idle)
    }

    /// What tells how many packets and errands one shard had no room for when another had them for it.
    pub fn handover_drops(&self) -> HandoverDrops {
        self.handover_drops.clone()
    }

    /// Ends the site now, whatever it is doing.
    pub fn stop(self) {
        for shard in &self.shards {
            let _ = shard.orders.try_send(Order::Stop);
        }
        for Shard { orders, thread, .. } in self.shards {
            drop(orders);
            let _ = thread.join();
        }
    }
}
