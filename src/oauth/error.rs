//! Why a request is refused: one reason each, and its code, status and words on the wire
//! (RFC 6749 4.1.2.1, 5.2; RFC 7591 3.2.2; RFC 8707 2; RFC 9207).
//!
//! Several reasons share a code on purpose: an unknown, expired, used and foreign code answer alike, so that nobody
//! learns from the answer which it was. The log knows.

use crate::oauth::secret::SecretHash;
use serde::{Deserialize, Serialize};

/// A fault that is told to the person, because the client or where it wants its answer is not proven. Never a redirect.
/// The words for it are the page's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShownToPerson {
    /// The query cannot be read.
    MalformedQuery,
    /// `client_id` is missing, repeated or not well formed.
    ClientId,
    /// `redirect_uri` is missing or repeated.
    RedirectUriMissing,
    /// `redirect_uri` is not https or loopback http in its plain spelling.
    RedirectUriShape,
    /// `redirect_uri` is not one of this client's.
    RedirectUriUnlisted,
    /// A registered `client_id` that was not issued here.
    ClientIdForged,
    /// Nothing is known of this client, and that is not enough here.
    ClientUnknown,
    /// `client_id`, `redirect_uri` and `state` do not fit into one cookie together.
    TooLong,
}

/// A fault of an authorization request whose client and redirect URI are proven; sent to the client (RFC 6749 4.1.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error, strum::VariantArray)]
pub enum SentToClient {
    #[error("a parameter is given more than once")]
    RepeatedParameter,
    #[error("response_type is missing")]
    ResponseTypeMissing,
    #[error("only response_type code is supported")]
    ResponseType,
    #[error("only response_mode query is supported")]
    ResponseMode,
    #[error("code_challenge is missing: PKCE is required")]
    ChallengeMissing,
    #[error("code_challenge_method must be S256")]
    ChallengeMethod,
    #[error("code_challenge must be 43 characters of base64url")]
    ChallengeShape,
    #[error("a requested scope is unknown")]
    Scope,
    #[error("resource is not served here")]
    Resource,
    #[error("state is longer than 2048 bytes")]
    StateTooLong,
    #[error("request objects are not supported")]
    RequestObject,
    #[error("request_uri is not supported")]
    RequestUri,
    #[error("a person has to answer")]
    InteractionRequired,
    #[error("the person declined")]
    Denied,
    #[error("the server is busy, try again later")]
    Unavailable,
}

impl SentToClient {
    pub const fn code(self) -> &'static str {
        match self {
            Self::RepeatedParameter
            | Self::ResponseTypeMissing
            | Self::ResponseMode
            | Self::ChallengeMissing
            | Self::ChallengeMethod
            | Self::ChallengeShape
            | Self::StateTooLong => "invalid_request",
            Self::ResponseType => "unsupported_response_type",
            Self::Scope => "invalid_scope",
            Self::Resource => "invalid_target",
            Self::RequestObject => "request_not_supported",
            Self::RequestUri => "request_uri_not_supported",
            Self::InteractionRequired => "interaction_required",
            Self::Denied => "access_denied",
            Self::Unavailable => "temporarily_unavailable",
        }
    }
}

/// Why a token or revocation request is refused (RFC 6749 5.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenError {
    MalformedBody,
    RepeatedParameter,
    Missing(&'static str),
    GrantType,
    VerifierShape,
    ClientId,
    ClientSecret,
    BasicAuthentication,
    TwoAuthentications,
    /// Not a code or token of ours, unknown, expired, spent, revoked, or somebody else's.
    Grant(GrantFault),
    Scope,
    Resource,
    /// Nobody can say now: the client must keep what it has and try again.
    Unavailable,
    /// Storage did not answer: the same to the client; the reason is for the log.
    Storage(String),
    /// Too many requests; the wait in seconds. Never a code that would make a client drop what it has.
    Limited(u64),
}

/// Which kind of `invalid_grant`; for the log only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GrantFault {
    NotOurs,
    Unknown(SecretHash),
    OtherClient,
    OtherRedirectUri,
    OtherResource,
    Verifier,
    Expired,
    Spent,
    Replayed,
    Revoked,
    /// StatiBeat no longer knows the person.
    PersonGone,
}

impl GrantFault {
    /// Which it was, in a fixed word for records.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::NotOurs => "not_ours",
            Self::Unknown(_) => "unknown",
            Self::OtherClient => "other_client",
            Self::OtherRedirectUri => "other_redirect_uri",
            Self::OtherResource => "other_resource",
            Self::Verifier => "verifier",
            Self::Expired => "expired",
            Self::Spent => "spent",
            Self::Replayed => "replayed",
            Self::Revoked => "revoked",
            Self::PersonGone => "person_gone",
        }
    }
}

