//! The product as a transition function: whole requests through `web::handle`, moved by one visible use of a port at a time.
//!
//! A request in progress is a value: what was sent, and what its ports have answered so far. To move it on, the handler runs again from
//! the start, gets the recorded answers, makes one more use of a port, and stops before the next. So every state can be copied,
//! compared and continued in every order.

use crate::database::{Content, ModelDatabase};
use crate::decisions::{self, AnsweredConsent, SCOPE};
use crate::interned::Interner;
use crate::ports::{Fault, PortAnswer, Ports, Published, Recorded, Shared, StepExtent};
use crate::publication::{Stop, TITLE};
use crate::support::{TestApp, flow};
use crate::weakened::Weakening;
use bytes::Bytes;
use futures_util::FutureExt as _;
use http::{Request, Response};
use serde_json::Value;
use sha2::{Digest, Sha256};
use statibeat_mcp::model::ids::{GrantId, RequestId};
use statibeat_mcp::model::timestamp::Timestamp;
use statibeat_mcp::ports::{BodyError, RequestBody};
use statibeat_mcp::web::{self, App, RequestInputs};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

/// A request as it is sent.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SentRequest {
    pub path: &'static str,
    /// The bearer token, of a request to `/mcp`.
    pub bearer: Option<String>,
    pub body: String,
    /// Which of a run's requests it is: the seed of its random values.
    pub number: u8,
    pub sent_at: i64,
}

/// A request as it is sent, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sent(u32);

static REQUESTS: Interner<SentRequest> = Interner::new();

/// The answers of the ports to a request so far, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct History(u32);

/// The answers before a step, and those that it added.
type Answers = (Option<History>, Vec<Recorded>);

static HISTORIES: Interner<Answers> = Interner::new();

