//! The write limiter: so many writes per minute for one principal on one route, in fixed windows.

use std::collections::HashMap;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode};
use serde_json::json;

use super::reply;

/// The tier's name on the wire.
const TIER: &str = "admin_write";
/// The length of a window.
const WINDOW_SECONDS: i64 = 60;

/// Counters by principal and route.
#[derive(Debug)]
pub struct Limiter {
    limit: u32,
    windows: HashMap<String, (i64, u32)>,
}

impl Limiter {
    /// A limiter that lets `limit` writes through per window.
    pub fn new(limit: u32) -> Self {
        Self { limit, windows: HashMap::new() }
    }

    /// Counts one write. The refusal names the seconds to wait.
    pub fn take(&mut self, principal: &str, route: &str, now: i64) -> Result<(), i64> {
        let window = now.div_euclid(WINDOW_SECONDS);
        let counter = self.windows.entry(format!("{principal} {route}")).or_insert((window, 0));
        if counter.0 != window {
            *counter = (window, 0);
        }
        if counter.1 >= self.limit {
            return Err((window + 1) * WINDOW_SECONDS - now);
        }
        counter.1 += 1;
        Ok(())
    }

    /// The answer to a write over the limit.
    pub fn refusal(&self, wait_seconds: i64) -> Response<Bytes> {
        let body = json!({ "error": format!("too many writes; try again in {wait_seconds} seconds") });
        let mut response = reply::json_response(StatusCode::TOO_MANY_REQUESTS, &body);
        response.headers_mut().insert("retry-after", HeaderValue::from(wait_seconds));
        self.describe(&mut response);
        response
    }

    /// Adds the write limiter's headers to the answer of a limited route.
    pub fn describe(&self, response: &mut Response<Bytes>) {
        describe(response, TIER, self.limit);
    }
}

/// Adds a limiter's headers to an answer.
pub fn describe(response: &mut Response<Bytes>, tier: &'static str, limit: u32) {
    let headers = response.headers_mut();
    headers.insert("x-ratelimit-tier", HeaderValue::from_static(tier));
    headers.insert("x-ratelimit-limit", HeaderValue::from(limit));
    headers.insert("x-ratelimit-window-seconds", HeaderValue::from(WINDOW_SECONDS));
}
