//! The consent page, and the pages that lead from it to the client or back to sign-in.

use super::super::choice::Choice;
use super::super::reply;
use super::{Response, destination, page};
use crate::catalog::scope::{Scope, ScopeSet};
use crate::oauth::client::{Client, Standing};
use crate::oauth::grant::{GrantLifetime, PageChoice};
use crate::oauth::redirect::RedirectKind;
use crate::storage::transactions::SignedIn;
use crate::upstream::identity::AccessiblePage;
use http::StatusCode;
use maud::{Markup, html};
use url::Url;

/// What the page shows.
pub(in crate::web) struct ConsentPage<'a> {
    /// Who asks.
    pub client: &'a Client,
    /// Who is asked.
    pub person: &'a SignedIn,
    /// The pages that person can see.
    pub pages: &'a [AccessiblePage],
    /// What the app asks for.
    pub asked: ScopeSet,
    /// How the controls stand.
    pub choice: &'a Choice,
    /// Whether reading by tools is offered here.
    pub offers_read_bridge: bool,
    /// Why the last answer could not be taken.
    pub objection: Option<Objection>,
    /// Where the answer goes.
    pub action: &'a str,
    /// Where connections are looked after.
    pub admin_page: &'a str,
    /// The form's handle.
    pub handle: &'a str,
}

/// Why an answer could not be taken.
#[derive(Clone, Copy)]
pub(in crate::web) enum Objection {
    /// "Only these pages", and none ticked.
    NoPage,
}

/// Asks the person.
pub(in crate::web) fn consent(view: &ConsentPage<'_>) -> Response {
    let title = format!("Connect {} to StatiBeat?", view.client.name);
    let body = html! {
        h1 { (title) }
        @if let Some(Objection::NoPage) = view.objection {
            p.note role="alert" { "Nothing is connected yet: choose at least one page, or all pages." }
        }
        (who(view))
        (warnings(view.client))
        form method="post" action=(view.action) {
            input type="hidden" name="request" value=(view.handle);
            input type="hidden" name="person" value=(view.person.user_id);
            (reads(view))
            (writes(view))
            (pages(view))
            (lifetimes(view.choice.lifetime))
            p.soft { "It can never do more than your own role on a page allows, and never deletes, resolves or changes settings." }
            p.soft { "You can end this connection at any time on the " a href=(view.admin_page) { "Hosted MCP page" } ", or in the app itself." }
            div.actions {
                button.main type="submit" name="answer" value="approve" { "Allow" }
                button type="submit" name="answer" value="deny" { "Don't allow" }
            }
        }
        form #switch method="post" action=(view.action) {
            input type="hidden" name="request" value=(view.handle);
            input type="hidden" name="person" value=(view.person.user_id);
        }
    };
    let status = if view.objection.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let mut response = page(status, &title, &html! {}, &body);
    reply::name_origin_to_ourselves(&mut response);
    response
}

/// The button to switch belongs to a form of its own: "Allow" stays the first one of the other.
fn who(view: &ConsentPage<'_>) -> Markup {
    let client = view.client;
    html! {
        dl.facts {
            dt { "App" }
            dd {
                (client.name) " "
                span.tag.(if client.standing.is_verified() { "good" } else { "warn" }) { (standing(client.standing)) }
                @if client.id.as_str().starts_with("https://") { br; span.soft { (client.id.as_str()) } }
            }
            dt { "Answer goes to" } dd { (destination(&client.redirect_uri.host())) }
            dt { "Your account" }
            dd {
                (view.person.name) br; span.soft { (view.person.email) }
                br; button.link type="submit" form="switch" name="answer" value="switch" { "Use another account" }
            }
        }
    }
}

/// How much is known of a client, in words.
pub(super) const fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Configured => "Listed by your operator",
        Standing::Known => "Known app",
        Standing::Registered | Standing::Unverified => "Unverified app",
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

/// Reads that were asked for; untouched, the form grants them.
fn reads(view: &ConsentPage<'_>) -> Markup {
    let reads: Vec<Scope> = view.asked.iter().filter(|scope| !scope.is_write()).collect();
    html! {
        @if !reads.is_empty() {
            fieldset {
                legend { "It may read" }
                @for scope in reads { (scope_choice(view, scope)) }
                @if view.offers_read_bridge { (read_bridge(view.choice.has_read_bridge)) }
            }
        }
    }
}

/// How the reads above may be done, for apps that cannot do them otherwise.
fn read_bridge(is_ticked: bool) -> Markup {
    html! {
        label.choice {
            input type="checkbox" name="read_bridge" value="on" checked[is_ticked];
            span { "Read all this through tools as well, for apps that only know tools; it allows nothing more." }
        }
    }
}

