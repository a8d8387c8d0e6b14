//! StatiBeat's REST API, over the `HttpClient` port.
//!
//! [`Connector`] is us towards StatiBeat; [`Api`] is us acting for one person under one grant; [`PageApi`] is the same on
//! one page. Every call signs its own assertion, for the one scope and page it needs. A client's bearer token is not even
//! reachable from here. Bounds on time and size are the edge's.
//!
//! The page server reaches its page with an API token instead (`token`); the worker does not know of such a thing.
//!
//! A GET whose connection failed, or that was answered 500, 502, 503 or 504 without advice to wait, is repeated once, with
//! an assertion of its own, after a short random pause: requests that one restart of StatiBeat broke together do not come
//! back together, and a person hardly notices. Not repeated: writes; 429 and anything with `Retry-After` (StatiBeat asked
//! for less, not for more); a timeout (the person has waited that long already). A page, a person's calls or a StatiBeat
//! that keeps failing is not called for a few seconds ([`circuit_breaker`]).

pub mod admin_assertion;
pub mod assertion;
pub mod audit_logs;
pub mod circuit_breaker;
pub mod error;
mod health;
pub mod identity;
mod identity_token;
pub mod memory;
mod page;
mod signed;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(not(target_arch = "wasm32"))]
pub mod token;

pub use error::ApiError;
pub use identity_token::{BadIdentity, SignedInUser};
pub use page::{EarlyPage, PageApi, WriteAnswer};

use crate::keyring::{KeyRing, PublicKey};
use crate::model::ids::{GrantId, PageId, RequestId, UserId};
use crate::model::scope::{Requirement, Scope};
use crate::model::timestamp::Timestamp;
use crate::ports::HttpClient;
use assertion::{Assertion, Bound, ConnectorClaims, Envelope, Mandate, OnBehalfOfClaims, Parties};
use bytes::Bytes;
use circuit_breaker::Subject;
use futures_util::future::join_all;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{Method, Request, StatusCode};
use identity::AccessiblePage;
use memory::Memory;
use page::Way;
use serde_json::Value;
use std::time::Duration;

/// Where the API begins, on StatiBeat's origin.
const API_ROOT: &str = "/api/v1";
/// What StatiBeat's records call traffic of ours.
const SOURCE: &str = "hosted_mcp";
/// The shortest pause before a GET is repeated; the longest is three times as long.
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
/// JSON, asked for and sent.
const JSON: &str = "application/json";

/// Who we are to StatiBeat in this environment, and where StatiBeat is.
#[derive(Clone, Copy)]
pub struct Settings<'a> {
    /// Our issuer URL, without a slash at the end.
    pub issuer: &'a str,
    /// StatiBeat's API origin: scheme and host, without a slash at the end.
    pub origin: &'a str,
    pub environment: &'a str,
    pub assertion_keys: &'a KeyRing,
    /// The public halves of the keys that StatiBeat signs identity tokens with.
    pub identity_keys: &'a [PublicKey],
}

/// The connector during one request of ours.
#[derive(Clone, Copy)]
pub struct Connector<'a> {
    /// Who we are, and where StatiBeat is.
    pub settings: Settings<'a>,
    pub http: &'a dyn HttpClient,
    /// The time that decisions of this request are made for.
    pub now: Timestamp,
    /// Milliseconds since the Unix epoch. An assertion lives for a minute, and a request of ours may have waited for
    /// StatiBeat several times by then: so each assertion is signed with the time of its own sending.
    pub clock: &'a dyn Fn() -> u64,
    /// Fills a buffer with unpredictable bytes.
    pub random: &'a dyn Fn(&mut [u8]),
    /// What is known of StatiBeat; longer-lived than the request.
    pub memory: &'a Memory,
}

/// A person acting through a client, as StatiBeat is told about them.
#[derive(Clone, Copy)]
pub struct Principal<'a> {
    pub user_id: &'a UserId,
    pub client_id: &'a str,
    /// The approval that both stand on.
    pub grant_id: &'a GrantId,
    /// The request of ours that this is part of.
    pub request_id: &'a RequestId,
}

/// StatiBeat's API in one person's name.
#[derive(Clone, Copy)]
pub struct Api<'a> {
    pub connector: &'a Connector<'a>,
    pub principal: Principal<'a>,
}

