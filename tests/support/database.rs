//! The `Database` port over SQLite in memory, with the real `schema.sql`.

#[path = "../../src/storage/testing/sqlite.rs"]
pub mod sqlite;

use super::faults::Faults;
use async_trait::async_trait;
use rusqlite::Connection;
use statibeat_mcp::ports::{Database, DatabaseError, Row, Statement};
use std::cell::{Cell, RefCell};
use std::task::Poll;

const SCHEMA: &str = include_str!("../../schema.sql");

pub use super::faults::Failure;

/// A batch and what it answered.
pub type Exchange = (Vec<Statement>, Vec<Vec<Row>>);

pub struct SqliteDatabase {
    connection: RefCell<Connection>,
    pub faults: Faults,
    /// If set, a batch yields once, so that whoever polls the requests decides on their order.
    pub is_stepwise: Cell<bool>,
    /// Batches so far: each is one round trip.
    pub batches: Cell<usize>,
    /// Every batch that ran, with its answer; written only when somebody asked for it.
    pub trace: RefCell<Option<Vec<Exchange>>>,
}

impl SqliteDatabase {
    pub fn new() -> Self {
        let connection = Connection::open_in_memory().expect("SQLite");
        connection.set_prepared_statement_cache_capacity(100);
        connection.execute_batch("PRAGMA foreign_keys = ON").expect("a pragma");
        connection.execute_batch(SCHEMA).expect("schema.sql");
        Self {
            connection: RefCell::new(connection),
            faults: Faults::default(),
            is_stepwise: Cell::new(false),
            batches: Cell::new(0),
            trace: RefCell::new(None),
        }
    }

    /// Makes the batch after the next `skip` ones, and all that follow, fail.
    pub fn fail_after(&self, skip: usize, failure: Failure) {
        self.faults.from(skip, failure);
    }

    pub fn heal(&self) {
        self.faults.heal();
    }

    pub fn forget(&self) {
        self.faults.heal();
        let tables = "authorization_requests grants codes refresh_tokens access_tokens sessions idempotency audit";
        for table in tables.split(' ') {
            self.execute(&format!("DELETE FROM {table}"));
        }
    }

    /// Changes rows behind the connector's back.
    pub fn execute(&self, sql: &str) {
        self.connection.borrow().execute(sql, []).expect("a statement");
    }

    /// One number out of a test's own query.
    pub fn count(&self, sql: &str) -> i64 {
        self.connection.borrow().query_row(sql, [], |row| row.get(0)).expect("a count")
    }

    pub fn text(&self, sql: &str) -> String {
        self.connection.borrow().query_row(sql, [], |row| row.get(0)).expect("a text")
    }

    /// Every stored value as text, for comparing before and after. The list of refused redirects is left out: it grows with
    /// refusals, which is what it is for.
    pub fn dump(&self) -> String {
        let everything = self.dump_everything();
        let kept = everything.lines().filter(|row| !row.starts_with("refused_clients:"));
        kept.flat_map(|row| [row, "\n"]).collect()
    }

    /// Every stored value of every table as text, for searching.
    pub fn dump_everything(&self) -> String {
        let connection = self.connection.borrow();
        let mut tables =
            connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").expect("sql");
        let names: Vec<String> =
            tables.query_map([], |row| row.get(0)).expect("sql").map(|name| name.expect("text")).collect();
        let mut dump = String::new();
        for name in names {
            let mut rows = connection.prepare(&format!("SELECT * FROM {name}")).expect("sql");
            let width = rows.column_count();
            let mut rows = rows.query([]).expect("sql");
            while let Some(row) = rows.next().expect("a row") {
                let values: Vec<String> =
                    (0..width).map(|at| format!("{:?}", sqlite::read(row.get_ref(at).expect("a value")))).collect();
                dump += &format!("{name}: {}\n", values.join(" | "));
            }
        }
        dump
    }

    fn run(&self, statements: &[Statement]) -> rusqlite::Result<Vec<Vec<Row>>> {
        let statements = statements.iter().map(|one| (one.sql, one.values.as_slice()));
        sqlite::run_batch(&mut self.connection.borrow_mut(), statements)
    }
}

#[async_trait(?Send)]
impl Database for SqliteDatabase {
    async fn batch(&self, statements: &[Statement]) -> Result<Vec<Vec<Row>>, DatabaseError> {
        if self.is_stepwise.get() {
            let_others_go_first().await;
        }
        self.batches.set(self.batches.get() + 1);
        let failure = self.faults.next(statements);
        if failure == Some(Failure::Before) {
            return Err(DatabaseError("failing before, as told".into()));
        }
        let answers = self.run(statements).map_err(|error| DatabaseError(error.to_string()))?;
        if let Some(trace) = self.trace.borrow_mut().as_mut() {
            trace.push((statements.to_vec(), answers.clone()));
        }
        match failure {
            Some(_) => Err(DatabaseError("failing after, as told".into())),
            None => Ok(answers),
        }
    }
}

/// Is not ready the first time it is asked.
async fn let_others_go_first() {
    let mut was_asked = false;
    std::future::poll_fn(|_| if std::mem::replace(&mut was_asked, true) { Poll::Ready(()) } else { Poll::Pending })
        .await;
}
