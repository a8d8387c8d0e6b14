//! Writes that somebody wants published once, and the promises about them.

use crate::base::GRETA;
use crate::observations::{ConnectionFacts, Observations, Reply, RequestFacts, StopFacts};
use crate::random::Random;
use crate::scheduler::TaskId;
use crate::support::START;
use crate::tokens::SCOPES;
use crate::world::World;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Time within which the same write through another connection counts as one, less what an attempt may take.
const DUPLICATE_SECONDS: i64 = 29 * 60;
/// Time within which the same call counts as one, less what an attempt may take.
pub const REPEATED_SECONDS: i64 = 23 * 3_600;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WriteTool {
    CreateIncident,
    AddIncidentUpdate,
    ScheduleMaintenance,
    AddMaintenanceUpdate,
}

/// A write, and how its client names it.
#[derive(Clone, Debug)]
pub struct WantedWrite {
    tool: WriteTool,
    page: i64,
    has_key: bool,
    has_external_id: bool,
}

/// A publication of a write on its page.
pub struct PostFacts {
    /// The time that the request went by which published it.
    now: i64,
    connection_index: usize,
}

pub struct WriteFacts {
    pub wanted: WantedWrite,
    pub posts: Vec<PostFacts>,
    /// Connections that have called for it, each with the time of the first call.
    pub callers: BTreeMap<usize, i64>,
    /// True once a call was told that it is published.
    pub is_told_done: bool,
}

impl WantedWrite {
    pub fn draw(random: &Random, user: &str) -> Self {
        use WriteTool::{AddIncidentUpdate, AddMaintenanceUpdate, CreateIncident, ScheduleMaintenance};
        let (page, tools): (i64, &[WriteTool]) = if user == GRETA {
            (77, &[CreateIncident])
        } else {
            (42, &[CreateIncident, CreateIncident, AddIncidentUpdate, ScheduleMaintenance, AddMaintenanceUpdate])
        };
        let tool = *random.pick(tools);
        let creates = matches!(tool, CreateIncident | ScheduleMaintenance);
        Self { tool, page, has_key: random.below(2) == 0, has_external_id: creates && random.below(4) == 0 }
    }

    /// The call of the write with this number; the same each time.
    pub fn call(&self, number: usize) -> (&'static str, Value) {
        let time = |seconds: i64| jiff::Timestamp::from_second(START + seconds).expect("a time").to_string();
        let words = format!("Write number {number}");
        let (tool, mut arguments) = match self.tool {
            WriteTool::CreateIncident => {
                let freetext = format!("System {number}");
                ("create_incident", json!({ "title": words, "description": "D", "affected_items_freetext": freetext }))
            }
            WriteTool::ScheduleMaintenance => (
                "schedule_maintenance",
                json!({ "title": words, "description": "D", "starts_at": time(8_640_000), "ends_at": time(8_643_600) }),
            ),
            WriteTool::AddIncidentUpdate => ("add_incident_update", json!({ "incident_id": 1001, "message": words })),
            WriteTool::AddMaintenanceUpdate => {
                ("add_maintenance_update", json!({ "maintenance_id": 2001, "message": words }))
            }
        };
        arguments["page_id"] = json!(self.page);
        if self.has_key {
            arguments["idempotency_key"] = json!(format!("key-{number}"));
        }
        if self.has_external_id {
            arguments["external_id"] = json!(format!("own-{number}"));
        }
        (tool, arguments)
    }
}

/// Returns whether a reply says that the write is published.
pub fn says_done(reply: &Reply) -> bool {
    let result = &reply.json()["result"];
    reply.status == 200 && result["isError"] == false && result["structuredContent"]["published"] != false
}

/// Words by which a reply leaves open whether the write is published.
const OPEN: [&str; 4] = ["may or may not", "may have published", "may be published", "outcome is unknown"];

impl Observations {
    pub fn want(&mut self, wanted: WantedWrite) -> usize {
        self.writes.push(WriteFacts { wanted, posts: Vec::new(), callers: BTreeMap::new(), is_told_done: false });
        self.writes.len() - 1
    }

    /// StatiBeat has published what a request sent, which had begun to send it at a step.
    pub fn note_post(&mut self, task: TaskId, body: &[u8], begun: u32, world: &World) {
        let number = self.request_of(task).expect("only requests publish");
        let RequestFacts { sent, is_told_nothing, .. } = &mut self.requests[number];
        let (connection_index, is_told_nothing) = (sent.connection_index, *is_told_nothing);
        self.requests[number].posts += 1;
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let words = body["title"].as_str().or(body["message"].as_str()).unwrap_or_default();
        let write: usize = words.rsplit(' ').next().and_then(|number| number.parse().ok()).expect("a write of ours");
        let audited = "SELECT count(*) FROM audit WHERE kind = 'write' AND request_id = ?1";
        let is_audited = world.base.stored.count(audited, &format!("request-{number}")) == 1;
        self.forbid(!is_audited, "nothing is published without an audit row", number);
        let is_for_pages = self.accesses[&self.requests[number].sent.secret].is_for_pages;
        self.forbid(is_for_pages, SCOPES, number);
        self.forbid(is_told_nothing, "who is told that nothing was published, published nothing", number);
        let ConnectionFacts { ended, pause, block, .. } = self.connections[connection_index];
        let held = |stop: StopFacts| stop.holds_since.is_some_and(|since| since < begun);
        let is_stopped = ended.is_some_and(|since| since < begun) || held(pause) || held(block);
        self.forbid(is_stopped, "nothing is published after a confirmed revocation, pause or block", number);
        let now = self.requests[number].began.now;
        let first_call = self.writes[write].callers.get(&connection_index).copied().unwrap_or(now);
        let is_second = self.writes[write].posts.iter().any(|post| {
            if post.connection_index == connection_index {
                world.now() - first_call < REPEATED_SECONDS
            } else {
                now - post.now < DUPLICATE_SECONDS
            }
        });
        self.forbid(is_second, "a write is published at most once", number);
        self.writes[write].posts.push(PostFacts { now, connection_index });
    }

    /// A call was handled: its reply says truly whether it published.
    pub fn end_call(&mut self, number: usize, (write, is_preview): (usize, bool), reply: &Reply, world: &World) {
        let RequestFacts { posts, is_hit, .. } = self.requests[number];
        let result = &reply.json()["result"];
        if !result.is_object() {
            self.requests[number].is_told_nothing = true;
            self.forbid(posts > 0, "a call that fails has published nothing", number);
            return;
        }
        let text = result["content"][0]["text"].as_str().unwrap_or_default();
        let says_nothing = text.contains("othing was published") || text.contains("so nothing was published");
        if says_done(reply) && !is_preview {
            let is_published = !self.writes[write].posts.is_empty();
            self.writes[write].is_told_done = true;
            self.forbid(!is_published, "what is reported as published is published", number);
        } else if says_nothing {
            self.requests[number].is_told_nothing = true;
            self.forbid(posts > 0, "who is told that nothing was published, published nothing", number);
        } else {
            let is_open = OPEN.iter().any(|words| text.contains(words)) || text.contains("Already published");
            self.forbid(!is_open, "every answer says whether something was published", number);
        }
        if !is_hit && !text.contains("No audit entry") {
            let audited = "SELECT count(*) FROM audit WHERE kind = 'write' AND request_id = ?1";
            let rows = world.base.stored.count(audited, &format!("request-{number}"));
            self.forbid(rows == 0, "every call of a write has an audit row", number);
        }
    }
}
