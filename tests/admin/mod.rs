//! The Hosted MCP page and its API.

mod actions;
mod activity;
mod api;
mod blocks;
mod bulk;
mod diagnostics;
mod export;
mod index;
mod large;
mod narrowing;
mod page_links;
