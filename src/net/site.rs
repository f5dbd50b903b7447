//! A running site: its thread, and the handle by which the process speaks to it.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::thread;

use tokio::runtime;
use tokio::sync::{mpsc, oneshot, watch};

use super::clock;
use super::driver::Driver;
use super::tap::Tap;
use super::udp::{Bound, Sockets};
use crate::event::Event;
use crate::ids::SiteName;
use crate::location::Store;
use crate::node::{Command, Config, Node, Restored};
use crate::timing::Now;

/// Who is told what happens at a site, on the site's own thread: it must not block.
pub type Tell = Box<dyn FnMut(Now, Event) + Send>;

/// Orders that wait for a site; an operator gives few.
const ORDERS: usize = 16;

/// What a site needs in order to run.
pub struct Site {
    /// Its configuration.
    pub config: Config,
    /// Its sockets, in the order of `listen`.
    pub sockets: Vec<Bound>,
    /// Where its changes become durable.
    pub store: Box<dyn Store>,
    /// What was stored before.
    pub restored: Restored,
    /// Secret and fresh: everything random comes from it.
    pub seed: [u8; 32],
    /// Who is told what happens.
    pub tell: Tell,
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
    orders: mpsc::Sender<Order>,
    idle: watch::Receiver<bool>,
    ended: oneshot::Receiver<()>,
    thread: thread::JoinHandle<()>,
}

/// Starts a site on a thread of its own.
pub fn start(site: Site) -> io::Result<Running> {
    let name = site.config.site.name.clone();
    let (orders, receiver) = mpsc::channel(ORDERS);
    let (idle_sender, idle) = watch::channel(false);
    let (end, ended) = oneshot::channel();
    let runtime = runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
    let sockets = {
        let _here = runtime.enter();
        Sockets::new(site.sockets)?
    };
    let thread = thread::Builder::new().name(format!("site {name}")).spawn(move || {
        runtime.block_on(async move {
            let now = clock::now();
            let mut node = Node::new(site.config, now, site.seed);
            node.restore(now, site.restored);
            Driver::new(node, sockets, site.store, receiver, site.tell, idle_sender).serve().await;
        });
        let _ = end.send(());
    })?;
    Ok(Running { name, orders, idle, ended, thread })
}

impl Running {
    /// Gives the node a command. A site that has ended takes none.
    pub async fn command(&self, command: Command) {
        let _ = self.orders.send(Order::Command(command)).await;
    }

    /// Shows the tap every datagram from now on; `None` takes the tap away. There is one at a time.
    pub async fn tap(&self, tap: Option<Tap>) {
        let _ = self.orders.send(Order::Tap(tap)).await;
    }

    /// Ready when the site has ended, which it does only when its thread broke. Not to be asked again then.
    pub fn poll_ended(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.ended).poll(cx).map(drop)
    }

    /// Until the site, which was told to drain, has nothing left to do; it goes on serving.
    pub async fn idle(&mut self) {
        // A site that has ended does nothing.
        let _ = self.idle.wait_for(|idle| *idle).await;
    }

    /// Whether it has nothing left to do at this moment, or has ended.
    pub fn is_idle(&self) -> bool {
        *self.idle.borrow() || self.idle.has_changed().is_err()
    }

    /// Ends the site now, whatever it is doing.
    pub fn stop(self) {
        let _ = self.orders.try_send(Order::Stop);
        drop(self.orders);
        let _ = self.thread.join();
    }
}
