//! Sign-in at StatiBeat, and the pages that a person can see there.
//!
//! StatiBeat performs the sign-in (SSO, second factors, sessions). The browser is sent there with our `state` and PKCE
//! challenge (RFC 7636) and returns with a single-use code, which we exchange, server to server, for a signed identity
//! token. Roles are not stored: pages are listed on each request.

pub use super::accessible_page::{AccessiblePage, AuditLogs};
use super::assertion::{ConnectorClaims, RequestBinding};
use super::client::{Client, UserClient};
use super::error::{ApiError, ApiErrorKind};
use super::exchange::{API_ROOT, JSON, send_once};
use super::identity_token::{self, SignedInUser};
use super::signed::IdentityError;
use crate::model::scope::Scope;
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{Method, Request};
use serde_json::{Value, json};
use url::Url;

/// The list of pages that a person can see, below the API root.
pub const PAGES_PATH: &str = "me/pages";

/// Purpose of a sign-in. StatiBeat has the return URL of each and takes none from a browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInPurpose {
    /// To let a client connect.
    Connect,
    /// To see and revoke connections.
    AdminPage,
}

impl SignInPurpose {
    /// The name that StatiBeat has it registered by.
    pub const fn connector_id(self) -> &'static str {
        match self {
            Self::Connect => "hosted-mcp",
            Self::AdminPage => "hosted-mcp-admin",
        }
    }
}

/// One trip to StatiBeat's sign-in.
pub struct SignIn<'a> {
    pub purpose: SignInPurpose,
    pub state: &'a str,
    /// S256 challenge of a verifier that stays with us.
    pub code_challenge: &'a str,
    /// Ask which account, even when one is signed in.
    pub select_account: bool,
}

/// Returns the URL of StatiBeat's sign-in page.
pub fn sign_in_url(sign_in_page: &Url, trip: &SignIn<'_>) -> Url {
    let mut url = sign_in_page.clone();
    url.query_pairs_mut()
        .append_pair("connector_id", trip.purpose.connector_id())
        .append_pair("state", trip.state)
        .append_pair("code_challenge", trip.code_challenge)
        .append_pair("code_challenge_method", "S256");
    if trip.select_account {
        url.query_pairs_mut().append_pair("prompt", "select_account");
    }
    url
}

/// The callback of a sign-in, with our stored values.
pub struct SignInReturn<'a> {
    pub purpose: SignInPurpose,
    pub code: &'a str,
    /// Ours, of the challenge sent along.
    pub code_verifier: &'a str,
    pub state: &'a str,
}

/// Reason why a sign-in failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignInError {
    /// The code was redeemed, has expired, or belongs to another sign-in: start again.
    #[error("StatiBeat does not accept the sign-in code: {0}")]
    BadCode(String),
    /// StatiBeat refuses this person, for example because the account is disabled.
    #[error("StatiBeat refused the person: {0}")]
    Refused(String),
    /// The identity token is invalid. Worth an alert.
    #[error("identity token: {0}")]
    Identity(#[from] IdentityError),
    /// StatiBeat's response was missing or invalid: try later. The text is for the log.
    #[error("sign-in is not available: {0}")]
    Unavailable(String),
}

/// Exchanges the code for the person who signed in. The person is unknown before, so no circuit counts it.
pub async fn exchange(client: &Client<'_>, returned: &SignInReturn<'_>) -> Result<SignedInUser, SignInError> {
    let body = json!({ "code": returned.code, "code_verifier": returned.code_verifier }).to_string();
    let request = exchange_request(client, returned.purpose, Bytes::from(body))?;
    client.memory.circuit_breaker.admit_uncounted((client.clock)()).map_err(ApiError::from)?;
    let (_, answer) = send_once(client.http, request).await?;
    let token = answer.get("identity").and_then(Value::as_str).ok_or(IdentityError::Malformed)?;
    Ok(identity_token::verify(client, token, returned.state).await?)
}

fn exchange_request(client: &Client<'_>, purpose: SignInPurpose, body: Bytes) -> Result<Request<Bytes>, ApiError> {
    let url = format!("{}{API_ROOT}/connector/sign-in/exchange", client.settings.origin);
    let binding = RequestBinding { method: &Method::POST, url: &url };
    client
        .asserted(ConnectorClaims { sub: purpose.connector_id() }, &binding, Some(&body))
        .header(ACCEPT, JSON)
        .header(CONTENT_TYPE, JSON)
        .body(body)
        .map_err(|error| ApiError::new(ApiErrorKind::ContractViolation, error.to_string()))
}

impl From<ApiError> for SignInError {
    fn from(error: ApiError) -> Self {
        match error.kind {
            ApiErrorKind::Invalid => Self::BadCode(error.detail),
            ApiErrorKind::Forbidden | ApiErrorKind::UserEnded => Self::Refused(error.to_string()),
            ApiErrorKind::NotFound
            | ApiErrorKind::CredentialRefused
            | ApiErrorKind::RateLimited
            | ApiErrorKind::Unavailable
            | ApiErrorKind::CircuitOpen
            | ApiErrorKind::Malformed
            | ApiErrorKind::ContractViolation
            | ApiErrorKind::OutcomeUnknown => Self::Unavailable(error.to_string()),
        }
    }
}

