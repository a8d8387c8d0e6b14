//! `npm run erase` and `npm run audit:trim`: delete one person's data, or old rows of the audit log. Both count before they act.

mod statements;

use super::confirmation::Confirmation;
use super::database::OperatorDatabase;
use crate::project::Project;
use anyhow::{Context, Result, ensure};
use clap::Args;
use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Args)]
pub struct EraseOptions {
    /// The person's StatiBeat user id.
    #[arg(long, value_name = "USER_ID")]
    user: String,
    #[command(flatten)]
    how: Deletion,
}

#[derive(Args)]
pub struct TrimOptions {
    /// Delete rows of the audit log that are older than this; at least 90, for which the Hosted MCP page lists ended connections.
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(90..=36_500))]
    older_than: u32,
    #[command(flatten)]
    how: Deletion,
}

#[derive(Args)]
struct Deletion {
    /// The environment, as in wrangler.toml; `local` for the database of `npm start`. Asks for its name before it deletes.
    #[arg(long, value_name = "NAME")]
    env: String,
    /// Count what would be deleted, and delete nothing.
    #[arg(long)]
    dry_run: bool,
    /// The environment's name again, instead of typing it when asked: for programs.
    #[arg(long, value_name = "NAME")]
    confirm: Option<String>,
}

#[derive(Deserialize)]
struct OldRows {
    audit: u64,
}

/// Deletes what the database has about a person.
pub fn erase(project: &Project, options: &EraseOptions) -> Result<()> {
    let database = OperatorDatabase::open(project, &options.how.env)?;
    if !options.how.may_go_on(&database, &statements::counting_person(&options.user))? {
        return Ok(());
    }
    let rows = database.query(&statements::erasing_person(&options.user));
    let rows =
        rows.context("it is unknown whether anything was deleted: run the same command again, which does no harm")?;
    println!("{}: deleted, and the person's name taken out of the audit log: {}", options.how.env, sentence(&rows)?);
    println!("Backups and Time Travel keep the data for up to 30 days; StatiBeat's own data is StatiBeat's to delete.");
    Ok(())
}

/// Deletes old rows of the audit log, some at a time.
pub fn trim(project: &Project, options: &TrimOptions) -> Result<()> {
    let database = OperatorDatabase::open(project, &options.how.env)?;
    if !options.how.may_go_on(&database, &statements::counting_old_audit(options.older_than))? {
        return Ok(());
    }
    loop {
        let rows = database.query(&statements::deleting_old_audit(options.older_than));
        let rows = rows.context("some rows may be left: run the same command again")?;
        let left: OldRows = OperatorDatabase::row(&rows, rows.len() - 1)?;
        if left.audit == 0 {
            println!("{}: deleted", options.how.env);
            return Ok(());
        }
        println!("  {} rows are left", left.audit);
    }
}

impl Deletion {
    /// Prints the count. `false` if only the count was wanted; an error if there is nothing to delete or nobody agreed.
    fn may_go_on(&self, database: &OperatorDatabase<'_>, counting: &str) -> Result<bool> {
        let rows = database.query(counting).context("nothing was deleted")?;
        println!("{}: would delete {}", self.env, sentence(&rows)?);
        ensure!(
            !is_nothing(&rows)?,
            "nothing matches, so nothing was deleted: check the environment and the option's value"
        );
        if self.dry_run {
            return Ok(false);
        }
        let confirmation = Confirmation::new(&self.env, self.confirm.as_deref());
        if !confirmation.is_given()? {
            confirmation.ask()?;
        }
        Ok(true)
    }
}

fn counts(rows: &[Vec<Value>]) -> Result<Map<String, Value>> {
    OperatorDatabase::row(rows, 0)
}

fn is_nothing(rows: &[Vec<Value>]) -> Result<bool> {
    Ok(counts(rows)?.values().all(|count| count == 0))
}

/// As in `3 rows of grants, 1 row of sessions`.
fn sentence(rows: &[Vec<Value>]) -> Result<String> {
    let counts = counts(rows)?;
    let parts = counts.iter().filter(|(_, count)| **count != 0);
    let parts: Vec<String> =
        parts.map(|(table, count)| format!("{count} row{} of {table}", if *count == 1 { "" } else { "s" })).collect();
    Ok(if parts.is_empty() { "nothing".to_owned() } else { parts.join(", ") })
}

#[cfg(test)]
mod tests {
    use super::{is_nothing, sentence};
    use serde_json::json;

    #[test]
    fn counts_of_a_deletion_read_as_a_sentence() {
        let rows = |row| vec![vec![row]];
        let some = rows(json!({"audit": 12, "grants": 1, "usage": 0}));
        assert_eq!(sentence(&some).expect("a row"), "12 rows of audit, 1 row of grants");
        assert!(!is_nothing(&some).expect("a row") && is_nothing(&rows(json!({"audit": 0}))).expect("a row"));
        assert!(sentence(&[]).is_err());
    }
}
