//! The import table: one row for every top-level module.

/// The modules of ours that a module may import, besides itself and [`SHARED`].
pub struct Row {
    pub module: &'static str,
    pub may_import: &'static [&'static str],
}

/// Plain values: every layer may import them.
pub const SHARED: [&str; 1] = ["model"];

const fn row(module: &'static str, may_import: &'static [&'static str]) -> Row {
    Row { module, may_import }
}

/// In reading order of `src/lib.rs`. A new top-level module needs a row.
pub const TABLE: [Row; 18] = [
    row("lib", &[]),
    row("model", &[]),
    row("catalog", &[]),
    row("oauth", &["keyring"]),
    row("mcp", &["catalog"]),
    row("ports", &[]),
    row("keyring", &[]),
    row("telemetry", &["ports"]),
    row("config", &["oauth::client", "keyring", "catalog", "telemetry::policy"]),
    row("upstream", &["ports", "keyring", "catalog"]),
    row("alternatives", &["catalog"]),
    row("storage", &["ports", "oauth"]),
    row("writes", &["catalog", "mcp", "upstream", "alternatives", "ports", "keyring"]),
    row("features", &["catalog", "mcp", "upstream", "alternatives", "ports"]),
    // keyring: a caller is recognized by the tag of the token it brings.
    row(
        "hosted",
        &[
            "catalog",
            "oauth",
            "mcp",
            "storage",
            "upstream",
            "alternatives",
            "ports",
            "keyring",
            "writes",
            "features",
            "telemetry",
        ],
    ),
    row("page", &["catalog", "mcp", "upstream", "alternatives", "ports", "keyring", "writes", "features"]),
    row(
        "web",
        &["catalog", "oauth", "mcp", "ports", "keyring", "config", "upstream", "storage", "hosted", "telemetry"],
    ),
    row(
        "cloudflare",
        &[
            "web",
            "hosted::rate_limit",
            "storage::usage_buffer",
            "storage::purge",
            "config",
            "ports",
            "telemetry",
            "upstream::memory",
        ],
    ),
];

/// The native binaries, which see the library from outside.
pub const BIN: Row = row("bin", &["page", "mcp", "upstream", "ports"]);

/// The row of a top-level module.
pub fn find(module: &str) -> Option<&'static Row> {
    TABLE.iter().chain([&BIN]).find(|row| row.module == module)
}

impl Row {
    /// `true` if a path of ours, as in `["oauth", "client", "ClientId"]`, lies within what the row allows.
    pub fn allows(&self, path: &[String]) -> bool {
        let allowed = self.may_import.iter().copied().chain(SHARED).chain([self.module]);
        allowed.into_iter().any(|prefix| {
            let prefix: Vec<&str> = prefix.split("::").collect();
            path.len() >= prefix.len() && path.iter().zip(prefix).all(|(segment, wanted)| segment == wanted)
        })
    }

    pub fn rule(&self) -> String {
        let allowed: Vec<&str> = self.may_import.iter().copied().chain(SHARED).collect();
        format!("{} may import only {}", self.module, allowed.join(", "))
    }
}
