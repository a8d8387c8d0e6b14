//! Fuzz targets for what surrounds a request's body: its head, its cookies, StatiBeat's responses and the rows of the database.

use super::world::{CALLBACK, CLIENT, ORIGIN, UPSTREAM, VERIFIER, World, request, with};
use bytes::Bytes;
use http::{Response, StatusCode};
use serde_json::{Value, json};
use statibeat_mcp::catalog::resources::RESOURCES;
use statibeat_mcp::catalog::uri::Roots;
use statibeat_mcp::model::scope::{PagePermission, Scope};

/// Checks that no request line and no header leads anywhere but to this server and StatiBeat's sign-in page. The first line is the
/// method and the target, each further line a header.
pub fn head(bytes: &[u8]) {
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let first = String::from_utf8_lossy(lines.next().unwrap_or_default()).into_owned();
    let (method, target) = first.split_once(' ').unwrap_or(("GET", &first));
    let mut builder = http::Request::builder().method(method).uri(target);
    for line in lines {
        let at = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
        builder = builder.header(&line[..at], line.get(at + 1..).unwrap_or_default().trim_ascii());
    }
    let Ok(request) = builder.body(Bytes::new()) else { return };
    let answer = with(|world| world.send(request));
    if let Some(location) = answer.headers().get("location") {
        let location = location.to_str().expect("text");
        let is_ours = location.starts_with('/') && !location.starts_with("//") && !location.contains('\\')
            || location.starts_with(&format!("{ORIGIN}/"));
        assert!(is_ours || location.starts_with(&format!("{UPSTREAM}/connector/sign-in?")), "{location}");
    }
}

pub fn head_seeds() -> Vec<Vec<u8>> {
    let session = with(World::admin_session);
    vec![
        b"GET /".to_vec(),
        b"OPTIONS /mcp\norigin: https://claude.ai\naccess-control-request-method: POST".to_vec(),
        format!("GET /mcp/admin?zone=Europe%2FBerlin\ncookie: __Host-sbmcp_admin={session}\nsec-fetch-site: none").into(),
        b"GET /mcp/admin/sign-in?return=%2Fmcp%2Fadmin%2Fconnections%2Fg\nsec-fetch-site: same-origin".to_vec(),
        b"GET /.well-known/oauth-protected-resource/mcp\naccept: text/html\nif-none-match: \"x\"\ntraceparent: 00-1-1-01".to_vec(),
    ]
}

/// Checks that the Hosted MCP page asks everyone to sign in but the browser that sends the session's cookie.
pub fn cookie(bytes: &[u8]) {
    if request("GET", "/", &[("cookie", bytes)], b"").is_none() {
        return;
    }
    let pair = format!("__Host-sbmcp_admin={}", with(World::admin_session));
    let is_sent = bytes.split(|byte| *byte == b';').any(|sent| sent.trim_ascii() == pair.as_bytes());
    assert!(is_asked_to_sign_in(bytes) || is_sent, "{}", String::from_utf8_lossy(bytes));
    for path in ["/mcp/oauth/callback?code=x&state=y", "/mcp/oauth/consent?request=z", "/mcp/admin/sign-in"] {
        let page = request("GET", path, &[("cookie", bytes)], b"").expect("a request");
        with(|world| world.send(page));
    }
}

fn is_asked_to_sign_in(cookies: &[u8]) -> bool {
    let page = request("GET", "/mcp/admin", &[("cookie", cookies)], b"").expect("a request");
    let status = with(|world| world.send(page)).status();
    let signed_out = request("GET", "/mcp/admin", &[], b"").expect("a request");
    status == with(|world| world.send(signed_out)).status()
}

pub fn cookie_seeds() -> Vec<Vec<u8>> {
    let session = with(World::admin_session);
    let pending = (1..6).map(|number| format!("__Host-sbmcp_in_{number}=x")).collect::<Vec<_>>().join("; ");
    [
        format!("__Host-sbmcp_admin={session}"),
        format!("a=b; \u{2003}__Host-sbmcp_admin={session}; __Host-sbmcp_zone=Europe/Berlin"),
        pending,
    ]
    .map(String::into_bytes)
    .to_vec()
}

