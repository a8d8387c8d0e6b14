//! Pages a person sees. Server-rendered, no script, one style sheet, nothing from elsewhere; `maud` escapes what it prints.

pub(super) mod admin;
mod consent;
pub(super) mod time;

pub(super) use consent::{ConsentPage, Objection, consent, leave, to_sign_in};

use super::reply::{self, Response};
use super::routes::Route;
use crate::oauth::error::ShownToPerson;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};
use std::time::Duration;
use url::Url;

const STYLE: &str = include_str!("style.css");

/// What went wrong on a person's way, in their words: what happened, whose turn it is, what to do.
pub(super) enum Problem<'a> {
    /// The client sent a link that cannot be trusted.
    BadLink(ShownToPerson),
    /// A link or form that works once was used before, or is too old.
    LinkUsed,
    /// Another browser started this.
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
        /// Who.
        email: &'a str,
        /// How to tell the client.
        back: &'a Url,
    },
    /// A form that none of our pages sent, or not in this session.
    ForeignForm,
    /// Nothing of that name, for this person.
    NotThere,
    /// Something is down.
    TryLater,
    /// Too often; when to try again.
    TooOften(Duration),
}

struct Words {
    title: &'static str,
    happened: String,
    advice: &'static str,
}

fn words(problem: &Problem<'_>) -> Words {
    let (title, happened, advice): (_, String, _) = match problem {
        Problem::BadLink(fault) => (
            "This app cannot be connected",
            format!("The app sent a sign-in link that StatiBeat cannot trust: {fault}."),
            "Nothing was shared. Tell the people who make the app or run this connector; they can look up the client and its redirect address. There is nothing you can change here.",
        ),
        Problem::LinkUsed => (
            "This link has been used or is too old",
            "A sign-in link works once and for ten minutes.".into(),
            "If you have just answered, look at your app: it may be connected already. Otherwise go back to it and start connecting again.",
        ),
        Problem::OtherBrowser => (
            "This was started in another browser",
            "A connection must be finished in the browser and the tab it was started in, with cookies allowed.".into(),
            "Nothing was shared. Go back to your app and start connecting again. If somebody sent you this link, do not follow it.",
        ),
        Problem::OtherPerson => (
            "This page was shown to somebody else",
            "The form was made for another account than the one that is signed in now.".into(),
            "Nothing was shared. Go back to your app and start connecting again.",
        ),
        Problem::SignInCanceled => (
            "Sign-in was canceled",
            "You turned back before signing in to StatiBeat.".into(),
            "Nothing was shared. You can close this tab, or go back to your app and start again.",
        ),
        Problem::SignInFailed => (
            "Sign-in did not work",
            "StatiBeat's sign-in sent an answer that does not belong to this connection.".into(),
            "Nothing was shared. Go back to your app and start connecting again.",
        ),
        Problem::SignInRefused => (
            "Your account cannot connect apps",
            "StatiBeat says that this account is disabled.".into(),
            "Nothing was shared. An administrator of your organization can enable it.",
        ),
        Problem::NoPage { email, .. } => (
            "There is no status page to connect",
            format!("You are signed in as {email}, and this account can see no status page."),
            "Nothing was shared. Ask an administrator of your status page to give you a role on it, or start again with another account.",
        ),
        Problem::ForeignForm => (
            "This form cannot be used",
            "It was not sent from a page of yours that is still current.".into(),
            "Nothing was changed. Open the Hosted MCP page again and try once more.",
        ),
        Problem::NotThere => (
            "There is nothing here",
            "What you are looking for does not exist, has ended, or is not yours to change.".into(),
            "Nothing was changed. Open the Hosted MCP page to see what there is.",
        ),
        Problem::TooOften(wait) => (
            "Too many attempts",
            format!("Connecting was tried too often from here. It works again in {} seconds.", wait.as_secs().max(1)),
            "Nothing was shared. Wait, then go back to your app and start connecting again.",
        ),
        Problem::TryLater => (
            "Something is not answering",
            "StatiBeat or this connector cannot be reached at the moment.".into(),
            "Nothing was shared. Go back to your app in a minute and start connecting again.",
        ),
    };
    Words { title, happened, advice }
}

/// A page about a problem. It never shows a link or value that the request brought along.
pub(super) fn problem(status: StatusCode, problem: &Problem<'_>) -> Response {
    let Words { title, happened, advice } = words(problem);
    let body = html! {
        h1 { (title) }
        p { (happened) }
        p { (advice) }
        @if let Problem::NoPage { back, .. } = problem {
            p.actions { a.button href=(back) { "Back to the app" } }
        }
        @if matches!(problem, Problem::ForeignForm | Problem::NotThere) {
            p.actions { a.button.main href=(Route::AdminPage.path()) { "Open the Hosted MCP page" } }
        }
    };
    let mut response = page(status, title, &html! {}, &body);
    match problem {
        Problem::TryLater => reply::retry_after(&mut response, Duration::from_secs(10)),
        Problem::TooOften(wait) => reply::retry_after(&mut response, *wait),
        _ => {}
    }
    response
}

/// A page with one card.
fn page(status: StatusCode, title: &str, head: &Markup, body: &Markup) -> Response {
    frame(status, title, head, &html! { main { (brand()) section.card { (body) } } })
}

/// The frame of every page.
fn frame(status: StatusCode, title: &str, head: &Markup, body: &Markup) -> Response {
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                title { (title) " – StatiBeat" }
                style { (PreEscaped(STYLE)) }
                (head)
            }
            body { (body) }
        }
    };
    reply::html(status, &style_hash(), markup)
}

/// Where an answer goes, in words where the host alone would not say it.
fn destination(host: &str) -> String {
    let is_here = host == "localhost" || host == "[::1]" || host.starts_with("127.");
    if is_here { format!("This computer ({host})") } else { host.to_owned() }
}

fn brand() -> Markup {
    html! { p.brand { (logo()) "StatiBeat Hosted MCP" } }
}

fn logo() -> Markup {
    html! {
        svg viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2.5" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" {
            path d="M2 13h4l3-8 5 14 3-9 2 3h3" {}
        }
    }
}

/// What the content security policy knows the style sheet by.
fn style_hash() -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(STYLE)))
}
