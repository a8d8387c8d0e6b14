//! Valid and invalid settings, and the report of all problems at once.

use super::*;
use crate::model::write_policy::{TextRule, TextRuleAction};

const GOOD: [(&str, &str); 2] = [(API_TOKEN, "sb_token"), (BASE_URL, "https://status.example.com/")];

fn read(values: &[(&str, &str)]) -> Result<Settings, Vec<SettingsProblem>> {
    let find = |name: &str| values.iter().rev().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    Settings::from_lookup(&find)
}

fn with(name: &'static str, value: &'static str) -> Result<Settings, Vec<SettingsProblem>> {
    read(&[GOOD[0], GOOD[1], (name, value)])
}

fn problem(name: &'static str, value: &'static str) -> String {
    let problems = with(name, value).err().unwrap_or_else(|| panic!("{name}={value} was taken"));
    assert_eq!(problems.len(), 1, "{problems:?}");
    problems[0].to_string()
}

#[test]
fn two_values_are_enough() {
    let settings = read(&GOOD).expect("settings");
    assert_eq!(settings.origin, "https://status.example.com");
    assert_eq!((settings.address, settings.tools), (PageAddress::Host, ToolSelection::All));
    assert_eq!((settings.log_level, settings.slack_actor), (LogLevel::Warn, None));
    assert_eq!(settings.policy, WritePolicy::default());
}

#[test]
fn all_invalid_settings_are_reported_together() {
    let problems = read(&[(READ_ONLY, "maybe"), (TIMEOUT, "0"), (PAGE_ID, "7")]).err().expect("problems");
    let names: Vec<&str> = problems.iter().map(|problem| problem.name).collect();
    assert_eq!(names, [API_TOKEN, BASE_URL, ORGANIZATION_ID, READ_ONLY, TIMEOUT]);
}

#[test]
fn an_empty_value_is_no_value() {
    let settings = read(&[GOOD[0], GOOD[1], (READ_ONLY, ""), (ALLOWED_TOOLS, " "), (SLACK_ACTOR, "")]);
    assert_eq!(settings.expect("settings").tools, ToolSelection::All);
}

#[test]
fn placeholder_that_no_client_replaced_is_named_for_every_setting() {
    let all = [
        API_TOKEN,
        BASE_URL,
        ORGANIZATION_ID,
        PAGE_ID,
        READ_ONLY,
        ALLOWED_TOOLS,
        CONFIRM,
        TEXT_RULES,
        CONNECT_TIMEOUT,
        TIMEOUT,
        LOG_LEVEL,
        SLACK_ACTOR,
    ];
    for name in all {
        for value in
            ["${STATIBEAT_API_TOKEN}", "${env:NAME}", "${input:id}", "$NAME", "%NAME%", "<token>", "'sb_token'"]
        {
            let problems = with(name, value).err().unwrap_or_else(|| panic!("{name}={value} was taken"));
            let told = problems[0].to_string();
            let says = format!("{name} looks like a placeholder that your client did not replace");
            assert!(told.starts_with(&says) && !told.contains("sb_token"), "{told}");
        }
    }
}

#[test]
fn setting_errors_never_contain_the_token() {
    for bad in ["two words-of-secret", "secret\u{e9}"] {
        let problems = read(&[(API_TOKEN, bad), GOOD[1]]).err().expect("a problem");
        assert!(problems.iter().all(|problem| !problem.to_string().contains("secret")), "{problems:?}");
    }
}

#[test]
fn a_base_url_is_an_origin_and_encrypted_unless_on_this_machine() {
    for good in [
        "https://a.example:8443",
        "http://localhost:3000/",
        "http://acme.localhost:1",
        "http://[::1]:5",
        "http://127.0.0.2",
    ] {
        assert!(with(BASE_URL, good).is_ok(), "{good}");
    }
    for bad in ["http://a.example", "http://localhost.example", "ftp://a.example", "a.example", "https://"] {
        assert!(problem(BASE_URL, bad).contains("https://"), "{bad}");
    }
    for bad in ["https://a.example/api", "https://u:p@a.example", "https://a.example/?x", "https://a.example/#x"] {
        assert!(problem(BASE_URL, bad).contains("alone"), "{bad}");
    }
}

#[test]
fn a_page_by_number_needs_both_numbers() {
    let numbers = PageAddress::Numbers {
        organization_id: OrganizationId::new(3).expect("an id"),
        page_id: PageId::new(7).expect("an id"),
    };
    let both = read(&[GOOD[0], GOOD[1], (ORGANIZATION_ID, "3"), (PAGE_ID, "7")]).expect("settings");
    assert_eq!(both.address, numbers);
    assert!(problem(ORGANIZATION_ID, "3").contains("together"));
    for bad in ["0", "-1", "07", "x"] {
        let problems = with(PAGE_ID, bad).err().expect("problems");
        assert!(problems[0].to_string().contains("positive"), "{bad}");
    }
}

#[test]
fn tools_are_named_one_by_one_and_unknown_names_are_answered_with_the_known() {
    let only = with(ALLOWED_TOOLS, "create_incident, run_beat\ndelete_incident").expect("settings").tools;
    assert_eq!(only, ToolSelection::Only(vec!["create_incident", "run_beat", "delete_incident"]));
    let told = problem(ALLOWED_TOOLS, "create_incident,remove_page");
    assert!(told.contains("\"remove_page\"") && told.contains("approve_beat_action"), "{told}");
    let both = read(&[GOOD[0], GOOD[1], (READ_ONLY, "TRUE"), (ALLOWED_TOOLS, "run_beat")]).expect("settings");
    assert_eq!(both.tools, ToolSelection::ReadOnly, "read-only wins");
}

#[test]
fn the_rest_is_one_of_what_it_may_be() {
    for (name, bad) in [
        (CONFIRM, "sometimes"),
        (TEXT_RULES, "blame=on"),
        (CONNECT_TIMEOUT, "61"),
        (TIMEOUT, "1.5"),
        (LOG_LEVEL, "loud"),
        (SLACK_ACTOR, "U1"),
        (SLACK_ACTOR, "T1:U1\u{a0}x"),
        (READ_ONLY, "2"),
    ] {
        assert!(problem(name, bad).starts_with(name));
    }
    assert_eq!(with(SLACK_ACTOR, "T1:U2").ok().and_then(|settings| settings.slack_actor).as_deref(), Some("T1:U2"));
    let action = with(TEXT_RULES, "blame=off").ok().map(|settings| settings.policy.action(TextRule::Blame));
    assert_eq!(action, Some(TextRuleAction::Off));
}
