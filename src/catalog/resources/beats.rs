//! Bodies about Beats: inventory, groups, failures, evidence, actions that wait for a person.
//!
//! Configurations are never shown: they carry the credentials of probes. Evidence is text from outside.

use super::body::ListShape;
use super::timeline::AFFECTED;
use crate::catalog::shown::Origin::{Outside, People};
use crate::catalog::shown::Shown::{self, Address, List, Object, Plain, Text};

pub const BEAT: &[Shown] = &[
    Plain("id"),
    Text("name", 100, People),
    Plain("type"),
    Plain("enabled"),
    Plain("current_stage"),
    Plain("stage_since"),
    Plain("public_post_mode"),
    Plain("beat_group_id"),
    Plain("component_ids"),
    Plain("last_run_at"),
];

const MEMBER: &[Shown] = &[Plain("id"), Text("name", 100, People), Plain("enabled"), Plain("current_stage")];

const GROUP: &[Shown] = &[
    Plain("id"),
    Text("name", 100, People),
    Text("description", 300, People),
    Plain("public_post_mode"),
    Plain("current_stage"),
    List("members", 50, MEMBER),
];

const TRIGGER: &[Shown] =
    &[Text("endpoint", 100, Outside), Text("trigger", 100, Outside), Text("fingerprint", 100, Outside)];

pub const EVENT: &[Shown] = &[
    Plain("id"),
    Plain("beat_id"),
    Text("beat_name", 100, People),
    Plain("stage"),
    Text("evidence_summary", 500, Outside),
    Plain("latency_ms"),
    Plain("status_code"),
    Text("region", 60, Outside),
    Plain("certificate_days_until_expiry"),
    Text("browser_capture_status", 60, Outside),
    Text("mtr_capture_status", 60, Outside),
    Address("target_url"),
    Object("external_trigger", TRIGGER),
    Plain("review_url"),
    Plain("created_at"),
];

pub const ACTION: &[Shown] = &[
    Plain("id"),
    Plain("beat_id"),
    Text("beat_name", 100, People),
    Plain("beat_group_id"),
    Plain("kind"),
    Plain("state"),
    Text("title", 200, Outside),
    Text("message", 2000, Outside),
    Plain("proposed_status"),
    List("affected_items", 20, AFFECTED),
    Plain("incident_id"),
    Text("evidence_summary", 500, Outside),
    Object("external_trigger", TRIGGER),
    Plain("review_url"),
    Plain("created_at"),
];

pub const BEATS: ListShape = ListShape { description: "the list of Beats", name: "beats", fields: BEAT, limit: None };
pub const GROUPS: ListShape =
    ListShape { description: "the list of Beat Groups", name: "beat_groups", fields: GROUP, limit: None };
/// Actions that wait for a person.
pub const PENDING_ACTIONS: ListShape =
    ListShape { description: "the list of Beat actions", name: "pending_actions", fields: ACTION, limit: Some(50) };
pub const FAILURES: ListShape =
    ListShape { description: "the list of Beat failures", name: "failures", fields: EVENT, limit: Some(50) };
pub const EVENTS: ListShape =
    ListShape { description: "the list of evidence events", name: "events", fields: EVENT, limit: Some(100) };
