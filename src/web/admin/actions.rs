//! Actions on connections: end, pause and resume writes, require confirmation, block on pages. Renders their confirmation pages,
//! and executes them.
//!
//! Irreversible actions ask for confirmation on a page of their own. Every action takes effect on the next call,
//! because each call reads the same database rows.

use super::super::browser;
use super::super::context::RequestContext;
use super::super::layout::page;
use super::super::page_error::PageError;
use super::super::reply::{self, Response};
use super::super::routes::Route;
use super::action::{Action, CONFIRMED, hidden, idle_button, row_id, stay_after_enter};
use super::action_plan::{ActionPlan, ActionTarget, EVERYBODY, SELECTED};
use super::session::{Session, token_field};
use crate::model::visible::line;
use crate::model::write_policy::ConfirmMode;
use crate::oauth::parameters::Parameters;
use crate::storage::audit::{AuditId, AuditKind, Change, ChangeTarget};
use crate::storage::connections::WriteSetting;
use crate::storage::{blocks, connections, grants};
use http::StatusCode;
use maud::{Markup, html};
use url::Url;

/// Longest name in the note that an action leaves, in characters.
const LONGEST_NAME: usize = 200;

/// Shows the page that asks to confirm an action.
pub(in crate::web) async fn confirm(ctx: &RequestContext<'_>) -> Result<Response, PageError> {
    let session = Session::require(ctx).await?;
    let parameters = browser::query(ctx.head).ok_or(PageError::NotFound)?;
    let plan = ActionPlan::read(ctx, &session, &parameters).await?;
    Ok(confirmation(&plan, &session.form_token(ctx), &parameters, false))
}

fn confirmation(plan: &ActionPlan, form_token: &str, parameters: &Parameters, is_unticked: bool) -> Response {
    let (title, effect, button) = plan.question();
    let back = return_address(parameters);
    let body = html! {
        h1 { (title) }
        p { (effect) }
        form method="post" action=(Route::AdminAction.path()) {
            (idle_button())
            (token_field(form_token))
            @for (name, value) in plan.fields() { (hidden(name, &value)) }
            (hidden(CONFIRMED, "1"))
            (hidden("back", &back))
            @if is_unticked { p.note role="alert" { "Tick at least one page." } }
            (plan.choices())
            div.actions {
                button.main.danger[plan.action.takes_access()] type="submit" { (button) }
                a.button href=(back) { "Cancel" }
            }
        }
        @if let Some((user_id, name)) = plan.only_person() {
            @let pairs = [("action", plan.action.into()), ("person", user_id.as_str()), ("back", &back)];
            p.soft { a href=(Route::AdminAction.address(pairs)) { "Block all apps of " (name) " instead…" } }
        }
    };
    let mut response = page(StatusCode::OK, &title, &body);
    reply::name_origin_to_ourselves(&mut response);
    response
}

pub(in crate::web) async fn perform(ctx: &RequestContext<'_>, body: &[u8]) -> Result<Response, PageError> {
    let (session, form) = Session::of_form(ctx, body).await.map_err(|error| lead_back(ctx, body, error))?;
    if let Some(response) = stay_after_enter(&form) {
        return Ok(response);
    }
    let plan = match ActionPlan::read(ctx, &session, &form).await {
        Err(PageError::NotFound) if form.names(SELECTED) => return Ok(nothing_selected(ctx, &form)),
        plan => plan?,
    };
    let must_confirm = plan.needs_confirmation() || form.names(SELECTED);
    if must_confirm && !form.names(CONFIRMED) {
        return Ok(confirmation(&plan, &session.form_token(ctx), &form, false));
    }
    // The confirmation page lets the person choose pages: no choice means none, and not all of them.
    if form.names("chooses_pages") && !form.names("page") {
        return Ok(confirmation(&plan, &session.form_token(ctx), &form, true));
    }
    apply(ctx, &session, &plan).await?;
    Ok(reply::redirect(StatusCode::SEE_OTHER, done_address(ctx, &plan, &form).as_str()))
}

/// Back to the list, with what to tick.
fn nothing_selected(ctx: &RequestContext<'_>, form: &Parameters) -> Response {
    let action = form.single("action").unwrap_or_default();
    let url = note_address(ctx, &return_address(form), &[("nothing", action)], "connections");
    reply::redirect(StatusCode::SEE_OTHER, url.as_str())
}

/// An address of ours with a note for the page that it leads to, in place of the note that it had.
fn note_address(ctx: &RequestContext<'_>, address: &str, note: &[(&str, &str)], fragment: &str) -> Url {
    let mut url = Route::AdminPage.url(&ctx.app.config.public_url);
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    url.set_path(path);
    let kept: Vec<_> = form_urlencoded::parse(query.as_bytes())
        .filter(|(name, _)| !matches!(&**name, "done" | "app" | "pages" | "nothing"))
        .collect();
    url.query_pairs_mut().extend_pairs(kept).extend_pairs(note);
    url.set_fragment(Some(fragment));
    url
}

