//! The dashboard and the alerts in `docs/monitoring/` parse, and query columns that exist under the names that docs/metrics.md gives them.

use serde_json::Value;
use statibeat_mcp::upstream::IdentityError;
use std::collections::BTreeMap;

const FILES: [&str; 2] =
    [include_str!("../../docs/monitoring/dashboard.json"), include_str!("../../docs/monitoring/alerts.json")];

/// Columns to names, from the tables of the document.
fn columns() -> BTreeMap<&'static str, &'static str> {
    let document = include_str!("../../docs/metrics.md");
    let rows = document.lines().filter(|line| line.starts_with("| `blob") || line.starts_with("| `double"));
    rows.map(|row| row.split('`').collect::<Vec<_>>()).map(|cells| (cells[1], cells[3])).collect()
}

/// Every query, wherever the file has it.
fn collect_queries(value: &Value, queries: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::String(text) if name == "query" => queries.push(text.clone()),
                    _ => collect_queries(value, queries),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect_queries(item, queries)),
        _ => {}
    }
}

/// Columns that do not exist, and those that are shown under another name.
fn problems(query: &str, columns: &BTreeMap<&str, &str>) -> Vec<String> {
    let words: Vec<&str> =
        query.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| !word.is_empty()).collect();
    let is_column = |word: &str| {
        ["blob", "double"].iter().any(|kind| word.strip_prefix(kind).is_some_and(|number| number.parse::<u8>().is_ok()))
    };
    let problem = |at: usize| match columns.get(words[at]) {
        None => Some(format!("{} does not exist", words[at])),
        Some(name) if words.get(at + 1) == Some(&"AS") && words.get(at + 2) != Some(name) => {
            Some(format!("{} is {name}", words[at]))
        }
        Some(_) => None,
    };
    (0..words.len()).filter(|at| is_column(words[*at])).filter_map(problem).collect()
}

#[test]
fn dashboard_and_alerts_query_columns_that_exist_by_their_names() {
    let columns = columns();
    for file in FILES {
        let mut queries = Vec::new();
        collect_queries(&serde_json::from_str(file).expect("JSON"), &mut queries);
        assert!(!queries.is_empty());
        for query in queries {
            assert_eq!(problems(&query, &columns), [""; 0], "{query}");
            assert!(query.contains("FROM statibeat_hosted_mcp_production"), "{query}");
        }
    }
    assert_eq!(problems("SELECT blob2 AS kind, double99", &columns), ["blob2 is outcome", "double99 does not exist"]);
}

/// Readiness can't check StatiBeat's keys, so this is the only sign that they changed.
#[test]
fn alerts_name_the_reasons_of_sign_ins_with_an_unknown_key() {
    for error in [IdentityError::UnknownKey, IdentityError::Signature] {
        assert!(FILES[1].contains(&format!("'{}'", error.reason())), "{error:?}");
    }
}
