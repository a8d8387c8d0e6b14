//! The requests of each client, from `tests/clients.json`.

use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RealClient {
    pub name: String,
    /// Where that is known from.
    #[serde(rename = "seen")]
    _seen: String,
    /// Where its requests come from.
    pub address: String,
    /// Method, path and the answer's status, in its order.
    pub discovery: Vec<(String, String, u16)>,
    /// The protocol version of its messages.
    #[serde(default = "with_handshake")]
    pub speaks: String,
    /// Sent with each request of the discovery.
    pub headers: BTreeMap<String, String>,
    /// The address of its metadata document, unless it registers.
    pub client_id: Option<String>,
    pub registration: Option<Value>,
    /// The redirect URIs that registration accepts.
    #[serde(default)]
    pub registered: Vec<String>,
    /// Its name on the consent page.
    pub shown_as: String,
    pub trust_label: String,
    /// Redirect URIs of its runs.
    pub works_at: Vec<String>,
    /// Those that somebody could hope for.
    pub refused_at: Vec<String>,
    pub scope_from: ScopeSource,
    /// Parameters that others do not send.
    pub authorize: BTreeMap<String, String>,
    pub has_explicit_resource: Vec<Step>,
    /// Messages after connecting, with the status of each.
    pub start_up: Vec<(String, u16)>,
    pub refresh: Refresh,
    /// True if it asks again for what a refused call was missing.
    pub steps_up: bool,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
pub enum ScopeSource {
    #[serde(rename = "challenge")]
    Challenge,
    #[serde(rename = "resource metadata")]
    ResourceMetadata,
    #[serde(rename = "server metadata")]
    ServerMetadata,
    #[serde(rename = "nowhere")]
    Nowhere,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    Authorize,
    Token,
    Refresh,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refresh {
    pub after_seconds: u64,
    /// Processes that do so with the same stored token.
    pub at_once: usize,
    pub sends_scope: bool,
}

fn with_handshake() -> String {
    "2025-11-25".to_owned()
}

/// The client of that name.
pub fn find(name: &str) -> RealClient {
    let table: Vec<RealClient> = serde_json::from_str(include_str!("../../clients.json")).expect("the table");
    table.into_iter().find(|client| client.name == name).expect("a client of the table")
}
