//! Configuration, parsed once to its final types. All problems are reported together. A bad value switches the connector off, unless its
//! variable has a value that allows less than every other: then that one counts, and the problem is only reported.
//!
//! [`VARIABLES`] is the only list of names; the table in README.md is compared with it.

use crate::keyring::{KeyRing, KeyRingError, PublicKey};
use crate::model::links::Links;
use crate::model::loopback::is_loopback_url;
use crate::model::web_origin::AllowedOrigins;
use crate::model::write_policy::WritePolicy;
use crate::oauth::client::allowed::{AllowedRedirects, BadEntry};
use crate::telemetry::policy::LogPolicy;
use std::collections::BTreeSet;
use url::Url;

pub mod deployment_checks;
mod health_token;
mod links;
mod narrowing;
mod variables;

pub use health_token::HealthToken;
pub use variables::{ConfigProblem, VARIABLES, Variable};

#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch in an operator's hand")]
pub struct Config {
    /// `HOSTED_MCP_ENABLED`.
    pub is_enabled: bool,
    /// `HOSTED_MCP_ENVIRONMENT`.
    pub environment: String,
    /// `HOSTED_MCP_PUBLIC_URL`: an origin.
    pub public_url: Url,
    /// The issuer: the public origin without a slash behind it (RFC 8414 2).
    pub issuer: String,
    /// `HOSTED_MCP_UPSTREAM_URL`: an origin, without a slash behind it.
    pub upstream_origin: String,
    /// `HOSTED_MCP_SIGN_IN_URL`.
    pub sign_in_url: Url,
    /// `HOSTED_MCP_IDENTITY_KEYS`.
    pub identity_keys: Vec<PublicKey>,
    /// `HOSTED_MCP_ALLOWED_CLIENT_REDIRECTS`, without the bad entries.
    pub allowed_redirects: AllowedRedirects,
    /// The bad entries. They switch nothing off: what is not listed does not work.
    pub bad_redirects: Vec<BadEntry>,
    /// Problems that switch nothing off: a value that allows less takes the place of the bad one.
    pub tolerated: Vec<ConfigProblem>,
    /// Addresses of documents about the server, for people.
    pub links: Links,
    /// `HOSTED_MCP_ALLOWED_ORIGINS`.
    pub allowed_origins: AllowedOrigins,
    /// `HOSTED_MCP_REGISTRATION`.
    pub has_registration: bool,
    /// `HOSTED_MCP_UNVERIFIED_CLIENTS`.
    pub accepts_unverified_clients: bool,
    /// `HOSTED_MCP_READ_BRIDGE`.
    pub has_resource_tools: bool,
    /// `HOSTED_MCP_CONFIRM_WRITES` and `HOSTED_MCP_TEXT_RULES`.
    pub writes: WritePolicy,
    /// `HOSTED_MCP_LOG_LEVEL` and `HOSTED_MCP_LOG_SHARE`.
    pub log: LogPolicy,
    /// `HOSTED_MCP_LOG_POINTS`.
    pub logs_points: bool,
    /// `HOSTED_MCP_CHECKSUM_KEYS`.
    pub checksum_keys: KeyRing,
    /// `HOSTED_MCP_ROTATION_KEYS`.
    pub rotation_keys: KeyRing,
    /// `HOSTED_MCP_CLIENT_KEYS`.
    pub client_keys: KeyRing,
    /// `HOSTED_MCP_ASSERTION_KEYS`.
    pub assertion_keys: KeyRing,
    /// `HOSTED_MCP_HEALTH_TOKEN`.
    pub health_token: Option<HealthToken>,
}

