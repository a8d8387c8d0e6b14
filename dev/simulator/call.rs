//! Handles a request before its domain handler: records it, applies planned faults, checks caller, page, permission and
//! write limit, and audits writes.

use std::ops::Deref;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{Extension, FromRequest, MatchedPath, RawPathParams, Request};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};

use crate::caller::{self, AccessRequirement, Caller};
use crate::domain::affected::is_external_id;
use crate::domain::dry_run;
use crate::domain::notices::Reference;
use crate::domain::pages;
use crate::reply::{ApiError, Handled};
use crate::switches::faults::{Cut, Planned};
use crate::world::{AuditEntry, Shared, World, lock};

/// Maximum length of a request body, in bytes.
const BODY_LIMIT: usize = 1024 * 1024;
/// Longer bodies are read up to this length, so that the client receives the error.
const READ_LIMIT: usize = 2 * BODY_LIMIT;

/// Time of the request in unix seconds, set by the caller of the router.
#[derive(Clone, Copy, Debug)]
pub struct Now(pub i64);

/// A request as it arrived, with its whole body.
pub struct ReceivedRequest {
    pub request: http::Request<Bytes>,
    pub now: i64,
    pub request_id: String,
}

/// An authorized call to a page.
pub struct PageCall {
    received: Arc<ReceivedRequest>,
    path: Vec<(String, String)>,
    pub page_id: u64,
    pub caller: Caller,
}

impl Deref for PageCall {
    type Target = ReceivedRequest;

    fn deref(&self) -> &ReceivedRequest {
        &self.received
    }
}

/// The outermost layer of the API: records the request and applies planned faults.
pub async fn observe(
    Extension(shared): Extension<Shared>,
    Extension(Now(now)): Extension<Now>,
    request: Request,
    next: Next,
) -> Response {
    let (mut parts, body) = request.into_parts();
    let body = to_bytes(body, READ_LIMIT).await.ok().filter(|body| body.len() <= BODY_LIMIT);
    let is_too_large = body.is_none();
    let request = http::Request::from_parts(parts.clone(), body.unwrap_or_default());
    let (planned, received) = {
        let mut world = lock(&shared);
        world.record(&request);
        let given = request.headers().get("x-request-id").and_then(|value| value.to_str().ok()).map(str::to_owned);
        let request_id = given.unwrap_or_else(|| world.secrets.next("request")[..12].to_owned());
        let now = now + world.ahead_seconds;
        (world.faults.take(&request), Arc::new(ReceivedRequest { request, now, request_id }))
    };
    let Planned { mut fate, is_held, is_cut_before_work, instead, spoil } = planned;
    if is_cut_before_work {
        fate.cut = Some(Cut::InsteadOfResponse);
        return fate.attach_to(Response::default());
    }
    let response = if let Some(instead) = instead {
        instead
    } else if is_too_large {
        ApiError(StatusCode::PAYLOAD_TOO_LARGE, "request body is larger than 1 MiB".to_owned()).into_response()
    } else {
        lock(&shared).advance(received.now);
        parts.extensions.insert(Arc::clone(&received));
        next.run(Request::from_parts(parts, Body::empty())).await
    };
    let mut response = match spoil {
        Some(spoil) => spoil.apply(response).await,
        None => name_allowed_methods(response),
    };
    if let Ok(value) = HeaderValue::from_str(&received.request_id) {
        response.headers_mut().insert("x-request-id", value);
    }
    fate.held_at = is_held.then(|| lock(&shared).faults.releases);
    fate.attach_to(response)
}

/// Removes HEAD from `Allow`: axum handles it for every GET, but the contract doesn't have it.
fn name_allowed_methods(mut response: Response) -> Response {
    let allowed = response.headers().get(header::ALLOW).and_then(|value| value.to_str().ok());
    let methods: Option<Vec<&str>> = allowed.map(|all| all.split(',').filter(|method| *method != "HEAD").collect());
    if let Some(value) = methods.and_then(|methods| HeaderValue::from_str(&methods.join(", ")).ok()) {
        response.headers_mut().insert(header::ALLOW, value);
    }
    response
}

/// The handler of an operation on a page.
pub type PageHandler = fn(&mut World, &PageCall) -> Handled;

