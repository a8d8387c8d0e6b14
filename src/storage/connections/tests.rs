//! The list of connections on the real schema: who sees what, order, paging, search, and the indexes that it uses.

use super::super::testing::TestDatabase;
use super::*;

const PAGES: [PageId; 2] = [PageId::new(7).expect("an id"), PageId::new(8).expect("an id")];
const NOW: i64 = 1_000;

/// A live connection of that person to that client, last used at that time, that has accessed these pages.
fn connect(db: &TestDatabase, user: &str, client: &str, used_at: i64, pages: &[i64]) {
    let id = format!("{user}-{client}").replace(|character: char| !character.is_ascii_alphanumeric(), "-");
    db.execute(&format!(
        "INSERT INTO grants (id, user_id, user_name, client_id, client_name, client_trust, redirect_host, is_loopback, resource,
           scope, created_at, last_used_at)
         VALUES ('{id}', '{user}', 'Person {user}', '{client}', 'App {client}', 'registered', 'h', 0, 'r', 'mcp.pages.read', 1, {used_at})"
    ));
    db.execute(&format!(
        "INSERT INTO refresh_tokens (token_hash, grant_id, generation, created_at, expires_at) VALUES ('{id}', '{id}', 1, 1, 2000)"
    ));
    for page in pages {
        db.execute(&format!("INSERT INTO page_access VALUES ({page}, '{user}', '{client}', 1)"));
    }
}