impl Config {
    /// Reads the configuration, or says everything that is wrong with it.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Vec<ConfigProblem>> {
        let mut reader = VariableReader { lookup: &lookup, problems: Vec::new(), tolerated: Vec::new() };
        let config = reader.read();
        match config {
            Some(config) if reader.problems.is_empty() => Ok(Self { tolerated: reader.tolerated, ..config }),
            _ => Err(reader.problems),
        }
    }

    /// Reads the links alone, for the page that says that the rest is misconfigured.
    pub fn links_from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Links {
        links::read(&|name| lookup(name).unwrap_or_default()).0
    }

    /// Reports each of these names that looks like a variable of ours and is none: nothing reads it, so a misspelled one has no effect.
    pub fn report_unknown_variables(&mut self, names: impl IntoIterator<Item = String>) {
        let is_unknown = |name: &String| {
            name.starts_with("HOSTED_MCP_") && !VARIABLES.iter().any(|variable| variable.name == name.as_str())
        };
        let problem =
            |name: String| ConfigProblem { variable: name.into(), reason: "is no variable of this program".to_owned() };
        self.tolerated.extend(names.into_iter().filter(is_unknown).map(problem));
    }

    /// Names of variables with a bad value or entry that something narrower takes the place of, and of unknown ones.
    pub fn misconfigured_variables(&self) -> BTreeSet<&str> {
        let redirects = (!self.bad_redirects.is_empty()).then_some("HOSTED_MCP_ALLOWED_CLIENT_REDIRECTS");
        self.tolerated.iter().map(|problem| &*problem.variable).chain(redirects).collect()
    }

    /// Returns whether this server itself runs on loopback, as in development.
    pub fn is_local(&self) -> bool {
        is_loopback_url(&self.public_url)
    }
}

struct VariableReader<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
    problems: Vec<ConfigProblem>,
    tolerated: Vec<ConfigProblem>,
}

