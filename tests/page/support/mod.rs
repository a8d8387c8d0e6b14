//! One page server and a client that speaks lines, in one thread.

use async_trait::async_trait;
use bytes::Bytes;
use futures_executor::block_on;
use http::{Request, Response};
use serde_json::{Map, Value, json};
use statibeat_contract::Contract;
use statibeat_mcp::mcp::stdio::{self, Incoming, Peer};
use statibeat_mcp::model::timestamp::Timestamp;
use statibeat_mcp::page::settings::Settings;
use statibeat_mcp::page::{PageHandler, PageInputs};
use statibeat_mcp::ports::{HttpClient, HttpError};
use statibeat_simulator::{Outcome, Simulator};
use std::cell::Cell;
use std::sync::LazyLock;

/// The token under test; what it may do is each test's to say.
pub const TOKEN: &str = "sb_demo_write_42";
/// The time at which every test begins, in unix seconds.
const NOW: i64 = 1_780_000_000;

/// StatiBeat; every exchange is held against its contract.
pub struct StatiBeat {
    pub simulator: Simulator,
    /// The time, in unix seconds.
    now: Cell<i64>,
}

/// The contract of StatiBeat's API, read once for all tests.
static CONTRACT: LazyLock<Contract> = LazyLock::new(Contract::load);

impl StatiBeat {
    pub fn new() -> Self {
        Self::beginning_at(NOW)
    }

    /// Begins at a time in unix seconds.
    pub fn beginning_at(now: i64) -> Self {
        Self { simulator: Simulator::new(statibeat_simulator::Settings::local(now)), now: Cell::new(now) }
    }

    pub fn advance(&self, seconds: i64) {
        self.now.set(self.now.get() + seconds);
    }

    /// Everything that a write can change.
    pub fn state(&self) -> (String, usize) {
        (self.simulator.snapshot(), self.simulator.audit().len())
    }

    /// Requests that StatiBeat got, reads left out.
    pub fn writes(&self) -> Vec<String> {
        let requests = self
            .simulator
            .requests()
            .into_iter()
            .filter(|request| request.method != "GET" && !request.path.ends_with("?dry_run=true"));
        requests.map(|request| format!("{} {}", request.method, request.path)).collect()
    }

    /// Starts a server with these settings, and plays its client.
    pub fn serve<T>(&self, settings: &[(&str, &str)], story: impl AsyncFnOnce(&Client<'_>) -> T) -> T {
        let defaults = [("STATIBEAT_API_TOKEN", TOKEN), ("STATIBEAT_BASE_URL", "http://127.0.0.1:8687")];
        let find = |name: &str| {
            let value = settings.iter().chain(&defaults).find(|(known, _)| *known == name);
            value.map(|(_, value)| (*value).to_owned())
        };
        let settings = Settings::from_lookup(&find).expect("good settings");
        let drawn = Cell::new(0_u8);
        let random = |buffer: &mut [u8]| {
            drawn.set(drawn.get().wrapping_add(1));
            for (byte, number) in buffer.iter_mut().zip(0_u8..) {
                *byte = number ^ drawn.get();
            }
        };
        let inputs =
            PageInputs { http: self, now: &|| Timestamp::from_seconds(self.now.get()), random: &random, log: &|_| {} };
        let handler = PageHandler::new(&settings, inputs);
        block_on(story(&Client { handler: &handler, peer: Peer::default(), count: Cell::new(0) }))
    }
}

#[async_trait(?Send)]
impl HttpClient for StatiBeat {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        match self.simulator.exchange(&request, self.now.get()) {
            Outcome::Answered { response, .. } => {
                let fits = CONTRACT.check_exchange(&request, &response);
                fits.unwrap_or_else(|fault| panic!("{}: {fault}", request.uri()));
                Ok(response)
            }
            Outcome::Dropped { .. } => Err(HttpError::Transport("the connection closed".into())),
        }
    }
}

/// The other end of the pipe.
pub struct Client<'a> {
    handler: &'a PageHandler<'a>,
    peer: Peer,
    count: Cell<u64>,
}

impl Client<'_> {
    /// A complete JSON-RPC response of the server.
    pub async fn request(&self, method: &str, params: Value) -> Value {
        self.count.set(self.count.get() + 1);
        let line = json!({ "jsonrpc": "2.0", "id": self.count.get(), "method": method, "params": params }).to_string();
        match self.peer.read(line.as_bytes()) {
            Incoming::Request { work, .. } => {
                let line = stdio::answer(self.handler, work).await.expect("an answer");
                let answer = serde_json::from_slice(&line.body).expect("JSON");
                crate::rmcp_types::check(method, &answer);
                answer
            }
            other => panic!("{other:?}"),
        }
    }

    /// A call of a tool.
    pub async fn call(&self, tool: &str, arguments: Map<String, Value>) -> CallResult {
        self.call_in("2025-11-25", tool, arguments).await
    }

    /// A call of a tool in the era of a revision.
    pub async fn call_in(&self, revision: &str, tool: &str, arguments: Map<String, Value>) -> CallResult {
        let mut params = json!({ "name": tool, "arguments": arguments });
        if revision == "2026-07-28" {
            params["_meta"] = json!({
                "io.modelcontextprotocol/protocolVersion": revision,
                "io.modelcontextprotocol/clientCapabilities": { "elicitation": {} },
            });
        }
        CallResult::from_json(&self.request("tools/call", params).await)
    }
}

/// The kind of response that a client gets: a result or an error.
#[derive(Debug)]
pub struct CallResult {
    pub failed: bool,
    pub text: String,
}

impl CallResult {
    /// Out of a JSON-RPC answer to a call or a read.
    pub fn from_json(answer: &Value) -> Self {
        let result = &answer["result"];
        let text = [&answer["error"]["message"], &result["content"][0]["text"], &result["contents"][0]["text"]];
        let text = text.into_iter().find_map(Value::as_str).unwrap_or_default().to_owned();
        Self { failed: answer.get("error").is_some() || result["isError"] == true, text }
    }
}