/// Handles an operation of a page. A write is charged to the limit and audited, with any result.
pub fn perform(
    world: &mut World,
    call: &PageCall,
    matched: &MatchedPath,
    is_write: bool,
    answer: PageHandler,
) -> Response {
    if !is_write {
        return answer(world, call).into_response();
    }
    match dry_run::is_wanted(call) {
        Ok(false) => {}
        Ok(true) => {
            let mut response = dry_run::perform(world, call, answer).into_response();
            world.limiter.describe(&mut response);
            return response;
        }
        Err(error) => return error.into_response(),
    }
    // The same operation in both address families is one route.
    let route = matched.as_str().split_once("/admin").map_or(matched.as_str(), |(_, operation)| operation);
    let route = format!("{} {route}", call.request.method());
    let limited = world.limiter.count(&call.caller.principal(), &route, call.now);
    let mut response = limited.unwrap_or_else(|| answer(world, call).into_response());
    world.limiter.describe(&mut response);
    audit(world, call, response.status());
    response
}

/// Authenticates the caller, and checks that the page exists for them and that they have the permission.
pub fn admit(
    world: &mut World,
    received: Arc<ReceivedRequest>,
    path: &RawPathParams,
    access: AccessRequirement,
) -> Result<PageCall, ApiError> {
    let path = check_path(&received, path)?;
    let number = |name: &str| path.iter().find(|(known, _)| known == name).and_then(|(_, value)| value.parse().ok());
    let (access, page_id) = match number("page") {
        Some(page_id) => (access, page_id),
        // The connector names pages by number only.
        None => (AccessRequirement { scopes: None, ..access }, pages::find_by_host(world, &received.request)?),
    };
    let caller = caller::authenticate(world, &received, &access, number("page"))?;
    let page = world.pages.get(&page_id).ok_or_else(|| ApiError::not_found("page"))?;
    // A missing page and a page without a role get the same response.
    if number("organization").is_some_and(|organization: u64| organization != page.organization_id) {
        return Err(ApiError::not_found("page"));
    }
    // Decided by the role at the time of the call, for reads as for writes.
    if caller.has_permission(world, page_id, "page.read") != Some(true) {
        return Err(ApiError::not_found("page"));
    }
    match caller.has_permission(world, page_id, access.permission) {
        None => Err(ApiError::not_found("page")),
        Some(false) => Err(ApiError::forbidden(format!("permission {} is required on this page", access.permission))),
        Some(true) => Ok(PageCall { received, path, page_id, caller }),
    }
}

/// Ids are positive numbers without sign or leading zero; external ids need no percent-encoding.
fn check_path(received: &ReceivedRequest, path: &RawPathParams) -> Result<Vec<(String, String)>, ApiError> {
    let is_id = |text: &str| {
        let is_plain = !text.starts_with('0') && text.bytes().all(|byte| byte.is_ascii_digit());
        // JSON readers in JavaScript lose whole numbers above 2^53.
        is_plain && text.parse().is_ok_and(|number: u64| number < 1 << 53)
    };
    let is_sound = |(name, value): (&str, &str)| {
        if name.ends_with("external_id") { is_external_id(value) } else { is_id(value) }
    };
    if received.request.uri().path().contains('%') || !path.iter().all(is_sound) {
        return Err(ApiError::invalid("invalid ID parameter"));
    }
    Ok(path.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

fn audit(world: &mut World, call: &PageCall, status: StatusCode) {
    let (source, person) = match &call.caller {
        Caller::Token(_) => ("api_token", None),
        Caller::OnBehalfOf(person) => ("hosted_mcp", Some(person)),
    };
    let connection_id = call.request.headers().get("x-statibeat-connection-id");
    world.audit.push(AuditEntry {
        requested_at: call.now,
        source,
        user_id: person.map(|person| person.user_id),
        client_id: person.map(|person| person.client_id.clone()),
        grant_id: person.map(|person| person.grant_id.clone()),
        connection_id: connection_id.and_then(|value| value.to_str().ok()).map(str::to_owned),
        request_id: call.request_id.clone(),
        page_id: call.page_id,
        method: call.request.method().to_string(),
        path: call.request.uri().path().to_owned(),
        status: status.as_u16(),
    });
}

impl PageCall {
    fn parameter(&self, name: &str) -> Option<&str> {
        self.path.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The number in the path; the route has one.
    pub fn id(&self) -> u64 {
        self.parameter("id").and_then(|id| id.parse().ok()).unwrap_or_default()
    }

    /// The incident or maintenance that the path names.
    pub fn reference(&self) -> Reference<'_> {
        self.parameter("external_id").map_or_else(|| Reference::Id(self.id()), Reference::External)
    }

    /// The update that the path names.
    pub fn update_external_id(&self) -> &str {
        self.parameter("update_external_id").unwrap_or_default()
    }
}

impl ReceivedRequest {
    /// Parses the query. Unknown and repeated names are rejected.
    pub fn query<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        let query = self.request.uri().query().unwrap_or_default();
        serde_urlencoded::from_str(query).map_err(|error| ApiError::invalid(message(&error.to_string())))
    }

    /// Refuses a query where none belongs.
    pub fn no_query(&self) -> Result<(), ApiError> {
        self.query::<Nothing>().map(|_| ())
    }

    pub fn json<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        read_json(self.request.headers(), self.request.body())
    }

    /// Parses an optional JSON body.
    pub fn optional_json<T: DeserializeOwned + Default>(&self) -> Result<T, ApiError> {
        if self.request.body().is_empty() { Ok(T::default()) } else { self.json() }
    }

    /// Refuses a body where none belongs.
    pub fn no_body(&self) -> Result<(), ApiError> {
        self.optional_json::<Nothing>().map(|_| ())
    }
}