/// Checks that no response of StatiBeat breaks a read, a preview or a write. The first byte selects the call; each line of the rest is
/// a response, with its status in front where it isn't 200.
pub fn upstream(bytes: &[u8]) {
    let Some((call, rest)) = bytes.split_first() else { return };
    let responses = rest.split(|byte| *byte == b'\n').map(|line| {
        let status = line.get(..3).and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
        match status.filter(|status| (200..600).contains(status)) {
            Some(status) => (status, Bytes::copy_from_slice(&line[3..])),
            None => (200, Bytes::copy_from_slice(line)),
        }
    });
    let answer = with(|world| send_call(world, usize::from(*call), responses));
    let text = std::str::from_utf8(answer.body()).expect("text");
    assert!(text.is_empty() || serde_json::from_str::<Value>(text).is_ok(), "{text}");
    assert!(!text.contains(&with(World::access_token)), "{text}");
}

/// Sends the call of this number: a read of every resource, then writes with and without a preview.
fn send_call(world: &World, number: usize, responses: impl Iterator<Item = (u16, Bytes)>) -> Response<Bytes> {
    let calls: Vec<Value> = RESOURCES
        .iter()
        .filter(|resource| resource.hosted.is_some())
        .map(|resource| read(&Roots::HOSTED.template(resource)))
        .chain(writes())
        .collect();
    let mut call = calls[number % calls.len()].clone();
    call["jsonrpc"] = json!("2.0");
    call["id"] = json!(1);
    let scopes: Vec<&str> = Scope::ALL.iter().map(|scope| scope.as_str()).collect();
    let columns = json!({ "scope": scopes.join(" "), "token_scope": scopes.join(" ") });
    let authorization = format!("Bearer {}", world.access_token());
    let headers: [(&str, &[u8]); 3] = [
        ("authorization", authorization.as_bytes()),
        ("content-type", b"application/json"),
        ("mcp-protocol-version", b"2025-11-25"),
    ];
    let request = request("POST", "/mcp", &headers, call.to_string().as_bytes()).expect("a request");
    world.answer_upstream_in_turn(responses);
    let answer = world.with_columns(columns.as_object().cloned().unwrap_or_default(), || world.send(request));
    // The other targets expect none.
    world.answer_upstream_in_turn([]);
    answer
}

fn read(template: &str) -> Value {
    let path = template.split('?').next().unwrap_or_default();
    let parts: Vec<&str> = path.split('/').map(|part| if part.starts_with('{') { "42" } else { part }).collect();
    json!({ "method": "resources/read", "params": { "uri": parts.join("/") } })
}

fn writes() -> impl Iterator<Item = Value> {
    [
        ("create_incident", json!({ "title": "Slow", "description": "It is slow.", "preview": true })),
        ("create_incident", json!({ "title": "Slow", "description": "It is slow.", "affected_items": [{ "id": 42 }] })),
        ("add_incident_update", json!({ "incident_id": 42, "message": "We are on it." })),
        (
            "schedule_maintenance",
            json!({ "title": "Upgrade", "description": "x", "starts_at": "2030-01-31T22:00:00Z", "ends_at": "2030-01-31T23:00:00Z" }),
        ),
        ("add_maintenance_update", json!({ "maintenance_id": 42, "message": "On time." })),
    ]
    .into_iter()
    .map(|(name, mut arguments)| {
        arguments["page_id"] = json!(42);
        json!({ "method": "tools/call", "params": { "name": name, "arguments": arguments } })
    })
}

pub fn upstream_seeds() -> Vec<Vec<u8>> {
    let permissions: Vec<&str> = PagePermission::ALL.iter().map(|permission| permission.key()).collect();
    let page = json!({
        "id": 42, "organization_id": 3, "name": "Acme", "slug": "acme", "time_zone": "Europe/Stockholm", "subscriber_count": 5,
        "permissions": permissions,
    });
    let pages = json!({ "items": [page], "total": 1 });
    let entry = json!({
        "id": 42, "title": "Slow", "name": "API", "started_at": "2026-09-21T14:13:20Z", "starts_at": "2026-09-21T14:13:20Z",
        "ends_at": "2026-09-22T14:13:20Z", "updated_at": "2026-09-21T14:13:20Z", "affected_items": [{ "id": 42 }], "children": [],
        "updates": [{ "id": 1, "message": "x", "created_at": "2026-09-21T14:13:20Z" }], "lifecycle_stage": { "id": 1, "key": "open" },
    });
    let list = json!({ "items": [entry], "total": 1 });
    let calls = u8::try_from(RESOURCES.len() + 5).unwrap_or(u8::MAX);
    let seed =
        |call: u8| [&[call][..], format!("{pages}\n{list}\n{entry}\n503{{\"error\":\"later\"}}").as_bytes()].concat();
    (0..calls).map(seed).collect()
}