/// An action whose session has ended leads back to its confirmation page.
fn lead_back(ctx: &RequestContext<'_>, body: &[u8], error: PageError) -> PageError {
    let (PageError::SignedOut, Some(form)) = (&error, browser::form(ctx.head, body)) else { return error };
    if !form.names("action") {
        return error;
    }
    let names = ["action", "connection", SELECTED, EVERYBODY, "person", "page", "back"];
    let pairs = names.iter().flat_map(|name| form.all(name).map(move |value| (name, value)));
    super::session::return_address(&Route::AdminAction.address(pairs)).map_or(error, PageError::FormSignedOut)
}

/// The page of ours that the person came from, as far as it is one; the connection's own page ends with it.
fn return_address(parameters: &Parameters) -> String {
    let named = parameters.single("back").unwrap_or_default();
    let (path, query) = named.split_once('?').map_or((named, None), |(path, query)| (path, Some(query)));
    let is_ours = matches!(Route::find(path), Some(Route::AdminPage | Route::AdminConnection | Route::AdminBlocks));
    match query {
        _ if !is_ours => Route::AdminPage.path().to_owned(),
        Some(query) if Parameters::parse(query.as_bytes()).is_ok() => format!("{path}?{query}"),
        _ => path.to_owned(),
    }
}

/// The page that the person came from, at the row of the connection, with a note of what was done.
fn done_address(ctx: &RequestContext<'_>, plan: &ActionPlan, form: &Parameters) -> Url {
    let mut back = return_address(form);
    let has_ended = matches!(plan.action, Action::Revoke | Action::RevokeAll);
    if has_ended && back.starts_with(Route::AdminConnection.path()) {
        Route::AdminPage.path().clone_into(&mut back);
    }
    let path = back.split('?').next().unwrap_or_default();
    let fragment = match (&plan.targets[..], Route::find(path)) {
        ([only], Some(Route::AdminPage)) if !has_ended => row_id(&only.key),
        (_, Some(Route::AdminConnection)) => "connection".to_owned(),
        (_, Some(Route::AdminBlocks)) => "blocks".to_owned(),
        _ => "connections".to_owned(),
    };
    let note = [("done", plan.action.into()), ("app", &*plan.apps()), ("pages", &*plan.page_names())];
    note_address(ctx, &back, &note, &fragment)
}

/// The note of an action that led here. Only our own actions redirect here with it: another site's link must not claim that
/// something was done.
pub(super) fn done_note(ctx: &RequestContext<'_>, query: &Parameters) -> Markup {
    let is_ours = browser::comes_from_ourselves(ctx.head);
    let action = |name| query.single(name).filter(|_| is_ours).and_then(|action| action.parse::<Action>().ok());
    let (done, nothing) = (action("done"), action("nothing"));
    let text = |name, otherwise: &str| line(query.single(name).unwrap_or(otherwise), LONGEST_NAME);
    html! {
        @if let Some(action) = nothing { p.note.done role="alert" { (action.nothing_selected()) } }
        @if let Some(action) = done { p.note.good.done role="status" { (action.done(&text("app", "the app"), &text("pages", "the page"))) } }
    }
}

async fn apply(ctx: &RequestContext<'_>, session: &Session, plan: &ActionPlan) -> Result<(), PageError> {
    let db = ctx.db;
    let person = &session.viewer.person;
    let targets: Vec<ChangeTarget> = plan.targets.iter().flat_map(ActionTarget::changes).collect();
    let change = |kind| Change {
        id: AuditId::new(ctx.random_bytes()),
        created_at: ctx.now,
        kind,
        actor: &person.user_id,
        actor_name: &person.name,
        targets: &targets,
        request_id: ctx.request_id,
    };
    let change_writes = async |kind, setting| connections::change_writes(db, &change(kind), setting).await;
    match plan.action {
        Action::Revoke | Action::RevokeAll => {
            let clients: Vec<_> = plan.targets.iter().map(|target| &target.key.client_id).collect();
            grants::revoke_connections(db, &person.user_id, &clients, ctx.request_id, ctx.now).await?;
        }
        Action::Pause => change_writes(AuditKind::Pause, WriteSetting::Paused(true)).await?,
        Action::Resume => change_writes(AuditKind::Resume, WriteSetting::Paused(false)).await?,
        Action::ConfirmAlways => change_writes(AuditKind::Confirm, WriteSetting::Confirm(ConfirmMode::Always)).await?,
        // A person cannot go below what the environment demands, so `never` means the environment's own rule.
        Action::ConfirmAsUsual => change_writes(AuditKind::Confirm, WriteSetting::Confirm(ConfirmMode::Never)).await?,
        Action::Block => blocks::block(db, &change(AuditKind::PageBlock)).await?,
        Action::Unblock => blocks::unblock(db, &change(AuditKind::PageUnblock)).await?,
    }
    Ok(())
}