/// The listed connections as "person client", and the total.
async fn listed(db: &TestDatabase, change: impl Fn(&mut ConnectionQuery<'_>)) -> (Vec<String>, usize) {
    let viewer = UserId::parse("1").expect("an id");
    let administered = [PageId::new(7).expect("an id"), PageId::new(8).expect("an id")];
    let mut query = ConnectionQuery::all(&viewer, &administered, Timestamp::from_seconds(NOW));
    change(&mut query);
    let found = list(db, &query).await.expect("a list");
    (found.grants.iter().map(|grant| format!("{} {}", grant.user_id, grant.client_id)).collect(), found.total)
}

#[tokio::test]
async fn viewer_sees_own_connections_and_those_that_accessed_an_administered_page_the_newest_first() {
    let db = TestDatabase::new();
    connect(&db, "1", "own", 5, &[]);
    connect(&db, "2", "here", 9, &[7, 8]);
    connect(&db, "2", "elsewhere", 20, &[9]);
    connect(&db, "3", "limited", 8, &[7]);
    db.execute("UPDATE grants SET pages = '9' WHERE client_id = 'limited'");
    connect(&db, "3", "over", 8, &[7]);
    db.execute("UPDATE grants SET revoked_at = 2, revoke_reason = 'user' WHERE client_id = 'over'");
    connect(&db, "3", "expired", 8, &[7]);
    db.execute("UPDATE refresh_tokens SET expires_at = 1000 WHERE grant_id = '3-expired'");
    assert_eq!(listed(&db, |_| ()).await, (vec!["2 here".into(), "1 own".into()], 2));
    assert_eq!(listed(&db, |query| query.owners = Owners::Viewer).await.0, ["1 own"]);
    assert_eq!(listed(&db, |query| query.owners = Owners::Others).await.0, ["2 here"]);
    assert_eq!(listed(&db, |query| query.administered = &[]).await.0, ["1 own"]);
}

#[tokio::test]
async fn pages_of_the_list_contain_every_connection_once_and_the_same_total() {
    let db = TestDatabase::new();
    // Several are used in the same second: the position must part them.
    for n in 0..23 {
        connect(&db, &format!("{}", 2 + n % 4), &format!("c{n:02}"), 100 + n / 5, &[7, 8]);
    }
    for sort in [SortOrder::Newest, SortOrder::App, SortOrder::Person] {
        let (all, total) = listed(&db, |query| query.sort = sort).await;
        assert_eq!((all.len(), total), (23, 23));
        let (mut seen, mut after): (Vec<String>, Option<ListPosition>) = (Vec::new(), None);
        loop {
            let viewer = UserId::parse("1").expect("an id");
            let query = ConnectionQuery {
                sort,
                after: after.as_ref(),
                limit: Some(5),
                ..ConnectionQuery::all(&viewer, &PAGES[..1], Timestamp::from_seconds(NOW))
            };
            let page = list(&db, &query).await.expect("a page");
            let Some(last) = page.grants.last() else { break };
            assert_eq!(page.total, 23);
            seen.extend(page.grants.iter().map(|grant| format!("{} {}", grant.user_id, grant.client_id)));
            after = Some(last.position.clone());
        }
        assert_eq!(seen, all, "{sort:?}");
    }
}

#[tokio::test]
async fn search_matches_names_and_client_ids_in_any_case() {
    let db = TestDatabase::new();
    connect(&db, "2", "https://n8n.example/id", 1, &[7]);
    connect(&db, "3", "cursor", 2, &[7]);
    for (search, found) in [("N8N", 1), ("app CUR", 1), ("person", 2), ("person 3", 1), ("%", 0), ("nothing", 0)] {
        assert_eq!(listed(&db, |query| query.search = Some(search)).await.1, found, "{search}");
    }
}

#[tokio::test]
async fn named_page_limits_own_connections_to_those_that_may_access_it() {
    let db = TestDatabase::new();
    connect(&db, "1", "all", 1, &[]);
    connect(&db, "1", "seven", 2, &[]);
    connect(&db, "1", "seventy", 3, &[]);
    db.execute("UPDATE grants SET pages = '7' WHERE client_id = 'seven'");
    db.execute("UPDATE grants SET pages = '77 17' WHERE client_id = 'seventy'");
    assert_eq!(listed(&db, |query| query.page = Some(PageId::new(7).expect("an id"))).await.0, ["1 seven", "1 all"]);
}

#[tokio::test]
async fn row_tells_accessed_administered_pages_and_blocks() {
    let db = TestDatabase::new();
    connect(&db, "2", "here", 9, &[7, 8, 9]);
    db.execute("UPDATE grants SET pages = '7 9'");
    db.execute("INSERT INTO page_blocks VALUES ('2', 'here', 7, 0, 'U', 'C', 1, '1', 'Ada')");
    let viewer = UserId::parse("1").expect("an id");
    let query = ConnectionQuery::all(&viewer, &PAGES, Timestamp::from_seconds(NOW));
    let grant = list(&db, &query).await.expect("a list").grants.remove(0);
    assert_eq!(
        (grant.accessed, grant.blocked),
        ([PageId::new(7).expect("an id")].into(), [PageId::new(7).expect("an id")].into())
    );
}

#[tokio::test]
async fn list_searches_every_table_through_an_index() {
    let db = TestDatabase::new();
    let viewer = UserId::parse("1").expect("an id");
    let plan = db.plan(&select(&ConnectionQuery::all(
        &viewer,
        &[PageId::new(7).expect("an id")],
        Timestamp::from_seconds(NOW),
    )));
    assert!(plan.iter().any(|step| step.contains("page_access USING PRIMARY KEY (page_id=?")), "{plan:#?}");
    assert!(plan.iter().any(|step| step.contains("SEARCH g USING INDEX grants_by_connection")), "{plan:#?}");
    // A scan of what the statement itself has put together is no scan of a table.
    let own = ["json_each", "reached", "live", "sorted", "slice", "a VIRTUAL", "k VIRTUAL", "CONSTANT", "(subquery"];
    let scans = plan.iter().filter(|step| step.starts_with("SCAN "));
    let scanned: Vec<_> = scans.filter(|step| !own.iter().any(|name| step[5..].starts_with(name))).collect();
    assert!(scanned.is_empty(), "{plan:#?}");
}
