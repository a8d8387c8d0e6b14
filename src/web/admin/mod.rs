//! The Hosted MCP page, where people manage their connections, and the admin API.
//!
//! `session` identifies the viewer, `view_model` loads what they may see; `index` with its `list`, `connection`, `blocked`, `activity`
//! and `api` show it, `actions` change it.

mod action;
mod action_plan;
mod action_words;
pub(super) mod actions;
pub(super) mod activity;
mod advice;
pub(super) mod api;
pub(super) mod blocked;
mod chart;
pub(super) mod connection;
mod connection_filter;
mod connections;
mod diagnosis;
mod effective_access;
mod health;
pub(super) mod index;
mod list;
mod missing;
pub(super) mod narrow;
mod page;
mod session;
pub(super) mod setup;
pub(super) mod sign_in;
mod view_model;
mod wire;

pub(super) use session::or_error_page;
