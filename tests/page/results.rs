//! The results of every tool of the page server against its output schema.

#[path = "../tables/results.rs"]
mod table;

use crate::calls;
use crate::support::{Client, StatiBeat};
use async_trait::async_trait;
use serde_json::{Map, Value, json};
use statibeat_mcp::catalog::tools::all_tools;
use std::cell::Cell;
use table::{Play, TestedServer, tool_names};

struct Page<'a> {
    statibeat: &'a StatiBeat,
    client: &'a Client<'a>,
    /// Writes that were counted already.
    counted: Cell<usize>,
}

#[async_trait(?Send)]
impl TestedServer for Page<'_> {
    async fn request(&self, method: &str, mut params: Value) -> Value {
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": { "elicitation": {} },
        });
        self.client.request(method, params).await
    }

    fn own_arguments(&self) -> Map<String, Value> {
        Map::new()
    }

    fn take_posts(&self) -> usize {
        let all = self.statibeat.writes().len();
        all - self.counted.replace(all)
    }

    fn wait(&self) {
        self.statibeat.advance(11 * 60);
    }
}

/// Runs a story for each of these tools, or for all, each with a server of its own.
fn play(only: Option<&str>, story: &impl AsyncFn(&Play<'_>)) {
    let names = StatiBeat::new().serve(&[], async |client| {
        let statibeat = StatiBeat::new();
        tool_names(&Page { statibeat: &statibeat, client, counted: Cell::new(0) }).await
    });
    let all: Vec<&str> = all_tools().map(|tool| tool.name).collect();
    assert_eq!(names, all, "the page server has every tool that writes");
    for name in names.iter().filter(|name| only.is_none_or(|only| only == *name)) {
        let statibeat = StatiBeat::new();
        statibeat.serve(&[], async |client| {
            let page = Page { statibeat: &statibeat, client, counted: Cell::new(0) };
            story(&Play::new(&page, name).await).await;
        });
    }
}

#[test]
fn result_of_every_answer_of_the_person_fits_the_output_schema() {
    play(None, &async |play: &Play<'_>| play.confirm_after_every_other_answer().await);
}

#[test]
fn cancelled_question_is_no_refusal_and_a_preview_then_publishes() {
    play(None, &async |play: &Play<'_>| play.confirm_after_a_cancelled_question().await);
}

#[test]
fn cancelled_question_counts_for_its_write_and_for_ten_minutes() {
    play(Some("create_incident"), &async |play: &Play<'_>| {
        play.ask_about_another_write_after_a_cancelled_question().await;
    });
}