impl VariableReader<'_> {
    /// Reads every variable before giving up, so that all problems are found in one go.
    fn read(&mut self) -> Option<Config> {
        let is_enabled = self.switch("HOSTED_MCP_ENABLED", "true", "false");
        let environment = self.required("HOSTED_MCP_ENVIRONMENT");
        let public_url = self.origin("HOSTED_MCP_PUBLIC_URL");
        let upstream_url = self.origin("HOSTED_MCP_UPSTREAM_URL");
        let sign_in_url = self.url("HOSTED_MCP_SIGN_IN_URL");
        let (allowed_redirects, bad_redirects) =
            AllowedRedirects::parse(&self.optional("HOSTED_MCP_ALLOWED_CLIENT_REDIRECTS"));
        let (links, bad_links) = links::read(&|name| self.optional(name));
        self.tolerated.extend(bad_links);
        let allowed_origins = self.allowed_origins();
        let has_registration = self.permission("HOSTED_MCP_REGISTRATION");
        let accepts_unverified_clients = self.permission("HOSTED_MCP_UNVERIFIED_CLIENTS");
        let has_resource_tools = self.permission("HOSTED_MCP_READ_BRIDGE");
        let writes = self.write_policy();
        let log = self.log_policy();
        let logs_points = self.permission("HOSTED_MCP_LOG_POINTS");
        let name = environment.clone().unwrap_or_default();
        let identity_keys = self.ring("HOSTED_MCP_IDENTITY_KEYS", &name).map(|ring| public_keys(&ring));
        let rings = [
            "HOSTED_MCP_CHECKSUM_KEYS",
            "HOSTED_MCP_ROTATION_KEYS",
            "HOSTED_MCP_CLIENT_KEYS",
            "HOSTED_MCP_ASSERTION_KEYS",
        ];
        let rings = rings.map(|ring| (ring, self.ring(ring, &name)));
        self.check_distinct(&rings);
        let health_token = self.health_token();
        let checked = deployment_checks::Environment {
            name: environment.as_deref(),
            public_url: public_url.as_ref(),
            upstream_url: upstream_url.as_ref(),
            sign_in_url: sign_in_url.as_ref(),
            identity_keys: identity_keys.as_deref().unwrap_or_default(),
            rings: &rings,
        };
        self.problems.extend(checked.problems());
        let [(_, checksum_keys), (_, rotation_keys), (_, client_keys), (_, assertion_keys)] = rings;
        Some(Config {
            is_enabled: is_enabled?,
            environment: environment?,
            issuer: serialized_origin(public_url.as_ref()?),
            public_url: public_url?,
            upstream_origin: serialized_origin(&upstream_url?),
            sign_in_url: sign_in_url?,
            identity_keys: identity_keys?,
            allowed_redirects,
            bad_redirects,
            links,
            tolerated: Vec::new(),
            allowed_origins,
            has_registration,
            accepts_unverified_clients,
            has_resource_tools,
            writes,
            log,
            logs_points,
            checksum_keys: checksum_keys?,
            rotation_keys: rotation_keys?,
            client_keys: client_keys?,
            assertion_keys: assertion_keys?,
            health_token,
        })
    }

    fn problem<T>(&mut self, variable: &'static str, reason: impl Into<String>) -> Option<T> {
        self.problems.push(ConfigProblem { variable: variable.into(), reason: reason.into() });
        None
    }

    fn optional(&self, name: &str) -> String {
        let default = VARIABLES.iter().find(|variable| variable.name == name).and_then(|variable| variable.default);
        (self.lookup)(name).unwrap_or_else(|| default.unwrap_or_default().to_owned())
    }

    fn required(&mut self, name: &'static str) -> Option<String> {
        let value = self.optional(name).trim().to_owned();
        if value.is_empty() { self.problem(name, "is missing") } else { Some(value) }
    }

    fn switch(&mut self, name: &'static str, on: &str, off: &str) -> Option<bool> {
        match self.optional(name).trim() {
            value if value == on => Some(true),
            value if value == off => Some(false),
            value => self.problem(name, format!("is {value:?}; write {on} or {off}")),
        }
    }

    /// https anywhere, http only on loopback.
    fn url(&mut self, name: &'static str) -> Option<Url> {
        let value = self.required(name)?;
        match Url::parse(&value) {
            Ok(url) if url.scheme() == "https" || url.scheme() == "http" && is_loopback_url(&url) => Some(url),
            Ok(_) => self.problem(name, "must be https, or http on a loopback address"),
            Err(error) => self.problem(name, format!("is not a URL: {error}")),
        }
    }

    fn origin(&mut self, name: &'static str) -> Option<Url> {
        let url = self.url(name)?;
        let is_origin = url.as_str() == format!("{}/", serialized_origin(&url));
        if is_origin {
            Some(url)
        } else {
            self.problem(name, "must be an origin: scheme, host and port, nothing behind")
        }
    }

    fn ring(&mut self, name: &'static str, environment: &str) -> Option<KeyRing> {
        let value = (self.lookup)(name).unwrap_or_default();
        KeyRing::parse(&value, environment)
            .map_err(|error: KeyRingError| self.problem::<()>(name, error.to_string()))
            .ok()
    }

    fn health_token(&mut self) -> Option<HealthToken> {
        const NAME: &str = "HOSTED_MCP_HEALTH_TOKEN";
        let value = self.optional(NAME);
        if value.is_empty() {
            return None;
        }
        HealthToken::parse(&value).map_err(|reason| self.tolerate(NAME, &reason, "nobody gets readiness")).ok()
    }

    /// A key with two uses would tie their rotations together and make one's leak the other's.
    fn check_distinct(&mut self, rings: &[(&'static str, Option<KeyRing>)]) {
        for (at, (name, ring)) in rings.iter().enumerate() {
            for (other_name, other) in &rings[..at] {
                if let (Some(ring), Some(other)) = (ring, other)
                    && ring.shares_a_key_with(other)
                {
                    self.problem::<()>(
                        name,
                        format!("shares a key with {other_name}; every ring needs keys of its own"),
                    );
                }
            }
        }
    }
}

fn serialized_origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// Public keys are written like a ring.
fn public_keys(ring: &KeyRing) -> Vec<PublicKey> {
    ring.iter().map(|key| PublicKey { kid: key.kid().to_owned(), key: *key.expose() }).collect()
}

#[cfg(test)]
mod tests;
