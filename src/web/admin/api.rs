//! The page's facts as JSON, for StatiBeat's own admin interface to embed. Reading only: what changes something stays behind
//! a form that a person sees.
//!
//! Asked with the page's session, by a page of this origin, or with a one-time token that StatiBeat signs for a person
//! (`upstream/admin_assertion.rs`). Never for other origins, never kept. `docs/admin-api.yaml` describes it.

use super::super::browser;
use super::super::context::RequestContext;
use super::super::reply::{self, Response};
use super::super::routes::Route;
use super::super::text::advice::{self, Advice};
use super::connections::{Connection, End};
use super::doctor::{Checkup, Finding, Verdict};
use super::facts::{self, Connected, Wanted};
use super::{Fault, Viewer, Visitor, visible_pages};
use crate::model::ids::PageId;
use crate::model::scope::Scope;
use crate::model::timestamp::Timestamp;
use crate::oauth::grant::PageChoice;
use crate::storage::activity::{self, Shown};
use crate::storage::authorization_requests::SignedIn;
use crate::storage::blocks::Block;
use crate::storage::calls::CallOutcome;
use crate::storage::{Redemption, sessions};
use crate::upstream::admin_assertion;
use crate::upstream::assertion::RequestBinding;
use crate::upstream::identity::AccessiblePage;
use http::StatusCode;
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use serde_json::{Value, json};
use std::time::Duration;

/// Answers one of the three questions.
pub(in crate::web) async fn answer(ctx: &RequestContext<'_>, route: Route) -> Response {
    match facts_of(ctx, route).await {
        Ok(facts) => reply::json(StatusCode::OK, &facts),
        Err(fault) => refuse(ctx, &fault),
    }
}

async fn facts_of(ctx: &RequestContext<'_>, route: Route) -> Result<Value, Fault> {
    let viewer = viewer(ctx, route).await?;
    let query = browser::query(ctx.head).ok_or(Fault::NotThere)?;
    let api = viewer.api(ctx);
    // Also for the set-up: it is for people whom StatiBeat still knows.
    let pages = visible_pages(&api).await?;
    match route {
        Route::AdminApiConnections => {
            let (connected, _) = facts::look(ctx, &viewer, &pages, None).await?;
            Ok(connections(&connected, &pages))
        }
        Route::AdminApiActivity => {
            let wanted = Wanted::read(&api, &pages, &query).await;
            let rows = match wanted.query(&viewer.person.user_id) {
                Some(query) => activity::list(ctx.db, &query).await?,
                None => Vec::new(),
            };
            let list = wanted.list(rows);
            let items: Vec<Value> = list.rows.iter().map(|shown| row(shown, &viewer)).collect();
            Ok(json!({
                "items": items,
                "next": list.next,
                "pages_without_audit_logs": ids(&list.disabled),
                "pages_not_known": ids(&list.unknown),
            }))
        }
        _ => Ok(setup(ctx)),
    }
}

/// Who asks: StatiBeat for somebody, or somebody's browser on a page of ours.
async fn viewer(ctx: &RequestContext<'_>, route: Route) -> Result<Viewer, Fault> {
    let Some(header) = ctx.head.headers().get(AUTHORIZATION) else {
        return Ok(Visitor::of(ctx).await?.viewer);
    };
    let Some(token) = header.to_str().ok().and_then(|header| header.strip_prefix("Bearer ")) else {
        return Err(super::bad(ctx, Fault::SignedOut).await);
    };
    let url = route.url(&ctx.app.config.public_url);
    let binding = RequestBinding { method: ctx.head.method(), url: url.as_str() };
    let asserted = match admin_assertion::verify(&ctx.upstream, token, &binding) {
        Ok(asserted) => asserted,
        Err(fault) => {
            ctx.log.note(&format!("admin API: assertion: {fault}"));
            return Err(super::bad(ctx, Fault::SignedOut).await);
        }
    };
    if sessions::redeem_token(ctx.db, &asserted.token_id, asserted.expires_at).await? == Redemption::AlreadyRedeemed {
        return Err(Fault::SignedOut);
    }
    Ok(Viewer::new(SignedIn { user_id: asserted.user_id, name: asserted.name, email: String::new() }))
}

