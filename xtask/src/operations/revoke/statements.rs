//! The statements, as text for `wrangler d1 execute`. `tests/operations/emergency.rs` runs them under a working connector.

#[allow(dead_code, reason = "tests take in this file by path and need not use every kind")]
#[derive(Clone, Copy)]
pub enum Whose<'a> {
    Everybody,
    Client(&'a str),
    User(&'a str),
}

/// A query with one row: what [`ending`] would end now. A grant without a live token or code is no connection, though it is ended as well.
pub fn counting(whose: &Whose<'_>) -> String {
    let (condition, sessions) = conditions(whose);
    let live = format!(
        "grants WHERE revoked_at IS NULL AND {condition} AND (\
         EXISTS (SELECT 1 FROM refresh_tokens t WHERE t.grant_id = grants.id AND t.expires_at > unixepoch()) OR \
         EXISTS (SELECT 1 FROM codes c WHERE c.grant_id = grants.id AND c.redeemed_at IS NULL AND c.expires_at > unixepoch()))"
    );
    format!(
        "SELECT (SELECT count(*) FROM (SELECT DISTINCT user_id, client_id FROM {live})) AS connections, \
         (SELECT count(DISTINCT user_id) FROM {live}) AS people, \
         (SELECT count(DISTINCT client_id) FROM {live}) AS clients, \
         (SELECT count(*) FROM authorization_requests WHERE consumed_at IS NULL AND expires_at > unixepoch() AND {condition}) AS sign_ins, \
         (SELECT count(*) FROM sessions WHERE {sessions}) AS sessions"
    )
}

/// Counts what it ends in the first statement, ends grants with one audit row each, closes authorization requests that could still become
/// a connection, ends sessions of the persons concerned with one audit row each. Running it again changes nothing.
pub fn ending(whose: &Whose<'_>) -> String {
    let (condition, sessions) = conditions(whose);
    [
        counting(whose),
        // Before the grants end, for only those that have not ended get a row.
        format!(
            "INSERT INTO audit (id, created_at, kind, outcome, user_id, client_id, client_name, grant_id, request_id, detail) \
             SELECT 'revoke.' || id, unixepoch(), 'revoke', 'done', user_id, client_id, client_name, id, 'operator', 'operator' \
             FROM grants WHERE revoked_at IS NULL AND {condition} ON CONFLICT (id) DO NOTHING"
        ),
        format!("UPDATE grants SET revoked_at = unixepoch(), revoke_reason = 'admin' WHERE revoked_at IS NULL AND {condition}"),
        format!("UPDATE authorization_requests SET consumed_at = unixepoch() WHERE consumed_at IS NULL AND {condition}"),
        format!(
            "INSERT INTO audit (id, created_at, kind, outcome, user_id, client_id, client_name, grant_id, request_id, detail) \
             SELECT 'session_close.' || lower(hex(randomblob(16))), unixepoch(), 'session_close', 'done', user_id, \
             'hosted-mcp-admin', 'Hosted MCP page', NULL, 'operator', 'operator' FROM sessions WHERE {sessions}"
        ),
        format!("DELETE FROM sessions WHERE {sessions}"),
        format!("SELECT count(*) AS still_connected FROM grants WHERE revoked_at IS NULL AND {condition}"),
    ]
    .join(";\n")
        + ";"
}

/// The conditions on grants or authorization requests, and on sessions.
fn conditions(whose: &Whose<'_>) -> (String, String) {
    match whose {
        Whose::Everybody => ("1 = 1".to_owned(), "1 = 1".to_owned()),
        Whose::Client(client) => (format!("client_id = {}", quoted(client)), "1 = 0".to_owned()),
        Whose::User(user) => (format!("user_id = {}", quoted(user)), format!("user_id = {}", quoted(user))),
    }
}

/// As a text literal of SQL.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
