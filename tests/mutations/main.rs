//! Breaks the authorization server's rules, one at a time, and looks whether their tests notice. `npm run mutants` does so
//! with every expression; these are the ones on which its security stands.

mod rules;

use serde_json::Value;
use std::collections::BTreeSet;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{fs, io};

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
    let folder = write_workspace(&std::env::current_dir().expect("the checkout")).expect("a workspace of the rules");
    let programs = compile(&folder);
    let next = AtomicUsize::new(0);
    let passed = Mutex::new(BTreeSet::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, NonZero::get) {
            scope.spawn(|| {
                while let Some((package, program)) = programs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let mut tests = Command::new(program);
                    let tests = tests.current_dir(folder.join(package)).args(TESTS).output().expect("its tests");
                    if tests.status.success() {
                        passed.lock().expect("no panic").insert(package.clone());
                    }
                }
            });
        }
    });
    let passed = passed.into_inner().expect("no panic");
    assert!(passed.contains(UNBROKEN), "the rules as they are fail their tests");
    let missed = passed.iter().filter(|package| *package != UNBROKEN);
    let missed: Vec<_> = missed.map(|package| MUTATIONS[number_of(package)]).collect();
    assert!(missed.is_empty(), "not caught, file, what stands there and what instead: {missed:#?}");
}

/// The package that has the rules as they are. Each other one, by its number, has one that is broken.
const UNBROKEN: &str = "rules";

/// The tests beside the rules; those of `model` are about other things.
const TESTS: [&str; 2] = ["oauth::", "keyring::"];

fn package_of(number: usize) -> String {
    format!("{UNBROKEN}-{number}")
}

fn number_of(package: &str) -> usize {
    package[UNBROKEN.len() + 1..].parse().expect("a number")
}

/// One package for each mutation, all in one workspace, so that they compile side by side and only once.
fn write_workspace(project: &Path) -> io::Result<PathBuf> {
    let folder = project.join("target/mutations");
    rules::write(project, &folder.join(UNBROKEN), UNBROKEN, &|_, text| text)?;
    let mut members = vec![UNBROKEN.to_owned()];
    for (number, (file, here, instead)) in MUTATIONS.iter().enumerate() {
        let package = package_of(number);
        let changed = Path::new("oauth").join(file);
        let change = |path: &Path, text: String| {
            if path != changed {
                return text;
            }
            assert_eq!(text.matches(here).count(), 1, "{file} has no such rule, or several: {here}");
            text.replace(here, instead)
        };
        rules::write(project, &folder.join(&package), &package, &change)?;
        members.push(package);
    }
    let manifest = format!("[workspace]\nresolver = \"3\"\nmembers = {members:?}\n{}", rules::PROFILES);
    rules::write_changed(&folder.join("Cargo.toml"), &manifest)?;
    fs::copy(project.join("Cargo.lock"), folder.join("Cargo.lock"))?;
    Ok(folder)
}

/// Compiles every package: a mutation that does not compile is none. Returns each with the program of its tests.
fn compile(folder: &Path) -> Vec<(String, PathBuf)> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(folder).args(["test", "--no-run", "--lib", "--workspace", "--offline", "--message-format=json"]);
    // The tables that build.rs wrote for this build are those of the packages too.
    cargo.env("CARGO_TARGET_DIR", folder.join("target")).env("OUT_DIR", env!("OUT_DIR")).env_remove("RUSTFLAGS");
    let output = cargo.output().expect("cargo");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let messages = String::from_utf8(output.stdout).expect("text");
    let program = |line: &str| {
        let message: Value = serde_json::from_str(line).ok()?;
        let program = message["executable"].as_str()?.into();
        let package = Path::new(message["manifest_path"].as_str()?).parent()?.file_name()?;
        Some((package.to_str()?.to_owned(), program))
    };
    let programs: Vec<_> = messages.lines().filter_map(program).collect();
    assert_eq!(programs.len(), MUTATIONS.len() + 1, "{messages}");
    programs
}
