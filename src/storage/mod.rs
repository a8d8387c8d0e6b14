//! SQL over the `Database` port. Each function runs one statement or one batch.
//!
//! D1 has no interactive transactions, so nothing here reads, waits, and then writes based on what it read. The
//! condition is part of the write; rows that change together change in one batch, whose later statements select on
//! values that only a successful first statement stores.

pub mod activity;
pub mod audit;
pub mod authorization_requests;
pub mod blocks;
pub mod connections;
pub mod diagnostics;
pub mod grants;
pub mod idempotency;
pub mod narrowing;
pub mod overview;
pub mod previews;
pub mod purge;
pub mod refused_clients;
pub mod sessions;
#[cfg(test)]
pub(crate) mod testing;
pub mod tokens;
pub mod usage;
pub mod usage_buffer;
pub mod write_permission;

use crate::model::ids::{GrantId, PageId, RequestId, UserId};
use crate::model::scope::ScopeSet;
use crate::model::timestamp::Timestamp;
use crate::oauth::client::ClientId;
use crate::oauth::secret::{OpaqueToken, SecretHash, TokenUse};
use crate::ports::{Database, DatabaseError, Row, Statement, Value};
use serde::Deserialize;
use serde::de::DeserializeOwned;

pub type Result<T> = std::result::Result<T, DatabaseError>;

/// The result of a conditional write that only one request can make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redemption {
    /// This request redeemed it; its rows are stored.
    Redeemed,
    /// Another request redeemed it first, or a revocation came in between; nothing was stored.
    AlreadyRedeemed,
}

impl Redemption {
    /// Parses the `RETURNING` rows of the conditional write.
    fn from_rows(rows: Option<&Vec<Row>>) -> Self {
        if rows.is_some_and(|rows| !rows.is_empty()) { Self::Redeemed } else { Self::AlreadyRedeemed }
    }
}

/// Builds a statement: `statement!("SELECT … ?1", value, …)`.
macro_rules! statement {
    ($sql:expr $(, $value:expr)* $(,)?) => {
        $crate::ports::Statement { sql: $sql, values: vec![$($crate::ports::Value::from($value)),*] }
    };
}
pub(crate) use statement;

impl From<Timestamp> for Value {
    fn from(at: Timestamp) -> Self {
        at.as_seconds().into()
    }
}

impl From<PageId> for Value {
    fn from(page_id: PageId) -> Self {
        page_id.get().into()
    }
}

/// Of a secret, only its hash is stored.
impl<U: TokenUse> From<&OpaqueToken<U>> for Value {
    fn from(secret: &OpaqueToken<U>) -> Self {
        secret.hash().as_str().into()
    }
}

macro_rules! bound_as_text {
    ($($type:ty: $text:expr;)+) => {
        $(impl From<&$type> for Value {
            fn from(value: &$type) -> Self {
                Value::String($text(value))
            }
        })+
    };
}
bound_as_text! {
    UserId: ToString::to_string;
    GrantId: ToString::to_string;
    RequestId: ToString::to_string;
    ClientId: ToString::to_string;
    ScopeSet: ToString::to_string;
    SecretHash: |hash: &SecretHash| hash.as_str().to_owned();
}

/// Checks that the database responds and was migrated.
pub async fn check_readiness(db: &dyn Database) -> Result<()> {
    run(db, statement!("SELECT 1 AS one FROM grants LIMIT 1")).await.map(drop)
}

/// A count that a statement returns, alone or in each row.
#[derive(Deserialize)]
struct Counted {
    total: usize,
}

/// Page ids for `json_each`, which takes a list of any length through one placeholder.
fn json_list(pages: &[PageId]) -> String {
    format!("[{}]", pages.iter().map(ToString::to_string).collect::<Vec<_>>().join(","))
}

async fn redeem(db: &dyn Database, statement: Statement) -> Result<Redemption> {
    Ok(Redemption::from_rows(Some(&run(db, statement).await?)))
}

async fn run(db: &dyn Database, statement: Statement) -> Result<Vec<Row>> {
    let mut answers = db.batch(&[statement]).await?;
    Ok(answers.pop().unwrap_or_default())
}

/// Runs one statement that returns at most one row.
async fn find_one<T: DeserializeOwned>(db: &dyn Database, statement: Statement) -> Result<Option<T>> {
    run(db, statement).await?.first().map(read).transpose()
}

/// Runs one statement that returns any number of rows.
async fn list<T: DeserializeOwned>(db: &dyn Database, statement: Statement) -> Result<Vec<T>> {
    read_all(&run(db, statement).await?)
}

fn read_all<T: DeserializeOwned>(rows: &[Row]) -> Result<Vec<T>> {
    rows.iter().map(read).collect()
}

/// Parses the columns that `T` has a field for. An error doesn't contain the row's values, so it may be logged.
fn read<'a, T: Deserialize<'a>>(row: &'a Row) -> Result<T> {
    T::deserialize(row).map_err(|_| DatabaseError(format!("a row does not fit {}", std::any::type_name::<T>())))
}
