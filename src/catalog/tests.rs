//! Rules over the whole tables, so that a new entry is checked by being there.

#[path = "../../tests/support/accepted.rs"]
mod accepted;

use super::prompts::PROMPTS;
use super::resources::RESOURCES;
use super::tools::{RESOURCE_TOOLS, all_tools};
use super::uri::Roots;
use super::*;
use crate::model::scope::PagePermission as P;
use crate::model::scope::{Requirement, Scope};
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn is_snake_case(name: &str) -> bool {
    let bytes = name.as_bytes();
    !name.is_empty()
        && bytes.iter().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || *b == b'_')
        && bytes[0].is_ascii_lowercase()
        && !name.ends_with('_')
        && !name.contains("__")
}

#[test]
fn names_are_unique_and_in_snake_case() {
    let resources: Vec<&str> = RESOURCES.iter().map(|resource| resource.name).collect();
    let prompts: Vec<&str> = PROMPTS.iter().map(|prompt| prompt.name).collect();
    let tools: Vec<&str> = all_tools().chain(RESOURCE_TOOLS).map(|tool| tool.name).collect();
    for names in [resources, prompts, tools] {
        assert!(names.iter().all(|name| is_snake_case(name) && name.len() <= 64), "{names:?}");
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{names:?}");
    }
}

#[test]
fn every_entry_says_what_it_is() {
    let texts = RESOURCES.iter().map(|entry| (entry.title, entry.description));
    let texts = texts.chain(PROMPTS.iter().map(|entry| (entry.title, entry.description)));
    let tools = all_tools().chain(RESOURCE_TOOLS);
    for (title, description) in texts.chain(tools.map(|entry| (entry.title, entry.description))) {
        assert!(!title.is_empty() && !title.ends_with('.'), "{title}");
        assert!(description.ends_with('.') && !description.contains("  "), "{description}");
    }
}

#[test]
fn no_two_templates_match_one_uri() {
    for resource in RESOURCES {
        for value in ["1", "active", "resolved", "pending", "events", "external"] {
            let uri = Roots::HOSTED.template(resource).replace("{page_id}", "1");
            let mut uri =
                uri.split('{').map(|part| part.rsplit('}').next().unwrap_or(part)).collect::<Vec<_>>().join(value);
            uri.truncate(uri.find('?').unwrap_or(uri.len()));
            let matching =
                RESOURCES.iter().filter(|entry| uri::match_template(&Roots::HOSTED.template(entry), &uri).is_some());
            let names: Vec<&str> = matching.map(|entry| entry.name).collect();
            assert!(names.len() <= 1, "{uri} matches {names:?}");
        }
    }
}

#[test]
fn every_uri_that_an_entry_makes_leads_back_to_it() {
    let names = ["page_id", "incident_id", "maintenance_id", "beat_id", "action_id"];
    let variables: Variables = names.map(|name| (name.to_owned(), "512".to_owned())).into();
    for resource in RESOURCES {
        let uri = Roots::HOSTED.expand(resource, &variables).expect("every variable has a value");
        let found = Roots::HOSTED.find(&uri, RESOURCES).expect("the URI is one of ours");
        assert_eq!(found.resource.name, resource.name, "{uri}");
        assert_eq!(found.page_id().is_some(), resource.binding == Binding::Page, "{uri}");
        for read in resource.reads {
            assert!(uri::expand(read.path, &found.variables).is_some(), "{} gives {} its variables", uri, read.path);
        }
    }
}

fn check_strict(schema: &Value, path: &str) {
    match schema["type"].as_str() {
        Some("object") => {
            // The calls refuse unknown fields of an affected item too; the list does not pay for saying so five times.
            assert!(schema["additionalProperties"] == false || path.ends_with("[]"), "{path} refuses unknown fields");
            for (name, property) in schema["properties"].as_object().expect("an object has properties") {
                // The three names of an affected item are explained where the list is.
                let described = property["description"].as_str().is_some_and(|text| !text.is_empty());
                assert!(described || path.ends_with("[]"), "{path}.{name} is described");
                check_strict(property, &format!("{path}.{name}"));
            }
        }
        Some("array") => check_strict(&schema["items"], &format!("{path}[]")),
        Some("string" | "integer" | "boolean") => {}
        other => panic!("{path} has type {other:?}"),
    }
}

