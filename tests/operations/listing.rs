//! The review kit's examples and test cases, played here: docs/listing.md shows what a reviewer should see, and this test writes that part.

use crate::support::accepted;
use crate::support::browser::{Browser, parameter};
use crate::support::flow::{authorize_url, tokens, user};
use crate::support::surface::EVERYTHING;
use crate::support::{TestApp, json};
use serde_json::{Value, json};
use statibeat_mcp::model::scope::Scope;
use std::fmt::Write as _;

const DOCUMENT: &str = "docs/listing.md";
const BEGIN: &str = "<!-- Written by a test: `npm test -- --accept listing` -->\n";
const END: &str = "<!-- The end of what a test writes -->\n";
/// Longest part of a result that the document shows, in characters.
const SHOWN: usize = 700;

/// A case of the kit: what a reviewer types, and the calls that an app then makes.
struct ReviewCase {
    title: &'static str,
    prompt: &'static str,
    /// The expected result, in a sentence for reviewers.
    expected: &'static str,
    person: &'static str,
    scopes: &'static str,
    calls: &'static [ReviewCall],
}

struct ReviewCall {
    tool: &'static str,
    arguments: fn() -> Value,
    /// `Confirm` takes the confirm token of the call before.
    is_confirmation: bool,
    /// A part of the result without which the case has failed.
    expects: &'static str,
    fails: bool,
}

const fn call(tool: &'static str, arguments: fn() -> Value, expects: &'static str) -> ReviewCall {
    ReviewCall { tool, arguments, is_confirmation: false, expects, fails: false }
}

const fn confirm(tool: &'static str, expects: &'static str) -> ReviewCall {
    ReviewCall { tool, arguments: || json!({ "page_id": 42 }), is_confirmation: true, expects, fails: false }
}

const fn refused(tool: &'static str, arguments: fn() -> Value, expects: &'static str) -> ReviewCall {
    ReviewCall { tool, arguments, is_confirmation: false, expects, fails: true }
}

const READ_ONLY: &str = "mcp.pages.read mcp.incidents.read mcp.beats.read mcp.maintenances.read";

const POSITIVE: [ReviewCase; 5] = [
    ReviewCase {
        title: "Open incidents",
        prompt: "Which of my status pages have open incidents?",
        expected: "the open incidents of every page, by title and id, with how old their last update is. Nothing is published.",
        person: user::MARA_ADMIN,
        scopes: READ_ONLY,
        calls: &[call("read_resource", || json!({ "uri": "statibeat://overview" }), "Northwind")],
    },
    ReviewCase {
        title: "Post an incident",
        prompt: "Checkout has been slow for ten minutes. Tell our customers, and show me the text first.",
        expected: "a preview with title, text, status and the number of subscribers; after a yes, the incident is public and its link is given.",
        person: user::MARA_ADMIN,
        scopes: EVERYTHING,
        calls: &[
            call("read_resource", || json!({ "page_id": 42, "resource": "writing" }), "statuses"),
            call(
                "create_incident",
                || {
                    json!({
                        "page_id": 42, "title": "Checkout is slow",
                        "description": "Since 08:10 UTC payments take up to a minute. We are looking for the cause.",
                        "preview": true,
                    })
                },
                "confirm",
            ),
            confirm("create_incident", "Created incident"),
        ],
    },
    ReviewCase {
        title: "Announce maintenance",
        prompt: "Announce that we upgrade the database on 31 January 2030, 22:00 to 23:00 UTC. Show me the text first.",
        expected: "a preview with the window in the page's time zone and in UTC; after a yes, the window is announced and its link is given.",
        person: user::MARA_ADMIN,
        scopes: EVERYTHING,
        calls: &[
            call("read_resource", || json!({ "page_id": 42, "resource": "maintenances/upcoming" }), "items"),
            call(
                "schedule_maintenance",
                || {
                    json!({
                        "page_id": 42, "title": "Database upgrade",
                        "description": "We upgrade the database. The API may answer slowly for a few minutes.",
                        "starts_at": "2030-01-31T22:00:00Z", "ends_at": "2030-01-31T23:00:00Z", "preview": true,
                    })
                },
                "confirm",
            ),
            confirm("schedule_maintenance", "maintenance"),
        ],
    },
    ReviewCase {
        title: "Update an incident",
        prompt: "Post to incident 1001 that we have found the cause and are deploying a fix.",
        expected: "a preview that names the incident and its state; after a yes, the update is public.",
        person: user::MARA_ADMIN,
        scopes: EVERYTHING,
        calls: &[
            call(
                "add_incident_update",
                || {
                    json!({
                        "page_id": 42, "incident_id": 1001,
                        "message": "We have found the cause and are deploying a fix.", "preview": true,
                    })
                },
                "confirm",
            ),
            confirm("add_incident_update", "1001"),
        ],
    },
    ReviewCase {
        title: "Failing Beats",
        prompt: "Which Beats are failing now, and since when?",
        expected: "the Beats in stage critical and warning, each with the time since when. Nothing is published.",
        person: user::INES_VIEWER,
        scopes: READ_ONLY,
        calls: &[call("read_resource", || json!({ "page_id": 42, "resource": "beats" }), "current_stage")],
    },
];

