//! Fetches the connector's public keys when an assertion has an unknown `kid`.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Minimum seconds between two fetches.
const REFETCH_SECONDS: i64 = 5;
/// Timeout of one fetch, including redirects.
const FETCH_TIMEOUT: Duration = Duration::from_secs(3);

/// URL of the keys, and the time of the last fetch.
pub struct KeySource {
    url: String,
    asked_at: Mutex<Option<i64>>,
}

impl KeySource {
    /// The key set of a connector. Only connectors on this machine are requested.
    pub fn new(connector_url: &str) -> Self {
        Self { url: format!("{connector_url}/.well-known/hosted-mcp-jwks.json"), asked_at: Mutex::new(None) }
    }

    /// Fetches the key set, unless it was fetched within the minimum interval.
    pub async fn fetch(&self, now: i64) -> Option<Result<String, String>> {
        {
            let mut asked_at = self.asked_at.lock().unwrap_or_else(PoisonError::into_inner);
            if asked_at.is_some_and(|at| now < at + REFETCH_SECONDS) {
                return None;
            }
            *asked_at = Some(now);
        }
        let url = self.url.clone();
        let fetched = tokio::task::spawn_blocking(move || fetch(&url)).await;
        Some(fetched.unwrap_or_else(|error| Err(error.to_string())))
    }
}

fn fetch(url: &str) -> Result<String, String> {
    let uri: http::Uri = url.parse().map_err(|_| format!("{url} is not a URL"))?;
    if !matches!(uri.host(), Some("localhost" | "127.0.0.1" | "[::1]")) {
        return Err(format!("{url} is not on this machine"));
    }
    let config = ureq::Agent::config_builder().timeout_global(Some(FETCH_TIMEOUT)).max_redirects(0).build();
    let mut response = config.new_agent().get(url).call().map_err(|error| format!("{url}: {error}"))?;
    response.body_mut().read_to_string().map_err(|error| format!("{url}: {error}"))
}
