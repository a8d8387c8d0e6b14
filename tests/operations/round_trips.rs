//! Round trips of each operation to D1, to Durable Objects and to StatiBeat: counted and compared with a table, because a person
//! waits for every one of them. `docs/round-trips.md` shows the table.
//!
//! A grant that was not used for five minutes costs one D1 batch more, which records the use. A write costs two objects and not
//! one, because the connection and the page have counters of their own: one connection writes to many pages and many connections
//! write to one page, so no single object sees both. They are called one after the other: in parallel, a connection over its
//! limit would use up the limit of its page.

use crate::support::browser::{Browser, parameter};
use crate::support::flow::{CLIENT, authorize_url, tokens, user};
use crate::support::surface::{EVERYTHING, PROMPTS, URIS, prompt, tools};
use crate::support::{PUBLIC_URL, TestApp, json as json_of, request};
use serde_json::{Value, json};
use statibeat_mcp::catalog::uri::Roots;
use statibeat_mcp::catalog::{self, resources::RESOURCES};
use statibeat_mcp::telemetry::RequestRecord;
use statibeat_mcp::upstream::memory::LIST_LIFETIME;
use std::cell::RefCell;
use std::collections::BTreeSet;

const ADMIN_PAGE: &str = "https://mcp.example/mcp/admin";

/// Upper bounds of the round trips of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct RoundTrips {
    operation: &'static str,
    d1: u32,
    objects: u32,
    /// Requests to StatiBeat, not counting the reads of the entry.
    upstream: u32,
    /// The reads that the catalog lists for the entry come on top.
    and_reads: bool,
}

const fn costs(operation: &'static str, d1: u32, objects: u32, upstream: u32) -> RoundTrips {
    RoundTrips { operation, d1, objects, upstream, and_reads: false }
}

const fn and_reads(costs: RoundTrips) -> RoundTrips {
    RoundTrips { and_reads: true, ..costs }
}

const ROUND_TRIPS: [RoundTrips; 26] = [
    costs("metadata", 0, 0, 0),
    costs("made-up bearer token", 0, 1, 0),
    costs("ended bearer token", 1, 0, 0),
    costs("ended bearer token, again within a minute", 0, 0, 0),
    costs("tools/list", 1, 0, 0),
    costs("prompts/list", 1, 0, 0),
    costs("resources/templates/list", 1, 0, 0),
    costs("resources/list", 1, 0, 1),
    and_reads(costs("resources/read without a page", 1, 0, 0)),
    and_reads(costs("resources/read on a page", 1, 0, 1)),
    // StatiBeat checks the person's role on each read.
    and_reads(costs("resources/read on a page seen within a minute", 1, 0, 0)),
    and_reads(costs("prompts/get", 1, 0, 1)),
    and_reads(costs("prompts/get on a page seen within a minute", 1, 0, 0)),
    // The lease, the last check before the post (a revocation meanwhile must hold), the end; permission, a look for the same incident, the post. What stages and windows add stands in the
    // document.
    costs("tools/call", 4, 2, 3),
    // Earlier calls, the kept preview with its audit row; whether that row is one too many; permission, the effect.
    costs("tools/call, preview", 3, 1, 2),
    // What is confirmed, read beside the permission; the rest as without it.
    costs("tools/call, confirmation", 5, 2, 3),
    costs("authorization request", 0, 1, 0),
    costs("return from sign-in", 1, 1, 1),
    costs("consent page", 1, 0, 1),
    costs("consent answer", 2, 1, 1),
    costs("code exchange", 2, 0, 1),
    costs("refresh", 2, 0, 1),
    costs("revocation", 2, 0, 0),
    // The session and everything else: whose page it is decides what is asked for.
    costs("Hosted MCP page", 2, 0, 1),
    // The session, whether it is theirs to do, the deed.
    costs("action on the Hosted MCP page", 3, 0, 0),
    costs("connections by the admin API", 2, 0, 1),
];

fn find(operation: &str) -> Option<RoundTrips> {
    ROUND_TRIPS.into_iter().find(|costs| costs.operation == operation)
}

/// The operations that were held against the table.
type Seen = RefCell<BTreeSet<&'static str>>;

fn check(app: &TestApp, seen: &Seen, operation: &str, reads: usize) {
    check_record(&app.last_record(), seen, operation, reads);
}

fn check_record(record: &RequestRecord, seen: &Seen, operation: &str, reads: usize) {
    let costs = find(operation).unwrap_or_else(|| panic!("no row for {operation}"));
    let most = costs.upstream + if costs.and_reads { u32::try_from(reads).expect("few") } else { 0 };
    assert_eq!((record.database.count, record.objects.count), (costs.d1, costs.objects), "{operation}: {record:?}");
    let is_write = operation.starts_with("tools/call");
    let fits = if is_write { record.upstream.count <= most } else { record.upstream.count == most };
    assert!(fits, "{operation}: at most {most}: {record:?}");
    seen.borrow_mut().insert(costs.operation);
}

fn reads(name: &str) -> usize {
    let resource = catalog::find_resource(name).expect("a resource");
    // A session resource reads its parts on each of the two pages.
    let pages = if resource.binding == catalog::Binding::Session { 2 } else { 1 };
    resource.reads.len() + pages * resource.parts.len()
}

