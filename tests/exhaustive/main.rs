//! The rules of authorization and of writes, explored in every order: two parties that follow the rules, a thief, lost answers, an
//! outage, and any delay between them.
//!
//! Nothing is written a second time: `engine` runs the product's own handlers with its own statements on SQLite, one use of a port at
//! a time. `connection` has the states and actions of one connection's tokens, `publication` those of one write through two
//! connections; `refreshes`, `writes` and `limits` have the properties, and the weakened rules that break them. Rate limits, the admin page's
//! forms and the sign-in are left out: they have tests of their own.

#![allow(clippy::print_stdout, reason = "the counts of states are what this test is run for")]
#![allow(clippy::format_push_string, reason = "as in the other tests with this support")]

mod canonical;
mod connection;
mod database;
mod decisions;
mod engine;
mod exploration;

mod interned;
mod limits;
mod observations;
mod ports;
mod publication;
mod refreshes;
mod requests;
#[path = "../support/mod.rs"]
#[allow(dead_code, reason = "the other requests of the tests need the rest of it")]
mod support;
mod weakened;
mod writes;
