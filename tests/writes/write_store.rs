//! The cases of writes that both programs carry out alike, on D1.

#[path = "../tables/writes.rs"]
mod table;

use crate::support::flow::user;
use crate::support::simulator::FaultKind;
use crate::support::surface::EVERYTHING;
use crate::support::{TestApp, json};
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
        let params = json!({ "name": tool, "arguments": arguments });
        json(&self.app.call(&self.token, "tools/call", params))["result"].clone()
    }

    fn inject(&self, method: &str, path: &str, kind: FaultKind) {
        self.app.upstream.inject(Some(method), &format!("/api/v1/orgs/*/pages/*/admin/{path}"), kind);
    }

    fn take_posts(&self) -> usize {
        self.app
            .upstream
            .take_calls()
            .iter()
            .filter(|call| call.starts_with("POST /api/v1/orgs") && !call.ends_with("?dry_run=true"))
            .count()
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
