//! Whole requests through `web::handle`, natively: the real SQL on SQLite, the simulator behind every upstream call, a clock
//! and a random source that the test holds.

#![allow(
    clippy::needless_pass_by_value,
    clippy::duration_suboptimal_units,
    clippy::format_push_string,
    reason = "a story reads best with `json!(…)` in the call and seconds beside seconds"
)]

#[path = "tables/calls.rs"]
mod calls;
#[path = "page/support/mod.rs"]
#[expect(dead_code, reason = "the comparison of both programs needs a part of it")]
mod page_program;
mod support;

use support::rmcp_types;

mod admin;
mod mcp;
mod oauth;
mod operations;
mod security;
mod writes;
