//! Fuzz targets: one function for each parser of external input. For any input the parser must not panic, must not answer
//! 500, and must keep the rule in the function's doc comment.
//!
//! The same functions run under libFuzzer (`fuzz/bin`) and briefly in `cargo test` (`tests/security/random_bytes.rs`).

#![allow(dead_code, reason = "the tests use what the fuzzing programs do not, and the other way round")]

mod identity;
mod ports;
mod requests;
mod values;
mod world;

/// A parser, and valid inputs (seeds) that fuzzing starts from.
pub struct Target {
    pub name: &'static str,
    pub run: fn(&[u8]),
    pub seeds: fn() -> Vec<Vec<u8>>,
}

pub const TARGETS: [Target; 15] = [
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
    Target { name: "head", run: ports::head, seeds: ports::head_seeds },
    Target { name: "cookie", run: ports::cookie, seeds: ports::cookie_seeds },
    Target { name: "upstream", run: ports::upstream, seeds: ports::upstream_seeds },
    Target { name: "row", run: ports::row, seeds: ports::row_seeds },
];

/// Returns the target with this name.
pub fn find(name: &str) -> &'static Target {
    TARGETS.iter().find(|target| target.name == name).expect("a target")
}

/// Checks that the seeds are accepted. Otherwise a target would test only refusals.
pub fn good_inputs_succeed() {
    assert!(identity::good_claims_sign_in());
    ports::good_answers_succeed();
    requests::good_requests_succeed();
}
