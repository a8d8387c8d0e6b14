//! The activity as a CSV file: whole, by the filter, and harmless in a spreadsheet.

use crate::support::browser::Browser;
use crate::support::flow::user;
use crate::support::{TestApp, header};

const EXPORT: &str = "https://mcp.example/mcp/admin/activity.csv";

/// Rows of Theo on page 42, with numbered titles; every 500 of them in one second.
fn insert_rows(app: &TestApp, count: usize, title: &str) {
    app.db.execute(&format!(
        "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {count})
         INSERT INTO audit (id, created_at, kind, outcome, user_id, user_name, client_id, client_name, grant_id, page_id, tool, title, request_id, key_hash)
         SELECT 'row-' || n, 1789000000 + n / 500, 'write', 'done', '2', 'Theo Okafor', 'c', '=HYPERLINK(\"http://evil.example\")', 'g', 42,
           'create_incident', '{title}' || n, 'r', 'k' FROM n"
    ));
}

#[test]
fn export_has_every_row_that_the_filter_selects() {
    let app = TestApp::new();
    insert_rows(&app, 2_345, "Incident ");
    let browser = Browser::new(&app);
    browser.open_admin_page(user::MARA_ADMIN);
    let file = browser.open(&format!("{EXPORT}?person=2&outcome=done"));
    assert_eq!((file.status, header(&file.response, "content-type")), (200, "text/csv; charset=utf-8; header=present"));
    let name = header(&file.response, "content-disposition");
    assert!(name.starts_with("attachment; filename=\"hosted-mcp-activity-20") && name.ends_with(".csv\""), "{name}");
    assert_eq!(file.body.matches("\r\n").count(), 2_346, "one line each, and the names of the columns");
    for n in [1, 500, 501, 999, 1_000, 1_001, 2_000, 2_345] {
        assert_eq!(file.body.matches(&format!("\"Incident {n}\"")).count(), 1, "{n}");
    }
    assert!(
        file.body.contains("\"Theo Okafor\",\"2\"")
            && file.body.contains("\"Northwind Cloud Status\",\"42\",\"Create incident\"")
    );
    let none = browser.open(&format!("{EXPORT}?outcome=failed")).body;
    assert_eq!(none.matches("\r\n").count(), 1, "{none}");
}

#[test]
fn text_of_other_people_is_no_formula_in_the_export() {
    let app = TestApp::new();
    insert_rows(&app, 1, "@SUM(1)\"\r\n=2");
    let browser = Browser::new(&app);
    browser.open_admin_page(user::MARA_ADMIN);
    let file = browser.open(EXPORT).body;
    assert!(file.contains("\"'=HYPERLINK(\"\"http://evil.example\"\")\""), "{file}");
    assert!(file.contains("\"'@SUM(1)\"\" =21\""), "{file}");
}

#[test]
fn export_that_would_be_too_long_is_refused_whole() {
    let app = TestApp::new();
    insert_rows(&app, 50_001, "Incident ");
    let browser = Browser::new(&app);
    browser.open_admin_page(user::MARA_ADMIN);
    let refused = browser.open(EXPORT);
    assert!(refused.status == 400 && refused.body.contains("more than 50000 entries"), "{}", refused.body);
    let bad_day = browser.open(&format!("{EXPORT}?from=soon"));
    assert!(bad_day.status == 400 && bad_day.body.contains("“soon”, which isn't a day"), "{}", bad_day.body);
}

#[test]
fn export_of_a_viewer_has_none_of_the_rows_that_the_page_hides() {
    let app = TestApp::new();
    insert_rows(&app, 3, "Incident ");
    let browser = Browser::new(&app);
    browser.open_admin_page(user::INES_VIEWER);
    let file = browser.open(&format!("{EXPORT}?page=42&person=2"));
    assert_eq!((file.status, file.body.matches("\r\n").count()), (200, 1), "{}", file.body);
    let signed_out = Browser::new(&app).open(EXPORT);
    assert!(signed_out.body.contains("Sign in with StatiBeat") && !signed_out.body.contains("Incident"));
}
