//! Everything that stands between `wrangler.toml` and a deployment, said at once, and after everything else.
//!
//! The variables are read by `Config::from_lookup`, the very code that reads them in the worker: what passes here is what runs
//! there. Secrets cannot be read back from Cloudflare; their names are compared with the list that wrangler gives, and random
//! ones stand in for their values.

use super::key_rings;
use crate::wrangler_config::{Environment, FILE, WranglerConfig};
use anyhow::{Context, Result, bail};
use serde_json::Value;
use statibeat_mcp::config::{Config, VARIABLES};
use std::path::Path;
use url::Url;

/// The problems as an error, which is printed last.
pub fn report(problems: &[String], environment: &str) -> Result<()> {
    let lines = format!("\n  {}", problems.join("\n  "));
    match problems.len() {
        0 => println!("  {environment}: nothing is missing"),
        1 => bail!("1 thing to settle before {environment} can be deployed:{lines}"),
        count => bail!("{count} things to settle before {environment} can be deployed:{lines}"),
    }
    Ok(())
}

/// The problems of an environment in `wrangler.toml`.
pub fn check_configuration(file: &WranglerConfig, name: &str) -> Result<Vec<String>> {
    let environment = file.environment(name)?;
    let lacks = |binding| format!("[env.{name}] lacks the binding {binding}; wrangler does not hand it down");
    let mut problems: Vec<String> = environment.missing_bindings().into_iter().map(lacks).collect();
    problems.extend(variable_names(&environment));
    problems.extend(configuration(&environment));
    problems.extend(database(file, &environment)?);
    problems.extend(placement(&environment));
    problems.extend(addresses(&environment));
    let recorders = environment.address_recorders();
    problems.extend(recorders.into_iter().map(|rule| format!("{rule}: the platform's own records hold sign-in codes")));
    Ok(problems)
}

/// A variable that nobody reads is a misspelled one; a secret does not belong into a file that is committed.
fn variable_names(environment: &Environment<'_>) -> Vec<String> {
    let judge = |name: &str| match VARIABLES.iter().find(|known| known.name == name) {
        None => Some(format!("{name} is no variable of this program")),
        Some(known) if known.is_secret => Some(format!("{name} is a secret: take it out of {FILE} and rotate it")),
        Some(_) => None,
    };
    environment.variables().into_iter().filter_map(judge).collect()
}

/// Lists every problem that the worker itself would report.
fn configuration(environment: &Environment<'_>) -> Vec<String> {
    let stand_ins: Vec<(&str, String)> = VARIABLES
        .iter()
        .filter(|known| known.is_secret && known.default.is_none())
        .map(|known| (known.name, key_rings::stand_in()))
        .collect();
    let stand_in = |name: &str| stand_ins.iter().find(|(known, _)| *known == name).map(|(_, ring)| ring.clone());
    match Config::from_lookup(|name| stand_in(name).or_else(|| environment.variable(name))) {
        Err(problems) => problems.iter().map(ToString::to_string).collect(),
        Ok(config) => {
            let named = config.environment == environment.name;
            let bad = config.bad_redirects.iter().map(|entry| format!("HOSTED_MCP_ALLOWED_CLIENT_REDIRECTS: {entry}"));
            let misnamed = (!named)
                .then(|| format!("HOSTED_MCP_ENVIRONMENT is {}; write {}", config.environment, environment.name));
            // The running worker would go on with a narrower value; a deployment need not.
            let tolerated = config.tolerated.iter().map(ToString::to_string);
            tolerated.chain(bad).chain(misnamed).collect()
        }
    }
}

/// A database of its own, that exists.
fn database(file: &WranglerConfig, environment: &Environment<'_>) -> Result<Vec<String>> {
    let (name, id) = (environment.name, environment.database_id());
    if id.chars().all(|c| c == '0' || c == '-') {
        let create = format!("npx wrangler d1 create {}", environment.worker());
        return Ok(vec![format!(
            "d1_databases.database_id of {name} is a placeholder; `{create}` prints the real one"
        )]);
    }
    let mut problems = Vec::new();
    for other in file.names().into_iter().filter(|other| *other != name) {
        let other = file.environment(other)?;
        if other.database_id() == id {
            problems.push(format!("{name} and {} share the database {id}; each needs its own", other.name));
        }
        if other.worker() == environment.worker() {
            problems.push(format!("{name} and {} share the worker {}", other.name, other.worker()));
        }
    }
    Ok(problems)
}