/// Writes stand apart; those that were not asked for are offered unticked.
fn writes(view: &ConsentPage<'_>) -> Markup {
    html! {
        fieldset {
            legend { "It may post publicly, in your name" }
            p.soft.hint { "Customers see at once what it posts. Leave these unticked if it should only read." }
            @for scope in Scope::ALL.into_iter().filter(|scope| scope.is_write()) { (scope_choice(view, scope)) }
        }
    }
}

fn scope_choice(view: &ConsentPage<'_>, scope: Scope) -> Markup {
    html! {
        label.choice {
            input type="checkbox" name="scope" value=(scope.as_str()) checked[view.choice.scopes.contains(scope)];
            span {
                (scope.consent_sentence())
                code { (scope.as_str()) }
                @if let Some(limit) = role_limit(view.pages, scope) { span.limit { (limit) } }
            }
        }
    }
}

/// What the person's role would refuse anyway, if anything.
fn role_limit(pages: &[AccessiblePage], scope: Scope) -> Option<String> {
    let refusing: Vec<&str> =
        pages.iter().filter(|page| !page.allows(scope.page_permission())).map(|page| page.name.as_str()).collect();
    match refusing.len() {
        0 => None,
        count if count == pages.len() => {
            Some("Without effect for now: your role allows it on none of your pages.".into())
        }
        _ => Some(format!("Not on {}: your role there does not allow it.", names(&refusing))),
    }
}

/// The first few names, and how many more.
fn names(all: &[&str]) -> String {
    const NAMED: usize = 5;
    let listed = all.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    match all.len().saturating_sub(NAMED) {
        0 => listed,
        more => format!("{listed} and {more} more"),
    }
}

/// The list of pages is folded away by the style sheet while "all" is chosen.
fn pages(view: &ConsentPage<'_>) -> Markup {
    let is_all = view.choice.pages == PageChoice::All;
    let is_ticked = |page: &AccessiblePage| !is_all && view.choice.pages.contains(page.id);
    html! {
        fieldset.pages {
            legend { "On which pages" }
            label.choice {
                input type="radio" name="pages" value="all" checked[is_all];
                span { "All pages I can see, now and later" span.soft.under { "Now: " (names(&view.pages.iter().map(|page| page.name.as_str()).collect::<Vec<_>>())) } }
            }
            label.choice { input.these type="radio" name="pages" value="these" checked[!is_all]; span { "Only these pages" } }
            div.list role="group" aria-label="Pages" {
                @for page in view.pages {
                    label.choice { input type="checkbox" name="page" value=(page.id) checked[is_ticked(page)]; span { (page.name) } }
                }
            }
        }
    }
}

fn lifetimes(chosen: GrantLifetime) -> Markup {
    html! {
        fieldset {
            legend { "For how long" }
            div.row {
                @for lifetime in GrantLifetime::CHOICES {
                    label.choice { input type="radio" name="lifetime" value=(lifetime) checked[lifetime == chosen]; span { (lifetime_words(lifetime)) } }
                }
            }
        }
    }
}

fn lifetime_words(lifetime: GrantLifetime) -> String {
    match lifetime {
        GrantLifetime::UntilRevoked => "Until I end it".into(),
        GrantLifetime::Days(1) => "1 day".into(),
        GrantLifetime::Days(days) => format!("{days} days"),
    }
}

/// Leaves for the client: a page, because a redirect after a form post would meet `form-action` at every hop.
pub(in crate::web) fn leave(location: &Url, client: &Client, is_approved: bool) -> Response {
    let (title, words) = if is_approved {
        ("Connected", format!("{} is connected. You are being sent back to it.", client.name))
    } else {
        ("Not connected", format!("{} was not connected. You are being sent back to it.", client.name))
    };
    let body = html! {
        h1 { (title) }
        p { (words) }
        p.actions { a.button.main href=(location) { "Continue to " (client.name) } }
        p.soft { "When the app says that it is connected, you can close this tab." }
    };
    page(StatusCode::OK, title, &refresh(location), &body)
}

/// Leaves for StatiBeat's sign-in after a form post, for the same reason by a page.
pub(in crate::web) fn to_sign_in(location: &Url) -> Response {
    let body = html! {
        h1 { "Choose an account" }
        p { "You are being sent to StatiBeat's sign-in." }
        p.actions { a.button.main href=(location) { "Continue to sign-in" } }
    };
    page(StatusCode::OK, "Choose an account", &refresh(location), &body)
}

fn refresh(location: &Url) -> Markup {
    html! { meta http-equiv="refresh" content=(format!("0;url={location}")); }
}
