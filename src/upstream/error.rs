//! What can go wrong with a call to StatiBeat, and what of it may be shown.
//!
//! Only the text of 400, 403, 404 and 409 answers ever reaches a client, cleaned and capped: it is written for the
//! person who asked. Everything else is said in our own words; what StatiBeat said is for the log.

use super::circuit_breaker::CircuitOpen;
use crate::model::outcome::Reason;
use crate::model::visible;
use crate::ports::HttpError;
use bytes::Bytes;
use http::StatusCode;
use http::header::{HeaderMap, RETRY_AFTER};
use std::time::Duration;

/// Longest shown text of StatiBeat's, in characters.
const SHOWN_LIMIT: usize = 300;
/// Longest wait we pass on. A larger number is more likely a mistake than advice.
const RETRY_AFTER_LIMIT: Duration = Duration::from_hours(1);
/// What a 401 says when it is about the person and not about our credential.
const USER_DISABLED: &str = "user is disabled";

/// Why a call gave no document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// 404: not there, or not for this person.
    #[error("{0}")]
    NotFound(String),
    /// 403: the person's role does not allow it.
    #[error("{0}")]
    Forbidden(String),
    /// 400, 409, 413, 422: the request cannot be carried out as it is.
    #[error("{0}")]
    Invalid(String),
    /// The person's access has ended; nothing done in their name can work again.
    #[error("the user's access has ended")]
    UserEnded,
    /// Any other 401: StatiBeat does not accept our assertion. Our fault, never the client's.
    #[error("StatiBeat refused the connector's credential: {0}")]
    CredentialRefused(String),
    /// 429: nothing was done; ask again later.
    #[error("StatiBeat asks to wait")]
    RateLimited {
        /// How long, when StatiBeat says.
        retry_after: Option<Duration>,
    },
    /// No answer, or a 5xx. Only of reads: after a write the same trouble is [`ApiError::OutcomeUnknown`].
    #[error("StatiBeat is not available: {reason}")]
    Unavailable {
        reason: String,
        /// Whether the next attempt may well succeed: the connection failed, or a server on the way stumbled.
        is_transient: bool,
        /// When to try again, when StatiBeat says.
        retry_after: Option<Duration>,
    },
    /// An answer that is not the promised JSON.
    #[error("StatiBeat's answer cannot be read: {0}")]
    Malformed(String),
    /// The call was wrong in a way that only we can mend: another path, method or media type was wanted.
    #[error("the call does not fit StatiBeat's API: {0}")]
    Unfit(String),
    /// Nothing was sent: such calls failed too often just now.
    #[error("StatiBeat keeps failing and was not called")]
    CircuitOpen {
        /// When the next call may be sent.
        retry_after: Duration,
    },
    /// A write was sent and nobody can say what became of it. Never to be repeated blindly.
    #[error("the outcome is unknown: {0}")]
    OutcomeUnknown(String),
}

impl ApiError {
    /// What an answer that is not a success means.
    pub(super) fn of_answer(status: StatusCode, headers: &HeaderMap, body: &Bytes) -> Self {
        let text = error_text(body);
        match status.as_u16() {
            404 => Self::NotFound(shown(&text)),
            403 => Self::Forbidden(shown(&text)),
            400 | 409 => Self::Invalid(shown(&text)),
            413 => Self::Invalid("The request is too large.".to_owned()),
            422 => Self::Invalid("StatiBeat cannot process the request.".to_owned()),
            401 if text == USER_DISABLED => Self::UserEnded,
            401 => Self::CredentialRefused(shown(&text)),
            429 => Self::RateLimited { retry_after: retry_after(headers) },
            code @ 500.. => {
                let retry_after = retry_after(headers);
                let is_transient = retry_after.is_none() && matches!(code, 500 | 502 | 503 | 504);
                Self::Unavailable { reason: format!("status {status}"), is_transient, retry_after }
            }
            _ => Self::Unfit(format!("status {status}")),
        }
    }

    /// What a missing answer means.
    pub(super) fn of_transport(error: &HttpError) -> Self {
        if *error == HttpError::TooLarge {
            // StatiBeat did answer: a matter of what was asked, not of whether it works.
            return Self::Malformed(error.to_string());
        }
        let is_transient = matches!(error, HttpError::Transport(_));
        Self::Unavailable { reason: error.to_string(), is_transient, retry_after: None }
    }

