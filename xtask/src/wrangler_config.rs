//! `wrangler.toml`: what it says of each environment.

use crate::project::Project;
use crate::wrangler::LOCAL;
use anyhow::{Context, Result, bail};
use std::collections::BTreeSet;
use toml::{Table, Value};

pub const FILE: &str = "wrangler.toml";

/// Keys that no environment inherits from the top level.
const NOT_INHERITED: [&str; 9] = [
    "vars",
    "d1_databases",
    "durable_objects",
    "analytics_engine_datasets",
    "kv_namespaces",
    "r2_buckets",
    "queues",
    "services",
    "ratelimits",
];

pub struct WranglerConfig(Table);

/// One environment. The local one is the top level of the file.
pub struct Environment<'a> {
    pub name: &'a str,
    top: &'a Table,
    own: &'a Table,
}

impl WranglerConfig {
    pub fn read(project: &Project) -> Result<Self> {
        Self::parse(&std::fs::read_to_string(project.path(FILE)).context(FILE)?)
    }

    pub fn parse(text: &str) -> Result<Self> {
        Ok(Self(text.parse::<Table>().with_context(|| format!("{FILE} is not TOML"))?))
    }

    /// The environments that can be deployed.
    pub fn names(&self) -> Vec<&str> {
        let environments = self.0.get("env").and_then(Value::as_table);
        environments.into_iter().flat_map(|table| table.keys().map(String::as_str)).collect()
    }

    /// An environment by its name; [`LOCAL`] is one as well.
    pub fn environment<'a>(&'a self, name: &'a str) -> Result<Environment<'a>> {
        if name == LOCAL {
            return Ok(Environment { name, top: &self.0, own: &self.0 });
        }
        let own = self.0.get("env").and_then(|environments| environments.get(name)).and_then(Value::as_table);
        match own {
            Some(own) => Ok(Environment { name, top: &self.0, own }),
            None => bail!("{FILE} has no environment {name:?}; it has {LOCAL}, {}", self.names().join(", ")),
        }
    }
}

impl<'a> Environment<'a> {
    /// A variable of the environment. The worker reads texts only, and so does this.
    pub fn variable(&self, name: &str) -> Option<String> {
        self.own.get("vars")?.get(name)?.as_str().map(str::to_owned)
    }

    /// The names of its variables.
    pub fn variables(&self) -> Vec<&'a str> {
        let table = self.own.get("vars").and_then(Value::as_table);
        table.into_iter().flat_map(|vars| vars.keys().map(String::as_str)).collect()
    }

    pub fn worker(&self) -> &'a str {
        self.own.get("name").and_then(Value::as_str).unwrap_or_default()
    }

    /// The hosts that lead to the worker.
    pub fn hosts(&self) -> Vec<&'a str> {
        let routes = self.own.get("routes").and_then(Value::as_array);
        let pattern = |route: &'a Value| route.get("pattern").unwrap_or(route).as_str();
        let host = |pattern: &'a str| pattern.split('/').next().unwrap_or(pattern);
        routes.into_iter().flatten().filter_map(pattern).map(host).collect()
    }

    /// Where the worker runs, if not beside its caller: a region, a host to be near to, or `smart`.
    pub fn placement(&self) -> Option<&'a str> {
        let placement = self.setting("placement")?;
        let value = |name: &str| placement.get(name).and_then(Value::as_str);
        value("region").or(value("hostname")).or(value("host")).or(value("mode").filter(|mode| *mode != "off"))
    }

    pub fn database_id(&self) -> &'a str {
        let id = self.own.get("d1_databases").and_then(|databases| databases.get(0)?.get("database_id"));
        id.and_then(Value::as_str).unwrap_or_default()
    }

    /// Settings under which the platform itself records request addresses, and with them sign-in codes. A setting that is
    /// absent counts as recording: `observability.enabled` stands for whatever the platform turns on with it.
    pub fn address_recorders(&self) -> Vec<&'static str> {
        let is_off = |part: &str, setting: &str| {
            let value = || self.setting("observability")?.get(part)?.get(setting)?.as_bool();
            value() == Some(false)
        };
        let is_absent = |name: &str| match self.setting(name) {
            None | Some(Value::Boolean(false)) => true,
            Some(Value::Array(consumers)) => consumers.is_empty(),
            Some(_) => false,
        };
        let recorders = [
            ("observability.logs.invocation_logs must be false", is_off("logs", "invocation_logs")),
            ("observability.traces.enabled must be false", is_off("traces", "enabled")),
            ("logpush must be absent or false", is_absent("logpush")),
            ("tail_consumers must be absent", is_absent("tail_consumers")),
            ("streaming_tail_consumers must be absent", is_absent("streaming_tail_consumers")),
        ];
        recorders.into_iter().filter(|(_, is_safe)| !is_safe).map(|(rule, _)| rule).collect()
    }

    /// A top-level setting, which an environment replaces as a whole.
    fn setting(&self, name: &str) -> Option<&'a Value> {
        self.own.get(name).or_else(|| self.top.get(name))
    }

    /// Bindings that the local environment has and this one lacks, as `d1_databases DB`.
    pub fn missing_bindings(&self) -> Vec<String> {
        let missing = |key: &&str| {
            let (has, wants) = (bindings(self.own.get(*key)), bindings(self.top.get(*key)));
            wants.difference(&has).map(|name| format!("{key} {name}")).collect::<Vec<_>>()
        };
        NOT_INHERITED.iter().filter(|key| **key != "vars").flat_map(missing).collect()
    }
}

