//! A person's choice on the consent page: scopes, pages, lifetime, and resource tools.

use crate::model::ids::PageId;
use crate::model::scope::{Scope, ScopeSet};
use crate::oauth::grant::{GrantLifetime, PageChoice};
use crate::oauth::parameters::Parameters;
use crate::storage::authorization_requests::SignedInRequest;
use crate::storage::grants::EarlierGrant;
use crate::upstream::identity::AccessiblePage;
use std::collections::BTreeSet;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    pub scopes: ScopeSet,
    pub pages: PageChoice,
    pub lifetime: GrantLifetime,
    pub has_resource_tools: bool,
}

impl Choice {
    /// The choice that the page shows first: the person's earlier choices for this client, or what the client requests, with
    /// resource tools for tool-only clients.
    pub fn proposed(request: &SignedInRequest) -> Self {
        let (client, requested) = (&request.client, request.access.scopes);
        let Some(earlier) = &request.earlier else {
            return Self {
                scopes: requested,
                pages: PageChoice::All,
                lifetime: GrantLifetime::UntilRevoked,
                has_resource_tools: client.is_tool_only(),
            };
        };
        // Any program on this computer can use the id of a client that nobody vouches for.
        let is_trusted = client.trust.is_verified();
        let writes = if is_trusted { earlier.scopes.writes() } else { ScopeSet::EMPTY };
        Self {
            // A requested write is proposed although it was unticked, because that is how a client asks for more.
            scopes: requested.without(earlier.unticked_reads).union(writes),
            pages: earlier.pages.clone(),
            lifetime: lifetime_as_before(earlier).unwrap_or(GrantLifetime::UntilRevoked),
            has_resource_tools: earlier.has_resource_tools,
        }
    }

    /// Reads the submitted form. Values that the page did not offer are ignored. A missing or unknown radio button narrows the choice: no
    /// page, the shortest lifetime.
    pub fn read(form: &Parameters, request: &SignedInRequest) -> Self {
        let ticked: ScopeSet = form.all("scope").filter_map(Scope::parse).collect();
        let pages = match form.one("pages") {
            Ok(Some("all")) => PageChoice::All,
            _ => PageChoice::These(form.all("page").filter_map(PageId::parse).collect()),
        };
        let as_before = request.earlier.as_ref().and_then(lifetime_as_before);
        let lifetime = form.one("lifetime").ok().flatten();
        let lifetime = lifetime.and_then(|text| {
            as_before.filter(|choice| choice.to_string() == text).or_else(|| GrantLifetime::parse(text))
        });
        Self {
            scopes: ticked.intersection(offered(request.access.scopes)),
            pages,
            lifetime: lifetime.unwrap_or(GrantLifetime::Days(1)),
            has_resource_tools: form.one("resource_tools") == Ok(Some("on")),
        }
    }

    /// The reads that this choice leaves unticked, with those that were left before and are not offered now.
    pub fn unticked_reads(&self, request: &SignedInRequest) -> ScopeSet {
        let before = request.earlier.as_ref().map_or(ScopeSet::EMPTY, |earlier| earlier.unticked_reads);
        before.union(request.access.scopes).without(self.scopes).intersection(ScopeSet::baseline())
    }

    /// Keeps the pages that the person can see; `None` if no page is left.
    pub fn restricted_to(&self, visible: &[AccessiblePage]) -> Option<Self> {
        let pages = match &self.pages {
            PageChoice::All => PageChoice::All,
            PageChoice::These(chosen) => {
                let kept: BTreeSet<PageId> =
                    visible.iter().map(|page| page.id).filter(|id| chosen.contains(id)).collect();
                if kept.is_empty() {
                    return None;
                }
                PageChoice::These(kept)
            }
        };
        Some(Self { pages, ..self.clone() })
    }
}

/// Returns the rest of the lifetime that the person chose earlier, if they chose an end.
pub(super) fn lifetime_as_before(earlier: &EarlierGrant) -> Option<GrantLifetime> {
    earlier.expires_at.map(GrantLifetime::Until)
}

