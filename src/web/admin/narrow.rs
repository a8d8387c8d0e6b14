//! Narrows one approval of an own connection: fewer scopes, fewer pages, an earlier end. The form offers only what the approval has,
//! and a form that asks for more is refused.

use super::super::browser;
use super::super::context::RequestContext;
use super::super::layout::{lifetime_label, page};
use super::super::page_error::PageError;
use super::super::reply::{self, Response};
use super::super::routes::Route;
use super::action::{address, hidden, idle_button, stay_after_enter};
use super::session::{Session, token_field};
use super::view_model::{AdminView, load_connection};
use crate::model::ids::GrantId;
use crate::model::scope::{Scope, ScopeSet};
use crate::oauth::access_limits::{AccessLimits, NarrowingError};
use crate::oauth::client::ClientId;
use crate::oauth::grant::{GrantLifetime, PageChoice};
use crate::oauth::parameters::Parameters;
use crate::storage::audit::{AuditId, AuditKind, Entry};
use crate::storage::connections::{ApprovedAccess, ConnectionKey};
use crate::storage::narrowing;
use crate::upstream::identity::AccessiblePage;
use http::StatusCode;
use maud::{Markup, html};

/// Value of `end` that leaves the end as it is.
const SAME_END: &str = "same";

/// An approval that the form is about.
struct NarrowedApproval {
    key: ConnectionKey,
    client_name: String,
    approved: ApprovedAccess,
}

/// The address of the form.
pub(super) fn form_address(client_id: &ClientId, grant_id: &GrantId) -> String {
    Route::AdminNarrow.address([("client", client_id.as_str()), ("grant", grant_id.as_str())])
}

pub(in crate::web) async fn show(ctx: &RequestContext<'_>) -> Result<Response, PageError> {
    let query = browser::query(ctx.head).ok_or(PageError::NotFound)?;
    let view = AdminView::open(ctx, None).await?;
    let found = find(ctx, &view, &query).await?;
    let limits = found.limits();
    Ok(render(ctx, &view, &found, &limits, None))
}

pub(in crate::web) async fn perform(ctx: &RequestContext<'_>, body: &[u8]) -> Result<Response, PageError> {
    let (session, form) = Session::of_form(ctx, body).await.map_err(|error| lead_back(ctx, body, error))?;
    if let Some(response) = stay_after_enter(&form) {
        return Ok(response);
    }
    let view = AdminView::of_session(ctx, session, None).await?;
    let found = find(ctx, &view, &form).await?;
    let limits = found.read(ctx, &form);
    if let Err(error) = found.limits().check_narrower(&limits) {
        return Ok(render(ctx, &view, &found, &limits, Some(error)));
    }
    let person = &view.session.viewer.person;
    let id = AuditId::new(ctx.random_bytes());
    let entry = Entry {
        user_id: Some(&person.user_id),
        grant_id: Some(&found.approved.grant_id),
        ..ctx.audit_entry(id, AuditKind::Narrow, &found.key.client_id, &found.client_name)
    };
    let is_narrowed = limits != found.limits() && narrowing::narrow(ctx.db, &person.user_id, &limits, &entry).await?;
    let note = if is_narrowed { "&narrowed=1" } else { "" };
    let location = format!("{}{}{note}#approvals", ctx.app.config.issuer, address(&found.key));
    Ok(reply::redirect(StatusCode::SEE_OTHER, &location))
}

/// The note of a narrowing that led here; only from a page of ours, because another site's link must not claim that.
pub(super) fn done_note(ctx: &RequestContext<'_>, query: &Parameters) -> Markup {
    let is_done = query.one("narrowed") == Ok(Some("1")) && browser::comes_from_ourselves(ctx.head);
    html! { @if is_done { p.note.good.done role="status" { "The approval is narrowed. That counts from the app's next call on." } } }
}

/// A form whose session has ended leads back to the form.
fn lead_back(ctx: &RequestContext<'_>, body: &[u8], error: PageError) -> PageError {
    let (PageError::SignedOut, Some(form)) = (&error, browser::form(ctx.head, body)) else { return error };
    match parse(&form) {
        Some((client_id, grant_id)) => PageError::FormSignedOut(form_address(&client_id, &grant_id)),
        None => error,
    }
}

fn parse(parameters: &Parameters) -> Option<(ClientId, GrantId)> {
    Some((ClientId::parse(parameters.single("client")?)?, GrantId::parse(parameters.single("grant")?)?))
}

