//! The real schema on SQLite in memory, for unit tests.

use crate::ports::{Database, DatabaseError, Row, Statement, Value};
use async_trait::async_trait;
use rusqlite::Connection;
use rusqlite::types::{Value as Native, ValueRef};
use std::cell::RefCell;

/// A fresh database, which can be told to fail.
pub struct TestDatabase {
    connection: RefCell<Connection>,
    /// Answers every batch with an error, without running it.
    pub is_down: bool,
}

impl TestDatabase {
    /// With every table and no row.
    pub fn new() -> Self {
        let connection = Connection::open_in_memory().expect("SQLite in memory");
        connection.execute_batch(include_str!("../../schema.sql")).expect("the schema");
        Self { connection: RefCell::new(connection), is_down: false }
    }

    /// A live grant of user 42 to `cursor`.
    pub fn insert_grant(&self, id: &str) {
        self.execute(&format!(
            "INSERT INTO grants (id, user_id, user_name, client_id, client_name, client_standing, redirect_host, \
             is_loopback, resource, scope, created_at) \
             VALUES ('{id}', '42', 'Mara', 'cursor', 'Cursor', 'known', 'h', 0, 'r', 's', 0)"
        ));
    }

    /// Changes rows behind everybody's back.
    pub fn execute(&self, sql: &str) {
        self.connection.borrow().execute(sql, []).expect("a statement");
    }

    fn run(&self, statements: &[Statement]) -> rusqlite::Result<Vec<Vec<Row>>> {
        let mut connection = self.connection.borrow_mut();
        let transaction = connection.transaction()?;
        let answers = statements.iter().map(|statement| answer(&transaction, statement)).collect::<Result<_, _>>()?;
        transaction.commit()?;
        Ok(answers)
    }
}

fn answer(connection: &Connection, statement: &Statement) -> rusqlite::Result<Vec<Row>> {
    let mut prepared = connection.prepare(statement.sql)?;
    let names: Vec<String> = prepared.column_names().into_iter().map(str::to_owned).collect();
    let rows = prepared.query_map(rusqlite::params_from_iter(statement.values.iter().map(native)), |row| {
        let columns = names.iter().enumerate().map(|(at, name)| Ok((name.clone(), value(row.get_ref(at)?))));
        Ok(Row(columns.collect::<rusqlite::Result<_>>()?))
    })?;
    rows.collect()
}

/// Numbers are bound as REAL, as D1 does.
#[expect(clippy::cast_precision_loss, reason = "the port promises numbers below 2^53")]
fn native(value: &Value) -> Native {
    match value {
        Value::Null => Native::Null,
        Value::Integer(number) => Native::Real(*number as f64),
        Value::Text(text) => Native::Text(text.clone()),
    }
}

fn value(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Real(_) | ValueRef::Blob(_) => panic!("the schema has neither REAL nor BLOB"),
    }
}

#[async_trait(?Send)]
impl Database for TestDatabase {
    async fn batch(&self, statements: &[Statement]) -> Result<Vec<Vec<Row>>, DatabaseError> {
        if self.is_down {
            return Err(DatabaseError("down".to_owned()));
        }
        self.run(statements).map_err(|error| DatabaseError(error.to_string()))
    }
}
