//! Statements on SQLite as D1 runs them: numbers are bound as REAL, so that a test sees the arithmetic that D1 will do, and
//! whole numbers are answered as integers. Every `Database` of the tests uses this file.

use rusqlite::config::DbConfig;
use rusqlite::types::{Value as Bound, ValueRef};
use rusqlite::{Connection, params_from_iter};
use serde_json::{Map, Value};

/// Lets SQLite prepare a statement once, and not again for each value that might lead to another plan: a quarter of the time of many
/// batches. What a statement answers is the same; a test of plans leaves it out.
#[allow(dead_code, reason = "a part of the tests runs as many")]
pub fn keep_plans(connection: &Connection) {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).expect("a setting of SQLite");
}

/// Runs a batch: every statement or none. A savepoint does so within a transaction of the test, too.
pub fn run_batch<'a>(
    connection: &mut Connection,
    statements: impl Iterator<Item = (&'a str, &'a [Value])>,
) -> rusqlite::Result<Vec<Vec<Map<String, Value>>>> {
    let savepoint = connection.savepoint()?;
    let answers = statements.map(|(sql, values)| run(&savepoint, sql, values)).collect::<Result<_, _>>()?;
    savepoint.commit()?;
    Ok(answers)
}

fn run(connection: &Connection, sql: &str, values: &[Value]) -> rusqlite::Result<Vec<Map<String, Value>>> {
    let mut prepared = connection.prepare_cached(sql)?;
    let names: Vec<String> = prepared.column_names().map(str::to_owned).collect();
    let rows = prepared.query_map(params_from_iter(values.iter().map(bind)), |row| {
        names.iter().enumerate().map(|(at, name)| Ok((name.clone(), read(row.get_ref(at)?)))).collect()
    })?;
    rows.collect()
}

fn bind(value: &Value) -> Bound {
    match value {
        Value::Null => Bound::Null,
        Value::Bool(flag) => Bound::Real(f64::from(u8::from(*flag))),
        Value::Number(number) => Bound::Real(number.as_f64().expect("a number below 2^53")),
        Value::String(text) => Bound::Text(text.clone()),
        Value::Array(_) | Value::Object(_) => panic!("a statement binds text, numbers and NULL"),
    }
}

pub fn read(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => number.into(),
        #[expect(clippy::cast_possible_truncation, reason = "a whole number below 2^53, as D1 answers it")]
        ValueRef::Real(number) => (number as i64).into(),
        ValueRef::Text(text) => String::from_utf8_lossy(text).into(),
        ValueRef::Blob(_) => panic!("no column of ours is a blob"),
    }
}
