//! The operator's API: HTTP/1.1 with JSON, health and metrics, for the sites of this process (SPEC 12.2).
//!
//! ```text
//! request ─ door (Host, token, Origin, Content-Type) ─┬─ health, metrics, sites, users   read from handles, never from a site's thread
//!                                                     └─ orders, changes                 logout, dial, reload, reset
//! ```
//!
//! `server` bounds the connections. `cli/run` binds the sockets, starts [`serve`] on a thread of its own, and is the [`Process`] that is asked. What it shows are
//! committed facts. Errors are JSON with `error` and `hint`; no answer names a password, hash or secret, and none allows another
//! origin to read it. Out of scope: TLS (a proxy in front does that), what other processes know (they are named as `elsewhere`).

mod changes;
mod counters;
mod door;
mod fault;
mod metrics;
mod orders;
mod places;
mod server;
mod sites;
mod users;

use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;

use axum::extract::DefaultBodyLimit;
use axum::http::Uri;
use axum::routing::{get, post};
use axum::{Router, middleware};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::runtime;
use tokio::sync::oneshot;

pub use self::counters::Counters;
use self::door::Door;
use self::fault::Fault;
use self::places::Places;
use crate::ids::SiteName;
use crate::net::Handle;
use crate::node::Config;

/// Largest body of a request in bytes.
const BODY: usize = 16 * 1024;

/// What `POST /api/dial` asks.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dial {
    /// The site where the phone is.
    pub site: String,
    /// Who dials.
    pub user: String,
    /// What is dialled.
    pub digits: String,
    /// When, in local time of the site; now if not said.
    #[serde(default)]
    pub at: Option<String>,
}

/// The process behind the API.
pub trait Process: Send + Sync + 'static {
    /// The sites that it serves, as configured now; at least one.
    fn configs(&self) -> Vec<Config>;
    /// Handles on them.
    fn handles(&self) -> &[Handle];
    /// What happened so far at one of them.
    fn counters(&self, site: &SiteName) -> Option<Arc<Counters>>;
    /// What `hotdesk dial --json` prints, or why it can't say.
    ///
    /// # Errors
    ///
    /// What is wrong with the question.
    fn dial(&self, asked: &Dial) -> Result<Value, String>;
    /// Reads the configuration anew; what becomes of it is sent. `None`: the process is ending.
    fn reload(&self) -> Option<oneshot::Receiver<Result<(), Vec<String>>>>;
}

type Asked = Arc<dyn Process>;

/// Serves the API at these sockets, on a thread of its own, for as long as the process lives.
///
/// # Errors
///
/// The thread or its runtime can't be made.
pub fn serve(listeners: Vec<TcpListener>, process: Asked) -> io::Result<()> {
    let runtime = runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
    let mut servers = Vec::new();
    for listener in listeners {
        listener.set_nonblocking(true)?;
        let door = Door { address: listener.local_addr()?, process: Arc::clone(&process) };
        let _here = runtime.enter();
        servers.push((tokio::net::TcpListener::from_std(listener)?, router(door)));
    }
    thread::Builder::new().name("admin".to_owned()).spawn(move || {
        runtime.block_on(async move {
            let mut tasks = Vec::new();
            for (listener, router) in servers {
                // It ends with the process.
                tasks.push(tokio::spawn(server::serve(listener, router)));
            }
            for task in tasks {
                let _ = task.await;
            }
        });
    })?;
    Ok(())
}

fn router(door: Door) -> Router {
    let state = Places(Arc::clone(&door.process));
    Router::new()
        .route("/healthz", get(sites::healthz))
        .route("/metrics", get(metrics::metrics))
        .route("/api/sites", get(sites::sites))
        .route("/api/calls", get(sites::calls))
        .route("/api/links", get(sites::links))
        .route("/api/users", get(users::users))
        .route("/api/users/{extension}", get(users::user))
        .route("/api/users/{extension}/logout", post(orders::logout))
        .route("/api/users/{extension}/reset", post(changes::reset))
        .route("/api/visitors", get(users::visitors))
        .route("/api/visitors/logout", post(orders::log_visitors_out))
        .route("/api/dial", post(orders::dial))
        .route("/api/reload", post(orders::reload))
        .fallback(nothing_here)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(BODY))
        .layer(middleware::from_fn_with_state(Arc::new(door), door::pass))
        .with_state(state)
}

async fn nothing_here(uri: Uri) -> Fault {
    let hint = "there are /healthz, /metrics, /api/sites, /api/users, /api/visitors, /api/calls, /api/links";
    Fault::not_found(format!("there is nothing at {}", uri.path()), hint)
}

async fn wrong_method() -> Fault {
    Fault::new(405, "this is not asked for by that method", "orders are given by POST, all else is read by GET")
}
