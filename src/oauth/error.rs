//! OAuth errors: one variant for each reason, with its error code, HTTP status and description
//! (RFC 6749 4.1.2.1, 5.2; RFC 7591 3.2.2; RFC 8707 2; RFC 9207).
//!
//! Several reasons share an error code on purpose: the response doesn't reveal whether a code or token was unknown, expired,
//! redeemed or issued to another client. The log does.

use crate::oauth::client::redirect_fault::RedirectFault;
use crate::oauth::secret::SecretHash;
use serde::{Deserialize, Serialize};
use url::Url;

/// An error shown to the person, because the client or its redirect URI could not be verified. Never a redirect
/// (RFC 6749 4.1.2.1). [`PageError`](crate::web) has the texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DirectError {
    /// The query string is malformed.
    MalformedQuery,
    /// `client_id` is missing, repeated or malformed.
    ClientId,
    /// `redirect_uri` is missing or repeated.
    RedirectUriMissing,
    /// `redirect_uri` is never acceptable, or not allowed for this client.
    RedirectUri(RedirectFault),
    /// `client_id` looks like one of our registered ids but was not issued here.
    ClientIdForged,
    /// The client is unverified, and this server refuses unverified clients.
    ClientUnknown,
    /// `client_id`, `redirect_uri` and `state` are too long for one cookie.
    TooLong,
}

/// An error sent to the client, because its redirect URI was verified (RFC 6749 4.1.2.1).
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
    #[error("scope has more than 20 names")]
    Scope,
    #[error("resource is not served here: send")]
    Resource,
    #[error("state is longer than 2048 bytes")]
    StateTooLong,
    #[error("request objects are not supported")]
    RequestObject,
    #[error("request_uri is not supported")]
    RequestUri,
    #[error("the person must sign in or consent")]
    InteractionRequired,
    #[error("the person declined")]
    Denied,
    #[error("the server is busy, try again later")]
    Unavailable,
}

impl RedirectError {
    /// For the client's developer; `resource` is the one that is served here.
    pub fn description(self, resource: &Url) -> String {
        match self {
            Self::Resource => format!("{self} {resource} or no resource"),
            _ => self.to_string(),
        }
    }

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

/// Reason for refusing a token or revocation request (RFC 6749 5.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenError {
    MalformedBody,
    RepeatedParameter,
    Missing(&'static str),
    UnsupportedGrantType,
    MalformedVerifier,
    ClientId,
    ClientSecret,
    BasicAuthentication,
    MultipleAuthenticationMethods,
    InvalidGrant(InvalidGrantReason),
    /// The `resource` parameter names another resource; the one that is served here.
    ResourceNotServed(String),
    /// The code or token was issued for another resource.
    Resource,
    /// StatiBeat is unavailable: the client keeps its credentials and tries again.
    Unavailable,
    /// The database failed. The client gets the same response as for `Unavailable`; the text is for the log.
    Storage(String),
    /// Too many requests; the wait in seconds. Its error code never makes a client drop its credentials.
    RateLimited(u64),
}

/// Reason for `invalid_grant`, for the log and the audit log. The client gets the same response for all of them.
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
    /// Redeemed within [`CODE_REPEAT_GRACE_PERIOD`](crate::oauth::grant::CODE_REPEAT_GRACE_PERIOD): a repeated request.
    Redeemed,
    Replayed,
    Revoked,
    /// The person's access at StatiBeat has ended.
    UserEnded,
}

impl InvalidGrantReason {
    /// The reason that the connection's owner sees. It depends on nothing that the request contains.
    const fn owner_word(&self) -> &'static str {
        match self {
            Self::Expired | Self::Replayed | Self::Revoked | Self::OtherClient => self.into_str(),
            Self::UserEnded => "user_ended",
            Self::OtherResource => "resource",
            Self::NotOurs | Self::Unknown(_) | Self::OtherRedirectUri | Self::Verifier | Self::Redeemed => "request",
        }
    }
}

