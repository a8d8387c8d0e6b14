//! Rules for on-behalf-of assertions, and the refusal of those that break one.

use serde_json::{Value, json};

use crate::story::{NOW, PAGE, Story, header, request, sign};

const INCIDENTS: &str = "/api/v1/orgs/7/pages/42/admin/incidents";

/// Sends a read with a bent assertion and gives the refusal.
fn read_with(bend: impl Fn(&mut Value, &mut Value)) -> (u16, String) {
    let story = Story::new();
    let (mut header, mut claims) =
        (header("statibeat-obo+jwt"), story.claims(1, "mcp.incidents.read", "GET", INCIDENTS, None));
    bend(&mut header, &mut claims);
    let reply = story.send(&request("GET", INCIDENTS, Some(&sign(&header, &claims)), None));
    (reply.status, reply.error().to_owned())
}

fn check(reason: &str, bend: impl Fn(&mut Value, &mut Value)) {
    assert_eq!(read_with(bend), (401, format!("assertion {reason}")));
}

fn set(claim: &'static str, value: Value) -> impl Fn(&mut Value, &mut Value) {
    move |_, claims| claims[claim] = value.clone()
}

#[test]
fn an_untouched_assertion_is_accepted() {
    assert_eq!(read_with(|_, _| {}).0, 200);
}

#[test]
fn the_header_must_be_exactly_right() {
    check("must be signed with EdDSA", |header, _| {
        header["alg"] = json!("none");
    });
    check("must be signed with EdDSA", |header, _| {
        header["alg"] = json!("HS256");
    });
    check("must be of type statibeat-obo+jwt", |header, _| {
        header["typ"] = json!("statibeat-connector+jwt");
    });
    check("is signed with an unknown key", |header, _| {
        header["kid"] = json!("obo-2");
    });
    check("has `crit`, which is not supported", |header, _| header["crit"] = json!(["b64"]));
    check("header is not readable", |header, _| {
        *header = json!({ "alg": "EdDSA" });
    });
}

#[test]
fn issuer_and_audience_must_match_exactly() {
    check("has the wrong `iss`", set("iss", json!("http://localhost:8686/")));
    check("has the wrong `aud`", set("aud", json!("http://localhost:8687")));
    check("has a jti shorter than 16 characters", set("jti", json!("short")));
    check("names another actor", set("act", json!({ "sub": "somebody" })));
}

#[test]
fn every_claim_must_be_there() {
    for claim in ["iss", "aud", "sub", "client_id", "grant_id", "scope", "htm", "htu", "jti", "iat", "exp", "act"] {
        check("lacks a required claim", |_, claims| {
            claims.as_object_mut().expect("claims").remove(claim);
        });
    }
}

#[test]
fn an_assertion_lives_a_minute_with_some_skew() {
    check("was issued in the future", |_, claims| {
        claims["iat"] = json!(NOW + 31);
        claims["exp"] = json!(NOW + 60);
    });
    check("must live between 1 and 60 seconds", set("exp", json!(NOW + 61)));
    check("must live between 1 and 60 seconds", set("exp", json!(NOW)));
    let aged = |age: i64| {
        read_with(move |_, claims| {
            claims["iat"] = json!(NOW - age);
            claims["exp"] = json!(NOW - age + 60);
        })
    };
    assert_eq!((aged(89).0, aged(90).1.as_str()), (200, "assertion has expired"));
}

#[test]
fn an_assertion_is_bound_to_its_request() {
    check("is bound to another method", set("htm", json!("POST")));
    check("is bound to another address", set("htu", json!(format!("http://127.0.0.1:8687{INCIDENTS}/1001"))));
    check("is bound to another body", set("bh", json!("47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFX")));
    check("is bound to another page", set("page_id", json!(43)));
    check("is bound to another page", |_, claims| {
        claims.as_object_mut().expect("claims").remove("page_id");
    });
}

#[test]
fn a_call_without_a_page_takes_no_page() {
    let story = Story::new();
    let mut claims = story.claims(1, "mcp.pages.read", "GET", "/api/v1/me", None);
    claims["page_id"] = json!(42);
    let token = sign(&header("statibeat-obo+jwt"), &claims);
    assert_eq!(story.send(&request("GET", "/api/v1/me", Some(&token), None)).status, 401);
}

#[test]
fn the_user_is_a_plain_decimal_number_and_exists() {
    for sub in ["", "0", "01", "+1", "1.0", "mara", "99"] {
        check("names an unknown user", set("sub", json!(sub)));
    }
}

