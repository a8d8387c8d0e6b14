//! Advice for the owner of a connection: what a failure means and what to do about it.

use crate::model::outcome::CallProblem;
use serde::Serialize;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Guidance {
    pub meaning: &'static str,
    /// Next step, and who takes it.
    pub advice: &'static str,
    pub remedy: Remedy,
}

/// The step that helps, for which a page has a button or a link where there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Remedy {
    /// Sign in again from the app, and allow what is missing.
    ConnectAgain,
    ResumeWrites,
    /// Unblock the page, which the viewer administers.
    Unblock,
    AskPageAdmin,
    AskOrganizationAdmin,
    /// Update the app or its settings, or tell its makers.
    FixApp,
    TellOperator,
    /// Say it to the app again, in other words.
    AskApp,
    Nothing,
}

const fn advice(meaning: &'static str, advice: &'static str, remedy: Remedy) -> Guidance {
    Guidance { meaning, advice, remedy }
}

/// Advice about a call that got no result.
pub(super) const fn of_problem(problem: CallProblem) -> Guidance {
    match problem {
        CallProblem::ProtocolVersion => advice(
            "The app uses a version of MCP that StatiBeat doesn't support.",
            "Update the app. If it's up to date, tell its makers that StatiBeat needs another version of MCP.",
            Remedy::FixApp,
        ),
        CallProblem::Protocol => advice(
            "The app sent an invalid MCP message, or asked for something that this server doesn't offer.",
            "Update the app. If it keeps happening, tell its makers.",
            Remedy::FixApp,
        ),
        CallProblem::NoSuchTool => advice(
            "The app asked for a tool or prompt that doesn't exist here.",
            "Make the app reload its list of tools. In most apps you do this by disconnecting and connecting again.",
            Remedy::FixApp,
        ),
        CallProblem::NotFound => advice(
            "The app asked for a page, incident or other thing that doesn't exist, or that this connection can't access.",
            "If it meant one of your pages, check the pages of this connection above. To add pages, connect the app again, from the app.",
            Remedy::ConnectAgain,
        ),
        CallProblem::Parameters => advice(
            "A request of the app had missing or wrong values. The app was told which.",
            "Usually the app corrects itself. If it doesn't, tell it more exactly what you want, for example which page.",
            Remedy::AskApp,
        ),
        CallProblem::Scope => advice(
            "The app tried something that you didn't allow when you connected it.",
            "If you want it to, sign in to StatiBeat again from the app and tick that permission.",
            Remedy::ConnectAgain,
        ),
        CallProblem::Role => advice(
            "Your own role on the page doesn't allow what the app tried.",
            "Ask an admin of the page for another role. Connecting again doesn't help.",
            Remedy::AskPageAdmin,
        ),
        CallProblem::WritesPaused => advice(
            "You have paused what this app posts.",
            "Resume its writes if it may post again.",
            Remedy::ResumeWrites,
        ),
        CallProblem::Tool => advice(
            "A tool refused a request and told the app why.",
            "Look at the recent activity below, or ask the app for the reason.",
            Remedy::AskApp,
        ),
        CallProblem::Capability => advice(
            "Posting requires your confirmation here, and the app can't ask you for it.",
            "Update the app, or use one that can ask you.",
            Remedy::FixApp,
        ),
        CallProblem::PersonEnded => advice(
            "StatiBeat said that your account can no longer be used.",
            "Ask an administrator of your organization.",
            Remedy::AskOrganizationAdmin,
        ),
        CallProblem::Upstream => advice(
            "StatiBeat didn't answer in time.",
            "You don't need to do anything: the app can try again.",
            Remedy::Nothing,
        ),
        CallProblem::Ours => advice(
            "Something went wrong in this connector, not in the app.",
            "Try again. If it keeps happening, tell the people who run this connector when it happened.",
            Remedy::TellOperator,
        ),
    }
}

/// Advice about a refresh token that was sent again and got the same successor.
pub(super) const OF_REPEATED_REFRESH: Guidance = advice(
    "The app sent the same refresh token twice and got the same new refresh token both times, because nobody had used the first answer. That happens when an answer was lost, or when two windows of the app refresh at once. Somebody who has copied the app's sign-in would look the same.",
    "You don't need to do anything if it's rare. If it happens often, or at a time when you didn't use the app, end this connection and connect the app again.",
    Remedy::Nothing,
);

