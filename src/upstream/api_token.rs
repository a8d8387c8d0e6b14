//! API token of a page: StatiBeat's admin API on the page's host, or on the application host with the page id.
//!
//! The token is limited to its permission and its role, which StatiBeat checks on every call.

use super::error::{ApiError, ApiErrorKind};
use super::exchange::{API_ROOT, Circuit, JSON, get_with_retry, join_path};
use super::page::{PageTransport, admin_root};
use crate::model::ids::{OrganizationId, PageId};
use crate::ports::HttpClient;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderValue, Method, Request};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// Value of `X-StatiBeat-Source`, which identifies the page server in StatiBeat's logs.
const SOURCE: &str = "page_mcp";

/// A secret of the page's admins, without `Debug` and `Display`; only the header below contains it.
pub struct ApiToken(HeaderValue);

impl ApiToken {
    /// Parses a token; `None` if it is not one word of visible ASCII.
    pub fn parse(text: &str) -> Option<Self> {
        let is_word = !text.is_empty() && text.len() <= 4096 && text.bytes().all(|byte| byte.is_ascii_graphic());
        let mut header = HeaderValue::from_str(&format!("Bearer {text}")).ok().filter(|_| is_word)?;
        header.set_sensitive(true);
        Some(Self(header))
    }
}

/// Addressing of the page in StatiBeat's API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageAddress {
    /// By the host that is called.
    Host,
    /// By number, on the application host.
    Numbers { organization_id: OrganizationId, page_id: PageId },
}

/// One page with its own API token. There is no circuit breaker, because the program has one user.
#[derive(Clone, Copy)]
pub struct ApiTokenTransport<'a> {
    pub http: &'a dyn HttpClient,
    /// Scheme and host, without a slash at the end.
    pub origin: &'a str,
    pub token: &'a ApiToken,
    pub address: PageAddress,
    /// The Slack user that a trusted server acts for, as `team:user`; for StatiBeat's records.
    pub slack_actor: Option<&'a str>,
    /// Fills a buffer with unpredictable bytes.
    pub random: &'a dyn Fn(&mut [u8]),
}

impl PageTransport for ApiTokenTransport<'_> {
    fn root(&self) -> String {
        match self.address {
            PageAddress::Host => format!("{API_ROOT}/admin"),
            PageAddress::Numbers { organization_id, page_id } => admin_root(organization_id, page_id),
        }
    }

    fn request(&self, method: Method, path: &str, body: Option<Bytes>) -> Result<Request<Bytes>, ApiError> {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.origin))
            .header(AUTHORIZATION, &self.token.0)
            .header(ACCEPT, JSON)
            .header("x-statibeat-source", SOURCE)
            .header("x-request-id", self.request_id());
        if let Some(actor) = self.slack_actor {
            request = request.header("x-statibeat-slack-actor", actor);
        }
        if body.is_some() {
            request = request.header(CONTENT_TYPE, JSON);
        }
        request
            .body(body.unwrap_or_default())
            .map_err(|error| ApiError::new(ApiErrorKind::ContractViolation, error.to_string()))
    }

    fn http(&self) -> &dyn HttpClient {
        self.http
    }

    fn random(&self) -> &dyn Fn(&mut [u8]) {
        self.random
    }

    fn circuit(&self) -> Option<Circuit<'_>> {
        None
    }
}

