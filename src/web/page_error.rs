//! Error pages: what happened, what it means for the person, what to do next.

use super::context::RequestContext;
use super::layout::{page, support_link};
use super::refused_request::Unavailable;
use super::reply::{self, Response};
use super::routes::Route;
use crate::model::links::Links;
use crate::oauth::client::redirect_fault::RedirectFault;
use crate::oauth::error::DirectError;
use crate::ports::DatabaseError;
use crate::upstream::identity::SignInError;
use crate::upstream::{ApiError, ApiErrorKind};
use http::StatusCode;
use maud::{Markup, html};
use std::time::Duration;
use url::Url;

/// Reason why a person is shown an error page.
pub(super) enum PageError {
    /// The client sent a link that cannot be trusted.
    BadLink(DirectError),
    /// A link or form that works once was used before, is too old or was made up, or its client was taken off the list.
    LinkUsed,
    /// Another page loads this: in a frame, as an image, ahead of time.
    NotInATab,
    OtherBrowser,
    /// The form was rendered for one person and submitted in another person's authorization request.
    OtherPerson,
    /// The person turned back at sign-in.
    SignInCanceled,
    /// A return from sign-in that no sign-in of this server asked for.
    SignInFailed,
    /// StatiBeat did not name a person.
    SignIn(SignInError),
    /// StatiBeat keeps this person out.
    UserAccessEnded,
    /// Signed in, but there is no page to connect to.
    NoPage {
        email: String,
        /// Delivers the error to the client.
        back: Url,
    },
    SignedOut,
    /// A form whose session has ended; the address to come back to after sign-in.
    FormSignedOut(String),
    /// A form that none of our pages sent, or not in this session.
    ForeignForm,
    /// There is no such action, connection or page for this person.
    NotFound,
    /// A filter that cannot be used, with what is wrong in words.
    BadFilter(String),
    /// The wait before another attempt.
    TooMany(Duration),
    Upstream(ApiError),
    Storage(DatabaseError),
}

impl From<DatabaseError> for PageError {
    fn from(error: DatabaseError) -> Self {
        Self::Storage(error)
    }
}

impl From<ApiError> for PageError {
    fn from(error: ApiError) -> Self {
        if error.kind == ApiErrorKind::UserEnded { Self::UserAccessEnded } else { Self::Upstream(error) }
    }
}

impl PageError {
    const fn status(&self) -> StatusCode {
        match self {
            Self::SignInCanceled | Self::SignedOut => StatusCode::OK,
            Self::BadLink(_)
            | Self::LinkUsed
            | Self::BadFilter(_)
            | Self::SignInFailed
            | Self::SignIn(SignInError::BadCode(_) | SignInError::Identity(_)) => StatusCode::BAD_REQUEST,
            Self::NotInATab
            | Self::OtherBrowser
            | Self::OtherPerson
            | Self::UserAccessEnded
            | Self::SignIn(SignInError::Refused(_))
            | Self::NoPage { .. }
            | Self::FormSignedOut(_)
            | Self::ForeignForm => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::SignIn(SignInError::Unavailable(_)) | Self::Upstream(_) | Self::Storage(_) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
        }
    }

    /// The `reason` of the log.
    fn reason(&self) -> &'static str {
        match self {
            Self::BadLink(_) => "bad_link",
            Self::LinkUsed => "link_used",
            Self::NotInATab => "caused_by_another_page",
            Self::OtherBrowser => "other_browser",
            Self::OtherPerson => "other_person",
            Self::SignInCanceled => "canceled",
            Self::SignInFailed => "bad_state",
            Self::SignIn(SignInError::BadCode(_)) => "bad_code",
            Self::SignIn(SignInError::Refused(_)) => "sign_in_refused",
            Self::SignIn(SignInError::Identity(error)) => error.reason(),
            Self::SignIn(SignInError::Unavailable(_)) => "sign_in_unavailable",
            Self::UserAccessEnded => "user_ended",
            Self::NoPage { .. } => "no_page",
            Self::SignedOut | Self::FormSignedOut(_) => "signed_out",
            Self::ForeignForm => "foreign_form",
            Self::NotFound => "not_found",
            Self::BadFilter(_) => "bad_filter",
            Self::TooMany(_) => "limited",
            Self::Upstream(error) => error.reason().as_str(),
            Self::Storage(_) => "storage_unavailable",
        }
    }

    pub fn log(&self, ctx: &RequestContext<'_>) {
        ctx.log.set_reason(self.reason());
        match self {
            Self::SignIn(error) => ctx.log.note(&error.to_string()),
            Self::Upstream(error) => ctx.log.note(&error.to_string()),
            Self::Storage(error) => ctx.log.note(&error.to_string()),
            _ => {}
        }
    }
}

