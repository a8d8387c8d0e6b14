//! Narrowing of live grants: fewer scopes, fewer pages, an earlier end.
//!
//! The statement stores the intersection of what the row holds at that moment with the new limits, so no interleaving widens a grant.
//! Calls read the limits with the grant, so it counts from the next call on, whatever an access token says. Scopes that are taken count
//! as unticked, so that the next consent page does not propose them.

use super::audit::{self, AuditKind, Entry, Outcome};
use super::{Result, json_list, statement};
use crate::model::ids::{RequestId, UserId};
use crate::model::timestamp::Timestamp;
use crate::oauth::access_limits::AccessLimits;
use crate::oauth::secret::{ConsentToken, SecretHash};
use crate::ports::{Database, Statement, Value};
use serde_json::json;

/// Stores the intersection with the limits `?1` (scopes), `?2` (pages) and `?3` (end) in the live grants that a condition selects from
/// `grants g`, at the time `?4`. A grant that already keeps within the limits is left as it is.
macro_rules! narrow_where {
    ($condition:literal) => {
        concat!(
            "UPDATE grants SET scope = n.scope, unticked_scope = n.unticked_scope, pages = n.pages, expires_at = n.expires_at,
               narrowed_at = ?4 FROM (
               SELECT g.id AS grant_id,
                 (SELECT coalesce(group_concat(s.value, ' '), '') FROM (SELECT value FROM json_each(?1) ORDER BY key) s
                    WHERE instr(' ' || g.scope || ' ', ' ' || s.value || ' ') > 0) AS scope,
                 (SELECT coalesce(group_concat(value, ' '), '') FROM
                    (SELECT DISTINCT value FROM json_each('[\"' || replace(g.unticked_scope || ' ' || g.scope, ' ', '\",\"') || '\"]')
                     WHERE value <> '' AND (instr(' ' || g.unticked_scope || ' ', ' ' || value || ' ') > 0
                       OR value NOT IN (SELECT value FROM json_each(?1))))) AS unticked_scope,
                 CASE WHEN ?2 IS NULL THEN g.pages ELSE
                   (SELECT coalesce(group_concat(p.value, ' '), '') FROM json_each(?2) p
                      WHERE g.pages IS NULL OR instr(' ' || g.pages || ' ', ' ' || p.value || ' ') > 0) END AS pages,
                 CASE WHEN ?3 IS NULL THEN g.expires_at ELSE min(coalesce(g.expires_at, ?3), ?3) END AS expires_at
               FROM grants g WHERE g.revoked_at IS NULL AND (g.expires_at IS NULL OR g.expires_at > ?4) AND ",
            $condition,
            ") n WHERE grants.id = n.grant_id AND grants.revoked_at IS NULL
               AND (grants.scope, grants.pages, grants.expires_at) IS NOT (n.scope, n.pages, n.expires_at)
             RETURNING id"
        )
    };
}

/// Ends the tokens of a table with their grant, if that was narrowed now.
macro_rules! shorten {
    ($table:literal) => {
        concat!(
            "UPDATE ", $table, " SET expires_at = (SELECT min(", $table, ".expires_at, g.expires_at) FROM grants g WHERE g.id = ?2)
         WHERE grant_id = ?2 AND EXISTS (SELECT 1 FROM grants g WHERE g.id = ?2 AND g.narrowed_at = ?1 AND g.expires_at IS NOT NULL)"
        )
    };
}

/// The values of the limits, in the order of the statement's first three parameters.
fn values(limits: &AccessLimits) -> [Value; 3] {
    let scopes: Vec<&str> = limits.scopes.iter().map(crate::model::scope::Scope::as_str).collect();
    let pages = match &limits.pages {
        crate::oauth::grant::PageChoice::All => None,
        crate::oauth::grant::PageChoice::These(pages) => Some(json_list(&pages.iter().copied().collect::<Vec<_>>())),
    };
    [json!(scopes).to_string().into(), pages.into(), limits.expires_at.into()]
}

/// Narrows a live grant of this person, with its audit row. Returns false if it has ended or keeps within the limits already.
pub async fn narrow(db: &dyn Database, user_id: &UserId, limits: &AccessLimits, entry: &Entry<'_>) -> Result<bool> {
    let grant_id = entry.grant_id;
    let more = [entry.created_at.into(), grant_id.into(), user_id.into()];
    let update = Statement {
        sql: narrow_where!("g.id = ?5 AND g.user_id = ?6"),
        values: values(limits).into_iter().chain(more).collect(),
    };
    let record = audit::statement_if_grant_changed(entry);
    let answers = db
        .batch(&[
            update,
            record,
            statement!(shorten!("refresh_tokens"), entry.created_at, grant_id),
            statement!(shorten!("access_tokens"), entry.created_at, grant_id),
        ])
        .await?;
    Ok(answers.first().is_some_and(|rows| !rows.is_empty()))
}

/// The approval whose limits the person's other grants to the client are narrowed to.
pub(super) struct ReplacingApproval<'a> {
    pub consent: &'a ConsentToken,
    pub code: &'a SecretHash,
    pub request_id: &'a RequestId,
    pub now: Timestamp,
}