/// One call, before it is signed.
struct Call {
    method: Method,
    /// Below the API root, beginning with a slash; may carry a query.
    path: String,
    scope: Scope,
    page_id: Option<PageId>,
    body: Option<Bytes>,
}

impl Connector<'_> {
    /// A bearer credential for one request as ourselves.
    fn sign_as_connector(&self, connector_id: &str, bound: &Bound<'_>) -> String {
        self.sign(ConnectorClaims { sub: connector_id, envelope: self.envelope(bound) })
    }

    /// A bearer credential for one request in a person's name.
    fn sign_on_behalf(&self, mandate: &Mandate<'_>, bound: &Bound<'_>) -> String {
        self.sign(OnBehalfOfClaims::new(mandate, self.envelope(bound)))
    }

    fn envelope<'b>(&'b self, bound: &Bound<'b>) -> Envelope<'b> {
        let mut nonce = [0; 16];
        (self.random)(&mut nonce);
        let parties = Parties { issuer: self.settings.issuer, audience: self.settings.origin };
        Envelope::new(parties, bound, Timestamp::from_milliseconds((self.clock)()), nonce)
    }

    /// Makes a call unless its circuit is open. It counts once, however often `call` tries.
    async fn guarded<T>(
        &self,
        subject: &Subject<'_>,
        call: impl Future<Output = Result<T, ApiError>>,
    ) -> Result<T, ApiError> {
        let breaker = &self.memory.circuit_breaker;
        breaker.admit(subject, (self.clock)())?;
        let answer = call.await;
        breaker.record(subject, answer.as_ref().is_err_and(ApiError::is_outage), (self.clock)());
        answer
    }

    fn sign<A: Assertion>(&self, assertion: A) -> String {
        let ring = self.settings.assertion_keys;
        assertion::sign(assertion, ring.newest().kid(), &self.memory.signing_key(ring))
    }
}

impl<'a> Api<'a> {
    /// Reads below the API root, as in `me`. `scope` is the one that the read is made for.
    pub async fn get(&self, scope: Scope, relative: &str) -> Result<Value, ApiError> {
        let call = Call { method: Method::GET, path: rooted("", relative)?, scope, page_id: None, body: None };
        self.read(&call).await
    }

    /// Reads all of them in parallel; answers in order.
    pub async fn get_all(&self, scope: Scope, relatives: &[String]) -> Vec<Result<Value, ApiError>> {
        join_all(relatives.iter().map(|relative| self.get(scope, relative))).await
    }

    /// The admin API of a page that the person can see. `scope` is the one that its calls are made for.
    pub fn page(&self, page: &AccessiblePage, scope: Scope) -> PageApi<'a> {
        PageApi { way: Way::OnBehalf { api: *self, scope, organization_id: page.organization_id, page_id: page.id } }
    }

    /// The page for reads beside the question whether the person may see it: only where this person's own list had it a
    /// moment ago with what the read needs, and while neither calls to the page nor the person's own fail: the circuit of
    /// the question itself may be open.
    pub fn early_page(&self, page_id: PageId, needs: &Requirement) -> Option<EarlyPage<'a>> {
        let Connector { memory, now, .. } = self.connector;
        let person = self.principal.user_id;
        let organization_id = memory.recently_listed(person, page_id, needs.permissions, *now)?;
        let way = Way::OnBehalf { api: *self, scope: needs.scope, organization_id, page_id };
        let subject = Subject { person, page: Some(page_id) };
        memory.circuit_breaker.is_clear(&subject).then_some(EarlyPage { organization_id, page: PageApi { way } })
    }

    /// Early reads of a page that the person turned out to be allowed to see have failed: it is not read early for now.
    pub fn doubt(&self, page: &AccessiblePage) {
        let Connector { memory, clock, .. } = self.connector;
        memory.circuit_breaker.doubt(&Subject { person: self.principal.user_id, page: Some(page.id) }, clock());
    }

    async fn read(&self, call: &Call) -> Result<Value, ApiError> {
        let subject = Subject { person: self.principal.user_id, page: None };
        self.connector.guarded(&subject, Box::pin(self.try_twice(call))).await
    }

    /// One GET, repeated once where that may help.
    async fn try_twice(&self, call: &Call) -> Result<Value, ApiError> {
        match self.call(call).await {
            Err(error) if error.may_pass() => {
                pause(self.connector.http, self.connector.random).await;
                Ok(self.call(call).await?.1)
            }
            answer => Ok(answer?.1),
        }
    }

    async fn call(&self, call: &Call) -> Result<(StatusCode, Value), ApiError> {
        exchange(self.connector.http, self.signed(call)?).await
    }

    /// The request with its assertion and the headers that say on whose account it is.
    fn signed(&self, call: &Call) -> Result<Request<Bytes>, ApiError> {
        let Principal { user_id, client_id, grant_id, request_id } = self.principal;
        let url = format!("{}{API_ROOT}{}", self.connector.settings.origin, call.path);
        let bound = Bound { method: &call.method, url: &url, body: call.body.as_deref() };
        let mandate = Mandate { user_id, client_id, grant_id, scope: call.scope, page_id: call.page_id };
        let token = self.connector.sign_on_behalf(&mandate, &bound);
        let mut request = Request::builder()
            .method(&call.method)
            .uri(&url)
            .header(AUTHORIZATION, format!("Bearer {token}"))
            .header(ACCEPT, JSON)
            .header("x-statibeat-source", SOURCE)
            .header("x-statibeat-client-id", client_id)
            .header("x-statibeat-connection-id", &grant_id.0)
            .header("x-request-id", &request_id.0);
        if call.body.is_some() {
            request = request.header(CONTENT_TYPE, JSON);
        }
        request.body(call.body.clone().unwrap_or_default()).map_err(|error| ApiError::Unfit(error.to_string()))
    }
}

