//! SQL over the `Database` port; a function = one statement or one batch.
//!
//! D1 has no interactive transaction. So nothing here reads, waits, and then writes on what it read: the condition is part
//! of the write, and when several rows must change together they go in one batch whose later statements select on what only
//! the winner wrote. Return types name the outcomes.

pub mod activity;
pub mod audit;
pub mod authorization_requests;
pub mod blocks;
pub mod calls;
pub mod connections;
pub mod gathering;
pub mod grants;
pub mod health;
pub mod idempotency;
pub mod overview;
pub mod purge;
pub mod readiness;
pub mod refusals;
pub mod sessions;
#[cfg(test)]
pub(crate) mod testing;
pub mod tokens;
pub mod unrecorded;
pub mod write_permission;

use crate::model::ids::PageId;
use crate::model::timestamp::Timestamp;
use crate::ports::{Database, DatabaseError, Row, Statement, Value};

pub type Result<T> = std::result::Result<T, DatabaseError>;

/// Builds a statement: `statement!("SELECT … ?1", value, …)`.
macro_rules! statement {
    ($sql:expr $(, $value:expr)* $(,)?) => {
        $crate::ports::Statement { sql: $sql, values: vec![$($crate::ports::Value::from($value)),*] }
    };
}
pub(crate) use statement;

async fn run(db: &dyn Database, statement: Statement) -> Result<Vec<Row>> {
    let mut answers = db.batch(&[statement]).await?;
    Ok(answers.pop().unwrap_or_default())
}

/// Runs one statement whose answer is at most one row.
async fn run_for_one(db: &dyn Database, statement: Statement) -> Result<Option<Row>> {
    Ok(run(db, statement).await?.into_iter().next())
}

/// A statement that only reads, and how one row of its answer is read: several can be asked in one batch.
struct Select<T> {
    statement: Statement,
    read: fn(&Row) -> Result<T>,
}

impl<T> Select<T> {
    async fn run(self, db: &dyn Database) -> Result<Vec<T>> {
        let rows = run(db, self.statement.clone()).await?;
        self.read(&rows)
    }

    /// Reads its part of a batch's answer.
    fn read(&self, rows: &[Row]) -> Result<Vec<T>> {
        rows.iter().map(self.read).collect()
    }
}

/// Page ids for `json_each`, which takes a list of any length through one placeholder.
fn json_list(pages: &[PageId]) -> String {
    format!("[{}]", pages.iter().map(ToString::to_string).collect::<Vec<_>>().join(","))
}

/// Reading a row: a column that is absent or of another type is a fault of ours, named by the column.
impl Row {
    fn value(&self, column: &str) -> Result<&Value> {
        self.0.get(column).ok_or_else(|| DatabaseError(format!("no column {column}")))
    }

    fn text(&self, column: &str) -> Result<String> {
        self.optional_text(column)?.ok_or_else(|| DatabaseError(format!("{column} is NULL")))
    }

    fn optional_text(&self, column: &str) -> Result<Option<String>> {
        match self.value(column)? {
            Value::Text(text) => Ok(Some(text.clone())),
            Value::Null => Ok(None),
            Value::Integer(_) => Err(DatabaseError(format!("{column} is not text"))),
        }
    }

    fn integer(&self, column: &str) -> Result<i64> {
        self.optional_integer(column)?.ok_or_else(|| DatabaseError(format!("{column} is NULL")))
    }

    fn optional_integer(&self, column: &str) -> Result<Option<i64>> {
        match self.value(column)? {
            Value::Integer(number) => Ok(Some(*number)),
            Value::Null => Ok(None),
            Value::Text(_) => Err(DatabaseError(format!("{column} is not a number"))),
        }
    }

    fn time(&self, column: &str) -> Result<Timestamp> {
        self.integer(column).map(Timestamp::from_seconds)
    }

    fn optional_time(&self, column: &str) -> Result<Option<Timestamp>> {
        Ok(self.optional_integer(column)?.map(Timestamp::from_seconds))
    }

    /// A column that must parse; what does not was not written by us.
    fn parsed<T>(&self, column: &str, parse: impl FnOnce(&str) -> Option<T>) -> Result<T> {
        parse(&self.text(column)?).ok_or_else(|| DatabaseError(format!("{column} cannot be read")))
    }
}
