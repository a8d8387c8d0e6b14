//! Rules that are weakened, to show that a test notices: each is a part of a statement or of the schema, and the text that takes its
//! place.

/// A rule that is weakened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weakening {
    pub rule: &'static str,
    /// Parts of the product's statements or of its schema, each with the text that takes its place.
    parts: &'static [(&'static str, &'static str)],
}

impl Weakening {
    /// The weakening of a rule.
    pub fn find(rule: &str) -> Self {
        *RULES.iter().find(|weakening| weakening.rule == rule).unwrap_or_else(|| panic!("no rule \"{rule}\""))
    }

    pub fn apply(&self, sql: &str) -> String {
        self.parts.iter().fold(sql.to_owned(), |sql, (stands, instead)| sql.replace(stands, instead))
    }
}

const fn weaken(rule: &'static str, parts: &'static [(&'static str, &'static str)]) -> Weakening {
    Weakening { rule, parts }
}

const UNUSED: &str = "CASE WHEN s.rotated_at IS NULL AND s.used_at IS NULL THEN s.token_hash END AS unused_successor";
const BY_REFRESH_ALONE: &str = "CASE WHEN s.rotated_at IS NULL THEN s.token_hash END AS unused_successor";
const BY_ACCESS_ALONE: &str = "CASE WHEN s.used_at IS NULL THEN s.token_hash END AS unused_successor";
const NEEDS_LIVE_GRANT: &str = "AND EXISTS (SELECT 1 FROM grants g WHERE g.id = grant_id AND g.revoked_at IS NULL)";
const REPEATS_UNUSED: &str = "AND s.rotated_at IS NULL AND s.used_at IS NULL AND g.revoked_at IS NULL";
const REVOKES: &str = "SET revoked_at = ?2, revoke_reason = ?3 WHERE id = ?1";
const REVOKES_NOTHING: &str = "SET revoked_at = nullif(?2, ?2), revoke_reason = ?3 WHERE id = ?1";
const REVOKED: &str = "g.id IS NULL OR g.revoked_at IS NOT NULL OR";
const BEGUN: &str = "WHERE idempotency.started_at <= ?12";
const IN_PAGES: &str = "WHERE g.pages IS NULL OR instr(' ' || g.pages || ' ', ' ' || p.value || ' ') > 0";
const IN_SCOPE: &str = "WHERE instr(' ' || g.scope || ' ', ' ' || s.value || ' ') > 0";
const READ_BLOCKS: &str = "FROM blocked_grants b WHERE b.grant_id = g.id) AS blocked_pages";

/// Rules of refreshes and codes, of writes, and of limits.
pub const RULES: [Weakening; 24] = [
    weaken("an unused answer is given again", &[(UNUSED, "NULL AS unused_successor")]),
    weaken("a used access token is evidence", &[(UNUSED, BY_REFRESH_ALONE)]),
    weaken("a rotated successor is evidence", &[(UNUSED, BY_ACCESS_ALONE)]),
    weaken("first use is recorded", &[("SET used_at = ?3", "SET used_at = nullif(?3, ?3)")]),
    weaken("an answer used meanwhile is not repeated", &[(REPEATS_UNUSED, "AND g.revoked_at IS NULL")]),
    weaken("reuse revokes the grant", &[(REVOKES, REVOKES_NOTHING)]),
    weaken("a rotated token is marked", &[("SET rotated_at = ?2, rotate_salt", "SET rotate_salt")]),
    weaken("a revoked grant is seen", &[("g.revoked_at IS NOT NULL AS is_revoked", "0 AS is_revoked")]),
    weaken("a rotation needs a live grant", &[(NEEDS_LIVE_GRANT, "")]),
    weaken("a repeat needs a live grant", &[(REPEATS_UNUSED, "AND s.rotated_at IS NULL AND s.used_at IS NULL")]),
    weaken("a redeemed code is seen", &[("c.redeemed_at,", "NULL AS redeemed_at,")]),
    // The schema alone would keep the second redemption from storing tokens.
    weaken(
        "a code is redeemed once",
        &[
            ("redeemed_at IS NULL AND expires_at > ?3", "expires_at > ?3"),
            ("UNIQUE (grant_id, generation)", "CHECK (generation > 0)"),
        ],
    ),
    weaken("a revoked grant writes nothing", &[(REVOKED, "g.id IS NULL OR")]),
    weaken("a paused connection writes nothing", &[("THEN 'writes_paused' END", "THEN NULL END")]),
    weaken("a blocked connection writes nothing", &[("THEN 'page_blocked'", "THEN NULL")]),
    weaken(
        "the same write of another connection is seen",
        &[("WHERE digest = ?5 AND grant_id", "WHERE ?5 IS NULL AND grant_id")],
    ),
    weaken("a write that is begun keeps its row", &[(BEGUN, "WHERE ?12 IS NOT NULL")]),
    weaken(
        "an attempt is recorded with its lease",
        &[("i.started_at > ?17 WHERE true", "i.started_at > ?17 WHERE false")],
    ),
    weaken("a block is read with the token", &[(READ_BLOCKS, "FROM blocked_grants b WHERE false) AS blocked_pages")]),
    weaken("the grant's pages count", &[("g.resource, g.scope, g.pages", "g.resource, g.scope, NULL AS pages")]),
    weaken("pages are intersected", &[(IN_PAGES, "")]),
    weaken("scopes are intersected", &[(IN_SCOPE, "")]),
    weaken("the earlier end counts", &[("min(coalesce(g.expires_at, ?3), ?3)", "?3")]),
    weaken("a narrowing is remembered", &[("unticked_scope = n.unticked_scope, ", "")]),
];
