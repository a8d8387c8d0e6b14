//! `Database` over D1.
//!
//! D1 binds every number as REAL and refuses JavaScript's big integers, so whole numbers travel as floating point
//! ones, which is exact below 2^53. What D1 says of a fault goes to the log in short, without stack or values.

use super::patience::within;
use crate::ports::{Database, DatabaseError, Row, Statement, Value};
use async_trait::async_trait;
use serde::de::{Deserialize, Deserializer, Error, Visitor};
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;
use worker::wasm_bindgen::JsValue;
use worker::{D1Database, D1PreparedStatement, D1Result, Env};

/// The binding's name in wrangler.toml.
const BINDING: &str = "DB";

/// The longest wait for a batch; it may be done all the same. A regular one takes milliseconds.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// The longest part of D1's message that is kept.
const LONGEST_REASON: usize = 200;

/// The database bound to this worker.
pub struct Bound(worker::Result<D1Database>);

impl Bound {
    /// Takes the binding; that it is missing shows with the first batch.
    pub fn new(env: &Env) -> Self {
        Self(env.d1(BINDING))
    }
}

#[async_trait(?Send)]
impl Database for Bound {
    async fn batch(&self, statements: &[Statement]) -> Result<Vec<Vec<Row>>, DatabaseError> {
        let db = self.0.as_ref().map_err(short)?;
        let prepared = statements.iter().map(|statement| prepare(db, statement)).collect::<Result<Vec<_>, _>>()?;
        let answer = within(LONGEST_WAIT, db.batch(prepared)).await;
        let results = answer.ok_or_else(|| DatabaseError("no answer in time".to_owned()))?;
        let results = results.map_err(|error| short(&error))?;
        results.iter().map(rows).collect()
    }
}

fn prepare(db: &D1Database, statement: &Statement) -> Result<D1PreparedStatement, DatabaseError> {
    let values: Vec<JsValue> = statement.values.iter().map(bound).collect();
    let prepared = db.prepare(statement.sql);
    // Binding nothing is an error of its own.
    if values.is_empty() { Ok(prepared) } else { prepared.bind(&values).map_err(|error| short(&error)) }
}

#[expect(clippy::cast_precision_loss, reason = "the port asks for whole numbers below 2^53")]
fn bound(value: &Value) -> JsValue {
    match value {
        Value::Null => JsValue::NULL,
        Value::Integer(number) => JsValue::from_f64(*number as f64),
        Value::Text(text) => JsValue::from_str(text),
    }
}

fn rows(result: &D1Result) -> Result<Vec<Row>, DatabaseError> {
    if let Some(reason) = result.error() {
        return Err(DatabaseError(clipped(&reason)));
    }
    let rows = result.results::<BTreeMap<String, Column>>().map_err(|error| short(&error))?;
    let values = |row: BTreeMap<String, Column>| row.into_iter().map(|(name, column)| (name, column.0)).collect();
    Ok(rows.into_iter().map(|row| Row(values(row))).collect())
}

/// A column as D1 answers it.
struct Column(Value);

impl<'de> Deserialize<'de> for Column {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ColumnVisitor)
    }
}

struct ColumnVisitor;

impl Visitor<'_> for ColumnVisitor {
    type Value = Column;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number, a text or null")
    }

    fn visit_unit<E: Error>(self) -> Result<Column, E> {
        Ok(Column(Value::Null))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Column, E> {
        Ok(Column(Value::Integer(number)))
    }

    #[expect(clippy::cast_possible_truncation, reason = "checked to be a whole number just before")]
    fn visit_f64<E: Error>(self, number: f64) -> Result<Column, E> {
        if number.fract() == 0.0 && number.abs() < 9e15 {
            return Ok(Column(Value::Integer(number as i64)));
        }
        Err(E::custom("a number that is not whole"))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Column, E> {
        Ok(Column(Value::Text(text.to_owned())))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Column, E> {
        Ok(Column(Value::Text(text)))
    }
}

/// What D1 says in one line. Its cause is left out: a lost connection has none.
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
