//! Lifetimes, and the states of codes and refresh tokens.
//!
//! A code or token works while `now < expires_at`; in the second of its expiry it is dead.

use crate::catalog::scope::ScopeSet;
use crate::ids::{GrantId, UserId};
use crate::oauth::client::ClientId;
use crate::oauth::pkce::CodeChallenge;
use crate::oauth::secret::SecretHash;
use crate::timestamp::Timestamp;
use std::time::Duration;

/// From the start of a visit to the person's answer.
pub const TRANSACTION_LIFETIME: Duration = Duration::from_mins(10);
/// A product fact.
pub const CODE_LIFETIME: Duration = Duration::from_mins(10);
/// A product fact; `expires_in` of the token answer.
pub const ACCESS_TOKEN_LIFETIME: Duration = Duration::from_hours(1);
/// A product fact; counted anew for each generation.
pub const REFRESH_TOKEN_LIFETIME: Duration = Duration::from_hours(30 * 24);
/// A valid replay of a code within this time is a client that repeats a lost request, not a thief.
pub const DOUBLE_SUBMIT_WINDOW: Duration = Duration::from_secs(10);
/// A rotated refresh token still gives its one successor for this long after its first use. Longer than the 30 seconds
/// the slowest client waits for an answer.
pub const ROTATION_WINDOW: Duration = Duration::from_mins(1);
/// How often one refresh token may be used again inside its window.
pub const MAX_WINDOW_USES: i64 = 32;
/// How often one grant may go on to a new refresh token within [`ROTATION_LIMIT_WINDOW`]. Repeats inside the window of one
/// token are counted by [`MAX_WINDOW_USES`] instead: siblings that refresh at the same moment are honest.
pub const MAX_ROTATIONS: i64 = 10;
/// See [`MAX_ROTATIONS`].
pub const ROTATION_LIMIT_WINDOW: Duration = Duration::from_mins(1);
/// Wrong verifiers after which a code is dead.
pub const MAX_FAILED_ATTEMPTS: i64 = 5;

/// What a code or refresh token stands on.
#[derive(Clone, Debug)]
pub struct Grant {
    /// Its name.
    pub id: GrantId,
    /// Who gave it.
    pub user_id: UserId,
    /// To whom.
    pub client_id: ClientId,
    /// Its name, as the consent page showed it.
    pub client_name: String,
    /// For which protected resource.
    pub resource: String,
    /// How much, at most.
    pub scopes: ScopeSet,
    /// Whether it was ended.
    pub is_revoked: bool,
}

/// A stored authorization code.
#[derive(Clone, Debug)]
pub struct CodeRecord {
    /// Its name in the database.
    pub hash: SecretHash,
    /// What was approved.
    pub grant: Grant,
    /// The exact redirect URI of the request.
    pub redirect_uri: String,
    /// What the verifier must meet.
    pub challenge: CodeChallenge,
    /// Dead from this second on.
    pub expires_at: Timestamp,
    /// When it was redeemed, if it was.
    pub redeemed_at: Option<Timestamp>,
    /// Wrong verifiers so far.
    pub failed_attempts: i64,
}

/// A stored refresh token.
#[derive(Clone, Debug)]
pub struct RefreshRecord {
    /// Its name in the database.
    pub hash: SecretHash,
    /// What it refreshes.
    pub grant: Grant,
    /// 1, 2, …
    pub generation: i64,
    /// Dead from this second on.
    pub expires_at: Timestamp,
    /// Its first use, if it was used.
    pub rotation: Option<Rotation>,
    /// When the last but [`MAX_ROTATIONS`] rotation of the family was, if there were that many.
    pub tenth_last_rotation_at: Option<Timestamp>,
}

/// How a refresh token was rotated: enough to derive its successor again.
#[derive(Clone, Debug)]
pub struct Rotation {
    /// First use.
    pub at: Timestamp,
    /// Random, written by the first use; base64url.
    pub salt: String,
    /// The key of the rotation ring that was used.
    pub kid: String,
    /// Uses since the first.
    pub window_uses: i64,
    /// Whether the successor is gone or was itself used: then this token is history.
    pub is_superseded: bool,
    /// The successor's name in the database, while it is there.
    pub successor: Option<SecretHash>,
}
