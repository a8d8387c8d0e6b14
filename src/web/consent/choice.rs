//! A person's choice on the consent page: scopes, pages, lifetime, and resource tools.

use crate::model::scope::{Scope, ScopeSet};
use crate::oauth::grant::{GrantLifetime, PageChoice};
use crate::oauth::parameters::Parameters;
use crate::storage::authorization_requests::SignedInRequest;
use crate::storage::grants::EarlierGrant;
use crate::upstream::identity::AccessiblePage;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    pub scopes: ScopeSet,
    pub pages: PageChoice,
    pub lifetime: GrantLifetime,
    pub has_resource_tools: bool,
    /// True if earlier approvals keep nothing beyond this choice. A form that did not ask leaves them as they are.
    pub replaces_earlier: bool,
}

/// Value of `earlier` that leaves earlier approvals as they are.
pub(super) const KEEP_EARLIER: &str = "keep";

impl Choice {
    /// The choice that the page shows first: the person's earlier choices for this client, or what the client requests, with
    /// resource tools for tool-only clients. Posting is proposed only for a client that somebody vouches for, and where the person's
    /// role allows it: any program on this computer can use the id of another client.
    pub fn proposed(request: &SignedInRequest, pages: &[AccessiblePage]) -> Self {
        let (client, requested, earlier) = (&request.client, request.access.scopes, request.earlier.as_ref());
        let before = earlier.filter(|earlier| earlier.is_live).map_or(ScopeSet::EMPTY, |earlier| earlier.scopes);
        let is_postable =
            |scope: &Scope| client.trust.is_verified() && pages.iter().any(|page| page.allows(scope.page_permission()));
        let writes: ScopeSet = requested.union(before).writes().iter().filter(is_postable).collect();
        let reads = requested.without(requested.writes());
        let Some(earlier) = earlier else {
            return Self {
                scopes: reads.union(writes),
                pages: PageChoice::All,
                lifetime: GrantLifetime::PROPOSED,
                has_resource_tools: client.is_tool_only(),
                replaces_earlier: false,
            };
        };
        let lifetime =
            lifetime_as_before(earlier).or_else(|| GrantLifetime::find(earlier.created_at, earlier.expires_at));
        Self {
            scopes: reads.union(writes).without(earlier.unticked_scopes),
            pages: earlier.pages.clone(),
            lifetime: lifetime.unwrap_or(GrantLifetime::PROPOSED),
            has_resource_tools: earlier.has_resource_tools,
            replaces_earlier: true,
        }
    }

    /// Reads the submitted form. Values that the page did not offer are ignored. A missing or unknown radio button narrows the choice: no
    /// page, the shortest lifetime, nothing of earlier approvals beyond it.
    pub fn read(form: &Parameters, request: &SignedInRequest) -> Self {
        let ticked: ScopeSet = form.all("scope").filter_map(Scope::parse).collect();
        let as_before = request.earlier.as_ref().and_then(lifetime_as_before);
        let lifetime = form.single("lifetime");
        let lifetime = lifetime.and_then(|text| {
            as_before.filter(|choice| choice.to_string() == text).or_else(|| GrantLifetime::parse(text))
        });
        Self {
            scopes: ticked.intersection(offered(request.access.scopes)),
            pages: PageChoice::read(form),
            lifetime: lifetime.unwrap_or(GrantLifetime::Days(1)),
            has_resource_tools: form.one("resource_tools") == Ok(Some("on")),
            replaces_earlier: form.names("earlier") && form.one("earlier") != Ok(Some(KEEP_EARLIER)),
        }
    }

    /// The scopes that this choice leaves unticked and that are not to be proposed again: reads, with what was left or taken before,
    /// and with what the page offered and this choice takes from the grant that it replaces.
    pub fn unticked_scopes(&self, request: &SignedInRequest) -> ScopeSet {
        let earlier = request.earlier.as_ref();
        let before = earlier.map_or(ScopeSet::EMPTY, |earlier| earlier.unticked_scopes);
        let replaced = earlier.filter(|earlier| earlier.is_live && self.replaces_earlier);
        let requested = request.access.scopes;
        let taken = replaced.map_or(ScopeSet::EMPTY, |earlier| earlier.scopes.intersection(offered(requested)));
        before.union(taken).union(requested.intersection(ScopeSet::baseline())).without(self.scopes)
    }

