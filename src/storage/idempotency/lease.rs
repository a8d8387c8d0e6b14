//! Checks the lease right before the POST.

use super::WriteKey;
use crate::model::flag;
use crate::model::ids::PageId;
use crate::model::timestamp::Timestamp;
use crate::model::write::WriteDenial;
use crate::ports::Database;
use crate::storage::audit::AuditId;
use crate::storage::write_permission::write_denial;
use crate::storage::{Result, find_one, statement};
use serde::Deserialize;

/// The decision whether an attempt may send its write now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeaseCheck {
    /// It still holds the lease and may still write.
    Held,
    /// Another attempt has taken the lease over.
    TakenOver,
    /// It may no longer write.
    Denied(WriteDenial),
}

/// Last statement before the POST. Since it acquired the lease, the attempt has waited for the rate limiter and
/// StatiBeat for up to a minute; meanwhile the connection may have been revoked, paused or blocked.
pub async fn check_lease(
    db: &dyn Database,
    key: &WriteKey<'_>,
    attempt: &AuditId,
    page_id: PageId,
    now: Timestamp,
) -> Result<LeaseCheck> {
    let select = statement!(
        concat!(
            "SELECT EXISTS (SELECT 1 FROM idempotency WHERE grant_id = ?1 AND key_hash = ?4 AND owner = ?5) AS is_held, ",
            write_denial!("?1", "?2", "?3"),
            " AS denial"
        ),
        key.grant_id,
        page_id,
        now,
        key.fingerprint.key_hash.as_str(),
        attempt,
    );
    Ok(match find_one(db, select).await? {
        Some(LeaseColumns { denial: Some(denial), .. }) => LeaseCheck::Denied(denial),
        Some(LeaseColumns { is_held: true, denial: None }) => LeaseCheck::Held,
        Some(LeaseColumns { is_held: false, denial: None }) | None => LeaseCheck::TakenOver,
    })
}

#[derive(Deserialize)]
struct LeaseColumns {
    #[serde(deserialize_with = "flag")]
    is_held: bool,
    denial: Option<WriteDenial>,
}
