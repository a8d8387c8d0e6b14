//! Nothing that we compile asks more of us than to name it: every crate's licence is a permissive one.
//!
//! npm packages are tools of development and no part of the worker, so they are not looked at.

use serde_json::Value;
use std::collections::BTreeSet;
use std::process::Command;

/// Licences that want their text kept, and nothing else.
const PERMISSIVE: [&str; 13] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    // Of the list of certificate authorities in the operator's program.
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Whether an SPDX expression can be kept with permissive licences alone. Knows the shapes in use: alternatives, at most
/// inside parentheses, joined by AND.
fn is_permissive(expression: &str) -> bool {
    let is_known = |licence: &str| PERMISSIVE.contains(&licence.trim());
    let has_choice = |part: &str| {
        let part = part.trim().trim_start_matches('(').trim_end_matches(')').replace('/', " OR ");
        part.split(" OR ").any(is_known)
    };
    // AND binds tighter than OR, so without parentheses it is one of the alternatives.
    if expression.contains('(') || !expression.contains(" OR ") {
        expression.split(" AND ").all(has_choice)
    } else {
        expression.split(" OR ").any(|choice| choice.split(" AND ").all(is_known))
    }
}

/// Name and licence of every crate that a build for the platform takes in.
fn crates(platform: &str) -> BTreeSet<(String, String)> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut metadata = Command::new(cargo);
    metadata.current_dir(env!("CARGO_MANIFEST_DIR"));
    metadata.args(["metadata", "--locked", "--format-version", "1", "--filter-platform", platform]);
    let output = metadata.output().expect("cargo");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let text = |package: &Value, field: &str| package[field].as_str().unwrap_or("none").to_owned();
    packages.iter().map(|package| (text(package, "name"), text(package, "license"))).collect()
}

#[test]
fn every_crate_has_a_permissive_licence() {
    let host = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    for platform in ["wasm32-unknown-unknown", &host] {
        let crates = crates(platform);
        assert!(crates.len() > 50, "{platform}: {}", crates.len());
        let others: Vec<_> = crates.iter().filter(|(_, licence)| !is_permissive(licence)).collect();
        assert!(others.is_empty(), "{platform}: {others:?}");
    }
}

#[test]
fn a_choice_is_enough_and_a_duty_is_not() {
    for (expression, is_good) in [
        ("MIT", true),
        ("MIT/Apache-2.0", true),
        ("GPL-3.0 OR MIT", true),
        ("Apache-2.0 AND ISC", true),
        ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
        ("GPL-3.0", false),
        ("MIT AND LGPL-3.0", false),
        ("(MIT OR Apache-2.0) AND MPL-2.0", false),
        ("GPL-2.0 OR MIT AND LGPL-3.0", false),
        ("none", false),
    ] {
        assert_eq!(is_permissive(expression), is_good, "{expression}");
    }
}