/// Checks that the person still has access at StatiBeat; [`ApiErrorKind::UserEnded`] if not. `scope` is any granted
/// scope.
pub async fn check_person(user: &UserClient<'_>, scope: Scope) -> Result<(), ApiError> {
    user.get(scope, "me").await.map(drop)
}

/// Lists the pages that the person can see now, with an assertion for `scope`. Entries that can't be parsed are left
/// out, so nobody gets access to them.
pub async fn accessible_pages(user: &UserClient<'_>, scope: Scope) -> Result<Vec<AccessiblePage>, ApiError> {
    let answer = user.get(scope, PAGES_PATH).await?;
    let entries = answer.get("items").unwrap_or(&answer).as_array();
    let entries = entries.ok_or_else(|| ApiError::new(ApiErrorKind::Malformed, "the page list is not a list"))?;
    let pages: Vec<_> = entries.iter().filter_map(AccessiblePage::parse).collect();
    user.client.memory.keep_list(user.principal.user_id, &pages, user.client.now);
    Ok(pages)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{ClientFixture, FakeHttp, claims_of};
    use super::*;
    use crate::model::ids::PageId;
    use crate::model::scope::PagePermission;
    use crate::ports::HttpError;

    const RETURN: SignInReturn<'static> =
        SignInReturn { purpose: SignInPurpose::Connect, code: "c", code_verifier: "v", state: "s" };

    async fn exchanged(http: &FakeHttp) -> Result<SignedInUser, SignInError> {
        let fixture = ClientFixture::new();
        exchange(&fixture.client(http), &RETURN).await
    }

    #[test]
    fn the_sign_in_url_keeps_what_the_page_already_asks() {
        let page = Url::parse("https://app.example/sign-in?tenant=a").expect("a URL");
        let mut trip =
            SignIn { purpose: SignInPurpose::Connect, state: "s&t", code_challenge: "c", select_account: false };
        let expected = "https://app.example/sign-in?tenant=a&connector_id=hosted-mcp&state=s%26t&code_challenge=c\
                        &code_challenge_method=S256";
        assert_eq!(sign_in_url(&page, &trip).as_str(), expected);
        trip.select_account = true;
        assert_eq!(sign_in_url(&page, &trip).as_str(), format!("{expected}&prompt=select_account"));
    }

    #[tokio::test]
    async fn the_exchange_is_signed_as_the_connector_itself() {
        let http = FakeHttp::answering([(200, json!({ "identity": "x" }))]);
        assert_eq!(exchanged(&http).await, Err(SignInError::Identity(IdentityError::Malformed)));
        let request = &http.sent()[0];
        let claims = claims_of(request);
        assert_eq!(request.body().as_ref(), br#"{"code":"c","code_verifier":"v"}"#);
        assert_eq!((&claims["sub"], &claims["htm"]), (&json!("hosted-mcp"), &json!("POST")));
        assert_eq!(claims["htu"], "https://api.example/api/v1/connector/sign-in/exchange");
        assert!(claims["bh"].is_string() && claims.get("act").is_none() && claims.get("scope").is_none());
    }

    #[tokio::test]
    async fn each_refusal_of_the_exchange_has_its_reason() {
        let of = async |status, text: &str| {
            let answer = FakeHttp::answering([(status, json!({ "error": text }))]);
            exchanged(&answer).await.expect_err("a refusal")
        };
        assert_eq!(of(400, "code is spent").await, SignInError::BadCode("code is spent".into()));
        assert_eq!(of(403, "user is disabled").await, SignInError::Refused("user is disabled".into()));
        for status in [401, 404, 429, 500, 503] {
            assert!(matches!(of(status, "x").await, SignInError::Unavailable(_)), "{status}");
        }
        let lost = FakeHttp::script([Err(HttpError::Timeout)]);
        assert!(matches!(exchanged(&lost).await, Err(SignInError::Unavailable(_))));
    }

    #[tokio::test]
    async fn the_page_list_tolerates_new_fields_and_bare_lists() {
        let entry =
            json!({ "id": 7, "organization_id": 3, "name": "A", "permissions": ["page.read", "x"], "new": [1] });
        let list = json!([entry, { "id": 8 }, "?"]);
        for answer in [list.clone(), json!({ "items": list, "total": 3, "next": null })] {
            let http = FakeHttp::answering([(200, answer)]);
            let fixture = ClientFixture::new();
            let client = fixture.client(&http);
            let pages = accessible_pages(&fixture.user(&client), Scope::PagesRead).await.expect("pages");
            assert_eq!(pages.len(), 1);
            assert_eq!((pages[0].id, pages[0].raw.clone()), (PageId::new(7).expect("an id"), entry.clone()));
            assert!(pages[0].allows(PagePermission::PageRead) && !pages[0].allows(PagePermission::HierarchyRead));
        }
    }

    #[tokio::test]
    async fn a_page_list_that_is_no_list_is_malformed() {
        let http = FakeHttp::answering([(200, json!({ "items": 4 }))]);
        let fixture = ClientFixture::new();
        let client = fixture.client(&http);
        let pages = accessible_pages(&fixture.user(&client), Scope::PagesRead).await;
        assert!(pages.is_err_and(|error| error.kind == ApiErrorKind::Malformed));
    }
}
