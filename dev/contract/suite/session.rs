//! One server under check: builds what the connector would send, sends it, and holds the exchange against the contract.

use crate::Contract;
use crate::signer::{Signer, hash, random};
use bytes::Bytes;
use http::{Method, Request, Response};
use serde_json::{Value, json};

/// Sends a request to the server under check.
pub type Ask<'a> = dyn Fn(Request<Bytes>) -> Result<Response<Bytes>, String> + 'a;

/// The type of an assertion in a person's name.
pub const ON_BEHALF: &str = "statibeat-obo+jwt";
/// The type of an assertion of the connector itself.
pub const CONNECTOR: &str = "statibeat-connector+jwt";

/// The result of one check.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    Passed,
    /// There was nothing to check it with.
    Skipped(String),
    /// Not as it should be.
    Failed(String),
}

impl From<Result<(), String>> for Outcome {
    fn from(result: Result<(), String>) -> Self {
        result.map_or_else(Outcome::Failed, |()| Outcome::Passed)
    }
}

/// The server, and us towards it.
pub struct Session<'a> {
    ask: &'a Ask<'a>,
    now: &'a dyn Fn() -> i64,
    /// Signs; its key is known to the server.
    pub signer: Signer,
    origin: String,
    issuer: String,
    user: u64,
    contract: Contract,
}

pub struct ApiCall<'a> {
    pub method: Method,
    /// Path and query, relative to the origin.
    pub path: &'a str,
    pub scope: &'a str,
    pub body: Option<Value>,
}

impl<'a> ApiCall<'a> {
    pub fn get(path: &'a str, scope: &'a str) -> Self {
        Self { method: Method::GET, path, scope, body: None }
    }

    pub fn post(path: &'a str, scope: &'a str, body: Value) -> Self {
        Self { method: Method::POST, path, scope, body: Some(body) }
    }

    fn bytes(&self) -> Bytes {
        self.body.as_ref().map_or_else(Bytes::new, |body| Bytes::from(body.to_string()))
    }
}

/// A status and a body.
pub struct Reply {
    pub status: u16,
    pub json: Value,
}

impl Reply {
    /// That status and no other.
    pub fn expect(&self, status: u16) -> Result<(), String> {
        if self.status == status {
            return Ok(());
        }
        let error = self.json["error"].as_str().map(|error| format!(" ({error})")).unwrap_or_default();
        Err(format!("status {}{error} instead of {status}", self.status))
    }
}

impl<'a> Session<'a> {
    pub fn new(
        ask: &'a Ask<'a>,
        now: &'a dyn Fn() -> i64,
        signer: Signer,
        origin: &str,
        issuer: &str,
        user: u64,
    ) -> Self {
        let contract = Contract::load();
        Self { ask, now, signer, origin: origin.to_owned(), issuer: issuer.to_owned(), user, contract }
    }

    /// The user in whose name is read.
    pub fn user(&self) -> u64 {
        self.user
    }

    /// The time now, in seconds.
    pub fn now(&self) -> i64 {
        (self.now)()
    }

    /// The scopes of which an operation wants one, by the contract.
    pub fn scope_of(&self, method: &Method, path: &str) -> Option<&str> {
        let operation = self.contract.find(method.as_str(), path.split('?').next().unwrap_or(path)).ok()?;
        operation.scopes.as_ref()?.first().map(String::as_str)
    }

    /// A call with an assertion that fits.
    pub fn call(&self, call: &ApiCall<'_>) -> Result<Reply, String> {
        self.call_with(call, |_, _| {})
    }

    /// A call whose assertion was bent before it was signed.
    pub fn call_with(&self, call: &ApiCall<'_>, bend: impl Fn(&mut Value, &mut Value)) -> Result<Reply, String> {
        let (mut header, mut claims) = (self.signer.header(ON_BEHALF), self.claims(call));
        bend(&mut header, &mut claims);
        self.send(call, Some(&self.signer.sign(&header, &claims)))
    }

    /// A call with that credential, or none.
    pub fn send(&self, call: &ApiCall<'_>, bearer: Option<&str>) -> Result<Reply, String> {
        let mut builder = Request::builder().method(&call.method).uri(format!("{}{}", self.origin, call.path));
        builder = builder.header("accept", "application/json").header("x-request-id", format!("check-{}", random()));
        if let Some(bearer) = bearer {
            builder = builder.header("authorization", format!("Bearer {bearer}"));
        }
        if call.body.is_some() {
            builder = builder.header("content-type", "application/json");
        }
        let request = builder.body(call.bytes()).map_err(|error| error.to_string())?;
        let response = (self.ask)(request.clone())?;
        self.contract.check_exchange(&request, &response)?;
        let json = serde_json::from_slice(response.body()).unwrap_or(Value::Null);
        Ok(Reply { status: response.status().as_u16(), json })
    }

    /// The claims of an assertion in the user's name.
    pub fn claims(&self, call: &ApiCall<'_>) -> Value {
        let mut claims = self.envelope(call);
        claims["sub"] = json!(self.user.to_string());
        claims["client_id"] = json!("https://client.example/metadata.json");
        claims["grant_id"] = json!("contract-check");
        claims["scope"] = json!(call.scope);
        claims["act"] = json!({"sub": "hosted-mcp"});
        let page = call.path.split("/pages/").nth(1).and_then(|rest| rest.split('/').next()?.parse::<u64>().ok());
        if let Some(page) = page {
            claims["page_id"] = json!(page);
        }
        claims
    }

    /// The claims of an assertion of the connector itself.
    pub fn connector_claims(&self, call: &ApiCall<'_>) -> Value {
        let mut claims = self.envelope(call);
        claims["sub"] = json!("hosted-mcp");
        claims
    }

    fn envelope(&self, call: &ApiCall<'_>) -> Value {
        let path = call.path.split('?').next().unwrap_or(call.path);
        let now = self.now();
        let mut claims = json!({
            "iss": self.issuer, "aud": self.origin, "htm": call.method.as_str(), "htu": format!("{}{path}", self.origin),
            "jti": random(), "iat": now, "exp": now + 60,
        });
        if call.method != Method::GET || call.body.is_some() {
            claims["bh"] = json!(hash(&call.bytes()));
        }
        claims
    }
}