    /// Whether asking once more, at once, may help.
    pub(super) fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable { is_transient: true, .. })
    }

    /// Whether StatiBeat did not get to answer: what circuit breakers count. An answer that asks to wait is an answer.
    pub(crate) fn is_outage(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }

    /// Whether it is about this moment, or this one document, and not about who asks.
    pub fn is_retryable(&self) -> bool {
        matches!(
            self,
            Self::Unavailable { .. } | Self::RateLimited { .. } | Self::Malformed(_) | Self::CircuitOpen { .. }
        )
    }

    /// What this trouble means when the call was a write: where no answer says that nothing was done, it may have been.
    pub(super) fn after_write(self) -> Self {
        match self {
            Self::Unavailable { reason, .. } | Self::Malformed(reason) => Self::OutcomeUnknown(reason),
            told @ (Self::NotFound(_)
            | Self::Forbidden(_)
            | Self::Invalid(_)
            | Self::UserEnded
            | Self::CredentialRefused(_)
            | Self::RateLimited { .. }
            | Self::CircuitOpen { .. }
            | Self::Unfit(_)
            | Self::OutcomeUnknown(_)) => told,
        }
    }

    /// The reason in a fixed word, for records that must not hold text from outside.
    pub fn reason(&self) -> Reason {
        match self {
            Self::NotFound(_) => Reason::UpstreamNotFound,
            Self::Forbidden(_) => Reason::UpstreamForbidden,
            Self::Invalid(_) => Reason::UpstreamInvalid,
            Self::UserEnded => Reason::UserEnded,
            Self::CredentialRefused(_) => Reason::CredentialRefused,
            Self::RateLimited { .. } => Reason::UpstreamRateLimited,
            Self::Unavailable { .. } => Reason::UpstreamUnavailable,
            Self::CircuitOpen { .. } => Reason::CircuitOpen,
            Self::Malformed(_) => Reason::UpstreamMalformed,
            Self::Unfit(_) => Reason::UpstreamUnfit,
            Self::OutcomeUnknown(_) => Reason::OutcomeUnknown,
        }
    }
}

impl From<CircuitOpen> for ApiError {
    /// Whole seconds, as a `Retry-After` has them; rather one more than too few.
    fn from(open: CircuitOpen) -> Self {
        Self::CircuitOpen { retry_after: Duration::from_secs(open.wait.as_secs() + 1) }
    }
}

/// The `error` member of StatiBeat's error envelope; empty when there is none.
fn error_text(body: &Bytes) -> String {
    let envelope: Option<serde_json::Value> = serde_json::from_slice(body).ok();
    let text = envelope.as_ref().and_then(|envelope| envelope.get("error")).and_then(serde_json::Value::as_str);
    text.unwrap_or_default().to_owned()
}

/// Seconds of a `Retry-After` (RFC 9110 10.2.3). The date form is not read: StatiBeat does not use it.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds: u64 = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds.max(1)).min(RETRY_AFTER_LIMIT))
}

/// The text as a client may see it: one line of visible characters, capped.
fn shown(text: &str) -> String {
    let line = visible::clean(text).split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(SHOWN_LIMIT) {
        _ if line.is_empty() => "StatiBeat gave no reason.".to_owned(),
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16, body: &str) -> ApiError {
        let status = StatusCode::from_u16(status).expect("a status");
        ApiError::of_answer(status, &HeaderMap::new(), &Bytes::copy_from_slice(body.as_bytes()))
    }

    #[test]
    fn each_status_has_its_reason() {
        let text = |text: &str| text.to_owned();
        assert_eq!(of(404, r#"{"error":"not found"}"#), ApiError::NotFound(text("not found")));
        assert_eq!(of(403, r#"{"error":"no"}"#), ApiError::Forbidden(text("no")));
        assert_eq!(of(400, r#"{"error":"bad status"}"#), ApiError::Invalid(text("bad status")));
        assert_eq!(of(409, r#"{"error":"taken"}"#), ApiError::Invalid(text("taken")));
        assert_eq!(of(401, r#"{"error":"user is disabled"}"#), ApiError::UserEnded);
        assert_eq!(of(401, r#"{"error":"expired"}"#), ApiError::CredentialRefused(text("expired")));
        assert_eq!(of(429, ""), ApiError::RateLimited { retry_after: None });
        assert!(matches!(of(503, ""), ApiError::Unavailable { .. }));
        assert!(matches!(of(302, ""), ApiError::Unfit(_)));
        assert!(matches!(of(405, ""), ApiError::Unfit(_)));
    }

    #[test]
    fn only_four_statuses_show_what_upstream_said() {
        for status in [302, 405, 413, 415, 418, 422, 429, 500, 502, 503] {
            let error = of(status, r#"{"error":"table users at 10.0.0.7"}"#);
            assert!(!error.to_string().contains("10.0.0.7"), "{status} shows {error}");
        }
    }

    #[test]
    fn shown_text_is_one_visible_line_and_capped() {
        assert_eq!(shown("a\n\u{202e}b\u{200b}\tc\u{7}\u{e0041} "), "a b c");
        assert_eq!(shown(&"é".repeat(400)).chars().count(), SHOWN_LIMIT + 1);
        assert_eq!(shown("\u{200b} "), "StatiBeat gave no reason.");
    }

    #[test]
    fn a_wait_is_passed_on_within_bounds() {
        let wait = |text: &'static str| {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, http::HeaderValue::from_static(text))]);
            ApiError::of_answer(StatusCode::TOO_MANY_REQUESTS, &headers, &Bytes::new())
        };
        let limited = |seconds| ApiError::RateLimited { retry_after: Some(Duration::from_secs(seconds)) };
        assert_eq!(wait("7"), limited(7));
        assert_eq!(wait("0"), limited(1));
        assert_eq!(wait("999999"), limited(3600));
        assert_eq!(wait("soon"), ApiError::RateLimited { retry_after: None });
    }

    #[test]
    fn a_write_without_a_clear_answer_has_an_unknown_outcome() {
        let lost = ApiError::of_transport(&HttpError::Timeout);
        for error in [lost, of(500, ""), of(503, ""), ApiError::Malformed("x".into())] {
            assert!(matches!(error.after_write(), ApiError::OutcomeUnknown(_)));
        }
        assert_eq!(of(429, "").after_write(), ApiError::RateLimited { retry_after: None });
    }
}