const NEGATIVE: [ReviewCase; 3] = [
    ReviewCase {
        title: "A viewer posts",
        prompt: "Post an incident: checkout is slow. (Signed in as Ines, who may only read; tick publishing for her as well)",
        expected: "a refusal that names the missing role and who can change it. Nothing is published.",
        person: user::INES_VIEWER,
        scopes: EVERYTHING,
        calls: &[refused(
            "create_incident",
            || json!({ "page_id": 42, "title": "Checkout is slow", "description": "Payments take a minute." }),
            "does not allow you to",
        )],
    },
    ReviewCase {
        title: "A page of somebody else",
        prompt: "Post on page 999 that checkout is slow.",
        expected: "a refusal that lists the person's own pages. Nothing is published.",
        person: user::MARA_ADMIN,
        scopes: EVERYTHING,
        calls: &[refused(
            "create_incident",
            || json!({ "page_id": 999, "title": "Checkout is slow", "description": "Payments take a minute." }),
            "42",
        )],
    },
    ReviewCase {
        title: "A secret in public text",
        prompt: "Post that the deploy failed, with this log line: AWS key AKIAIOSFODNN7EXAMPLE was rejected.",
        expected: "a refusal that names the field and the secret. Nothing is published, with or without a preview.",
        person: user::MARA_ADMIN,
        scopes: EVERYTHING,
        calls: &[refused(
            "create_incident",
            || {
                json!({
                    "page_id": 42, "title": "Deployment failed",
                    "description": "The key AKIAIOSFODNN7EXAMPLE was rejected.",
                })
            },
            "secret",
        )],
    },
];

/// A connection of the person with these scopes, whose app reads by tools.
fn connect(app: &TestApp, case: &ReviewCase) -> String {
    let browser = Browser::new(app);
    let consent = browser.sign_in(&authorize_url(&[("scope", case.scopes)]), case.person);
    let scopes = case.scopes.split_whitespace().map(|scope| ("scope", scope));
    let rest = [("answer", "approve"), ("pages", "all"), ("lifetime", "until-revoked"), ("resource_tools", "on")];
    let fields: Vec<_> = scopes.chain(rest).collect();
    let code = parameter(&browser.answer_fields(&consent, &fields).leaves_for(), "code").expect("a code");
    tokens(&app.redeem(&code, &[])).access
}

/// The first lines of a result, without what differs from run to run.
fn shown(text: &str, confirm: &str) -> String {
    let text = if confirm.is_empty() { text.to_owned() } else { text.replace(confirm, "<confirm token>") };
    let cut = text.char_indices().nth(SHOWN).and_then(|(end, _)| text[..end].rfind(','));
    let text = cut.map_or_else(|| text.clone(), |end| format!("{} …", &text[..=end]));
    let lines = text.lines().filter(|line| !line.starts_with("Audit entry"));
    lines.map(|line| format!("> {line}\n")).collect::<Vec<_>>().concat()
}

/// Plays a case on a fresh StatiBeat; what a reviewer should see, as Markdown.
fn play(case: &ReviewCase) -> String {
    let app = TestApp::new();
    let token = connect(&app, case);
    app.take_posts();
    let mut text = format!("Ask: \u{201c}{}\u{201d}\n\nExpected: {}\n", case.prompt, case.expected);
    let mut confirm = String::new();
    for step in case.calls {
        let mut arguments = (step.arguments)();
        let mut named = arguments.clone();
        if step.is_confirmation {
            arguments["confirm"] = json!(confirm);
            named["confirm"] = json!("<confirm token>");
        }
        let answer = json(&app.call(&token, "tools/call", json!({ "name": step.tool, "arguments": arguments })));
        let result = &answer["result"];
        let told = result["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{}: {answer}", case.title));
        assert_eq!(result["isError"], step.fails, "{}: {told}", case.title);
        assert!(told.contains(step.expects), "{} expects {:?}: {told}", case.title, step.expects);
        if let Some(token) = result["structuredContent"]["preview"]["confirm"].as_str() {
            token.clone_into(&mut confirm);
        }
        let posts = app.take_posts();
        let expected = usize::from(step.is_confirmation);
        assert_eq!(posts, expected, "{}: only a confirmed call publishes", case.title);
        let what = if posts > 0 { "published" } else { "nothing is published" };
        let _ = write!(text, "\n`{}` `{named}` ({what}):\n\n{}", step.tool, shown(told, &confirm));
    }
    text
}

fn written() -> String {
    let mut text = String::new();
    for (index, case) in POSITIVE.iter().enumerate() {
        let kind = if index < 3 {
            format!("Example {} and positive case {}", index + 1, index + 1)
        } else {
            format!("Positive case {}", index + 1)
        };
        let _ = write!(text, "\n### {kind}: {}\n\n{}", case.title, play(case));
    }
    for (index, case) in NEGATIVE.iter().enumerate() {
        let _ = write!(text, "\n### Negative case {}: {}\n\n{}", index + 1, case.title, play(case));
    }
    text + "\n"
}

#[test]
fn review_kit_names_the_boxes_of_the_consent_page() {
    let document = std::fs::read_to_string(DOCUMENT).expect(DOCUMENT);
    for scope in [Scope::IncidentsWrite, Scope::MaintenancesWrite] {
        let name = format!("*{}*", scope.consent_sentence());
        assert!(document.contains(&name), "{DOCUMENT} tells reviewers to tick {name}");
    }
}

#[test]
fn review_kit_shows_what_its_cases_come_to() {
    let document = std::fs::read_to_string(DOCUMENT).expect(DOCUMENT);
    let (before, rest) = document.split_once(BEGIN).expect("a place that begins");
    let (_, after) = rest.split_once(END).expect("a place that ends");
    accepted::check_file(DOCUMENT, &format!("{before}{BEGIN}{}{END}{after}", written()));
}