struct PageText {
    title: &'static str,
    happened: String,
    /// The meaning for the person, and the next step.
    advice: &'static str,
}

/// Renders an error on the way from an app to its connection. Never shows a link or value from the request.
pub(super) fn connecting_page(ctx: &RequestContext<'_>, error: &PageError) -> Response {
    let actions = html! {
        p.actions {
            @if let PageError::NoPage { back, .. } = error { a.button.main href=(back) { "Back to the app" } }
            a.button href=(Route::AdminPage.path()) { "See your connected apps" }
        }
    };
    render(ctx, error, connecting(error), &actions)
}

/// Renders an error at the Hosted MCP page, or on the way to it.
pub(super) fn admin_page(ctx: &RequestContext<'_>, error: &PageError) -> Response {
    let actions = html! {
        p.actions {
            @if let PageError::FormSignedOut(back) = error { a.button.main href=(sign_in_address(back)) { "Sign in and go back" } }
            @else { a.button.main href=(Route::AdminPage.path()) { "Open the Hosted MCP page" } }
        }
    };
    render(ctx, error, administering(error), &actions)
}

/// The address of the sign-in to the Hosted MCP page that leads back to one of its pages.
pub(super) fn sign_in_address(back: &str) -> String {
    Route::AdminSignIn.address([("back", back)])
}

fn render(ctx: &RequestContext<'_>, error: &PageError, text: PageText, actions: &Markup) -> Response {
    error.log(ctx);
    let PageText { title, happened, advice } = text;
    let body = html! {
        h1 { (title) }
        p { (happened) }
        p { (advice) }
        @if error.status() != StatusCode::OK { (support_link(&ctx.app.config.links)) }
        (actions)
    };
    let mut response = page(error.status(), title, &body);
    match error {
        PageError::TooMany(wait) => reply::retry_after(&mut response, *wait),
        _ if error.status() == StatusCode::SERVICE_UNAVAILABLE => {
            reply::retry_after(&mut response, Duration::from_secs(10));
        }
        _ => {}
    }
    response
}

/// Renders the page of an environment in which the connector is off or misconfigured. Links only to support: nothing is served.
pub(super) fn unavailable_page(reason: Unavailable, links: &Links) -> Response {
    let (happened, advice) = match reason {
        Unavailable::Disabled => (
            "It isn't switched on in this environment, so there are no connections to make or manage.",
            "If you expected it, ask the people who run this environment to enable Hosted MCP.",
        ),
        Unavailable::Misconfigured => (
            "It isn't set up correctly in this environment, so it's off until that is fixed. Your connections are kept.",
            "Tell the people who run this environment. They find what is wrong in the log of the worker.",
        ),
    };
    let body = html! { h1 { "Hosted MCP isn't available here" } p { (happened) } p { (advice) } (support_link(links)) };
    page(StatusCode::NOT_FOUND, "Hosted MCP isn't available", &body)
}

fn too_many(wait: Duration) -> String {
    let seconds = wait.as_secs().max(1);
    format!(
        "There were too many attempts. You can try again in {seconds} second{}.",
        if seconds == 1 { "" } else { "s" }
    )
}

fn text(title: &'static str, happened: impl Into<String>, advice: &'static str) -> PageText {
    PageText { title, happened: happened.into(), advice }
}

