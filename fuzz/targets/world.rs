//! A connector with fake ports: the database returns a row for every query, and StatiBeat returns the responses that the target
//! sets. A valid request therefore gets as far as possible without a prepared database.

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use futures_util::FutureExt as _;
use http::{Request, Response};
use sha2::{Digest, Sha256};
use statibeat_mcp::config::Config;
use statibeat_mcp::model::ids::RequestId;
use statibeat_mcp::model::scope::Scope;
use statibeat_mcp::model::timestamp::Timestamp;
use statibeat_mcp::oauth::authorize::{AuthorizationRequest, RequestedAccess};
use statibeat_mcp::oauth::client::Clients;
use statibeat_mcp::oauth::pkce::CodeChallenge;
use statibeat_mcp::oauth::sealed_request;
use statibeat_mcp::oauth::secret::{AccessToken, AdminSession, AuthorizationCode, RefreshToken, SignInState};
use statibeat_mcp::ports::{
    BodyError, Database, DatabaseError, Decision, HttpClient, HttpError, LimiterError, RateLimit, RateLimiter,
    RequestBody, Row, Statement, Value,
};
use statibeat_mcp::web::{self, App, RequestInputs};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

pub const ORIGIN: &str = "https://mcp.example";
pub const UPSTREAM: &str = "https://api.statibeat.example";
pub const CLIENT: &str = "tool";
pub const CALLBACK: &str = "http://127.0.0.1:33418/callback";
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
pub const NOW: i64 = 1_790_000_000;
/// StatiBeat's signing key for identity tokens: the example key of RFC 8037, appendix A.1.
pub const IDENTITY_SEED: &str = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
const IDENTITY_KEY: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

pub struct World {
    pub config: Rc<Config>,
    ports: Rc<Ports>,
}

/// The fake ports: database, HTTP client and rate limiter.
#[derive(Default)]
struct Ports {
    /// Status and body of StatiBeat's responses in order; the last one is repeated.
    upstream: RefCell<VecDeque<(u16, Bytes)>>,
    /// Columns that replace those of every row.
    columns: RefCell<Row>,
}

thread_local! {
    static WORLD: World = World::new();
}

/// Runs `run` with this thread's connector.
pub fn with<T>(run: impl FnOnce(&World) -> T) -> T {
    WORLD.with(run)
}

fn ring(name: &str) -> String {
    format!("{name}:{}", URL_SAFE_NO_PAD.encode(Sha256::digest(name)))
}

pub fn variable(name: &str) -> Option<String> {
    Some(match name {
        "HOSTED_MCP_ENABLED" => "true".into(),
        "HOSTED_MCP_ENVIRONMENT" => "test".into(),
        "HOSTED_MCP_PUBLIC_URL" => ORIGIN.into(),
        "HOSTED_MCP_UPSTREAM_URL" => UPSTREAM.into(),
        "HOSTED_MCP_SIGN_IN_URL" => format!("{UPSTREAM}/connector/sign-in"),
        "HOSTED_MCP_IDENTITY_KEYS" => format!("one:{IDENTITY_KEY}"),
        "HOSTED_MCP_CHECKSUM_KEYS" => ring("tag"),
        "HOSTED_MCP_ROTATION_KEYS" => ring("rotation"),
        "HOSTED_MCP_CLIENT_KEYS" => ring("client"),
        "HOSTED_MCP_ASSERTION_KEYS" => ring("assertion"),
        _ => return None,
    })
}

impl World {
    fn new() -> Self {
        let config = Config::from_lookup(variable).expect("a good configuration");
        Self { config: Rc::new(config), ports: Rc::default() }
    }

    /// Sends a request to a new instance, so that no state is carried over.
    pub fn send(&self, request: Request<Bytes>) -> Response<Bytes> {
        send_to(&self.instance(), request)
    }

    /// An instance that has answered nothing yet.
    pub fn instance(&self) -> App {
        let ports = &self.ports;
        App::new(self.config.clone(), ports.clone(), ports.clone(), ports.clone())
    }

    pub fn answer_upstream(&self, body: Bytes) {
        self.answer_upstream_in_turn([(200, body)]);
    }

    pub fn answer_upstream_in_turn(&self, responses: impl IntoIterator<Item = (u16, Bytes)>) {
        self.ports.upstream.replace(responses.into_iter().collect());
    }

    /// Replaces columns of every row until `run` returns.
    pub fn with_columns<T>(&self, columns: Row, run: impl FnOnce() -> T) -> T {
        self.ports.columns.replace(columns);
        let result = run();
        self.ports.columns.take();
        result
    }

    pub fn admin_session(&self) -> String {
        AdminSession::issue(&[4; 32], &self.config.checksum_keys).expose().to_owned()
    }

    pub fn access_token(&self) -> String {
        AccessToken::issue(&[1; 32], &self.config.checksum_keys).expose().to_owned()
    }

    pub fn refresh_token(&self) -> String {
        RefreshToken::issue(&[2; 32], &self.config.checksum_keys).expose().to_owned()
    }

