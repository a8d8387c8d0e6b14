//! What was done through the connector.

use super::capitalized;

pub const TITLE: &str = "Recent activity";
pub const HINT: &str = "What your apps post appears here, connections that end or were not made, and sign-ins that were refreshed twice. What they read is counted above, not listed.";
pub const NONE_YET: &str = "Nothing yet.";
/// No row that fits the filters.
pub const NONE: &str = "Nothing fits these filters.";
pub const PAGE: &str = "Page";
pub const APP: &str = "App";
pub const OUTCOME: &str = "Outcome";
pub const ALL: &str = "All";
pub const SHOW: &str = "Show";
pub const LIST: &str = "List of activity";
pub const COLUMNS: [&str; 5] = ["When", "App", "What", "Page", "Outcome"];
/// A row that is not the person's own.
pub const OF_SOMEBODY_ELSE: &str = "of somebody else";
/// The pages of the list.
pub const PAGING: &str = "Pages of the list";
/// The first page of it.
pub const NEWEST: &str = "Newest";
/// The next page of it.
pub const OLDER: &str = "Older";

/// Stored words and how they are said.
pub const OUTCOMES: [(&str, &str); 8] = [
    ("done", "Done"),
    ("replayed", "Done before"),
    ("previewed", "Previewed"),
    ("declined", "Declined"),
    ("refused", "Refused"),
    ("limited", "Too many"),
    ("failed", "Failed"),
    ("unknown", "Unknown"),
];

/// Pages that keep no audit logs.
pub fn disabled(pages: &str) -> String {
    format!(
        "Audit logs are off for {pages}, so what happened there is not shown. An admin of the page can switch them on in StatiBeat."
    )
}

/// Pages of which nothing is known.
pub fn unknown(pages: &str) -> String {
    format!("StatiBeat does not say at the moment whether audit logs are on for {pages}. Load this page again later.")
}

/// A title as it was written.
pub fn quoted(title: &str) -> String {
    format!("“{title}”")
}

/// How many calls a row stands for.
pub fn calls(calls: i64) -> String {
    format!("{calls} calls, not listed one by one")
}

/// The number of an incident or maintenance.
pub fn number(id: &str) -> String {
    format!("No. {id}")
}

/// A kind of row; one that this program does not know stands for itself.
pub fn what(kind: &str, tool: Option<&str>) -> String {
    match (kind, tool) {
        ("write", Some(tool)) => capitalized(&tool.replace('_', " ")),
        ("revoke", _) => "Connection ended".to_owned(),
        ("pause", _) => "Writes paused".to_owned(),
        ("resume", _) => "Writes resumed".to_owned(),
        ("confirm", _) => "Confirmation of writes changed".to_owned(),
        ("unrecorded", _) => "More calls that were refused or only looked".to_owned(),
        ("page_block", _) => "Blocked on the page".to_owned(),
        ("page_unblock", _) => "Unblocked on the page".to_owned(),
        ("approval", _) => "Connection not made".to_owned(),
        ("access_token_revoke", _) => "Access token revoked".to_owned(),
        ("refresh_window_used", _) => "Refresh token sent twice".to_owned(),
        (other, _) => other.to_owned(),
    }
}

/// An outcome; one that this program does not know stands for itself.
pub fn outcome(outcome: &str) -> &str {
    OUTCOMES.iter().find(|(word, _)| *word == outcome).map_or(outcome, |(_, name)| *name)
}

/// A fixed word of the record; one that needs no words stands for itself.
pub fn detail(detail: &str) -> String {
    match detail {
        "user" => "by its user".to_owned(),
        "client" => "by the app itself".to_owned(),
        "scope" => "not allowed to this app".to_owned(),
        "page" => "on a page that the app or its user cannot reach".to_owned(),
        "role" => "not allowed by the role on the page".to_owned(),
        "user_disabled" => "account disabled".to_owned(),
        "code_replay" => "sign-in answer used twice".to_owned(),
        "refresh_reuse" => "refresh token used twice".to_owned(),
        "no_page" => "the account can see no page".to_owned(),
        "user_ended" => "StatiBeat does not let the account in".to_owned(),
        "answers" => "too many answers to the consent page".to_owned(),
        "client_not_listed" => "the app was taken off the list of allowed apps".to_owned(),
        other => other.replace('_', " "),
    }
}
