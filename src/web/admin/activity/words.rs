//! Words of the activity: what was done, with which outcome, and why.

use super::item::ActivityItem;
use crate::model::outcome::Outcome;

/// Stored outcomes with their labels.
pub(super) const OUTCOMES: [(&str, &str); 8] = [
    (Outcome::Done.as_str(), "Done"),
    (Outcome::Replayed.as_str(), "Already done"),
    (Outcome::Previewed.as_str(), "Previewed"),
    (Outcome::Declined.as_str(), "Declined"),
    (Outcome::Refused.as_str(), "Refused"),
    (Outcome::Limited.as_str(), "Rate limited"),
    (Outcome::Failed.as_str(), "Failed"),
    (Outcome::Unknown.as_str(), "Unknown"),
];

/// The label of a stored outcome; one from a newer version is shown as stored.
pub(super) fn outcome_label(outcome: &str) -> &str {
    OUTCOMES.iter().find(|(word, _)| *word == outcome).map_or(outcome, |(_, label)| *label)
}

/// Says what was done; a kind from a newer version is shown as stored.
pub(super) fn action(item: &ActivityItem) -> String {
    let words = match (&*item.kind, &item.tool) {
        ("write", Some(tool)) => {
            let mut rest = tool.chars();
            let first = rest.next().map(char::to_uppercase).into_iter().flatten();
            return first.chain(rest).collect::<String>().replace('_', " ");
        }
        ("revoke", _) => "Connection ended",
        ("pause", _) => "Writes paused",
        ("resume", _) => "Writes resumed",
        ("confirm", _) => "Confirmation of writes changed",
        ("narrow", _) => "Approval narrowed",
        ("unrecorded", _) => "More calls that were refused or only looked",
        ("page_block", _) => "App blocked on the page",
        ("page_unblock", _) => "App unblocked on the page",
        ("approval", _) => "Connection not made",
        ("access_token_revoke", _) => "Access token revoked",
        ("refresh_repeat", _) => "Refresh token sent twice",
        (other, _) => other,
    };
    words.to_owned()
}

/// Explains a stored detail; a detail from a newer version is shown as stored.
pub(super) fn detail(item: &ActivityItem) -> Option<String> {
    let words = match item.detail.as_deref()? {
        "user" if item.is_own => "by you",
        "user" => return Some(format!("by {}", item.person())),
        "client" => "by the app itself",
        "admin" => "by an operator of the connector",
        "scope" => "not granted to this app",
        "page" => "on a page that the app or its user can't access",
        "role" => "not allowed by the role on the page",
        "user_disabled" | "user_ended" => "account disabled",
        "code_replay" => "authorization code used twice",
        "refresh_reuse" => "refresh token used twice",
        "no_page" => "the account has no access to any page",
        "answers" => "too many answers to the consent page",
        "client_not_listed" => "the app was removed from the list of approved apps",
        other => return Some(other.replace('_', " ")),
    };
    Some(words.to_owned())
}
