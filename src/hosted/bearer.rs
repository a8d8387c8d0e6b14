//! Bearer tokens (RFC 6750): finds the user, client and grant of an access token.

use super::ended_tokens::EndedTokens;
use crate::keyring::KeyRing;
use crate::model::ids::{GrantId, PageId, UserId};
use crate::model::scope::ScopeSet;
use crate::model::timestamp::Timestamp;
use crate::model::write_policy::ConfirmMode;
use crate::oauth::client::ClientId;
use crate::oauth::grant::{Grant, PageChoice};
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

/// The ports and values that the bearer token of one request is checked with.
pub struct BearerCheck<'a> {
    pub db: &'a dyn Database,
    pub checksum_keys: &'a KeyRing,
    /// The resource that the token must have been issued for (RFC 8707).
    pub resource: &'a str,
    pub ended: &'a EndedTokens,
    pub now: Timestamp,
}

/// A use of an access token that is to be recorded, after each refresh and at most every five minutes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessUse {
    grant_id: GrantId,
    generation: i64,
    used_at: Timestamp,
}

impl AccessUse {
    /// Records the use. One that is not recorded is recorded by the next call: until then a repeated refresh is taken for that of a
    /// client whose answer was lost.
    pub async fn record(&self, db: &dyn Database) -> Result<(), DatabaseError> {
        grants::touch(db, &self.grant_id, self.generation, self.used_at).await
    }
}

impl BearerCheck<'_> {
    /// Finds the caller of a token: no I/O for malformed tokens and those found ended a moment ago, one read for others. Also
    /// returns the use to record, if there is one.
    pub async fn find_caller(&self, token: &str) -> Result<(Caller, Option<AccessUse>), BearerError> {
        let Self { db, resource, ended, now, .. } = *self;
        let hash = AccessToken::parse(token, self.checksum_keys).ok_or(BearerError::NotOurs)?.hash();
        if ended.has(&hash, now) {
            return Err(BearerError::InvalidToken);
        }
        let found = tokens::find_access(db, &hash).await?;
        let Some((grant, record)) = found.filter(|(grant, record)| !grant.is_revoked && now < record.expires_at) else {
            ended.keep(hash, now);
            return Err(BearerError::InvalidToken);
        };
        if grant.resource != resource {
            return Err(BearerError::InvalidToken);
        }
        let is_outdated = |used_at| used_at + grants::LAST_USED_PRECISION <= now;
        let is_to_record = !record.is_use_recorded || record.last_used_at.is_none_or(is_outdated);
        let (grant_id, generation) = (grant.id.clone(), record.generation);
        let access_use = is_to_record.then_some(AccessUse { grant_id, generation, used_at: now });
        Ok((caller(grant, record), access_use))
    }
}

fn caller(grant: Grant, record: AccessRecord) -> Caller {
    let AccessRecord { scopes, blocked_pages, are_writes_paused, has_resource_tools, confirm, .. } = record;
    let confirm = confirm.map_or(ConfirmMode::Never, |word| ConfirmMode::from_stored(&word));
    // A token issued before the grant was narrowed still names the scopes that it had.
    let scopes = scopes.intersection(grant.scopes);
    Caller {
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
    }
}
