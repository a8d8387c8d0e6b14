//! StatiBeat's REST API, over the `HttpClient` port.
//!
//! [`Client`] is us towards StatiBeat; [`UserClient`] is us acting for one person under one grant; [`PageClient`] is one page,
//! on behalf of that person or, in the page server, with the page's API token. A client's bearer token is not even reachable
//! from here. Bounds on time and size are the edge's.
//!
//! A GET whose connection failed, or that was answered 500, 502, 503 or 504 without advice to wait, is repeated once, with
//! an assertion of its own, after a short random pause: requests that one restart of StatiBeat broke together do not come
//! back together, and a person hardly notices. Not repeated: writes; 429 and anything with `Retry-After` (StatiBeat asked
//! for less, not for more); a timeout (the person has waited that long already). A page, a person's calls or a StatiBeat
//! that keeps failing is not called for a few seconds ([`circuit_breaker`]).

mod accessible_page;
pub mod admin_assertion;
#[cfg(not(target_arch = "wasm32"))]
pub mod api_token;
pub mod assertion;
pub mod audit_logs;
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
pub use identity_token::SignedInUser;
pub use page::{EarlyPage, PageClient, PageTransport, WriteAnswer};
pub use signed::IdentityError;
