//! SQL on an environment's database, through wrangler, with its rows as values and its failures as advice.

use crate::project::Project;
use crate::start;
use crate::wrangler::{LOCAL, Wrangler};
use crate::wrangler_config::WranglerConfig;
use anyhow::{Context, Result, bail, ensure};
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::process::Stdio;

pub struct OperatorDatabase<'a> {
    wrangler: Wrangler<'a>,
    environment: &'a str,
}

impl<'a> OperatorDatabase<'a> {
    /// Fails where the environment does not exist, or has no database yet.
    pub fn open(project: &'a Project, environment: &'a str) -> Result<Self> {
        if environment == LOCAL {
            ensure!(start::has_database(project), "there is no local database yet: `npm start` makes it");
        } else {
            let file = WranglerConfig::read(project)?;
            let id = file.environment(environment)?.database_id().to_owned();
            ensure!(
                id.chars().any(|digit| !matches!(digit, '0' | '-')),
                "the database of {environment} is a placeholder in wrangler.toml: write the id that `npx wrangler d1 list` shows"
            );
        }
        Ok(Self { wrangler: Wrangler::new(project)?, environment })
    }

    /// Runs statements in order and returns the rows of each. Nothing of the SQL is shown when it fails.
    pub fn query(&self, sql: &str) -> Result<Vec<Vec<Value>>> {
        let mut command = self.wrangler.execute(self.environment, sql);
        let output = command.arg("--json").stdin(Stdio::null()).output().context("wrangler did not start")?;
        let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        if !output.status.success() {
            bail!("{}", failure(self.environment, &stdout, &stderr));
        }
        read_rows(&stdout)
    }

    /// The single row of one of the answers.
    pub fn row<T: DeserializeOwned>(rows: &[Vec<Value>], statement: usize) -> Result<T> {
        let row = rows.get(statement).and_then(|rows| rows.first()).context("the database returned no row")?;
        serde_json::from_value(row.clone()).context("the database returned another row than expected")
    }
}

/// The rows of each statement, out of wrangler's JSON; wrangler may say something of its own before.
fn read_rows(stdout: &str) -> Result<Vec<Vec<Value>>> {
    let start = stdout.find('[').context("wrangler printed no result")?;
    let results: Vec<Value> = serde_json::from_str(&stdout[start..]).context("wrangler printed no JSON")?;
    Ok(results.iter().map(|result| result["results"].as_array().cloned().unwrap_or_default()).collect())
}

/// Wrangler's reason, without the command that it repeats, and what to do.
fn failure(environment: &str, stdout: &str, stderr: &str) -> String {
    let json = stdout.find('{').and_then(|start| serde_json::from_str::<Value>(&stdout[start..]).ok());
    let text = json.as_ref().and_then(|json| json["error"]["text"].as_str()).map(str::to_owned);
    let reason = text.unwrap_or_else(|| {
        let said = if stderr.trim().is_empty() { stdout } else { stderr };
        said.lines().map(str::trim).find(|line| line.contains("ERROR")).unwrap_or("no reason was given").to_owned()
    });
    let advice = if environment == LOCAL {
        "`npm start` prepares the local database".to_owned()
    } else {
        format!(
            "check the account with `npx wrangler whoami` (CLOUDFLARE_API_TOKEN needs D1 Edit), the database with \
             `npx wrangler d1 info DB --env {environment}`, and Cloudflare's status. While D1 does not answer, no connection works; \
             to be sure that none works afterwards, deploy with HOSTED_MCP_ENABLED = \"false\""
        )
    };
    format!("the database of {environment} did not answer: {reason}\nWhat to do: {advice}")
}

#[cfg(test)]
mod tests {
    use super::{failure, read_rows};

    #[test]
    fn rows_of_every_statement_are_read_from_wranglers_json() {
        let rows = read_rows("a notice\n[{\"results\":[{\"n\":1}],\"success\":true},{\"results\":[]}]").expect("rows");
        assert_eq!(rows[0][0]["n"], 1);
        assert!(rows[1].is_empty());
        assert!(read_rows("nothing").is_err());
    }

    #[test]
    fn failure_names_reason_and_remedy_and_shows_no_sql() {
        let json = "{\"error\":{\"text\":\"Authentication error [code: 10000]\"}}";
        let text = failure("production", json, "");
        assert!(text.contains("Authentication error") && text.contains("npx wrangler whoami"), "{text}");
        let text = failure("local", "", "noise\n✘ [ERROR] no such table: grants\nSELECT 1");
        assert!(text.contains("no such table") && text.contains("npm start") && !text.contains("SELECT"), "{text}");
    }
}
