//! The page that a person sees who opens the host or the MCP endpoint in a browser.

use super::admin::setup;
use super::context::RequestContext;
use super::layout::page;
use super::reply::Response;
use super::routes::Route;
use crate::model::links::Links;
use http::header::{ACCEPT, AUTHORIZATION};
use http::{HeaderMap, Method, Request, StatusCode};
use maud::{Markup, html};

/// True for a browser that navigates to the endpoint. A client that probes it by GET accepts no HTML and gets the challenge.
pub(super) fn is_wanted(head: &Request<()>) -> bool {
    let is_look = matches!(*head.method(), Method::GET | Method::HEAD);
    is_look && is_opened_by_a_person(head)
}

/// True for a browser that opens a page or sends a form, whatever the address.
pub(super) fn is_opened_by_a_person(head: &Request<()>) -> bool {
    !head.headers().contains_key(AUTHORIZATION) && accepts_html(head.headers())
}

fn accepts_html(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accept.split(',').any(|range| range.split(';').next().is_some_and(|kind| kind.trim() == "text/html"))
}

pub(super) fn render(ctx: &RequestContext<'_>) -> Response {
    let public_url = &ctx.app.config.public_url;
    let admin_page = Route::AdminPage.url(public_url);
    page(
        StatusCode::OK,
        "Address for AI apps",
        &html! {
            h1 { "This address is for AI apps" }
            p { "Add it to Claude, Cursor, VS Code, ChatGPT or another app that speaks the Model Context Protocol (MCP). The app can then read your StatiBeat status pages and, if you allow it, post incidents and maintenance windows." }
            (setup::instructions(Route::Mcp.url(public_url).as_str()))
            p { a href=(admin_page) { "See and manage your connected apps" } }
            (links(&ctx.app.config.links))
        },
    )
}

/// The documents that the operator has set, as a list.
fn links(links: &Links) -> Markup {
    let named = [
        ("About StatiBeat", &links.website),
        ("Documentation", &links.documentation),
        ("Status", &links.status),
        ("Support", &links.support),
        ("Privacy policy", &links.privacy),
        ("Terms of service", &links.terms),
    ];
    let set: Vec<_> = named.into_iter().filter_map(|(name, url)| Some((name, url.as_ref()?))).collect();
    html! { @if !set.is_empty() { ul.links { @for (name, url) in set { li { a href=(url) { (name) } } } } } }
}