/// Lets a random time pass before another try.
async fn pause(http: &dyn HttpClient, random: &dyn Fn(&mut [u8])) {
    let mut drawn = [0];
    random(&mut drawn);
    http.pause(SHORTEST_PAUSE + SHORTEST_PAUSE * 2 * u32::from(drawn[0]) / 255).await;
}

/// Sends a request and reads the document it is answered with; an answer without content is `null`.
async fn exchange(http: &dyn HttpClient, request: Request<Bytes>) -> Result<(StatusCode, Value), ApiError> {
    let answer = http.send(request).await.map_err(|error| ApiError::of_transport(&error))?;
    let status = answer.status();
    if !status.is_success() {
        return Err(ApiError::of_answer(status, answer.headers(), answer.body()));
    }
    if status == StatusCode::NO_CONTENT {
        return Ok((status, Value::Null));
    }
    let document = serde_json::from_slice(answer.body()).map_err(|error| ApiError::Malformed(error.to_string()))?;
    Ok((status, document))
}

/// The path below a root. Values from clients stand in `relative`, so it must not climb out: URL parsers on the way
/// resolve `..` segments, even encoded ones, and some take `\` for `/`.
fn rooted(root: &str, relative: &str) -> Result<String, ApiError> {
    let path = relative.split('?').next().unwrap_or_default();
    let climbs = |segment: &str| matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "" | "." | "..");
    let is_plain = relative.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\' && byte != b'#');
    if !is_plain || path.split('/').any(climbs) {
        return Err(ApiError::NotFound("There is nothing at this address.".to_owned()));
    }
    Ok(format!("{root}/{relative}"))
}

#[cfg(test)]
mod tests {
    use super::testing::{Desk, FakeHttp, claims_of};
    use super::*;
    use crate::catalog::Write;
    use serde_json::json;

    fn page() -> AccessiblePage {
        AccessiblePage::parse(&json!({ "id": 7, "organization_id": 3, "name": "Acme", "permissions": [] }))
            .expect("a page")
    }

    #[tokio::test]
    async fn the_assertion_carries_only_the_scope_this_call_needs() {
        let http = FakeHttp::answering([(200, json!({})), (200, json!({}))]);
        let desk = Desk::new();
        let connector = desk.connector(&http);
        let api = desk.api(&connector);
        api.get(Scope::PagesRead, "me").await.expect("an answer");
        api.page(&page(), Scope::IncidentsRead).get("incidents/9").await.expect("an answer");
        let sent = http.sent();
        let (me, incident) = (claims_of(&sent[0]), claims_of(&sent[1]));
        assert_eq!((&me["scope"], me.get("page_id")), (&json!("mcp.pages.read"), None));
        assert_eq!((&incident["scope"], &incident["page_id"]), (&json!("mcp.incidents.read"), &json!(7)));
        assert_ne!(me["jti"], incident["jti"]);
    }