/// Advice about a rejected refresh, by its stored reason.
pub(super) fn of_refresh(reason: &str) -> Guidance {
    match reason {
        "expired" => advice(
            "The app wasn't used for too long and its sign-in expired.",
            "Connect the app again.",
            Remedy::ConnectAgain,
        ),
        "replayed" => advice(
            "A refresh token that had been replaced was used again. Two copies of the app may share one sign-in, or somebody has copied it. The sign-in was ended to be safe.",
            "Connect the app again, on one computer at a time. If you can't explain it, look at the recent activity below.",
            Remedy::ConnectAgain,
        ),
        "revoked" => advice(
            "The app used a sign-in that had already ended.",
            "Connect the app again if you still want it.",
            Remedy::ConnectAgain,
        ),
        "user_ended" => advice(
            "StatiBeat said that your account can no longer be used.",
            "Ask an administrator of your organization.",
            Remedy::AskOrganizationAdmin,
        ),
        "other_client" => advice(
            "Another app tried to use this app's sign-in. It got nothing.",
            "If you didn't copy the app's settings to another one, end this connection and connect again.",
            Remedy::ConnectAgain,
        ),
        "resource" => advice(
            "The app asked for access to a different server.",
            "Check the Resource URL in the app's settings.",
            Remedy::FixApp,
        ),
        "limited" => advice(
            "The app refreshed its sign-in too often within a minute and was asked to wait.",
            "You don't need to do anything. If it keeps happening, tell the makers of the app.",
            Remedy::Nothing,
        ),
        "unavailable" => advice(
            "StatiBeat couldn't confirm your account at that moment.",
            "You don't need to do anything: the app keeps its sign-in and tries again.",
            Remedy::Nothing,
        ),
        _ => advice("The app sent an invalid refresh request.", "Update the app, or connect it again.", Remedy::FixApp),
    }
}

/// Advice about an ended connection, by its stored reason; `None` if it expired.
pub(super) fn of_end(reason: Option<&str>) -> Guidance {
    match reason {
        None => advice(
            "It expired, or it wasn't used for too long.",
            "Connect the app again if you still want it.",
            Remedy::ConnectAgain,
        ),
        Some("user" | "admin") => {
            advice("It was ended here.", "Connect the app again if you still want it.", Remedy::ConnectAgain)
        }
        Some("client") => {
            advice("The app signed out by itself.", "Connect it again if you still want it.", Remedy::ConnectAgain)
        }
        Some("user_disabled") => advice(
            "StatiBeat said that your account could no longer be used.",
            "If it can now, connect the app again.",
            Remedy::ConnectAgain,
        ),
        Some("code_replay") => advice(
            "The authorization code was used a second time. The connection was ended to be safe.",
            "Connect the app again. If that happens every time, tell the makers of the app.",
            Remedy::ConnectAgain,
        ),
        Some(_) => of_refresh("replayed"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::error::{InvalidGrantReason, TokenError};

    #[test]
    fn every_rejected_refresh_has_its_own_advice() {
        let of = |fault| TokenError::InvalidGrant(fault);
        let errors = [
            of(InvalidGrantReason::Expired),
            of(InvalidGrantReason::Replayed),
            of(InvalidGrantReason::Revoked),
            of(InvalidGrantReason::UserEnded),
            of(InvalidGrantReason::OtherClient),
            TokenError::Resource,
            TokenError::RateLimited(1),
            TokenError::Unavailable,
        ];
        for error in errors {
            assert_ne!(of_refresh(error.reason()), of_refresh("request"), "{error:?}");
        }
    }

    #[test]
    fn every_advice_has_a_meaning_and_a_next_step() {
        let reasons = ["expired", "replayed", "revoked", "user_ended", "other_client", "limited"];
        let of_calls = CallProblem::ALL.iter().map(|problem| of_problem(*problem));
        for Guidance { meaning, advice, .. } in of_calls.into_iter().chain(reasons.map(of_refresh)) {
            assert!(meaning.ends_with('.') && advice.ends_with('.') && meaning != advice);
        }
    }
}
