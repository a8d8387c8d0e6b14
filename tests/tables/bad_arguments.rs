//! Bad input for each argument of each tool: what is given instead of a good value, and what the refusal must name. Both
//! surfaces are held to it; an argument that one surface alone has is its own tests' business.

use serde_json::{Map, Value, json};

/// A call with one invalid argument.
pub struct Bad {
    /// Name of the tool that is called.
    pub tool: &'static str,
    /// Its arguments, all good but one.
    pub arguments: Map<String, Value>,
    /// Text that the error must contain.
    pub says: String,
}

/// The type of an argument, for the rules that hold for every argument of that type.
#[derive(Clone, Copy)]
pub enum ArgumentKind {
    /// Free text of at most this number of characters.
    Text(usize),
    /// A key, checked for its form elsewhere.
    Key,
    /// A date and time with its UTC offset.
    Time,
    /// A positive whole number that names an object.
    Id,
    /// Components by one of their names.
    Items,
    /// The client's own name for the write.
    ExternalId,
}

/// A tool with its arguments: name, kind, whether it must be there.
pub type Tool = (&'static str, &'static [(&'static str, ArgumentKind, bool)]);

/// The four that both surfaces have, written out by hand.
pub const BOTH: [Tool; 4] = [
    (
        "create_incident",
        &[
            ("title", ArgumentKind::Text(200), true),
            ("description", ArgumentKind::Text(20_000), true),
            ("status", ArgumentKind::Key, false),
            ("impact", ArgumentKind::Text(2000), false),
            ("affected_items", ArgumentKind::Items, false),
            ("affected_items_freetext", ArgumentKind::Text(2000), false),
            ("external_id", ArgumentKind::ExternalId, false),
        ],
    ),
    (
        "add_incident_update",
        &[
            ("incident_id", ArgumentKind::Id, true),
            ("message", ArgumentKind::Text(20_000), true),
            ("lifecycle_stage_id", ArgumentKind::Id, false),
            ("status", ArgumentKind::Key, false),
            ("add_affected_items", ArgumentKind::Items, false),
            ("remove_affected_items", ArgumentKind::Items, false),
        ],
    ),
    (
        "schedule_maintenance",
        &[
            ("title", ArgumentKind::Text(200), true),
            ("description", ArgumentKind::Text(20_000), true),
            ("starts_at", ArgumentKind::Time, true),
            ("ends_at", ArgumentKind::Time, true),
            ("impact", ArgumentKind::Text(2000), false),
            ("affected_items", ArgumentKind::Items, false),
            ("affected_items_freetext", ArgumentKind::Text(2000), false),
            ("external_id", ArgumentKind::ExternalId, false),
        ],
    ),
    (
        "add_maintenance_update",
        &[
            ("maintenance_id", ArgumentKind::Id, true),
            ("message", ArgumentKind::Text(20_000), true),
            ("lifecycle_stage_id", ArgumentKind::Id, false),
        ],
    ),
];

/// Arguments that every tool takes besides its own.
pub const MANNER: [&str; 3] = ["idempotency_key", "preview", "confirm"];

/// Every bad call of these tools.
pub fn bad_calls(tools: &[Tool]) -> Vec<Bad> {
    let calls = tools.iter().flat_map(|(tool, arguments)| {
        let own = arguments.iter().flat_map(|argument| bad_calls_of_argument(tool, arguments, *argument));
        own.chain(strangers(tool, arguments)).chain(manner(tool, arguments))
    });
    calls.collect()
}

/// One argument that every call of these tools is given instead of a good one, or on top.
pub fn each_with(tools: &[Tool], name: &'static str, values: &[Value]) -> Vec<Bad> {
    let calls = tools.iter().flat_map(|(tool, arguments)| with(tool, arguments, name, values, &format!("`{name}`")));
    calls.collect()
}

fn bad_calls_of_argument(
    tool: &'static str,
    all: &[(&'static str, ArgumentKind, bool)],
    (name, kind, is_required): (&'static str, ArgumentKind, bool),
) -> Vec<Bad> {
    let good = good(all);
    let bad = |value: Option<Value>, says: String| {
        let mut arguments = good.clone();
        match value {
            Some(value) => drop(arguments.insert(name.to_owned(), value)),
            None => drop(arguments.remove(name)),
        }
        Bad { tool, arguments, says }
    };
    let named = format!("`{name}`");
    let wrong = values(kind).into_iter().map(|(value, inside)| bad(Some(value), format!("`{name}{inside}")));
    // `null` counts as left out.
    let missing = [None, Some(Value::Null)]
        .into_iter()
        .filter(|_| is_required)
        .map(|value| bad(value, format!("{named} is required")));
    wrong.chain(missing).collect()
}

/// Arguments that a call could be made with, the optional ones left out.
fn good(all: &[(&'static str, ArgumentKind, bool)]) -> Map<String, Value> {
    let value = |name: &str, kind| match kind {
        ArgumentKind::Time if name == "starts_at" => json!("2030-01-31T22:00:00Z"),
        ArgumentKind::Time => json!("2030-01-31T23:00:00Z"),
        ArgumentKind::Id => json!(1),
        ArgumentKind::Items => json!([]),
        ArgumentKind::Text(_) | ArgumentKind::Key | ArgumentKind::ExternalId => json!("good"),
    };
    all.iter()
        .filter(|(.., is_required)| *is_required)
        .map(|(name, kind, _)| ((*name).to_owned(), value(name, *kind)))
        .collect()
}

/// Bad values of a kind, and where inside of it the refusal must point.
fn values(kind: ArgumentKind) -> Vec<(Value, &'static str)> {
    let here = |values: &[Value]| values.iter().map(|value| (value.clone(), "`")).collect::<Vec<_>>();
    let no_text = [json!(7), json!(true), json!([]), json!({}), json!(""), json!(" \t\n")];
    match kind {
        ArgumentKind::Text(most) => here(&[&no_text[..], &[json!("x".repeat(most + 1)), json!(["x"])]].concat()),
        ArgumentKind::Key => here(&[&no_text[..], &[json!("x".repeat(257))]].concat()),
        ArgumentKind::Time => here(
            &[
                &no_text[..],
                &[
                    "tomorrow",
                    "2030-01-31",
                    "2030-01-31T22:00:00",
                    "2030-02-30T22:00:00Z",
                    "22:00:00Z",
                    "1893456000",
                    "2030-01-31T25:00:00Z",
                ]
                .map(|text| json!(text)),
            ]
            .concat(),
        ),
        ArgumentKind::Id => {
            here(&[json!(0), json!(-1), json!(1.5), json!(""), json!(true), json!([1]), json!({}), json!(u64::MAX)])
        }
        ArgumentKind::Items => {
            let none = here(&[json!("api"), json!(7), Value::from(vec![json!({ "id": 1 }); 101])]);
            let inside = [
                (json!([7]), "[0]`"),
                (json!({ "id": 0 }), "[0].id`"),
                (json!("[{\"id\": 0}]"), "[0].id`"),
                (json!([{}]), "[0]`"),
                (json!([{ "id": 1, "slug": "api" }]), "[0]`"),
                (json!([{ "id": 1 }, { "id": "x" }]), "[1].id`"),
                (json!([{ "id": 0 }]), "[0].id`"),
                (json!([{ "slug": " " }]), "[0].slug`"),
                (json!([{ "external_id": 7 }]), "[0].external_id`"),
                (json!([{ "name": "API" }]), "[0].name`"),
            ];
            none.into_iter().chain(inside).collect()
        }
        ArgumentKind::ExternalId => here(
            &[&no_text[..], &["a b", "a/b", "..", "ä", "x\u{0}"].map(|text| json!(text)), &[json!("x".repeat(129))]]
                .concat(),
        ),
    }
}

/// Arguments that no tool has.
fn strangers(tool: &'static str, all: &[(&'static str, ArgumentKind, bool)]) -> Vec<Bad> {
    let names = ["lifecycle_stage", "notify", "Title", "constructor", "__proto__"];
    names.into_iter().flat_map(|name| with(tool, all, name, &[json!("x")], &format!("`{name}` is not known"))).collect()
}

/// Invalid values of `preview`, `confirm` and `idempotency_key`.
fn manner(tool: &'static str, all: &[(&'static str, ArgumentKind, bool)]) -> Vec<Bad> {
    let wrong = [
        vec![json!(""), json!(7), json!([]), json!("x".repeat(129))],
        vec![json!("yes"), json!(1), json!({})],
        vec![json!(""), json!(7), json!({}), json!("x".repeat(2049))],
    ];
    let each = MANNER.into_iter().zip(wrong);
    each.flat_map(|(name, values)| with(tool, all, name, &values, &format!("`{name}`"))).collect()
}

/// Good arguments, with one more or another one.
fn with(
    tool: &'static str,
    all: &[(&'static str, ArgumentKind, bool)],
    name: &'static str,
    values: &[Value],
    says: &str,
) -> Vec<Bad> {
    let call = |value: &Value| {
        let mut arguments = good(all);
        arguments.insert(name.to_owned(), value.clone());
        Bad { tool, arguments, says: says.to_owned() }
    };
    values.iter().map(call).collect()
}
