//! Host names of trunks and of voicemail, looked up by DNS: A and AAAA, with their TTL.
//!
//! The node says which name it wants to know ([`Node::poll_lookup`](crate::node::Node::poll_lookup)) and is told what came of it. The
//! name servers are those of the configuration, else those of `/etc/resolv.conf`, which is read anew each time. A name counts as it is
//! written: no search domains, no `hosts` file, no SRV (SPEC 3).

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use domain::base::iana::{Rcode, Rtype};
use domain::base::name::{FromStrError, Name, ToName};
use domain::base::wire::ParseError;
use domain::rdata::{A, Aaaa};
use domain::resolv::StubResolver;
use domain::resolv::stub::Answer;
use domain::resolv::stub::conf::{ResolvConf, ServerConf, Transport};
use tokio::sync::mpsc;

use crate::trunk::Resolved;

/// The longest that anybody waits for the name servers, all of them together.
const PATIENCE: Duration = Duration::from_secs(10);
/// Answers that wait for the node; there are as many as names, at most.
const ANSWERS: usize = 64;

/// What is being looked up.
pub struct Resolver {
    servers: Arc<[SocketAddr]>,
    tell: mpsc::Sender<(String, Resolved)>,
    answers: mpsc::Receiver<(String, Resolved)>,
}

/// Why there is no answer that counts.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("it is no name: {0}")]
    Name(#[from] FromStrError),
    #[error("no name server answers: {0}")]
    Silent(#[from] io::Error),
    #[error("the answer can't be read: {0}")]
    Unreadable(#[from] ParseError),
    #[error("the name server says {0}")]
    Refused(Rcode),
    #[error("no answer in {PATIENCE:?}")]
    Late,
}

/// Addresses of one kind, and how many seconds they are good.
type Found = Result<(Vec<IpAddr>, u32), Failure>;

impl Resolver {
    /// Asks these name servers; without any those of the machine.
    pub fn new(servers: &[SocketAddr]) -> Self {
        let (tell, answers) = mpsc::channel(ANSWERS);
        Self { servers: servers.into(), tell, answers }
    }

    /// Begins to look a name up, in the runtime that this is called in.
    pub fn ask(&self, name: String) {
        let (servers, tell) = (Arc::clone(&self.servers), self.tell.clone());
        tokio::spawn(async move {
            let resolved = look_up(&servers, &name).await;
            // Nobody listens: the site has ended.
            let _ = tell.send((name, resolved)).await;
        });
    }

    /// The next answer.
    pub fn poll_answer(&mut self, cx: &mut Context<'_>) -> Poll<(String, Resolved)> {
        match self.answers.poll_recv(cx) {
            Poll::Ready(Some(answer)) => Poll::Ready(answer),
            // `tell` is here: it never ends.
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }
}

async fn look_up(servers: &[SocketAddr], name: &str) -> Resolved {
    let resolver = StubResolver::from_conf(configuration(servers));
    let both = pin!(async { tokio::join!(v4(&resolver, name), v6(&resolver, name)) });
    let (v4, v6) = match within(both).await {
        Ok(both) => both,
        Err(late) => (Err(late), Err(Failure::Late)),
    };
    let resolved = together(v4, v6);
    tracing::debug!(name, ?resolved, "looked up");
    resolved
}

/// What both questions have come to. One that failed does no harm where the other has an address.
fn together(v4: Found, v6: Found) -> Resolved {
    let none = |found: &Found| found.as_ref().is_ok_and(|(addresses, _)| addresses.is_empty());
    if none(&v4) && none(&v6) {
        return Resolved::Addresses(Vec::new(), Duration::ZERO);
    }
    let found = [v4, v6].into_iter().filter_map(|found| match found {
        Ok((addresses, ttl)) => (!addresses.is_empty()).then_some((addresses, ttl)),
        Err(failure) => {
            tracing::debug!(%failure, "a name could not be looked up");
            None
        }
    });
    let (mut all, mut least) = (Vec::new(), u32::MAX);
    for (addresses, ttl) in found {
        all.extend(addresses);
        least = least.min(ttl);
    }
    if all.is_empty() { Resolved::Failed } else { Resolved::Addresses(all, Duration::from_secs(u64::from(least))) }
}

async fn within<T>(future: impl Future<Output = T>) -> Result<T, Failure> {
    tokio::time::timeout(PATIENCE, future).await.map_err(|_| Failure::Late)
}

fn configuration(servers: &[SocketAddr]) -> ResolvConf {
    if servers.is_empty() {
        return ResolvConf::default();
    }
    let mut conf = ResolvConf::new();
    conf.servers = servers.iter().map(|server| ServerConf::new(*server, Transport::UdpTcp)).collect();
    conf.finalize();
    conf
}

async fn v4(resolver: &StubResolver, name: &str) -> Found {
    let answer = ask(resolver, name, Rtype::A).await?;
    let Some(owner) = answer.canonical_name() else { return Ok((Vec::new(), 0)) };
    let (mut found, mut ttl) = (Vec::new(), u32::MAX);
    for record in answer.answer()?.limit_to::<A>() {
        let record = record?;
        if record.owner().name_eq(&owner) {
            found.push(IpAddr::V4(record.data().addr()));
            ttl = ttl.min(record.ttl().as_secs());
        }
    }
    Ok((found, ttl))
}

async fn v6(resolver: &StubResolver, name: &str) -> Found {
    let answer = ask(resolver, name, Rtype::AAAA).await?;
    let Some(owner) = answer.canonical_name() else { return Ok((Vec::new(), 0)) };
    let (mut found, mut ttl) = (Vec::new(), u32::MAX);
    for record in answer.answer()?.limit_to::<Aaaa>() {
        let record = record?;
        if record.owner().name_eq(&owner) {
            found.push(IpAddr::V6(record.data().addr()));
            ttl = ttl.min(record.ttl().as_secs());
        }
    }
    Ok((found, ttl))
}

/// RFC 1035 §4.1.1: only these two codes say something of the name.
async fn ask(resolver: &StubResolver, name: &str, rtype: Rtype) -> Result<Answer, Failure> {
    let answer = resolver.query((Name::vec_from_str(name)?, rtype)).await?;
    match answer.header().rcode() {
        Rcode::NOERROR | Rcode::NXDOMAIN => Ok(answer),
        refused => Err(Failure::Refused(refused)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(last: &[u8], ttl: u32) -> Found {
        Ok((last.iter().map(|last| IpAddr::from([192, 0, 2, *last])).collect(), ttl))
    }

    #[test]
    fn one_kind_of_address_is_enough_and_the_shorter_ttl_counts() {
        let addresses = |last: &[u8], ttl| {
            let all = last.iter().map(|last| IpAddr::from([192, 0, 2, *last])).collect();
            Resolved::Addresses(all, Duration::from_secs(ttl))
        };
        assert_eq!(together(found(&[1], 60), found(&[2], 30)), addresses(&[1, 2], 30));
        assert_eq!(together(found(&[1], 60), found(&[], 0)), addresses(&[1], 60));
        assert_eq!(together(found(&[1], 60), Err(Failure::Late)), addresses(&[1], 60));
        assert_eq!(together(found(&[], 0), found(&[], 0)), addresses(&[], 0));
        assert_eq!(together(found(&[], 0), Err(Failure::Late)), Resolved::Failed);
        assert_eq!(together(Err(Failure::Late), Err(Failure::Refused(Rcode::SERVFAIL))), Resolved::Failed);
    }
}