/// Response and log reasons of a token error.
struct TokenErrorRow {
    /// Error code on the wire; the HTTP status is 401 only when the `Authorization` header was used (RFC 6749 5.2).
    code: &'static str,
    status: u16,
    /// Reason in the log and the audit log.
    word: &'static str,
    /// Reason shown to the owner of a connection whose refresh was refused.
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
            Self::UnsupportedGrantType => row(
                "unsupported_grant_type",
                400,
                "grant_type",
                "only authorization_code and refresh_token are supported",
            ),
            Self::MalformedVerifier => {
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
            Self::MultipleAuthenticationMethods => {
                row("invalid_request", 400, "two_authentications", "use only one client authentication method")
            }
            Self::InvalidGrant(reason) => TokenErrorRow {
                owner_word: reason.owner_word(),
                ..row("invalid_grant", 400, reason.into_str(), "the code or token is no longer valid: authorize again")
            },
            Self::ResourceNotServed(_) => TokenErrorRow {
                owner_word: "resource",
                ..row("invalid_target", 400, "resource_not_served", "resource is not served here: send")
            },
            Self::Resource => TokenErrorRow {
                owner_word: "resource",
                ..row("invalid_target", 400, "resource", "this grant is for another resource")
            },
            Self::Unavailable => TokenErrorRow {
                owner_word: "unavailable",
                ..row("temporarily_unavailable", 503, "unavailable", "try again in a few seconds")
            },
            Self::Storage(_) => TokenErrorRow { word: "storage_unavailable", ..Self::Unavailable.row() },
            Self::RateLimited(_) => TokenErrorRow {
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

    /// Reason in the log and the audit log.
    pub const fn word(&self) -> &'static str {
        self.row().word
    }

    /// Reason shown to the owner of a connection whose refresh was refused.
    pub const fn reason(&self) -> &'static str {
        self.row().owner_word
    }

    pub fn description(&self) -> String {
        let text = self.row().description;
        match self {
            Self::Missing(name) => format!("{name} {text}"),
            Self::ResourceNotServed(resource) => format!("{text} {resource} or no resource"),
            Self::RateLimited(wait) => format!("{text} {wait} seconds"),
            _ => text.to_owned(),
        }
    }

    /// Returns whether the sender caused the error; only such errors count towards the sender's rate limit. A valid request for a
    /// code that was just redeemed doesn't count: it is a repeated request.
    pub const fn is_caused_by_sender(&self) -> bool {
        !matches!(
            self,
            Self::Unavailable
                | Self::Storage(_)
                | Self::RateLimited(_)
                | Self::InvalidGrant(InvalidGrantReason::Redeemed)
        )
    }
}

/// Reason for refusing a registration (RFC 7591 3.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegistrationError {
    #[error("send the client's metadata with the content type application/json")]
    ContentType,
    #[error("the body must be a JSON object of at most 16 kB with members of the types of RFC 7591")]
    Malformed,
    #[error("client_name must be at most 200 characters")]
    ClientName,
    #[error("client_name has no visible letter or digit")]
    HiddenClientName,
    #[error("grant_types must include authorization_code")]
    GrantTypes,
    #[error("redirect_uris must be 1 to 10 URIs of at most 2048 bytes")]
    RedirectUris,
    #[error("a redirect_uri has a scheme that is never accepted")]
    DangerousScheme,
    #[error("only http loopback redirect URIs can be registered here; others are listed by the operator. {0}")]
    NoneAcceptable(RedirectFault),
}

impl RegistrationError {
    pub const fn code(self) -> &'static str {
        match self {
            Self::ContentType | Self::Malformed | Self::ClientName | Self::HiddenClientName | Self::GrantTypes => {
                "invalid_client_metadata"
            }
            Self::RedirectUris | Self::DangerousScheme | Self::NoneAcceptable(_) => "invalid_redirect_uri",
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
