//! Faults on demand: delays, statuses, lost connections and spoiled bodies, planned by tests.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::response::{Html, IntoResponse as _, Response};
use bytes::Bytes;
use http::{HeaderValue, Request, StatusCode, header};
use serde::{Deserialize, Serialize, Serializer};

use crate::limiter;
use crate::reply::ApiError;

/// StatiBeat's limit for reads of internal services: what a planned 429 claims to be about.
const INTERNAL_READS_PER_MINUTE: u32 = 600;

/// A fault that waits for matching requests.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The method it waits for; any when absent.
    #[serde(default)]
    pub method: Option<String>,
    /// The path it waits for, by segments: `*` is any one segment, `**` at the end is any rest. That of a dry run ends in
    /// `?dry_run=true`.
    pub path: String,
    /// The number of requests that it applies to.
    #[serde(default = "once")]
    pub times: u32,
    pub kind: FaultKind,
}

/// The effect of a fault.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum FaultKind {
    /// The response comes late. Goes together with one further fault.
    Delay { milliseconds: u64 },
    /// The work is done; its response waits until the switch `release` is thrown, or all faults are forgotten.
    Hold,
    /// Another status instead of the work; `retry_after` in seconds.
    Status {
        code: u16,
        #[serde(default)]
        retry_after: Option<u32>,
    },
    /// The connection closes before anything was done.
    DropBefore,
    /// The work is done and its response lost.
    DropAfter,
    /// The work is done; the connection closes in the middle of the response's body.
    CutBody,
    /// A page of HTML instead of the work, as a proxy on the way sends one.
    Html { code: u16 },
    /// The work is done; the response's JSON breaks off in the middle.
    MalformedBody,
    /// The work is done; the response's body is valid JSON of about this size.
    HugeBody { bytes: usize },
}

fn once() -> u32 {
    1
}

impl Fault {
    /// A fault that meets one request.
    pub fn once(method: &str, path: &str, kind: FaultKind) -> Self {
        Self { method: Some(method.to_owned()), path: path.to_owned(), times: 1, kind }
    }

    fn meets(&self, request: &Request<Bytes>) -> bool {
        let method = self.method.as_ref().is_none_or(|method| method.eq_ignore_ascii_case(request.method().as_str()));
        let is_dry_run = request.uri().query() == Some("dry_run=true");
        let path = format!("{}{}", request.uri().path(), if is_dry_run { "?dry_run=true" } else { "" });
        self.times > 0 && method && path_matches(&self.path, &path)
    }
}

fn path_matches(pattern: &str, path: &str) -> bool {
    let mut path = path.split('/');
    for part in pattern.split('/') {
        match (part, path.next()) {
            ("**", _) => return true,
            ("*", Some(_)) => {}
            (part, Some(segment)) if part == segment => {}
            _ => return false,
        }
    }
    path.next().is_none()
}

/// The point at which the connection of an exchange is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// It closes without a response.
    InsteadOfResponse,
    /// It closes in the middle of the response.
    InResponse,
}

/// Instructions for whoever serves a response, as an extension of the response.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fate {
    /// Delay before the response is sent.
    pub delay: Duration,
    /// Held back until there were more releases than this.
    pub held_at: Option<u64>,
    /// Not sent, or not as a whole.
    pub cut: Option<Cut>,
}

impl Fate {
    pub(crate) fn attach_to(self, mut response: Response) -> Response {
        response.extensions_mut().insert(self);
        response
    }
}

/// The planned faults, in the order they were planned.
#[derive(Default)]
pub struct Faults {
    planned: Vec<Fault>,
    /// The number of times that held responses were released.
    pub releases: u64,
}

/// The combined effect of the faults that apply to a request.
#[derive(Default)]
pub struct Planned {
    pub fate: Fate,
    pub is_held: bool,
    pub is_cut_before_work: bool,
    /// The response that takes the place of the work.
    pub instead: Option<Response>,
    pub spoil: Option<Spoil>,
}

/// Changes to the body of a response.
pub enum Spoil {
    Malformed,
    Huge(usize),
}

impl Faults {
    pub fn plan(&mut self, fault: Fault) {
        self.planned.push(fault);
    }

    /// Forgets all faults, and lets go of what they hold.
    pub fn clear(&mut self) {
        self.planned.clear();
        self.release();
    }

    /// Lets go of every response that is held now.
    pub fn release(&mut self) {
        self.releases += 1;
    }

    /// Uses up the faults that meet a request: all that make it wait, and the first of the other kinds.
    pub fn take(&mut self, request: &Request<Bytes>) -> Planned {
        let mut found = Planned::default();
        let mut is_decided = false;
        for fault in self.planned.iter_mut().filter(|fault| fault.meets(request)) {
            let waits = matches!(fault.kind, FaultKind::Delay { .. } | FaultKind::Hold);
            if is_decided && !waits {
                continue;
            }
            is_decided |= !waits;
            fault.times -= 1;
            found.add(&fault.kind);
        }
        self.planned.retain(|fault| fault.times > 0);
        found
    }
}

impl Planned {
    fn add(&mut self, kind: &FaultKind) {
        match kind {
            FaultKind::Delay { milliseconds } => self.fate.delay += Duration::from_millis(*milliseconds),
            FaultKind::Hold => self.is_held = true,
            FaultKind::Status { code, retry_after } => self.instead = Some(error_response(*code, *retry_after)),
            FaultKind::DropBefore => self.is_cut_before_work = true,
            FaultKind::DropAfter => self.fate.cut = Some(Cut::InsteadOfResponse),
            FaultKind::CutBody => self.fate.cut = Some(Cut::InResponse),
            FaultKind::Html { code } => {
                let page = Html("<!DOCTYPE html><title>Gateway</title><p>planned fault");
                self.instead = Some((status(*code), page).into_response());
            }
            FaultKind::MalformedBody => self.spoil = Some(Spoil::Malformed),
            FaultKind::HugeBody { bytes } => self.spoil = Some(Spoil::Huge(*bytes)),
        }
    }
}

impl Spoil {
    pub async fn apply(self, response: Response) -> Response {
        let (mut parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
        let spoiled = match self {
            Self::Malformed => body.slice(..body.len() / 2),
            Self::Huge(bytes) => format!("{{\"items\":[\"{}\"],\"total\":1}}", "x".repeat(bytes)).into(),
        };
        parts.headers.remove(header::CONTENT_LENGTH);
        Response::from_parts(parts, Body::from(spoiled))
    }
}

fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

fn error_response(code: u16, retry_after: Option<u32>) -> Response {
    let status = status(code);
    let mut response = ApiError(status, format!("planned fault: {status}")).into_response();
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    if status == StatusCode::TOO_MANY_REQUESTS {
        limiter::describe(&mut response, "internal_read", INTERNAL_READS_PER_MINUTE);
    }
    response
}

/// A request as it arrived.
#[derive(Clone, Debug, Serialize)]
pub struct RecordedRequest {
    pub method: String,
    pub path: String,
    /// All headers, in order of arrival, names in lower case.
    pub headers: Vec<(String, String)>,
    #[serde(serialize_with = "as_text")]
    pub body: Bytes,
}

fn as_text<S: Serializer>(body: &Bytes, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&String::from_utf8_lossy(body))
}

impl RecordedRequest {
    pub(crate) fn from_request(request: &Request<Bytes>) -> Self {
        let path = request.uri().path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string);
        let headers = request.headers().iter();
        let headers = headers
            .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
        Self { method: request.method().to_string(), path, headers: headers.collect(), body: request.body().clone() }
    }

    /// The first header of a name (lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}
