//! The Hosted MCP page, where people manage their connections, and the admin API.
//!
//! `session` identifies the viewer, `view_model` loads what they may see; `index` and `api` show it, `actions` change it.

pub(super) mod actions;
mod activity;
mod advice;
pub(super) mod api;
mod connection;
mod connections;
mod diagnosis;
pub(super) mod index;
mod session;
pub(super) mod setup;
pub(super) mod sign_in;
mod time;
mod view_model;
mod wire;

pub(super) use session::or_error_page;
