//! Things that may be in one place only. Code is checked, not tests and not comments.

use super::Finding;
use super::source::{NamedPath, Role, Source};

/// Crates that speak to the Cloudflare runtime.
const RUNTIME_CRATES: [&str; 6] =
    ["worker", "worker_sys", "js_sys", "web_sys", "wasm_bindgen", "console_error_panic_hook"];

/// Error codes of RFC 6749, 6750, 7009, 7591, 8707, 9101 and of `OpenID` Connect.
const OAUTH_CODES: [&str; 21] = [
    "access_denied",
    "consent_required",
    "insufficient_scope",
    "interaction_required",
    "invalid_client",
    "invalid_client_metadata",
    "invalid_grant",
    "invalid_redirect_uri",
    "invalid_request",
    "invalid_scope",
    "invalid_target",
    "invalid_token",
    "login_required",
    "request_not_supported",
    "request_uri_not_supported",
    "server_error",
    "temporarily_unavailable",
    "unauthorized_client",
    "unsupported_grant_type",
    "unsupported_response_type",
    "unsupported_token_type",
];

/// First words of SQL statements, in capitals as we write them.
const SQL_STARTS: [&str; 10] = [
    "SELECT ",
    "INSERT ",
    "UPDATE ",
    "DELETE FROM",
    "REPLACE INTO",
    "CREATE ",
    "ALTER TABLE",
    "DROP ",
    "PRAGMA ",
    "WITH ",
];

/// The paths that `web/routes.rs` gives to our routes.
pub fn our_paths(sources: &[Source]) -> Vec<String> {
    let texts = sources.iter().filter(|source| source.is_routes()).flat_map(|source| &source.texts);
    texts.map(|text| &text.value).filter(|text| text.len() > 1 && text.starts_with('/')).cloned().collect()
}

/// Everything in a file that belongs elsewhere. Code is searched, not unit tests.
pub fn check(source: &Source, paths: &[String]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for path in source.paths.iter().filter(|path| !path.is_test) {
        check_path(source, path, &mut |what, rule| findings.push(Finding::new(source, path.line, what, rule)));
    }
    for text in &source.texts {
        let mut forbid = |what, rule: &str| findings.push(Finding::new(source, text.line, what, rule));
        check_text(source, &text.value, paths, &mut forbid);
    }
    for number in source.negative_numbers.iter().filter(|number| is_json_rpc_code(&number.value)) {
        if !may_hold_codes(source) {
            findings.push(Finding::new(source, number.line, format!("error code -{}", number.value), CODES_RULE));
        }
    }
    findings.sort_by_key(|finding| finding.line);
    findings
}

const CODES_RULE: &str = "only oauth/error.rs and mcp/error.rs contain wire error codes";

fn check_path(source: &Source, path: &NamedPath, forbid: &mut impl FnMut(String, &str)) {
    let NamedPath { segments, role, .. } = path;
    let Some((first, last)) = segments.first().zip(segments.last()) else { return };
    let is_import = matches!(role, Role::Import | Role::Reexport);
    if source.top() != "cloudflare" && RUNTIME_CRATES.contains(&first.as_str()) && (segments.len() > 1 || is_import) {
        forbid(format!("names {first}"), "only cloudflare/ names the Cloudflare runtime");
    }
    let is_markup = first == "maud" || last == "html" && *role == Role::Macro;
    if is_markup && !renders_pages(source) {
        forbid(format!("names {last}"), HTML_RULE);
    }
    let is_environment = first == "std" && segments.get(1).is_some_and(|second| second == "env");
    let is_print = *role == Role::Macro && matches!(last.as_str(), "print" | "println");
    let is_pipe = segments.iter().any(|segment| matches!(segment.as_str(), "stdin" | "stdout"));
    if source.top() != "bin" && (is_environment || is_print || is_pipe) {
        forbid(format!("names {last}"), "only bin/ names stdin, stdout and the process environment");
    }
}

/// Files that render pages, each with its words.
const PAGES: [&[&str]; 20] = [
    &["web", "endpoint_page"],
    &["web", "layout"],
    &["web", "page_error"],
    &["web", "time"],
    &["web", "consent", "page"],
    &["web", "admin", "action"],
    &["web", "admin", "action_words"],
    &["web", "admin", "actions"],
    &["web", "admin", "activity"],
    &["web", "admin", "blocked"],
    &["web", "admin", "chart"],
    &["web", "admin", "connection"],
    &["web", "admin", "health"],
    &["web", "admin", "index"],
    &["web", "admin", "list"],
    &["web", "admin", "narrow"],
    &["web", "admin", "page"],
    &["web", "admin", "session"],
    &["web", "admin", "setup"],
    &["web", "admin", "sign_in"],
];

const HTML_RULE: &str = "only the files that render pages contain HTML";

fn renders_pages(source: &Source) -> bool {
    PAGES.iter().any(|module| source.is_in(module))
}

fn check_text(source: &Source, text: &str, paths: &[String], forbid: &mut impl FnMut(String, &str)) {
    let quoted = || format!("{text:?}");
    let is_ours = |path: &String| {
        text.strip_prefix(path.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']))
    };
    if !source.is_routes() && paths.iter().any(is_ours) {
        forbid(quoted(), "only web/routes.rs contains a path of ours");
    }
    if source.top() != "storage" && SQL_STARTS.iter().any(|start| text.trim_start().starts_with(start)) {
        forbid(quoted(), "only storage/ contains SQL");
    }
    if !renders_pages(source) && is_html(text) {
        forbid(quoted(), HTML_RULE);
    }
    if !may_hold_codes(source) && OAUTH_CODES.iter().any(|code| contains_word(text, code)) {
        forbid(quoted(), CODES_RULE);
    }
}

fn may_hold_codes(source: &Source) -> bool {
    source.is_in(&["oauth", "error"]) || source.is_in(&["mcp", "error"])
}

/// The ranges that JSON-RPC 2.0 reserves.
fn is_json_rpc_code(number: &str) -> bool {
    let digits: String = number.chars().take_while(|c| c.is_ascii_digit() || *c == '_').filter(|c| *c != '_').collect();
    matches!(digits.parse(), Ok(32_000..=32_099 | 32_600..=32_603 | 32_700))
}

/// A closing tag, or the beginning of a document.
fn is_html(text: &str) -> bool {
    let closes_a_tag =
        text.match_indices("</").any(|(at, _)| text[at + 2..].starts_with(|c: char| c.is_ascii_alphabetic()));
    closes_a_tag || text.trim_start().to_ascii_lowercase().starts_with("<!doctype")
}

fn contains_word(text: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.match_indices(word)
        .any(|(at, _)| !text[..at].ends_with(is_part) && !text[at + word.len()..].starts_with(is_part))
}
