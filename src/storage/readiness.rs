//! Whether the database answers.

use super::{Result, run, statement};
use crate::ports::Database;

/// Reads from a table of ours: an empty database, one that was never migrated, is not a working one.
pub async fn check(db: &dyn Database) -> Result<()> {
    run(db, statement!("SELECT 1 AS one FROM grants LIMIT 1")).await.map(drop)
}