/// The worker runs beside the database and StatiBeat: a call makes several trips to them, and each would cross an ocean.
fn placement(environment: &Environment<'_>) -> Option<String> {
    let name = environment.name;
    match environment.placement() {
        Some(place) if place.starts_with("placeholder") => Some(format!(
            "placement.region of {name} is a placeholder; write the cloud region nearest to D1 and StatiBeat, such as aws:eu-central-1"
        )),
        Some(_) => None,
        None => Some(format!(
            "{name} has no placement; write placement.region, the cloud region nearest to D1 and StatiBeat"
        )),
    }
}

/// The address that clients are told must be the one that leads here.
fn addresses(environment: &Environment<'_>) -> Vec<String> {
    let hosts = environment.hosts();
    let mut problems: Vec<String> = hosts
        .iter()
        .filter(|host| host.ends_with(".invalid"))
        .map(|host| format!("routes: {host} is a placeholder; write a host of a zone in your account"))
        .collect();
    let public_url = environment.variable("HOSTED_MCP_PUBLIC_URL").and_then(|text| Url::parse(&text).ok());
    let public_host = public_url.as_ref().and_then(Url::host_str).unwrap_or_default();
    if !hosts.contains(&public_host) {
        problems.push(format!("routes: no route leads from HOSTED_MCP_PUBLIC_URL ({public_host}) to this worker"));
    }
    problems
}

/// Required secrets that Cloudflare does not have, out of what `wrangler secret list` printed.
pub fn check_secrets(list: &str, environment: &str) -> Result<Vec<String>> {
    // Wrangler may say something of its own before.
    let list = list.find('[').map_or(list, |start| &list[start..]);
    let list: Value = serde_json::from_str(list).context("`wrangler secret list` did not print JSON")?;
    let has = |name: &str| list.as_array().is_some_and(|secrets| secrets.iter().any(|secret| secret["name"] == name));
    let required = VARIABLES.iter().filter(|known| known.is_secret && known.default.is_none());
    let missing = required.filter(|known| !has(known.name)).map(|known| {
        format!("the secret {} is not stored; `npm run secrets -- --env {environment}` says how", known.name)
    });
    Ok(missing.collect())
}

