//! Writes that both programs must carry out alike, one case after the other: what StatiBeat does wrong meanwhile, what the client
//! is expected, and how often something was posted. Each program keeps its writes in a store of its own; the cases hold them to one
//! another.

use async_trait::async_trait;
use serde_json::{Value, json};
use statibeat_simulator::FaultKind;

/// A program with a StatiBeat of its own, on page 42.
#[async_trait(?Send)]
pub trait Server {
    /// Calls a tool; returns the result.
    async fn call(&self, tool: &str, arguments: Value) -> Value;

    /// Makes StatiBeat misbehave once, on requests of this method below the page's admin root.
    fn inject(&self, method: &str, path: &str, kind: FaultKind);

    /// Writes that reached StatiBeat since the last time this was asked.
    fn take_posts(&self) -> usize;
}

/// The result that a call must have.
enum Expected {
    /// The write was published by this call.
    New,
    /// An earlier call had published it.
    Replayed,
    /// An error with these words.
    Error(&'static str),
    /// A preview with these words; its confirm token stands in for [`TOKEN`] from then on.
    Preview(&'static str),
}

/// Replaced by the latest preview's confirm token.
const TOKEN: &str = "<token>";

pub struct Step {
    fault: Option<(&'static str, &'static str, FaultKind)>,
    tool: &'static str,
    arguments: Value,
    expected: Expected,
    posts: usize,
}

fn step(tool: &'static str, arguments: Value, expected: Expected, posts: usize) -> Step {
    Step { fault: None, tool, arguments, expected, posts }
}

impl Step {
    fn while_failing(self, method: &'static str, path: &'static str, kind: FaultKind) -> Self {
        Self { fault: Some((method, path, kind)), ..self }
    }
}

/// An incident, with these arguments besides.
fn incident(more: &Value) -> Value {
    let mut arguments =
        json!({ "title": "API down", "description": "Requests fail.", "affected_items_freetext": "API" });
    arguments.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    arguments
}

fn create(more: &Value, expected: Expected, posts: usize) -> Step {
    step("create_incident", incident(more), expected, posts)
}

/// A name, and the calls on one program, in order.
pub type Case = (&'static str, Vec<Step>);

#[expect(clippy::too_many_lines, reason = "a table of cases")]
pub fn cases() -> Vec<Case> {
    let none = json!({});
    let own_id = json!({ "external_id": "ours" });
    let taken = json!({ "external_id": "ours", "title": "Other", "affected_items_freetext": "Else" });
    let another = json!({ "title": "API gone" });
    let with_preview = |base: &Value, name: &str, value: Value| {
        let mut arguments = base.clone();
        arguments[name] = value;
        arguments
    };
    let with = |name: &str, value: Value| with_preview(&another, name, value);
    let internal = json!({ "description": "Host db-1.internal is down." });
    let secret = json!({ "description": "The key ghp_abcdefghij0123456789 was revoked." });
    let update = |stage: i64| json!({ "incident_id": 1001, "message": "A fix is out.", "lifecycle_stage_id": stage });
    let preview = |mut arguments: Value| {
        arguments["preview"] = json!(true);
        arguments
    };
    let window = |start: &str, end: &str| json!({ "title": "Move", "description": "We move.", "starts_at": start, "ends_at": end });
    vec![
        (
            "stage by its name is the same write as by its number",
            vec![
                step(
                    "add_incident_update",
                    with_preview(&update(2), "lifecycle_stage_id", "identified".into()),
                    Expected::New,
                    1,
                ),
                step("add_incident_update", update(2), Expected::Replayed, 0),
                step(
                    "add_maintenance_update",
                    json!({ "maintenance_id": 2001, "message": "Later.", "lifecycle_stage_id": "Scheduled" }),
                    Expected::New,
                    1,
                ),
            ],
        ),
        (
            "preview of a write whose outcome is unknown publishes nothing and says how to find out",
            vec![
                create(&none, Expected::Error("may or may not have been published"), 1).while_failing(
                    "POST",
                    "incidents",
                    FaultKind::DropBefore,
                ),
                create(&preview(json!({})), Expected::Error("Call again without preview to learn how it ended"), 0),
            ],
        ),
        (
            "update that moves no stage is published where its effect cannot be looked up",
            vec![
                step(
                    "add_incident_update",
                    json!({ "incident_id": 1001, "message": "Less.", "remove_affected_items": [{ "id": 102 }] }),
                    Expected::New,
                    1,
                )
                .while_failing(
                    "POST",
                    "incidents/1001/updates?dry_run=true",
                    FaultKind::Status { code: 429, retry_after: Some(7) },
                ),
            ],
        ),
        ("repeated call is replayed", vec![create(&none, Expected::New, 1), create(&none, Expected::Replayed, 0)]),
        (
            "other arguments under the same key are named",
            vec![
                create(&json!({ "idempotency_key": "k" }), Expected::New, 1),
                create(&json!({ "idempotency_key": "k", "title": "Other" }), Expected::Error("`title`"), 0),
                create(&json!({ "idempotency_key": "k" }), Expected::Replayed, 0),
            ],
        ),
        (
            "lost answer is verified",
            vec![
                create(&none, Expected::New, 1).while_failing("POST", "incidents", FaultKind::DropAfter),
                create(&none, Expected::Replayed, 0),
            ],
        ),
        (
            "request that never arrived is posted by the next call",
            vec![
                create(&none, Expected::Error("may or may not have been published"), 1).while_failing(
                    "POST",
                    "incidents",
                    FaultKind::DropBefore,
                ),
                create(&none, Expected::New, 1),
            ],
        ),
        (
            "attempt that was taken over still checks for duplicates",
            vec![
                create(&none, Expected::Error("may or may not have been published"), 1).while_failing(
                    "POST",
                    "incidents",
                    FaultKind::DropBefore,
                ),
                create(&json!({ "title": "API slow" }), Expected::New, 1),
                create(&none, Expected::Error("names the same in affected_items_freetext"), 0),
            ],
        ),
        (
            "possible duplicate is published with the confirm token of its preview",
            vec![
                create(&none, Expected::New, 1),
                create(&another, Expected::Error("names the same in affected_items_freetext"), 0),
                create(
                    &with("preview", json!(true)),
                    Expected::Preview("names the same in affected_items_freetext"),
                    0,
                ),
                create(&json!({ "title": "A third", "confirm": TOKEN }), Expected::Error("`title` differs"), 0),
                create(&with("confirm", json!(TOKEN)), Expected::New, 1),
                create(&with("confirm", json!(TOKEN)), Expected::Replayed, 0),
                create(&with("confirm", json!("made.up")), Expected::Error("not a confirm token"), 0),
            ],
        ),
        (
            "confirm token alone publishes what was previewed",
            vec![
                create(
                    &json!({ "preview": true, "idempotency_key": "k" }),
                    Expected::Preview("call again with only"),
                    0,
                ),
                step(
                    "create_incident",
                    json!({ "confirm": TOKEN, "idempotency_key": "j" }),
                    Expected::Error("`idempotency_key` differs"),
                    0,
                ),
                step(
                    "add_incident_update",
                    json!({ "confirm": TOKEN }),
                    Expected::Error("a preview of create_incident"),
                    0,
                ),
                step("create_incident", json!({ "confirm": true }), Expected::Error("`confirm` must be text"), 0),
                step(
                    "create_incident",
                    json!({ "confirm": "yes" }),
                    Expected::Error("a call with preview: true gives one"),
                    0,
                ),
                step("create_incident", json!({ "confirm": TOKEN, "preview": true }), Expected::New, 1),
                step("create_incident", json!({ "confirm": TOKEN }), Expected::Replayed, 0),
                create(&json!({ "idempotency_key": "k" }), Expected::Replayed, 0),
            ],
        ),
        (
            "confirmed write whose answer was lost is looked up by the same token",
            vec![
                create(&json!({ "preview": "true" }), Expected::Preview("call again with only"), 0),
                step(
                    "create_incident",
                    json!({ "confirm": TOKEN }),
                    Expected::Error("may or may not have been published"),
                    1,
                )
                .while_failing("POST", "incidents", FaultKind::DropBefore),
                step("create_incident", json!({ "confirm": TOKEN }), Expected::New, 1),
            ],
        ),
        (
            "external id of the client's own means one write",
            vec![
                create(&own_id, Expected::New, 1),
                create(&json!({ "external_id": "ours", "idempotency_key": "k" }), Expected::Replayed, 1),
                create(&taken, Expected::Error("external_id is taken"), 1),
            ],
        ),
        (
            "possible duplicates that cannot be read stop the write",
            vec![
                create(&none, Expected::Error("othing was published"), 0).while_failing(
                    "POST",
                    "incidents?dry_run=true",
                    FaultKind::Status { code: 429, retry_after: Some(7) },
                ),
                create(&none, Expected::New, 1),
            ],
        ),
        (
            "preview of what could not be published is an error",
            vec![
                create(&json!({ "idempotency_key": "k" }), Expected::New, 1),
                create(&preview(json!({ "idempotency_key": "k", "title": "Other" })), Expected::Error("`title`"), 0),
                create(&preview(json!({ "idempotency_key": "k" })), Expected::Replayed, 0),
                create(&preview(json!({ "title": "Other", "status": "broken" })), Expected::Error("must be one of"), 0),
                step("add_incident_update", preview(update(4)), Expected::Error("lifecycle_stage_id"), 0),
                step(
                    "add_incident_update",
                    preview(with_preview(&update(999_999), "status", json!("broken"))),
                    Expected::Error("StatiBeat refused: \"status must be one of"),
                    0,
                ),
                step(
                    "add_incident_update",
                    preview(json!({ "incident_id": 999_999, "message": "A fix is out." })),
                    Expected::Error("has no incident 999999"),
                    0,
                ),
            ],
        ),
        (
            "preview of an update names its incident and what changes",
            vec![
                step(
                    "add_incident_update",
                    preview(update(3)),
                    Expected::Preview(
                        "Update to incident 1001 \"API gateway errors in Europe\" (Identified → Monitoring)",
                    ),
                    0,
                ),
                step(
                    "add_incident_update",
                    preview(
                        json!({ "incident_id": 1001, "message": "Less.", "remove_affected_items": [{ "id": 102 }] }),
                    ),
                    Expected::Preview("removes 1 of 2 components"),
                    0,
                ),
                step(
                    "add_incident_update",
                    json!({
                        "incident_id": 1001, "message": "Less.", "remove_affected_items": [{ "id": 102 }], "confirm": TOKEN,
                    }),
                    Expected::New,
                    1,
                ),
            ],
        ),
        (
            "text with an internal host is published only with a confirmed preview",
            vec![
                create(&internal, Expected::Error("preview first"), 0),
                create(&with_preview(&internal, "preview", true.into()), Expected::Preview("\"db-1.internal\""), 0),
                create(&with_preview(&internal, "confirm", TOKEN.into()), Expected::New, 1),
                create(&internal, Expected::Replayed, 0),
            ],
        ),
        (
            "text with a secret is not published, and not previewed",
            vec![
                create(&secret, Expected::Error("a confirmed preview does not publish it"), 0),
                create(&with_preview(&secret, "preview", true.into()), Expected::Error("\"ghp_abcdef…\""), 0),
            ],
        ),
        (
            "text with a character that nobody sees is published without it after a confirmed preview",
            vec![
                create(&json!({ "description": "Down.\u{200b}" }), Expected::Error("U+200B"), 0),
                create(&json!({ "description": "Down." }), Expected::New, 1),
            ],
        ),
        (
            "unknown status is answered with those of the page",
            vec![
                create(&json!({ "status": "broken" }), Expected::Error("must be one of"), 1),
                create(&none, Expected::New, 1),
            ],
        ),
        (
            "update moves an incident along its stages and not out of them",
            vec![
                step("add_incident_update", update(999_999), Expected::Error("`lifecycle_stage_id` must be one of"), 0),
                step(
                    "add_incident_update",
                    json!({ "incident_id": 1001, "message": "A fix is out." }),
                    Expected::New,
                    1,
                ),
                step(
                    "add_incident_update",
                    json!({ "incident_id": 1001, "message": "A fix is out." }),
                    Expected::Replayed,
                    0,
                ),
            ],
        ),
        (
            "window that is over or ends before it starts is refused",
            vec![
                step(
                    "schedule_maintenance",
                    window("2020-01-01T10:00:00Z", "2020-01-01T11:00:00Z"),
                    Expected::Error("over already"),
                    0,
                ),
                step(
                    "schedule_maintenance",
                    window("2030-01-01T10:00:00Z", "2030-01-01T09:00:00Z"),
                    Expected::Error("must be after"),
                    0,
                ),
            ],
        ),
    ]
}

/// Plays a case on a program that nobody has used.
pub async fn play(program: &dyn Server, (name, steps): Case) {
    let mut token = Value::Null;
    program.take_posts();
    for (at, step) in steps.into_iter().enumerate() {
        if let Some((method, path, kind)) = step.fault {
            program.inject(method, path, kind);
        }
        let mut arguments = step.arguments;
        if arguments.get("confirm").is_some_and(|given| given == TOKEN) {
            arguments["confirm"] = token.clone();
        }
        let result = program.call(step.tool, arguments).await;
        let text = result["content"][0]["text"].as_str().unwrap_or_default();
        let replayed = &result["structuredContent"]["replayed"];
        let fits = match step.expected {
            Expected::New => *replayed == false && result["structuredContent"].get("preview").is_none(),
            Expected::Replayed => *replayed == true,
            Expected::Error(words) => result["isError"] == true && text.contains(words),
            Expected::Preview(words) => {
                token = result["structuredContent"]["preview"]["confirm"].clone();
                token.is_string() && text.contains(words)
            }
        };
        assert!(fits, "{name}, step {at}: {result}");
        assert_eq!(program.take_posts(), step.posts, "{name}, step {at}: {result}");
    }
}
