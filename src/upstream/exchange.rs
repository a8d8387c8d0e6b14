//! One call to StatiBeat: sends, parses, retries a failed read once, and reports to the circuit breaker.

use super::circuit_breaker::{CallSubject, CircuitBreaker};
use super::error::{ApiError, ApiErrorKind};
use crate::ports::HttpClient;
use bytes::Bytes;
use http::{Request, StatusCode};
use serde_json::Value;
use std::time::Duration;

/// Path of the API root.
pub(super) const API_ROOT: &str = "/api/v1";
pub(super) const JSON: &str = "application/json";
/// The delay before a retry is between this and three times this.
const MIN_RETRY_DELAY: Duration = Duration::from_millis(50);

/// The circuit breaker that counts a call, and whom the call is for.
pub struct Circuit<'a> {
    pub breaker: &'a CircuitBreaker,
    pub subject: CallSubject<'a>,
    /// Milliseconds since the Unix epoch.
    pub clock: &'a dyn Fn() -> u64,
}

impl Circuit<'_> {
    /// Runs `call` unless its circuit is open. Counts as one call, including its retry.
    pub(super) async fn guard<T>(self, call: impl Future<Output = Result<T, ApiError>>) -> Result<T, ApiError> {
        self.breaker.admit(&self.subject, (self.clock)())?;
        let mut admitted = AdmittedCall { circuit: self, has_result: false };
        let result = call.await;
        admitted.has_result = true;
        let Circuit { breaker, subject, clock } = &admitted.circuit;
        breaker.record(subject, result.as_ref().is_err_and(ApiError::is_outage), clock());
        result
    }
}

/// A call in progress. One that is dropped without a result is no probe any more.
struct AdmittedCall<'a> {
    circuit: Circuit<'a>,
    has_result: bool,
}

impl Drop for AdmittedCall<'_> {
    fn drop(&mut self) {
        let Circuit { breaker, subject, clock } = &self.circuit;
        if !self.has_result {
            breaker.give_up(subject, clock());
        }
    }
}

/// Sends a request and parses the JSON response; 204 is `null`.
pub(super) async fn send_once(http: &dyn HttpClient, request: Request<Bytes>) -> Result<(StatusCode, Value), ApiError> {
    let answer = http.send(request).await.map_err(|error| ApiError::of_transport(&error))?;
    let status = answer.status();
    if !status.is_success() {
        return Err(ApiError::of_answer(status, answer.headers(), answer.body()));
    }
    if status == StatusCode::NO_CONTENT {
        return Ok((status, Value::Null));
    }
    // Checked as a whole, text costs less than string by string.
    let document = match std::str::from_utf8(answer.body()) {
        Ok(text) => serde_json::from_str(text),
        Err(_) => serde_json::from_slice(answer.body()),
    };
    Ok((status, document.map_err(|error| ApiError::malformed(&error))?))
}

/// Sends a GET; after a transient error, sends it again once after a random delay of 50–150 ms. `request` builds a new
/// request each time because an assertion is single-use.
pub(super) async fn get_with_retry(
    http: &dyn HttpClient,
    random: &dyn Fn(&mut [u8]),
    request: impl Fn() -> Result<Request<Bytes>, ApiError>,
) -> Result<Value, ApiError> {
    let answer = match send_once(http, request()?).await {
        Err(error) if error.is_transient() => {
            let mut random_byte = [0];
            random(&mut random_byte);
            http.sleep(MIN_RETRY_DELAY + MIN_RETRY_DELAY * 2 * u32::from(random_byte[0]) / 255).await;
            send_once(http, request()?).await
        }
        answer => answer,
    };
    answer.map(|(_, document)| document)
}

/// Joins a path to a root. `relative` contains client input, so dot segments, encoded or not, are rejected.
pub(super) fn join_path(root: &str, relative: &str) -> Result<String, ApiError> {
    let path = relative.split('?').next().unwrap_or_default();
    let is_unsafe_segment =
        |segment: &str| matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "" | "." | "..");
    let is_plain = relative.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\' && byte != b'#');
    if !is_plain || path.split('/').any(is_unsafe_segment) {
        return Err(ApiError::new(ApiErrorKind::NotFound, "There is nothing at this address."));
    }
    Ok(format!("{root}/{relative}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_with_dot_segment_is_rejected() {
        for bad in
            ["..", "incidents/../x", "incidents/%2e%2E/x", "a/./b", "a//b", "/a", "", "a\\..\\b", "a b", "a#b", "ä"]
        {
            assert!(join_path("/root", bad).is_err(), "{bad:?}");
        }
        assert_eq!(join_path("/root", "incidents/9?x=../y").as_deref(), Ok("/root/incidents/9?x=../y"));
        assert_eq!(join_path("/root", "incidents/a..b%2Fc").as_deref(), Ok("/root/incidents/a..b%2Fc"));
    }
}