    /// Keeps the pages that the person can see; or says what is missing for an approval.
    pub fn check(&self, visible: &[AccessiblePage]) -> Result<Self, MissingChoice> {
        let pages = match &self.pages {
            PageChoice::All => PageChoice::All,
            PageChoice::These(chosen) => {
                PageChoice::These(visible.iter().map(|page| page.id).filter(|id| chosen.contains(id)).collect())
            }
        };
        let missing = MissingChoice {
            has_no_scope: self.scopes.is_empty(),
            has_no_page: matches!(&pages, PageChoice::These(kept) if kept.is_empty()),
        };
        if missing == MissingChoice::default() { Ok(Self { pages, ..self.clone() }) } else { Err(missing) }
    }
}

/// The parts of a choice without which there is nothing to approve.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct MissingChoice {
    pub has_no_scope: bool,
    pub has_no_page: bool,
}

/// Returns the rest of the lifetime of a live grant, if the person chose an end for it.
pub(super) fn lifetime_as_before(earlier: &EarlierGrant) -> Option<GrantLifetime> {
    earlier.expires_at.filter(|_| earlier.is_live).map(GrantLifetime::Until)
}

/// Scopes that a person can tick: the requested ones, and all write scopes, so that nobody has to connect twice.
fn offered(requested: ScopeSet) -> ScopeSet {
    requested.union(Scope::ALL.iter().copied().filter(|scope| scope.is_write()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ids::PageId;
    use crate::model::ids::{GrantId, UserId};
    use crate::model::timestamp::Timestamp;
    use crate::oauth::authorize::RequestedAccess;
    use crate::oauth::client::redirect::RedirectUri;
    use crate::oauth::client::{ClientId, ClientTrust, ResolvedClient};
    use crate::oauth::pkce::CodeChallenge;
    use crate::storage::authorization_requests::SignedIn;
    use serde_json::json;
    use std::collections::BTreeSet;

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
            unticked_scopes: Scope::BeatsRead.into(),
            pages: PageChoice::These([PageId::new(42).expect("an id")].into()),
            expires_at: Some(NOW),
            has_resource_tools: false,
            created_at: NOW,
            is_live: true,
        }
    }

    fn pages() -> [AccessiblePage; 1] {
        let permissions = ["page.read", "incidents.manage"];
        let page = json!({ "id": 42, "organization_id": 7, "name": "Northwind", "permissions": permissions });
        [AccessiblePage::parse(&page).expect("a page")]
    }

    fn read(form: &str) -> Choice {
        let form = Parameters::parse(form.as_bytes()).unwrap_or_else(|_| panic!("a form"));
        Choice::read(&form, &first_request("tool"))
    }

    #[test]
    fn untouched_form_parses_as_the_proposed_choice() {
        let form = "scope=mcp.pages.read&pages=all&lifetime=30d";
        assert_eq!(read(form), Choice::proposed(&first_request("tool"), &pages()));
        let tool_only = Choice::proposed(&first_request("https://chatgpt.com/oauth/client.json"), &pages());
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
                replaces_earlier: true,
            };
            let request = request("https://chatgpt.com/oauth/client.json", trust, asked, Some(earlier()));
            assert_eq!(Choice::proposed(&request, &pages()), choice, "{trust:?}");
        }
    }

    #[test]
    fn posting_is_proposed_only_for_verified_clients_and_roles_that_may_post() {
        let reads = ScopeSet::parse("mcp.pages.read mcp.incidents.read").expect("scopes");
        let asked = reads.union(ScopeSet::parse("mcp.incidents.write mcp.maintenances.write").expect("scopes"));
        let proposed = |trust, pages: &[AccessiblePage], earlier| {
            Choice::proposed(&request("tool", trust, asked, earlier), pages).scopes.without(reads)
        };
        for (trust, expected) in [
            (ClientTrust::Listed, Scope::IncidentsWrite.into()),
            (ClientTrust::Preregistered, Scope::IncidentsWrite.into()),
            (ClientTrust::Registered, ScopeSet::EMPTY),
            (ClientTrust::Unverified, ScopeSet::EMPTY),
        ] {
            assert_eq!(proposed(trust, &pages(), None), expected, "{trust:?}");
            assert_eq!(proposed(trust, &pages(), Some(earlier())), expected, "{trust:?} again");
            assert_eq!(proposed(trust, &[], None), ScopeSet::EMPTY, "{trust:?} without a page to post on");
        }
    }

    #[test]
    fn scope_that_a_narrowing_took_is_not_proposed_until_it_is_ticked() {
        let taken: ScopeSet = [Scope::IncidentsRead, Scope::IncidentsWrite].into_iter().collect();
        let asked = ScopeSet::baseline().union(Scope::IncidentsWrite.into());
        let narrowed = EarlierGrant { scopes: Scope::PagesRead.into(), unticked_scopes: taken, ..earlier() };
        let request = request("tool", ClientTrust::Listed, asked, Some(narrowed));
        let proposed = Choice::proposed(&request, &pages());
        assert_eq!(proposed.scopes, ScopeSet::baseline().without(taken));
        assert_eq!(proposed.unticked_scopes(&request), taken);
        let ticked = Choice { scopes: asked, ..proposed };
        assert_eq!(ticked.unticked_scopes(&request), ScopeSet::EMPTY);
    }

    #[test]
    fn posting_that_a_replacement_took_is_not_proposed_again() {
        let asked = ScopeSet::baseline().union(Scope::IncidentsWrite.into());
        let request_after = |earlier| request("tool", ClientTrust::Listed, asked, Some(earlier));
        let first = request_after(earlier());
        let proposed = Choice::proposed(&first, &pages());
        assert!(proposed.scopes.contains(Scope::IncidentsWrite));
        let narrower = Choice { scopes: proposed.scopes.without(Scope::IncidentsWrite.into()), ..proposed.clone() };
        let unticked_scopes = narrower.unticked_scopes(&first);
        let again = request_after(EarlierGrant { scopes: narrower.scopes, unticked_scopes, ..earlier() });
        assert_eq!(Choice::proposed(&again, &pages()).scopes, narrower.scopes);
        let beside = Choice { replaces_earlier: false, ..narrower };
        assert!(!beside.unticked_scopes(&first).contains(Scope::IncidentsWrite), "nothing was taken");
    }

    #[test]
    fn ended_grant_proposes_its_pages_and_lifetime_and_no_posting() {
        let (created_at, end) = (Timestamp::from_seconds(0), Timestamp::from_seconds(7 * 86_400));
        let ended = EarlierGrant { is_live: false, created_at, expires_at: Some(end), ..earlier() };
        let proposed =
            Choice::proposed(&request("tool", ClientTrust::Listed, ScopeSet::baseline(), Some(ended)), &pages());
        assert_eq!((proposed.pages, proposed.lifetime), (earlier().pages, GrantLifetime::Days(7)));
        assert_eq!(proposed.scopes, ScopeSet::baseline().without(Scope::BeatsRead.into()));
    }

    #[test]
    fn lifetime_as_before_is_read_only_where_there_is_one() {
        let form = Parameters::parse(b"lifetime=as-before").unwrap_or_else(|_| panic!("a form"));
        let lifetime = |earlier: Option<EarlierGrant>| {
            Choice::read(&form, &request("tool", ClientTrust::Unverified, ScopeSet::baseline(), earlier)).lifetime
        };
        assert_eq!(lifetime(Some(earlier())), GrantLifetime::Until(NOW));
        assert_eq!(lifetime(Some(EarlierGrant { expires_at: None, ..earlier() })), GrantLifetime::Days(1));
        assert_eq!(lifetime(Some(EarlierGrant { is_live: false, ..earlier() })), GrantLifetime::Days(1));
        assert_eq!(lifetime(None), GrantLifetime::Days(1));
    }

    #[test]
    fn missing_or_unknown_values_narrow_the_choice() {
        let narrow = Choice {
            scopes: ScopeSet::EMPTY,
            pages: PageChoice::These(BTreeSet::new()),
            lifetime: GrantLifetime::Days(1),
            has_resource_tools: false,
            replaces_earlier: false,
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
    fn choice_without_a_scope_or_a_visible_page_says_which_is_missing() {
        let check = |form: &str| read(form).check(&pages()).map(|choice| choice.pages);
        let missing = |has_no_scope, has_no_page| Err(MissingChoice { has_no_scope, has_no_page });
        let read = "scope=mcp.pages.read";
        let one = PageChoice::These([PageId::new(42).expect("an id")].into());
        assert_eq!(check(&format!("{read}&pages=these&page=42&page=77")), Ok(one));
        assert_eq!(check(&format!("{read}&pages=all")), Ok(PageChoice::All));
        assert_eq!(check(&format!("{read}&pages=these&page=77")), missing(false, true));
        assert_eq!(check("pages=all"), missing(true, false));
        assert_eq!(check("pages=these"), missing(true, true));
    }
}
