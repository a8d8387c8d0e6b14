//! One call to StatiBeat: sent, read, repeated where that may help, and counted by the circuit breaker.

use super::circuit_breaker::{CallSubject, CircuitBreaker};
use super::error::{ApiError, ApiErrorKind};
use crate::ports::HttpClient;
use bytes::Bytes;
use http::{Request, StatusCode};
use serde_json::Value;
use std::time::Duration;

/// Where the API begins, on StatiBeat's origin.
pub(super) const API_ROOT: &str = "/api/v1";
/// JSON, asked for and sent.
pub(super) const JSON: &str = "application/json";
/// The shortest pause before a read is repeated; the longest is three times as long.
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);

/// The circuit breaker that counts a call, and whom the call is for.
pub struct Circuit<'a> {
    pub breaker: &'a CircuitBreaker,
    pub subject: CallSubject<'a>,
    /// Milliseconds since the Unix epoch.
    pub clock: &'a dyn Fn() -> u64,
}

impl Circuit<'_> {
    /// Makes a call unless its circuit is open. It counts once, however often `call` tries.
    pub(super) async fn guard<T>(self, call: impl Future<Output = Result<T, ApiError>>) -> Result<T, ApiError> {
        self.breaker.admit(&self.subject, (self.clock)())?;
        let result = call.await;
        self.breaker.record(&self.subject, result.as_ref().is_err_and(ApiError::is_outage), (self.clock)());
        result
    }
}

/// Sends a request and reads the document it is answered with; an answer without content is `null`.
pub(super) async fn send(http: &dyn HttpClient, request: Request<Bytes>) -> Result<(StatusCode, Value), ApiError> {
    let answer = http.send(request).await.map_err(|error| ApiError::of_transport(&error))?;
    let status = answer.status();
    if !status.is_success() {
        return Err(ApiError::of_answer(status, answer.headers(), answer.body()));
    }
    if status == StatusCode::NO_CONTENT {
        return Ok((status, Value::Null));
    }
    let document = serde_json::from_slice(answer.body())
        .map_err(|error| ApiError::new(ApiErrorKind::Malformed, error.to_string()))?;
    Ok((status, document))
}

/// Sends a request that changes nothing, and once more after a short random pause where that may help. Each try is a request of its own: an assertion
/// works once.
pub(super) async fn read(
    http: &dyn HttpClient,
    random: &dyn Fn(&mut [u8]),
    request: impl Fn() -> Result<Request<Bytes>, ApiError>,
) -> Result<Value, ApiError> {
    let answer = match send(http, request()?).await {
        Err(error) if error.is_transient() => {
            let mut drawn = [0];
            random(&mut drawn);
            http.pause(SHORTEST_PAUSE + SHORTEST_PAUSE * 2 * u32::from(drawn[0]) / 255).await;
            send(http, request()?).await
        }
        answer => answer,
    };
    answer.map(|(_, document)| document)
}

/// The path below a root. Values from clients stand in `relative`, so it must not climb out: URL parsers on the way
/// resolve `..` segments, even encoded ones, and some take `\` for `/`.
pub(super) fn join_path(root: &str, relative: &str) -> Result<String, ApiError> {
    let path = relative.split('?').next().unwrap_or_default();
    let climbs = |segment: &str| matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "" | "." | "..");
    let is_plain = relative.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\' && byte != b'#');
    if !is_plain || path.split('/').any(climbs) {
        return Err(ApiError::new(ApiErrorKind::NotFound, "There is nothing at this address."));
    }
    Ok(format!("{root}/{relative}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_cannot_climb_out_of_its_page() {
        for bad in
            ["..", "incidents/../x", "incidents/%2e%2E/x", "a/./b", "a//b", "/a", "", "a\\..\\b", "a b", "a#b", "ä"]
        {
            assert!(join_path("/root", bad).is_err(), "{bad:?}");
        }
        assert_eq!(join_path("/root", "incidents/9?x=../y").as_deref(), Ok("/root/incidents/9?x=../y"));
        assert_eq!(join_path("/root", "incidents/a..b%2Fc").as_deref(), Ok("/root/incidents/a..b%2Fc"));
    }
}