#[test]
fn input_schemas_refuse_unknown_fields_and_describe_every_property() {
    for tool in all_tools().chain(RESOURCE_TOOLS) {
        let schema = tool.input_schema();
        check_strict(&schema, tool.name);
        assert!(jsonschema::meta::is_valid(&schema), "{}", tool.name);
        let text = schema.to_string();
        for word in ["$ref", "$defs", "anyOf", "oneOf", "allOf", "null"] {
            assert!(!text.contains(&format!("\"{word}\"")), "{} has {word}", tool.name);
        }
        // Only the server of many pages has the tools that read.
        let is_resource_tool = RESOURCE_TOOLS.iter().any(|one| one.name == tool.name);
        let has_page = schema["properties"].get("page_id").is_some();
        assert!(is_resource_tool || !has_page, "{}: the surface adds page_id", tool.name);
    }
}

#[test]
fn output_schemas_describe_objects() {
    for tool in all_tools() {
        let schema = tool.output_schema().expect("a tool that writes has one");
        assert!(jsonschema::meta::is_valid(&schema), "{}", tool.name);
        assert_eq!(schema["type"], "object", "{}", tool.name);
        assert!(!schema.to_string().contains("$ref"), "{}", tool.name);
    }
}

#[test]
fn tools_that_read_do_nothing_else() {
    for tool in RESOURCE_TOOLS {
        assert_eq!((tool.effect, tool.hosted), (Effect::Reads, None), "{}", tool.name);
        assert!(tool.parse_write(json!({}), &[]).is_err(), "{}", tool.name);
    }
}

#[test]
fn no_hosted_tool_does_more_than_publish() {
    for tool in all_tools().filter(|tool| tool.hosted.is_some()) {
        assert_eq!(tool.effect, Effect::Publishes, "{}", tool.name);
    }
}

/// The product's table of what each scope also needs, by hand. `mcp.pages.read` needs page read plus the matching
/// permission; `mcp.beats.read` needs manage for pending actions.
fn allowed_permissions(scope: Scope) -> (&'static [P], &'static [P]) {
    match scope {
        Scope::PagesRead => (
            &[P::PageRead],
            &[P::StatusDefinitionsRead, P::LifecycleStagesRead, P::MaintenanceLifecycleStagesRead, P::HierarchyRead],
        ),
        Scope::BeatsRead => (&[P::SyntheticMonitorsRead], &[P::SyntheticMonitorsManage]),
        Scope::IncidentsRead => (&[P::IncidentsRead], &[]),
        Scope::IncidentsWrite => (&[P::IncidentsManage], &[]),
        Scope::MaintenancesRead => (&[P::MaintenancesRead], &[]),
        Scope::MaintenancesWrite => (&[P::MaintenancesManage], &[]),
        Scope::AnalyticsRead => (&[P::AnalyticsRead], &[]),
    }
}

fn check_requirement(name: &str, requirement: Requirement, writes: bool) {
    let (always, sometimes) = allowed_permissions(requirement.scope);
    assert_eq!(requirement.scope.is_write(), writes, "{name}");
    assert!(always.iter().all(|needed| requirement.permissions.contains(needed)), "{name}");
    let known = |permission: &&P| always.contains(permission) || sometimes.contains(permission);
    assert!(requirement.permissions.iter().all(|permission| known(&permission)), "{name}");
}

#[test]
fn permissions_equal_the_products_table() {
    for resource in RESOURCES {
        match (resource.binding, resource.hosted) {
            (Binding::Page, Some(requirement)) => check_requirement(resource.name, requirement, false),
            (Binding::Session, Some(requirement)) => assert!(requirement.permissions.is_empty(), "{}", resource.name),
            (_, None) => {}
        }
    }
    for tool in all_tools() {
        tool.hosted.into_iter().for_each(|requirement| check_requirement(tool.name, requirement, true));
    }
}

#[test]
fn a_prompts_resources_exist_wherever_the_prompt_does() {
    for prompt in PROMPTS {
        assert!(prompt.scopes().is_some_and(|scopes| !scopes.is_empty()), "{}", prompt.name);
    }
}

#[test]
fn prompts_take_a_page_and_what_their_resources_need() {
    for prompt in PROMPTS {
        let names: Vec<&str> = prompt.arguments.iter().map(|argument| argument.name).collect();
        assert_eq!((names[0], prompt.arguments[0].required), ("page_id", false), "{}", prompt.name);
        for entry in prompt.resources.iter().chain(prompt.extras).filter_map(|name| find_resource(name)) {
            let path = entry.path.split('?').next().unwrap_or_default();
            for variable in path.split('{').skip(1).filter_map(|part| part.split('}').next()) {
                let found = prompt.arguments.iter().find(|argument| argument.name == variable);
                assert!(found.is_some_and(|argument| argument.required), "{} needs {variable}", prompt.name);
            }
        }
        assert!(prompt.extras.iter().all(|name| find_resource(name).is_some()), "{}", prompt.name);
    }
}

