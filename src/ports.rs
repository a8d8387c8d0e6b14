//! The ports to the outside world: a SQLite-shaped database, an HTTP client, a rate limiter.
//!
//! Each port has a real implementation at an edge and one in the tests. Time and randomness are not ports: they are
//! handed in as plain values. Errors carry a short reason for the log; none of it is shown to a client.

#[cfg(not(target_arch = "wasm32"))]
pub mod ed25519;

use crate::model::timestamp::Timestamp;
use async_trait::async_trait;
use bytes::Bytes;
use std::time::Duration;

/// A value bound to a statement or read from a row: text, a whole number or NULL; a boolean is bound as 0 or 1. D1 binds every
/// number as REAL; keep numbers below 2^53 and out of SQL division.
pub use serde_json::Value;

/// One SQL statement: fixed text with `?1`, `?2`, … and its values. Text is `'static` so that it cannot be assembled.
#[derive(Clone, Debug)]
pub struct Statement {
    pub sql: &'static str,
    /// Values of the parameters `?1`, `?2`, …
    pub values: Vec<Value>,
}

/// One row of an answer: column name to value. Every number is whole and an integer, whatever the engine answered it as.
pub type Row = serde_json::Map<String, Value>;

/// The database could not do it, or did and could not say so: after this error a write may or may not have happened.
#[derive(Clone, Debug, thiserror::Error)]
#[error("database: {0}")]
pub struct DatabaseError(pub String);

/// SQLite with atomic batches, which is what D1 is.
#[async_trait(?Send)]
pub trait Database {
    /// Runs the statements in order as one transaction: all or none of them. A later statement sees the earlier ones.
    /// Answers the rows of each statement, in order.
    async fn batch(&self, statements: &[Statement]) -> Result<Vec<Vec<Row>>, DatabaseError>;
}

/// No answer came: what the request did is unknown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    #[error("http: no answer in time")]
    Timeout,
    /// The connection failed or the answer was cut off.
    #[error("http: {0}")]
    Transport(String),
    /// The answer's body is larger than we are willing to read.
    #[error("http: answer too large")]
    TooLarge,
}

/// The Ed25519 seed that a request's bearer token is still to be signed with, among the request's extensions. The token is then
/// `header.claims`, and [`HttpClient::send`] appends the signature of these bytes: the runtime signs ten times faster than code
/// compiled to wasm, and within the same wait.
#[derive(Clone)]
pub struct BearerSigningKey(pub [u8; 32]);

/// An HTTP client: absolute URL, whole bodies, no redirects followed, bounded in time and size. It computes the Ed25519 of both
/// directions, because the runtime that sends has it.
#[async_trait(?Send)]
pub trait HttpClient {
    /// Sends the request and reads the whole answer. Of its headers, an implementation may leave out all but `Retry-After`.
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, HttpError>;

    /// Sleeps before a retry. The default, for tests, returns at once.
    async fn sleep(&self, _duration: Duration) {}

    /// Returns whether an Ed25519 signature holds (RFC 8032 5.1.7). False also for a key that is no point of the curve.
    #[cfg(target_arch = "wasm32")]
    async fn verify_signature(&self, key: &[u8; 32], signature: &[u8; 64], message: &[u8]) -> bool;

    #[cfg(not(target_arch = "wasm32"))]
    async fn verify_signature(&self, key: &[u8; 32], signature: &[u8; 64], message: &[u8]) -> bool {
        ed25519::verify(key, signature, message)
    }

    /// The public key of an Ed25519 seed; `None` if the runtime does not answer.
    #[cfg(target_arch = "wasm32")]
    async fn public_key(&self, seed: &[u8; 32]) -> Option<[u8; 32]>;

    #[cfg(not(target_arch = "wasm32"))]
    async fn public_key(&self, seed: &[u8; 32]) -> Option<[u8; 32]> {
        Some(ed25519::public_key(seed))
    }
}

/// Why a request body was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// It is longer than the limit.
    #[error("body: longer than the limit")]
    TooLarge,
    /// The sender broke off, or its bytes did not arrive.
    #[error("body: broken off")]
    Broken,
}

/// The body of the request being answered. Until it is read, none of it is held in memory.
#[async_trait(?Send)]
pub trait RequestBody {
    /// Reads the whole body, and stops as soon as it is longer than `limit` bytes. Called at most once.
    async fn read(&self, limit: usize) -> Result<Bytes, BodyError>;
}

/// A limit of `count` charges per `window`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// Name of the limiter for operators.
    pub name: &'static str,
    pub count: u32,
    /// In a window of this length; whole seconds.
    pub window: Duration,
}

/// The limiter's decision on one charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Allowed; `remaining` charges are left in the window.
    Allowed { remaining: u32 },
    Limited {
        /// Time until the next one may pass; at least a second.
        retry_after: Duration,
    },
}

/// The limiter could not decide.
#[derive(Clone, Debug, thiserror::Error)]
#[error("rate limiter: {0}")]
pub struct LimiterError(pub String);

/// Counters that every instance of the server shares.
#[async_trait(?Send)]
pub trait RateLimiter {
    /// Takes one from the counter named `key`. Callers must not put secrets in `key`.
    async fn take(&self, key: &str, limit: RateLimit, now: Timestamp) -> Result<Decision, LimiterError>;

    /// Returns how many takes are left, without taking one.
    async fn remaining(&self, key: &str, limit: RateLimit, now: Timestamp) -> Result<u32, LimiterError>;
}
