//! The Hosted MCP page, where people look after their connections, and its facts as JSON.
//!
//! `session` says who looks, `view_model` what there is to see; `index` and `api` show it, `actions` change it.

pub(super) mod actions;
mod activity;
mod advice;
pub(super) mod api;
mod connection;
mod connections;
mod diagnosis;
pub(super) mod index;
mod session;
mod setup;
pub(super) mod sign_in;
mod time;
mod view_model;
mod wire;

pub(super) use session::or_error_page;