#[test]
fn a_broken_signature_or_shape_is_refused() {
    let story = Story::new();
    let claims = story.claims(1, "mcp.incidents.read", "GET", INCIDENTS, None);
    let good = sign(&header("statibeat-obo+jwt"), &claims);
    let other_claims =
        sign(&header("statibeat-obo+jwt"), &story.claims(2, "mcp.incidents.read", "GET", INCIDENTS, None));
    let swapped =
        format!("{}.{}", good.rsplit_once('.').expect("parts").0, other_claims.rsplit_once('.').expect("parts").1);
    let huge = format!("{good}{}", "A".repeat(4097));
    for (token, reason) in [
        (swapped, "assertion signature is invalid"),
        (huge, "assertion is larger than 4 kB"),
        (format!("{good}.x"), "bearer token is not valid"),
        ("a.b.c".to_owned(), "assertion header is not readable"),
        ("sb_unknown".to_owned(), "bearer token is not valid"),
    ] {
        assert_eq!(story.send(&request("GET", INCIDENTS, Some(&token), None)).error(), reason);
    }
    assert_eq!(story.send(&request("GET", INCIDENTS, None, None)).error(), "bearer token required");
}

#[test]
fn a_write_needs_the_hash_of_its_body_and_works_once() {
    let story = Story::new();
    let body = json!({ "title": "T", "description": "D" });
    let request = story.on_behalf(2, "mcp.incidents.write", "POST", INCIDENTS, Some(body.clone()));
    assert_eq!(story.send(&request).status, 201);
    assert_eq!(story.send(&request).error(), "assertion was used before");
    let mut claims = story.claims(2, "mcp.incidents.write", "POST", INCIDENTS, Some(&body.to_string()));
    claims.as_object_mut().expect("claims").remove("bh");
    let bare = sign(&header("statibeat-obo+jwt"), &claims);
    let refused = story.send(&crate::story::request("POST", INCIDENTS, Some(&bare), Some(body)));
    assert_eq!(refused.error(), "assertion must carry the hash of the body");
}

#[test]
fn a_read_may_be_repeated() {
    let story = Story::new();
    let request = story.on_behalf(1, "mcp.incidents.read", "GET", INCIDENTS, None);
    assert_eq!((story.send(&request).status, story.send(&request).status), (200, 200));
}

#[test]
fn the_scope_must_cover_the_call() {
    let story = Story::new();
    let refused = story.user(1, "mcp.incidents.write", "GET", &format!("{INCIDENTS}/1001/updates"), None);
    assert_eq!((refused.status, refused.error()), (403, "scope mcp.incidents.read is required"));
    let body = json!({ "title": "T", "description": "D" });
    assert_eq!(story.user(1, "mcp.incidents.read", "POST", INCIDENTS, Some(body)).status, 403);
    assert_eq!(story.user(1, "mcp.pages.read mcp.incidents.read", "GET", INCIDENTS, None).status, 200);
    assert_eq!(story.user(1, "mcp.everything", "GET", INCIDENTS, None).status, 401);
    assert_eq!(story.user(1, "", "GET", "/api/v1/me", None).status, 401);
}

#[test]
fn the_connector_is_kept_out_of_everything_else() {
    let story = Story::new();
    let all = "mcp.pages.read mcp.beats.read mcp.incidents.read mcp.incidents.write mcp.maintenances.read \
               mcp.maintenances.write mcp.analytics.read";
    for (method, path) in [
        ("DELETE", "/incidents/1001"),
        ("POST", "/incidents/1001/resolve"),
        ("POST", "/incidents/1001/acknowledge"),
        ("POST", "/incidents/external/pagerduty-Q2TXAPI/updates"),
        ("POST", "/maintenances/2001/complete"),
        ("POST", "/maintenances/2002/cancel"),
        ("DELETE", "/maintenances/2002"),
        ("POST", "/beats/501/run"),
        ("POST", "/beats/actions/701/approve"),
    ] {
        let refused = story.user(1, all, method, &format!("{PAGE}{path}"), None);
        assert_eq!((refused.status, refused.error()), (403, "this endpoint is not open to the connector"), "{path}");
    }
    assert_eq!(story.user(1, all, "GET", "/api/v1/admin/incidents", None).status, 403, "the page's own host");
}

#[test]
fn a_key_set_is_taken_whole_or_not_at_all() {
    let story = Story::new();
    for bad in ["{}", "{\"keys\":[]}", "not json", "{\"keys\":[{\"kty\":\"RSA\"}]}"] {
        assert!(story.simulator.set_connector_keys(bad).is_err(), "{bad}");
    }
    assert_eq!(story.user(1, "mcp.incidents.read", "GET", INCIDENTS, None).status, 200);
    let unknown = story.claims(1, "mcp.incidents.read", "GET", INCIDENTS, None);
    let token = sign(&json!({ "alg": "EdDSA", "typ": "statibeat-obo+jwt", "kid": "next" }), &unknown);
    assert!(story.simulator.needs_connector_keys(&request("GET", INCIDENTS, Some(&token), None)));
    assert!(!story.simulator.needs_connector_keys(&request("GET", INCIDENTS, Some("sb_demo_read_42"), None)));
}