/// Checks that no value in a row of the database breaks a response. The first byte selects the request; the rest is a JSON object
/// whose members replace columns of every row.
pub fn row(bytes: &[u8]) {
    let Some((number, rest)) = bytes.split_first() else { return };
    let Ok(columns) = serde_json::from_slice::<serde_json::Map<String, Value>>(rest) else { return };
    with(|world| world.with_columns(columns, || send_stored(world, usize::from(*number))));
}

/// Sends one of the requests that are answered from the database.
fn send_stored(world: &World, number: usize) -> StatusCode {
    const FORM: (&str, &[u8]) = ("content-type", b"application/x-www-form-urlencoded");
    let (cookie, bearer) =
        (format!("__Host-sbmcp_admin={}", world.admin_session()), format!("Bearer {}", world.access_token()));
    let redeem = format!(
        "grant_type=authorization_code&client_id={CLIENT}&code={}&code_verifier={VERIFIER}&redirect_uri={CALLBACK}",
        world.code()
    );
    let refresh = format!("grant_type=refresh_token&client_id={CLIENT}&refresh_token={}", world.refresh_token());
    let pages = ["/mcp/admin", "/mcp/admin/activity", "/mcp/admin/api/connections", "/mcp/admin/activity/export"];
    let get = |path: &str| request("GET", path, &[("cookie", cookie.as_bytes())], b"");
    let request = match number % (pages.len() + 3) {
        0 => request("POST", "/mcp/oauth/token", &[FORM], redeem.as_bytes()),
        1 => request("POST", "/mcp/oauth/token", &[FORM], refresh.as_bytes()),
        2 => {
            let headers: [(&str, &[u8]); 2] =
                [("authorization", bearer.as_bytes()), ("content-type", b"application/json")];
            request("POST", "/mcp", &headers, br#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#)
        }
        page => get(pages[page - 3]),
    };
    world.send(request.expect("a request")).status()
}

pub fn row_seeds() -> Vec<Vec<u8>> {
    let columns = json!({
        "scope": "mcp.pages.read mcp.incidents.write", "pages": "[42,43]", "expires_at": 1_790_000_100, "revoked_at": null,
        "rotated_at": 1_789_999_000, "rotate_salt": "c2FsdA", "rotate_kid": "rotation", "client_name": "\u{202e}", "confirm": "always",
        "are_writes_paused": 1, "generation": 9_007_199_254_740_991_i64, "last_used_at": null, "blocked_pages": "[]", "day": "2026-09-21",
    });
    (0..7).map(|number| [&[number][..], columns.to_string().as_bytes()].concat()).collect()
}

/// Checks that a seed of each kind gets through: a list of StatiBeat's entries, a session, and tokens for a code.
pub fn good_answers_succeed() {
    let seeds = upstream_seeds();
    let is_read = |seed: &Vec<u8>| {
        let lines = seed[1..].split(|byte| *byte == b'\n').map(|line| (200, Bytes::copy_from_slice(line)));
        let answer = with(|world| send_call(world, usize::from(seed[0]), lines));
        serde_json::from_slice::<Value>(answer.body()).is_ok_and(|answer| answer["result"]["contents"].is_array())
    };
    let count = seeds.iter().filter(|seed| is_read(seed)).count();
    assert!(count > 10, "{count} of {} reads succeed", seeds.len());
    assert!(is_asked_to_sign_in(b"a=b") && !is_asked_to_sign_in(&cookie_seeds()[0]));
    let statuses: Vec<StatusCode> = (0..3).map(|number| with(|world| send_stored(world, number))).collect();
    assert_eq!(statuses, [StatusCode::OK; 3]);
}
