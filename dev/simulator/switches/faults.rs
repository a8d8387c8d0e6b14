//! Faults on demand: delays, statuses, lost connections and spoiled bodies, planned by tests.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::super::wire::{limiter, reply};

/// StatiBeat's limit for reads of internal services: what a planned 429 claims to be about.
const INTERNAL_READS_PER_MINUTE: u32 = 600;

/// A fault that waits for matching requests.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The method it waits for; any when absent.
    #[serde(default)]
    pub method: Option<String>,
    /// The path it waits for, by segments: `*` is any one segment, `**` at the end is any rest.
    pub path: String,
    /// How many requests it meets before it is used up.
    #[serde(default = "once")]
    pub times: u32,
    /// What happens to them.
    pub kind: FaultKind,
}

/// What a fault does.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum FaultKind {
    /// The answer comes late. Goes together with one further fault.
    Delay {
        /// How late.
        milliseconds: u64,
    },
    /// The work is done; its answer waits until the switch `release` is thrown, or all faults are forgotten.
    Hold,
    /// Another status instead of the work.
    Status {
        /// The status.
        code: u16,
        /// The `Retry-After` header, in seconds.
        #[serde(default)]
        retry_after: Option<u32>,
    },
    /// The connection closes before anything was done.
    DropBefore,
    /// The work is done and its answer lost.
    DropAfter,
    /// The work is done; the connection closes in the middle of the answer's body.
    CutBody,
    /// A page of HTML instead of the work, as a proxy on the way sends one.
    Html {
        /// The status.
        code: u16,
    },
    /// The work is done; the answer's JSON breaks off in the middle.
    MalformedBody,
    /// The work is done; the answer's body is valid JSON of about this size.
    HugeBody {
        /// Its size.
        bytes: usize,
    },
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
        self.times > 0 && method && path_matches(&self.path, request.uri().path())
    }
}

fn path_matches(pattern: &str, path: &str) -> bool {
    let mut path = path.split('/');
    for part in pattern.split('/') {
        match (part, path.next()) {
            ("**", _) | ("*", Some(_)) => {}
            (part, Some(segment)) if part == segment => {}
            _ => return false,
        }
        if part == "**" {
            return true;
        }
    }
    path.next().is_none()
}

/// The planned faults, in the order they were planned.
#[derive(Debug, Default)]
pub struct Faults {
    planned: Vec<Fault>,
    /// How often held answers were released.
    pub releases: u64,
}

/// When a connection closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drop {
    /// Before the work.
    BeforeWork,
    /// After the work.
    BeforeAnswer,
    /// In the middle of the answer.
    InAnswer,
}

/// What the faults that met a request want done to it.
#[derive(Debug, Default)]
pub struct Planned {
    /// How long the answer waits.
    pub delay: Duration,
    /// Whether the answer waits until it is released.
    pub hold: bool,
    /// When the connection closes, if it does.
    pub drop: Option<Drop>,
    /// The answer that takes the place of the work.
    pub instead: Option<Response<Bytes>>,
    spoiled: Option<FaultKind>,
}

impl Faults {
    /// Adds a fault.
    pub fn plan(&mut self, fault: Fault) {
        self.planned.push(fault);
    }

    /// Forgets all faults, and lets go of what they hold.
    pub fn clear(&mut self) {
        self.planned.clear();
        self.release();
    }

    /// Lets go of every answer that is held now.
    pub fn release(&mut self) {
        self.releases += 1;
    }

    /// Uses up the faults that meet a request: all that make it wait, and the first of the other kinds.
    pub fn take(&mut self, request: &Request<Bytes>) -> Planned {
        let mut found = Planned::default();
        let mut decided = false;
        for fault in self.planned.iter_mut().filter(|fault| fault.meets(request)) {
            let waits = matches!(fault.kind, FaultKind::Delay { .. } | FaultKind::Hold);
            if decided && !waits {
                continue;
            }
            decided |= !waits;
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
            FaultKind::Delay { milliseconds } => self.delay += Duration::from_millis(*milliseconds),
            FaultKind::Hold => self.hold = true,
            FaultKind::Status { code, retry_after } => {
                self.instead = Some(status_answer(*code, *retry_after));
            }
            FaultKind::DropBefore => self.drop = Some(Drop::BeforeWork),
            FaultKind::DropAfter => self.drop = Some(Drop::BeforeAnswer),
            FaultKind::CutBody => self.drop = Some(Drop::InAnswer),
            FaultKind::Html { code } => self.instead = Some(html_answer(*code)),
            FaultKind::MalformedBody | FaultKind::HugeBody { .. } => {
                self.spoiled = Some(kind.clone());
            }
        }
    }

    /// Spoils the answer's body if that was planned.
    pub fn spoil(&self, mut response: Response<Bytes>) -> Response<Bytes> {
        match self.spoiled {
            Some(FaultKind::MalformedBody) => {
                let half = response.body().len() / 2;
                *response.body_mut() = response.body().slice(..half);
            }
            Some(FaultKind::HugeBody { bytes }) => {
                *response.body_mut() = Bytes::from(format!("{{\"items\":[\"{}\"],\"total\":1}}", "x".repeat(bytes)));
            }
            _ => {}
        }
        response
    }
}

fn html_answer(code: u16) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from_static(b"<!DOCTYPE html><title>Gateway</title><p>planned fault"));
    *response.status_mut() = StatusCode::from_u16(code).unwrap_or(StatusCode::BAD_GATEWAY);
    response.headers_mut().insert("content-type", HeaderValue::from_static("text/html; charset=utf-8"));
    response
}

fn status_answer(code: u16, retry_after: Option<u32>) -> Response<Bytes> {
    let status = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = reply::json_response(status, &json!({ "error": format!("planned fault: {status}") }));
    if let Some(seconds) = retry_after {
        response.headers_mut().insert("retry-after", HeaderValue::from(seconds));
    }
    if status == StatusCode::TOO_MANY_REQUESTS {
        limiter::describe(&mut response, "internal_read", INTERNAL_READS_PER_MINUTE);
    }
    response
}

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct RecordedRequest {
    /// The method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// All headers, in order of arrival, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
}

impl RecordedRequest {
    /// Copies a request.
    pub fn of(request: &Request<Bytes>) -> Self {
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
