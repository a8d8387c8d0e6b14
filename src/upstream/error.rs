//! Errors of calls to StatiBeat.
//!
//! Only StatiBeat's error texts of 400, 403, 404 and 409 reach a client, cleaned and truncated, because StatiBeat writes them
//! for the caller. All other errors have our own texts; StatiBeat's go to the log.

use self::ApiErrorKind as Kind;
use super::circuit_breaker::CircuitOpen;
use crate::model::outcome::Reason;
use crate::model::visible;
use crate::ports::HttpError;
use bytes::Bytes;
use http::StatusCode;
use http::header::{HeaderMap, RETRY_AFTER};
use std::fmt;
use std::time::Duration;

/// Maximum length of StatiBeat's error texts, in characters.
const SHOWN_LIMIT: usize = 300;
/// Maximum `Retry-After` that is passed on. A longer one is probably a mistake.
const RETRY_AFTER_LIMIT: Duration = Duration::from_hours(1);
/// Error text of a 401 that concerns the person, not our assertion.
const USER_DISABLED: &str = "user is disabled";

/// The meaning of a failed call to StatiBeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::VariantArray)]
pub enum ApiErrorKind {
    /// 404: missing, or not visible to this person.
    NotFound,
    /// 403: the person's role does not allow it.
    Forbidden,
    /// 400, 409, 413, 422: the request is invalid.
    Invalid,
    /// The person's access has ended; no call on their behalf can succeed again.
    UserEnded,
    /// Any other 401: StatiBeat rejects our assertion. Never caused by the client.
    CredentialRefused,
    /// 429: nothing was done; retry later.
    RateLimited,
    /// No response, or a 5xx. Only for reads: for a write it is [`Self::OutcomeUnknown`].
    Unavailable,
    /// A response that is not the expected JSON. Only for reads, like [`Self::Unavailable`].
    Malformed,
    /// A connector bug: wrong path, method or media type.
    ContractViolation,
    /// Nothing was sent, because the circuit of the call is open.
    CircuitOpen,
    /// A write was sent and its outcome is unknown. Look it up before sending it again.
    OutcomeUnknown,
}

/// Error of a call to StatiBeat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    pub kind: ApiErrorKind,
    /// StatiBeat's cleaned text for the caller if [`Self::is_refusal`]; else text for the log.
    pub detail: String,
    /// Delay until the next call, if StatiBeat or the circuit breaker gives one.
    pub retry_after: Option<Duration>,
    /// True if an immediate retry may succeed: the connection or a gateway failed.
    is_transient: bool,
}

