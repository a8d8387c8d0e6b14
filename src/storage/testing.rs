//! The real schema on SQLite in memory, for unit tests.

mod sqlite;

use super::activity::ActivityRow;
use super::statement;
use crate::model::ids::UserId;
use crate::ports::{Database, DatabaseError, Row, Statement};
use async_trait::async_trait;
use rusqlite::Connection;
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
            "INSERT INTO grants (id, user_id, user_name, client_id, client_name, client_trust, redirect_host, \
             is_loopback, resource, scope, created_at) \
             VALUES ('{id}', '42', 'Mara', 'cursor', 'Cursor', 'preregistered', 'h', 0, 'r', 's', 0)"
        ));
    }

    /// The audit rows of a person, newest first.
    pub async fn audit_rows(&self, user_id: &UserId) -> Vec<ActivityRow> {
        let sql = "SELECT rowid AS row, * FROM audit WHERE user_id = ?1 ORDER BY created_at DESC, rowid DESC";
        super::list(self, statement!(sql, user_id)).await.expect("rows")
    }

    /// Changes rows behind everybody's back.
    pub fn execute(&self, sql: &str) {
        self.connection.borrow().execute(sql, []).expect("a statement");
    }

    /// The steps in which SQLite runs a statement.
    pub fn plan(&self, statement: &Statement) -> Vec<String> {
        let connection = self.connection.borrow();
        let mut explained = connection.prepare(&format!("EXPLAIN QUERY PLAN {}", statement.sql)).expect("a statement");
        let nulls = vec![rusqlite::types::Null; explained.parameter_count()];
        let steps = explained.query_map(rusqlite::params_from_iter(nulls), |row| row.get("detail")).expect("a plan");
        steps.collect::<Result<_, _>>().expect("steps")
    }

    fn run(&self, statements: &[Statement]) -> rusqlite::Result<Vec<Vec<Row>>> {
        let statements = statements.iter().map(|one| (one.sql, one.values.as_slice()));
        sqlite::run_batch(&mut self.connection.borrow_mut(), statements)
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