impl ApiTokenTransport<'_> {
    /// The page as StatiBeat shows it, with the credential's own reach where StatiBeat tells it.
    pub async fn page(&self) -> Result<Value, ApiError> {
        match self.address {
            PageAddress::Host => {
                let context = self.get(&format!("{API_ROOT}/context")).await?;
                let mut page = context["page"].clone();
                page["organization_id"] = context["organization"]["id"].clone();
                if let Some(credential) = context.get("credential") {
                    page["permissions"] = credential["permissions"].clone();
                    page["role_key"] = credential["role_key"].clone();
                    page["token"] = json!({ "name": credential["name"], "permission": credential["permission"] });
                }
                Ok(page)
            }
            PageAddress::Numbers { organization_id, .. } => {
                let mut page = self.get(&join_path(&self.root(), "summary")?).await?;
                page["organization_id"] = organization_id.get().into();
                Ok(page)
            }
        }
    }

    async fn get(&self, path: &str) -> Result<Value, ApiError> {
        get_with_retry(self.http, self.random, || self.request(Method::GET, path, None)).await
    }

    fn request_id(&self) -> String {
        let mut random = [0; 16];
        (self.random)(&mut random);
        random.iter().fold(String::from("page-"), |mut id, byte| {
            let _ = write!(id, "{byte:02x}");
            id
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::page::PageClient;
    use super::super::testing::{FakeHttp, counting_random};
    use super::*;
    use crate::catalog::Write;
    use crate::model::operation::Operation;

    fn access<'a>(http: &'a FakeHttp, token: &'a ApiToken, address: PageAddress) -> ApiTokenTransport<'a> {
        ApiTokenTransport {
            http,
            origin: "https://status.example",
            token,
            address,
            slack_actor: None,
            random: &counting_random,
        }
    }

    const NUMBERS: PageAddress = PageAddress::Numbers {
        organization_id: OrganizationId::new(3).expect("an id"),
        page_id: PageId::new(7).expect("an id"),
    };

    #[tokio::test]
    async fn a_page_is_addressed_by_its_host_or_by_number() {
        let token = ApiToken::parse("secret").expect("a token");
        for (address, root) in [(PageAddress::Host, "/api/v1/admin"), (NUMBERS, "/api/v1/orgs/3/pages/7/admin")] {
            let http = FakeHttp::answering([(200, json!({})), (201, json!({ "id": 1 }))]);
            let api = PageClient::new(access(&http, &token, address));
            api.get("incidents?limit=5").await.expect("an answer");
            assert!(api.write(&Write::new(Operation::CreateIncident, json!({}))).await.expect("an answer").is_new);
            let sent = http.sent();
            assert_eq!(sent[0].uri().to_string(), format!("https://status.example{root}/incidents?limit=5"));
            assert_eq!(sent[1].uri().path(), format!("{root}/incidents"));
            for request in sent {
                assert_eq!(request.headers()["authorization"], "Bearer secret");
                assert_eq!(request.headers()["x-statibeat-source"], "page_mcp");
                assert!(request.headers().get("x-statibeat-slack-actor").is_none());
            }
        }
    }

    #[tokio::test]
    async fn a_write_is_sent_as_it_says() {
        let token = ApiToken::parse("secret").expect("a token");
        let http = FakeHttp::answering([(200, json!({})), (204, json!(null))]);
        let api = PageClient::new(access(&http, &token, PageAddress::Host));
        api.write(&Write::new(Operation::UpdateIncident { incident_id: 9 }, json!({ "title": "t" })))
            .await
            .expect("an answer");
        let deleted =
            api.write(&Write::new(Operation::DeleteIncident { incident_id: 9 }, Value::Null)).await.expect("an answer");
        assert_eq!(deleted.document, Value::Null);
        let sent = http.sent();
        assert_eq!((sent[0].method(), sent[0].body().as_ref()), (&Method::PATCH, br#"{"title":"t"}"#.as_slice()));
        assert_eq!((sent[1].method(), sent[1].body().len()), (&Method::DELETE, 0));
        assert!(sent[1].headers().get(CONTENT_TYPE).is_none());
    }

    #[tokio::test]
    async fn the_page_is_what_the_host_or_the_numbers_say() {
        let token = ApiToken::parse("secret").expect("a token");
        let context = json!({ "organization": { "id": 3 }, "page": { "id": 7, "name": "Acme" },
            "credential": { "name": "t", "permission": "read", "role_key": "page_manager", "permissions": ["page.read"] } });
        let http = FakeHttp::answering([(200, context)]);
        let page = access(&http, &token, PageAddress::Host).page().await.expect("a page");
        assert_eq!(
            (&page["id"], &page["organization_id"], &page["role_key"]),
            (&json!(7), &json!(3), &json!("page_manager"))
        );
        let http = FakeHttp::answering([(503, json!({})), (200, json!({ "id": 7, "name": "Acme" }))]);
        let page = access(&http, &token, NUMBERS).page().await.expect("a page");
        assert_eq!((&page["name"], &page["organization_id"]), (&json!("Acme"), &json!(3)));
        assert_eq!(http.sent()[1].uri().path(), "/api/v1/orgs/3/pages/7/admin/summary");
    }

    #[test]
    fn a_token_is_one_visible_word() {
        for bad in ["", "a b", "a\n", "ä", "\u{7f}"] {
            assert!(ApiToken::parse(bad).is_none(), "{bad:?}");
        }
        assert!(ApiToken::parse("sb_x.Y-1~").is_some());
    }
}
