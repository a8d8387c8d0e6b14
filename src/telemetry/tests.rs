//! A record's line, point and level, and which lines are written.

use super::policy::{Level, LogPolicy, Share};
use super::trace::Trace;
use super::*;
use serde_json::{Value, json};

fn id() -> RequestId {
    RequestId::parse("r1").expect("an id")
}

fn log<'a>(clock: &'a Clock<'a>) -> RequestLog<'a> {
    RequestLog::open(clock, Trace::new(&|bytes| bytes.fill(0x10)), id(), &http::Method::POST)
}

fn record(status: u16, story: impl FnOnce(&RequestLog<'_>)) -> RequestRecord {
    let now = Cell::new(100);
    let clock = || now.replace(now.get() + 5);
    let log = log(&clock);
    story(&log);
    log.close(status)
}

#[test]
fn a_line_says_what_happened_and_leaves_out_what_did_not() {
    let line = |record: RequestRecord| serde_json::from_str::<Value>(&record.line()).expect("JSON");
    let plain = json!({
        "level": "info", "event": "request", "request_id": "r1", "trace_id": "10101010101010101010101010101010",
        "span_id": "1010101010101010", "route": "none", "method": "POST", "status": 404, "outcome": "refused", "ms": 5,
        "d1": { "count": 0 }, "objects": { "count": 0 }, "upstream": { "count": 0 },
    });
    assert_eq!(line(record(404, |_| {})), plain);
    let told = line(record(200, |log| {
        log.set_route("/mcp", "other");
        log.set_message(LoggedMessage {
            protocol_version: "2026-07-28",
            method: "tools/call",
            entry: Some("create_incident"),
        });
        log.set_caller(LoggedCaller { client: "cursor".into(), grant: "g1".into() });
        log.set_outcome(Outcome::Refused);
        log.set_reason("possible_duplicate");
        log.record.borrow_mut().upstream =
            PortUsage { count: 2, failed: 1, milliseconds: 30, slowest_milliseconds: 20 };
        log.note("a note");
    }));
    let expected = json!({
        "level": "warn", "route": "/mcp", "outcome": "refused", "reason": "possible_duplicate", "protocol_version": "2026-07-28",
        "rpc_method": "tools/call", "entry": "create_incident", "client": "cursor", "grant": "g1", "notes": ["a note"],
        "upstream": { "count": 2, "failed": 1, "ms": 30, "slowest_ms": 20 },
    });
    for (name, value) in expected.as_object().expect("an object") {
        assert_eq!(&told[name], value, "{name}");
    }
}

#[test]
fn members_of_a_line_are_in_the_order_of_their_names() {
    let full = record(503, |log| {
        log.set_message(LoggedMessage { protocol_version: "2026-07-28", method: "tools/call", entry: Some("e") });
        log.set_caller(LoggedCaller { client: "cursor".into(), grant: "g1".into() });
        log.set_reason("a reason");
        log.note("a note");
        let mut record = log.record.borrow_mut();
        record.limit = Some("a limit");
        record.database = PortUsage { count: 2, failed: 1, milliseconds: 30, slowest_milliseconds: 20 };
        let (id, call) = ("s1".to_owned(), "GET /".to_owned());
        record.spans.push(UpstreamSpan { id, call, status: Some(200), start_milliseconds: 1, milliseconds: 2 });
    });
    let line = full.line();
    let members: Value = serde_json::from_str(&line).expect("JSON");
    assert_eq!(members.as_object().map(serde_json::Map::len), Some(22), "all but that of a parent");
    assert_eq!(line, members.to_string());
}

#[test]
fn our_own_faults_are_errors_and_everything_worth_a_look_is_a_warning() {
    assert_eq!(record(200, |_| {}).level(), Level::Info);
    assert_eq!(record(401, |_| {}).level(), Level::Info);
    assert_eq!(record(503, |_| {}).level(), Level::Warn);
    assert_eq!(record(200, |log| log.set_outcome(Outcome::Failed)).level(), Level::Warn);
    assert_eq!(record(200, |log| log.note("a note")).level(), Level::Warn);
    assert_eq!(record(429, |log| log.record.borrow_mut().limit = Some("authorization-request")).level(), Level::Warn);
    assert_eq!(record(500, |_| {}).level(), Level::Error);
}

fn keeps_call(from: Level, share: &str, status: u16, method: &'static str) -> bool {
    let policy = LogPolicy { from, share: Share::parse(share).expect("a share") };
    policy.keeps(&record(status, |log| {
        log.set_route("/mcp", "other");
        log.set_message(LoggedMessage { protocol_version: "2026-07-28", method, entry: None });
    }))
}

#[test]
fn only_successful_reads_are_sampled() {
    for method in ["resources/read", "tools/list", "prompts/get"] {
        assert!(!keeps_call(Level::Info, "0", 200, method), "{method}");
        for status in [401, 404, 500, 503] {
            assert!(keeps_call(Level::Info, "0", status, method), "{method} {status}");
        }
    }
    for method in ["tools/call", "initialize", "refresh_token"] {
        assert!(keeps_call(Level::Info, "0", 200, method), "{method}");
    }
    let policy = LogPolicy { from: Level::Info, share: Share::parse("0").expect("a share") };
    assert!(policy.keeps(&record(200, |log| log.set_route("/mcp/admin", "admin"))));
    let document =
        |status| record(status, |log| log.set_route("/.well-known/oauth-protected-resource/mcp", "document"));
    assert!(!policy.keeps(&document(200)) && policy.keeps(&document(405)));
    let refused = record(200, |log| {
        log.set_message(LoggedMessage { protocol_version: "", method: "resources/read", entry: None });
        log.set_outcome(Outcome::Refused);
    });
    assert!(policy.keeps(&refused));
}

#[test]
fn share_of_lines_is_drawn_by_the_span_and_levels_are_kept_from_the_lowest() {
    let keeps = |from, share, status| keeps_call(from, share, status, "resources/read");
    assert!(keeps(Level::Info, "1", 200) && !keeps(Level::Info, "0", 200));
    // The last eight digits of the span's id are 0x10101010, at a sixteenth of all.
    assert!(keeps(Level::Info, "0.063", 200) && !keeps(Level::Info, "0.062", 200));
    assert!(keeps(Level::Info, "0", 503) && keeps(Level::Info, "0", 500));
    assert!(!keeps(Level::Warn, "1", 200) && keeps(Level::Warn, "1", 503));
    assert!(!keeps(Level::Error, "1", 503) && keeps(Level::Error, "1", 500));
}

#[test]
fn traceparent_of_the_caller_does_not_decide_whether_its_line_is_kept() {
    let policy = LogPolicy { from: Level::Info, share: Share::parse("0.5").expect("a share") };
    let is_kept = |digit: &str, flags: &str, drawn: u8| {
        let named = Trace::parse(&format!("00-1{}-1{}-{flags}", digit.repeat(31), digit.repeat(15)), None);
        let trace = Trace::new(&|bytes| bytes.fill(drawn)).below(named.expect("a trace"));
        let log = RequestLog::open(&|| 0, trace, id(), &http::Method::POST);
        log.set_message(LoggedMessage { protocol_version: "", method: "tools/list", entry: None });
        policy.keeps(&log.close(200))
    };
    for (digit, flags) in [("0", "00"), ("0", "01"), ("f", "00"), ("f", "01")] {
        assert!(is_kept(digit, flags, 0x10) && !is_kept(digit, flags, 0xf0), "{digit} {flags}");
    }
}

#[test]
fn every_kind_of_request_has_its_point() {
    let kind = |area, method| {
        record(200, |log| {
            log.set_route("/", area);
            if let Some(method) = method {
                log.set_message(LoggedMessage { protocol_version: "", method, entry: None });
            }
        })
        .point()
        .index
    };
    assert_eq!(kind("other", Some("resources/read")), "read");
    assert_eq!(kind("other", Some("tools/list")), "list");
    assert_eq!(kind("other", Some("prompts/get")), "prompt");
    assert_eq!(kind("other", Some("tools/call")), "write");
    assert_eq!(kind("other", Some("initialize")), "protocol");
    assert_eq!(kind("other", None), "other");
    assert_eq!(kind("oauth", Some("refresh_token")), "oauth");
    assert_eq!(kind("oauth", None), "oauth");
    assert_eq!(kind("admin", None), "admin");
    assert_eq!(kind("document", None), "document");
}

#[test]
fn a_point_fits_the_engine() {
    let point = record(200, |_| {}).point();
    assert!(point.words.len() <= 20 && point.numbers.len() <= 20, "at most twenty of each");
    assert!(point.index.len() <= 96);
}

#[test]
fn unusual_methods_are_not_repeated() {
    let method = http::Method::from_bytes(b"SECRET").expect("a token");
    let log = RequestLog::open(&|| 0, Trace::new(&|bytes| bytes.fill(0x10)), id(), &method);
    assert_eq!(log.close(405).method, "OTHER");
}

#[test]
fn a_message_cannot_replace_the_trace_that_its_request_named() {
    let named = |digit: &str| Trace::parse(&format!("00-{}-{}-01", digit.repeat(32), digit.repeat(16)), None);
    let ours = Trace::new(&|bytes| bytes.fill(0x10));
    let log = RequestLog::open(&|| 0, ours.below(named("a").expect("a trace")), id(), &http::Method::POST);
    log.continue_trace(named("b").expect("a trace"));
    assert_eq!(log.trace().id(), "a".repeat(32));
}