    #[tokio::test]
    async fn a_call_is_addressed_and_attributed() {
        let http = FakeHttp::answering([(200, json!({}))]);
        let desk = Desk::new();
        let connector = desk.connector(&http);
        desk.api(&connector).page(&page(), Scope::IncidentsRead).get("incidents?limit=5").await.expect("an answer");
        let request = &http.sent()[0];
        let url = "https://api.example/api/v1/orgs/3/pages/7/admin/incidents";
        assert_eq!(request.uri().to_string(), format!("{url}?limit=5"));
        assert_eq!(claims_of(request)["htu"], url);
        let header = |name: &str| request.headers()[name].to_str().expect("text");
        assert_eq!(header("x-statibeat-source"), "hosted_mcp");
        assert_eq!(header("x-statibeat-client-id"), "cursor");
        assert_eq!(header("x-statibeat-connection-id"), "grant-1");
        assert_eq!(header("x-request-id"), "request-1");
    }

    #[tokio::test]
    async fn a_write_is_bound_to_its_body() {
        let http = FakeHttp::answering([(201, json!({ "id": 1 }))]);
        let desk = Desk::new();
        let connector = desk.connector(&http);
        let write = Write::post("incidents", json!({ "title": "t" }));
        let answer = desk.api(&connector).page(&page(), Scope::IncidentsWrite).write(&write).await.expect("an answer");
        assert!(answer.is_new);
        let request = &http.sent()[0];
        assert_eq!((request.method(), request.body().as_ref()), (&Method::POST, br#"{"title":"t"}"#.as_slice()));
        assert_eq!(claims_of(request)["bh"], "_TLwGVSoLYGSQxvwyNL-ItjBCp1iofSq2WIosGXmzGU");
        assert_eq!(request.headers()[CONTENT_TYPE], JSON);
    }

    #[tokio::test]
    async fn a_read_is_repeated_once_with_an_assertion_of_its_own_and_a_write_never() {
        let lost = || Err(crate::ports::HttpError::Transport("reset".into()));
        let http = FakeHttp::script([lost()]).then(lost()).then(lost());
        let desk = Desk::new();
        let connector = desk.connector(&http);
        assert!(desk.api(&connector).get(Scope::PagesRead, "me").await.is_err());
        let sent = http.sent();
        assert_eq!(sent.len(), 2);
        assert_ne!(claims_of(&sent[0])["jti"], claims_of(&sent[1])["jti"]);
        let write = Write::post("incidents", json!({}));
        assert!(desk.api(&connector).page(&page(), Scope::IncidentsWrite).write(&write).await.is_err());
        assert_eq!(http.sent().len(), 3);
    }

    #[tokio::test]
    async fn assertion_is_signed_with_the_time_of_its_own_sending() {
        let http = FakeHttp::answering([(200, json!({})), (503, json!({})), (200, json!({}))]);
        let desk = Desk::new();
        let clock = || (http.sent().len() as u64 * 60 + 7) * 1000;
        let connector = Connector { clock: &clock, ..desk.connector(&http) };
        desk.api(&connector).get(Scope::PagesRead, "me").await.expect("an answer");
        desk.api(&connector).get(Scope::PagesRead, "me").await.expect("an answer to the second try");
        let times = |request| (claims_of(request)["iat"].clone(), claims_of(request)["exp"].clone());
        let times: Vec<_> = http.sent().iter().map(times).collect();
        assert_eq!(times, [7, 67, 127].map(|sent_at| (json!(sent_at), json!(sent_at + 60))));
    }

    #[tokio::test]
    async fn an_answer_that_is_no_json_is_malformed() {
        let http = FakeHttp::raw(200, "<html>");
        let desk = Desk::new();
        let connector = desk.connector(&http);
        let answer = desk.api(&connector).get(Scope::PagesRead, "me").await;
        assert!(matches!(answer, Err(ApiError::Malformed(_))));
    }

    #[test]
    fn a_path_cannot_climb_out_of_its_page() {
        for bad in
            ["..", "incidents/../x", "incidents/%2e%2E/x", "a/./b", "a//b", "/a", "", "a\\..\\b", "a b", "a#b", "ä"]
        {
            assert!(rooted("/root", bad).is_err(), "{bad:?}");
        }
        assert_eq!(rooted("/root", "incidents/9?x=../y").as_deref(), Ok("/root/incidents/9?x=../y"));
        assert_eq!(rooted("/root", "incidents/a..b%2Fc").as_deref(), Ok("/root/incidents/a..b%2Fc"));
    }
}