/// Most of these people came from an app and go back to it.
fn connecting(error: &PageError) -> PageText {
    match error {
        PageError::BadLink(fault) => text(
            "This app can't be connected",
            format!("The app sent a sign-in link that StatiBeat can't trust: {}.", bad_link(*fault)),
            bad_link_advice(*fault),
        ),
        PageError::LinkUsed => text(
            "This link was already used or has expired",
            "A sign-in link works once, within ten minutes.",
            "Check your app: it may be connected already. If it isn't, start connecting again from the app.",
        ),
        PageError::NotInATab => text(
            "This page only opens in its own tab",
            "Your browser loaded it as part of another page or ahead of time, not in a tab of its own.",
            "Nothing was shared. Go back to your app and start connecting again.",
        ),
        PageError::OtherBrowser => text(
            "This was started in another browser",
            "A connection must be finished in the same browser and tab it was started in, with cookies allowed.",
            "Nothing was shared. Go back to your app and start connecting again. If somebody sent you this link, don't use it.",
        ),
        PageError::OtherPerson => text(
            "This page belongs to another account",
            "It was opened for a different StatiBeat account than the one that's signed in now.",
            "Nothing was shared. Go back to your app and start connecting again.",
        ),
        PageError::SignInCanceled => text(
            "Sign-in was canceled",
            "You left before signing in to StatiBeat.",
            "Nothing was shared. Go back to your app and start again if you still want to connect it.",
        ),
        PageError::SignInFailed | PageError::SignIn(SignInError::BadCode(_) | SignInError::Identity(_)) => text(
            "Sign-in didn't work",
            "StatiBeat's sign-in returned an answer that doesn't belong to this connection.",
            "Nothing was shared. Go back to your app and start connecting again.",
        ),
        PageError::UserAccessEnded | PageError::SignIn(SignInError::Refused(_)) => text(
            "Your account can't connect apps",
            "Your StatiBeat account is disabled.",
            "Nothing was shared. Ask an administrator of your organization to enable your account.",
        ),
        PageError::NoPage { email, .. } => text(
            "There's no status page to connect",
            format!("You're signed in as {email}. This account has no access to any status page."),
            "Nothing was shared. Ask an administrator of your status page to give you a role on it, or start again with another account.",
        ),
        PageError::TooMany(wait) => text(
            "Too many attempts",
            too_many(*wait),
            "Nothing was shared. Wait, then go back to your app and start connecting again.",
        ),
        PageError::SignIn(SignInError::Unavailable(_)) | PageError::Upstream(_) | PageError::Storage(_) => text(
            "Something isn't responding",
            "StatiBeat or this connector can't be reached right now.",
            "Nothing was shared. Wait a minute, then go back to your app and start connecting again.",
        ),
        PageError::ForeignForm
        | PageError::NotFound
        | PageError::BadFilter(_)
        | PageError::SignedOut
        | PageError::FormSignedOut(_) => administering(error),
    }
}

/// There is no app to go back to.
fn administering(error: &PageError) -> PageText {
    match error {
        PageError::ForeignForm => text(
            "This form can't be used",
            "It didn't come from a current Hosted MCP page of your session.",
            "Nothing was changed. Open the Hosted MCP page again and try once more.",
        ),
        PageError::NotFound => text(
            "There's nothing here",
            "The connection, page or action doesn't exist, has ended, or isn't yours to change.",
            "Nothing was changed. Open the Hosted MCP page to see your connections.",
        ),
        PageError::BadFilter(fault) => text(
            "This filter can't be used",
            fault.as_str(),
            "Nothing was changed. Go back and correct it, or open the Hosted MCP page.",
        ),
        PageError::OtherBrowser => text(
            "This was started in another browser",
            "Signing in must be finished in the browser it was started in, with cookies allowed.",
            "You weren't signed in. Open the Hosted MCP page and try again. If somebody sent you this link, don't use it.",
        ),
        PageError::SignInFailed | PageError::SignIn(SignInError::BadCode(_) | SignInError::Identity(_)) => text(
            "Sign-in didn't work",
            "StatiBeat's sign-in returned an answer that doesn't belong to this browser.",
            "You weren't signed in. Open the Hosted MCP page and try again.",
        ),
        PageError::FormSignedOut(_) => text(
            "You were signed out",
            "Your session on the Hosted MCP page had ended when you sent this form.",
            "Nothing was changed. Sign in again: you then come back here, and can send it.",
        ),
        PageError::SignedOut => text(
            "You're signed out",
            "Your session on the Hosted MCP page has ended.",
            "Open the Hosted MCP page to sign in again.",
        ),
        PageError::UserAccessEnded | PageError::SignIn(SignInError::Refused(_)) => text(
            "Your account is disabled",
            "You've been signed out here as well.",
            "Ask an administrator of your organization to enable your account.",
        ),
        PageError::TooMany(wait) => {
            text("Too many attempts", too_many(*wait), "Wait, then open the Hosted MCP page again.")
        }
        PageError::SignIn(SignInError::Unavailable(_)) | PageError::Upstream(_) | PageError::Storage(_) => text(
            "Something isn't responding",
            "StatiBeat or this connector can't be reached right now.",
            "Open the Hosted MCP page again in a minute. If you've just changed something, check there whether it took effect.",
        ),
        PageError::NotInATab => text(
            "This page only opens in its own tab",
            "Your browser loaded it as part of another page or ahead of time, not in a tab of its own.",
            "Nothing was changed. Open the Hosted MCP page in its own tab.",
        ),
        PageError::BadLink(_)
        | PageError::LinkUsed
        | PageError::OtherPerson
        | PageError::SignInCanceled
        | PageError::NoPage { .. } => connecting(error),
    }
}

