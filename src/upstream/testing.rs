//! A scripted StatiBeat for unit tests: answers in order, and remembers what it was asked.

use super::memory::Memory;
use super::{Client, ClientSettings, Principal, UserClient, assertion};
use crate::keyring::{KeyRing, PublicKey};
use crate::model::ids::{GrantId, RequestId, UserId};
use crate::model::timestamp::Timestamp;
use crate::ports::{HttpClient, HttpError};
use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{Request, Response};
use serde_json::Value;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

/// The seed of RFC 8037, appendix A.1, and its public key.
pub const SEED: &str = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
const PUBLIC: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
pub const NOW: Timestamp = Timestamp::from_seconds(1_000_000);

/// The public key under a name.
pub fn public_key(kid: &str) -> PublicKey {
    let key = URL_SAFE_NO_PAD.decode(PUBLIC).expect("base64url").try_into().expect("32 bytes");
    PublicKey { kid: kid.to_owned(), key }
}

type FakeAnswer = Result<Response<Bytes>, HttpError>;

/// Answers from a script; panics when it has run out.
pub struct FakeHttp {
    answers: RefCell<VecDeque<FakeAnswer>>,
    sent: RefCell<Vec<Request<Bytes>>>,
}

impl FakeHttp {
    /// Answers with these statuses and documents.
    pub fn answering(answers: impl IntoIterator<Item = (u16, Value)>) -> Self {
        Self::script(answers.into_iter().map(|(status, body)| Ok(response(status, body.to_string()))))
    }

    pub fn script(answers: impl IntoIterator<Item = FakeAnswer>) -> Self {
        Self { answers: RefCell::new(answers.into_iter().collect()), sent: RefCell::default() }
    }

    /// Adds an answer at the end.
    pub fn then(self, answer: FakeAnswer) -> Self {
        self.answers.borrow_mut().push_back(answer);
        self
    }

    /// The requests sent, in order.
    pub fn sent(&self) -> Vec<Request<Bytes>> {
        self.sent.borrow().clone()
    }
}

fn response(status: u16, body: String) -> Response<Bytes> {
    Response::builder().status(status).body(Bytes::from(body)).expect("a response")
}

#[async_trait(?Send)]
impl HttpClient for FakeHttp {
    async fn send(&self, mut request: Request<Bytes>) -> FakeAnswer {
        assertion::sign(&mut request);
        self.sent.borrow_mut().push(request);
        self.answers.borrow_mut().pop_front().expect("the script has run out of answers")
    }
}

/// The claims of the assertion that a request carries.
pub fn claims_of(request: &Request<Bytes>) -> Value {
    let bearer = request.headers()["authorization"].to_str().expect("text");
    let payload = bearer.split('.').nth(1).expect("a token");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).expect("base64url")).expect("JSON")
}

/// Fills with other bytes each time.
pub fn counting_random(buffer: &mut [u8]) {
    thread_local!(static COUNT: Cell<u8> = const { Cell::new(0) });
    buffer.fill(COUNT.replace(COUNT.get().wrapping_add(1)));
}

pub struct ClientFixture {
    assertion_keys: KeyRing,
    identity_keys: Vec<PublicKey>,
    user_id: UserId,
    grant_id: GrantId,
    request_id: RequestId,
    memory: Memory,
}

impl ClientFixture {
    pub fn new() -> Self {
        let ring = |text: &str| KeyRing::parse(text, "test").expect("a good ring");
        Self {
            assertion_keys: ring(&format!("a1:{SEED}")),
            identity_keys: vec![public_key("k1")],
            user_id: UserId::parse("42").expect("an id"),
            grant_id: GrantId::parse("grant-1").expect("an id"),
            request_id: RequestId::parse("request-1").expect("an id"),
            memory: Memory::default(),
        }
    }

    pub fn client<'a>(&'a self, http: &'a dyn HttpClient) -> Client<'a> {
        let settings = ClientSettings {
            issuer: "https://mcp.example",
            origin: "https://api.example",
            environment: "test",
            assertion_keys: &self.assertion_keys,
            identity_keys: &self.identity_keys,
        };
        let clock = &|| NOW.as_seconds().unsigned_abs() * 1000;
        Client { settings, http, now: NOW, clock, random: &counting_random, memory: &self.memory }
    }

    pub fn user<'a>(&'a self, client: &'a Client<'a>) -> UserClient<'a> {
        let Self { user_id, grant_id, request_id, .. } = self;
        UserClient { client, principal: Principal { user_id, client_id: "cursor", grant_id, request_id } }
    }
}