/// The names of whatever is bound below a key, however deep that kind of binding puts them.
fn bindings(value: Option<&Value>) -> BTreeSet<&str> {
    match value {
        Some(Value::Array(entries)) => entries.iter().filter_map(bound_name).collect(),
        Some(Value::Table(table)) => table.values().flat_map(|inner| bindings(Some(inner))).collect(),
        _ => BTreeSet::new(),
    }
}

fn bound_name(entry: &Value) -> Option<&str> {
    ["binding", "name", "queue"].into_iter().find_map(|key| entry.get(key)?.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
        [[d1_databases]]
        binding = "DB"
        database_id = "local"
        [[durable_objects.bindings]]
        name = "COUNTER"
        [env.staging]
        name = "w-staging"
        routes = [{ pattern = "mcp.example/*" }, "other.example"]
        [env.staging.vars]
        A = "a"
        B = 2
        [[env.staging.d1_databases]]
        binding = "DB"
        database_id = "one"
        [env.production]
    "#;

    #[test]
    fn an_environment_says_what_is_its_own() {
        let file = WranglerConfig::parse(TEXT).expect("TOML");
        let staging = file.environment("staging").expect("there");
        assert_eq!(staging.variable("A").as_deref(), Some("a"));
        assert_eq!(staging.variable("B"), None, "no text");
        assert_eq!((staging.worker(), staging.database_id()), ("w-staging", "one"));
        assert_eq!(staging.hosts(), ["mcp.example", "other.example"]);
    }

    #[test]
    fn bindings_that_an_environment_lacks_are_named() {
        let file = WranglerConfig::parse(TEXT).expect("TOML");
        assert_eq!(file.environment("staging").expect("there").missing_bindings(), ["durable_objects COUNTER"]);
        let production = file.environment("production").expect("there").missing_bindings();
        assert_eq!(production, ["d1_databases DB", "durable_objects COUNTER"]);
    }

    #[test]
    fn unknown_environment_error_lists_the_environments() {
        let file = WranglerConfig::parse(TEXT).expect("TOML");
        let error = file.environment("prod").err().expect("unknown").to_string();
        assert_eq!(error, r#"wrangler.toml has no environment "prod"; it has local, production, staging"#);
        assert_eq!(file.environment("local").expect("there").database_id(), "local");
    }
}
