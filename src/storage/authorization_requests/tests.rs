//! Every condition of every statement: each test breaks one of them and expects that nothing happens.

use super::super::testing::TestDatabase;
use super::super::{grants, run};
use super::*;
use crate::model::ids::RequestId;
use crate::model::scope::Scope;
use crate::oauth::secret::{AuthorizationCode, example};
use std::time::Duration;

const NOW: Timestamp = Timestamp::from_seconds(1000);
const END: Timestamp = Timestamp::from_seconds(1600);
const LAST_SECOND: Timestamp = Timestamp::from_seconds(1599);

/// The secrets of one request.
struct Keys {
    state: SignInState,
    consent: ConsentToken,
    browser: BrowserBinding,
}

impl Keys {
    fn new(seed: u8) -> Self {
        Self { state: example(seed), consent: example(seed), browser: example(seed) }
    }

    fn keys(&self) -> RequestKeys<'_> {
        RequestKeys { consent: &self.consent, browser: &self.browser }
    }
}

fn request(seed: u8) -> SignedInRequest {
    SignedInRequest {
        client: ResolvedClient {
            id: ClientId::parse(&format!("client-{seed}")).expect("fits"),
            name: "Tool".into(),
            trust: ClientTrust::Unverified,
            redirect_uri: RedirectUri::parse("http://localhost:1/cb").expect("fits"),
        },
        state: Some("xyz".into()),
        access: RequestedAccess {
            challenge: CodeChallenge::parse("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM").expect("fits"),
            scopes: Scope::PagesRead.into(),
        },
        person: SignedIn {
            user_id: UserId::parse(seed.to_string()).expect("an id"),
            name: "Mara".into(),
            email: "m@example".into(),
        },
        grant_id: GrantId::parse(format!("grant-{seed}")).expect("an id"),
        expires_at: END,
        earlier: None,
    }
}

fn is_redeemed(redemption: Result<Redemption>) -> bool {
    redemption.expect("an answer") == Redemption::Redeemed
}

/// A database with two requests, so that a statement without its condition would meet the other one.
async fn two_requests() -> (TestDatabase, Keys, Keys) {
    let (db, first, second) = (TestDatabase::new(), Keys::new(1), Keys::new(2));
    for (keys, seed) in [(&first, 1), (&second, 2)] {
        assert!(is_redeemed(insert(&db, &keys.state, keys.keys(), &request(seed), NOW).await));
    }
    (db, first, second)
}

async fn count(db: &TestDatabase, sql: &'static str) -> i64 {
    run(db, statement!(sql)).await.expect("an answer")[0]["n"].as_i64().expect("a number")
}

const CONSUMED: &str = "SELECT count(*) AS n FROM authorization_requests WHERE consumed_at IS NOT NULL";
const GRANTS: &str = "SELECT (SELECT count(*) FROM grants) + (SELECT count(*) FROM codes)
    + (SELECT count(*) FROM page_access) + (SELECT count(*) FROM connections) AS n";

async fn is_approved(db: &TestDatabase, keys: RequestKeys<'_>, seed: u8, now: Timestamp) -> bool {
    let code: AuthorizationCode = example(seed);
    let approval = Approval {
        request: &request(seed),
        scopes: Scope::PagesRead.into(),
        pages: PageChoice::All,
        page_access: &[PageId::new(42).expect("an id")],
        lifetime: GrantLifetime::UntilRevoked,
        replaces_earlier: true,
        request_id: &RequestId::parse("r").expect("an id"),
        unticked_scopes: ScopeSet::EMPTY,
        has_resource_tools: false,
        resource: "https://mcp.example/mcp".into(),
        code_hash: code.hash(),
    };
    is_redeemed(approve(db, keys, &approval, statement!("SELECT 1 AS one"), now).await)
}

#[tokio::test]
async fn sign_in_is_stored_once_and_a_second_one_changes_nothing() {
    let (db, first, _) = two_requests().await;
    let other = Keys::new(3);
    assert!(!is_redeemed(insert(&db, &first.state, other.keys(), &request(3), NOW).await));
    assert_eq!(count(&db, "SELECT count(*) AS n FROM authorization_requests").await, 2);
    let found = find(&db, first.keys(), NOW).await.expect("an answer").expect("the first");
    assert_eq!((found.person, found.grant_id.as_str()), (request(1).person, "grant-1"));
    assert_eq!((found.client, found.state, found.access), (request(1).client, request(1).state, request(1).access));
    assert_eq!(found.expires_at, END);
}

#[tokio::test]
async fn consumed_sign_in_cannot_be_stored_again() {
    let (db, first, _) = two_requests().await;
    assert!(is_redeemed(close(&db, first.keys(), NOW).await));
    assert!(!is_redeemed(insert(&db, &first.state, Keys::new(3).keys(), &request(3), NOW).await));
}

