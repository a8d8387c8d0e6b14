//! Settings that only a local start may have. A server that strangers reach must not believe keys whose secret half is published, nor
//! look for StatiBeat on its own machine; and what `wrangler.toml` leaves open must have been filled in.

use super::variables::ConfigProblem;
use crate::keyring::{KeyRing, PublicKey};
use crate::model::loopback::{is_loopback_url, is_this_machine};
use url::Url;

/// The public key that the StatiBeat simulator signs identities with. Its secret half stands in `dev/simulator`.
pub const SIMULATOR_KEY: [u8; 32] = [
    0x68, 0x83, 0xa3, 0xb7, 0x91, 0x68, 0xa4, 0xa2, 0x98, 0x28, 0x96, 0x56, 0xfb, 0x06, 0x6d, 0xe5, 0xbf, 0xe0, 0x61,
    0x54, 0xe9, 0xff, 0x0a, 0xa5, 0xd7, 0x1a, 0xc3, 0xd8, 0xfd, 0xb8, 0xce, 0x77,
];

/// The keys in `.dev.vars.example` begin with these bytes.
const EXAMPLE_KEY: &[u8] = b"published example key ";

/// The environment that `npm start` runs in.
const LOCAL: &str = "local";

/// The values that depend on where the server runs, as far as each of them could be read.
pub(super) struct Environment<'a> {
    pub name: Option<&'a str>,
    pub public_url: Option<&'a Url>,
    pub upstream_url: Option<&'a Url>,
    pub sign_in_url: Option<&'a Url>,
    pub identity_keys: &'a [PublicKey],
    pub rings: &'a [(&'static str, Option<KeyRing>)],
}

impl Environment<'_> {
    /// Everything that must not be, given the public address.
    pub(super) fn problems(&self) -> Vec<ConfigProblem> {
        let mut problems = Vec::new();
        let mut add = |variable: &'static str, reason: String| {
            problems.push(ConfigProblem { variable: variable.into(), reason });
        };
        let urls = [
            ("HOSTED_MCP_PUBLIC_URL", self.public_url),
            ("HOSTED_MCP_UPSTREAM_URL", self.upstream_url),
            ("HOSTED_MCP_SIGN_IN_URL", self.sign_in_url),
        ];
        for (name, url) in urls {
            if url.is_some_and(is_placeholder) {
                add(name, "is a placeholder; write the real address".to_owned());
            }
        }
        // Without a public address nothing says that strangers reach it, and that it is missing is a problem already.
        if self.public_url.is_none_or(is_loopback_url) {
            return problems;
        }
        // No spelling of this machine is StatiBeat, not even one that plain http is refused for.
        for (name, url) in &urls[1..] {
            if url.is_some_and(is_this_machine) {
                add(name, "is on this machine, which only a local start may use; write StatiBeat's address".to_owned());
            }
        }
        if self.name == Some(LOCAL) {
            add("HOSTED_MCP_ENVIRONMENT", format!("is {LOCAL}, but HOSTED_MCP_PUBLIC_URL is not on loopback"));
        }
        for key in self.identity_keys.iter().filter(|key| key.key == SIMULATOR_KEY) {
            let reason = format!(
                "key {} is the simulator's, whose secret half is public: anybody could sign in as anybody; write StatiBeat's",
                key.kid
            );
            add("HOSTED_MCP_IDENTITY_KEYS", reason);
        }
        for (name, ring) in self.rings {
            for key in ring.iter().flat_map(KeyRing::iter).filter(|key| key.expose().starts_with(EXAMPLE_KEY)) {
                let reason = "is published in .dev.vars.example: anybody could sign with it; make another with `npm run secrets`";
                add(name, format!("key {} {reason}", key.kid()));
            }
        }
        problems
    }
}

/// A host that can never exist (RFC 2606 2).
fn is_placeholder(url: &Url) -> bool {
    url.domain().is_some_and(|host| host == "invalid" || host.ends_with(".invalid"))
}
