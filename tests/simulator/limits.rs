//! Limits: writes per minute, body size, content type.

use serde_json::json;

use crate::story::{NOW, PAGE, Story, request};
use statibeat_simulator::Settings;

const ADMIN: &str = "sb_demo_admin_42";

#[test]
fn the_write_limit_counts_by_principal_and_route_and_says_when_to_come_back() {
    let story = Story::with(Settings { writes_per_minute: 2, ..Settings::local(NOW) });
    let body = || Some(json!({ "title": "T", "description": "D" }));
    let path = format!("{PAGE}/incidents");
    let create = |user| story.user(user, "mcp.incidents.write", "POST", &path, body());
    assert_eq!((create(1).status, create(1).status), (201, 201));
    let limited = create(1);
    assert_eq!(limited.status, 429);
    let headers =
        ["x-ratelimit-tier", "x-ratelimit-limit", "x-ratelimit-window-seconds"].map(|name| limited.header(name));
    assert_eq!(headers, ["admin_write", "2", "60"]);
    let wait: i64 = limited.header("retry-after").parse().expect("seconds");
    assert_eq!(create(2).status, 201, "another principal");
    let update = format!("{path}/1001/updates");
    assert_eq!(story.user(1, "mcp.incidents.write", "POST", &update, Some(json!({ "message": "M" }))).status, 201);
    story.now.set(NOW + wait);
    assert_eq!(create(1).status, 201, "the next window");
}

#[test]
fn refused_writes_carry_the_limiter_s_headers_too() {
    let refused = Story::new().token(ADMIN, "POST", &format!("{PAGE}/incidents"), Some(json!({ "x": 1 })));
    assert_eq!((refused.status, refused.header("x-ratelimit-tier")), (400, "admin_write"));
}

#[test]
fn a_body_over_one_mebibyte_is_too_large() {
    let body = json!({ "title": "T", "description": "x".repeat(1024 * 1024) });
    assert_eq!(Story::new().token(ADMIN, "POST", &format!("{PAGE}/incidents"), Some(body)).status, 413);
}

#[test]
fn a_body_must_be_json_and_say_so() {
    let story = Story::new();
    let send = |content_type: &str, body: &'static str| {
        let mut request = request("POST", &format!("{PAGE}/incidents"), Some(ADMIN), Some(json!({})));
        request.headers_mut().insert("content-type", content_type.parse().expect("a header"));
        *request.body_mut() = body.into();
        story.send(&request)
    };
    assert_eq!(send("text/plain", "{}").status, 415);
    assert_eq!(send("application/json", "{").error(), "request body is not valid JSON");
    assert_eq!(
        send("application/json; charset=utf-8", "{\"title\":\"a\",\"title\":\"b\"}").error(),
        "duplicate field \"title\""
    );
}
