//! Errors of a request's path, method, origin, length or encoding, before its content is read.
//!
//! Each names the next step: as a JSON-RPC error at the MCP endpoint, elsewhere in the members of OAuth errors.

use super::context::RequestContext;
use super::reply::{self, Response};
use super::routes::{Audience, Route};
use crate::mcp::error;
use crate::model::visible::quote;
use crate::oauth::error::bearer;
use http::header::ALLOW;
use http::{Method, StatusCode};
use serde_json::json;
use url::Url;

/// Longest part of a header that a message quotes, in characters.
const QUOTE_MAX: usize = 200;

/// Reason why no route is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unavailable {
    /// The operator has switched the connector off.
    Disabled,
    /// The configuration has problems, which the log names.
    Misconfigured,
}

/// Reason for refusing a request before its content is read.
#[derive(Debug, thiserror::Error)]
pub(super) enum RefusedRequest {
    /// No route has the path.
    #[error("There is nothing at this address. The MCP endpoint is {served}")]
    NotFound { served: Url },
    /// No route is served, and it isn't said what would be.
    #[error("{}", unavailable_words(*.0))]
    Unavailable(Unavailable),
    #[error("This address does not support this HTTP method. Use {}.{}", names(.allowed), if *.is_mcp { MCP_METHOD } else { "" })]
    Method { allowed: &'static [Method], is_mcp: bool },
    #[error(
        "Web pages of {} may not call this server. Its operator can allow that in HOSTED_MCP_ALLOWED_ORIGINS.", quote(.0, QUOTE_MAX)
    )]
    Origin(String),
    /// The body is longer than the limit, in bytes.
    #[error("The body is too large. It may have at most {0} bytes here.")]
    TooLarge(usize),
    #[error("The body is encoded as {}. Send it uncompressed, without Content-Encoding.", quote(.0, QUOTE_MAX))]
    Encoding(String),
    /// The request broke off, or its URL or headers are malformed.
    #[error("The request could not be read. Send it again.")]
    Unreadable,
}

const MCP_METHOD: &str =
    " Send each JSON-RPC message by POST; there is no event stream to GET, and there are no sessions to DELETE.";

impl RefusedRequest {
    /// The refusal at a path that is not served; names the MCP endpoint.
    pub fn not_found(ctx: &RequestContext<'_>) -> Self {
        Self::NotFound { served: Route::Mcp.url(&ctx.app.config.public_url) }
    }

    pub fn method(route: Route) -> Self {
        Self::Method { allowed: route.methods(), is_mcp: route == Route::Mcp }
    }

    const fn status(&self) -> StatusCode {
        match self {
            Self::NotFound { .. } | Self::Unavailable(_) => StatusCode::NOT_FOUND,
            Self::Method { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::Origin(_) => StatusCode::FORBIDDEN,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Encoding(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Unreadable => StatusCode::BAD_REQUEST,
        }
    }

    /// Returns the `error` member of the response.
    const fn code(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "not_found",
            Self::Unavailable(Unavailable::Disabled) => "connector_disabled",
            Self::Unavailable(Unavailable::Misconfigured) => "connector_misconfigured",
            Self::Method { .. } => "method_not_allowed",
            Self::Origin(_) => "origin_not_allowed",
            Self::TooLarge(_) => "body_too_large",
            Self::Encoding(_) => "unsupported_encoding",
            Self::Unreadable => bearer::INVALID_REQUEST,
        }
    }

    pub fn into_response(self, route: Option<Route>) -> Response {
        let (status, words) = (self.status(), self.to_string());
        let mut response = if route == Some(Route::Mcp) {
            reply::json_bytes(status, error::refused_request(status.as_u16(), &words))
        } else {
            reply::json(status, &json!({ "error": self.code(), "error_description": words }))
        };
        if let (Self::Method { allowed, .. }, Some(route)) = (&self, route) {
            let preflight = if route.audience() == Audience::Programs { ", OPTIONS" } else { "" };
            reply::set(&mut response, ALLOW, &format!("{}{preflight}", names(allowed)));
        }
        response
    }
}

const fn unavailable_words(reason: Unavailable) -> &'static str {
    match reason {
        Unavailable::Disabled => {
            "Hosted MCP is switched off in this environment. Its operator can switch it on with HOSTED_MCP_ENABLED."
        }
        Unavailable::Misconfigured => {
            "Hosted MCP is off because its configuration has problems. Its operator finds them in the log of the worker."
        }
    }
}

fn names(methods: &[Method]) -> String {
    methods.iter().map(Method::as_str).collect::<Vec<_>>().join(", ")
}
