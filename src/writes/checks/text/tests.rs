//! For each rule what it must see, where, and what it must leave alone.

use super::*;
use serde_json::json;

fn seen(operation: Operation, field: &str, text: &str) -> Vec<(&'static str, usize)> {
    check(operation, &json!({ field: text }), |_| true)
        .into_iter()
        .map(|warning| (warning.rule.name(), warning.at))
        .collect()
}

fn check_text(text: &str, expected: &[(&'static str, usize)]) {
    assert_eq!(seen(Operation::CreateIncident, "description", text), expected, "{text}");
}

#[test]
fn internals_are_seen_where_they_stand() {
    check_text("Database db-1.internal is slow.", &[("internal-host", 9)]);
    check_text("See https://grafana.corp/d/1", &[("internal-host", 4)]);
    check_text("Host api.svc:8080 fails", &[("internal-host", 5)]);
    check_text("Node 10.0.4.17 is gone.", &[("ip-address", 5)]);
    check_text("at [fe80::1:2]", &[("ip-address", 4)]);
    check_text("Ask mara@northwind.example", &[("email", 4)]);
}

#[test]
fn secrets_are_seen() {
    for text in [
        "ghp_abcdefghij0123456789",
        "AKIAIOSFODNN7EXAMPLE",
        "token=0123456789abcdef0123456789abcdef",
        "eyJhbGciOiJIUzI1NiJ9.e30.x",
    ] {
        assert_eq!(
            seen(Operation::CreateIncident, "description", text).first().map(|(name, _)| *name),
            Some("secret"),
            "{text}"
        );
    }
}

#[test]
fn blame_promises_and_contradictions_are_seen() {
    check_text("It was human error.", &[("blame", 7)]);
    check_text("Our provider's fault", &[("blame", 12)]);
    check_text("Back within 30 minutes.", &[("promised-time", 5)]);
    check_text("It will be fixed by noon.", &[("promised-time", 3)]);
    check_text("The issue is resolved.", &[("says-resolved", 10)]);
    assert_eq!(
        seen(Operation::ScheduleMaintenance, "description", "The upgrade has been completed."),
        [("wrong-tense", 12)]
    );
    assert_eq!(
        seen(Operation::AddMaintenanceUpdate { maintenance_id: 1 }, "message", "The first part has been completed."),
        []
    );
}

#[test]
fn titles_have_rules_of_their_own() {
    let title = |text: &str| seen(Operation::CreateIncident, "title", text);
    assert_eq!(title("…"), [("empty-title", 0)]);
    assert_eq!(title("EVERYTHING IS DOWN"), [("shouting-title", 0)]);
    assert_eq!(title("API down!!"), [("shouting-title", 8)]);
    assert_eq!(title(&"a ".repeat(51)), [("too-long", 100)]);
    assert_eq!(title("API DNS TLS"), [("shouting-title", 0)]);
    assert_eq!(title("HTTP 503"), []);
}

#[test]
fn ordinary_news_passes() {
    for text in [
        "We are investigating elevated error rates on the Public API. Version 10.4.2 is affected.",
        "Störung in Zürich: Anfragen dauern länger. 影響を受けています。",
        "Customers in eu-central-1 see errors at https://status.northwind.example/incidents/9001.",
        "Requests time out after 30 seconds; 5 of 12 regions are affected, in part.",
        "It started at 10:45 UTC.",
    ] {
        check_text(text, &[]);
    }
}

#[test]
fn hidden_character_is_named_with_its_place_and_code_point() {
    let warnings = |text: &str| check(Operation::CreateIncident, &json!({ "description": text }), |_| true);
    for (text, code) in [
        ("It\u{200b} is slow.", "U+200B"),
        ("It\u{ad} is slow.", "U+00AD"),
        ("It\u{e0041} is slow.", "U+E0041"),
        ("It\u{202e} is slow.", "U+202E"),
        ("It\u{feff} is slow.", "U+FEFF"),
        ("It\u{2028} is slow.", "U+2028"),
        ("It\u{7} is slow.", "U+0007"),
        ("It\u{fe00} is slow.", "U+FE00"),
        ("It\u{3164} is slow.", "U+3164"),
    ] {
        let says = format!(
            "hidden-character: `description` at character 3 ({code}) is a character that readers do not see: leave it out"
        );
        assert_eq!(warnings(text).iter().map(ToString::to_string).collect::<Vec<_>>(), [says]);
    }
    for text in ["Two lines:\r\n\tone\nanother", "❤️ from 👩🏽‍💻", "می‌خواهم", "क्‍ष"] {
        assert_eq!(warnings(text), [], "{text:?}");
    }
}

#[test]
fn word_written_in_another_way_is_still_seen() {
    check_text("It was ｈｕｍａｎ ｅｒｒｏｒ.", &[("blame", 7)]);
    check_text("It was human\n  error.", &[("blame", 7)]);
    check_text("It was 𝐡𝐮𝐦𝐚𝐧 𝗲𝗿𝗿𝗼𝗿.", &[("blame", 7)]);
    check_text("It was hu\u{200b}man er\u{ad}ror.", &[("hidden-character", 9), ("blame", 7)]);
    check_text("\u{2060}Ask \u{200d}mara@northwind.example", &[("hidden-character", 0), ("email", 6)]);
    check_text("Database db-1.inter\u{200c}nal is slow.", &[("hidden-character", 19), ("internal-host", 9)]);
    check_text("Node １０.0.4.17 is gone.", &[("ip-address", 5)]);
    check_text("Node 10.0.\u{fe0f}4.17 is gone.", &[("hidden-character", 10), ("ip-address", 5)]);
    check_text("ghp_abcdef\u{200b}ghij0123456789", &[("hidden-character", 10), ("secret", 0)]);
    assert_eq!(
        seen(Operation::CreateIncident, "title", "\u{3164}\u{2800}"),
        [("hidden-character", 0), ("empty-title", 0)]
    );
    assert_eq!(seen(Operation::CreateIncident, "title", "ＥＶＥＲＹＴＨＩＮＧ ＩＳ ＤＯＷＮ"), [("shouting-title", 0)]);
}

#[test]
fn a_rule_can_be_switched_off_by_its_name() {
    for rule in TextRule::ALL {
        assert_eq!(TextRule::find(rule.name()), Some(*rule));
    }
    let off = TextRule::find("blame").expect("a rule");
    assert_eq!(check(Operation::CreateIncident, &json!({ "title": "Human error" }), |rule| rule != off), []);
}

#[test]
fn a_warning_says_rule_field_and_place() {
    let warning = check(Operation::CreateIncident, &json!({ "message": "on 10.0.0.1" }), |_| true).remove(0);
    assert_eq!(warning.to_string(), "ip-address: `message` at character 4 shows the address of a machine");
}