impl TokenError {
    /// Which it was, in a fixed word for records.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::MalformedBody => "malformed_body",
            Self::RepeatedParameter => "repeated_parameter",
            Self::Missing(_) => "missing_parameter",
            Self::GrantType => "grant_type",
            Self::VerifierShape => "verifier_shape",
            Self::ClientId => "client_id",
            Self::ClientSecret => "client_secret",
            Self::BasicAuthentication => "basic_authentication",
            Self::TwoAuthentications => "two_authentications",
            Self::Grant(fault) => fault.word(),
            Self::Scope => "scope",
            Self::Resource => "resource",
            Self::Unavailable => "unavailable",
            Self::Storage(_) => "storage_unavailable",
            Self::Limited(_) => "limited",
        }
    }

    pub const fn code(&self) -> &'static str {
        match self {
            Self::MalformedBody
            | Self::RepeatedParameter
            | Self::Missing(_)
            | Self::VerifierShape
            | Self::TwoAuthentications => "invalid_request",
            Self::GrantType => "unsupported_grant_type",
            Self::ClientId | Self::ClientSecret | Self::BasicAuthentication => "invalid_client",
            Self::Grant(_) => "invalid_grant",
            Self::Scope => "invalid_scope",
            Self::Resource => "invalid_target",
            Self::Unavailable | Self::Storage(_) | Self::Limited(_) => "temporarily_unavailable",
        }
    }

    /// Why a refresh was refused, in a fixed word for the connection's owner. It holds nothing that came with the request.
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::Grant(GrantFault::Expired) => "expired",
            Self::Grant(GrantFault::Replayed) => "replayed",
            Self::Grant(GrantFault::Revoked) => "revoked",
            Self::Grant(GrantFault::PersonGone) => "person_ended",
            Self::Grant(GrantFault::OtherClient) => "other_client",
            Self::Grant(GrantFault::OtherResource) | Self::Resource => "resource",
            Self::Scope => "scope",
            Self::Limited(_) => "limited",
            Self::Unavailable | Self::Storage(_) => "unavailable",
            Self::MalformedBody
            | Self::RepeatedParameter
            | Self::Missing(_)
            | Self::GrantType
            | Self::VerifierShape
            | Self::ClientId
            | Self::ClientSecret
            | Self::BasicAuthentication
            | Self::TwoAuthentications
            | Self::Grant(
                GrantFault::NotOurs
                | GrantFault::Unknown(_)
                | GrantFault::OtherRedirectUri
                | GrantFault::Verifier
                | GrantFault::Spent,
            ) => "request",
        }
    }

    /// Whether the request failed by its own fault; only such failures are counted against its sender. A code that comes
    /// again at once, with everything right, is a repeated request.
    pub const fn is_senders_fault(&self) -> bool {
        !matches!(self, Self::Unavailable | Self::Storage(_) | Self::Limited(_) | Self::Grant(GrantFault::Spent))
    }

    /// The HTTP status. 401 only when the `Authorization` header was used (RFC 6749 5.2).
    pub const fn status(&self) -> u16 {
        match self {
            Self::BasicAuthentication => 401,
            Self::Unavailable | Self::Storage(_) => 503,
            Self::Limited(_) => 429,
            Self::MalformedBody
            | Self::RepeatedParameter
            | Self::Missing(_)
            | Self::GrantType
            | Self::VerifierShape
            | Self::ClientId
            | Self::ClientSecret
            | Self::TwoAuthentications
            | Self::Grant(_)
            | Self::Scope
            | Self::Resource => 400,
        }
    }

    /// Words for the client's developer: printable ASCII without `"` and `\` (RFC 6749 5.2), the same for every
    /// [`GrantFault`].
    pub fn description(&self) -> String {
        match self {
            Self::MalformedBody => "the body must be application/x-www-form-urlencoded UTF-8 of at most 16 kB".into(),
            Self::RepeatedParameter => "a parameter is given more than once".into(),
            Self::Missing(name) => format!("{name} is missing"),
            Self::GrantType => "only authorization_code and refresh_token are supported".into(),
            Self::VerifierShape => "code_verifier must be 43 to 128 unreserved characters".into(),
            Self::ClientId => "this client_id is not accepted here".into(),
            Self::ClientSecret => "clients are public here: send no secret or assertion".into(),
            Self::BasicAuthentication => "clients are public here: send client_id in the body".into(),
            Self::TwoAuthentications => "only one way of client authentication may be used".into(),
            Self::Grant(_) => "the code or token is not valid any more: authorize again".into(),
            Self::Scope => "the scope is wider than what was granted".into(),
            Self::Resource => "resource is not what this grant is for".into(),
            Self::Unavailable | Self::Storage(_) => "try again in a few seconds".into(),
            Self::Limited(wait) => format!("too many requests: try again in {wait} seconds"),
        }
    }
}

/// Why a registration is refused (RFC 7591 3.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegistrationError {
    #[error("send the client's metadata with the content type application/json")]
    ContentType,
    #[error("the body must be a JSON object of at most 16 kB with members of the types of RFC 7591")]
    Malformed,
    #[error("client_name must be at most 200 characters")]
    ClientName,
    #[error("client_name has no letter or digit that people can see")]
    HiddenClientName,
    #[error("grant_types must include authorization_code")]
    GrantTypes,
    #[error("redirect_uris must be 1 to 10 addresses of at most 2048 bytes")]
    RedirectUris,
    #[error("a redirect_uri has a scheme that is never accepted")]
    DangerousScheme,
    #[error("only http loopback redirect URIs can be registered here; others are listed by the operator")]
    NoneAcceptable,
}

impl RegistrationError {
    pub const fn code(self) -> &'static str {
        match self {
            Self::ContentType | Self::Malformed | Self::ClientName | Self::HiddenClientName | Self::GrantTypes => {
                "invalid_client_metadata"
            }
            Self::RedirectUris | Self::DangerousScheme | Self::NoneAcceptable => "invalid_redirect_uri",
        }
    }
}

/// Error codes of bearer challenges (RFC 6750 3.1).
pub mod bearer {
    /// The request itself is malformed.
    pub const INVALID_REQUEST: &str = "invalid_request";
    /// The token is unknown, expired, revoked or not for this resource.
    pub const INVALID_TOKEN: &str = "invalid_token";
    /// The token lacks a scope.
    pub const INSUFFICIENT_SCOPE: &str = "insufficient_scope";
}

#[cfg(test)]
mod tests;
