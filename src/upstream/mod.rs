//! StatiBeat's REST API, over the `HttpClient` port.
//!
//! [`Client`] calls StatiBeat as the connector; [`UserClient`] on behalf of one person under one grant; [`PageClient`] on one
//! page, on behalf of that person or, in the page server, with the page's API token. This module never receives the client's
//! bearer token. Timeouts and size limits are set in `cloudflare`.
//!
//! A GET that fails to connect, or gets 500, 502, 503 or 504 without `Retry-After`, is retried once with a new assertion, after
//! a random delay that spreads retries after a restart. Never retried: writes, 429, responses with `Retry-After`, timeouts.
//! Calls to a page, of a person, or to StatiBeat that keep failing are refused for some seconds ([`circuit_breaker`]).

mod accessible_page;
pub mod admin_assertion;
#[cfg(not(target_arch = "wasm32"))]
pub mod api_token;
pub mod assertion;
pub mod circuit_breaker;
mod client;
pub mod error;
mod exchange;
pub mod identity;
mod identity_token;
pub mod memory;
mod page;
mod signed;
#[cfg(test)]
pub(crate) mod testing;

pub use accessible_page::AccessiblePage;
pub use client::{Client, ClientSettings, Principal, UserClient};
pub use error::{ApiError, ApiErrorKind};
pub use page::{PageClient, WriteAnswer};
pub use signed::IdentityError;
