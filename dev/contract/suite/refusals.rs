//! Requests that the server must refuse. A server that lets one of these pass lets somebody act in another person's name.

use super::reads::{Page, READS};
use super::session::{ApiCall, CONNECTOR, Outcome, Session};
use http::Method;
use serde_json::{Value, json};

/// Changes header or claims before they are signed.
type Bend = fn(&mut Value, &mut Value);

/// Each fault alone, in an assertion that is good otherwise.
const BENT: [(&str, Bend); 15] = [
    ("no signature algorithm", |header, _| header["alg"] = json!("none")),
    ("another algorithm", |header, _| header["alg"] = json!("HS256")),
    ("another type", |header, _| header["typ"] = json!(CONNECTOR)),
    ("an unknown key", |header, _| header["kid"] = json!("unknown")),
    ("critical extensions", |header, _| header["crit"] = json!(["b64"])),
    ("another issuer", |_, claims| claims["iss"] = json!("https://other.example")),
    ("another audience", |_, claims| claims["aud"] = json!("https://other.example")),
    ("another actor", |_, claims| claims["act"] = json!({"sub": "somebody"})),
    ("an unknown user", |_, claims| claims["sub"] = json!("99999999")),
    ("another method", |_, claims| claims["htm"] = json!("POST")),
    ("another address", |_, claims| claims["htu"] = json!("https://other.example/api/v1/me")),
    ("another body", |_, claims| claims["bh"] = json!("47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFX")),
    ("a life of more than a minute", |_, claims| claims["exp"] = json!(claims["iat"].as_i64().unwrap_or(0) + 61)),
    ("an end long past", |_, claims| shift(claims, -600)),
    ("a beginning in the future", |_, claims| shift(claims, 600)),
];

fn shift(claims: &mut Value, seconds: i64) {
    for time in ["iat", "exp"] {
        claims[time] = json!(claims[time].as_i64().unwrap_or(0) + seconds);
    }
}

/// Refusals that need no page.
pub fn without_page(session: &Session<'_>, outcomes: &mut Vec<(String, Outcome)>) {
    let me = ApiCall::get("/api/v1/me", "mcp.pages.read");
    let bare = session.send(&me, None).and_then(|reply| reply.expect(401));
    outcomes.push(("refuses a call without a credential".to_owned(), bare.into()));
    for (what, bend) in BENT {
        let refused = session.call_with(&me, bend).and_then(|reply| reply.expect(401));
        outcomes.push((format!("refuses an assertion with {what}"), refused.into()));
    }
    for claim in ["iss", "aud", "sub", "client_id", "grant_id", "scope", "htm", "htu", "jti", "iat", "exp", "act"] {
        let without =
            |_: &mut Value, claims: &mut Value| drop(claims.as_object_mut().and_then(|all| all.remove(claim)));
        let refused = session.call_with(&me, without).and_then(|reply| reply.expect(401));
        outcomes.push((format!("refuses an assertion without {claim}"), refused.into()));
    }
    let with_page = |_: &mut Value, claims: &mut Value| claims["page_id"] = json!(1);
    let refused = session.call_with(&me, with_page).and_then(|reply| reply.expect(401));
    outcomes.push(("refuses an assertion for a page where there is none".to_owned(), refused.into()));
    sign_in(session, outcomes);
}

/// The exchange of sign-in codes: nobody but the connector, and no code that was never given out.
fn sign_in(session: &Session<'_>, outcomes: &mut Vec<(String, Outcome)>) {
    let body = json!({"code": "never-given-out-00000000000000000000000000", "code_verifier": "v".repeat(43)});
    let exchange =
        ApiCall { method: Method::POST, path: "/api/v1/connector/sign-in/exchange", scope: "", body: Some(body) };
    let bare = session.send(&exchange, None).and_then(|reply| reply.expect(401));
    outcomes.push(("refuses to exchange a sign-in code without a credential".to_owned(), bare.into()));
    let as_person = session.call(&exchange).and_then(|reply| reply.expect(401));
    outcomes.push(("refuses to exchange a sign-in code in a person's name".to_owned(), as_person.into()));
    let token = session.signer.sign(&session.signer.header(CONNECTOR), &session.connector_claims(&exchange));
    let unknown = session.send(&exchange, Some(&token)).and_then(|reply| reply.expect(400));
    outcomes.push(("knows the connector and refuses an unknown sign-in code".to_owned(), unknown.into()));
}

/// Refusals that need a page.
pub fn on_page(session: &Session<'_>, page: &Page, outcomes: &mut Vec<(String, Outcome)>) {
    let path = page.path("/incidents?limit=1");
    let call = ApiCall::get(&path, "mcp.incidents.read");
    let mut check = |what: &str, status: u16, call: &ApiCall<'_>, bend: Bend| {
        let refused = session.call_with(call, bend).and_then(|reply| reply.expect(status));
        outcomes.push((what.to_owned(), refused.into()));
    };
    check("refuses an assertion for another page", 401, &call, |_, claims| claims["page_id"] = json!(99_999_999));
    check("refuses an assertion without its page", 401, &call, |_, claims| {
        claims.as_object_mut().and_then(|all| all.remove("page_id"));
    });
    check("refuses a read without its scope", 403, &call, |_, claims| claims["scope"] = json!("mcp.beats.read"));
    check(
        "knows no page that there is not",
        404,
        &ApiCall::get("/api/v1/orgs/1/pages/99999999/admin/summary", "mcp.pages.read"),
        |_, _| {},
    );
    let hidden = Page::new(1, 99_999_999);
    let answered = READS.iter().filter(|read| !read.contains('{')).try_for_each(|read| {
        let path = hidden.path(read);
        let scope = session.scope_of(&Method::GET, &path).ok_or_else(|| format!("no scope for {path}"))?;
        session.call(&ApiCall::get(&path, scope))?.expect(404)
    });
    outcomes.push(("reads nothing of a page that the person cannot see, by any operation".to_owned(), answered.into()));
    let mut check = |what: &str, status: u16, call: &ApiCall<'_>, bend: Bend| {
        let refused = session.call_with(call, bend).and_then(|reply| reply.expect(status));
        outcomes.push((what.to_owned(), refused.into()));
    };
    check(
        "refuses an unknown query parameter",
        400,
        &ApiCall::get(&page.path("/incidents?nonsense=1"), "mcp.incidents.read"),
        |_, _| {},
    );
    let incidents = page.path("/incidents");
    let write = ApiCall::post(&incidents, "mcp.incidents.write", json!({"title": "Check", "description": "Check."}));
    // None of these may write; each is refused before.
    check("refuses a write without its scope", 403, &write, |_, claims| claims["scope"] = json!("mcp.incidents.read"));
    check("refuses a write without the hash of its body", 401, &write, |_, claims| {
        claims.as_object_mut().and_then(|all| all.remove("bh"));
    });
    check("refuses a write with the hash of another body", 401, &write, |_, claims| claims["bh"] = json!("AAAA"));
    let stray = json!({"title": "Check", "description": "Check.", "nonsense": true});
    check(
        "refuses a write with an unknown field",
        400,
        &ApiCall::post(&incidents, "mcp.incidents.write", stray),
        |_, _| {},
    );
    check(
        "refuses the connector what it may not do",
        403,
        &ApiCall { method: Method::DELETE, ..ApiCall::get(&page.path("/incidents/99999999"), "mcp.incidents.write") },
        |_, _| {},
    );
}
