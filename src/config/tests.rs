//! Valid and invalid configurations, with the problems reported.

use super::*;
use crate::model::write_policy::{ConfirmMode, TextRule, TextRuleAction};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

fn key(byte: u8) -> String {
    let mut key = [byte; 32];
    key[0] = byte.wrapping_add(1);
    format!("k1:{}", URL_SAFE_NO_PAD.encode(key))
}

fn good(name: &str) -> Option<String> {
    Some(match name {
        "HOSTED_MCP_ENABLED" => "true".to_owned(),
        "HOSTED_MCP_ENVIRONMENT" => "test".to_owned(),
        "HOSTED_MCP_PUBLIC_URL" => "https://mcp.example".to_owned(),
        "HOSTED_MCP_UPSTREAM_URL" => "https://api.example".to_owned(),
        "HOSTED_MCP_SIGN_IN_URL" => "https://app.example/connector/sign-in".to_owned(),
        "HOSTED_MCP_IDENTITY_KEYS" => key(9),
        "HOSTED_MCP_CHECKSUM_KEYS" => key(1),
        "HOSTED_MCP_ROTATION_KEYS" => key(2),
        "HOSTED_MCP_CLIENT_KEYS" => key(3),
        "HOSTED_MCP_ASSERTION_KEYS" => key(4),
        _ => return None,
    })
}

/// The problems when one variable has another value.
fn check(name: &str, value: &str) -> Vec<String> {
    let lookup = |asked: &str| if asked == name { Some(value.to_owned()) } else { good(asked) };
    Config::from_lookup(lookup).err().unwrap_or_default().iter().map(ToString::to_string).collect()
}

/// The configuration when one variable has a bad value that switches nothing off, and its one problem.
fn tolerate(name: &str, value: &str) -> (Config, String) {
    let lookup = |asked: &str| if asked == name { Some(value.to_owned()) } else { good(asked) };
    let config = Config::from_lookup(lookup).expect("a configuration");
    let problems: Vec<String> = config.tolerated.iter().map(ToString::to_string).collect();
    assert_eq!(problems.len(), 1, "{problems:?}");
    (config, problems.concat())
}