impl ApiError {
    pub fn new(kind: ApiErrorKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), retry_after: None, is_transient: false }
    }

    /// A document that cannot be parsed. serde quotes values, which may be anybody's text, so only its other messages are kept.
    pub fn malformed(error: &serde_json::Error) -> Self {
        let message = error.to_string();
        let is_free_of_values = !error.is_data() || message.starts_with("missing field");
        let detail = if is_free_of_values { message } else { format!("{:?} error", error.classify()) };
        Self::new(Kind::Malformed, detail)
    }

    /// Classifies a response that is not a success.
    pub(super) fn of_answer(status: StatusCode, headers: &HeaderMap, body: &Bytes) -> Self {
        let text = error_text(body);
        let retry_after = retry_after(headers);
        match status.as_u16() {
            404 => Self::new(Kind::NotFound, shown(&text)),
            403 => Self::new(Kind::Forbidden, shown(&text)),
            400 | 409 => Self::new(Kind::Invalid, shown(&text)),
            413 => Self::new(Kind::Invalid, "The request is too large."),
            422 => Self::new(Kind::Invalid, "StatiBeat cannot process the request."),
            401 if text == USER_DISABLED => Self::new(Kind::UserEnded, ""),
            401 => Self::new(Kind::CredentialRefused, shown(&text)),
            429 => Self { retry_after, ..Self::new(Kind::RateLimited, "") },
            code @ 500.. => {
                let is_transient = retry_after.is_none() && matches!(code, 500 | 502 | 503 | 504);
                Self { retry_after, is_transient, ..Self::new(Kind::Unavailable, format!("status {status}")) }
            }
            _ => Self::new(Kind::ContractViolation, format!("status {status}")),
        }
    }

    pub(super) fn of_transport(error: &HttpError) -> Self {
        // A response that is too large depends on the request; it doesn't mean that StatiBeat fails.
        let kind = if *error == HttpError::TooLarge { Kind::Malformed } else { Kind::Unavailable };
        Self { is_transient: matches!(error, HttpError::Transport(_)), ..Self::new(kind, error.to_string()) }
    }

    /// Returns whether StatiBeat refused the request itself.
    pub fn is_refusal(&self) -> bool {
        matches!(self.kind, Kind::NotFound | Kind::Forbidden | Kind::Invalid)
    }

    /// Returns whether an immediate retry may succeed.
    pub(super) fn is_transient(&self) -> bool {
        self.is_transient
    }

    /// Returns whether StatiBeat was unavailable, which circuit breakers count. A 429 doesn't count.
    pub(crate) fn is_outage(&self) -> bool {
        self.kind == Kind::Unavailable
    }

    /// Returns whether the same call may succeed later.
    pub fn is_retryable(&self) -> bool {
        matches!(self.kind, Kind::Unavailable | Kind::RateLimited | Kind::Malformed | Kind::CircuitOpen)
    }

    /// Converts the error of a write: unless the response says that nothing was done, the outcome is unknown.
    pub(super) fn after_write(self) -> Self {
        match self.kind {
            Kind::Unavailable | Kind::Malformed => Self::new(Kind::OutcomeUnknown, self.detail),
            Kind::NotFound
            | Kind::Forbidden
            | Kind::Invalid
            | Kind::UserEnded
            | Kind::CredentialRefused
            | Kind::RateLimited
            | Kind::CircuitOpen
            | Kind::ContractViolation
            | Kind::OutcomeUnknown => self,
        }
    }

    /// The reason for logs, which must not contain foreign text.
    pub fn reason(&self) -> Reason {
        match self.kind {
            Kind::NotFound => Reason::UpstreamNotFound,
            Kind::Forbidden => Reason::UpstreamForbidden,
            Kind::Invalid => Reason::UpstreamInvalid,
            Kind::UserEnded => Reason::UserEnded,
            Kind::CredentialRefused => Reason::CredentialRefused,
            Kind::RateLimited => Reason::UpstreamRateLimited,
            Kind::Unavailable => Reason::UpstreamUnavailable,
            Kind::CircuitOpen => Reason::CircuitOpen,
            Kind::Malformed => Reason::UpstreamMalformed,
            Kind::ContractViolation => Reason::ContractViolation,
            Kind::OutcomeUnknown => Reason::OutcomeUnknown,
        }
    }
}

impl std::error::Error for ApiError {}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = match self.kind {
            Kind::NotFound | Kind::Forbidden | Kind::Invalid => "",
            Kind::UserEnded => "the user's access has ended",
            Kind::CredentialRefused => "StatiBeat refused the connector's credential: ",
            Kind::RateLimited => "StatiBeat is limiting requests",
            Kind::Unavailable => "StatiBeat is not available: ",
            Kind::Malformed => "StatiBeat's response is invalid: ",
            Kind::ContractViolation => "the call does not fit StatiBeat's API: ",
            Kind::CircuitOpen => "StatiBeat keeps failing and was not called",
            Kind::OutcomeUnknown => "the outcome is unknown: ",
        };
        write!(f, "{said}{}", self.detail)
    }
}