#[test]
fn every_operation_costs_what_the_table_says() {
    let (app, seen) = (TestApp::new(), Seen::default());
    let check = |operation: &str, reads: usize| check(&app, &seen, operation, reads);
    app.get("/.well-known/oauth-authorization-server");
    check("metadata", 0);
    app.get(&authorize_url(&[]));
    check("authorization request", 0);
    let browser = Browser::new(&app);
    let consent = browser.sign_in(&authorize_url(&[("scope", EVERYTHING)]), user::MARA_ADMIN);
    check("consent page", 0);
    let records = app.records.borrow().len();
    let returned = app.records.borrow()[records - 2].clone();
    check_record(&returned, &seen, "return from sign-in", 0);
    let all: Vec<String> = EVERYTHING.split(' ').map(str::to_owned).collect();
    let left = browser.answer_with(&consent, "approve", &all).leaves_for();
    check("consent answer", 0);
    let code = parameter(&left, "code").expect("a code");
    let first = tokens(&app.redeem(&code, &[]));
    check("code exchange", 0);
    let pair = tokens(&app.refresh(&first.refresh, &[]));
    check("refresh", 0);
    app.ping("made-up");
    check("made-up bearer token", 0);

    app.ping(&pair.access);
    for list in ["tools/list", "prompts/list", "resources/templates/list", "resources/list"] {
        app.call(&pair.access, list, json!({}));
        check(list, 0);
    }
    for uri in URIS {
        app.read(&pair.access, uri);
        let entry = Roots::HOSTED.find(uri, RESOURCES).expect("a resource").resource;
        let is_on_page = uri.starts_with("statibeat://pages/");
        let seen = "resources/read on a page seen within a minute";
        check(if is_on_page { seen } else { "resources/read without a page" }, reads(entry.name));
    }
    for (name, _) in PROMPTS {
        app.call(&pair.access, "prompts/get", prompt(name));
        let entry = catalog::find_prompt(name).expect("a prompt");
        check(
            "prompts/get on a page seen within a minute",
            entry.resources.iter().chain(entry.extras).map(|name| reads(name)).sum(),
        );
    }
    app.advance(LIST_LIFETIME);
    app.read(&pair.access, "statibeat://pages/42/summary");
    check("resources/read on a page", 1);
    app.advance(LIST_LIFETIME);
    app.call(&pair.access, "prompts/get", prompt(PROMPTS[0].0));
    let entry = catalog::find_prompt(PROMPTS[0].0).expect("a prompt");
    check("prompts/get", entry.resources.iter().chain(entry.extras).map(|name| reads(name)).sum());
    for (name, arguments) in tools() {
        app.call(&pair.access, "tools/call", json!({ "name": name, "arguments": arguments }));
        assert_eq!(app.last_record().reason, None, "{name} was done");
        check("tools/call", 0);
    }
    for (name, mut arguments) in tools() {
        arguments["preview"] = json!(true);
        arguments["idempotency_key"] = json!(format!("another call of {name}"));
        arguments["message"] = arguments.get("message").map_or(Value::Null, |_| json!("Something else."));
        arguments["title"] = arguments.get("title").map_or(Value::Null, |_| json!("Another title"));
        let shown = json_of(&app.call(&pair.access, "tools/call", json!({ "name": name, "arguments": arguments })));
        check("tools/call, preview", 0);
        let confirm = &shown["result"]["structuredContent"]["preview"]["confirm"];
        let confirmed = json!({ "page_id": arguments["page_id"], "confirm": confirm });
        app.call(&pair.access, "tools/call", json!({ "name": name, "arguments": confirmed }));
        assert_eq!(app.last_record().reason, None, "{name} was done");
        check("tools/call, confirmation", 0);
    }
    let form = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("token", pair.refresh.as_str()), ("client_id", CLIENT)])
        .finish();
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    assert_eq!(app.send(request("POST", "/mcp/oauth/revoke", &headers, form)).status(), 200);
    check("revocation", 0);
    app.ping(&pair.access);
    check("ended bearer token", 0);
    app.ping(&pair.access);
    check("ended bearer token, again within a minute", 0);

    look_after(&app, &check);

    let rows: BTreeSet<&str> = ROUND_TRIPS.iter().map(|costs| costs.operation).collect();
    assert_eq!(*seen.borrow(), rows, "every row was looked at");
}

/// A person with two pages looks at what they connected, and acts.
fn look_after(app: &TestApp, check: &impl Fn(&str, usize)) {
    app.connect(user::MARA_ADMIN, EVERYTHING);
    let browser = Browser::new(app);
    browser.open_admin_page(user::MARA_ADMIN);
    let page = browser.open(ADMIN_PAGE);
    check("Hosted MCP page", 0);
    browser.open(&format!("{ADMIN_PAGE}/api/connections"));
    check("connections by the admin API", 0);
    for action in ["pause", "resume", "confirm-always", "confirm-as-usual", "revoke"] {
        let fields = [
            ("token", page.hidden("token")),
            ("confirmed", "1".into()),
            ("action", action.into()),
            ("connection", format!("1 {CLIENT}")),
        ];
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let url = url::Url::parse(&format!("{ADMIN_PAGE}/action")).expect("a URL");
        assert_eq!(browser.request("POST", &url, form, PUBLIC_URL).status(), 303, "{action}");
        check("action on the Hosted MCP page", 0);
    }
}

#[test]
fn the_table_for_people_is_the_one_in_the_code() {
    let document = include_str!("../../docs/round-trips.md");
    let rows = ROUND_TRIPS.iter().map(|costs| {
        let reads = if costs.and_reads { " + its reads" } else { "" };
        format!("| {} | {} | {} | {}{reads} |\n", costs.operation, costs.d1, costs.objects, costs.upstream)
    });
    let table: String = rows.collect();
    assert!(document.contains(&table), "docs/round-trips.md should have:\n{table}");
}
