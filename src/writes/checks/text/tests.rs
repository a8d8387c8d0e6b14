//! For each rule what it must see, and what it must leave alone: each line a text and what it gets.

use super::*;
use serde_json::json;

mod table;

/// The rules that see something, each with what they quote.
fn seen(operation: Operation, field: &str, text: &str) -> Vec<(&'static str, String)> {
    let found = check(operation, &json!({ field: text }), |_| true);
    found.into_iter().map(|warning| (warning.rule.name(), warning.quoted)).collect()
}

fn check_in(operation: Operation, field: &str, text: &str, expected: &[(&'static str, &str)]) {
    let seen = seen(operation, field, text);
    let seen: Vec<(&str, &str)> = seen.iter().map(|(rule, quoted)| (*rule, quoted.as_str())).collect();
    assert_eq!(seen, expected, "{text:?}");
}

fn check_text(text: &str, expected: &[(&'static str, &str)]) {
    check_in(Operation::CreateIncident, "description", text, expected);
}

#[test]
fn titles_have_rules_of_their_own() {
    let title = |text: &str| seen(Operation::CreateIncident, "title", text).first().map(|(rule, _)| *rule);
    assert_eq!(title("…"), Some("empty-title"));
    assert_eq!(title("EVERYTHING IS DOWN"), Some("shouting-title"));
    assert_eq!(title("API down!!"), Some("shouting-title"));
    assert_eq!(title(&"a ".repeat(51)), Some("too-long"));
    assert_eq!(title("API DNS TLS"), Some("shouting-title"));
    assert_eq!(title("HTTP 503"), None);
    assert_eq!(title("\u{3164}\u{2800}"), Some("hidden-character"));
    assert_eq!(title("ＥＶＥＲＹＴＨＩＮＧ ＩＳ ＤＯＷＮ"), Some("shouting-title"));
}

#[test]
fn tense_and_end_depend_on_the_operation() {
    let update = Operation::AddIncidentUpdate { incident_id: 1 };
    let of_window = Operation::AddMaintenanceUpdate { maintenance_id: 1 };
    let over = "The issue is resolved.";
    check_in(update, "message", over, &[("says-resolved", "\"is resolved\"")]);
    check_in(Operation::ResolveIncident { incident_id: 1 }, "resolution_message", over, &[]);
    let done = "The upgrade has been completed.";
    check_in(Operation::ScheduleMaintenance, "description", done, &[("wrong-tense", "\"has been completed\"")]);
    check_in(of_window, "message", done, &[]);
    for (text, quoted) in [
        ("The maintenance is complete.", "\"maintenance is complete\""),
        ("Maintenance completed, thank you.", "\"Maintenance completed\""),
        ("All good: this maintenance window has now been cancelled", "\"maintenance window has now been cancelled\""),
        ("Planned work has finished.", "\"Planned work has finished\""),
    ] {
        check_in(of_window, "message", text, &[("says-resolved", quoted)]);
        check_in(Operation::CompleteMaintenance { maintenance_id: 1 }, "message", text, &[]);
    }
    for text in [
        "We write again once the maintenance is complete.",
        "The maintenance is not complete.",
        "The maintenance is half done.",
        "The maintenance will be completed by 04:00 UTC.",
        "The maintenance has been extended.",
        "Completed: step 1 of the maintenance.",
    ] {
        check_in(of_window, "message", text, &[]);
    }
    check_in(Operation::ScheduleMaintenance, "description", "Logins will be available again by 04:00 UTC.", &[]);
}

#[test]
fn hidden_character_is_named_with_its_code_point_and_the_words_around_it() {
    let warnings = |text: &str| check(Operation::CreateIncident, &json!({ "description": text }), |_| true);
    for (text, code, escape) in [
        ("It\u{200b} is slow.", "U+200B", r"\u{200b}"),
        ("It\u{ad} is slow.", "U+00AD", r"\u{ad}"),
        ("It\u{e0041} is slow.", "U+E0041", r"\u{e0041}"),
        ("It\u{202e} is slow.", "U+202E", r"\u{202e}"),
        ("It\u{feff} is slow.", "U+FEFF", r"\u{feff}"),
        ("It\u{2028} is slow.", "U+2028", r"\u{2028}"),
        ("It\u{7} is slow.", "U+0007", r"\u{7}"),
        ("It\u{fe00} is slow.", "U+FE00", r"\u{fe00}"),
        ("It\u{3164} is slow.", "U+3164", r"\u{3164}"),
    ] {
        let says = format!(
            "hidden-character: `description` has {code} in \"It{escape} is slow.\", which readers do not see; it is left out"
        );
        assert_eq!(warnings(text).iter().map(ToString::to_string).collect::<Vec<_>>(), [says]);
    }
    for text in ["Two lines:\r\n\tone\nanother", "❤️ from 👩🏽‍💻", "می‌خواهم", "क्‍ष"] {
        assert_eq!(warnings(text), [], "{text:?}");
    }
}

#[test]
fn word_written_in_another_way_is_still_seen() {
    let rules = |text: &str| -> Vec<&str> {
        seen(Operation::CreateIncident, "description", text).iter().map(|(rule, _)| *rule).collect()
    };
    assert_eq!(rules("It was ｈｕｍａｎ ｅｒｒｏｒ."), ["blame"]);
    assert_eq!(rules("It was human\n  error."), ["blame"]);
    assert_eq!(rules("It was 𝐡𝐮𝐦𝐚𝐧 𝗲𝗿𝗿𝗼𝗿."), ["blame"]);
    assert_eq!(rules("It was hu\u{200b}man er\u{ad}ror."), ["hidden-character", "blame"]);
    assert_eq!(rules("\u{2060}Ask \u{200d}mara@northwind.example"), ["hidden-character", "email"]);
    assert_eq!(rules("Database db-1.inter\u{200c}nal is slow."), ["hidden-character", "internal-host"]);
    assert_eq!(rules("Node １０.0.4.17 is gone."), ["ip-address"]);
    assert_eq!(rules("Node 10.0.\u{fe0f}4.17 is gone."), ["hidden-character", "ip-address"]);
    assert_eq!(rules("ghp_abcdef\u{200b}ghij0123456789"), ["hidden-character", "secret"]);
}

#[test]
fn rule_is_switched_off_by_its_name() {
    for rule in TextRule::ALL {
        assert_eq!(TextRule::find(rule.name()), Some(*rule));
    }
    let off = TextRule::find("blame").expect("a rule");
    assert_eq!(check(Operation::CreateIncident, &json!({ "title": "Human error" }), |rule| rule != off), []);
}

#[test]
fn warning_says_rule_field_and_words() {
    let warning = check(Operation::CreateIncident, &json!({ "message": "on 10.0.0.1 now" }), |_| true).remove(0);
    assert_eq!(warning.to_string(), "ip-address: `message` has \"10.0.0.1\", the address of a machine");
    let secret =
        check(Operation::CreateIncident, &json!({ "message": "sk_live_1234567890abcdef" }), |_| true).remove(0);
    assert_eq!(secret.to_string(), "secret: `message` has \"sk_live_12…\", which looks like a secret");
}
