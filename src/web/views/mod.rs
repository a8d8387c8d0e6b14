//! Pages a person sees. Server-rendered, no script, one style sheet, nothing from elsewhere; `maud` escapes what it prints.

pub(super) mod admin;
mod consent;
pub(super) mod time;

pub(super) use consent::{ConsentPage, Objection, consent, leave, to_sign_in};

use super::reply::{self, Response};
use super::routes::Route;
use super::text;
use super::text::problem::{Words, words};
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

/// Where somebody was when it went wrong.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// On the way from an app to its connection.
    Connecting,
    /// At the Hosted MCP page, or on the way to it.
    HostedMcpPage,
}

/// A page about a problem on the way from an app.
pub(super) fn problem(status: StatusCode, problem: &Problem<'_>) -> Response {
    problem_at(Place::Connecting, status, problem)
}

/// A page about a problem. It never shows a link or value that the request brought along.
fn problem_at(place: Place, status: StatusCode, problem: &Problem<'_>) -> Response {
    let Words { title, happened, advice } = words(problem, place);
    let body = html! {
        h1 { (title) }
        p { (happened) }
        p { (advice) }
        @if let Problem::NoPage { back, .. } = problem {
            p.actions { a.button href=(back) { (text::problem::BACK) } }
        }
        @if place == Place::HostedMcpPage {
            p.actions { a.button.main href=(Route::AdminPage.path()) { (text::problem::OPEN_PAGE) } }
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
                title { (text::window_title(title)) }
                style { (PreEscaped(STYLE)) }
                (head)
            }
            body { (body) }
        }
    };
    reply::html(status, &style_hash(), markup)
}

fn brand() -> Markup {
    html! { p.brand { (logo()) (text::PRODUCT) } }
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
