//! Bearer tokens (RFC 6750): finds the user, client and grant of an access token.

use crate::keyring::KeyRing;
use crate::model::ids::{GrantId, PageId, UserId};
use crate::model::scope::ScopeSet;
use crate::model::timestamp::Timestamp;
use crate::model::write_policy::ConfirmMode;
use crate::oauth::client::ClientId;
use crate::oauth::grant::PageChoice;
use crate::oauth::secret::AccessToken;
use crate::ports::{Database, DatabaseError};
use crate::storage::tokens::AccessRecord;
use crate::storage::{grants, tokens};
use std::collections::BTreeSet;

/// A user acting through a client under a grant.
#[derive(Clone, Debug)]
pub struct Caller {
    pub user_id: UserId,
    pub client_id: ClientId,
    /// Its name as the consent page showed it.
    pub client_name: String,
    /// The grant that the access token was issued for.
    pub grant_id: GrantId,
    pub scopes: ScopeSet,
    /// The pages that the person chose for this client.
    pub pages: PageChoice,
    /// Pages whose admins have blocked the connection.
    pub blocked_pages: BTreeSet<PageId>,
    /// True if the person has paused the connection's writes.
    pub are_writes_paused: bool,
    /// True if the client gets the resource tools.
    pub has_resource_tools: bool,
    /// The person's choice for confirming writes; counts where it is stricter than the environment's.
    pub confirm: ConfirmMode,
}

impl Caller {
    /// Returns whether the page is accessible. An inaccessible page is treated like a missing one.
    pub fn reaches(&self, page_id: PageId) -> bool {
        self.pages.contains(page_id) && !self.blocked_pages.contains(&page_id)
    }
}

/// Why a bearer token was rejected.
#[derive(Debug, thiserror::Error)]
pub enum BearerError {
    /// Forged, or a token of another use or environment. The response is that of [`BearerError::InvalidToken`].
    #[error("the token was never ours")]
    NotOurs,
    /// Unknown, expired, revoked, or for another resource; all get the same response.
    #[error("the token does not work")]
    InvalidToken,
    /// The database failed. Never answered like an invalid token.
    #[error(transparent)]
    Storage(#[from] DatabaseError),
}

/// Finds the caller of a token: no I/O for malformed tokens, one read for others, and a write of its use: after each refresh, and
/// at most every five minutes.
pub async fn find_caller(
    db: &dyn Database,
    token: &str,
    checksum_keys: &KeyRing,
    resource: &str,
    now: Timestamp,
) -> Result<Caller, BearerError> {
    let token = AccessToken::parse(token, checksum_keys).ok_or(BearerError::NotOurs)?;
    let found = tokens::find_access(db, &token.hash()).await?;
    let (grant, record) = found.ok_or(BearerError::InvalidToken)?;
    if grant.is_revoked || now >= record.expires_at || grant.resource != resource {
        return Err(BearerError::InvalidToken);
    }
    let is_outdated = |used_at| used_at + grants::LAST_USED_PRECISION <= now;
    if !record.is_use_recorded || record.last_used_at.is_none_or(is_outdated) {
        // A failed update doesn't fail the call: the next call repeats it.
        let _ = grants::touch(db, &grant.id, record.generation, now).await;
    }
    let AccessRecord { scopes, blocked_pages, are_writes_paused, has_resource_tools, confirm, .. } = record;
    let confirm = confirm.map_or(ConfirmMode::Never, |word| ConfirmMode::from_stored(&word));
    // A token issued before the grant was narrowed still names the scopes that it had.
    let scopes = scopes.intersection(grant.scopes);
    Ok(Caller {
        user_id: grant.user_id,
        client_id: grant.client_id,
        client_name: grant.client_name,
        grant_id: grant.id,
        scopes,
        pages: grant.pages,
        blocked_pages,
        are_writes_paused,
        has_resource_tools,
        confirm,
    })
}
