//! StatiBeat Hosted MCP: the remote MCP connector of StatiBeat.
//!
//! In reading order:
//!
//! | module | answers for |
//! |---|---|
//! | [`model`] | the plain values that every layer shares: ids, time, scopes, text as a person sees it |
//! | [`catalog`] | what is offered: resources, prompts, tools. Data only |
//! | [`oauth`] | the authorization server's rules; pure |
//! | [`mcp`] | the protocol's rules, both eras; pure |
//! | [`ports`], [`keyring`], [`config`] | what we ask of the outside; keys; configuration |
//! | [`telemetry`] | what operators see of a request: a line of the log, a point of the metrics, its trace |
//! | [`upstream`], [`storage`] | StatiBeat's REST API; SQL |
//! | [`alternatives`] | what a refused call or URI could have named instead |
//! | [`writes`] | the write pipeline: checks, approval, the post, its report |
//! | [`features`] | resources, prompts and completion, as both programs offer them |
//! | [`hosted`] | who may do what with the catalog over the network |
//! | `page` | the same for one page over a pipe; not in the worker |
//! | [`web`] | HTTP: one `Route`, one `match` |
//! | `cloudflare` | the edge: the only code that touches the runtime |
//!
//! `tests/layering.rs` checks the imports between modules.

pub mod alternatives;
pub mod catalog;
#[cfg(target_arch = "wasm32")]
pub mod cloudflare;
pub mod config;
pub mod features;
pub mod hosted;
pub mod keyring;
pub mod mcp;
pub mod model;
pub mod oauth;
#[cfg(not(target_arch = "wasm32"))]
pub mod page;
pub mod ports;
/// Of the edge, what touches no runtime: its tests run natively.
#[cfg(all(test, not(target_arch = "wasm32")))]
#[path = "cloudflare/random.rs"]
mod random;
pub mod storage;
#[cfg(all(test, not(target_arch = "wasm32")))]
#[path = "cloudflare/tasks.rs"]
mod tasks;
pub mod telemetry;
pub mod upstream;
pub mod web;
pub mod writes;
