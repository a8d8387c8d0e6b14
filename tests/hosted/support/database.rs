//! The `Database` port over SQLite in memory, with the real `schema.sql`.
//!
//! Numbers are bound as REAL, as D1 binds them, so that a test sees the arithmetic that D1 will do.

use async_trait::async_trait;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, params_from_iter};
use statibeat_mcp::ports::{Database, DatabaseError, Row, Statement, Value};
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

const SCHEMA: &str = include_str!("../../../schema.sql");

/// How the database misbehaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The batch does not happen.
    Before,
    /// The batch happens and nobody is told.
    After,
}

pub struct SqliteDatabase {
    connection: RefCell<Connection>,
    /// How the batches from the given one on (counting from zero, from now) fail.
    failure: Cell<Option<(usize, Failure)>>,
    /// Batches so far: each is one round trip.
    pub batches: Cell<usize>,
}

impl SqliteDatabase {
    pub fn new() -> Self {
        let connection = Connection::open_in_memory().expect("SQLite");
        connection.execute_batch("PRAGMA foreign_keys = ON").expect("a pragma");
        connection.execute_batch(SCHEMA).expect("schema.sql");
        Self { connection: RefCell::new(connection), failure: Cell::new(None), batches: Cell::new(0) }
    }

    /// Makes the batch after the next `skip` ones, and all that follow, fail.
    pub fn fail_after(&self, skip: usize, failure: Failure) {
        self.failure.set(Some((skip, failure)));
    }

    pub fn heal(&self) {
        self.failure.set(None);
    }

    /// Changes rows behind the connector's back.
    pub fn execute(&self, sql: &str) {
        self.connection.borrow().execute(sql, []).expect("a statement");
    }

    /// One number out of a test's own query.
    pub fn count(&self, sql: &str) -> i64 {
        self.connection.borrow().query_row(sql, [], |row| row.get(0)).expect("a count")
    }

    /// Every stored value as text, for comparing before and after, and for searching. What is remembered of refused
    /// redirect URIs is left out: it is meant to change, and grants nothing.
    pub fn dump(&self) -> String {
        let connection = self.connection.borrow();
        let mut tables = connection
            .prepare(
                "SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'refused_redirects' ORDER BY name",
            )
            .expect("sql");
        let names: Vec<String> =
            tables.query_map([], |row| row.get(0)).expect("sql").map(|name| name.expect("text")).collect();
        let mut dump = String::new();
        for name in names {
            let mut rows = connection.prepare(&format!("SELECT * FROM {name}")).expect("sql");
            let width = rows.column_count();
            let mut rows = rows.query([]).expect("sql");
            while let Some(row) = rows.next().expect("a row") {
                let values: Vec<String> =
                    (0..width).map(|at| format!("{:?}", read(row.get_ref(at).expect("a value")))).collect();
                dump += &format!("{name}: {}\n", values.join(" | "));
            }
        }
        dump
    }

    fn failure_now(&self) -> Option<Failure> {
        match self.failure.get()? {
            (0, failure) => Some(failure),
            (skip, failure) => {
                self.failure.set(Some((skip - 1, failure)));
                None
            }
        }
    }

    fn run(&self, statements: &[Statement]) -> rusqlite::Result<Vec<Vec<Row>>> {
        let mut connection = self.connection.borrow_mut();
        let transaction = connection.transaction()?;
        let answers = statements.iter().map(|statement| run_one(&transaction, statement)).collect::<Result<_, _>>()?;
        transaction.commit()?;
        Ok(answers)
    }
}

#[async_trait(?Send)]
impl Database for SqliteDatabase {
    async fn batch(&self, statements: &[Statement]) -> Result<Vec<Vec<Row>>, DatabaseError> {
        self.batches.set(self.batches.get() + 1);
        let failure = self.failure_now();
        if failure == Some(Failure::Before) {
            return Err(DatabaseError("failing before, as told".into()));
        }
        let answers = self.run(statements).map_err(|error| DatabaseError(error.to_string()))?;
        match failure {
            Some(_) => Err(DatabaseError("failing after, as told".into())),
            None => Ok(answers),
        }
    }
}

fn run_one(connection: &Connection, statement: &Statement) -> rusqlite::Result<Vec<Row>> {
    let mut prepared = connection.prepare(statement.sql)?;
    let names: Vec<String> = prepared.column_names().into_iter().map(str::to_owned).collect();
    let mut rows = prepared.query(params_from_iter(statement.values.iter().map(bind)))?;
    let mut answer = Vec::new();
    while let Some(row) = rows.next()? {
        let values = names.iter().enumerate().map(|(at, name)| Ok((name.clone(), read(row.get_ref(at)?))));
        answer.push(Row(values.collect::<rusqlite::Result<BTreeMap<_, _>>>()?));
    }
    Ok(answer)
}

#[expect(clippy::cast_precision_loss, reason = "D1 does the same; our numbers stay below 2^53")]
fn bind(value: &Value) -> rusqlite::types::Value {
    match value {
        Value::Null => rusqlite::types::Value::Null,
        Value::Integer(number) => rusqlite::types::Value::Real(*number as f64),
        Value::Text(text) => rusqlite::types::Value::Text(text.clone()),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "whole numbers, as the edge reads them")]
fn read(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Real(number) => Value::Integer(number as i64),
        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(_) => panic!("no column of ours is a blob"),
    }
}