/// Finds the live approval of the viewer that the parameters name.
async fn find(
    ctx: &RequestContext<'_>,
    view: &AdminView,
    parameters: &Parameters,
) -> Result<NarrowedApproval, PageError> {
    let (client_id, grant_id) = parse(parameters).ok_or(PageError::NotFound)?;
    let viewer = &view.session.viewer;
    let key = ConnectionKey { user_id: viewer.person.user_id.clone(), client_id };
    let connection = load_connection(ctx, viewer, &view.accessible, &key).await?.connection;
    let approved = connection.approvals.into_iter().find(|approved| approved.grant_id == grant_id);
    let approved = approved.ok_or(PageError::NotFound)?;
    Ok(NarrowedApproval { key, client_name: connection.client_name, approved })
}

impl NarrowedApproval {
    fn limits(&self) -> AccessLimits {
        let ApprovedAccess { scopes, pages, expires_at, .. } = &self.approved;
        AccessLimits { scopes: *scopes, pages: pages.clone(), expires_at: *expires_at }
    }

    /// The limits that a form asks for, of any width.
    fn read(&self, ctx: &RequestContext<'_>, form: &Parameters) -> AccessLimits {
        let ticked: ScopeSet = form.all("scope").filter_map(Scope::parse).collect();
        let lifetime = form.single("end").and_then(GrantLifetime::parse);
        let end = lifetime.and_then(|lifetime| lifetime.end(ctx.now));
        AccessLimits { scopes: ticked, pages: PageChoice::read(form), expires_at: end.or(self.approved.expires_at) }
    }

    /// The pages to choose among: those of the approval that the person can see.
    fn choices<'a>(&self, accessible: &'a [AccessiblePage]) -> Vec<&'a AccessiblePage> {
        accessible.iter().filter(|page| self.approved.pages.contains(page.id)).collect()
    }
}

fn render(
    ctx: &RequestContext<'_>,
    view: &AdminView,
    found: &NarrowedApproval,
    chosen: &AccessLimits,
    error: Option<NarrowingError>,
) -> Response {
    let title = format!("Narrow what {} may do?", found.client_name);
    let body = html! {
        h1 { (title) }
        p { "Untick what this approval of " (view.clock.day(found.approved.created_at)) " should no longer allow. To allow more, connect the app again from the app." }
        @match error {
            Some(NarrowingError::Nothing) => { p.note role="alert" { "Nothing was changed: keep at least one permission and one page. To take everything, end the connection." } }
            Some(NarrowingError::Wider) => { p.note role="alert" { "Nothing was changed: this asks for more than the approval allows." } }
            None => {}
        }
        form method="post" action=(Route::AdminNarrow.path()) {
            (idle_button())
            (token_field(&view.form_token))
            (hidden("client", found.key.client_id.as_str()))
            (hidden("grant", found.approved.grant_id.as_str()))
            fieldset {
                legend { "It may" }
                @for scope in found.approved.scopes.iter() {
                    label.choice { input type="checkbox" name="scope" value=(scope.as_str()) checked[chosen.scopes.contains(scope)]; span { (scope.consent_sentence()) } }
                }
            }
            (pages(found, &view.accessible, chosen))
            (ends(ctx, found))
            div.actions {
                button.main type="submit" { "Narrow the approval" }
                a.button href=(address(&found.key)) { "Cancel" }
            }
        }
    };
    let status = if error.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let mut response = page(status, &title, &body);
    reply::name_origin_to_ourselves(&mut response);
    response
}

/// The page boxes; "all pages" only where the approval has that. The style sheet hides the list while "all" is chosen.
fn pages(found: &NarrowedApproval, accessible: &[AccessiblePage], chosen: &AccessLimits) -> Markup {
    let was_all = found.approved.pages == PageChoice::All;
    let is_all = chosen.pages == PageChoice::All;
    html! {
        fieldset.pages {
            legend { "On which pages" }
            @if was_all {
                label.choice { input type="radio" name="pages" value="all" checked[is_all]; span { "All pages I can see, now and later" } }
                label.choice { input.these type="radio" name="pages" value="these" checked[!is_all]; span { "Only these pages" } }
            }
            div.list role="group" aria-label="Pages" {
                @for page in found.choices(accessible) {
                    label.choice { input type="checkbox" name="page" value=(page.id) checked[!is_all && chosen.pages.contains(page.id)]; span { (page.name) } }
                }
            }
        }
    }
}

/// The ends that come before the approval's own.
fn ends(ctx: &RequestContext<'_>, found: &NarrowedApproval) -> Markup {
    let is_earlier = |lifetime: &GrantLifetime| {
        lifetime.end(ctx.now).is_some_and(|end| found.approved.expires_at.is_none_or(|own| end < own))
    };
    html! {
        fieldset {
            legend { "For how long" }
            div.row {
                label.choice { input type="radio" name="end" value=(SAME_END) checked; span { "As it is" } }
                @for lifetime in GrantLifetime::CHOICES.into_iter().filter(is_earlier) {
                    label.choice { input type="radio" name="end" value=(lifetime); span { (lifetime_label(lifetime)) } }
                }
            }
        }
    }
}
