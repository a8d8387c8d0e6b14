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
pub enum DirectError {
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
pub enum RedirectError {
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

impl RedirectError {
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
    /// Not a code or token of ours, unknown, expired, redeemed, revoked, or somebody else's.
    Grant(InvalidGrantReason),
    Scope,
    Resource,
    /// Nobody can say now: the client must keep what it has and try again.
    Unavailable,
    /// Storage did not answer: the same to the client; the reason is for the log.
    Storage(String),
    /// Too many requests; the wait in seconds. Never a code that would make a client drop what it has.
    Limited(u64),
}

/// Why `invalid_grant`; for records only: the client is told the same for all of them.
#[derive(Clone, Debug, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum InvalidGrantReason {
    NotOurs,
    Unknown(SecretHash),
    OtherClient,
    OtherRedirectUri,
    OtherResource,
    Verifier,
    Expired,
    /// Redeemed a moment ago: a repeated request.
    #[strum(serialize = "spent")]
    Redeemed,
    Replayed,
    Revoked,
    /// StatiBeat no longer knows the person.
    #[strum(serialize = "person_gone")]
    UserEnded,
}

impl InvalidGrantReason {
    /// The word for the connection's owner. It holds nothing that came with the request.
    const fn owner_word(&self) -> &'static str {
        match self {
            Self::Expired | Self::Replayed | Self::Revoked | Self::OtherClient => self.into_str(),
            Self::UserEnded => "person_ended",
            Self::OtherResource => "resource",
            Self::NotOurs | Self::Unknown(_) | Self::OtherRedirectUri | Self::Verifier | Self::Redeemed => "request",
        }
    }
}

/// A row of the table of token errors.
struct TokenErrorRow {
    /// On the wire, with the HTTP status. 401 only when the `Authorization` header was used (RFC 6749 5.2).
    code: &'static str,
    status: u16,
    /// In the log and in records.
    word: &'static str,
    /// For the owner of a connection whose refresh was refused.
    owner_word: &'static str,
    /// For the client's developer: printable ASCII without `"` and `\` (RFC 6749 5.2).
    description: &'static str,
}

impl TokenError {
    const fn row(&self) -> TokenErrorRow {
        const fn row(code: &'static str, status: u16, word: &'static str, description: &'static str) -> TokenErrorRow {
            TokenErrorRow { code, status, word, owner_word: "request", description }
        }
        match self {
            Self::MalformedBody => row(
                "invalid_request",
                400,
                "malformed_body",
                "the body must be application/x-www-form-urlencoded UTF-8 of at most 16 kB",
            ),
            Self::RepeatedParameter => {
                row("invalid_request", 400, "repeated_parameter", "a parameter is given more than once")
            }
            Self::Missing(_) => row("invalid_request", 400, "missing_parameter", "is missing"),
            Self::GrantType => row(
                "unsupported_grant_type",
                400,
                "grant_type",
                "only authorization_code and refresh_token are supported",
            ),
            Self::VerifierShape => {
                row("invalid_request", 400, "verifier_shape", "code_verifier must be 43 to 128 unreserved characters")
            }
            Self::ClientId => row("invalid_client", 400, "client_id", "this client_id is not accepted here"),
            Self::ClientSecret => {
                row("invalid_client", 400, "client_secret", "clients are public here: send no secret or assertion")
            }
            Self::BasicAuthentication => row(
                "invalid_client",
                401,
                "basic_authentication",
                "clients are public here: send client_id in the body",
            ),
            Self::TwoAuthentications => {
                row("invalid_request", 400, "two_authentications", "only one way of client authentication may be used")
            }
            Self::Grant(reason) => TokenErrorRow {
                owner_word: reason.owner_word(),
                ..row(
                    "invalid_grant",
                    400,
                    reason.into_str(),
                    "the code or token is not valid any more: authorize again",
                )
            },
            Self::Scope => TokenErrorRow {
                owner_word: "scope",
                ..row("invalid_scope", 400, "scope", "the scope is wider than what was granted")
            },
            Self::Resource => TokenErrorRow {
                owner_word: "resource",
                ..row("invalid_target", 400, "resource", "resource is not what this grant is for")
            },
            Self::Unavailable => TokenErrorRow {
                owner_word: "unavailable",
                ..row("temporarily_unavailable", 503, "unavailable", "try again in a few seconds")
            },
            Self::Storage(_) => TokenErrorRow { word: "storage_unavailable", ..Self::Unavailable.row() },
            Self::Limited(_) => TokenErrorRow {
                owner_word: "limited",
                ..row("temporarily_unavailable", 429, "limited", "too many requests: try again in")
            },
        }
    }

    pub const fn code(&self) -> &'static str {
        self.row().code
    }

    pub const fn status(&self) -> u16 {
        self.row().status
    }

    /// The word in the log and in records.
    pub const fn word(&self) -> &'static str {
        self.row().word
    }

    /// Why a refresh was refused, in a fixed word for the connection's owner.
    pub const fn reason(&self) -> &'static str {
        self.row().owner_word
    }

    pub fn description(&self) -> String {
        let text = self.row().description;
        match self {
            Self::Missing(name) => format!("{name} {text}"),
            Self::Limited(wait) => format!("{text} {wait} seconds"),
            _ => text.to_owned(),
        }
    }

    /// Returns whether the request failed by its own fault; only such failures are counted against its sender. A code that comes
    /// again at once, with everything right, is a repeated request.
    pub const fn is_senders_fault(&self) -> bool {
        !matches!(
            self,
            Self::Unavailable | Self::Storage(_) | Self::Limited(_) | Self::Grant(InvalidGrantReason::Redeemed)
        )
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
