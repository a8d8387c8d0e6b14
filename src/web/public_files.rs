//! Files that browsers, directories and crawlers expect at fixed addresses of a host.

use super::context::RequestContext;
use super::refused_request::RefusedRequest;
use super::reply::{self, Response};
use super::routes::Route;
use crate::catalog::llms;
use bytes::Bytes;
use std::time::Duration;

const FAVICON: &[u8] = include_bytes!("icons/favicon.ico");
const LIGHT: &[u8] = include_bytes!("icons/light.png");
const DARK: &[u8] = include_bytes!("icons/dark.png");
/// Nothing for a crawler is below `/mcp`.
const ROBOTS: &str = "User-agent: *\nDisallow: /mcp\nDisallow: /authorize\n";
/// Time until the contact must be read again. RFC 9116 recommends less than a year.
const SECURITY_LIFETIME: Duration = Duration::from_hours(180 * 24);

/// The file of a route; 404 where the operator has not set what it would say.
pub(super) fn get(ctx: &RequestContext<'_>, route: Route) -> Response {
    let found = match route {
        Route::Favicon => Some(file("image/x-icon", FAVICON)),
        Route::LightIcon => Some(file("image/png", LIGHT)),
        Route::DarkIcon => Some(file("image/png", DARK)),
        Route::Robots => Some(text(ROBOTS.to_owned())),
        Route::Llms => Some(text(llms::overview(&documentation(ctx)))),
        Route::SecurityText => security(ctx).map(text),
        Route::OpenaiChallenge => ctx.app.config.links.openai_challenge.clone().map(text),
        _ => None,
    };
    found.unwrap_or_else(|| RefusedRequest::not_found(ctx).into_response(None))
}

fn file(kind: &'static str, content: &'static [u8]) -> Response {
    reply::public(kind, Bytes::from_static(content))
}

fn text(content: String) -> Response {
    reply::public("text/plain; charset=utf-8", Bytes::from(content))
}

fn documentation(ctx: &RequestContext<'_>) -> String {
    let home = || Route::Home.url(&ctx.app.config.public_url);
    ctx.app.config.links.documentation.clone().unwrap_or_else(home).to_string()
}

/// The contact for security researchers, in the fields of RFC 9116.
fn security(ctx: &RequestContext<'_>) -> Option<String> {
    let contact = ctx.app.config.links.security_contact.as_ref()?;
    let canonical = Route::SecurityText.url(&ctx.app.config.public_url);
    let expires = ctx.now + SECURITY_LIFETIME;
    Some(format!("Contact: {contact}\nExpires: {expires}\nCanonical: {canonical}\nPreferred-Languages: en\n"))
}
