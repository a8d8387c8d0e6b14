//! The results of every tool of Hosted MCP against its output schema.

#[path = "../tables/results.rs"]
mod table;

use crate::calls;
use crate::support::flow::user;
use crate::support::surface::EVERYTHING;
use crate::support::{TestApp, json};
use async_trait::async_trait;
use futures_util::FutureExt as _;
use serde_json::{Map, Value, json};
use statibeat_mcp::catalog::tools::TOOLS;
use std::time::Duration;
use table::{Play, TestedServer, tool_names};

struct Hosted {
    app: TestApp,
    token: String,
}

impl Hosted {
    fn new() -> Self {
        let app = TestApp::new();
        let token = app.connect(user::MARA_ADMIN, EVERYTHING).access;
        app.upstream.take_calls();
        Self { app, token }
    }
}

#[async_trait(?Send)]
impl TestedServer for Hosted {
    async fn request(&self, method: &str, params: Value) -> Value {
        json(&self.app.call_in("2026-07-28", &self.token, method, params))
    }

    fn own_arguments(&self) -> Map<String, Value> {
        Map::from_iter([("page_id".to_owned(), json!(42))])
    }

    fn take_posts(&self) -> usize {
        self.app.take_posts()
    }

    fn wait(&self) {
        self.app.advance(Duration::from_mins(11));
    }
}

/// Runs a story for each of these tools, or for all, each with a connector of its own.
fn play(only: Option<&str>, story: impl AsyncFn(&Play<'_>)) {
    let names = tool_names(&Hosted::new()).now_or_never().expect("nothing waits");
    assert_eq!(names.len(), TOOLS.len(), "{names:?}");
    for name in names.iter().filter(|name| only.is_none_or(|only| only == *name)) {
        let hosted = Hosted::new();
        let run = async { story(&Play::new(&hosted, name).await).await };
        run.now_or_never().expect("nothing waits");
    }
}

#[test]
fn result_of_every_answer_of_the_person_fits_the_output_schema() {
    play(None, async |play| play.confirm_after_every_other_answer().await);
}

#[test]
fn cancelled_question_is_no_refusal_and_a_preview_then_publishes() {
    play(None, async |play| play.confirm_after_a_cancelled_question().await);
}

#[test]
fn cancelled_question_counts_for_its_write_and_for_ten_minutes() {
    play(Some("create_incident"), async |play| play.ask_about_another_write_after_a_cancelled_question().await);
}
