//! `Database` over D1. A batch crosses over as one text, and so do its rows.
//!
//! D1 binds every number as REAL, which is exact below 2^53. What D1 says of a fault goes to the log in short, without stack or
//! values.

use super::crossing::{self, CrossingError};
use crate::ports::{Database, DatabaseError, Row, Statement, Value};
use async_trait::async_trait;
use js_sys::Reflect;
use std::time::Duration;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;
use worker::Env;

/// The binding's name in wrangler.toml.
const BINDING: &str = "DB";

/// The longest wait for a batch; it may be done all the same. A regular one takes milliseconds. Added up over one call of a
/// tool, this and the limits of the other ports stay below the lease of a write (`storage::idempotency::LEASE`).
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// The longest part of D1's message that is kept.
const LONGEST_REASON: usize = 200;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = statibeat, js_name = runBatch)]
    fn start_batch(database: &JsValue, statements: &str, milliseconds: u32) -> u32;
}

/// The database bound to this worker.
pub struct D1Binding(JsValue);

impl D1Binding {
    /// Takes the binding; that it is missing shows with the first batch.
    pub fn new(env: &Env) -> Self {
        Self(Reflect::get(env, &JsValue::from_str(BINDING)).unwrap_or_default())
    }
}

#[async_trait(?Send)]
impl Database for D1Binding {
    async fn batch(&self, statements: &[Statement]) -> Result<Vec<Vec<Row>>, DatabaseError> {
        let statements: Vec<(&str, &[Value])> = statements.iter().map(|one| (one.sql, &*one.values)).collect();
        let text = serde_json::to_string(&statements).map_err(|error| DatabaseError(error.to_string()))?;
        let asked = start_batch(&self.0, &text, crossing::milliseconds(LONGEST_WAIT));
        match crossing::answer(asked).await {
            Ok((rows, _)) => Ok(rows),
            Err(CrossingError::Failed(message)) => Err(DatabaseError(clipped(&message))),
            Err(CrossingError::Timeout | CrossingError::TooLarge) => Err(DatabaseError("no answer in time".to_owned())),
        }
    }
}

/// An error message in one line.
fn clipped(reason: &str) -> String {
    reason.lines().next().unwrap_or_default().chars().take(LONGEST_REASON).collect()
}
