//! `migrations/` leads to `schema.sql`, and the code of the last release runs on what it leads to.
//!
//! Until something is released, `migrations/0001_first.sql` is `schema.sql` without its comments, and
//! `npm test -- --accept migrations` writes it anew. A release is marked by
//! `MIGRATIONS=release cargo test --test hosted migrations`: it records the migrations and every statement of the storage in
//! `tests/operations/released/`. From then on migrations are only added, and only such as those statements survive.

use super::storage_trace::executed_statements;
use crate::support::accepted;
use rusqlite::Connection;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

const SCHEMA: &str = include_str!("../../schema.sql");
const FIRST: &str = "0001_first.sql";
/// Parts the recorded statements from each other.
const SEPARATOR: &str = "\n;\n";

fn folder() -> PathBuf {
    PathBuf::from("migrations")
}

/// Not below `migrations/`, where wrangler would look.
fn released() -> PathBuf {
    PathBuf::from("tests/operations/released")
}

/// Name and text of the SQL files of a folder, in the order wrangler applies them.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().map(|entry| entry.expect("an entry").path());
    let files = entries.filter(|path| path.extension().is_some_and(|extension| extension == "sql"));
    let read = |path: PathBuf| {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        (name, std::fs::read_to_string(&path).expect("text"))
    };
    files.map(read).collect()
}

fn database(sql: &str) -> Connection {
    let connection = Connection::open_in_memory().expect("SQLite");
    connection.execute_batch(sql).unwrap_or_else(|error| panic!("{error}\n{sql}"));
    connection
}

fn migrated(files: &BTreeMap<String, String>) -> Connection {
    database(&files.values().map(String::as_str).collect::<Vec<_>>().join("\n"))
}

/// Every table and index with its parts, whatever their order, spacing and comments. A column that a migration adds stands
/// at the end of its table, so order says nothing.
fn shape(connection: &Connection) -> BTreeMap<String, BTreeSet<String>> {
    let mut query = connection.prepare("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").expect("a query");
    let rows = query.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))).expect("rows");
    rows.map(|row| row.expect("a row")).map(|(name, sql)| (name, parts(&plain(&sql)))).collect()
}

/// Without comments, with single spaces.
fn plain(sql: &str) -> String {
    let lines = sql.lines().map(|line| line.split("--").next().unwrap_or(line));
    let words = lines.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ");
    words.replace("( ", "(").replace(" )", ")").replace(" ,", ",").replace("IF NOT EXISTS ", "").replace('"', "")
}

/// The text before, between the commas of, and behind the outermost parentheses.
fn parts(sql: &str) -> BTreeSet<String> {
    let (mut parts, mut part, mut depth) = (BTreeSet::new(), String::new(), 0);
    for c in sql.chars() {
        let is_border = match c {
            '(' => {
                depth += 1;
                depth == 1
            }
            ')' => {
                depth -= 1;
                depth == 0
            }
            ',' => depth == 1,
            _ => false,
        };
        if is_border {
            parts.insert(std::mem::take(&mut part).trim().to_owned());
        } else {
            part.push(c);
        }
    }
    parts.insert(part.trim().to_owned());
    parts
}

/// `schema.sql` as the first migration.
fn first_migration() -> String {
    let statements: Vec<String> =
        plain(SCHEMA).split(';').map(str::trim).filter(|sql| !sql.is_empty()).map(|sql| format!("{sql};\n")).collect();
    format!(
        "-- schema.sql, as it was at the first release. What each table is for stands there.\n{}",
        statements.concat()
    )
}

/// Those of the statements that the database cannot even prepare.
fn broken<'a>(connection: &Connection, statements: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let problem = |sql: &str| connection.prepare(sql).err().map(|error| format!("{error}: {sql}"));
    statements.into_iter().filter_map(problem).collect()
}

/// Columns that an older program would have to fill and knows nothing of.
fn demanding(older: &Connection, newer: &Connection) -> Vec<String> {
    let columns = |connection: &Connection| {
        let sql = "SELECT m.name || '.' || c.name, c.\"notnull\" = 1 AND c.dflt_value IS NULL, m.name
                   FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table'";
        let mut query = connection.prepare(sql).expect("a query");
        let rows =
            query.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, bool>(1)?, row.get::<_, String>(2)?)));
        rows.expect("rows").map(|row| row.expect("a row")).collect::<Vec<_>>()
    };
    let known = columns(older);
    let is_new = |name: &String, table: &String| {
        known.iter().any(|(_, _, known)| known == table) && known.iter().all(|(known, ..)| known != name)
    };
    columns(newer)
        .into_iter()
        .filter(|(name, must, table)| *must && is_new(name, table))
        .map(|(name, ..)| name)
        .collect()
}

