//! A call of each tool that can be carried out on the seeded page 42. The arguments follow from the tool's schema, so that a
//! new tool is called by being in the catalog.

use serde_json::{Map, Value, json};
use statibeat_mcp::catalog::Tool;

/// The arguments that the tool demands; where nothing would be changed by these, a title.
pub fn arguments(tool: &Tool) -> Map<String, Value> {
    let schema = tool.input_schema();
    let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let value = |name: &str| (name.to_owned(), value(tool.name, name, &schema["properties"][name]));
    let mut arguments: Map<String, Value> = required.map(value).collect();
    if tool.parse_write(Value::Object(arguments.clone()), &[]).is_err() {
        arguments.insert("title".to_owned(), json!("Other words"));
    }
    arguments
}

/// A value that fits; what is named is in the state that the tool works on.
fn value(tool: &str, name: &str, schema: &Value) -> Value {
    match (name, tool) {
        ("incident_id", "reopen_incident") => json!(1010),
        ("incident_id", _) => json!(1002),
        ("maintenance_id", "complete_maintenance") => json!(2001),
        ("maintenance_id", _) => json!(2002),
        ("beat_id", _) => json!(501),
        ("action_id", _) => json!(701),
        ("starts_at", _) => json!("2030-01-31T22:00:00Z"),
        ("ends_at", _) => json!("2030-01-31T23:00:00Z"),
        _ => {
            assert_eq!(schema["type"], "string", "{tool}: no value is known for {name}");
            json!("Some words.")
        }
    }
}
