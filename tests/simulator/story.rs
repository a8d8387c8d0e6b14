//! A test's story: a simulator, a connector key, and requests that are checked against the contract as they go.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::sync::LazyLock;

use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Value, json};

pub use statibeat_contract::hash;
use statibeat_contract::{Contract, Signer};
use statibeat_simulator::{Settings, Simulator};

/// The moment all stories begin at.
pub const NOW: i64 = 1_780_000_000;
pub const ORIGIN: &str = "http://127.0.0.1:8687";
pub const CONNECTOR: &str = "http://localhost:8686";
/// The admin base of page 42.
pub const PAGE: &str = "/api/v1/orgs/7/pages/42/admin";

/// The contract, read once for all tests.
pub static CONTRACT: LazyLock<Contract> = LazyLock::new(Contract::load);

pub struct Story {
    pub simulator: Simulator,
    pub now: Cell<i64>,
    counter: Cell<u32>,
    /// Operations that answered with success.
    pub exercised: RefCell<BTreeSet<String>>,
}

/// An answer, with its body read.
pub struct Reply {
    pub status: u16,
    /// The JSON body; null where there is none.
    pub json: Value,
    pub response: Response<Bytes>,
}

impl Reply {
    pub fn error(&self) -> &str {
        self.json["error"].as_str().unwrap_or("")
    }

    /// The items of a list.
    pub fn items(&self) -> &[Value] {
        self.json["items"].as_array().map_or(&[], Vec::as_slice)
    }

    pub fn header(&self, name: &str) -> &str {
        self.response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
    }
}

impl Story {
    /// A story with the connector's key published.
    pub fn new() -> Self {
        Self::with(Settings::local(NOW))
    }

    /// A story with other settings.
    pub fn with(settings: Settings) -> Self {
        let simulator = Simulator::new(settings);
        simulator.set_connector_keys(&jwks()).expect("the test's key set is well formed");
        Self { simulator, now: Cell::new(NOW), counter: Cell::new(0), exercised: RefCell::default() }
    }

    /// Sends a request and holds the exchange against the contract.
    pub fn send(&self, request: &Request<Bytes>) -> Reply {
        let response = self.simulator.handle(request, self.now.get());
        if let Err(fault) = CONTRACT.check_exchange(request, &response) {
            panic!("{fault}\n{} {}\n{:?}", request.method(), request.uri(), response.body());
        }
        if response.status().as_u16() < 400 {
            let operation = CONTRACT.find(request.method().as_str(), request.uri().path());
            self.exercised.borrow_mut().extend(operation.map(|operation| operation.id.clone()));
        }
        reply(response)
    }

    /// Sends without the contract, for what the contract leaves out on purpose.
    pub fn send_unchecked(&self, request: &Request<Bytes>) -> Reply {
        reply(self.simulator.handle(request, self.now.get()))
    }

    /// A call with an API token.
    pub fn token(&self, token: &str, method: &str, path: &str, body: Option<Value>) -> Reply {
        self.send(&request(method, path, Some(token), body))
    }

    /// A call of the connector on behalf of a user.
    pub fn user(&self, user: u64, scope: &str, method: &str, path: &str, body: Option<Value>) -> Reply {
        let request = self.on_behalf(user, scope, method, path, body);
        self.send(&request)
    }

    pub fn on_behalf(&self, user: u64, scope: &str, method: &str, path: &str, body: Option<Value>) -> Request<Bytes> {
        let bytes = body.as_ref().map(ToString::to_string);
        let claims = self.claims(user, scope, method, path, bytes.as_deref());
        request(method, path, Some(&sign(&header("statibeat-obo+jwt"), &claims)), body)
    }

    /// The claims of an assertion that fits.
    pub fn claims(&self, user: u64, scope: &str, method: &str, path: &str, body: Option<&str>) -> Value {
        self.counter.set(self.counter.get() + 1);
        let plain = path.split('?').next().unwrap_or(path);
        let mut claims = json!({
            "iss": CONNECTOR,
            "aud": ORIGIN,
            "sub": user.to_string(),
            "client_id": "https://client.example/metadata.json",
            "grant_id": "grant-1",
            "scope": scope,
            "htm": method,
            "htu": format!("{ORIGIN}{plain}"),
            "jti": format!("assertion-{:08}", self.counter.get()),
            "iat": self.now.get(),
            "exp": self.now.get() + 60,
            "act": { "sub": "hosted-mcp" },
        });
        let page = plain.split("/pages/").nth(1).and_then(|rest| rest.split('/').next()?.parse::<u64>().ok());
        if let Some(page) = page {
            claims["page_id"] = json!(page);
        }
        if method != "GET" || body.is_some() {
            claims["bh"] = json!(hash(body.unwrap_or("").as_bytes()));
        }
        claims
    }
}

/// A request. The host stands for page 42 where the path names no page.
pub fn request(method: &str, path: &str, bearer: Option<&str>, body: Option<Value>) -> Request<Bytes> {
    let mut builder = Request::builder().method(method).uri(path).header("host", "127.0.0.1:8687");
    if let Some(bearer) = bearer {
        builder = builder.header("authorization", format!("Bearer {bearer}"));
    }
    if body.is_some() {
        builder = builder.header("content-type", "application/json");
    }
    let bytes = body.map_or_else(Bytes::new, |body| Bytes::from(body.to_string()));
    builder.body(bytes).expect("tests write well-formed requests")
}

fn reply(response: Response<Bytes>) -> Reply {
    let json = serde_json::from_slice(response.body()).unwrap_or(Value::Null);
    Reply { status: response.status().as_u16(), json, response }
}

fn signer() -> Signer {
    Signer::parse("obo-1:BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc").expect("a key")
}

/// The connector's published key set.
pub fn jwks() -> String {
    signer().key_set()
}

/// The header of an assertion that fits.
pub fn header(typ: &str) -> Value {
    signer().header(typ)
}

/// Signs with the connector's key.
pub fn sign(header: &Value, claims: &Value) -> String {
    signer().sign(header, claims)
}