impl From<CircuitOpen> for ApiError {
    /// Whole seconds, as a `Retry-After` has them; rather one more than too few.
    fn from(open: CircuitOpen) -> Self {
        let wait = Duration::from_secs(open.wait.as_secs() + 1);
        Self { retry_after: Some(wait), ..Self::new(Kind::CircuitOpen, "") }
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

    fn error_for(status: u16, body: &str) -> ApiError {
        let status = StatusCode::from_u16(status).expect("a status");
        ApiError::of_answer(status, &HeaderMap::new(), &Bytes::copy_from_slice(body.as_bytes()))
    }

    #[test]
    fn malformed_document_is_described_without_its_values() {
        #[derive(Debug, serde::Deserialize)]
        struct OneFlag {
            _flag: bool,
        }
        let detail = |text: &str| ApiError::malformed(&serde_json::from_str::<OneFlag>(text).expect_err(text)).detail;
        assert_eq!(detail(r#"{"_flag":"password hunter2"}"#), "Data error");
        assert_eq!(detail("{}"), "missing field `_flag` at line 1 column 2");
        assert_eq!(detail(r#"{"_flag":true,"#), "EOF while parsing a value at line 1 column 14");
    }

    #[test]
    fn each_status_has_its_kind() {
        let told = |kind, detail: &str| ApiError::new(kind, detail);
        assert_eq!(error_for(404, r#"{"error":"not found"}"#), told(Kind::NotFound, "not found"));
        assert_eq!(error_for(403, r#"{"error":"no"}"#), told(Kind::Forbidden, "no"));
        assert_eq!(error_for(400, r#"{"error":"bad status"}"#), told(Kind::Invalid, "bad status"));
        assert_eq!(error_for(409, r#"{"error":"taken"}"#), told(Kind::Invalid, "taken"));
        assert_eq!(error_for(401, r#"{"error":"user is disabled"}"#), told(Kind::UserEnded, ""));
        assert_eq!(error_for(401, r#"{"error":"expired"}"#), told(Kind::CredentialRefused, "expired"));
        assert_eq!(error_for(429, ""), told(Kind::RateLimited, ""));
        assert_eq!(error_for(503, "").kind, Kind::Unavailable);
        assert_eq!(error_for(302, "").kind, Kind::ContractViolation);
        assert_eq!(error_for(405, "").kind, Kind::ContractViolation);
    }

    #[test]
    fn wait_for_an_open_circuit_is_rounded_up_to_whole_seconds() {
        let waits = [0, 7000, 7900].map(|wait| {
            let open = CircuitOpen { wait: Duration::from_millis(wait) };
            ApiError::from(open).retry_after.expect("a wait").as_secs()
        });
        assert_eq!(waits, [1, 8, 8]);
    }

    #[test]
    fn each_kind_says_whether_it_counts_as_outage_is_retryable_and_what_it_means_after_a_write() {
        let unknown = Kind::OutcomeUnknown;
        let table = [
            (Kind::NotFound, false, false, Kind::NotFound),
            (Kind::Forbidden, false, false, Kind::Forbidden),
            (Kind::Invalid, false, false, Kind::Invalid),
            (Kind::UserEnded, false, false, Kind::UserEnded),
            (Kind::CredentialRefused, false, false, Kind::CredentialRefused),
            (Kind::RateLimited, false, true, Kind::RateLimited),
            (Kind::Unavailable, true, true, unknown),
            (Kind::Malformed, false, true, unknown),
            (Kind::ContractViolation, false, false, Kind::ContractViolation),
            (Kind::CircuitOpen, false, true, Kind::CircuitOpen),
            (unknown, false, false, unknown),
        ];
        assert_eq!(table.map(|(kind, ..)| kind), <Kind as strum::VariantArray>::VARIANTS);
        for (kind, is_outage, is_retryable, after_write) in table {
            let error = ApiError::new(kind, "x");
            assert_eq!((error.is_outage(), error.is_retryable()), (is_outage, is_retryable), "{kind:?}");
            assert_eq!(error.after_write().kind, after_write, "{kind:?}");
        }
    }

    #[test]
    fn failed_connection_or_server_error_without_advice_to_wait_is_transient() {
        for (status, is_transient) in [(500, true), (502, true), (503, true), (504, true), (501, false), (429, false)] {
            assert_eq!(error_for(status, "").is_transient(), is_transient, "{status}");
        }
        let headers = HeaderMap::from_iter([(RETRY_AFTER, http::HeaderValue::from_static("1"))]);
        assert!(!ApiError::of_answer(StatusCode::SERVICE_UNAVAILABLE, &headers, &Bytes::new()).is_transient());
        assert!(ApiError::of_transport(&HttpError::Transport("reset".into())).is_transient());
        assert!(!ApiError::of_transport(&HttpError::Timeout).is_transient());
        assert!(!ApiError::of_transport(&HttpError::TooLarge).is_transient());
    }

    #[test]
    fn only_four_statuses_show_statibeats_error_text() {
        for status in [302, 405, 413, 415, 418, 422, 429, 500, 502, 503] {
            let error = error_for(status, r#"{"error":"table users at 10.0.0.7"}"#);
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
        for (text, seconds) in [("7", Some(7)), ("0", Some(1)), ("999999", Some(3600)), ("soon", None)] {
            let error = wait(text);
            assert_eq!(
                (error.kind, error.retry_after),
                (Kind::RateLimited, seconds.map(Duration::from_secs)),
                "{text}"
            );
        }
    }

    #[test]
    fn a_write_without_a_clear_answer_has_an_unknown_outcome() {
        let lost = ApiError::of_transport(&HttpError::Timeout);
        for error in [lost, error_for(500, ""), error_for(503, ""), ApiError::new(Kind::Malformed, "x")] {
            assert_eq!(error.after_write().kind, Kind::OutcomeUnknown);
        }
        assert_eq!(error_for(429, "").after_write().kind, Kind::RateLimited);
    }
}
