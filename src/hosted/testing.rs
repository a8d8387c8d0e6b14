//! A hosted handler on a scripted StatiBeat, a scripted limiter and the real schema, for unit tests.

use super::CallContext;
use super::HostedHandler;
use super::bearer::Caller;
use crate::keyring::KeyRing;
use crate::mcp::prepared::PreparedResults;
use crate::model::ids::{GrantId, RequestId, UserId};
use crate::model::scope::ScopeSet;
use crate::model::timestamp::Timestamp;
use crate::model::write_policy::WritePolicy;
use crate::oauth::client::ClientId;
use crate::oauth::grant::PageChoice;
use crate::ports::{Decision, LimiterError, RateLimit, RateLimiter};
use crate::storage::activity::ActivityRow;
use crate::storage::testing::TestDatabase;
use crate::upstream::testing::{ClientFixture, FakeHttp, NOW, SEED, counting_random};
use async_trait::async_trait;
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::BTreeSet;

/// Says the same to everybody, and remembers who asked.
pub struct FakeLimiter {
    answer: Result<Decision, LimiterError>,
    pub charged: RefCell<Vec<String>>,
}

#[async_trait(?Send)]
impl RateLimiter for FakeLimiter {
    async fn take(&self, key: &str, _: RateLimit, _: Timestamp) -> Result<Decision, LimiterError> {
        self.charged.borrow_mut().push(key.to_owned());
        self.answer.clone()
    }

    async fn remaining(&self, _: &str, _: RateLimit, _: Timestamp) -> Result<u32, LimiterError> {
        match self.answer.clone()? {
            Decision::Allowed { remaining } => Ok(remaining),
            Decision::Limited { .. } => Ok(0),
        }
    }
}

pub struct Scene {
    pub http: FakeHttp,
    pub limiter: FakeLimiter,
    pub db: TestDatabase,
    pub log: RefCell<Vec<String>>,
    fixture: ClientFixture,
    caller: Caller,
    request_id: RequestId,
    seals: KeyRing,
    pub policy: WritePolicy,
}

impl Scene {
    /// A caller with these scopes before a StatiBeat with these answers; the limiter has room.
    pub fn new(scopes: ScopeSet, http: FakeHttp) -> Self {
        let caller = Caller {
            user_id: UserId::parse("42").expect("an id"),
            client_id: ClientId::parse("cursor").expect("a client id"),
            client_name: "Cursor".into(),
            grant_id: GrantId::parse("grant-1").expect("an id"),
            scopes,
            pages: PageChoice::All,
            blocked_pages: BTreeSet::new(),
            are_writes_paused: false,
            has_resource_tools: false,
            confirm: crate::model::write_policy::ConfirmMode::Never,
        };
        let limiter = FakeLimiter { answer: Ok(Decision::Allowed { remaining: 29 }), charged: RefCell::default() };
        let db = TestDatabase::new();
        db.insert_grant("grant-1");
        let (fixture, request_id) = (ClientFixture::new(), RequestId::parse("request-1").expect("an id"));
        Self {
            http,
            limiter,
            db,
            log: RefCell::default(),
            fixture,
            caller,
            request_id,
            seals: KeyRing::parse(&format!("s:{SEED}"), "test").expect("a ring"),
            policy: WritePolicy::default(),
        }
    }

    /// The same with another answer of the limiter.
    pub fn limited(mut self, answer: Result<Decision, LimiterError>) -> Self {
        self.limiter.answer = answer;
        self
    }

    /// Lets a test use the handler.
    pub async fn run<T>(&self, test: impl AsyncFnOnce(&HostedHandler<'_>) -> T) -> T {
        let upstream = self.fixture.client(&self.http);
        let log = |line: &str| self.log.borrow_mut().push(line.to_owned());
        let context = CallContext {
            caller: &self.caller,
            request_id: &self.request_id,
            limiter: &self.limiter,
            db: &self.db,
            seals: &self.seals,
            policy: &self.policy,
            now: NOW,
            random: &counting_random,
            log: &log,
        };
        let prepared = PreparedResults::default();
        let (profile, has_resource_tools) = (None, false);
        test(&HostedHandler { context, upstream: &upstream, profile, has_resource_tools, prepared: &prepared }).await
    }

    /// The audit rows, newest first.
    pub async fn audit(&self) -> Vec<ActivityRow> {
        self.db.audit_rows(&self.caller.user_id).await
    }

    /// Paths that StatiBeat was asked for, without the root.
    pub fn requested_paths(&self) -> Vec<String> {
        let path = |uri: &http::Uri| uri.path_and_query().map(|path| path.to_string().replacen("/api/v1", "", 1));
        self.http.sent().iter().filter_map(|request| path(request.uri())).collect()
    }
}

/// The page list with one page, 7, on which the person may do these things.
pub fn pages(permissions: &[&str]) -> Value {
    let page = json!({ "id": 7, "organization_id": 3, "name": "Acme", "permissions": permissions });
    json!({ "items": [page], "total": 1 })
}