/// Scopes that a person can tick: the requested ones, and all write scopes, so that nobody has to connect twice.
fn offered(requested: ScopeSet) -> ScopeSet {
    requested.union(Scope::ALL.iter().copied().filter(|scope| scope.is_write()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ids::{GrantId, UserId};
    use crate::model::timestamp::Timestamp;
    use crate::oauth::authorize::RequestedAccess;
    use crate::oauth::client::redirect::RedirectUri;
    use crate::oauth::client::{ClientId, ClientTrust, ResolvedClient};
    use crate::oauth::pkce::CodeChallenge;
    use crate::storage::authorization_requests::SignedIn;
    use serde_json::json;

    const NOW: Timestamp = Timestamp::from_seconds(1_000);

    fn request(
        client_id: &str,
        trust: ClientTrust,
        scopes: ScopeSet,
        earlier: Option<EarlierGrant>,
    ) -> SignedInRequest {
        let client = ResolvedClient {
            id: ClientId::parse(client_id).expect("an id"),
            name: "Tool".to_owned(),
            trust,
            redirect_uri: RedirectUri::parse("http://localhost/cb").expect("a URI"),
        };
        let challenge = CodeChallenge::parse("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM").expect("a challenge");
        let person = SignedIn {
            user_id: UserId::parse("1").expect("an id"),
            name: "Mara".into(),
            email: "m@example.com".into(),
        };
        let access = RequestedAccess { challenge, scopes };
        SignedInRequest {
            client,
            state: None,
            access,
            person,
            grant_id: GrantId::parse("g").expect("an id"),
            expires_at: NOW,
            earlier,
        }
    }

    fn first_request(client_id: &str) -> SignedInRequest {
        request(client_id, ClientTrust::Unverified, Scope::PagesRead.into(), None)
    }

    fn earlier() -> EarlierGrant {
        EarlierGrant {
            scopes: ScopeSet::parse("mcp.pages.read mcp.incidents.write").expect("scopes"),
            unticked_reads: Scope::BeatsRead.into(),
            pages: PageChoice::These([PageId::new(42).expect("an id")].into()),
            expires_at: Some(NOW),
            has_resource_tools: false,
            created_at: NOW,
        }
    }

    fn read(form: &str) -> Choice {
        let form = Parameters::parse(form.as_bytes()).unwrap_or_else(|_| panic!("a form"));
        Choice::read(&form, &first_request("tool"))
    }

    #[test]
    fn untouched_form_parses_as_the_proposed_choice() {
        let form = "scope=mcp.pages.read&pages=all&lifetime=until-revoked";
        assert_eq!(read(form), Choice::proposed(&first_request("tool")));
        let tool_only = Choice::proposed(&first_request("https://chatgpt.com/oauth/client.json"));
        assert_eq!(read(&format!("{form}&resource_tools=on")), tool_only);
    }

    #[test]
    fn earlier_choices_are_proposed_again_and_writes_only_for_a_verified_client() {
        let asked = ScopeSet::baseline();
        let reads = "mcp.pages.read mcp.incidents.read mcp.maintenances.read mcp.analytics.read";
        for (trust, scopes) in [
            (ClientTrust::Preregistered, format!("{reads} mcp.incidents.write")),
            (ClientTrust::Listed, format!("{reads} mcp.incidents.write")),
            (ClientTrust::Registered, reads.to_owned()),
            (ClientTrust::Unverified, reads.to_owned()),
        ] {
            let choice = Choice {
                scopes: ScopeSet::parse(&scopes).expect("scopes"),
                pages: PageChoice::These([PageId::new(42).expect("an id")].into()),
                lifetime: GrantLifetime::Until(NOW),
                has_resource_tools: false,
            };
            let request = request("https://chatgpt.com/oauth/client.json", trust, asked, Some(earlier()));
            assert_eq!(Choice::proposed(&request), choice, "{trust:?}");
        }
    }

    #[test]
    fn scope_that_the_client_requests_for_the_first_time_or_to_write_is_proposed() {
        let asked = ScopeSet::parse("mcp.pages.read mcp.incidents.read mcp.maintenances.write").expect("scopes");
        let before =
            EarlierGrant { scopes: Scope::PagesRead.into(), unticked_reads: Scope::BeatsRead.into(), ..earlier() };
        let request = request("tool", ClientTrust::Unverified, asked, Some(before));
        assert_eq!(Choice::proposed(&request).scopes, asked);
    }

    #[test]
    fn lifetime_as_before_is_read_only_where_there_is_one() {
        let form = Parameters::parse(b"lifetime=as-before").unwrap_or_else(|_| panic!("a form"));
        let lifetime = |earlier: Option<EarlierGrant>| {
            Choice::read(&form, &request("tool", ClientTrust::Unverified, ScopeSet::baseline(), earlier)).lifetime
        };
        assert_eq!(lifetime(Some(earlier())), GrantLifetime::Until(NOW));
        assert_eq!(lifetime(Some(EarlierGrant { expires_at: None, ..earlier() })), GrantLifetime::Days(1));
        assert_eq!(lifetime(None), GrantLifetime::Days(1));
    }

    #[test]
    fn missing_or_unknown_values_narrow_the_choice() {
        let narrow = Choice {
            scopes: ScopeSet::EMPTY,
            pages: PageChoice::These(BTreeSet::new()),
            lifetime: GrantLifetime::Days(1),
            has_resource_tools: false,
        };
        assert_eq!(read(""), narrow);
        assert_eq!(read("scope=mcp.analytics.read&pages=every&lifetime=365d&lifetime=30d"), narrow);
        assert_eq!(read("pages=all&pages=all").pages, narrow.pages);
        assert!(
            !read("resource_tools=off").has_resource_tools
                && !read("resource_tools=on&resource_tools=on").has_resource_tools
        );
    }

    #[test]
    fn page_that_the_person_cannot_see_cannot_be_chosen() {
        let visible = json!({ "id": 42, "organization_id": 7, "name": "Northwind", "permissions": [] });
        let visible = [AccessiblePage::parse(&visible).expect("a page")];
        let restricted_to = |form: &str| read(form).restricted_to(&visible).map(|choice| choice.pages);
        assert_eq!(
            restricted_to("pages=these&page=42&page=77"),
            Some(PageChoice::These([PageId::new(42).expect("an id")].into()))
        );
        assert_eq!(restricted_to("pages=these&page=77"), None);
        assert_eq!(restricted_to("pages=these"), None);
        assert_eq!(restricted_to("pages=all"), Some(PageChoice::All));
    }
}
