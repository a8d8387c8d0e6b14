//! Exceptions from the rules, each with its reason.

use super::Finding;

pub struct Exception {
    pub rule: &'static str,
    /// Path or path prefix of the files that it covers.
    pub path_prefix: &'static str,
    pub subject: &'static str,
    pub reason: &'static str,
}

impl Exception {
    pub fn covers(&self, finding: &Finding) -> bool {
        self.rule == finding.rule && finding.file.starts_with(self.path_prefix) && self.subject == finding.subject
    }
}

pub const EXCEPTIONS: &[Exception] = &[
    retired_word("src/storage/usage.rs", "Call", "variant `UsageEvent::Call`, always written with its enum"),
    retired_word("src/writes/outcome.rs", "Posted", "variant `WriteOrigin::Posted`, always written with its enum"),
    retired_word("src/upstream/assertion.rs", "act", "the `act` claim of RFC 8693, section 4.1"),
    retired_word("dev/simulator/caller/mod.rs", "act", "the `act` claim of RFC 8693, section 4.1"),
    missing_file("docs/page-server.md", "claude_desktop_config.json", CLIENT_CONFIG_FILE),
    missing_file("docs/page-server.md", "settings.json", CLIENT_CONFIG_FILE),
    missing_file(
        "docs/operations.md",
        "migrations/000N_what_it_adds.sql",
        "a pattern for the name of the next migration",
    ),
    missing_file("docs/operations.md", "statibeat-hosted-mcp.sql", "a backup that the operator's command writes"),
    missing_file("docs/upstream.md", "host>/.well-known/hosted-mcp-jwks.json", "a URL"),
    missing_file("src/model/visible/tests.rs", "DerivedCoreProperties.txt", "a file of the Unicode database"),
    missing_file("src/oauth/client/preregistered.rs", "perform_oauth_login.rs", CLIENT_SOURCE_FILE),
    missing_file("src/oauth/client/preregistered.rs", "src/vs/base/common/oauth.ts", CLIENT_SOURCE_FILE),
    missing_file("src/oauth/client/preregistered.rs", "crates/context_server/src/oauth.rs", CLIENT_SOURCE_FILE),
    missing_file("src/oauth/client/preregistered.rs", "crates/goose/src/oauth/mod.rs", CLIENT_SOURCE_FILE),
    missing_file("tests/operations/migrations.rs", "tests/operations/released", "created at the first release"),
    missing_file("tests/language/red.rs", "docs/gone.md", "test input that the rule must report"),
];

const CLIENT_CONFIG_FILE: &str = "a configuration file of an MCP client";
const CLIENT_SOURCE_FILE: &str = "a file in the client's own repository, which the comment cites";

const fn missing_file(path_prefix: &'static str, subject: &'static str, reason: &'static str) -> Exception {
    Exception { rule: "missing file", path_prefix, subject, reason }
}

const fn retired_word(path_prefix: &'static str, subject: &'static str, reason: &'static str) -> Exception {
    Exception { rule: "retired word", path_prefix, subject, reason }
}
