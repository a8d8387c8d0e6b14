//! The cases of writes that both programs carry out alike, in the memory of the page server.

#[path = "../tables/writes.rs"]
mod table;

use crate::support::{Client, StatiBeat};
use async_trait::async_trait;
use serde_json::{Value, json};
use statibeat_simulator::{Fault, FaultKind};
use std::cell::Cell;

struct Page<'a> {
    statibeat: &'a StatiBeat,
    client: &'a Client<'a>,
    /// Writes that were counted already.
    counted: Cell<usize>,
}

#[async_trait(?Send)]
impl table::Server for Page<'_> {
    async fn call(&self, tool: &str, arguments: Value) -> Value {
        let params = json!({ "name": tool, "arguments": arguments });
        self.client.request("tools/call", params).await["result"].clone()
    }

    fn inject(&self, method: &str, path: &str, kind: FaultKind) {
        let (method, path) = (Some(method.to_owned()), format!("/api/v1/admin/{path}"));
        self.statibeat.simulator.inject(Fault { method, path, times: 1, kind });
    }

    fn take_posts(&self) -> usize {
        let all = self.statibeat.writes().len();
        all - self.counted.replace(all)
    }
}

#[test]
fn page_server_carries_out_every_case_of_the_table() {
    for case in table::cases() {
        let statibeat = StatiBeat::new();
        statibeat.serve(&[], async |client| {
            table::play(&Page { statibeat: &statibeat, client, counted: Cell::new(0) }, case).await;
        });
    }
}

#[test]
fn deleted_incident_is_named_in_the_result() {
    let statibeat = StatiBeat::new();
    statibeat.serve(&[], async |client| {
        let page = Page { statibeat: &statibeat, client, counted: Cell::new(0) };
        let delete = async |arguments: Value| table::Server::call(&page, "delete_incident", arguments).await;
        let shown = delete(json!({ "incident_id": 1001, "preview": true })).await;
        let deleted = delete(json!({ "confirm": shown["structuredContent"]["preview"]["confirm"] })).await;
        assert_eq!(deleted["structuredContent"]["incident_id"], 1001, "{deleted}");
        assert!(deleted["content"][0]["text"].as_str().is_some_and(|text| text.contains("1001")), "{deleted}");
    });
}

#[test]
fn change_that_cannot_be_looked_up_and_was_not_confirmed_says_what_to_read() {
    let statibeat = StatiBeat::new();
    statibeat.serve(&[], async |client| {
        let page = Page { statibeat: &statibeat, client, counted: Cell::new(0) };
        table::Server::inject(&page, "POST", "incidents/1001/acknowledge", FaultKind::DropAfter);
        let answer = table::Server::call(&page, "acknowledge_incident", json!({ "incident_id": 1001 })).await;
        let text = answer["content"][0]["text"].as_str().unwrap_or_default();
        assert!(text.contains("did not confirm this") && text.contains("Read the resource"), "{answer}");
        assert_eq!((&answer["isError"], page.counted.get()), (&json!(true), 0), "{answer}");
    });
}
