//! The database as a value: the rows of every table the rules read or write, loaded into SQLite for one batch of the product's own
//! statements and read back. A rule can be weakened: a part of a statement is replaced before it runs.

use crate::interned::Interner;
use crate::support::database::sqlite;
use crate::weakened::Weakening;
use rusqlite::types::Value as Bound;
use rusqlite::{Connection, ErrorCode, params_from_iter};
use statibeat_mcp::ports::{Row, Statement};
use std::cell::{Cell, RefCell};

/// Tables in the order in which their rows can be inserted, with the order of their rows.
const TABLES: [(&str, &str); 11] = [
    ("authorization_requests", "state_hash"),
    ("grants", "rowid"),
    ("codes", "code_hash"),
    ("refresh_tokens", "grant_id, generation"),
    ("access_tokens", "token_hash"),
    ("connections", "user_id, client_id"),
    ("page_access", "page_id, user_id, client_id"),
    ("page_blocks", "user_id, client_id, page_id"),
    ("idempotency", "grant_id, key_hash"),
    ("used_nonces", "nonce"),
    ("audit", "id"),
];

/// The place of the grants in [`TABLES`].
const GRANTS: usize = 1;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Column {
    Null,
    Number(i64),
    Text(String),
}

/// The rows of a table.
type Rows = Vec<Vec<Column>>;

/// The content of a database, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Content(u32);

static ROWS: Interner<Rows> = Interner::new();
/// The rows of each of [`TABLES`], by number.
static CONTENTS: Interner<[u32; TABLES.len()]> = Interner::new();

impl Content {
    /// This content with other rows in a table.
    pub fn change(self, table: &str, change: impl FnOnce(&mut Rows)) -> Self {
        let mut tables = *CONTENTS.value(self.0);
        let place = TABLES.iter().position(|(name, _)| *name == table).expect("a table");
        let mut rows = ROWS.value(tables[place]).to_vec();
        change(&mut rows);
        tables[place] = ROWS.number(rows);
        Self(CONTENTS.number(tables))
    }
}

pub struct ModelDatabase {
    connection: RefCell<Connection>,
    /// The content that the connection holds.
    loaded: Cell<Option<Content>>,
    weakening: Option<Weakening>,
    /// False where the audit log decides nothing: its rows would only multiply the states.
    keeps_audit: bool,
}

impl ModelDatabase {
    pub fn new(weakening: Option<Weakening>, keeps_audit: bool) -> Self {
        let connection = Connection::open_in_memory().expect("SQLite");
        connection.set_prepared_statement_cache_capacity(400);
        sqlite::keep_plans(&connection);
        let schema = include_str!("../../schema.sql");
        let weakened = weakening.as_ref().map(|weakening| weakening.apply(schema));
        connection.execute_batch(weakened.as_deref().unwrap_or(schema)).expect("schema.sql");
        Self { connection: RefCell::new(connection), loaded: Cell::new(None), weakening, keeps_audit }
    }

    /// Runs a batch on a content; the content after it, and the rows that it answers, unless a constraint of the schema forbids it.
    pub fn run(&self, content: Content, batch: &[Statement]) -> (Content, Option<Vec<Vec<Row>>>) {
        self.load(content);
        let batch: Vec<(String, &[serde_json::Value])> =
            batch.iter().map(|statement| (self.sql(statement), statement.values.as_slice())).collect();
        let statements = batch.iter().map(|(sql, values)| (sql.as_str(), *values));
        let answers = sqlite::run_batch(&mut self.connection.borrow_mut(), statements);
        let answers = match answers {
            Ok(answers) => Some(answers),
            Err(rusqlite::Error::SqliteFailure(error, _)) if error.code == ErrorCode::ConstraintViolation => None,
            Err(error) => panic!("{error}"),
        };
        if batch.iter().all(|(sql, _)| sql.starts_with("SELECT")) {
            return (content, answers);
        }
        let content = self.read();
        self.loaded.set(Some(content));
        (content, answers)
    }

    fn sql(&self, statement: &Statement) -> String {
        self.weakening.as_ref().map_or_else(|| statement.sql.to_owned(), |weakening| weakening.apply(statement.sql))
    }

    /// The number that a query of the test finds.
    pub fn count(&self, content: Content, sql: &str) -> i64 {
        self.load(content);
        let connection = self.connection.borrow();
        let mut query = connection.prepare_cached(sql).expect("sql");
        query.query_row([], |row| row.get(0)).expect("a count")
    }

    /// The text that a query of the test finds.
    pub fn text(&self, content: Content, sql: &str) -> String {
        self.load(content);
        self.connection.borrow().query_row(sql, [], |row| row.get(0)).expect("a text")
    }

    /// The content without a row.
    pub fn empty() -> Content {
        Content(CONTENTS.number([ROWS.number(Vec::new()); TABLES.len()]))
    }

    fn load(&self, content: Content) {
        let before = self.loaded.replace(Some(content));
        if before == Some(content) {
            return;
        }
        let tables = CONTENTS.value(content.0);
        let before = before.map(|before| CONTENTS.value(before.0));
        let differs = |place: usize| before.as_ref().is_none_or(|before| before[place] != tables[place]);
        // The rows of most other tables go with those of grants.
        let is_written = |place: &usize| differs(GRANTS) || differs(*place);
        let connection = self.connection.borrow();
        connection.execute_batch("BEGIN").expect("a transaction");
        for place in (0..TABLES.len()).rev().filter(is_written) {
            let delete = format!("DELETE FROM {}", TABLES[place].0);
            connection.prepare_cached(&delete).expect("sql").execute([]).expect("deleted");
        }
        for place in (0..TABLES.len()).filter(is_written) {
            for row in ROWS.value(tables[place]).iter() {
                let insert = format!("INSERT INTO {} VALUES ({})", TABLES[place].0, vec!["?"; row.len()].join(","));
                let mut insert = connection.prepare_cached(&insert).expect("sql");
                insert.execute(params_from_iter(row.iter().map(bind))).expect("a row");
            }
        }
        connection.execute_batch("COMMIT").expect("a commit");
    }

    fn read(&self) -> Content {
        let connection = self.connection.borrow();
        let read = |(table, order): &(&str, &str)| {
            if *table == "audit" && !self.keeps_audit {
                connection.prepare_cached("DELETE FROM audit").expect("sql").execute([]).expect("deleted");
                return Vec::new();
            }
            let mut select =
                connection.prepare_cached(&format!("SELECT * FROM {table} ORDER BY {order}")).expect("sql");
            let width = select.column_count();
            let rows = select.query_map([], |row| (0..width).map(|at| Ok(column(row.get(at)?))).collect());
            rows.expect("sql").map(|row| row.expect("a row")).collect()
        };
        Content(CONTENTS.number(TABLES.each_ref().map(|table| ROWS.number(read(table)))))
    }
}

fn bind(column: &Column) -> Bound {
    match column {
        Column::Null => Bound::Null,
        Column::Number(number) => Bound::Integer(*number),
        Column::Text(text) => Bound::Text(text.clone()),
    }
}

fn column(value: Bound) -> Column {
    match value {
        Bound::Null => Column::Null,
        Bound::Integer(number) => Column::Number(number),
        Bound::Text(text) => Column::Text(text),
        other => panic!("no column holds {other:?}"),
    }
}