/// Names the fault of a link, for the developers of the app.
fn bad_link(fault: DirectError) -> String {
    let words = match fault {
        DirectError::MalformedQuery => "the link is malformed",
        DirectError::ClientId => "client_id is missing, repeated or malformed",
        DirectError::RedirectUriMissing => "redirect_uri is missing or repeated",
        DirectError::RedirectUri(fault) => return fault.to_string(),
        DirectError::ClientIdForged => "this client_id was not issued here",
        DirectError::ClientUnknown => "this client_id is not known here",
        DirectError::TooLong => "client_id, redirect_uri and state together are too long",
    };
    words.to_owned()
}

/// Names the next step for a link's fault, and who takes it. The person can do something about a few faults only.
const fn bad_link_advice(fault: DirectError) -> &'static str {
    let DirectError::RedirectUri(fault) = fault else {
        return "Nothing was shared, and there's nothing you can fix here. Send this message to the makers of the app or to the people who run this connector: they can check the client and its redirect address.";
    };
    match fault {
        RedirectFault::ClaudeScheme => {
            "Nothing was shared. In Claude, add StatiBeat as a connector in the settings, or connect it with Claude Code in a terminal: both get their answer at an address that only they can read."
        }
        RedirectFault::CursorScheme => {
            "Nothing was shared. Update Cursor to 3.10.17 or newer, remove StatiBeat from its MCP servers and add it again: it then gets its answer on this computer."
        }
        RedirectFault::OtherRegistration => {
            "Nothing was shared. Remove StatiBeat in the app and add it again: the app then registers the address that it uses now."
        }
        RedirectFault::OtherLoopback => {
            "Nothing was shared. Update the app, remove StatiBeat in it and add it again. If that doesn't help, send this message to the makers of the app."
        }
        RedirectFault::CopilotStudio => {
            "Nothing was shared. Send this message to the people who run this connector: Copilot Studio has an address of its own for each connector, and they find it in the list of refused clients, with what to do."
        }
        RedirectFault::Unlisted => {
            "Nothing was shared. Send this message to the people who run this connector: they find the app's address in the list of refused clients and can approve it."
        }
        RedirectFault::RegisteredWeb => {
            "Nothing was shared. Send this message to the makers of the app: an app on a website needs a fixed client_id, which the people who run this connector approve together with its address."
        }
        RedirectFault::NotAUri
        | RedirectFault::OtherScheme
        | RedirectFault::NotSecure
        | RedirectFault::Fragment
        | RedirectFault::User
        | RedirectFault::NotPlain
        | RedirectFault::AnswerParameter => {
            "Nothing was shared, and there's nothing you can fix here. Send this message to the makers of the app: its redirect address must be a plain https address, or an http address on the person's own computer."
        }
    }
}