#[test]
fn prompts_have_at_most_one_free_text_and_it_is_last() {
    for prompt in PROMPTS {
        let free = prompt.arguments.iter().rposition(|argument| argument.kind != PromptArgumentKind::Text);
        let last = prompt.arguments.len() - 1;
        assert!(free.is_some_and(|free| last <= free + 1), "{}", prompt.name);
    }
}

#[test]
fn prompts_that_lead_to_a_tool_name_it_and_who_does_the_rest() {
    for prompt in PROMPTS {
        let writes = ["incident", "maintenance", "resolution"].iter().any(|noun| prompt.name.contains(noun));
        let NextStep { tools, by_person, page_tools } = prompt.next_step;
        assert_eq!(!tools.is_empty(), writes, "{}", prompt.name);
        assert!(by_person.contains(if writes { "admin_url" } else { "review_url" }), "{}", prompt.name);
        assert!(page_tools.iter().all(|name| find_tool(name).is_some_and(|tool| tool.hosted.is_none())));
        assert!(tools.iter().all(|name| find_tool(name).is_some_and(|tool| tool.hosted.is_some())));
    }
}

#[test]
fn every_resource_says_what_it_needs_to_be_chosen() {
    for resource in RESOURCES {
        assert!(resource.reads.iter().any(|read| !read.is_optional), "{}", resource.name);
        assert!(!Roots::HOSTED.listed_template(resource).contains("cursor"), "{}", resource.name);
        assert!(resource.is_template() || resource.is_concrete(), "{}", resource.name);
    }
}

#[test]
fn a_result_leaves_without_secrets_and_hidden_characters() {
    let entry = find_resource("me").expect("me exists");
    let subject = Subject {
        variables: &Variables::new(),
        page: None,
        uri: "x://me",
        parts: &Value::Null,
        now: crate::model::timestamp::Timestamp::from_seconds(0),
    };
    let result = entry.render(&subject, vec![Some(json!({ "id": 1, "name": "Ma\u{200b}ra", "api_token": "x" }))]);
    let result = result.expect("a body");
    assert_eq!((&result["id"], &result["name"], result.get("api_token")), (&json!(1), &json!("Mara"), None));
    assert!(entry.render(&subject, vec![]).is_err(), "a missing answer is an error");
}

#[test]
fn a_result_without_an_optional_part_says_so() {
    let entry = find_resource("hierarchy").expect("it exists");
    let page = json!({ "id": 7, "name": "Acme" });
    let subject = Subject {
        variables: &Variables::new(),
        page: Some(&page),
        uri: "x://hierarchy",
        parts: &Value::Null,
        now: crate::model::timestamp::Timestamp::from_seconds(0),
    };
    let result = entry.render(&subject, vec![None, Some(json!([{ "id": 1 }]))]).expect("a body");
    assert_eq!(result["partial"]["missing"], json!(["hierarchy/levels"]));
    assert_eq!(result["tree"], json!([{ "id": 1 }]));
}

#[test]
fn the_hosted_surface_is_exactly_this() {
    let needs = |requirement: Requirement| {
        let keys: Vec<&str> = requirement.permissions.iter().map(|permission| permission.key()).collect();
        format!("{} [{}]", requirement.scope.as_str(), keys.join(" "))
    };
    let resource = |entry: &Resource| {
        let (uri, seconds) = (Roots::HOSTED.template(entry), entry.fresh_for.as_secs());
        Some(format!("resource {} {uri} {} {seconds}s", entry.name, needs(entry.hosted?)))
    };
    let prompt = |entry: &Prompt| {
        let argument =
            |argument: &PromptArgument| format!("{}{}", argument.name, if argument.required { "" } else { "?" });
        let arguments: Vec<String> = entry.arguments.iter().map(argument).collect();
        Some(format!("prompt {}({}) {}", entry.name, arguments.join(", "), entry.scopes()?))
    };
    let tool = |entry: &Tool| {
        let arguments =
            entry.input_schema()["properties"].as_object().expect("properties").keys().cloned().collect::<Vec<_>>();
        Some(format!("tool {}({}) {:?} {}", entry.name, arguments.join(", "), entry.effect, needs(entry.hosted?)))
    };
    let surface = RESOURCES.iter().filter_map(resource).chain(PROMPTS.iter().filter_map(prompt));
    let surface: Vec<String> = surface.chain(all_tools().filter_map(tool)).collect();
    accepted::check_file("src/catalog/surface.txt", &format!("{}\n", surface.join("\n")));
}
