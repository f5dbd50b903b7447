//! Hotdesk: a SIP registrar and proxy for a network of sites.
//!
//! Each site is its own SIP system with its own users, trunks and short-code dial plan. A user who is configured at one site
//! (home) logs in at another (visited) by an ordinary REGISTER there; calls follow, and what the user dials goes by the visited
//! site's plan. A site's whole behaviour is a plain value without socket, clock, file or randomness of its own, the
//! [`Node`](node::Node) (or several, its shards, that share one value and hand over to each other what another owns); production is
//! a thin shell round it, a test is a world of several.
//!
//! # Floors
//!
//! Imports go down only, siblings do not know each other (`tests/floors.rs` reads the sources and says so):
//!
//! ```text
//! 5 faces     main  cli/(run check dial who logout reset demo hash secret)  admin/(the operator's API)
//! 4 world     config/(raw serde → validated)  net/(udp, nobody, rtp, driver, siblings, resolver)  storage/(redb)  telemetry  shutdown
//! 3 building  node/(owns all of the below, wiring only)  event  phone/(the other side of the wire: demo and tests)
//! 2 roles     registrar/  hot_desk/(home, visited, joined, desk, renewal, lately, schedule, licence)  proxy/(source, targets, diversion, forward, context,
//!             loops, calls)  service/(what the site answers itself: subscription, reg_info, own_call, tone, setting)
//! 1 machines  transaction/  location/(records, table, ledger)  plan/  link/(token, answer, seal, peer, proof)  auth/
//!             trunk/(health, names, queue, challenge, shifts, registration)
//! 0 words     sip/(the wire)  settings/  ids  digits  timing  transmit  deadlines  alarms  guarded  pages  rejection
//! ```
//!
//! # The journey of a REGISTER
//!
//! [`net`] reads a datagram and calls [`Node::handle_datagram`](node::Node::handle_datagram); [`sip::parse`] reads it once;
//! [`transaction::Transactions::hear_request`] absorbs copies. `node/receive` finds that it is a phone's,
//! [`registrar::named`] for whom. For a user of this site `node/admit` checks the digest ([`auth::Authenticator`]),
//! [`registrar::judge`] says what becomes of the bindings, [`hot_desk::at_home`] what that means for a user who is elsewhere. For
//! a visitor's first REGISTER `node/login` asks the home site over the link ([`link`]), which takes the login
//! ([`hot_desk::login`]) and answers with what travels; [`hot_desk::arrive`] makes the visitor. Either way the new
//! [`location::Record`] is staged in the [`location::Ledger`]; the answer, the notices to other sites and the events wait until the
//! shell says with [`Node::handle_stored`](node::Node::handle_stored) that it is durable.
//!
//! # The journey of an INVITE
//!
//! `node/phones` looks for an emergency number first, then proves the caller; [`plan::Plan::route`] decides what was dialled;
//! `node/route` turns the decision into [`proxy::Stage`]s of targets: phones by `q`, another site by its claims, trunks in order;
//! `node/forwards` knows what is tried when they fail (a user's forwards, the next of a group).
//! `node/call` sends the branches ([`proxy::forward_request`] writes each once), the response context ([`proxy::Context`]) says
//! what is passed on and when the next stage begins. A trunk that fails or asks who calls is for `node/gateways` and `node/carriers`
//! ([`trunk`]), a caller for whom no line is free for `node/waiting`. A code that the site serves itself ([`service`]) goes to
//! `node/features`: `node/desk` seats a user at a phone, `node/changing` sets what it asks for, and a tone says that it is done.
//! Later requests of the dialog come back by the proof in our Record-Route ([`link::proof`]), which `node/dialog` opens: they go to
//! the other peer and nowhere else.

pub mod admin;
pub mod alarms;
pub mod auth;
pub mod cli;
pub mod config;
pub mod deadlines;
pub mod digits;
pub mod event;
pub mod guarded;
pub mod hot_desk;
pub mod ids;
pub mod link;
pub mod location;
pub mod net;
pub mod node;
pub mod pages;
pub mod phone;
pub mod plan;
pub mod proxy;
pub mod registrar;
pub mod rejection;
pub mod service;
pub mod settings;
pub mod shutdown;
pub mod sip;
pub mod storage;
pub mod telemetry;
pub mod timing;
pub mod transaction;
pub mod transmit;
pub mod trunk;
