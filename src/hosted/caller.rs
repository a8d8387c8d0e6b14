//! Who stands behind a valid bearer token.

use crate::catalog::scope::ScopeSet;
use crate::ids::{GrantId, UserId};
use crate::oauth::client::ClientId;

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
