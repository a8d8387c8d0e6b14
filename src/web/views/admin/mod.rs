//! The Hosted MCP page: what it shows to somebody signed in, and the small pages around it.

mod activity;
mod connections;
mod doctor;
mod picture;
mod setup;

use super::super::admin::{Action, Checkup, Connection, Plan, Target};
use super::super::reply::{self, Response};
use super::super::routes::Route;
use super::super::text;
use super::super::text::actions::{About, Question};
use super::time::{self, Clock};
use super::{Place, Problem, frame, page, problem_at};
use crate::model::ids::PageId;
use crate::oauth::client::allowed::AllowedRedirects;
use crate::oauth::metadata::Endpoints;
use crate::storage::activity::Shown;
use crate::storage::authorization_requests::SignedIn;
use crate::storage::blocks::Block;
use crate::storage::calls::DayCount;
use crate::storage::connections::EndedConnection;
use crate::upstream::identity::AccessiblePage;
use http::StatusCode;
use maud::{Markup, html};

pub(in crate::web) struct Overview<'a> {
    pub person: &'a SignedIn,
    pub form_token: &'a str,
    pub endpoints: &'a Endpoints,
    /// The web clients that the operator approved.
    pub approved: &'a AllowedRedirects,
    /// The pages that the person can see.
    pub pages: &'a [AccessiblePage],
    /// The person's own connections, each with what the doctor found.
    pub connections: &'a [(Connection, Checkup)],
    /// Those that ended of late.
    pub ended: &'a [EndedConnection],
    /// Other people's, page by page.
    pub others: &'a [Connection],
    /// Blocks on pages that the person administers.
    pub blocks: &'a [Block],
    pub activity: &'a ActivityList,
    /// Calls of the own connections.
    pub counts: &'a [DayCount],
    /// The first day of the picture.
    pub first_day: i64,
    /// How many days it has.
    pub days: i64,
    /// What was done a moment ago.
    pub done: Option<Action>,
    /// The time, and the zone that times are told in.
    pub clock: &'a Clock,
}

/// How the activity is narrowed.
pub(in crate::web) struct Filter {
    pub page: Option<PageId>,
    pub client_id: Option<String>,
    pub outcome: Option<String>,
}

/// One page of the activity.
pub(in crate::web) struct ActivityList {
    pub rows: Vec<Shown>,
    /// Where older rows are, if there are any.
    pub next: Option<String>,
    /// Whether newer rows were left out.
    pub is_later: bool,
    /// Pages that keep audit logs.
    pub visible: Vec<PageId>,
    pub disabled: Vec<PageId>,
    /// Pages of which StatiBeat does not say.
    pub unknown: Vec<PageId>,
    /// How the list is narrowed.
    pub filter: Filter,
}

impl ActivityList {
    /// Whether there is nothing, though nothing was left out.
    fn is_bare(&self) -> bool {
        let Filter { page, client_id, outcome } = &self.filter;
        let is_given = |word: &Option<String>| word.as_deref().is_some_and(|word| !word.is_empty());
        let is_narrowed = page.is_some() || is_given(client_id) || is_given(outcome) || self.is_later;
        self.rows.is_empty() && !self.visible.is_empty() && !is_narrowed
    }
}

impl Overview<'_> {
    /// A page's name; its number if the person cannot see it any more.
    fn page_name(&self, id: PageId) -> String {
        let page = self.pages.iter().find(|page| page.id == id);
        page.map_or_else(|| text::connections::page(id), |page| page.name.clone())
    }

    fn page_names<'a>(&self, ids: impl IntoIterator<Item = &'a PageId>) -> String {
        let names: Vec<String> = ids.into_iter().map(|id| self.page_name(*id)).collect();
        text::list(&names.iter().map(String::as_str).collect::<Vec<_>>())
    }
}

/// The page of somebody signed in.
pub(in crate::web) fn overview(view: &Overview<'_>) -> Response {
    let body = html! {
        div.head {
            h1 { (text::HOSTED_MCP) }
            form.account method="post" action=(Route::AdminSignOut.path()) {
                (token(view.form_token))
                span.soft { (text::pages::account(&view.person.name, &view.person.email)) }
                button.small type="submit" { (text::pages::SIGN_OUT) }
            }
        }
        (zone(view.clock))
        @if let Some(done) = view.done { p.note.good role="status" { (text::actions::done(done)) } }
        // Whoever has connected something comes to look after it; a newcomer, to connect.
        @if view.connections.is_empty() { (setup::connect(view)) (connections::own(view)) }
        @else { (connections::own(view)) (setup::connect(view)) }
        (connections::others(view))
        (connections::blocks(view))
        (activity::list(view))
        (setup::details(view))
    };
    with_forms(frame(StatusCode::OK, text::HOSTED_MCP, &html! {}, &html! { main.wide { (super::brand()) (body) } }))
}

