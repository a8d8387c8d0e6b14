//! Whole requests through `web::handle`, natively: the real SQL on SQLite, the simulator behind every upstream call, a clock
//! and a random source that the test holds.

#![allow(
    clippy::needless_pass_by_value,
    clippy::duration_suboptimal_units,
    clippy::format_push_string,
    reason = "a story reads best with `json!(…)` in the call and seconds beside seconds"
)]

#[path = "../tables/calls.rs"]
mod calls;
mod support;

mod activity;
mod admin;
mod admin_actions;
mod admin_api;
mod attacks;
mod audit;
mod authorize;
mod bad_arguments;
mod bearer;
mod binding;
mod blocks;
mod boundary;
mod bridge;
mod budget;
mod circuit_breaker;
mod clients;
mod completion;
mod configuration;
mod confirmations;
mod connection;
mod consent;
mod consent_choices;
mod doctor;
mod early_reads;
mod edges;
mod emergency;
mod fuzzed;
mod handles;
mod hardening;
mod health;
mod hints;
mod hostile;
mod keys;
mod known_clients;
mod limits;
mod matrix;
mod message_limit;
mod metadata;
mod migrations;
mod model;
mod operators_list;
mod other_sites;
mod outcomes;
mod pages;
mod prompts;
mod protocol;
mod published_text;
mod purge;
mod records;
mod refresh;
mod refused_clients;
mod registration;
mod request_bodies;
mod resources;
mod revoke;
mod round_trips;
mod schema;
mod secrets;
mod sign_in;
mod snapshots;
mod stopped_writes;
mod storage_trace;
mod token;
mod token_form;
mod tools;
mod trouble;
mod twins;
mod updates;
mod windows;
mod write_store;
mod writes;
