//! What went wrong on a person's way, in their words: what happened, whose turn it is, what to do.

use super::layout::page;
use super::reply::{self, Response};
use super::routes::Route;
use crate::oauth::error::DirectError;
use http::StatusCode;
use maud::html;
use std::time::Duration;
use url::Url;

pub(super) enum BrowserProblem<'a> {
    /// The client sent a link that cannot be trusted.
    BadLink(DirectError),
    /// A link or form that works once was used before, or is too old.
    LinkUsed,
    /// Another page loads this: in a frame, as an image, ahead of time.
    NotInATab,
    OtherBrowser,
    /// The form was shown to one person and answers for another.
    OtherPerson,
    /// The person turned back at sign-in.
    SignInCanceled,
    /// StatiBeat's answer could not be trusted.
    SignInFailed,
    /// StatiBeat keeps this person out.
    SignInRefused,
    /// Signed in, but there is no page to connect to.
    NoPage {
        email: &'a str,
        /// How to tell the client.
        back: &'a Url,
    },
    /// A form that none of our pages sent, or not in this session.
    ForeignForm,
    /// Nothing of that name, for this person.
    NotThere,
    TryLater,
    /// Too often; when to try again.
    TooOften(Duration),
}

impl BrowserProblem<'_> {
    const fn status(&self) -> StatusCode {
        match self {
            Self::SignInCanceled => StatusCode::OK,
            Self::BadLink(_) | Self::LinkUsed | Self::SignInFailed => StatusCode::BAD_REQUEST,
            Self::NotInATab
            | Self::OtherBrowser
            | Self::OtherPerson
            | Self::SignInRefused
            | Self::NoPage { .. }
            | Self::ForeignForm => StatusCode::FORBIDDEN,
            Self::NotThere => StatusCode::NOT_FOUND,
            Self::TooOften(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::TryLater => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

struct ProblemText {
    title: &'static str,
    happened: String,
    /// What it means, and what to do.
    advice: &'static str,
}

/// On the way from an app to its connection. Never shows a link or value that the request brought along.
pub(super) fn connecting_page(problem: &BrowserProblem<'_>) -> Response {
    let ProblemText { title, happened, advice } = connecting(problem);
    let body = html! {
        h1 { (title) }
        p { (happened) }
        p { (advice) }
        @if let BrowserProblem::NoPage { back, .. } = problem {
            p.actions { a.button href=(back) { "Back to the app" } }
        }
    };
    with_wait(page(problem.status(), title, &body), problem)
}

/// At the Hosted MCP page, or on the way to it.
pub(super) fn admin_page(problem: &BrowserProblem<'_>) -> Response {
    let ProblemText { title, happened, advice } = looking_after(problem);
    let body = html! {
        h1 { (title) }
        p { (happened) }
        p { (advice) }
        p.actions { a.button.main href=(Route::AdminPage.path()) { "Open the Hosted MCP page" } }
    };
    with_wait(page(problem.status(), title, &body), problem)
}

fn with_wait(mut response: Response, problem: &BrowserProblem<'_>) -> Response {
    match problem {
        BrowserProblem::TryLater => reply::retry_after(&mut response, Duration::from_secs(10)),
        BrowserProblem::TooOften(wait) => reply::retry_after(&mut response, *wait),
        _ => {}
    }
    response
}

/// When the connector is off in this environment.
pub(super) fn unavailable_page() -> Response {
    let body = html! {
        h1 { "Hosted MCP is not available here" }
        p { "The connector is not switched on in this environment, so there is nothing to connect or to look after." }
        p { "If you expected it, ask the people who run this environment to enable Hosted MCP." }
    };
    page(StatusCode::NOT_FOUND, "Hosted MCP is not available", &body)
}

fn text(title: &'static str, happened: impl Into<String>, advice: &'static str) -> ProblemText {
    ProblemText { title, happened: happened.into(), advice }
}

/// Most of these people came from an app and go back to it.
fn connecting(problem: &BrowserProblem<'_>) -> ProblemText {
    match problem {
        BrowserProblem::BadLink(fault) => text(
            "This app cannot be connected",
            format!("The app sent a sign-in link that StatiBeat cannot trust: {}.", bad_link(*fault)),
            "Nothing was shared. Tell the people who make the app or run this connector; they can look up the client and its redirect address. There is nothing you can change here.",
        ),
        BrowserProblem::LinkUsed => text(
            "This link has been used or is too old",
            "A sign-in link works once and for ten minutes.",
            "If you have just answered, look at your app: it may be connected already. Otherwise go back to it and start connecting again.",
        ),
        BrowserProblem::NotInATab => text(
            "This page opens only in a tab of its own",
            "Another page tried to load it: in a frame, as an image, or before you went there.",
            "Nothing was shared. Go back to your app and start connecting again.",
        ),
        BrowserProblem::OtherBrowser => text(
            "This was started in another browser",
            "A connection must be finished in the browser and the tab it was started in, with cookies allowed.",
            "Nothing was shared. Go back to your app and start connecting again. If somebody sent you this link, do not follow it.",
        ),
        BrowserProblem::OtherPerson => text(
            "This page was shown to somebody else",
            "The form was made for another account than the one that is signed in now.",
            "Nothing was shared. Go back to your app and start connecting again.",
        ),
        BrowserProblem::SignInCanceled => text(
            "Sign-in was canceled",
            "You turned back before signing in to StatiBeat.",
            "Nothing was shared. You can close this tab, or go back to your app and start again.",
        ),
        BrowserProblem::SignInFailed => text(
            "Sign-in did not work",
            "StatiBeat's sign-in sent an answer that does not belong to this connection.",
            "Nothing was shared. Go back to your app and start connecting again.",
        ),
        BrowserProblem::SignInRefused => text(
            "Your account cannot connect apps",
            "StatiBeat says that this account is disabled.",
            "Nothing was shared. An administrator of your organization can enable it.",
        ),
        BrowserProblem::NoPage { email, .. } => text(
            "There is no status page to connect",
            format!("You are signed in as {email}, and this account can see no status page."),
            "Nothing was shared. Ask an administrator of your status page to give you a role on it, or start again with another account.",
        ),
        BrowserProblem::TooOften(wait) => text(
            "Too many attempts",
            format!("Connecting was tried too often from here. It works again in {} seconds.", wait.as_secs().max(1)),
            "Nothing was shared. Wait, then go back to your app and start connecting again.",
        ),
        BrowserProblem::TryLater => text(
            "Something is not answering",
            "StatiBeat or this connector cannot be reached at the moment.",
            "Nothing was shared. Go back to your app in a minute and start connecting again.",
        ),
        BrowserProblem::ForeignForm | BrowserProblem::NotThere => looking_after(problem),
    }
}

/// There is no app to go back to.
fn looking_after(problem: &BrowserProblem<'_>) -> ProblemText {
    match problem {
        BrowserProblem::ForeignForm => text(
            "This form cannot be used",
            "It was not sent from a page of yours that is still current.",
            "Nothing was changed. Open the Hosted MCP page again and try once more.",
        ),
        BrowserProblem::NotThere => text(
            "There is nothing here",
            "What you are looking for does not exist, has ended, or is not yours to change.",
            "Nothing was changed. Open the Hosted MCP page to see what there is.",
        ),
        BrowserProblem::OtherBrowser => text(
            "This was started in another browser",
            "Signing in must be finished in the browser it was started in, with cookies allowed.",
            "Nobody was signed in. Open the Hosted MCP page and try again. If somebody sent you this link, do not follow it.",
        ),
        BrowserProblem::SignInFailed => text(
            "Sign-in did not work",
            "StatiBeat's sign-in sent an answer that does not belong to this browser.",
            "Nobody was signed in. Open the Hosted MCP page and try again.",
        ),
        BrowserProblem::SignInRefused => text(
            "Your account is disabled",
            "StatiBeat says so, and you are signed out here.",
            "An administrator of your organization can enable it.",
        ),
        BrowserProblem::TooOften(wait) => text(
            "Too many attempts",
            format!("Signing in was tried too often from here. It works again in {} seconds.", wait.as_secs().max(1)),
            "Wait, then open the Hosted MCP page again.",
        ),
        BrowserProblem::TryLater => text(
            "Something is not answering",
            "StatiBeat or this connector cannot be reached at the moment.",
            "Open the Hosted MCP page again in a minute. If you have just changed something, look there whether it took effect.",
        ),
        BrowserProblem::BadLink(_)
        | BrowserProblem::NotInATab
        | BrowserProblem::LinkUsed
        | BrowserProblem::OtherPerson
        | BrowserProblem::SignInCanceled
        | BrowserProblem::NoPage { .. } => connecting(problem),
    }
}

/// What is wrong with a link, for those who make the app.
const fn bad_link(fault: DirectError) -> &'static str {
    match fault {
        DirectError::MalformedQuery => "the link is not well formed",
        DirectError::ClientId => "client_id is missing, repeated or not well formed",
        DirectError::RedirectUriMissing => "redirect_uri is missing or repeated",
        DirectError::RedirectUriShape => "redirect_uri is not an https or loopback http address in its plain spelling",
        DirectError::RedirectUriUnlisted => "redirect_uri is not registered for this client_id",
        DirectError::ClientIdForged => "this client_id was not issued here",
        DirectError::ClientUnknown => "this client_id is not known here",
        DirectError::TooLong => "client_id, redirect_uri and state are too long together",
    }
}
