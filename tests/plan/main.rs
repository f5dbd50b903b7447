//! The dial plan, from outside: the conformance table, the matcher against a naive reference, and both sides of every rule of SPEC §6.

mod sample;

mod ars;
mod break_out;
mod calling;
mod clauses;
mod conformance;
mod emergency;
mod errors;
mod expect;
mod incoming;
mod lint;
mod order;
mod reference;
mod trace;