fn refuse(ctx: &RequestContext<'_>, fault: &Fault) -> Response {
    let answer = |status, words| reply::json(status, &json!({ "error": words }));
    match fault {
        Fault::SignedOut => {
            let mut response = answer(StatusCode::UNAUTHORIZED, "nobody is signed in, or the token does not work");
            reply::set(&mut response, WWW_AUTHENTICATE, r#"Bearer realm="StatiBeat Hosted MCP admin""#);
            response
        }
        Fault::NotThere | Fault::ForeignForm => answer(StatusCode::BAD_REQUEST, "the query cannot be read"),
        Fault::TooOften(wait) => {
            let mut response = answer(StatusCode::TOO_MANY_REQUESTS, "too many requests that did not prove who asks");
            reply::retry_after(&mut response, *wait);
            response
        }
        Fault::UserEnded => answer(StatusCode::FORBIDDEN, "StatiBeat keeps this person out"),
        Fault::Upstream(_) | Fault::Storage(_) => {
            if let Fault::Upstream(error) = fault {
                ctx.log.note(&format!("admin API: {error}"));
            }
            if let Fault::Storage(error) = fault {
                ctx.log.note(&format!("admin API: {error}"));
            }
            reply::unavailable(Duration::from_secs(10))
        }
    }
}

fn setup(ctx: &RequestContext<'_>) -> Value {
    let endpoints = ctx.endpoints();
    let scope = |scope: Scope| json!({ "name": scope.as_str(), "description": scope.consent_sentence(), "posts_publicly": scope.is_write() });
    let approved = ctx.app.config.allowed_redirects.iter();
    json!({
        "resource_url": endpoints.resource,
        "issuer": endpoints.issuer,
        "authorization_endpoint": endpoints.authorize,
        "token_endpoint": endpoints.token,
        "revocation_endpoint": endpoints.revoke,
        "registration_endpoint": endpoints.register,
        "admin_page": Route::AdminPage.url(&ctx.app.config.public_url),
        "scopes": Scope::ALL.map(scope),
        "approved_clients": approved
            .map(|(client_id, uri)| json!({ "client_id": client_id.as_str(), "redirect_host": uri.host() }))
            .collect::<Vec<_>>(),
    })
}

fn connections(connected: &Connected, pages: &[AccessiblePage]) -> Value {
    let page = |page: &AccessiblePage| json!({ "id": page.id.0, "name": page.name, "is_administered": page.is_administered() });
    let own = connected.own.iter().map(|(connection, checkup)| {
        let mut shown = common(connection);
        shown["pages"] = chosen(&connection.pages);
        shown["expires_at"] = match connection.end {
            End::At(at) => time(at),
            End::Unused(_) => Value::Null,
        };
        shown["unused_until"] = match connection.end {
            End::At(_) => Value::Null,
            End::Unused(at) => time(at),
        };
        shown["calls"] = calls(connected, connection);
        shown["doctor"] = doctor(connection, checkup);
        shown
    });
    let others = connected.others.iter().filter_map(|connection| {
        let (page_id, is_blocked) = connection.page?;
        let mut shown = common(connection);
        shown["user_id"] = json!(connection.user_id.0);
        shown["user_name"] = json!(connection.user_name);
        shown["page_id"] = json!(page_id.0);
        shown["is_blocked"] = json!(is_blocked);
        Some(shown)
    });
    let ended = connected.ended.iter().map(|ended| {
        let Advice { meaning, advice } = advice::of_end(ended.reason.as_deref());
        json!({
            "client_id": ended.client_id, "client_name": ended.client_name, "ended_at": time(ended.ended_at),
            "meaning": meaning, "advice": advice,
        })
    });
    json!({
        "pages": pages.iter().map(page).collect::<Vec<_>>(),
        "connections": own.collect::<Vec<_>>(),
        "others": others.collect::<Vec<_>>(),
        "blocks": connected.blocks.iter().map(block).collect::<Vec<_>>(),
        "ended": ended.collect::<Vec<_>>(),
    })
}

fn block(block: &Block) -> Value {
    json!({
        "user_id": block.user_id.0,
        "user_name": block.user_name,
        "client_id": block.client_id.as_str(),
        "client_name": block.client_name,
        "page_id": block.page_id.0,
        "covers": if block.is_loopback { "local_clients" } else { "client" },
        "blocked_at": time(block.blocked_at),
    })
}

/// What is told of everybody's connections.
fn common(connection: &Connection) -> Value {
    json!({
        "client_id": connection.client_id.as_str(),
        "client_name": connection.client_name,
        "is_verified": connection.trust.is_verified(),
        "redirect_host": connection.redirect_host,
        "scopes": connection.scopes.iter().map(Scope::as_str).collect::<Vec<_>>(),
        "connected_at": time(connection.since),
        "last_used_at": connection.last_used_at.map(time),
        "reads_by_tools": connection.has_read_bridge,
        "are_writes_paused": connection.are_writes_paused,
    })
}

/// `null`: whatever the person can see, now and later.
fn chosen(pages: &PageChoice) -> Value {
    match pages {
        PageChoice::All => Value::Null,
        PageChoice::These(pages) => ids(pages),
    }
}

fn calls(connected: &Connected, connection: &Connection) -> Value {
    let of_day = |day: i64| {
        let of = |outcome: CallOutcome| -> i64 {
            let counts = connected.counts.iter().filter(|count| count.day == day && count.outcome == outcome);
            counts.filter(|count| count.client_id == connection.client_id.as_str()).map(|count| count.calls).sum()
        };
        let [answered, refused, failed] = CallOutcome::ALL.map(of);
        let date = Timestamp::from_seconds(day * 86_400).to_string();
        json!({ "day": date[..10], "answered": answered, "refused": refused, "failed": failed })
    };
    (connected.first_day..connected.first_day + facts::DAYS).map(of_day).collect()
}

fn doctor(connection: &Connection, checkup: &Checkup) -> Value {
    let scope = |check: &super::doctor::ScopeCheck| {
        json!({
            "scope": check.scope.as_str(), "is_asked": check.is_asked, "is_granted": check.is_granted,
            "usable_on_pages": check.usable_on, "reached_pages": check.reached,
        })
    };
    let verdict = match checkup.verdict(connection) {
        Verdict::Well => "well",
        Verdict::Unused => "unused",
        Verdict::Paused => "paused",
        Verdict::Trouble => "trouble",
    };
    let trouble = checkup.trouble.as_ref();
    let failure = checkup.refresh_failure.as_ref();
    json!({
        "verdict": verdict,
        "last_call_at": checkup.called_at.map(time),
        "program": checkup.program.as_ref().map(|(name, version)| json!({ "name": name, "version": version })),
        "protocol_version": checkup.revision.map(crate::mcp::version::ProtocolVersion::as_str),
        "refreshes": checkup.refreshes,
        "last_refresh_at": if checkup.refreshes > 0 { time(checkup.refreshed_at) } else { Value::Null },
        "refreshes_repeated": checkup.repeated_refreshes,
        "last_repeated_refresh": checkup.repeated_at.map(|at| json!({
            "at": time(at), "meaning": advice::OF_REPEATED_REFRESH.meaning, "advice": advice::OF_REPEATED_REFRESH.advice,
        })),
        "refreshes_refused": checkup.refreshes_failed,
        "last_refused_refresh": failure.map(|found| finding(&found.what, found, advice::of_refresh(&found.what))),
        "last_error": trouble.map(|found| finding(found.what.as_str(), found, advice::of_trouble(found.what))),
        "scopes": checkup.scopes.iter().map(scope).collect::<Vec<_>>(),
        "blocked_pages": ids(&checkup.blocked_pages),
    })
}

fn finding<T>(reason: &str, finding: &Finding<T>, words: Advice) -> Value {
    json!({
        "reason": reason, "at": time(finding.at), "is_over": finding.is_over,
        "meaning": words.meaning, "advice": words.advice,
    })
}

fn row(shown: &Shown, viewer: &Viewer) -> Value {
    let row = &shown.row;
    json!({
        "at": time(row.at),
        "kind": row.kind,
        "outcome": row.outcome,
        "client_name": row.client_name,
        "is_own": shown.user_id == viewer.person.user_id,
        "page_id": row.page_id.map(|page| page.0),
        "tool": row.tool,
        "title": row.title,
        "target_id": row.target_id,
        "detail": row.detail,
        "calls": row.calls,
    })
}

fn time(at: Timestamp) -> Value {
    Value::String(at.to_string())
}

fn ids<'a>(pages: impl IntoIterator<Item = &'a PageId>) -> Value {
    pages.into_iter().map(|page| page.0).collect()
}
