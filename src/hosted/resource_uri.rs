//! The URI that a call of `read_resource` means: given whole, as a template with its variables beside it, or as a page and a path.

use crate::catalog::Binding;
use crate::catalog::Variables;
use crate::catalog::resources::RESOURCES;
use crate::catalog::uri::{Roots, split_query};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

const PAGE: &str = "page_id";

/// Takes the values of the templates' variables out of the arguments: a client that knows the templates may give them one by one.
pub fn take_variables(arguments: &mut Map<String, Value>) -> Variables {
    let names = RESOURCES.iter().flat_map(|entry| entry.path.split(['{', '}']).skip(1).step_by(2));
    let mut variables = Variables::new();
    for name in names {
        let value = match arguments.get(name) {
            Some(Value::String(text)) => text.trim().to_owned(),
            Some(Value::Number(number)) => number.to_string(),
            _ => continue,
        };
        arguments.remove(name);
        variables.insert(name.to_owned(), value);
    }
    variables
}

/// The URI, or the problem of arguments that name none. Whether it names a resource is found out by reading it.
pub fn compose(arguments: &Map<String, Value>, mut variables: Variables) -> Result<String, String> {
    let text = |name: &str| arguments.get(name).and_then(Value::as_str).map(str::trim);
    let page = arguments.get(PAGE).map(|page| page.as_str().map_or_else(|| page.to_string(), str::to_owned));
    let uri = match (text("uri"), text("resource")) {
        (Some(_), Some(_)) => return Err("`uri` and `resource` exclude each other".to_owned()),
        (None, None) => {
            return Err("`uri` is required, or `page_id` and `resource` such as {\"page_id\": 42, \"resource\": \
                        \"incidents/active\"}"
                .to_owned());
        }
        (Some(given), None) | (None, Some(given)) if given.contains("://") => check_page(given, page.as_deref())?,
        (Some(path), None) | (None, Some(path)) => uri_of_path(path),
    };
    variables.extend(page.map(|page| (PAGE.to_owned(), page)));
    let (mut uri, mut rest) = (uri, Vec::new());
    for (name, value) in &variables {
        let (place, value) = (format!("{{{name}}}"), utf8_percent_encode(value, NON_ALPHANUMERIC).to_string());
        if uri.contains(&place) {
            uri = uri.replace(&place, &value);
        } else if name != PAGE {
            rest.push(format!("{name}={value}"));
        }
    }
    if rest.is_empty() {
        return Ok(uri);
    }
    let separator = if uri.contains('?') { '&' } else { '?' };
    Ok(format!("{uri}{separator}{}", rest.join("&")))
}

/// A page beside a whole URI must be the URI's own.
fn check_page(uri: &str, page: Option<&str>) -> Result<String, String> {
    let of_uri = uri.split_once("://pages/").and_then(|(_, rest)| rest.split(['/', '?']).next());
    match (of_uri, page) {
        (Some(of_uri), Some(page)) if of_uri != page && !of_uri.contains('{') => {
            Err(format!("`{PAGE}` is {page}, and `uri` is of page {of_uri}"))
        }
        _ => Ok(uri.to_owned()),
    }
}

/// A path on a page, or of a resource without one; also a resource by the name that lists give it.
fn uri_of_path(path: &str) -> String {
    let path = path.trim_matches('/');
    let entry = RESOURCES.iter().find(|entry| entry.name == path || split_query(entry.path).0 == path);
    let is_of_session = entry.is_some_and(|entry| entry.binding == Binding::Session);
    let path = entry.map_or(path, |entry| split_query(entry.path).0);
    if is_of_session || path.starts_with("pages/") {
        return format!("{}{path}", Roots::HOSTED.session);
    }
    format!("{}{path}", Roots::HOSTED.page)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn composed(arguments: Value) -> Result<String, String> {
        let Value::Object(mut arguments) = arguments else { unreachable!("an object") };
        let variables = take_variables(&mut arguments);
        compose(&arguments, variables)
    }

    #[test]
    fn every_form_of_a_first_try_comes_to_the_same_uri() {
        for (arguments, uri) in [
            (json!({ "uri": "statibeat://pages/42/incidents/active" }), "statibeat://pages/42/incidents/active"),
            (json!({ "page_id": 42, "resource": "incidents/active" }), "statibeat://pages/42/incidents/active"),
            (json!({ "page_id": 42, "resource": "/incidents/active/" }), "statibeat://pages/42/incidents/active"),
            (json!({ "page_id": 42, "resource": "incidents_active" }), "statibeat://pages/42/incidents/active"),
            (json!({ "page_id": 42, "uri": "incidents/active" }), "statibeat://pages/42/incidents/active"),
            (
                json!({ "page_id": 42, "uri": "statibeat://pages/{page_id}/incidents/active" }),
                "statibeat://pages/42/incidents/active",
            ),
            (json!({ "resource": "pages/42/incidents/active" }), "statibeat://pages/42/incidents/active"),
            (json!({ "page_id": 42, "resource": "incidents/1001" }), "statibeat://pages/42/incidents/1001"),
            (
                json!({ "page_id": 42, "resource": "incident", "incident_id": 1001 }),
                "statibeat://pages/42/incidents/1001",
            ),
            (
                json!({ "page_id": 42, "uri": "statibeat://pages/{page_id}/incidents/{incident_id}", "incident_id": "1001" }),
                "statibeat://pages/42/incidents/1001",
            ),
            (
                json!({ "page_id": 42, "resource": "analytics/summary", "window_days": 7 }),
                "statibeat://pages/42/analytics/summary?window_days=7",
            ),
            (json!({ "uri": "statibeat://pages/42/summary", "page_id": 42 }), "statibeat://pages/42/summary"),
            (json!({ "resource": "overview" }), "statibeat://overview"),
            (json!({ "uri": "pages" }), "statibeat://pages"),
            (json!({ "page_id": "northwind eu", "resource": "summary" }), "statibeat://pages/northwind%20eu/summary"),
            (json!({ "resource": "summary" }), "statibeat://pages/{page_id}/summary"),
        ] {
            assert_eq!(composed(arguments.clone()).as_deref(), Ok(uri), "{arguments}");
        }
    }

    #[test]
    fn arguments_that_contradict_each_other_are_refused() {
        for (arguments, problem) in [
            (json!({}), "`uri` is required, or `page_id` and `resource`"),
            (json!({ "page_id": 42 }), "`uri` is required, or `page_id` and `resource`"),
            (json!({ "uri": "statibeat://me", "resource": "summary" }), "exclude each other"),
            (
                json!({ "uri": "statibeat://pages/42/summary", "page_id": 43 }),
                "`page_id` is 43, and `uri` is of page 42",
            ),
        ] {
            assert!(composed(arguments.clone()).is_err_and(|error| error.contains(problem)), "{arguments}");
        }
    }
}
