//! The consent page, and the pages that lead from it to the client or back to sign-in.

use super::super::choice::Choice;
use super::super::reply;
use super::super::text::{client_trust, consent as text, destination, first_of};
use super::{Response, page};
use crate::model::scope::{Scope, ScopeSet};
use crate::oauth::client::redirect::RedirectKind;
use crate::oauth::client::{ClientTrust, ResolvedClient};
use crate::oauth::grant::{GrantLifetime, PageChoice};
use crate::storage::authorization_requests::SignedIn;
use crate::upstream::identity::AccessiblePage;
use http::StatusCode;
use maud::{Markup, html};
use url::Url;

pub(in crate::web) struct ConsentPage<'a> {
    pub client: &'a ResolvedClient,
    pub person: &'a SignedIn,
    /// The pages that person can see.
    pub pages: &'a [AccessiblePage],
    /// What the app asks for.
    pub asked: ScopeSet,
    pub choice: &'a Choice,
    /// Whether reading by tools is offered here.
    pub offers_read_bridge: bool,
    /// Why the last answer could not be taken.
    pub objection: Option<Objection>,
    pub action: &'a str,
    /// Where connections are looked after.
    pub admin_page: &'a str,
    pub handle: &'a str,
}

/// Why an answer could not be taken.
#[derive(Clone, Copy)]
pub(in crate::web) enum Objection {
    /// "Only these pages", and none ticked.
    NoPage,
}

pub(in crate::web) fn consent(view: &ConsentPage<'_>) -> Response {
    let title = text::title(&view.client.name);
    let body = html! {
        h1 { (title) }
        @if let Some(Objection::NoPage) = view.objection {
            p.note role="alert" { (text::NO_PAGE) }
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
            p.soft { (text::NEVER) }
            p.soft { (text::END[0]) a href=(view.admin_page) { (text::END[1]) } (text::END[2]) }
            div.actions {
                button.main type="submit" name="answer" value="approve" { (text::ALLOW) }
                button type="submit" name="answer" value="deny" { (text::DENY) }
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
            dt { (text::APP) }
            dd {
                (client.name) " "
                span.tag.(if client.trust.is_verified() { "good" } else { "warn" }) { (client_trust(client.trust)) }
                @if client.id.as_str().starts_with("https://") { br; span.soft { (client.id.as_str()) } }
            }
            dt { (text::DESTINATION) } dd { (destination(&client.redirect_uri.host())) }
            dt { (text::ACCOUNT) }
            dd {
                (view.person.name) br; span.soft { (view.person.email) }
                br; button.link type="submit" form="switch" name="answer" value="switch" { (text::SWITCH) }
            }
        }
    }
}

fn warnings(client: &ResolvedClient) -> Markup {
    let is_local = client.redirect_uri.kind() == RedirectKind::Loopback;
    html! {
        @if is_local || !client.trust.is_verified() {
            div.note {
                @if client.trust == ClientTrust::Registered { p { (text::SELF_NAMED) } }
                @if client.trust == ClientTrust::Unverified { p { (text::UNKNOWN) } }
                @if is_local { p { (text::LOCAL) } }
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
                legend { (text::READS) }
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
            span { (text::READ_BRIDGE) }
        }
    }
}

/// Writes stand apart; those that were not asked for are offered unticked.
fn writes(view: &ConsentPage<'_>) -> Markup {
    html! {
        fieldset {
            legend { (text::WRITES) }
            p.soft.hint { (text::WRITES_HINT) }
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
        count if count == pages.len() => Some(text::NO_EFFECT.to_owned()),
        _ => Some(text::not_on(&first_of(&refusing))),
    }
}

/// The list of pages is folded away by the style sheet while "all" is chosen.
fn pages(view: &ConsentPage<'_>) -> Markup {
    let is_all = view.choice.pages == PageChoice::All;
    let names: Vec<&str> = view.pages.iter().map(|page| page.name.as_str()).collect();
    let is_ticked = |page: &AccessiblePage| !is_all && view.choice.pages.contains(page.id);
    html! {
        fieldset.pages {
            legend { (text::PAGES) }
            label.choice {
                input type="radio" name="pages" value="all" checked[is_all];
                span { (text::ALL_PAGES) span.soft.under { (text::all_now(&first_of(&names))) } }
            }
            label.choice { input.these type="radio" name="pages" value="these" checked[!is_all]; span { (text::THESE_PAGES) } }
            div.list role="group" aria-label=(text::PAGE_LIST) {
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
            legend { (text::LIFETIME) }
            div.row {
                @for lifetime in GrantLifetime::CHOICES {
                    label.choice { input type="radio" name="lifetime" value=(lifetime) checked[lifetime == chosen]; span { (text::lifetime(lifetime)) } }
                }
            }
        }
    }
}

/// Leaves for the client: a page, because a redirect after a form post would meet `form-action` at every hop.
pub(in crate::web) fn leave(location: &Url, client: &ResolvedClient, is_approved: bool) -> Response {
    let (title, happened, advice) = text::left(&client.name, is_approved);
    let body = html! {
        h1 { (title) }
        p { (happened) }
        p.actions { a.button.main href=(location) { (text::go_on_to(&client.name)) } }
        p.soft { (advice) }
    };
    page(StatusCode::OK, title, &refresh(location), &body)
}

/// Leaves for StatiBeat's sign-in after a form post, for the same reason by a page.
pub(in crate::web) fn to_sign_in(location: &Url) -> Response {
    let body = html! {
        h1 { (text::CHOOSE_ACCOUNT) }
        p { (text::TO_SIGN_IN) }
        p.actions { a.button.main href=(location) { (text::GO_ON_TO_SIGN_IN) } }
    };
    page(StatusCode::OK, text::CHOOSE_ACCOUNT, &refresh(location), &body)
}

fn refresh(location: &Url) -> Markup {
    html! { meta http-equiv="refresh" content=(format!("0;url={location}")); }
}
