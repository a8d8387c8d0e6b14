//! The cases of writes that both programs carry out alike, on D1.

#[path = "../tables/writes.rs"]
mod table;

use crate::support::TestApp;
use crate::support::flow::user;
use crate::support::simulator::FaultKind;
use crate::support::surface::EVERYTHING;
use async_trait::async_trait;
use futures_util::FutureExt as _;
use serde_json::{Value, json};

struct Hosted {
    app: TestApp,
    token: String,
}

#[async_trait(?Send)]
impl table::Server for Hosted {
    async fn call(&self, tool: &str, mut arguments: Value) -> Value {
        arguments["page_id"] = json!(42);
        self.app.call_tool(&self.token, tool, &arguments)
    }

    fn inject(&self, method: &str, path: &str, kind: FaultKind) {
        self.app.upstream.inject(Some(method), &format!("/api/v1/orgs/*/pages/*/admin/{path}"), kind);
    }

    fn take_posts(&self) -> usize {
        self.app.take_posts()
    }
}

#[test]
fn hosted_mcp_carries_out_every_case_of_the_table() {
    for case in table::cases() {
        let app = TestApp::new();
        let token = app.connect(user::THEO_MANAGER, EVERYTHING).access;
        let hosted = Hosted { app, token };
        table::play(&hosted, case).now_or_never().expect("calls block by themselves, so nothing waits");
    }
}
