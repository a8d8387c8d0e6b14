//! Lifetimes, and the states of codes and refresh tokens.
//!
//! A code or token is valid while `now < expires_at`.

use crate::model::flag;
use crate::model::ids::{GrantId, PageId, UserId};
use crate::model::scope::ScopeSet;
use crate::model::timestamp::Timestamp;
use crate::oauth::client::ClientId;
use crate::oauth::parameters::Parameters;
use crate::oauth::pkce::CodeChallenge;
use crate::oauth::secret::SecretHash;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

/// Time from the authorization request to the submitted consent page.
pub const AUTHORIZATION_REQUEST_LIFETIME: Duration = Duration::from_mins(10);
pub const CODE_LIFETIME: Duration = Duration::from_mins(10);
/// Lifetime of an access token, `expires_in` of the token response. Set by the product.
pub const ACCESS_TOKEN_LIFETIME: Duration = Duration::from_hours(1);
/// Lifetime of a refresh token. Set by the product; starts again with each rotation.
pub const REFRESH_TOKEN_LIFETIME: Duration = Duration::from_hours(30 * 24);
/// A valid request for a code redeemed within this time is a repeated request, not a replay.
pub const CODE_REPEAT_GRACE_PERIOD: Duration = Duration::from_secs(10);
/// Maximum valid access tokens that came with one refresh token. A repeated refresh beyond it waits until one of them expires.
pub const MAX_ACCESS_TOKENS: i64 = 32;
/// Maximum rotations of one grant's refresh token within [`ROTATION_LIMIT_WINDOW`]. Repeated refreshes are limited by
/// [`MAX_ACCESS_TOKENS`] instead, because clients may refresh concurrently.
pub const MAX_ROTATIONS: i64 = 10;
pub const ROTATION_LIMIT_WINDOW: Duration = Duration::from_mins(1);
/// Number of wrong code verifiers after which a code is invalid.
pub const MAX_FAILED_ATTEMPTS: i64 = 5;

/// Lifetime of a grant, chosen by the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantLifetime {
    /// Until it is revoked, or not used for the lifetime of a refresh token.
    UntilRevoked,
    /// At most this number of days after the approval.
    Days(u8),
    /// Until the end of an earlier grant.
    Until(Timestamp),
}

impl GrantLifetime {
    /// The choices on the consent page, short to long. None is longer than the lifetime of a refresh token, so that each holds
    /// exactly.
    pub const CHOICES: [Self; 4] = [Self::Days(1), Self::Days(7), Self::Days(30), Self::UntilRevoked];
    /// The choice that is proposed first.
    pub const PROPOSED: Self = Self::Days(30);

    /// The choice that gave a grant its end.
    pub fn find(created_at: Timestamp, expires_at: Option<Timestamp>) -> Option<Self> {
        Self::CHOICES.into_iter().find(|choice| choice.end(created_at) == expires_at)
    }

    /// Second at which the grant expires, if it has a limit.
    pub fn end(self, approved_at: Timestamp) -> Option<Timestamp> {
        match self {
            Self::UntilRevoked => None,
            Self::Days(days) => Some(approved_at + Duration::from_hours(24) * u32::from(days)),
            Self::Until(end) => Some(end),
        }
    }

    /// Parses the output of [`fmt::Display`]; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        Self::CHOICES.into_iter().find(|choice| choice.to_string() == text)
    }
}

/// As a form carries it.
impl fmt::Display for GrantLifetime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UntilRevoked => f.write_str("until-revoked"),
            Self::Days(days) => write!(f, "{days}d"),
            Self::Until(_) => f.write_str("as-before"),
        }
    }
}

/// Pages that a grant can access, of those that its person can see at the time of the call. Stored as page ids
/// separated by spaces; NULL for all.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Option<String>")]
pub enum PageChoice {
    /// All pages, including future ones.
    All,
    These(BTreeSet<PageId>),
}

impl PageChoice {
    /// Reads the radio buttons and check boxes of a form. A missing or unknown radio button chooses only what is ticked.
    pub fn read(form: &Parameters) -> Self {
        if form.single("pages") == Some("all") {
            return Self::All;
        }
        Self::These(form.all("page").filter_map(PageId::parse).collect())
    }

    /// Returns whether the page may be reached.
    pub fn contains(&self, page_id: PageId) -> bool {
        match self {
            Self::All => true,
            Self::These(pages) => pages.contains(&page_id),
        }
    }