impl SentRequest {
    pub fn numbered(self) -> Sent {
        Sent(REQUESTS.number(self))
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reply {
    pub status: u16,
    pub body: String,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

/// The state after a step, and the reply if the request has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    pub shared: Shared,
    pub history: History,
    pub reply: Option<Reply>,
    /// True if StatiBeat was asked.
    pub has_asked: bool,
}

impl History {
    pub fn empty() -> Self {
        Self(HISTORIES.number((None, Vec::new())))
    }

    fn answers(self) -> Vec<Recorded> {
        let answers = HISTORIES.value(self.0);
        let (before, added) = &*answers;
        let mut all = before.map(Self::answers).unwrap_or_default();
        all.extend_from_slice(added);
        all
    }

    /// This history and the answers of `all` that it has not yet.
    fn with(self, all: &[Recorded]) -> Self {
        let added = &all[self.answers().len()..];
        if added.is_empty() { self } else { Self(HISTORIES.number((Some(self), added.to_vec()))) }
    }

    /// True if the last step asked StatiBeat.
    fn has_asked(self) -> bool {
        let is_http = |(_, answer): &Recorded| matches!(answer, PortAnswer::Http { .. } | PortAnswer::NoHttp);
        HISTORIES.value(self.0).1.iter().any(is_http)
    }
}

type StepKey = (Sent, History, Shared, Fault, usize);

/// One thread's instance of the product.
pub struct Engine {
    app: App,
    ports: Rc<Ports>,
    steps: RefCell<HashMap<StepKey, Moved>>,
    /// Numbers that queries of the test found in contents.
    counts: RefCell<HashMap<String, HashMap<Content, i64>>>,
    published: RefCell<HashMap<Published, usize>>,
    reduced: RefCell<HashMap<(Content, Vec<u32>), Content>>,
}

impl Engine {
    pub fn new(weakening: Option<Weakening>, keeps_audit: bool) -> Self {
        let tested = TestApp::new();
        let keys = tested.get("/.well-known/hosted-mcp-jwks.json").into_body();
        let keys = String::from_utf8(keys.to_vec()).expect("text");
        let ports = Rc::new(Ports::new(weakening, keeps_audit, keys));
        let app = App::new(Rc::clone(&tested.config), ports.clone(), ports.clone(), ports.clone());
        Self {
            app,
            ports,
            steps: RefCell::default(),
            counts: RefCell::default(),
            published: RefCell::default(),
            reduced: RefCell::default(),
        }
    }

    /// A content with an approved connection, and its code.
    pub fn approved_code(&self) -> (Content, String) {
        let tested = self.tested();
        let code = tested.code(flow::user::MARA_ADMIN, SCOPE);
        (self.ports.shared.get().content, code)
    }

    /// The connector of the other tests on an empty database of this engine.
    fn tested(&self) -> TestApp {
        let mut tested = TestApp::new();
        let app: &mut App = &mut tested;
        app.db = Rc::clone(&self.app.db);
        let shared = Shared { content: ModelDatabase::empty(), ..self.ports.shared.get() };
        self.ports.begin(Vec::new(), shared, StepExtent::WHOLE, tested.now().as_seconds());
        tested
    }

    /// A state with two connections of one person and client, and an access token of each.
    pub fn two_connections(&self) -> (Shared, [String; 2]) {
        let tested = self.tested();
        let tokens = [(); 2].map(|()| tested.connect(flow::user::MARA_ADMIN, SCOPE).access);
        // The first use of a token is recorded: that is a story of its own.
        for token in &tokens {
            assert_eq!(tested.ping(token), 200);
        }
        (self.ports.shared.get(), tokens)
    }

    /// The state after another approval, and an access token of it. `number` is how many there were before.
    pub fn approve(&self, shared: Shared, consent: AnsweredConsent, number: u64, now: i64) -> (Shared, String) {
        let tested = self.tested();
        let seconds = now.abs_diff(tested.now().as_seconds());
        tested.advance(Duration::from_secs(seconds));
        // Other random values than those of the approvals before.
        tested.drawn.set(1000 * number);
        self.ports.shared.set(shared);
        let access = consent.answer(&tested);
        (Shared { content: self.ports.shared.get().content, ..shared }, access)
    }

    /// The state after the person has narrowed a grant, by its place in the order of approvals, to one of the model's limits.
    pub fn narrow(&self, shared: Shared, grant: usize, limits: usize, now: i64) -> Shared {
        let id =
            self.ports.db.text(shared.content, &format!("SELECT id FROM grants ORDER BY rowid LIMIT 1 OFFSET {grant}"));
        let id = GrantId::parse(id).expect("an id");
        self.ports.begin(Vec::new(), shared, StepExtent::WHOLE, now);
        decisions::narrow(&*self.ports, &id, limits, now).now_or_never().expect("nothing waits").expect("stored");
        self.ports.take_answers();
        self.ports.shared.get()
    }

    /// The state after the person, or an admin of the page, has stopped the connections.
    pub fn stop(&self, shared: Shared, stop: Stop, now: i64) -> Shared {
        self.ports.begin(Vec::new(), shared, StepExtent::WHOLE, now);
        decisions::stop(&*self.ports, stop, now).now_or_never().expect("nothing waits").expect("stored");
        self.ports.take_answers();
        self.ports.shared.get()
    }

    /// A number that a query of the test finds in a content.
    pub fn count(&self, content: Content, sql: &str) -> i64 {
        if let Some(count) = self.counts.borrow().get(sql).and_then(|counts| counts.get(&content)) {
            return *count;
        }
        let count = self.ports.db.count(content, sql);
        self.counts.borrow_mut().entry(sql.to_owned()).or_default().insert(content, count);
        count
    }

    /// A content without what makes no difference. `kept` names all that `reduce` goes by.
    pub fn reduce(&self, content: Content, kept: Vec<u32>, reduce: impl FnOnce() -> Content) -> Content {
        *self.reduced.borrow_mut().entry((content, kept)).or_insert_with(reduce)
    }

    /// The number of incidents with the title of the model's write.
    pub fn published(&self, shared: Shared) -> usize {
        let count = || shared.published.count(TITLE);
        *self.published.borrow_mut().entry(shared.published).or_insert_with(count)
    }

    /// Moves a request over one visible use of a port.
    pub fn step(&self, sent: Sent, history: History, shared: Shared, fault: Fault) -> Moved {
        self.advance(sent, history, shared, fault, 1)
    }

    /// Lets a request run to its end, alone and without a fault.
    pub fn finish(&self, sent: &SentRequest, shared: Shared) -> (Shared, Reply) {
        let moved = self.advance(sent.clone().numbered(), History::empty(), shared, Fault::None, usize::MAX);
        (moved.shared, moved.reply.expect("nothing waits"))
    }

    fn advance(&self, sent: Sent, history: History, shared: Shared, fault: Fault, uses: usize) -> Moved {
        let key = (sent, history, shared, fault, uses);
        if let Some(moved) = self.steps.borrow().get(&key) {
            return moved.clone();
        }
        let ports = &self.ports;
        let request = REQUESTS.value(sent.0);
        ports.begin(history.answers(), shared, StepExtent { uses, fault }, request.sent_at);
        let reply = self.start(&request).now_or_never();
        let reply = reply.map(|response| Reply {
            status: response.status().as_u16(),
            body: String::from_utf8_lossy(response.body()).into_owned(),
        });
        let before = history;
        let history = before.with(&ports.take_answers());
        let has_asked = history != before && history.has_asked();
        let moved = Moved { shared: ports.shared.get(), history, reply, has_asked };
        self.steps.borrow_mut().insert(key, moved.clone());
        moved
    }

    async fn start(&self, sent: &SentRequest) -> Response<Bytes> {
        let drawn = Cell::new(0_u64);
        let random = |bytes: &mut [u8]| {
            for chunk in bytes.chunks_mut(32) {
                drawn.set(drawn.get() + 1);
                let seed = [u64::from(sent.number), drawn.get()].map(u64::to_be_bytes).concat();
                chunk.copy_from_slice(&Sha256::digest(seed)[..chunk.len()]);
            }
        };
        let mut head = Request::builder().method("POST").uri(sent.path);
        head = match &sent.bearer {
            Some(token) => head
                .header("authorization", format!("Bearer {token}"))
                .header("content-type", "application/json")
                .header("mcp-protocol-version", "2025-11-25"),
            None => head.header("content-type", "application/x-www-form-urlencoded"),
        };
        let head = head.body(()).expect("a request");
        let inputs = RequestInputs {
            request_id: RequestId::parse(format!("request-{}", sent.number)).expect("an id"),
            now: Timestamp::from_seconds(sent.sent_at),
            clock: &|| sent.sent_at.unsigned_abs() * 1000,
            random: &random,
        };
        // A new instance each time: nothing that an instance remembers decides about access.
        let Self { app: App { config, db, http, limiter, .. }, .. } = self;
        let app = App::new(Rc::clone(config), Rc::clone(db), Rc::clone(http), Rc::clone(limiter));
        web::handle(&app, inputs, &head, &SentBody(Bytes::from(sent.body.clone()))).await.response
    }
}

struct SentBody(Bytes);

#[async_trait::async_trait(?Send)]
impl RequestBody for SentBody {
    async fn read(&self, _limit: usize) -> Result<Bytes, BodyError> {
        Ok(self.0.clone())
    }
}
