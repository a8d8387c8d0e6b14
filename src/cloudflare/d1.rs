//! `Database` over D1.
//!
//! D1 binds every number as REAL and refuses JavaScript's big integers, so whole numbers travel as floating point
//! ones, which is exact below 2^53. What D1 says of a fault goes to the log in short, without stack or values.

use super::timeout::within;
use crate::ports::{Database, DatabaseError, Row, Statement, Value};
use async_trait::async_trait;
use js_sys::{Array, JSON};
use std::time::Duration;
use worker::wasm_bindgen::prelude::wasm_bindgen;
use worker::wasm_bindgen::{self, JsCast as _, JsValue};
use worker::{D1Database, Env};

/// The binding's name in wrangler.toml.
const BINDING: &str = "DB";

/// The longest wait for a batch; it may be done all the same. A regular one takes milliseconds.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// The longest part of D1's message that is kept.
const LONGEST_REASON: usize = 200;

/// The database bound to this worker.
pub struct D1Binding(worker::Result<D1Database>);

impl D1Binding {
    /// Takes the binding; that it is missing shows with the first batch.
    pub fn new(env: &Env) -> Self {
        Self(env.d1(BINDING))
    }
}

#[wasm_bindgen]
extern "C" {
    /// The binding, for the one method whose answer is wanted as it is.
    type RawDatabase;

    #[wasm_bindgen(method, catch)]
    async fn batch(this: &RawDatabase, statements: Array) -> Result<JsValue, JsValue>;

    type RawResult;

    #[wasm_bindgen(method, getter)]
    fn results(this: &RawResult) -> JsValue;
}

#[async_trait(?Send)]
impl Database for D1Binding {
    async fn batch(&self, statements: &[Statement]) -> Result<Vec<Vec<Row>>, DatabaseError> {
        let db = self.0.as_ref().map_err(short)?;
        let prepared = statements.iter().map(|statement| prepare(db, statement)).collect::<Result<Array, _>>()?;
        let raw = AsRef::<JsValue>::as_ref(db).unchecked_ref::<RawDatabase>();
        let answer = within(LONGEST_WAIT, raw.batch(prepared)).await;
        let results = answer.ok_or_else(|| DatabaseError("no answer in time".to_owned()))?;
        read(&results.map_err(|error| short(&error.into()))?)
    }
}

fn prepare(db: &D1Database, statement: &Statement) -> Result<JsValue, DatabaseError> {
    let values: Vec<JsValue> = statement.values.iter().map(bound).collect();
    let prepared = db.prepare(statement.sql);
    // Binding nothing is an error of its own.
    let prepared = if values.is_empty() { Ok(prepared) } else { prepared.bind(&values) };
    Ok(prepared.map_err(|error| short(&error))?.inner().into())
}

fn bound(value: &Value) -> JsValue {
    match value {
        Value::Bool(flag) => JsValue::from_bool(*flag),
        Value::Number(number) => number.as_f64().map_or(JsValue::NULL, JsValue::from_f64),
        Value::String(text) => JsValue::from_str(text),
        Value::Null | Value::Array(_) | Value::Object(_) => JsValue::NULL,
    }
}

/// The rows of a batch cross as one text: reading them column by column takes several calls into JavaScript for each. JSON
/// writes whole numbers without a fraction, whatever the engine answered them as.
fn read(results: &JsValue) -> Result<Vec<Vec<Row>>, DatabaseError> {
    let rows: Array =
        results.unchecked_ref::<Array>().iter().map(|result| result.unchecked_into::<RawResult>().results()).collect();
    let text = JSON::stringify(&rows).map(String::from).unwrap_or_default();
    serde_json::from_str(&text).map_err(|_| DatabaseError("the answer is not a list of rows".to_owned()))
}

/// D1's error message in one line. Its cause is left out: a lost connection has none.
fn short(error: &worker::Error) -> DatabaseError {
    DatabaseError(clipped(&match error {
        worker::Error::D1(error) => AsRef::<js_sys::Error>::as_ref(error).message().into(),
        worker::Error::UnknownJsError { message, .. } => message.clone(),
        other => other.to_string(),
    }))
}

fn clipped(reason: &str) -> String {
    reason.lines().next().unwrap_or_default().chars().take(LONGEST_REASON).collect()
}