/// Migrations that the database has not seen, out of what `wrangler d1 migrations list` printed.
pub fn check_migrations(list: &str, environment: &str) -> Vec<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let words =
        list.split(|c: char| !is_part(c)).filter(|word| Path::new(word).extension().is_some_and(|kind| kind == "sql"));
    let remedy = format!(
        "`npx wrangler d1 migrations apply DB --env {environment} --remote`, or `npm run deploy`, which does it"
    );
    words.map(|name| format!("the migration {name} is not applied: {remedy}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMITTED: &str = include_str!("../../../wrangler.toml");

    fn read(text: &str) -> WranglerConfig {
        WranglerConfig::parse(text).expect("TOML")
    }

    /// The committed file with everything filled in.
    fn filled_in() -> String {
        let mut text = COMMITTED.replace(".statibeat.invalid", ".statibeat.example");
        text = text.replace("placeholder:region", "aws:eu-central-1");
        for (at, part) in ["staging", "production"].into_iter().enumerate() {
            let start = text.find(&format!("[[env.{part}.d1_databases]]")).expect("a database");
            let rest = text.split_off(start);
            text += &rest.replacen("00000000-", &format!("0000000{}-", at + 1), 1);
        }
        text.replace(
            "placeholder:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            &format!("sb-{}", key_rings::stand_in()),
        )
    }

    /// The problems of staging when one text of the filled-in file is another.
    fn check(from: &str, to: &str) -> Vec<String> {
        let text = filled_in();
        let staging = text.find("[env.staging]").expect("staging");
        let (head, tail) = text.split_at(staging);
        assert!(tail.contains(from), "{from}");
        check_configuration(&read(&format!("{head}{}", tail.replacen(from, to, 1))), "staging").expect("an environment")
    }

    #[test]
    fn every_placeholder_of_the_committed_file_is_named() {
        for name in ["staging", "production"] {
            let problems = check_configuration(&read(COMMITTED), name).expect("an environment");
            let of = |what: &str| problems.iter().filter(|problem| problem.starts_with(what)).count();
            for what in [
                "HOSTED_MCP_PUBLIC_URL is a placeholder",
                "HOSTED_MCP_UPSTREAM_URL is a placeholder",
                "HOSTED_MCP_SIGN_IN_URL is a placeholder",
                "HOSTED_MCP_IDENTITY_KEYS key placeholder is a placeholder",
                "d1_databases.database_id",
                "placement.region",
                "routes: mcp",
            ] {
                assert_eq!(of(what), 1, "{what}: {problems:#?}");
            }
            assert_eq!(problems.len(), 7, "{problems:#?}");
        }
    }

    #[test]
    fn environment_without_placement_is_refused_and_any_kind_of_placement_will_do() {
        let placed = "region = \"aws:eu-central-1\"";
        assert_eq!(
            check(placed, ""),
            ["staging has no placement; write placement.region, the cloud region nearest to D1 and StatiBeat"]
        );
        for kind in ["mode = \"smart\"", "hostname = \"api.statibeat.example\"", "host = \"db.statibeat.example:5432\""]
        {
            assert_eq!(check(placed, kind), [""; 0], "{kind}");
        }
        assert_eq!(check(placed, "mode = \"off\"").len(), 1);
    }

    #[test]
    fn a_filled_in_file_has_nothing_left() {
        let file = filled_in();
        for name in ["staging", "production"] {
            assert_eq!(check_configuration(&read(&file), name).expect("an environment"), [""; 0]);
        }
    }

    #[test]
    fn migrations_that_are_not_applied_are_named() {
        let list = "Migrations to be applied:\n│ Name │\n│ 0001_first.sql │\n│ 0002_more.sql │";
        let problems = check_migrations(list, "staging");
        assert!(problems.len() == 2 && problems[1].starts_with("the migration 0002_more.sql is not"), "{problems:?}");
        assert_eq!(check_migrations("✅ No migrations to apply!", "staging"), [""; 0]);
    }

    #[test]
    fn wrangler_s_build_command_names_each_environment() {
        let file: toml::Table = COMMITTED.parse().expect("TOML");
        for (name, environment) in file["env"].as_table().expect("environments") {
            let command = environment.get("build").and_then(|build| build.get("command")?.as_str());
            assert_eq!(command, Some(format!("node dev/launch.mjs build --env {name}").as_str()));
        }
    }

    #[test]
    fn environments_must_not_share_hosts_databases_or_names() {
        assert_eq!(
            check("00000001-", "00000002-"),
            ["staging and production share the database 00000002-0000-0000-0000-000000000000; each needs its own"]
        );
        assert_eq!(
            check("statibeat-hosted-mcp-staging", "statibeat-hosted-mcp-production"),
            ["staging and production share the worker statibeat-hosted-mcp-production"]
        );
        let misnamed = check(r#"ENVIRONMENT = "staging""#, r#"ENVIRONMENT = "production""#);
        assert_eq!(misnamed, ["HOSTED_MCP_ENVIRONMENT is production; write staging"]);
    }

    #[test]
    fn misspelled_variables_stray_secrets_and_forgotten_bindings_are_named() {
        let vars = "[env.staging.vars]\n";
        assert_eq!(
            check(vars, "[env.staging.vars]\nHOSTED_MCP_REGISTRATIONS = \"off\"\n"),
            ["HOSTED_MCP_REGISTRATIONS is no variable of this program"]
        );
        assert_eq!(check(vars, "[env.staging.vars]\nHOSTED_MCP_TEXT_RULES = \"e-mail=off\"\n").len(), 1);
        assert_eq!(
            check(vars, "[env.staging.vars]\nHOSTED_MCP_CHECKSUM_KEYS = \"k:x\"\n"),
            ["HOSTED_MCP_CHECKSUM_KEYS is a secret: take it out of wrangler.toml and rotate it"]
        );
        assert_eq!(
            check("binding = \"METRICS\"", "binding = \"METRIC\""),
            ["[env.staging] lacks the binding analytics_engine_datasets METRICS; wrangler does not hand it down"]
        );
    }

    #[test]
    fn the_public_address_must_lead_to_the_worker_and_redirects_must_be_readable() {
        assert_eq!(
            check(r#"pattern = "mcp-staging."#, r#"pattern = "mcp-stage."#),
            ["routes: no route leads from HOSTED_MCP_PUBLIC_URL (mcp-staging.statibeat.example) to this worker"]
        );
        let bad = check("REDIRECTS = \"known-clients\"", "REDIRECTS = \"known-clients nonsense\"");
        assert!(bad.len() == 1 && bad[0].starts_with("HOSTED_MCP_ALLOWED_CLIENT_REDIRECTS: "), "{bad:?}");
    }

    #[test]
    fn platform_records_of_request_addresses_are_refused() {
        let words = |rule: &str| format!("{rule}: the platform's own records hold sign-in codes");
        let logs = words("observability.logs.invocation_logs must be false");
        let traces = words("observability.traces.enabled must be false");
        let with = |settings: &str| check("[env.staging]\n", &format!("[env.staging]\n{settings}\n"));
        let off = "logs = { invocation_logs = false }";
        let refuses =
            |settings: &str, rules: &[&String]| assert!(with(settings).iter().eq(rules.iter().copied()), "{settings}");
        refuses("observability = { enabled = true }", &[&logs, &traces]);
        refuses(&format!("observability = {{ {off} }}"), &[&traces]);
        refuses(&format!("observability = {{ {off}, traces = {{ enabled = true }} }}"), &[&traces]);
        refuses(&format!("observability = {{ {off}, traces = {{ head_sampling_rate = 0 }} }}"), &[&traces]);
        refuses("observability = { traces = { enabled = false } }", &[&logs]);
        assert_eq!(with(&format!("observability = {{ {off}, traces = {{ enabled = false }} }}")), [""; 0]);
        assert_eq!(with("logpush = true"), [words("logpush must be absent or false")]);
        assert_eq!(with("tail_consumers = [{ service = \"t\" }]"), [words("tail_consumers must be absent")]);
        let streaming = words("streaming_tail_consumers must be absent");
        assert_eq!(with("streaming_tail_consumers = [{ service = \"t\" }]"), [streaming]);
    }

    #[test]
    fn traces_and_invocation_logs_are_off_in_every_committed_environment() {
        let file = read(COMMITTED);
        assert_eq!(file.names(), ["production", "staging"]);
        for name in file.names() {
            assert_eq!(file.environment(name).expect("an environment").address_recorders(), [""; 0], "{name}");
        }
        let local = format!("{COMMITTED}\n[env.like_local]\n");
        assert_eq!(read(&local).environment("like_local").expect("top level").address_recorders(), [""; 0]);
    }

    #[test]
    fn secrets_that_are_not_stored_are_named() {
        let all: Vec<Value> = VARIABLES
            .iter()
            .filter(|known| known.is_secret && known.default.is_none())
            .map(|known| serde_json::json!({"name": known.name, "type": "secret_text"}))
            .collect();
        let printed = format!("wrangler 4\n{}", Value::from(all.clone()));
        assert!(check_secrets(&printed, "staging").expect("JSON").is_empty());
        let missing = check_secrets(&Value::from(all[1..].to_vec()).to_string(), "staging").expect("JSON");
        let words = "the secret HOSTED_MCP_CHECKSUM_KEYS is not stored; `npm run secrets -- --env staging` says how";
        assert_eq!(missing, [words]);
        assert!(check_secrets("wrangler says no", "staging").is_err());
    }
}
