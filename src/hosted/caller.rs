//! Who stands behind a bearer token.

use crate::catalog::scope::ScopeSet;
use crate::ids::{GrantId, UserId};
use crate::keyring::KeyRing;
use crate::oauth::client::ClientId;
use crate::oauth::secret::AccessToken;
use crate::ports::{Database, DatabaseError};
use crate::storage::tokens::AccessRecord;
use crate::storage::{grants, tokens};
use crate::timestamp::Timestamp;

/// A user acting through a client under a grant.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The person.
    pub user_id: UserId,
    /// The program.
    pub client_id: ClientId,
    /// Its name as the consent page showed it.
    pub client_name: String,
    /// The approval that both stand on.
    pub grant_id: GrantId,
    /// What the token carries.
    pub scopes: ScopeSet,
}

/// Why nobody stands behind a token.
#[derive(Debug, thiserror::Error)]
pub enum NoCaller {
    /// Not a token of ours, of another kind or environment. Answers as [`NoCaller::InvalidToken`].
    #[error("the token was never ours")]
    NotOurs,
    /// Unknown, expired, revoked, or for another resource: all answer alike.
    #[error("the token does not work")]
    InvalidToken,
    /// Nobody can say. Never to be answered as if the token were bad.
    #[error(transparent)]
    Storage(#[from] DatabaseError),
}

/// What a token is checked against.
pub struct Check<'a> {
    /// Recognizes tokens before the database is asked.
    pub tags: &'a KeyRing,
    /// The one protected resource.
    pub resource: &'a str,
    /// The time.
    pub now: Timestamp,
}

impl Check<'_> {
    /// Finds the caller behind a token: no I/O for garbage, one read for anything else, and at most every five minutes a
    /// write that says when the grant was last used.
    pub async fn find_caller(&self, db: &dyn Database, token: &str) -> Result<Caller, NoCaller> {
        let token = AccessToken::recognize(token, self.tags).ok_or(NoCaller::NotOurs)?;
        let record = tokens::find_access(db, &token.hash()).await?.ok_or(NoCaller::InvalidToken)?;
        if !self.is_alive(&record) {
            return Err(NoCaller::InvalidToken);
        }
        if record.last_used_at.is_none_or(|at| at + grants::LAST_USED_PRECISION <= self.now) {
            // A date in a list is not worth a refused call: the next one writes it.
            let _ = grants::touch(db, &record.grant.id, self.now).await;
        }
        let AccessRecord { grant, scopes, .. } = record;
        let (user_id, client_id, client_name) = (grant.user_id, grant.client_id, grant.client_name);
        Ok(Caller { user_id, client_id, client_name, grant_id: grant.id, scopes })
    }

    fn is_alive(&self, record: &AccessRecord) -> bool {
        !record.grant.is_revoked && self.now < record.expires_at && record.grant.resource == self.resource
    }
}
