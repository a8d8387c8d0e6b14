//! One function for each parser that sees bytes from outside: whatever comes, it does not panic, is not answered 500, and
//! lets nothing through that breaks the rule named at the function.
//!
//! The same functions run under libFuzzer (`fuzz/bin`) and, for a moment, in `cargo test` (`tests/security/random_bytes.rs`).

#![allow(dead_code, reason = "the tests use what the fuzzing programs do not, and the other way round")]

mod identity;
mod requests;
mod values;
mod world;

/// A parser, and good inputs to start from.
pub struct Target {
    pub name: &'static str,
    pub run: fn(&[u8]),
    pub seeds: fn() -> Vec<Vec<u8>>,
}

pub const TARGETS: [Target; 11] = [
    Target { name: "query", run: requests::query, seeds: requests::query_seeds },
    Target { name: "form", run: requests::form, seeds: requests::form_seeds },
    Target { name: "basic", run: requests::basic, seeds: requests::basic_seeds },
    Target { name: "bearer", run: requests::bearer, seeds: requests::bearer_seeds },
    Target { name: "registration", run: requests::registration, seeds: requests::registration_seeds },
    Target { name: "message", run: requests::message, seeds: requests::message_seeds },
    Target { name: "redirect_uri", run: values::redirect_uri, seeds: values::redirect_uri_seeds },
    Target { name: "config_list", run: values::config_list, seeds: values::config_list_seeds },
    Target { name: "secret", run: values::secret, seeds: values::secret_seeds },
    Target { name: "resource_uri", run: values::resource_uri, seeds: values::resource_uri_seeds },
    Target { name: "identity", run: identity::identity, seeds: identity::identity_seeds },
];

/// The target of that name.
pub fn find(name: &str) -> &'static Target {
    TARGETS.iter().find(|target| target.name == name).expect("a target")
}

/// That the best seeds are accepted: else a target would only ever see refusals.
pub fn good_inputs_succeed() {
    assert!(identity::good_claims_sign_in());
    requests::good_requests_succeed();
}
