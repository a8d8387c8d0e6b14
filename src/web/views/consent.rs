//! The consent page, and the page that leaves for the client.

use super::super::reply;
use super::{Response, page};
use crate::catalog::scope::{Scope, ScopeSet};
use crate::oauth::client::{Client, Standing};
use crate::oauth::redirect::RedirectKind;
use crate::storage::transactions::SignedIn;
use http::StatusCode;
use maud::{Markup, html};
use url::Url;

/// What the page shows.
pub(in crate::web) struct ConsentPage<'a> {
    /// Who asks.
    pub client: &'a Client,
    /// Who is asked.
    pub person: &'a SignedIn,
    /// What for.
    pub asked: ScopeSet,
    /// The pages that person can see.
    pub page_names: &'a [&'a str],
    /// Where the answer goes.
    pub action: &'a str,
    /// The form's handle.
    pub handle: &'a str,
}

/// How many pages are named before the rest is counted.
const NAMED_PAGES: usize = 5;

/// Asks the person.
pub(in crate::web) fn consent(view: &ConsentPage<'_>) -> Response {
    let title = format!("Connect {} to StatiBeat?", view.client.name);
    let body = html! {
        h1 { "Connect " (view.client.name) " to StatiBeat?" }
        (who(view))
        (warnings(view.client))
        form method="post" action=(view.action) {
            input type="hidden" name="request" value=(view.handle);
            input type="hidden" name="person" value=(view.person.user_id);
            (reads(view.asked))
            (writes(view.asked))
            p.soft { "It can never do more than your own role on a page allows, and never deletes, resolves or changes settings." }
            p.soft { "You can end this connection at any time on the Hosted MCP page in StatiBeat, or in the app itself." }
            div.actions {
                button.main type="submit" name="answer" value="approve" { "Allow" }
                button type="submit" name="answer" value="deny" { "Don't allow" }
            }
        }
    };
    let mut response = page(StatusCode::OK, &title, &html! {}, &body);
    reply::name_origin_to_ourselves(&mut response);
    response
}

fn who(view: &ConsentPage<'_>) -> Markup {
    let client = view.client;
    html! {
        dl {
            dt { "App" }
            dd {
                (client.name) " "
                span.tag { (standing(client.standing)) }
                @if client.id.as_str().starts_with("https://") { br; span.soft { (client.id.as_str()) } }
            }
            dt { "Answer goes to" } dd { (client.redirect_uri.host()) }
            dt { "Your account" } dd { (view.person.name) " (" (view.person.email) ")" }
            dt { "Pages" } dd { (page_list(view.page_names)) }
        }
    }
}

const fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Configured => "Listed by your operator",
        Standing::Known => "Known app",
        Standing::Registered | Standing::Unverified => "Unverified app",
    }
}

fn page_list(names: &[&str]) -> String {
    let listed = names.iter().take(NAMED_PAGES).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAMED_PAGES) {
        0 => listed,
        more => format!("{listed} and {more} more"),
    }
}

fn warnings(client: &Client) -> Markup {
    let is_local = client.redirect_uri.kind() == RedirectKind::Loopback;
    html! {
        @if is_local || !client.standing.is_verified() {
            div.note {
                @if client.standing == Standing::Registered { p { "The app chose its name itself. Nobody has checked it." } }
                @if client.standing == Standing::Unverified { p { "Nothing is known about this app. Nobody has checked it." } }
                @if is_local { p { "It runs on this computer. Go on only if you have just started connecting it yourself: any program here could use the same name." } }
            }
        }
    }
}

fn reads(asked: ScopeSet) -> Markup {
    let reads: Vec<Scope> = asked.iter().filter(|scope| !scope.is_write()).collect();
    html! {
        @if !reads.is_empty() {
            fieldset {
                legend { "It will be able to read" }
                @for scope in reads { (choice(scope, true)) }
            }
        }
    }
}

/// Writes stand apart; those that were not asked for are offered unticked.
fn writes(asked: ScopeSet) -> Markup {
    html! {
        fieldset {
            legend { "It may post publicly, in your name" }
            @for scope in Scope::ALL.into_iter().filter(|scope| scope.is_write()) { (choice(scope, asked.contains(scope))) }
        }
    }
}

fn choice(scope: Scope, is_ticked: bool) -> Markup {
    html! {
        label.choice {
            input type="checkbox" name="scope" value=(scope.as_str()) checked[is_ticked];
            span { (scope.consent_sentence()) code { (scope.as_str()) } }
        }
    }
}

/// Leaves for the client: a page, because a redirect after a form post would meet `form-action` at every hop.
pub(in crate::web) fn leave(location: &Url, client: &Client, is_approved: bool) -> Response {
    let (title, words) = if is_approved {
        ("Connected", format!("{} is connected. You are being sent back to it.", client.name))
    } else {
        ("Not connected", format!("{} was not connected. You are being sent back to it.", client.name))
    };
    let head = html! { meta http-equiv="refresh" content=(format!("0;url={location}")); };
    let body = html! {
        h1 { (title) }
        p { (words) }
        p.actions { a.button.main href=(location) { "Continue to " (client.name) } }
        p.soft { "When the app says that it is connected, you can close this tab." }
    };
    page(StatusCode::OK, title, &head, &body)
}
