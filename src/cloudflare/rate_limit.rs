//! The rate limiter's counters: one Durable Object per limited key, and the `RateLimiter` that calls it.
//!
//! The object only loads, asks `hosted::rate_limit`, and saves. The runtime delivers no other event to an object while
//! it waits for its storage, so two takes never see the same state. When its window is over, the object forgets itself.

use super::timeout::within;
use crate::hosted::rate_limit::WindowCount;
use crate::model::timestamp::Timestamp;
use crate::ports::{Decision, LimiterError, RateLimit as Limit, RateLimiter};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Duration;
use wasm_bindgen::JsValue;
use worker::{DurableObject, Env, Method, Request, RequestInit, Response, durable_object, wasm_bindgen};

/// The binding's name in wrangler.toml.
const BINDING: &str = "RATE_LIMIT";

/// The one thing an object stores.
const STATE: &str = "state";

/// The longest wait for an object. A regular answer takes milliseconds, one from another continent some hundred.
const LONGEST_WAIT: Duration = Duration::from_secs(3);

/// The limiter's request to the Durable Object.
#[derive(Serialize, Deserialize)]
struct Take {
    count: u32,
    window_seconds: u64,
    now: i64,
    /// Only to be told how many are left. Absent from older messages.
    #[serde(default)]
    looks_only: bool,
}

#[derive(Serialize, Deserialize)]
enum CounterReply {
    Allowed { remaining: u32 },
    Limited { retry_after_seconds: u64 },
}

/// Stored form of the limiter's state.
#[derive(Serialize, Deserialize)]
struct Stored {
    window_started_at: i64,
    count: u32,
}

/// The counter of one key.
#[durable_object(alarm)]
pub struct RateLimitObject {
    object: worker::State,
}

impl DurableObject for RateLimitObject {
    fn new(object: worker::State, _: Env) -> Self {
        Self { object }
    }

    async fn fetch(&self, mut request: Request) -> worker::Result<Response> {
        let take: Take = request.json().await?;
        let limit = Limit { name: "", count: take.count, window: Duration::from_secs(take.window_seconds) };
        let earlier = self.object.storage().get::<Stored>(STATE).await?;
        let earlier_window = earlier.as_ref().map(|stored| stored.window_started_at);
        let (earlier, now) = (earlier.map(WindowCount::from), Timestamp::from_seconds(take.now));
        if take.looks_only {
            let remaining = WindowCount::remaining(earlier, limit, now);
            return Response::from_json(&CounterReply::Allowed { remaining });
        }

        let (state, decision) = WindowCount::take(earlier, limit, now);

        let stored = Stored::from(state);
        if earlier_window != Some(stored.window_started_at) {
            self.object.storage().set_alarm(limit.window).await?;
        }
        // Over the limit nothing was taken, so there is nothing to write.
        if matches!(decision, Decision::Allowed { .. }) {
            self.object.storage().put(STATE, stored).await?;
        }
        Response::from_json(&CounterReply::from(decision))
    }

    /// The window is over: a counter that nobody uses takes no room.
    async fn alarm(&self) -> worker::Result<Response> {
        self.object.storage().delete_all().await?;
        Response::empty()
    }
}

/// The number of limited keys that an instance remembers.
const REMEMBERED: usize = 1000;

thread_local! {
    /// Keys that are over their limit, and until when: whoever floods costs no object a call.
    static LIMITED: RefCell<HashMap<String, Timestamp>> = RefCell::default();
}

fn still_limited(key: &str, now: Timestamp) -> Option<Duration> {
    LIMITED.with_borrow(|limited| limited.get(key).filter(|until| now < **until).map(|until| until.since(now)))
}

fn remember_limited(key: &str, until: Timestamp) {
    LIMITED.with_borrow_mut(|limited| {
        if limited.len() >= REMEMBERED {
            limited.clear();
        }
        limited.insert(key.to_owned(), until);
    });
}

/// All counters of this worker.
pub struct Counters {
    env: Env,
}

impl Counters {
    /// Takes the binding when it is needed.
    pub fn new(env: &Env) -> Self {
        Self { env: env.clone() }
    }

    /// Asks once more when an object fails, which it does when the runtime moves it or a deployment ends it. Then the first
    /// take may count too, so that less is let through and never more. One that does not answer is not asked again.
    async fn ask(&self, key: &str, take: &Take) -> Result<CounterReply, LimiterError> {
        let asked = async {
            match self.ask_once(key, take).await {
                Ok(answer) => Ok(answer),
                Err(_) => self.ask_once(key, take).await,
            }
        };
        let answer = within(LONGEST_WAIT, asked).await;
        let answer = answer.ok_or_else(|| LimiterError("no answer in time".to_owned()))?;
        answer.map_err(|error| LimiterError(error.to_string()))
    }

    async fn ask_once(&self, key: &str, take: &Take) -> worker::Result<CounterReply> {
        let counter = self.env.durable_object(BINDING)?.get_by_name(key)?;
        let mut init = RequestInit::new();
        init.with_method(Method::Post).with_body(Some(JsValue::from_str(&serde_json::to_string(take)?)));
        // An object needs an absolute URL; nobody looks at it.
        let mut answer = counter.fetch_with_request(Request::new_with_init("https://rate-limit/", &init)?).await?;
        answer.json().await
    }
}

#[async_trait(?Send)]
impl RateLimiter for Counters {
    async fn take(&self, key: &str, limit: Limit, now: Timestamp) -> Result<Decision, LimiterError> {
        if let Some(retry_after) = still_limited(key, now) {
            return Ok(Decision::Limited { retry_after });
        }
        let decision = self.ask(key, &Take::new(limit, now, false)).await?.into();
        if let Decision::Limited { retry_after } = decision {
            remember_limited(key, now + retry_after);
        }
        Ok(decision)
    }

    async fn remaining(&self, key: &str, limit: Limit, now: Timestamp) -> Result<u32, LimiterError> {
        Ok(match self.ask(key, &Take::new(limit, now, true)).await? {
            CounterReply::Allowed { remaining } => remaining,
            CounterReply::Limited { .. } => 0,
        })
    }
}

impl Take {
    fn new(limit: Limit, now: Timestamp, looks_only: bool) -> Self {
        Self { count: limit.count, window_seconds: limit.window.as_secs(), now: now.as_seconds(), looks_only }
    }
}

impl From<Decision> for CounterReply {
    fn from(decision: Decision) -> Self {
        match decision {
            Decision::Allowed { remaining } => Self::Allowed { remaining },
            Decision::Limited { retry_after } => Self::Limited { retry_after_seconds: retry_after.as_secs() },
        }
    }
}

impl From<CounterReply> for Decision {
    fn from(answer: CounterReply) -> Self {
        match answer {
            CounterReply::Allowed { remaining } => Self::Allowed { remaining },
            CounterReply::Limited { retry_after_seconds } => {
                Self::Limited { retry_after: Duration::from_secs(retry_after_seconds) }
            }
        }
    }
}

impl From<Stored> for WindowCount {
    fn from(stored: Stored) -> Self {
        Self { window_started_at: Timestamp::from_seconds(stored.window_started_at), count: stored.count }
    }
}

impl From<WindowCount> for Stored {
    fn from(state: WindowCount) -> Self {
        Self { window_started_at: state.window_started_at.as_seconds(), count: state.count }
    }
}
