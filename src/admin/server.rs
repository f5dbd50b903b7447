//! The connections to the API: how many there are at once, and how long each may take (SPEC 12.2). Whoever connects and says nothing keeps
//! neither the operator nor the rest of the process (file descriptors, for the ports of tones too) from anything for long.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tracing::warn;

/// Most connections at one address. More of them wait until the system accepts no more.
const MOST: usize = 64;
/// So long the head of a request may take, and the pause before the next one.
const HEAD: Duration = Duration::from_secs(10);
/// After so long a connection takes no further request, and after as long again it is cut, whatever it does.
const LIFE: Duration = Duration::from_secs(60);
/// When no connection can be accepted (no file descriptor is free), it is tried again after so long.
const AGAIN: Duration = Duration::from_secs(1);

/// Serves what connects, for as long as the process lives.
pub(super) async fn serve(listener: TcpListener, router: Router) {
    let places = Arc::new(Semaphore::new(MOST));
    loop {
        let place = Arc::clone(&places).acquire_owned().await.expect("nobody closes it");
        match listener.accept().await {
            Ok((stream, _)) => {
                let router = router.clone();
                tokio::spawn(async move {
                    attend(stream, router).await;
                    drop(place);
                });
            }
            Err(why) => {
                warn!("the API can't accept a connection: {why}");
                sleep(AGAIN).await;
            }
        }
    }
}

async fn attend(stream: TcpStream, router: Router) {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD);
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router)));
    // How it ends is the other side's affair.
    if timeout(LIFE, connection.as_mut()).await.is_err() {
        connection.as_mut().graceful_shutdown();
        let _ = timeout(LIFE, connection).await;
    }
}
