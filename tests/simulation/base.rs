//! The beginning of every story: connections of three people of two organizations, and a code that nobody has redeemed yet.

use crate::observations::Pair;
use crate::support::browser::{Browser, parameter};
use crate::support::database::sqlite;
use crate::support::flow::{CALLBACK, authorize_url, tokens, user};
use crate::support::{START, TestApp, upstream};
use crate::weakened::Weakening;
use rusqlite::{Connection, ErrorCode};
use statibeat_mcp::config::Config;
use statibeat_mcp::ports::{Database, DatabaseError, Row, Statement};
use statibeat_mcp::web::App;
use statibeat_simulator::Simulator;
use std::cell::RefCell;
use std::rc::Rc;

/// The scopes of every connection.
pub const SCOPE: &str =
    "mcp.pages.read mcp.incidents.read mcp.incidents.write mcp.maintenances.read mcp.maintenances.write";

/// A person's connection to a client.
#[derive(Clone, Debug)]
pub struct BaseConnection {
    pub user: &'static str,
    pub client: &'static str,
    /// The page that the person works on.
    pub page: i64,
    pub grant: String,
    /// The earliest and the latest time at which its tokens or its code may have been issued.
    pub issued_at: (i64, i64),
    pub pair: Option<Pair>,
    pub code: Option<String>,
}

/// User, client, page, and whether the code is redeemed already.
const CONNECTIONS: [(&str, &str, i64, bool); 5] = [
    (user::MARA_ADMIN, "alpha", 42, true),
    (user::MARA_ADMIN, "beta", 42, true),
    (user::THEO_MANAGER, "alpha", 42, true),
    (GRETA, "alpha", 77, true),
    (user::MARA_ADMIN, "gamma", 42, false),
];

/// An admin of the other organization's page.
pub const GRETA: &str = "9";

/// SQLite with the product's schema, whose statements may be weakened.
pub struct StoredData {
    connection: RefCell<Connection>,
    weakening: Option<Weakening>,
}

impl StoredData {
    fn new(weakening: Option<Weakening>) -> Self {
        let connection = Connection::open_in_memory().expect("SQLite");
        connection.set_prepared_statement_cache_capacity(400);
        sqlite::keep_plans(&connection);
        connection.execute_batch("PRAGMA foreign_keys = ON").expect("a pragma");
        let schema = include_str!("../../schema.sql");
        let weakened = weakening.as_ref().map(|weakening| weakening.apply(schema));
        connection.execute_batch(weakened.as_deref().unwrap_or(schema)).expect("schema.sql");
        Self { connection: RefCell::new(connection), weakening }
    }

    /// Runs a batch. An error is that of a constraint of the schema.
    pub fn run(&self, batch: &[Statement]) -> Result<Vec<Vec<Row>>, DatabaseError> {
        let answers = match &self.weakening {
            None => {
                let statements = batch.iter().map(|one| (one.sql, one.values.as_slice()));
                sqlite::run_batch(&mut self.connection.borrow_mut(), statements)
            }
            Some(weakening) => {
                let texts: Vec<String> = batch.iter().map(|one| weakening.apply(one.sql)).collect();
                let statements = texts.iter().zip(batch).map(|(sql, one)| (sql.as_str(), one.values.as_slice()));
                sqlite::run_batch(&mut self.connection.borrow_mut(), statements)
            }
        };
        match answers {
            Ok(answers) => Ok(answers),
            Err(rusqlite::Error::SqliteFailure(error, text)) if error.code == ErrorCode::ConstraintViolation => {
                Err(DatabaseError(text.unwrap_or_default()))
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// A number that a query of the test finds.
    pub fn count(&self, sql: &str, value: &str) -> i64 {
        let connection = self.connection.borrow();
        let mut query = connection.prepare_cached(sql).expect("sql");
        query.query_row([value], |row| row.get(0)).expect("a count")
    }

    /// A text that a query of the test finds.
    pub fn text(&self, sql: &str, value: &str) -> String {
        self.connection.borrow().query_row(sql, [value], |row| row.get(0)).expect("a text")
    }

    fn execute(&self, sql: &str) {
        self.connection.borrow().execute_batch(sql).expect("a statement");
    }

    pub fn begin_story(&self) {
        self.execute("SAVEPOINT story");
    }

    /// Forgets what a story has changed.
    pub fn end_story(&self) {
        self.execute("ROLLBACK TO story; RELEASE story");
    }
}

#[async_trait::async_trait(?Send)]
impl Database for StoredData {
    async fn batch(&self, statements: &[Statement]) -> Result<Vec<Vec<Row>>, DatabaseError> {
        self.run(statements)
    }
}

/// One thread's database, and what its stories begin with.
pub struct Base {
    pub stored: Rc<StoredData>,
    pub config: Rc<Config>,
    pub connections: Vec<Rc<BaseConnection>>,
    connector_keys: String,
}

impl Base {
    pub fn new(weakening: Option<Weakening>) -> Self {
        let stored = Rc::new(StoredData::new(weakening));
        let mut tested = TestApp::new();
        let app: &mut App = &mut tested;
        app.db = stored.clone();
        let connector_keys = tested.get("/.well-known/hosted-mcp-jwks.json").into_body();
        let connector_keys = String::from_utf8(connector_keys.to_vec()).expect("text");
        let connections = CONNECTIONS.map(|connection| Rc::new(connect(&tested, &stored, connection))).into();
        Self { stored, config: Rc::clone(&tested.config), connections, connector_keys }
    }

    /// A StatiBeat in which nothing has happened yet.
    pub fn simulator(&self) -> Simulator {
        let simulator = Simulator::new(upstream::settings(START));
        simulator.set_connector_keys(&self.connector_keys).expect("a key set");
        simulator
    }
}

fn connect(
    tested: &TestApp,
    stored: &StoredData,
    (user, client, page, is_redeemed): (&'static str, &'static str, i64, bool),
) -> BaseConnection {
    let browser = Browser::new(tested);
    let url = authorize_url(&[("scope", SCOPE), ("client_id", client)]);
    // Nobody of the other organization can be chosen on the simulator's sign-in page: another person takes that seat first.
    let signs_in = if user == GRETA { user::INES_VIEWER } else { user };
    let consent = browser.sign_in(&url, signs_in);
    let scopes: Vec<String> = SCOPE.split(' ').map(str::to_owned).collect();
    let code = parameter(&browser.answer_with(&consent, "approve", &scopes).leaves_for(), "code").expect("a code");
    let pair = is_redeemed.then(|| {
        let issued = tokens(&tested.redeem(&code, &[("client_id", client), ("redirect_uri", CALLBACK)]));
        Pair { access: issued.access, refresh: issued.refresh }
    });
    if user == GRETA {
        for table in ["grants", "connections", "page_access"] {
            stored.execute(&format!("UPDATE {table} SET user_id = '{GRETA}' WHERE user_id = '{signs_in}'"));
        }
    }
    let grant = stored.text("SELECT max(id) FROM grants WHERE user_id || client_id = ?1", &format!("{user}{client}"));
    BaseConnection {
        user,
        client,
        page,
        grant,
        issued_at: (START, START),
        pair,
        code: Some(code).filter(|_| !is_redeemed),
    }
}