#[test]
fn bad_value_of_a_variable_with_a_narrower_one_narrows_and_is_reported() {
    for name in
        ["HOSTED_MCP_REGISTRATION", "HOSTED_MCP_UNVERIFIED_CLIENTS", "HOSTED_MCP_READ_BRIDGE", "HOSTED_MCP_LOG_POINTS"]
    {
        let (config, problem) = tolerate(name, "no");
        assert_eq!(problem, format!(r#"{name} is "no"; write on or off; until then it is off"#));
        let Config { has_registration, accepts_unverified_clients, has_resource_tools, logs_points, .. } = config;
        let switches = [has_registration, accepts_unverified_clients, has_resource_tools, logs_points];
        assert_eq!(switches.iter().filter(|is_on| !**is_on).count(), 1, "{name}");
    }
    let (config, _) = tolerate("HOSTED_MCP_CONFIRM_WRITES", "sometimes");
    assert_eq!(config.writes.confirm, ConfirmMode::Always);
    let (config, _) = tolerate("HOSTED_MCP_ALLOWED_ORIGINS", "https://a.example/path https://b.example");
    assert_eq!(config.allowed_origins, AllowedOrigins::parse("https://b.example").expect("an origin"));
    let (_, problem) = tolerate("HOSTED_MCP_LOG_LEVEL", "debug");
    assert_eq!(problem, "HOSTED_MCP_LOG_LEVEL must be info, warn or error; until then every line is written");
    for bad in ["", "-1", "2", "1.001", "0.0001", "half", "+0.5", "0,5"] {
        let (_, problem) = tolerate("HOSTED_MCP_LOG_SHARE", bad);
        assert!(problem.contains("a number from 0 to 1 with at most three decimals"), "{bad}: {problem}");
    }
}

#[test]
fn misspelled_text_rule_never_publishes_what_was_to_be_kept_back() {
    use TextRuleAction::{Confirm, Refuse, Warn};
    const NAME: &str = "HOSTED_MCP_TEXT_RULES";
    for (entries, rule, action) in [
        ("e-mail=off", TextRule::Email, Confirm),
        ("blmae=warn blame=confirm", TextRule::Blame, Confirm),
        ("blame=refsue", TextRule::Blame, Refuse),
        ("blame", TextRule::Blame, Refuse),
        ("blame=refsue blame=warn", TextRule::Blame, Warn),
    ] {
        let (config, problem) = tolerate(NAME, entries);
        assert_eq!(config.writes.action(rule), action, "{entries}");
        assert!(problem.contains("write rule=off, rule=warn, rule=confirm or rule=refuse"), "{problem}");
    }
    for unsafe_to_ignore in ["blmae=refuse", "blmae=confirm", "blmae=refsue", "blmae"] {
        assert_eq!(check(NAME, unsafe_to_ignore).len(), 1, "{unsafe_to_ignore}");
    }
}

#[test]
fn unknown_variable_is_reported_and_others_names_are_not() {
    let mut config = Config::from_lookup(good).expect("good");
    config.report_unknown_variables(["HOSTED_MCP_REGISTRATIONS", "HOSTED_MCP_ENABLED", "DB"].map(str::to_owned));
    let problems: Vec<String> = config.tolerated.iter().map(ToString::to_string).collect();
    assert_eq!(problems, ["HOSTED_MCP_REGISTRATIONS is no variable of this program"]);
}

#[test]
fn defaults_fail_closed() {
    let config = Config::from_lookup(|name| good(name).filter(|_| name != "HOSTED_MCP_ENABLED")).expect("good");
    assert!(!config.is_enabled);
    assert!(config.has_registration);
    assert_eq!(config.issuer, "https://mcp.example");
}

#[test]
fn all_problems_are_reported_together() {
    let problems = Config::from_lookup(|_| None).expect_err("bad");
    let names: Vec<&str> = problems.iter().map(|problem| &*problem.variable).collect();
    let required: Vec<&str> = VARIABLES.iter().filter(|v| v.default.is_none()).map(|v| v.name).collect();
    assert_eq!(names, required);
}

#[test]
fn bad_values_say_what_would_be_right() {
    assert_eq!(check("HOSTED_MCP_ENABLED", "yes"), [r#"HOSTED_MCP_ENABLED is "yes"; write true or false"#]);
    let origin = "must be an origin: scheme, host and port, nothing behind";
    assert_eq!(check("HOSTED_MCP_PUBLIC_URL", "https://mcp.example/mcp"), [format!("HOSTED_MCP_PUBLIC_URL {origin}")]);
    let scheme = "must be https, or http on a loopback address";
    assert_eq!(check("HOSTED_MCP_UPSTREAM_URL", "http://api.example"), [format!("HOSTED_MCP_UPSTREAM_URL {scheme}")]);
    let here = "is on this machine, which only a local start may use; write StatiBeat's address";
    assert_eq!(
        check("HOSTED_MCP_SIGN_IN_URL", "http://[::1]:8788/sign-in"),
        [format!("HOSTED_MCP_SIGN_IN_URL {here}")]
    );
    assert_eq!(check("HOSTED_MCP_IDENTITY_KEYS", "nonsense").len(), 1);
}

#[test]
fn short_placeholder_and_shared_keys_are_refused_without_showing_them() {
    assert_eq!(
        check("HOSTED_MCP_CHECKSUM_KEYS", "k:c2hvcnQ"),
        ["HOSTED_MCP_CHECKSUM_KEYS key k is not 32 bytes in base64url without padding"]
    );
    let zeros = format!("k:{}", URL_SAFE_NO_PAD.encode([0; 32]));
    assert_eq!(
        check("HOSTED_MCP_CHECKSUM_KEYS", &zeros),
        ["HOSTED_MCP_CHECKSUM_KEYS key k is a placeholder, not random bytes"]
    );
    assert_eq!(
        check("HOSTED_MCP_ROTATION_KEYS", &key(1)),
        ["HOSTED_MCP_ROTATION_KEYS shares a key with HOSTED_MCP_CHECKSUM_KEYS; every ring needs keys of its own"]
    );
}

#[test]
fn a_bad_redirect_entry_is_kept_for_diagnosis_and_switches_nothing_off() {
    let list =
        |name: &str| if name == "HOSTED_MCP_ALLOWED_CLIENT_REDIRECTS" { Some("broken".into()) } else { good(name) };
    let config = Config::from_lookup(list).expect("good");
    assert_eq!(config.bad_redirects.len(), 1);
}

#[test]
fn unverified_clients_are_accepted_unless_switched_off() {
    let with = |value: Option<&str>| {
        let lookup = |name: &str| match name {
            "HOSTED_MCP_UNVERIFIED_CLIENTS" => value.map(str::to_owned),
            other => good(other),
        };
        Config::from_lookup(lookup).expect("good").accepts_unverified_clients
    };
    assert!(with(None) && with(Some("on")) && !with(Some("off")));
}

/// The problems of a local start that has one variable of its own.
fn check_local(name: &str, value: &str) -> Vec<String> {
    let lookup = |asked: &str| match asked {
        _ if asked == name => Some(value.to_owned()),
        "HOSTED_MCP_ENVIRONMENT" => Some("local".to_owned()),
        "HOSTED_MCP_PUBLIC_URL" => Some("http://localhost:8686".to_owned()),
        _ => good(asked),
    };
    Config::from_lookup(lookup).err().unwrap_or_default().iter().map(ToString::to_string).collect()
}

#[test]
fn the_simulator_s_key_signs_people_in_on_a_local_start_only() {
    let simulator = format!("sim:{}", URL_SAFE_NO_PAD.encode(deployment_checks::SIMULATOR_KEY));
    assert_eq!(check_local("HOSTED_MCP_IDENTITY_KEYS", &simulator), [""; 0]);
    let reason = "HOSTED_MCP_IDENTITY_KEYS key sim is the simulator's, whose secret half is public: \
                  anybody could sign in as anybody; write StatiBeat's";
    assert_eq!(check("HOSTED_MCP_IDENTITY_KEYS", &simulator), [reason]);
    assert_eq!(check("HOSTED_MCP_IDENTITY_KEYS", &format!("{},{simulator}", key(9))), [reason], "beside another key");
}

#[test]
fn keys_of_the_example_file_are_refused_by_a_public_server_only() {
    let example = include_str!("../../.dev.vars.example");
    let rings = example.lines().filter_map(|line| line.strip_suffix('"')?.split_once("=\""));
    let rings: Vec<(&str, &str)> = rings.collect();
    assert_eq!(rings.len(), 4);
    for (name, value) in rings {
        assert_eq!(check_local(name, value), [""; 0]);
        let reason =
            "is published in .dev.vars.example: anybody could sign with it; make another with `npm run secrets`";
        assert_eq!(check(name, value), [format!("{name} key example {reason}")]);
    }
}

#[test]
fn a_public_server_looks_for_statibeat_elsewhere_and_is_not_called_local() {
    let upstream = "HOSTED_MCP_UPSTREAM_URL";
    for here in [
        "http://127.0.0.1:8687",
        "https://localhost",
        "https://api.localhost",
        "https://localhost.",
        "https://[::1]",
        "https://0.0.0.0",
        "https://[::ffff:127.0.0.1]",
    ] {
        let problems = check(upstream, here);
        assert!(problems.len() == 1 && problems[0].contains("only a local start"), "{here}: {problems:?}");
    }
    assert!(check_local(upstream, "http://127.0.0.1:8687").is_empty());
    assert_eq!(
        check("HOSTED_MCP_ENVIRONMENT", "local"),
        ["HOSTED_MCP_ENVIRONMENT is local, but HOSTED_MCP_PUBLIC_URL is not on loopback"]
    );
}

#[test]
fn a_placeholder_address_is_named() {
    for name in ["HOSTED_MCP_PUBLIC_URL", "HOSTED_MCP_UPSTREAM_URL", "HOSTED_MCP_SIGN_IN_URL"] {
        assert_eq!(check(name, "https://mcp.invalid"), [format!("{name} is a placeholder; write the real address")]);
    }
}

#[test]
fn the_health_token_is_optional_and_long() {
    let token = "a".repeat(32);
    let lookup = |name: &str| if name == "HOSTED_MCP_HEALTH_TOKEN" { Some(token.clone()) } else { good(name) };
    let known = Config::from_lookup(lookup).expect("good").health_token.expect("a token");
    assert!(known.is(token.as_bytes()) && !known.is(&token.as_bytes()[1..]) && !known.is(b""));
    assert!(!format!("{known:?}").contains(&token));
    assert!(Config::from_lookup(good).expect("good").health_token.is_none());
    let (config, problem) = tolerate("HOSTED_MCP_HEALTH_TOKEN", "short");
    assert!(config.health_token.is_none());
    assert!(problem.contains("must be at least 32 printable characters without white space"), "{problem}");
}