/// Rewrites what the environment variable asks for.
fn rewrite() {
    let (folder, released) = (folder(), released());
    if accepted::is_accepting() && !released.exists() {
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::write(folder.join(FIRST), first_migration()).expect("written");
    }
    if std::env::var("MIGRATIONS").is_ok_and(|word| word == "release") {
        std::fs::create_dir_all(&released).expect("a folder");
        for (name, text) in files(&folder) {
            std::fs::write(released.join(name), text).expect("written");
        }
        let text = executed_statements().into_iter().collect::<Vec<_>>().join(SEPARATOR);
        std::fs::write(released.join("statements.txt"), text + "\n").expect("written");
    }
}

#[test]
fn all_migrations_together_are_the_schema() {
    rewrite();
    let (migrated, wanted) = (shape(&migrated(&files(&folder()))), shape(&database(SCHEMA)));
    let how = if released().exists() {
        "add a migration in migrations/ that makes the difference"
    } else {
        "run `npm test -- --accept migrations`"
    };
    let text = |shape: &_| format!("{shape:#?}");
    assert!(
        migrated == wanted,
        "migrations/ and schema.sql differ: {how}\n{}",
        accepted::diff(&text(&migrated), &text(&wanted))
    );
}

#[test]
fn the_code_of_the_last_release_runs_on_the_migrated_database() {
    let released = released();
    let now = migrated(&files(&folder()));
    let recorded = std::fs::read_to_string(released.join("statements.txt"));
    let Ok(recorded) = recorded else {
        // Nothing was released: the only code there is must run.
        assert_eq!(broken(&now, executed_statements()), [""; 0]);
        return;
    };
    assert_eq!(broken(&now, recorded.split(SEPARATOR)), [""; 0]);
    let (was, is) = (files(&released), files(&folder()));
    for (name, text) in &was {
        assert_eq!(is.get(name), Some(text), "{name} was released and may not change any more");
    }
    assert_eq!(demanding(&migrated(&was), &now), [""; 0], "new columns need a default or must allow NULL");
}

#[test]
fn a_migration_that_the_last_release_would_not_survive_is_seen() {
    let before = database("CREATE TABLE t (a TEXT NOT NULL)");
    let without_the_column = database("CREATE TABLE t (b TEXT)");
    assert_eq!(broken(&before, ["SELECT a FROM t", "INSERT INTO t (a) VALUES (?1)"]), [""; 0]);
    assert_eq!(broken(&without_the_column, ["SELECT a FROM t", "SELECT b FROM t"]).len(), 1);
    let demanding_more =
        database("CREATE TABLE t (a TEXT NOT NULL, b TEXT NOT NULL); CREATE TABLE u (c TEXT NOT NULL)");
    assert_eq!(demanding(&before, &demanding_more), ["t.b"]);
}

#[test]
fn order_spacing_and_comments_of_a_table_do_not_matter_and_its_parts_do() {
    let added = database("CREATE TABLE t (a TEXT, CHECK (a IN ('x', 'y'))) STRICT; ALTER TABLE t ADD COLUMN b INTEGER");
    let written = database("CREATE TABLE t (\n  a TEXT, -- one\n  b  INTEGER,\n  CHECK (a IN ('x', 'y'))\n) STRICT");
    assert_eq!(shape(&added), shape(&written));
    for other in [
        "CREATE TABLE t (a TEXT, b INTEGER, CHECK (a IN ('x', 'z'))) STRICT",
        "CREATE TABLE t (a TEXT, b TEXT, CHECK (a IN ('x', 'y'))) STRICT",
        "CREATE TABLE t (a TEXT, b INTEGER, CHECK (a IN ('x', 'y')))",
        "CREATE TABLE t (a TEXT, b INTEGER, CHECK (a IN ('x', 'y'))) STRICT; CREATE INDEX i ON t (a)",
    ] {
        assert_ne!(shape(&database(other)), shape(&written), "{other}");
    }
}
