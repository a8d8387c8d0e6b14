//! Reading incidents: filters, limits, compact and full.

use serde_json::json;

use crate::incidents::{read, update};
use crate::story::{NOW, PAGE, Story};

#[test]
fn lists_filter_limit_and_count() {
    let story = Story::new();
    let list = |query: &str| story.user(3, "mcp.incidents.read", "GET", &format!("{PAGE}/incidents{query}"), None);
    assert_eq!(
        (list("?status=active").json["total"].clone(), list("?status=resolved").json["total"].clone()),
        (json!(3), json!(12))
    );
    let cut = list("?limit=2");
    assert_eq!((cut.items().len(), &cut.json["total"]), (2, &json!(15)));
    assert!(cut.items()[0].get("updates").is_none());
    assert!(list("?limit=1&view=full").items()[0].get("updates").is_some());
    for bad in [
        "?limit=0",
        "?limit=201",
        "?limit=x",
        "?limit=%2B5",
        "?status=open",
        "?view=all",
        "?page=2",
        "?limit=1&limit=2",
    ] {
        assert_eq!(list(bad).status, 400, "{bad}");
    }
}

#[test]
fn a_document_carries_the_newest_twenty_updates() {
    let story = Story::new();
    for index in 0..22 {
        story.now.set(NOW + index);
        assert_eq!(update(&story, &json!(1002), json!({ "message": format!("Note {index}") })).status, 201);
    }
    let document = read(&story, &json!(1002));
    assert_eq!((document["updates"].as_array().map(Vec::len), &document["updates_total"]), (Some(20), &json!(25)));
    assert_eq!(
        (&document["updates"][0]["message"], &document["latest_update"]["message"]),
        (&json!("Note 21"), &json!("Note 21"))
    );
    let path = format!("{PAGE}/incidents/1002/updates");
    assert_eq!(story.user(3, "mcp.incidents.read", "GET", &path, None).items().len(), 25);
}
