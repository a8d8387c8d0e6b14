//! The statements, as text for `wrangler d1 execute`. `tests/operations/erasure.rs` runs them on the real schema.

/// Rows of the audit log that one statement deletes, so that it ends within D1's limit for a query.
const STEP: u32 = 10_000;

/// A query with one row: the numbers of rows about a person, by table.
#[allow(dead_code, reason = "tests take in this file by path and need not use everything")]
pub fn counting_person(user: &str) -> String {
    count_person(&quoted(user))
}

fn count_person(user: &str) -> String {
    let owned =
        ["grants", "authorization_requests", "connections", "page_access", "page_blocks", "usage", "sessions", "audit"];
    let columns = owned.map(|table| format!("(SELECT count(*) FROM {table} WHERE user_id = {user}) AS {table}"));
    format!("SELECT {}", columns.join(", "))
}

/// Deletes what there is about a person. Rows of the audit log stay, because they say what was published and by which client, but no
/// longer name the person.
#[allow(dead_code, reason = "as above")]
pub fn erasing_person(user: &str) -> String {
    let user = quoted(user);
    let grants = format!("(SELECT id FROM grants WHERE user_id = {user})");
    let mut statements = vec![count_person(&user)];
    statements
        .extend(["idempotency", "previews"].map(|table| format!("DELETE FROM {table} WHERE grant_id IN {grants}")));
    // Codes and tokens go with their grants.
    let owned = ["grants", "authorization_requests", "connections", "page_access", "page_blocks", "usage", "sessions"];
    statements.extend(owned.map(|table| format!("DELETE FROM {table} WHERE user_id = {user}")));
    statements.push(format!("UPDATE page_blocks SET blocked_by = '', blocked_by_name = '' WHERE blocked_by = {user}"));
    // A changed connection names its person in `target_id`.
    statements.push(format!(
        "UPDATE audit SET target_id = NULL, owner_name = NULL WHERE owner_name IS NOT NULL AND target_id = {user}"
    ));
    statements.push(format!("UPDATE audit SET user_id = NULL, user_name = '' WHERE user_id = {user}"));
    statements.join(";\n") + ";"
}

/// A query with one row: the rows of the audit log that are older than this number of days.
#[allow(dead_code, reason = "as above")]
pub fn counting_old_audit(days: u32) -> String {
    format!("SELECT count(*) AS audit FROM audit WHERE {}", is_old(days))
}

/// Deletes some of them, and counts the others in the last statement.
#[allow(dead_code, reason = "as above")]
pub fn deleting_old_audit(days: u32) -> String {
    let old = is_old(days);
    format!(
        "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE {old} ORDER BY created_at LIMIT {STEP});\n{};",
        counting_old_audit(days)
    )
}

fn is_old(days: u32) -> String {
    format!("created_at < unixepoch() - {days} * 86400")
}

/// As a text literal of SQL.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
