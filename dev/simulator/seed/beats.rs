//! Beats in all stages, two groups, and three actions that wait for a person.

use serde_json::json;

use super::evidence;
use crate::domain::beat_actions::{ActionState, BeatAction};
use crate::domain::beats::{Beat, BeatDetails, BeatGroup, Beats, StageChange};
use crate::domain::evidence::BeatRun;

const MINUTE: i64 = 60;

/// A row: id, name, type, stage, mode, component, group.
type Row = (u64, &'static str, &'static str, &'static str, &'static str, u64, Option<u64>);

#[rustfmt::skip] // one row, one line
const BEATS: [Row; 11] = [
    (501, "Gateway health", "http", "critical", "draft_only", 102, Some(601)),
    (502, "Gateway latency", "latency", "warning", "draft_only", 102, Some(601)),
    (503, "Token endpoint", "api", "healthy", "auto_post", 103, Some(601)),
    (504, "Sign-in journey", "browser_journey", "healthy", "draft_only", 112, Some(602)),
    (505, "Search answers", "api", "warning", "disabled", 113, Some(602)),
    (506, "Certificate of the gateway", "ssl_certificate", "healthy", "disabled", 102, None),
    (507, "Nightly export job", "heartbeat", "critical", "draft_only", 114, None),
    (508, "Resolver", "dns_resolve", "healthy", "disabled", 106, None),
    (509, "Database port", "tcp_connect", "healthy", "disabled", 124, None),
    (510, "SMS carrier notices", "external_event", "warning", "draft_only", 133, None),
    (511, "Packet loss to Oregon", "packet_loss", "unknown", "disabled", 106, None),
];

pub fn beats(now: i64) -> Beats {
    let mut beats: Vec<Beat> = BEATS.iter().map(|row| beat(row, 42, now)).collect();
    beats.push(beat(&(551, "Key store", "http", "critical", "disabled", 203, None), 43, now));
    let group =
        |id, name, description, public_post_mode| BeatGroup { id, page_id: 42, name, description, public_post_mode };
    let runs = beats.iter().filter(|beat| beat.enabled).flat_map(|beat| runs(beat, now)).collect();
    Beats {
        monitors: beats,
        groups: vec![
            group(601, "API Europe", "Speaks for the European API with one voice.", "draft_only"),
            group(602, "Dashboard", "What people see in the browser.", "auto_post"),
        ],
        events: evidence::events(now),
        runs,
        actions: actions(now),
    }
}

fn beat(row: &Row, page_id: u64, now: i64) -> Beat {
    let (id, name, kind, stage, public_post_mode, component, group_id) = *row;
    let enabled = stage != "unknown";
    Beat {
        id,
        page_id,
        name,
        kind,
        enabled,
        stage,
        public_post_mode,
        group_id,
        component_ids: vec![component],
        last_run_at: enabled.then_some(now - MINUTE),
        stage_changes: stage_changes(stage, now),
        details: BeatDetails {
            description: "Watches from Europe West 2.",
            interval_seconds: 60,
            timeout_ms: 10_000,
            regions: ["europe-west2"],
            target: format!("https://probe.northwind.example/{id}"),
            thresholds: json!({
                "warning": "2 of 10 runs fail within 5 minutes", "critical": "5 of 10 runs fail within 5 minutes",
            }),
            // Real configurations carry credentials. Whoever hands this on must leave them out.
            configuration: json!({
                "url": format!("https://probe.northwind.example/{id}"),
                "method": "GET",
                "expected_status_codes": [200],
                "request_headers": {
                    "Authorization": "Bearer demo-probe-credential-never-show-this",
                    "X-Api-Key": "demo-api-key-never-show-this",
                },
            }),
        },
    }
}

/// Trouble last night and the recovery from it; what is in trouble now is so for less than an hour.
fn stage_changes(stage: &'static str, now: i64) -> Vec<StageChange> {
    let change =
        |previous_stage, stage, minutes: i64| StageChange { stage, previous_stage, changed_at: now - minutes * MINUTE };
    let last_night = [change("healthy", "critical", 15 * 60), change("critical", "healthy", 14 * 60 + 20)];
    let today = match stage {
        "critical" => vec![change("healthy", "warning", 44), change("warning", "critical", 40)],
        "healthy" => vec![],
        stage => vec![change("healthy", stage, 48)],
    };
    last_night.into_iter().chain(today).collect()
}

fn runs(beat: &Beat, now: i64) -> Vec<BeatRun> {
    let run = |index: u64| BeatRun {
        id: beat.id * 100 + index,
        beat_id: beat.id,
        trigger: "schedule",
        stage: if index == 9 { beat.stage } else { "healthy" },
        latency_ms: 90 + (beat.id * 7 + index * 13) % 80,
        started_at: now - MINUTE * (10 - index.cast_signed()),
    };
    (0..10).map(run).collect()
}

fn actions(now: i64) -> Vec<BeatAction> {
    let action = |id: u64, beat_id: u64, kind: &str, title: &str, message: &str| BeatAction {
        id,
        page_id: 42,
        beat_id,
        kind: kind.to_owned(),
        state: ActionState::Pending,
        title: title.to_owned(),
        message: message.to_owned(),
        proposed_status: "degraded".to_owned(),
        affected: Vec::new(),
        incident_id: None,
        evidence_summary: String::new(),
        external_trigger: None,
        created_at: now - i64::from(u32::try_from(800 - id).unwrap_or(0)) * MINUTE,
        decided_at: None,
        decided_by: None,
    };
    vec![
        BeatAction {
            incident_id: Some(1001),
            affected: vec![102],
            proposed_status: "partial_outage".to_owned(),
            evidence_summary: "7 of 10 probes answered 502 within five minutes.".to_owned(),
            ..action(
                701,
                501,
                "post_update",
                "API gateway errors in Europe",
                "Probes still see errors at one of three clusters.",
            )
        },
        BeatAction {
            affected: vec![114],
            evidence_summary: "No heartbeat for 95 minutes; expected every 60.".to_owned(),
            ..action(
                702,
                507,
                "create_incident",
                "Nightly exports delayed",
                "The nightly export job has not reported in.",
            )
        },
        BeatAction {
            affected: vec![133],
            evidence_summary: evidence::INJECTION.to_owned(),
            external_trigger: Some(json!({
                "endpoint": "carrier-notices",
                "trigger": "carrier degraded",
                "fingerprint": "carrier:sms:de",
            })),
            ..action(
                703,
                510,
                "create_incident",
                "SMS delays reported by carrier",
                "A carrier reports delays for text messages.",
            )
        },
    ]
}
