//! The admin API: what the Hosted MCP page shows, as JSON for StatiBeat's own admin interface to embed. Read-only: changes are made
//! by a form that a person sees.
//!
//! Requests carry the session cookie of the page, or a one-time assertion that StatiBeat signs for a person
//! (`upstream/admin_assertion.rs`). No CORS, no caching. `docs/admin-api.yaml` describes it.

use super::super::browser;
use super::super::context::RequestContext;
use super::super::limits;
use super::super::page_error::PageError;
use super::super::reply::{self, Response};
use super::super::routes::Route;
use super::activity::filter::ActivityFilter;
use super::activity::{self, AuditedPages};
use super::connection::parse_key;
use super::connection_filter::{ConnectionFilter, parse_position};
use super::session::{Session, Viewer, visible_pages};
use super::setup::Setup;
use super::view_model;
use crate::storage::authorization_requests::SignedIn;
use crate::storage::{Redemption, sessions};
use crate::upstream::admin_assertion;
use crate::upstream::assertion::RequestBinding;
use http::StatusCode;
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use serde_json::{Value, json};
use std::time::Duration;

pub(in crate::web) async fn get(ctx: &RequestContext<'_>, route: Route) -> Response {
    match answer(ctx, route).await {
        Ok(details) => reply::json(StatusCode::OK, &details),
        Err(error) => refuse(ctx, &error),
    }
}

/// Builds the document as a JSON value, which sorts the members of every object.
async fn answer(ctx: &RequestContext<'_>, route: Route) -> Result<Value, PageError> {
    let viewer = viewer(ctx, route).await?;
    let query = browser::query(ctx.head).ok_or(PageError::NotFound)?;
    let api = viewer.api(ctx);
    // Read for the set-up as well, which is only for people whom StatiBeat still knows.
    let pages = visible_pages(&api).await?;
    Ok(match route {
        Route::AdminApiConnections => {
            let filter = ConnectionFilter::parse(&query);
            json!(view_model::load(ctx, &viewer, &pages, &filter, None).await?.0)
        }
        Route::AdminApiConnection => {
            let key = parse_key(&query).ok_or(PageError::NotFound)?;
            json!(view_model::load_connection(ctx, &viewer, &pages, &key).await?)
        }
        Route::AdminApiBlocks => {
            let after = query.single("after").and_then(parse_position);
            json!(view_model::load_blocks(ctx, &pages, after.as_ref()).await?)
        }
        Route::AdminApiActivity => {
            let (audited, filter) = (AuditedPages::new(&pages), ActivityFilter::parse(&query));
            json!(activity::load(ctx, &viewer, audited, &filter).await?)
        }
        _ => json!(Setup::new(ctx)),
    })
}

/// The person asked for: in StatiBeat's assertion, or of the browser's session.
async fn viewer(ctx: &RequestContext<'_>, route: Route) -> Result<Viewer, PageError> {
    let Some(header) = ctx.head.headers().get(AUTHORIZATION) else {
        return Ok(Session::require(ctx).await?.viewer);
    };
    let Some(token) = header.to_str().ok().and_then(|header| header.strip_prefix("Bearer ")) else {
        limits::count_bad_handle(ctx).await?;
        return Err(PageError::SignedOut);
    };
    let url = route.url(&ctx.app.config.public_url);
    let binding = RequestBinding { method: ctx.head.method(), url: url.as_str() };
    let asserted = match admin_assertion::verify(&ctx.upstream, token, &binding).await {
        Ok(asserted) => asserted,
        Err(fault) => {
            ctx.log.note(&format!("admin API: assertion: {fault}"));
            limits::count_bad_handle(ctx).await?;
            return Err(PageError::SignedOut);
        }
    };
    if sessions::redeem_token(ctx.db, &asserted.token_id, asserted.expires_at).await? == Redemption::AlreadyRedeemed {
        return Err(PageError::SignedOut);
    }
    Ok(Viewer::new(SignedIn { user_id: asserted.user_id, name: asserted.name, email: String::new() }))
}

fn refuse(ctx: &RequestContext<'_>, error: &PageError) -> Response {
    error.log(ctx);
    let answer = |status, words: &str| reply::json(status, &json!({ "error": words }));
    match error {
        PageError::SignedOut => {
            let mut response = answer(StatusCode::UNAUTHORIZED, "nobody is signed in, or the token does not work");
            reply::set(&mut response, WWW_AUTHENTICATE, r#"Bearer realm="StatiBeat Hosted MCP admin""#);
            response
        }
        PageError::TooMany(wait) => {
            let mut response = answer(StatusCode::TOO_MANY_REQUESTS, "too many requests that did not prove who asks");
            reply::retry_after(&mut response, *wait);
            response
        }
        PageError::UserAccessEnded => answer(StatusCode::FORBIDDEN, "StatiBeat keeps this person out"),
        PageError::BadFilter(fault) => answer(StatusCode::BAD_REQUEST, fault),
        PageError::Upstream(_) | PageError::Storage(_) => reply::unavailable(Duration::from_secs(10)),
        // The others are about links and forms.
        _ => answer(StatusCode::BAD_REQUEST, "the query cannot be read"),
    }
}
