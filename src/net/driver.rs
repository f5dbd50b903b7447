//! The loop of one site, or of one of its shards. It decides nothing: it carries what came to the node, and what the node gives out to the world.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, watch};
use tokio::time::{Sleep, sleep_until};

use super::clock;
use super::handle::Gauges;
use super::resolver::Resolver;
use super::rtp::RtpPorts;
use super::siblings::Siblings;
use super::site::{Order, Tell};
use super::tap::{Seen, Tap, Way};
use super::udp::{Sent, Sockets};
use crate::location::{Store, Stored};
use crate::node::{Command, Node};
use crate::timing::Now;
use crate::trunk::Resolved;

/// Datagrams of one socket, or handovers, that are handled before what follows from them is sent.
const BATCH: usize = 64;

/// What waits for a full socket is tried again after so long.
const RESUME: Duration = Duration::from_millis(1);

/// The node of one shard and all that it touches.
pub struct Driver {
    node: Node,
    sockets: Sockets,
    rtp: RtpPorts,
    siblings: Siblings,
    store: Box<dyn Store>,
    resolver: Resolver,
    /// What has been looked up, for the node.
    resolved: Vec<(String, Resolved)>,
    /// Where nobody listens, for the node.
    nobody: Vec<SocketAddr>,
    orders: mpsc::Receiver<Order>,
    tell: Tell,
    tap: Option<Tap>,
    alarm: Alarm,
    draining: bool,
    idle: watch::Sender<bool>,
    gauges: Arc<Gauges>,
}

impl Driver {
    /// A shard that is ready to run, in the runtime that this is called in. While it drains it says by `idle` whether it is.
    #[expect(clippy::too_many_arguments, reason = "each is one thing that the loop touches")]
    pub fn new(
        node: Node,
        sockets: Sockets,
        siblings: Siblings,
        store: Box<dyn Store>,
        resolver: Resolver,
        orders: mpsc::Receiver<Order>,
        tell: Tell,
        idle: watch::Sender<bool>,
        gauges: Arc<Gauges>,
    ) -> Self {
        let (alarm, draining, tap, resolved, nobody) = (Alarm::new(), false, None, Vec::new(), Vec::new());
        let rtp = RtpPorts::new(sockets.addresses().collect());
        Self {
            node,
            sockets,
            rtp,
            siblings,
            store,
            resolver,
            resolved,
            nobody,
            orders,
            tell,
            tap,
            alarm,
            draining,
            idle,
            gauges,
        }
    }

    /// Wait; read the clock; take what came; fire what is due; hand out what follows. Ends when told to.
    pub async fn serve(mut self) {
        self.hand_out(clock::now());
        loop {
            let order = self.wait().await;
            let now = clock::now();
            match order {
                None => self.take_in(now),
                Some(Order::Command(command)) => self.command(now, command),
                Some(Order::Tap(tap)) => self.tap = tap,
                Some(Order::Stop) => return,
            }
            if self.node.poll_timeout().is_some_and(|due| due <= now.instant) {
                self.node.handle_timeout(now);
            }
            self.hand_out(now);
            self.gauges.note(self.node.load());
            if self.draining {
                let idle = self.node.is_idle() && !self.sockets.is_waiting() && self.siblings.is_idle();
                self.idle.send_if_modified(|was| std::mem::replace(was, idle) != idle);
            }
        }
    }

    /// Until an order comes (then it is returned), a socket is ready, something is handed over or looked up, or the node's next timer is
    /// due.
    async fn wait(&mut self) -> Option<Order> {
        let due = self.node.poll_timeout();
        // A full socket is tried again after a moment.
        let full = self.sockets.is_waiting().then(|| clock::now().instant + RESUME);
        let due = due.into_iter().chain(full).min();
        poll_fn(|cx| {
            if let Poll::Ready(order) = self.orders.poll_recv(cx) {
                // Nobody is left who could give orders: the process is going.
                return Poll::Ready(Some(order.unwrap_or(Order::Stop)));
            }
            // All are always asked, so that all know whom to wake.
            let (io, timer) = (self.sockets.poll_ready(cx), self.alarm.poll(cx, due));
            let (handed_over, news) = (self.siblings.poll_ready(cx), self.store.poll_news(cx));
            let looked_up = self.resolver.poll_answer(cx).map(|answer| self.resolved.push(answer));
            let nobody = self.sockets.poll_nobody(cx).map(|remote| self.nobody.push(remote));
            let ready = [io, timer, handed_over, news, looked_up, nobody].iter().any(Poll::is_ready);
            if ready { Poll::Ready(None) } else { Poll::Pending }
        })
        .await
    }