/// A JSON body as an extractor, for routes outside the contract.
pub struct JsonBody<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for JsonBody<T> {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let headers = request.headers().clone();
        let body = Bytes::from_request(request, state).await.map_err(IntoResponse::into_response)?;
        read_json(&headers, &body).map(Self).map_err(IntoResponse::into_response)
    }
}

fn read_json<T: DeserializeOwned>(headers: &HeaderMap, body: &[u8]) -> Result<T, ApiError> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = content_type.and_then(|value| value.split(';').next()).unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        let message = "content type must be application/json";
        return Err(ApiError(StatusCode::UNSUPPORTED_MEDIA_TYPE, message.to_owned()));
    }
    serde_json::from_slice(body).map_err(|error| {
        let text = error.to_string();
        ApiError::invalid(if error.is_data() { message(&text) } else { "request body is not valid JSON".to_owned() })
    })
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// Rewrites a serde error in the API's style: names in double quotes, without positions and expected values.
fn message(complaint: &str) -> String {
    let text = complaint.split(" at line ").next().unwrap_or(complaint);
    let text = text.split(", there are no fields").next().unwrap_or(text);
    let cut = if text.starts_with("unknown field") { text.split(", expected").next().unwrap_or(text) } else { text };
    cut.replace('`', "\"")
}

/// For optional fields: absent is `None`; `null` is rejected like any other wrong type.
pub fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// The requested number of list entries.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitQuery {
    #[serde(default = "usual_limit", deserialize_with = "limit")]
    pub limit: usize,
}

/// `true` if the request asks for nested documents.
#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum View {
    Full,
}

/// Default number of list entries.
pub fn usual_limit() -> usize {
    50
}

/// Lists return at most 200 entries.
pub fn limit<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    whole_number(deserializer, "limit", 200).map(|limit| limit as usize)
}

/// A whole number of a query, from one to `highest`.
pub fn whole_number<'de, D: Deserializer<'de>>(deserializer: D, name: &str, highest: u32) -> Result<u32, D::Error> {
    let text = String::deserialize(deserializer)?;
    let number = text.parse().ok().filter(|_| text.bytes().all(|byte| byte.is_ascii_digit()));
    let number = number.filter(|number| (1..=highest).contains(number));
    number.ok_or_else(|| D::Error::custom(format_args!("{name} must be a whole number from 1 to {highest}")))
}

/// A time of a query in RFC 3339; unix seconds.
pub fn query_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let time: Result<jiff::Timestamp, _> = text.parse();
    time.map(|time| Some(time.as_second())).map_err(|_| D::Error::custom("from and to must be times in RFC 3339"))
}