#[tokio::test]
async fn request_is_found_only_by_both_keys_until_it_is_consumed_or_expires() {
    let (db, first, second) = two_requests().await;
    let is_found = async |consent, browser, now| {
        find(&db, RequestKeys { consent, browser }, now).await.expect("an answer").is_some()
    };
    assert!(is_found(&first.consent, &first.browser, LAST_SECOND).await);
    assert!(!is_found(&first.consent, &second.browser, NOW).await, "the cookie of another request");
    assert!(!is_found(&second.consent, &first.browser, NOW).await, "the handle of another request");
    assert!(!is_found(&first.consent, &first.browser, END).await, "in the second of its expiry");
    close(&db, first.keys(), NOW).await.expect("closed");
    assert!(!is_found(&first.consent, &first.browser, NOW).await, "consumed");
    assert!(is_found(&second.consent, &second.browser, NOW).await);
}

#[tokio::test]
async fn form_waits_for_its_answer_until_it_is_consumed_or_expires() {
    let (db, first, second) = two_requests().await;
    let other = Keys::new(3);
    let waits = async |consent, now| is_waiting_for_answer(&db, consent, now).await.expect("an answer");
    assert!(waits(&first.consent, LAST_SECOND).await);
    assert!(!waits(&first.consent, END).await);
    assert!(!waits(&other.consent, NOW).await);
    close(&db, first.keys(), NOW).await.expect("closed");
    assert!(!waits(&first.consent, NOW).await);
    assert!(waits(&second.consent, NOW).await);
}

#[tokio::test]
async fn request_is_closed_only_by_both_keys_once_and_in_time() {
    let (db, first, second) = two_requests().await;
    let is_closed = async |consent, browser, now| is_redeemed(close(&db, RequestKeys { consent, browser }, now).await);
    assert!(!is_closed(&first.consent, &second.browser, NOW).await, "the cookie of another request");
    assert!(!is_closed(&second.consent, &first.browser, NOW).await, "the handle of another request");
    assert!(!is_closed(&first.consent, &first.browser, END).await, "in the second of its expiry");
    assert_eq!(count(&db, CONSUMED).await, 0);
    assert!(is_closed(&first.consent, &first.browser, LAST_SECOND).await);
    assert!(!is_closed(&first.consent, &first.browser, LAST_SECOND).await, "a second time");
    assert_eq!(count(&db, CONSUMED).await, 1, "and no other");
}

#[tokio::test]
async fn approval_stores_one_grant_with_its_code() {
    let (db, first, _) = two_requests().await;
    assert!(is_approved(&db, first.keys(), 1, LAST_SECOND).await);
    assert_eq!(count(&db, GRANTS).await, 4, "one grant, one code, one page, one line of health");
    let grant = run(&db, statement!("SELECT id, user_id, client_id FROM grants")).await.expect("an answer");
    assert_eq!(grant[0]["id"], "grant-1");
    assert_eq!(grant[0]["user_id"], "1");
    assert_eq!(count(&db, CONSUMED).await, 1, "and the other request still waits");
}

#[tokio::test]
async fn approval_without_both_keys_or_after_the_end_stores_nothing() {
    let (db, first, second) = two_requests().await;
    for (consent, browser, now, reason) in [
        (&first.consent, &second.browser, NOW, "the cookie of another request"),
        (&second.consent, &first.browser, NOW, "the handle of another request"),
        (&first.consent, &first.browser, END, "in the second of its expiry"),
    ] {
        assert!(!is_approved(&db, RequestKeys { consent, browser }, 1, now).await, "{reason}");
        assert_eq!((count(&db, GRANTS).await, count(&db, CONSUMED).await), (0, 0), "{reason}");
    }
}

#[tokio::test]
async fn approval_of_a_consumed_request_stores_nothing() {
    let (db, first, second) = two_requests().await;
    close(&db, first.keys(), NOW).await.expect("closed");
    assert!(!is_approved(&db, first.keys(), 1, NOW).await, "declined before");
    assert_eq!(count(&db, GRANTS).await, 0);
    assert!(is_approved(&db, second.keys(), 2, NOW).await);
    let rows = count(&db, GRANTS).await;
    assert!(!is_approved(&db, second.keys(), 3, NOW).await, "approved before, with another code");
    assert_eq!(count(&db, GRANTS).await, rows);
}

#[tokio::test]
async fn revoked_connection_ends_its_own_open_requests_and_no_other() {
    let (db, first, second) = two_requests().await;
    let revoke = async |user: &str, client: &str, after: u64| {
        let (user, client) = (UserId::parse(user).expect("an id"), ClientId::parse(client).expect("fits"));
        let now = NOW + Duration::from_secs(after);
        grants::revoke_connections(&db, &user, &[&client], &RequestId::parse("r").expect("an id"), now)
            .await
            .expect("an answer");
    };
    revoke("1", "client-2", 0).await;
    revoke("2", "client-1", 0).await;
    assert_eq!(count(&db, CONSUMED).await, 0, "another person's, or another client's");
    revoke("1", "client-1", 0).await;
    assert!(!is_approved(&db, first.keys(), 1, NOW).await);
    assert!(find(&db, second.keys(), NOW).await.expect("an answer").is_some());
    revoke("1", "client-1", 9).await;
    assert_eq!(
        count(&db, "SELECT consumed_at AS n FROM authorization_requests WHERE user_id = '1'").await,
        1000,
        "what was consumed stays as it was"
    );
}