/// Narrows the other live grants of an approved request's person and client, revokes those that have nothing left, and appends one audit
/// row each. To stand in the batch of the approval, behind the statement that consumes the request.
pub(super) fn statements_to_replace(limits: &AccessLimits, approval: &ReplacingApproval<'_>) -> [Statement; 4] {
    let ReplacingApproval { consent, code, request_id, now } = *approval;
    let more = [now.into(), consent.into(), code.into()];
    let update = Statement {
        sql: narrow_where!(
            "EXISTS (SELECT 1 FROM authorization_requests a WHERE a.consent_hash = ?5 AND a.approved_as = ?6
               AND a.user_id = g.user_id AND a.client_id = g.client_id AND a.grant_id <> g.id)"
        ),
        values: values(limits).into_iter().chain(more).collect(),
    };
    let end = statement!(
        "UPDATE grants SET revoked_at = ?1, revoke_reason = 'user'
         WHERE narrowed_at = ?1 AND revoked_at IS NULL AND (scope = '' OR pages = '')
           AND EXISTS (SELECT 1 FROM authorization_requests a WHERE a.consent_hash = ?2 AND a.approved_as = ?3
             AND a.user_id = grants.user_id AND a.client_id = grants.client_id AND a.grant_id <> grants.id)",
        now,
        consent,
        code,
    );
    let tokens = statement!(
        "UPDATE refresh_tokens SET expires_at = min(expires_at, (SELECT g.expires_at FROM grants g WHERE g.id = grant_id))
         WHERE grant_id IN (SELECT g.id FROM grants g JOIN authorization_requests a
           ON a.user_id = g.user_id AND a.client_id = g.client_id AND a.grant_id <> g.id
           WHERE a.consent_hash = ?2 AND a.approved_as = ?3 AND g.narrowed_at = ?1 AND g.expires_at IS NOT NULL)",
        now,
        consent,
        code,
    );
    let record = statement!(
        "INSERT INTO audit (id, created_at, kind, outcome, user_id, user_name, client_id, client_name, grant_id, request_id, detail)
         SELECT ?4 || '.' || g.id || '.' || a.grant_id, ?1, ?4, ?5, g.user_id, g.user_name, g.client_id, g.client_name, g.id, ?6, 'replaced'
         FROM grants g JOIN authorization_requests a ON a.user_id = g.user_id AND a.client_id = g.client_id AND a.grant_id <> g.id
         WHERE a.consent_hash = ?2 AND a.approved_as = ?3 AND g.narrowed_at = ?1
         ON CONFLICT (id) DO NOTHING",
        now,
        consent,
        code,
        AuditKind::Narrow.as_str(),
        Outcome::Done.as_str(),
        request_id,
    );
    [update, end, tokens, record]
}
