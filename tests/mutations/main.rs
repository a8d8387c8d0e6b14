//! Breaks the authorization server's rules, one at a time, and looks whether their tests notice. `npm run mutants` does so
//! with every expression; these are the ones on which its security stands.

mod rules;

use std::fs;
use std::path::Path;
use std::process::Command;

/// File below `src/oauth`, what stands there, what stands there instead.
const MUTATIONS: [(&str, &str, &str); 22] = [
    ("pkce.rs", "verifier.challenge().0.as_bytes().ct_eq(self.0.as_bytes()).into()", "verifier.0.len() > 42"),
    (
        "token.rs",
        "if request.client_id != record.grant.client_id {\n        return CodeDecision",
        "if request.client_id.as_str().is_empty() {\n        return CodeDecision",
    ),
    (
        "token.rs",
        "if request.client_id != record.grant.client_id {\n        return Err",
        "if request.client_id.as_str().is_empty() {\n        return Err",
    ),
    ("token.rs", "if now >= *expires_at =>", "if now > *expires_at =>"),
    ("token.rs", "if now >= record.expires_at {", "if now > record.expires_at {"),
    ("token.rs", "requested.map(|requested| requested.intersection(granted))", "requested"),
    ("token.rs", "if rotation.unused_successor.is_none() =>", "if rotation.unused_successor.is_none() && false =>"),
    ("token.rs", "now < *redeemed_at + CODE_REPEAT_GRACE_PERIOD", "now <= *redeemed_at + CODE_REPEAT_GRACE_PERIOD"),
    ("token.rs", "check_free(rotation.free_at, now)?;", ""),
    ("authorize.rs", "if method != Some(\"S256\") {", "if method == Some(\"plain\") {"),
    ("authorize.rs", "if values.all(|value|", "if values.any(|value|"),
    (
        "client/redirect.rs",
        "(\"http\", host) if is_loopback(&host) =>",
        "(\"http\", host) if is_loopback(&host) || true =>",
    ),
    ("client/redirect.rs", "if !is_plain || has_user", "if is_plain && has_user"),
    ("client.rs", "if redirect_uri.kind() == RedirectKind::Web {", "if redirect_uri.has_answer_parameter() {"),
    ("client/allowed.rs", "let (Some((at, _)), None) =", "let (Some((at, _)), _) ="),
    (
        "client/registration.rs",
        "if !ring.iter().any(is_ours) {",
        "if !ring.iter().any(is_ours) && payload.is_empty() {",
    ),
    (
        "client/redirect.rs",
        "Host::Ipv4(address) => address == Ipv4Addr::LOCALHOST,",
        "Host::Ipv4(address) => address.is_loopback(),",
    ),
    ("token.rs", "text.strip_suffix(':')?", "text.split(':').next()?"),
    ("client/registration.rs", "uri.kind() == RedirectKind::Loopback && !uri.has", "!uri.has"),
    ("secret.rs", "ring.iter().any(is_ours).then(", "(ring.iter().any(is_ours) || !body.is_empty()).then("),
    ("client/preregistered.rs", "places.contains(&redirect_uri.without_port().as_str())", "!places.is_empty()"),
    ("error.rs", "| Self::Storage(_)\n                | Self::RateLimited(_)", "| Self::RateLimited(_)"),
];

/// X8
#[test]
fn no_broken_rule_gets_past_its_tests() {
    let project = std::env::current_dir().expect("the checkout");
    let rules = rules::write(&project).expect("a crate of the rules");
    assert!(passes(&rules, &["test"]), "the rules as they are");
    let caught = MUTATIONS.iter().filter(|mutation| is_caught(&rules, mutation)).count();
    assert_eq!(caught, MUTATIONS.len(), "what was not caught is named above");
}

/// A mutation that does not compile is none, and one that compiles must fail.
fn is_caught(rules: &Path, (file, here, instead): &(&str, &str, &str)) -> bool {
    let path = rules.join("src/oauth").join(file);
    let text = fs::read_to_string(&path).expect("a file of the rules");
    assert_eq!(text.matches(here).count(), 1, "{file} has no such rule, or several: {here}");
    fs::write(&path, text.replace(here, instead)).expect("written");
    assert!(passes(rules, &["test", "--no-run"]), "{file} does not compile with {instead}");
    let is_caught = !passes(rules, &["test"]);
    fs::write(&path, text).expect("written back");
    if !is_caught {
        eprintln!("not caught: {file}: {instead} instead of {here}");
    }
    is_caught
}

fn passes(rules: &Path, arguments: &[&str]) -> bool {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(rules).args(arguments).args(["--lib", "--offline", "--quiet"]);
    cargo.env("CARGO_TARGET_DIR", rules.join("target")).env_remove("RUSTFLAGS");
    let output = cargo.output().expect("cargo");
    output.status.success()
}
