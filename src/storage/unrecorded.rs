//! Refused calls that have no audit row of their own, because there were too many: one row an hour under each grant counts them.

use super::audit::{Kind, Outcome};
use super::statement;
use crate::model::ids::{GrantId, RequestId, UserId};
use crate::model::timestamp::Timestamp;
use crate::oauth::client::ClientId;
use crate::ports::Statement;

/// Refused calls under one grant that have no row of their own.
#[derive(Clone, Debug)]
pub struct UnrecordedRefusals {
    pub user_id: UserId,
    pub client_id: ClientId,
    /// Its name as the consent page showed it.
    pub client_name: String,
    pub grant_id: GrantId,
    /// The first request of them.
    pub request_id: RequestId,
    pub at: Timestamp,
    pub calls: i64,
}

/// Adds them to the one row that the grant has for each hour.
pub fn statement_for_unrecorded(refusals: &UnrecordedRefusals) -> Statement {
    let hour = refusals.at.as_seconds().div_euclid(3600);
    statement!(
        "INSERT INTO audit (id, at, kind, outcome, user_id, client_id, client_name, grant_id, request_id, calls)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
         ON CONFLICT (id) DO UPDATE SET calls = calls + excluded.calls",
        format!("{}.{}.{hour}", Kind::Unrecorded.as_str(), refusals.grant_id),
        refusals.at,
        Kind::Unrecorded.as_str(),
        Outcome::Refused.as_str(),
        &refusals.user_id,
        &refusals.client_id,
        refusals.client_name.as_str(),
        &refusals.grant_id,
        &refusals.request_id,
        refusals.calls,
    )
}