    fn clients(&self) -> Clients<'_> {
        Clients {
            allowed: &self.config.allowed_redirects,
            registrations: &self.config.client_keys,
            accepts_unverified: self.config.accepts_unverified_clients,
        }
    }

    /// Returns the cookie of a browser that started a sign-in.
    pub fn sealed_request(&self, state: &SignInState) -> String {
        let client = self.clients().resolve("tool", CALLBACK).expect("accepted");
        let challenge = CodeChallenge::parse(CHALLENGE).expect("fits");
        let access = Ok(RequestedAccess { challenge, scopes: Scope::PagesRead.into() });
        let request = AuthorizationRequest { client, state: None, access };
        let now = Timestamp::from_seconds(NOW);
        sealed_request::seal(&request, state, "binding", &self.config.checksum_keys, now).expect("it fits")
    }

    pub fn opens_as_request(&self, text: &str) -> bool {
        let state = SignInState::issue(&[9; 32], &self.config.checksum_keys);
        let now = Timestamp::from_seconds(NOW);
        sealed_request::open(text, &state, &self.config.checksum_keys, &self.clients(), now).is_ok()
    }

    pub fn code(&self) -> String {
        AuthorizationCode::issue(&[3; 32], &self.config.checksum_keys).expose().to_owned()
    }
}

/// Sends a request to an instance.
pub fn send_to(app: &App, request: Request<Bytes>) -> Response<Bytes> {
    let inputs = RequestInputs {
        request_id: RequestId::parse("fuzzed").expect("an id"),
        now: Timestamp::from_seconds(NOW),
        clock: &|| NOW.unsigned_abs() * 1000,
        random: &|bytes: &mut [u8]| bytes.fill(7),
    };
    let (head, bytes) = request.into_parts();
    let (head, body) = (Request::from_parts(head, ()), SentBody(bytes));
    let answer = web::handle(app, inputs, &head, &body).now_or_never().expect("nothing waits").response;
    assert_ne!(answer.status(), 500);
    answer
}

struct SentBody(Bytes);

#[async_trait(?Send)]
impl RequestBody for SentBody {
    async fn read(&self, limit: usize) -> Result<Bytes, BodyError> {
        if self.0.len() > limit { Err(BodyError::TooLarge) } else { Ok(self.0.clone()) }
    }
}

/// Builds a request with arbitrary header values. Returns `None` if it is not valid HTTP.
pub fn request(method: &str, target: &str, headers: &[(&str, &[u8])], body: &[u8]) -> Option<Request<Bytes>> {
    let mut builder = Request::builder().method(method).uri(target);
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    builder.body(Bytes::copy_from_slice(body)).ok()
}

#[async_trait(?Send)]
impl Database for Ports {
    async fn batch(&self, statements: &[Statement]) -> Result<Vec<Vec<Row>>, DatabaseError> {
        let columns = self.columns.borrow();
        let row: Row = row().into_iter().chain(columns.clone()).collect();
        Ok(statements.iter().map(|_| vec![row.clone()]).collect())
    }
}

/// A row with the columns of all tables, for a live grant.
fn row() -> Row {
    let visit = format!(
        r#"{{"client_name":"Tool","standing":"unverified","redirect_uri":"{CALLBACK}","challenge":"{CHALLENGE}","scope":"mcp.pages.read"}}"#
    );
    let texts = [
        ("grant_id", "g"),
        ("user_id", "1"),
        ("user_name", "Mara"),
        ("user_email", "mara@northwind.example"),
        ("client_id", CLIENT),
        ("client_name", "Tool"),
        ("resource", "https://mcp.example/mcp"),
        ("scope", "mcp.pages.read"),
        ("token_scope", "mcp.pages.read"),
        ("code_hash", "c"),
        ("token_hash", "t"),
        ("handle_hash", "h"),
        ("redirect_uri", CALLBACK),
        ("code_challenge", CHALLENGE),
        ("request", visit.as_str()),
    ];
    let numbers = [
        ("expires_at", NOW + 100),
        ("failed_attempts", 0),
        ("generation", 1),
        ("last_used_at", NOW),
        ("are_writes_paused", 0),
        ("resource_tools", 0),
        ("is_revoked", 0),
        ("is_use_recorded", 1),
    ];
    let nulls = [
        "redeemed_at",
        "rotated_at",
        "rotate_salt",
        "rotate_kid",
        "unused_successor",
        "free_at",
        "tenth_last",
        "pages",
        "grant_expires_at",
        "blocked_pages",
        "confirm",
    ];
    let texts = texts.map(|(name, text)| (name, text.into()));
    let numbers = numbers.map(|(name, number)| (name, number.into()));
    let nulls = nulls.map(|name| (name, Value::Null));
    texts.into_iter().chain(numbers).chain(nulls).map(|(name, value)| (name.to_owned(), value)).collect()
}

#[async_trait(?Send)]
impl HttpClient for Ports {
    async fn send(&self, _: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let mut responses = self.upstream.borrow_mut();
        let next = if responses.len() > 1 { responses.pop_front() } else { responses.front().cloned() };
        let (status, body) = next.unwrap_or((200, Bytes::from_static(b"{}")));
        let mut answer = Response::new(body);
        *answer.status_mut() = http::StatusCode::from_u16(status).expect("a status");
        answer.headers_mut().insert("content-type", http::HeaderValue::from_static("application/json"));
        Ok(answer)
    }
}

#[async_trait(?Send)]
impl RateLimiter for Ports {
    async fn take(&self, _: &str, _: RateLimit, _: Timestamp) -> Result<Decision, LimiterError> {
        Ok(Decision::Allowed { remaining: 1 })
    }

    async fn remaining(&self, _: &str, _: RateLimit, _: Timestamp) -> Result<u32, LimiterError> {
        Ok(1)
    }
}
