//! Advice for the owner of a connection: what a failure means and what to do about it.

use crate::model::outcome::CallProblem;
use serde::Serialize;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Guidance {
    pub meaning: &'static str,
    /// Next step, and who takes it.
    pub advice: &'static str,
}

const fn advice(meaning: &'static str, advice: &'static str) -> Guidance {
    Guidance { meaning, advice }
}

/// Advice about a call that got no result.
pub(super) const fn of_problem(problem: CallProblem) -> Guidance {
    match problem {
        CallProblem::ProtocolVersion => advice(
            "The app speaks a version of MCP that StatiBeat does not speak.",
            "Update the app. If it is up to date, tell its makers which versions StatiBeat offers.",
        ),
        CallProblem::Protocol => advice(
            "The app sent a message that breaks MCP's rules, or asked for something no MCP server of ours has.",
            "Update the app. If this goes on, tell its makers.",
        ),
        CallProblem::NoSuchTool => advice(
            "The app asked for a tool or prompt that does not exist here.",
            "Let the app load its list of tools again; in most apps by disconnecting and connecting.",
        ),
        CallProblem::NotFound => advice(
            "The app asked for a page, incident or other thing that does not exist, or that this connection may not see.",
            "If it meant a page of yours, check the pages of this connection above; to widen them, connect the app again.",
        ),
        CallProblem::Parameters => advice(
            "The app left out or mistook something in a request. It was told what.",
            "Usually the app corrects itself. If not, say more exactly what you want, for instance which page.",
        ),
        CallProblem::Scope => advice(
            "The app tried something that you did not allow when you connected it.",
            "If you want it to, connect the app again and tick that permission.",
        ),
        CallProblem::Role => advice(
            "Your own role on the page does not allow what the app tried.",
            "Ask an admin of the page for another role. Connecting again does not help.",
        ),
        CallProblem::Tool => advice(
            "A tool declined what it was asked and told the app why.",
            "Look at the recent activity below, or ask the app for the reason.",
        ),
        CallProblem::Capability => advice(
            "The app cannot ask you to confirm what it is about to post, and here that is required.",
            "Use an app that can, or update this one.",
        ),
        CallProblem::PersonEnded => advice(
            "StatiBeat said that your account can no longer be used.",
            "Ask an administrator of your organization.",
        ),
        CallProblem::Upstream => {
            advice("StatiBeat gave no answer in time.", "Nothing to do: the app can simply try again.")
        }
        CallProblem::Ours => advice(
            "Something went wrong in this connector, not in the app.",
            "Try again. If it stays, tell the people who run StatiBeat when it happened.",
        ),
    }
}

/// Advice about a refresh token that was sent again within its reuse grace period.
pub(super) const OF_REPEATED_REFRESH: Guidance = advice(
    "The app sent the same refresh token twice within a minute and got the same new tokens both times. That happens when an answer was lost, or when two windows of the app refresh at once. Somebody who has copied the app's sign-in would look the same.",
    "Nothing to do if it is rare. If it happens often, or at a time when you did not use the app, end this connection and connect the app again.",
);

/// Advice about a rejected refresh, by its stored reason.
pub(super) fn of_refresh(reason: &str) -> Guidance {
    match reason {
        "expired" => advice("The app was away too long and its sign-in ran out.", "Connect the app again."),
        "replayed" => advice(
            "A refresh token that had been replaced was used again. Two copies of the app may share one sign-in, or somebody has copied it. The sign-in was ended to be safe.",
            "Connect the app again, on one computer at a time. If you cannot explain it, look at the recent activity below.",
        ),
        "revoked" => {
            advice("The app went on with a sign-in that had been ended.", "Connect the app again if you still want it.")
        }
        "person_ended" => advice(
            "StatiBeat said that your account can no longer be used.",
            "Ask an administrator of your organization.",
        ),
        "other_client" => advice(
            "Another app tried to use this app's sign-in. It got nothing.",
            "If you did not copy the app's settings to another one, end this connection and connect again.",
        ),
        "resource" => advice(
            "The app asked for access to another server than this one.",
            "Check the Resource URL in the app's settings.",
        ),
        "scope" => advice(
            "The app asked for more than you allowed when you connected it.",
            "If you want it to have that, connect the app again and tick it.",
        ),
        "limited" => advice(
            "The app refreshed its sign-in too often within a minute and was asked to wait.",
            "Nothing to do. If it goes on, tell the makers of the app.",
        ),
        "unavailable" => advice(
            "StatiBeat could not be asked about your account at that moment.",
            "Nothing to do: the app keeps its sign-in and tries again.",
        ),
        _ => advice("The app sent a request that could not be used.", "Update the app, or connect it again."),
    }
}

/// Advice about an ended connection, by its stored reason; `None` if it expired.
pub(super) fn of_end(reason: Option<&str>) -> Guidance {
    match reason {
        None => {
            advice("Its time was over, or it was not used for too long.", "Connect the app again if you still want it.")
        }
        Some("user" | "admin") => advice("It was ended here.", "Connect the app again if you still want it."),
        Some("client") => advice("The app signed out by itself.", "Connect it again if you still want it."),
        Some("user_disabled") => {
            advice("StatiBeat said that your account could no longer be used.", "If it can now, connect the app again.")
        }
        Some("code_replay") => advice(
            "The answer of the consent page was used a second time. The connection was ended to be safe.",
            "Connect the app again. If that happens every time, tell the makers of the app.",
        ),
        Some(_) => of_refresh("replayed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::error::{InvalidGrantReason, TokenError};

    #[test]
    fn every_refusal_of_a_refresh_has_words_of_its_own() {
        let of = |fault| TokenError::Grant(fault);
        let errors = [
            of(InvalidGrantReason::Expired),
            of(InvalidGrantReason::Replayed),
            of(InvalidGrantReason::Revoked),
            of(InvalidGrantReason::UserEnded),
            of(InvalidGrantReason::OtherClient),
            TokenError::Resource,
            TokenError::Scope,
            TokenError::Limited(1),
            TokenError::Unavailable,
        ];
        for error in errors {
            assert_ne!(of_refresh(error.reason()), of_refresh("request"), "{error:?}");
        }
    }

    #[test]
    fn every_reason_says_what_happened_and_what_to_do() {
        let reasons = ["expired", "replayed", "revoked", "person_ended", "other_client", "scope", "limited"];
        let of_calls = CallProblem::ALL.iter().map(|problem| of_problem(*problem));
        for Guidance { meaning, advice } in of_calls.into_iter().chain(reasons.map(of_refresh)) {
            assert!(meaning.ends_with('.') && advice.ends_with('.') && meaning != advice);
        }
    }
}
