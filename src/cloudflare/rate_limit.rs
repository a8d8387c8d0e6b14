//! The rate limiter's counters: one Durable Object per limited key, and the `RateLimiter` that calls it.
//!
//! The object, in `entry.mjs`, only loads, asks [`count_take`], and saves. The runtime delivers no other event to an object while
//! it waits for its storage, so two takes never see the same state. When its window is over, the object forgets itself.

use super::crossing::{self, CrossingError};
use crate::hosted::rate_limit::WindowCount;
use crate::model::timestamp::Timestamp;
use crate::ports::{Decision, LimiterError, RateLimit as Limit, RateLimiter};
use async_trait::async_trait;
use js_sys::Reflect;
use serde::{Deserialize, Serialize};
use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Duration;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsError, JsValue};
use worker::Env;

/// The binding's name in wrangler.toml.
const BINDING: &str = "RATE_LIMIT";

/// The longest wait for an object. A regular answer takes milliseconds, one from another continent some hundred.
const LONGEST_WAIT: Duration = Duration::from_secs(3);

#[wasm_bindgen]
extern "C" {
    /// Asks once more when an object fails, which it does when the runtime moves it or a deployment ends it. Then the first
    /// take may count too, so that less is let through and never more. One that does not answer is not asked again.
    #[wasm_bindgen(js_namespace = statibeat, js_name = askCounter)]
    fn start_take(namespace: &JsValue, key: &str, take: &str, milliseconds: u32) -> u32;
}

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

/// The reply of a take, and the work that it leaves to the object.
#[derive(Serialize)]
struct TakeOutcome {
    reply: CounterReply,
    /// To be stored. Over the limit nothing was taken, so there is nothing to write.
    state: Option<Stored>,
    /// A window began: when it is over, the object forgets itself.
    alarm_after_milliseconds: Option<u32>,
}

/// Called by the object in `entry.mjs` with the take that it was asked for and the state that it stored, both as JSON.
#[wasm_bindgen(js_name = countTake)]
pub fn count_take(take: &str, stored: &str) -> Result<String, JsError> {
    let take: Take = serde_json::from_str(take)?;
    let earlier: Option<Stored> = serde_json::from_str(stored)?;
    Ok(serde_json::to_string(&take.count(earlier))?)
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
    namespace: JsValue,
}

impl Counters {
    /// Takes the binding; that it is missing shows with the first take.
    pub fn new(env: &Env) -> Self {
        Self { namespace: Reflect::get(env, &JsValue::from_str(BINDING)).unwrap_or_default() }
    }

    async fn ask(&self, key: &str, take: &Take) -> Result<CounterReply, LimiterError> {
        let take = serde_json::to_string(take).map_err(|error| LimiterError(error.to_string()))?;
        let asked = start_take(&self.namespace, key, &take, crossing::milliseconds(LONGEST_WAIT));
        match crossing::answer(asked).await {
            Ok((reply, _)) => Ok(reply),
            Err(CrossingError::Failed(message)) => Err(LimiterError(message)),
            Err(CrossingError::Timeout | CrossingError::TooLarge) => Err(LimiterError("no answer in time".to_owned())),
        }
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
    fn count(&self, earlier: Option<Stored>) -> TakeOutcome {
        let limit = Limit { name: "", count: self.count, window: Duration::from_secs(self.window_seconds) };
        let earlier_window = earlier.as_ref().map(|stored| stored.window_started_at);
        let (earlier, now) = (earlier.map(WindowCount::from), Timestamp::from_seconds(self.now));
        if self.looks_only {
            let reply = CounterReply::Allowed { remaining: WindowCount::remaining(earlier, limit, now) };
            return TakeOutcome { reply, state: None, alarm_after_milliseconds: None };
        }
        let (state, decision) = WindowCount::take(earlier, limit, now);
        let stored = Stored::from(state);
        let is_new_window = earlier_window != Some(stored.window_started_at);
        TakeOutcome {
            alarm_after_milliseconds: is_new_window.then(|| crossing::milliseconds(limit.window)),
            state: matches!(decision, Decision::Allowed { .. }).then_some(stored),
            reply: decision.into(),
        }
    }

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
