//! Exceptions from the rules, each with its reason.

use super::Finding;

pub struct Exception {
    pub rule: &'static str,
    /// Files that the exception is for: a path, or how paths begin.
    pub files: &'static str,
    pub subject: &'static str,
    pub reason: &'static str,
}

impl Exception {
    pub fn excuses(&self, finding: &Finding) -> bool {
        self.rule == finding.rule && finding.file.starts_with(self.files) && self.subject == finding.subject
    }
}

pub const EXCEPTIONS: &[Exception] = &[
    retired("src/storage/usage.rs", "Call", "one of the usage events; it is never named without UsageEvent"),
    retired("src/writes/outcome.rs", "Posted", "a WriteOrigin: this attempt posted the write"),
    retired("src/upstream/assertion.rs", "act", "the `act` claim of RFC 8693, section 4.1"),
    retired("dev/simulator/caller/mod.rs", "act", "the `act` claim of RFC 8693, section 4.1"),
    missing("docs/page-server.md", "claude_desktop_config.json", CLIENT),
    missing("docs/page-server.md", "settings.json", CLIENT),
    missing("docs/operations.md", "migrations/000N_what_it_adds.sql", "a pattern for the name of the next migration"),
    missing("docs/operations.md", "statibeat-hosted-mcp.sql", "a backup that the operator's command writes"),
    missing("docs/upstream.md", "host>/.well-known/hosted-mcp-jwks.json", "a URL"),
    missing("src/model/visible/tests.rs", "DerivedCoreProperties.txt", "a file of the Unicode database"),
    missing("src/oauth/client/preregistered.rs", "perform_oauth_login.rs", SOURCE),
    missing("src/oauth/client/preregistered.rs", "src/vs/base/common/oauth.ts", SOURCE),
    missing("src/oauth/client/preregistered.rs", "crates/context_server/src/oauth.rs", SOURCE),
    missing("src/oauth/client/preregistered.rs", "crates/goose/src/oauth/mod.rs", SOURCE),
    missing("tests/operations/migrations.rs", "tests/operations/released", "the folder that the first release makes"),
    missing("tests/language/red.rs", "docs/gone.md", "a sample of what is found"),
];

const CLIENT: &str = "a configuration file of an MCP client";
const SOURCE: &str = "a file in the client's own repository, which the comment cites";

const fn missing(files: &'static str, subject: &'static str, reason: &'static str) -> Exception {
    Exception { rule: "missing file", files, subject, reason }
}

const fn retired(files: &'static str, subject: &'static str, reason: &'static str) -> Exception {
    Exception { rule: "retired word", files, subject, reason }
}