    /// The ids separated by spaces; `None` for all.
    pub fn stored(&self) -> Option<String> {
        match self {
            Self::All => None,
            Self::These(pages) => Some(pages.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")),
        }
    }
}

impl TryFrom<Option<String>> for PageChoice {
    type Error = &'static str;

    fn try_from(stored: Option<String>) -> Result<Self, Self::Error> {
        let Some(text) = stored else { return Ok(Self::All) };
        let pages = text.split(' ').filter(|id| !id.is_empty()).map(PageId::parse).collect::<Option<_>>();
        pages.map(Self::These).ok_or("not a list of pages")
    }
}

/// The grant that a code or refresh token was issued for.
#[derive(Clone, Debug, Deserialize)]
pub struct Grant {
    #[serde(rename = "grant_id")]
    pub id: GrantId,
    pub user_id: UserId,
    pub client_id: ClientId,
    /// Its name, as the consent page showed it.
    pub client_name: String,
    pub resource: String,
    #[serde(rename = "scope")]
    pub scopes: ScopeSet,
    pub pages: PageChoice,
    /// Lifetime that the person chose.
    #[serde(rename = "grant_expires_at")]
    pub expires_at: Option<Timestamp>,
    #[serde(deserialize_with = "flag")]
    pub is_revoked: bool,
}

impl Grant {
    /// Expiry of a token issued now: its own lifetime, but not longer than the grant's.
    pub fn end_of(&self, token_lifetime: Duration, now: Timestamp) -> Timestamp {
        let own = now + token_lifetime;
        self.expires_at.map_or(own, |end| own.min(end))
    }
}

#[derive(Clone, Debug)]
pub struct CodeRecord {
    /// Its name in the database.
    pub hash: SecretHash,
    pub grant: Grant,
    /// Redirect URI of the authorization request.
    pub redirect_uri: String,
    pub challenge: CodeChallenge,
    pub state: CodeState,
}

#[derive(Clone, Debug)]
pub enum CodeState {
    /// Waits for its one redemption.
    Pending {
        expires_at: Timestamp,
        failed_attempts: i64,
    },
    Redeemed {
        redeemed_at: Timestamp,
    },
}

#[derive(Deserialize)]
pub struct CodeColumns {
    code_hash: SecretHash,
    redirect_uri: String,
    code_challenge: CodeChallenge,
    redeemed_at: Option<Timestamp>,
    expires_at: Timestamp,
    failed_attempts: i64,
}

impl CodeRecord {
    pub fn new(grant: Grant, columns: CodeColumns) -> Self {
        let CodeColumns { code_hash: hash, redirect_uri, code_challenge: challenge, .. } = columns;
        let state = match columns.redeemed_at {
            Some(redeemed_at) => CodeState::Redeemed { redeemed_at },
            None => CodeState::Pending { expires_at: columns.expires_at, failed_attempts: columns.failed_attempts },
        };
        Self { hash, grant, redirect_uri, challenge, state }
    }
}

#[derive(Clone, Debug)]
pub struct RefreshRecord {
    /// Its name in the database.
    pub hash: SecretHash,
    pub grant: Grant,
    pub generation: i64,
    /// Dead from this second on.
    pub expires_at: Timestamp,
    pub state: RefreshState,
    /// Time of the [`MAX_ROTATIONS`]th-last rotation of the token family, if there were that many.
    pub tenth_last_rotation_at: Option<Timestamp>,
}

#[derive(Clone, Debug)]
pub enum RefreshState {
    /// Newest token of its family; never used.
    Active,
    Rotated(Rotation),
}

/// A rotation of a refresh token, with the values that derive its successor again.
#[derive(Clone, Debug)]
pub struct Rotation {
    /// Random salt of the first use; base64url.
    pub salt: String,
    /// Id of the rotation key that was used.
    pub kid: String,
    /// Hash of the successor; `None` once it was deleted, or it or an access token that came with it was used.
    pub unused_successor: Option<SecretHash>,
    /// When a further access token may come with the successor, if it has [`MAX_ACCESS_TOKENS`].
    pub free_at: Option<Timestamp>,
}

/// A row of `refresh_tokens`, joined with the state of its successor.
#[derive(Deserialize)]
pub struct RefreshColumns {
    token_hash: SecretHash,
    generation: i64,
    expires_at: Timestamp,
    rotated_at: Option<Timestamp>,
    rotate_salt: Option<String>,
    rotate_kid: Option<String>,
    unused_successor: Option<SecretHash>,
    free_at: Option<Timestamp>,
    tenth_last: Option<Timestamp>,
}

impl RefreshRecord {
    /// `None` for a rotated token without the salt or key that its successor was derived with.
    pub fn new(grant: Grant, columns: RefreshColumns) -> Option<Self> {
        let RefreshColumns { unused_successor, free_at, .. } = columns;
        let state = match (columns.rotated_at, columns.rotate_salt, columns.rotate_kid) {
            (None, ..) => RefreshState::Active,
            (Some(_), Some(salt), Some(kid)) => {
                RefreshState::Rotated(Rotation { salt, kid, unused_successor, free_at })
            }
            _ => return None,
        };
        Some(Self {
            hash: columns.token_hash,
            grant,
            generation: columns.generation,
            expires_at: columns.expires_at,
            state,
            tenth_last_rotation_at: columns.tenth_last,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chosen_lifetime_reads_back_and_nothing_else_does() {
        for choice in GrantLifetime::CHOICES {
            assert_eq!(GrantLifetime::parse(&choice.to_string()), Some(choice));
        }
        for bad in ["", "365d", "2d", "-1d", "Until-revoked"] {
            assert_eq!(GrantLifetime::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn end_of_a_choice_is_read_back_as_that_choice_and_any_other_end_as_none() {
        let approved_at = Timestamp::from_seconds(1_000);
        for choice in GrantLifetime::CHOICES {
            assert_eq!(GrantLifetime::find(approved_at, choice.end(approved_at)), Some(choice));
        }
        assert_eq!(GrantLifetime::find(approved_at, Some(Timestamp::from_seconds(2_000))), None);
    }

    #[test]
    fn no_choice_of_days_is_longer_than_a_refresh_token() {
        let start = Timestamp::from_seconds(0);
        for choice in GrantLifetime::CHOICES {
            assert!(choice.end(start).is_none_or(|end| end <= start + REFRESH_TOKEN_LIFETIME), "{choice}");
        }
    }

    #[test]
    fn a_grant_of_some_days_ends_so_many_days_after_its_approval() {
        let (approved_at, day) = (Timestamp::from_seconds(1_000), 86_400);
        let end = |lifetime: GrantLifetime| lifetime.end(approved_at).map(Timestamp::as_seconds);
        assert_eq!(end(GrantLifetime::UntilRevoked), None);
        assert_eq!(end(GrantLifetime::Days(1)), Some(1_000 + day));
        assert_eq!(end(GrantLifetime::Days(30)), Some(1_000 + 30 * day));
    }

    #[test]
    fn a_token_dies_after_its_own_life_or_with_its_grant() {
        let grant = |expires_at: Option<i64>| Grant {
            id: GrantId::parse("g").expect("an id"),
            user_id: UserId::parse("1").expect("an id"),
            client_id: ClientId::parse("tool").expect("fits"),
            client_name: "Tool".into(),
            resource: "https://mcp.example/mcp".into(),
            scopes: ScopeSet::baseline(),
            pages: PageChoice::All,
            expires_at: expires_at.map(Timestamp::from_seconds),
            is_revoked: false,
        };
        let end = |grant: Grant| grant.end_of(ACCESS_TOKEN_LIFETIME, Timestamp::from_seconds(1_000)).as_seconds();
        assert_eq!(end(grant(None)), 4_600);
        assert_eq!(end(grant(Some(4_599))), 4_599);
        assert_eq!(end(grant(Some(9_000))), 4_600);
    }

    #[test]
    fn chosen_pages_read_back_and_reach_no_other() {
        let these = PageChoice::These([PageId::new(7).expect("an id"), PageId::new(42).expect("an id")].into());
        assert_eq!(these.stored().as_deref(), Some("7 42"));
        assert_eq!(PageChoice::try_from(Some("7 42".to_owned())), Ok(these.clone()));
        assert!(these.contains(PageId::new(42).expect("an id")) && !these.contains(PageId::new(4).expect("an id")));
        assert!(PageChoice::All.contains(PageId::new(4).expect("an id")));
        assert!(PageChoice::try_from(Some("7 x".to_owned())).is_err());
    }
}
