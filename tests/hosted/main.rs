//! Whole requests through `web::handle`, natively: the real SQL on SQLite, the simulator behind every upstream call, a clock
//! and a random source that the test holds.

mod support;

mod authorize;
mod bearer;
mod consent;
mod metadata;
mod protocol;
mod purge;
mod refresh;
mod registration;
mod resources;
mod revoke;
mod token;
mod tools;