/// The zone of all times, and a way to choose another.
fn zone(clock: &Clock) -> Markup {
    html! {
        details.zone {
            summary { (text::pages::times_in(clock.zone_name())) }
            form.filters method="get" action=(Route::AdminPage.path()) {
                label { (text::pages::TIME_ZONE)
                    select name="zone" { @for name in time::zones() { option value=(name) selected[name == clock.zone_name()] { (name.replace('_', " ")) } } }
                }
                button.small type="submit" { (text::pages::USE_ZONE) }
            }
        }
    }
}

/// For somebody who is not signed in.
pub(in crate::web) fn welcome(status: StatusCode) -> Response {
    let body = html! {
        h1 { (text::HOSTED_MCP) }
        p { (text::pages::WELCOME) }
        p.actions { a.button.main href=(Route::AdminSignIn.path()) { (text::pages::SIGN_IN) } }
    };
    page(status, text::HOSTED_MCP, &html! {}, &body)
}

pub(in crate::web) fn signed_out() -> Response {
    let another = format!("{}?account=choose", Route::AdminSignIn.path());
    let body = html! {
        h1 { (text::pages::SIGNED_OUT) }
        p { (text::pages::SIGNED_OUT_MEANS) }
        p.actions {
            a.button.main href=(Route::AdminSignIn.path()) { (text::pages::SIGN_IN_AGAIN) }
            a.button href=(another) { (text::pages::ANOTHER_ACCOUNT) }
        }
    };
    page(StatusCode::OK, text::pages::SIGNED_OUT_TITLE, &html! {}, &body)
}

/// A problem at the page, or on the way to it.
pub(in crate::web) fn problem(status: StatusCode, problem: &Problem<'_>) -> Response {
    problem_at(Place::HostedMcpPage, status, problem)
}

/// When the connector is off in this environment.
pub(in crate::web) fn unavailable() -> Response {
    let body = html! {
        h1 { (text::pages::UNAVAILABLE) }
        p { (text::pages::UNAVAILABLE_MEANS) }
        p { (text::pages::UNAVAILABLE_ADVICE) }
    };
    page(StatusCode::NOT_FOUND, text::pages::UNAVAILABLE_TITLE, &html! {}, &body)
}

/// Asks whether an action is meant.
pub(in crate::web) fn confirm(plan: &Plan, form_token: &str) -> Response {
    let target = &plan.targets[0];
    let about = About {
        client: &target.client_name,
        person: &target.user_name,
        page: plan.page_name.as_deref(),
        is_loopback: target.is_loopback,
    };
    let Question { title, effect, button } = text::actions::question(plan.action, &about);
    let body = html! {
        h1 { (title) }
        p { (effect) }
        @if plan.action == Action::RevokeAll {
            ul { @for target in &plan.targets { li { (target.client_name) } } }
        }
        form method="post" action=(Route::AdminAction.path()) {
            (token(form_token))
            (action_fields(plan.action, (plan.action != Action::RevokeAll).then_some(target)))
            div.actions {
                button.danger type="submit" { (button) }
                a.button href=(Route::AdminPage.path()) { (text::actions::KEEP) }
            }
        }
    };
    with_forms(page(StatusCode::OK, &title, &html! {}, &body))
}

/// The fields that name an action and its target.
fn action_fields(action: Action, target: Option<&Target>) -> Markup {
    html! {
        input type="hidden" name="action" value=(action.as_str());
        @if let Some(target) = target {
            input type="hidden" name="client" value=(target.client_id);
            @if let Some(page) = target.page_id {
                input type="hidden" name="page" value=(page);
                input type="hidden" name="user" value=(target.user_id);
            }
        }
    }
}

fn token(form_token: &str) -> Markup {
    html! { input type="hidden" name="token" value=(form_token); }
}

/// A button that does something at once, or leads to its confirmation.
fn action_button(view: &Overview<'_>, action: Action, target: Option<&Target>, about: &str) -> Markup {
    let is_confirmed = matches!(action, Action::Revoke | Action::RevokeAll | Action::Block);
    let method = if is_confirmed { "get" } else { "post" };
    html! {
        form method=(method) action=(Route::AdminAction.path()) {
            @if !is_confirmed { (token(view.form_token)) }
            (action_fields(action, target))
            button.small.ends[is_confirmed] type="submit" { (text::actions::button(action)) span.unseen { " " (about) } }
        }
    }
}

fn with_forms(mut response: Response) -> Response {
    reply::name_origin_to_ourselves(&mut response);
    response
}
