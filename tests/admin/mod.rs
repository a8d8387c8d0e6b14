//! The Hosted MCP page and its API.

mod actions;
mod activity;
mod api;
mod blocks;
mod diagnostics;
mod index;
mod page_links;
