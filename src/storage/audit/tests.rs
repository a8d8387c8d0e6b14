//! Rows read back as they were appended.

use super::super::activity::ActivityRow;
use super::super::testing::TestDatabase;
use super::*;

async fn append_as(db: &TestDatabase, user: &str, id: &str, at: i64, target: Option<Target<'_>>) {
    let client_id = ClientId::parse("cursor").expect("a client id");
    let entry = Entry {
        id: id.into(),
        created_at: Timestamp::from_seconds(at),
        kind: AuditKind::Write,
        outcome: Outcome::Done,
        user_id: Some(&UserId::parse(user).expect("an id")),
        client_id: &client_id,
        client_name: "Cursor",
        grant_id: Some(&GrantId::parse("g").expect("an id")),
        request_id: &RequestId::parse("r").expect("an id"),
        target,
        detail: Some("a_reason"),
    };
    append(db, &entry).await.expect("a row");
}

async fn recorded_ids(db: &TestDatabase, user: &str) -> Vec<String> {
    let rows = db.audit_rows(&UserId::parse(user).expect("an id")).await;
    rows.into_iter().map(|row| row.id.as_str().to_owned()).collect()
}

#[tokio::test]
async fn a_row_reads_back_as_it_was_appended() {
    let db = TestDatabase::new();
    let title = "x".repeat(TITLE_LIMIT + 1);
    let target = Target {
        page_id: Some(PageId::new(7).expect("an id")),
        asked_page_id: Some(PageId::new(7).expect("an id")),
        tool: "create_incident",
        id: Some("9".into()),
        title: Some(title.as_str()),
        links: TargetLinks::default(),
    };
    append_as(&db, "42", "a", 5, Some(target)).await;
    let rows = db.audit_rows(&UserId::parse("42").expect("an id")).await;
    let expected = ActivityRow {
        id: "a".into(),
        row: 1,
        user_id: UserId::parse("42").expect("an id"),
        created_at: Timestamp::from_seconds(5),
        kind: "write".into(),
        outcome: "done".into(),
        client_id: "cursor".into(),
        client_name: "Cursor".into(),
        user_name: String::new(),
        page_id: Some(PageId::new(7).expect("an id")),
        tool: Some("create_incident".into()),
        target_id: Some("9".into()),
        owner_name: None,
        public_url: None,
        admin_url: None,
        title: Some("x".repeat(TITLE_LIMIT)),
        request_id: "r".into(),
        detail: Some("a_reason".into()),
        calls: None,
        resolution: None,
    };
    assert_eq!(rows, [expected]);
}

#[tokio::test]
async fn a_row_appended_twice_is_one_row() {
    let db = TestDatabase::new();
    append_as(&db, "42", "a", 1, None).await;
    append_as(&db, "42", "a", 1, None).await;
    assert_eq!(recorded_ids(&db, "42").await, ["a"]);
}
