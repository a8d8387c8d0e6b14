//! The operator's deletions (`xtask/src/operations/erase.rs`), on the database of a connector at work.

use crate::support::TestApp;
use crate::support::browser::Browser;
use crate::support::flow::user;
use crate::support::surface::EVERYTHING;
use statements::{counting_old_audit, counting_person, deleting_old_audit, erasing_person};

#[path = "../../xtask/src/operations/erase/statements.rs"]
mod statements;

fn run(app: &TestApp, sql: &str) {
    for statement in sql.split(";\n").filter(|statement| !statement.starts_with("SELECT")) {
        app.db.execute(statement.trim_end_matches(';'));
    }
}

#[test]
fn erased_person_is_named_nowhere_and_others_stay() {
    let app = TestApp::new();
    let mara = app.connect(user::MARA_ADMIN, EVERYTHING);
    let theo = app.connect(user::THEO_MANAGER, EVERYTHING);
    app.ping(&mara.access);
    Browser::new(&app).open_admin_page(user::MARA_ADMIN);
    let name = "Mara";
    let rows = app.db.count("SELECT count(*) FROM audit");
    assert!(app.db.dump_everything().contains(name));
    let counted = app.db.count(&format!("SELECT grants + sessions FROM ({})", counting_person(user::MARA_ADMIN)));
    assert_eq!(counted, 2);

    run(&app, &erasing_person(user::MARA_ADMIN));

    assert!(!app.db.dump_everything().contains(name), "{}", app.db.dump_everything());
    assert_eq!((app.ping(&mara.access), app.ping(&theo.access)), (401, 200));
    assert_eq!(app.db.count("SELECT count(*) FROM audit"), rows, "what was done stays on record");
    let left = app.db.count(&format!("SELECT audit + grants FROM ({})", counting_person(user::MARA_ADMIN)));
    assert_eq!(left, 0);
}

#[test]
fn old_rows_of_the_audit_log_are_deleted_and_new_ones_kept() {
    let app = TestApp::new();
    app.connect(user::MARA_ADMIN, EVERYTHING);
    let rows = app.db.count("SELECT count(*) FROM audit");
    app.db.execute("UPDATE audit SET created_at = unixepoch()");
    app.db.execute("UPDATE audit SET created_at = unixepoch() - 400 * 86400 WHERE id = (SELECT min(id) FROM audit)");
    assert_eq!(app.db.count(&counting_old_audit(365)), 1);
    run(&app, &deleting_old_audit(365));
    assert_eq!(app.db.count(&counting_old_audit(365)), 0);
    assert_eq!(app.db.count("SELECT count(*) FROM audit"), rows - 1);
}
