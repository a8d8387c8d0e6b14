//! No list of the page server and no answer to a wrong call names what its reader cannot follow.

use crate::known_names::{KnownNames, texts};
use crate::support::StatiBeat;
use serde_json::{Map, Value, json};
use statibeat_mcp::catalog::tools::all_tools;

#[test]
fn text_of_the_page_server_names_only_what_its_reader_can_follow() {
    let statibeat = StatiBeat::new();
    let dead = statibeat.serve(&[("STATIBEAT_MCP_CONFIRM", "never")], async |client| {
        let mut lists = vec![];
        for method in ["tools/list", "resources/list", "resources/templates/list", "prompts/list"] {
            lists.push(client.request(method, json!({})).await["result"].clone());
        }
        let known = KnownNames::new(&lists);
        assert!(known.names.contains("update_incident") && !known.uris.is_empty(), "{lists:?}");
        // The descriptions of a tool are read together.
        let tools = lists[0]["tools"].as_array().into_iter().flatten().map(|tool| texts(tool).join("\n"));
        let mut shown: Vec<String> = tools.collect();
        shown.extend(lists[1..].iter().flat_map(texts).map(str::to_owned));
        for tool in all_tools() {
            let wrong = json!({ "incident_id": 9999, "maintenance_id": 9999, "beat_id": 9999, "action_id": 9999 });
            for arguments in [Map::new(), wrong.as_object().expect("arguments").clone()] {
                shown.push(client.call(tool.name, arguments).await.text);
            }
        }
        for uri in ["statibeat://page/incidents/9999", "statibeat://nothing"] {
            let answer: Value = client.request("resources/read", json!({ "uri": uri })).await;
            shown.extend(texts(&answer).into_iter().map(|text| text.replace(uri, "…")));
        }
        let dead =
            |text: &String| known.find_dead(text, &[]).into_iter().map(|dead| format!("{dead} in {text:?}")).collect();
        shown.iter().flat_map(|text| -> Vec<String> { dead(text) }).collect::<Vec<_>>()
    });
    assert!(dead.is_empty(), "{} dead references\n{}", dead.len(), dead.join("\n"));
}
