//! The health check of StatiBeat's API.

use super::client::Client;
use super::exchange::{API_ROOT, JSON};
use bytes::Bytes;
use http::Request;
use http::header::ACCEPT;
use serde::de::IgnoredAny;

impl Client<'_> {
    /// Asks without a credential, so that nobody's name is used and nothing is counted against anybody. A refusal is as good
    /// an answer as any, in JSON as all of StatiBeat's; a page of HTML is somebody else's. The error says what came instead
    /// of an answer, for the log.
    pub async fn check_health(&self) -> Result<(), String> {
        let url = format!("{}{API_ROOT}/me", self.settings.origin);
        let request = Request::get(&url).header(ACCEPT, JSON).body(Bytes::new());
        let request = request.map_err(|error| error.to_string())?;
        let answer = self.http.send(request).await.map_err(|error| error.to_string())?;
        if answer.status().is_server_error() {
            return Err(format!("status {}", answer.status().as_u16()));
        }
        serde_json::from_slice::<IgnoredAny>(answer.body()).map(drop).map_err(|error| format!("not JSON: {error}"))
    }
}