    fn take_in(&mut self, now: Now) {
        for _ in 0..BATCH {
            let Some(handover) = self.siblings.take() else { break };
            self.node.handle_handover(now, handover);
        }
        for (name, resolved) in std::mem::take(&mut self.resolved) {
            self.node.handle_resolved(now, &name, resolved);
        }
        for id in self.sockets.ids() {
            for _ in 0..BATCH {
                let Some((flow, datagram)) = self.sockets.receive(id) else { break };
                if let Some(tap) = &mut self.tap {
                    tap(Seen { now, way: Way::In, flow, bytes: &datagram });
                }
                self.node.handle_datagram(now, flow, datagram);
            }
        }
        // After what has come: who has answered is there.
        for remote in std::mem::take(&mut self.nobody) {
            self.node.handle_nobody(now, remote);
        }
    }

    fn command(&mut self, now: Now, command: Command) {
        self.draining |= matches!(command, Command::Drain);
        self.node.handle_command(now, command);
    }

    fn hand_out(&mut self, now: Now) {
        self.sockets.resume();
        self.make_durable(now);
        self.play(now);
        while let Some(transmit) = self.node.poll_transmit() {
            let remote = transmit.flow.remote;
            if let Some(tap) = &mut self.tap {
                tap(Seen { now, way: Way::Out, flow: transmit.flow, bytes: &transmit.bytes });
            }
            match self.sockets.send(transmit) {
                Sent::Taken | Sent::Dropped => {}
                Sent::Unreachable => {
                    self.node.handle_unreachable(now, remote);
                    self.make_durable(now);
                    self.play(now);
                }
            }
        }
        while let Some(name) = self.node.poll_lookup() {
            self.resolver.ask(name);
        }
        while let Some(handover) = self.node.poll_handover() {
            self.siblings.give(handover);
        }
        while let Some(event) = self.node.poll_event() {
            (self.tell)(now, event);
        }
    }

    /// Opens and closes ports for RTP, and sends by them.
    fn play(&mut self, now: Now) {
        while let Some(media) = self.node.poll_media() {
            if let Some((port, is_open)) = self.rtp.obey(media) {
                self.node.handle_port(now, port, is_open);
            }
        }
    }

    fn make_durable(&mut self, now: Now) {
        loop {
            while let Some(op) = self.node.poll_store() {
                self.store.stage(op);
            }
            match self.store.stored() {
                Some(Stored::UpTo(id)) => self.node.handle_stored(now, id),
                Some(Stored::Failed(id)) => self.node.handle_store_failed(now, id),
                None => return,
            }
        }
    }
}

/// The runtime's timer for the node's next deadline. Moving it costs more than a look, and deadlines move with every message:
/// it is set again only when the deadline got earlier, or when it rang before the time.
struct Alarm {
    sleep: Pin<Box<Sleep>>,
    set: Option<Instant>,
}

impl Alarm {
    fn new() -> Self {
        Self { sleep: Box::pin(sleep_until(clock::now().instant.into())), set: None }
    }

    /// Ready at `due` or, by the runtime's clock, up to a millisecond later.
    fn poll(&mut self, cx: &mut Context<'_>, due: Option<Instant>) -> Poll<()> {
        let Some(due) = due else { return Poll::Pending };
        loop {
            if self.set.is_none_or(|set| due < set) {
                self.sleep.as_mut().reset(due.into());
                self.set = Some(due);
            }
            let Poll::Ready(()) = self.sleep.as_mut().poll(cx) else { return Poll::Pending };
            if self.set.take() == Some(due) {
                return Poll::Ready(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(alarm: &mut Alarm, due: Instant) -> impl Future<Output = Duration> {
        let start = clock::now().instant;
        poll_fn(move |cx| alarm.poll(cx, Some(due)).map(|()| clock::now().instant - start))
    }

    #[tokio::test]
    async fn the_alarm_follows_a_deadline_that_moves_both_ways() {
        let mut alarm = Alarm::new();
        let start = clock::now().instant;
        let at = |ms| start + Duration::from_millis(ms);
        let mut cx = Context::from_waker(std::task::Waker::noop());
        assert!(alarm.poll(&mut cx, Some(at(10_000))).is_pending());
        ring(&mut alarm, at(20)).await;
        assert!(clock::now().instant >= at(20));
        // A busy machine may be late, but not by so much.
        let start = clock::now().instant;
        let at = |ms| start + Duration::from_millis(ms);
        assert!(alarm.poll(&mut cx, Some(at(300))).is_pending());
        ring(&mut alarm, at(400)).await;
        assert!(clock::now().instant >= at(400));
        assert!(clock::now().instant < at(9_000));
    }

    #[tokio::test]
    async fn a_deadline_in_the_past_rings_at_once() {
        let mut alarm = Alarm::new();
        let now = clock::now().instant;
        assert!(ring(&mut alarm, now).await < Duration::from_secs(1));
        assert!(ring(&mut alarm, now).await < Duration::from_secs(1));
        assert!(alarm.poll(&mut Context::from_waker(std::task::Waker::noop()), None).is_pending());
    }
}
