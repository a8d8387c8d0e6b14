//! The write rate limiter: fixed one-minute windows for each principal and route, on the caller's clock.

use std::collections::HashMap;

use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, StatusCode};

use crate::reply::ApiError;

const WINDOW_SECONDS: i64 = 60;

pub struct Limiter {
    limit: u32,
    /// Window and count, by principal and route.
    windows: HashMap<String, (i64, u32)>,
}

impl Limiter {
    pub fn new(limit: u32) -> Self {
        Self { limit, windows: HashMap::new() }
    }

    /// Counts one write. Returns the response to one over the limit.
    pub fn count(&mut self, principal: &str, route: &str, now: i64) -> Option<Response> {
        let window = now.div_euclid(WINDOW_SECONDS);
        let counter = self.windows.entry(format!("{principal} {route}")).or_insert((window, 0));
        if counter.0 != window {
            *counter = (window, 0);
        }
        counter.1 += 1;
        if counter.1 <= self.limit {
            return None;
        }
        let wait = (window + 1) * WINDOW_SECONDS - now;
        let message = format!("too many writes; try again in {wait} seconds");
        let mut response = ApiError(StatusCode::TOO_MANY_REQUESTS, message).into_response();
        response.headers_mut().insert("retry-after", HeaderValue::from(wait));
        Some(response)
    }

    /// Adds the limiter's headers to a response of a limited route.
    pub fn describe(&self, response: &mut Response) {
        describe(response, "admin_write", self.limit);
    }
}

/// Adds a limiter's headers to a response.
pub fn describe(response: &mut Response, tier: &'static str, limit: u32) {
    let headers = response.headers_mut();
    headers.insert("x-ratelimit-tier", HeaderValue::from_static(tier));
    headers.insert("x-ratelimit-limit", HeaderValue::from(limit));
    headers.insert("x-ratelimit-window-seconds", HeaderValue::from(WINDOW_SECONDS));
}
