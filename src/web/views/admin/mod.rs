//! The Hosted MCP page: what it shows to somebody signed in, and the small pages around it.

mod activity;
pub(in crate::web) mod advice;
mod connections;
mod diagnosis;
mod doctor;
mod picture;
mod setup;

use super::super::admin::{Action, Checkup, Connection, Plan};
use super::super::reply::{self, Response};
use super::super::routes::Route;
use super::time::{self, Clock};
use super::{frame, page};
use crate::ids::PageId;
use crate::oauth::client::allowed::{AllowedRedirects, BadEntry};
use crate::oauth::metadata::Endpoints;
use crate::storage::activity::Shown;
use crate::storage::calls::DayCount;
use crate::storage::connections::EndedConnection;
use crate::storage::refusals::Refusal;
use crate::storage::transactions::SignedIn;
use crate::upstream::identity::AccessiblePage;
use http::StatusCode;
use maud::{Markup, html};

/// Everything the page shows.
pub(in crate::web) struct Overview<'a> {
    /// Who is signed in.
    pub person: &'a SignedIn,
    /// What its forms carry.
    pub form_token: &'a str,
    /// The connector's addresses.
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
    /// What was done.
    pub activity: &'a ActivityList,
    /// Refused redirect URIs; for admins of a page.
    pub refusals: &'a [Refusal],
    /// Entries of the operator's list that cannot work; for admins of a page.
    pub bad_entries: &'a [BadEntry],
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
    /// To one page.
    pub page: Option<PageId>,
    /// To one client.
    pub client_id: Option<String>,
    /// To one outcome.
    pub outcome: Option<String>,
}

/// One page of the activity.
pub(in crate::web) struct ActivityList {
    /// Newest first.
    pub rows: Vec<Shown>,
    /// Where older rows are, if there are any.
    pub next: Option<String>,
    /// Whether newer rows were left out.
    pub is_later: bool,
    /// Pages that keep audit logs.
    pub visible: Vec<PageId>,
    /// Pages that do not.
    pub disabled: Vec<PageId>,
    /// Pages of which StatiBeat does not say.
    pub unknown: Vec<PageId>,
    /// How the list is narrowed.
    pub filter: Filter,
}

impl Overview<'_> {
    /// A page's name; its number if the person cannot see it any more.
    fn page_name(&self, id: PageId) -> String {
        let page = self.pages.iter().find(|page| page.id == id);
        page.map_or_else(|| format!("Page {id}"), |page| page.name.clone())
    }
}

/// The page of somebody signed in.
pub(in crate::web) fn overview(view: &Overview<'_>) -> Response {
    let body = html! {
        div.head {
            h1 { "Hosted MCP" }
            form.account method="post" action=(Route::AdminSignOut.path()) {
                (token(view.form_token))
                span.soft { (view.person.name) " · " (view.person.email) }
                button.small type="submit" { "Sign out" }
            }
        }
        (zone(view.clock))
        @if let Some(done) = view.done { p.note.good role="status" { (done_words(done)) } }
        (setup::connect(view))
        (connections::own(view))
        (connections::others(view))
        (activity::list(view))
        (diagnosis::section(view))
        (setup::details(view))
    };
    with_forms(frame(StatusCode::OK, "Hosted MCP", &html! {}, &html! { main.wide { (super::brand()) (body) } }))
}

/// The zone of all times, and a way to choose another.
fn zone(clock: &Clock) -> Markup {
    html! {
        details.zone {
            summary { "Times in " (clock.zone_name()) }
            form.filters method="get" action=(Route::AdminPage.path()) {
                label { "Time zone"
                    select name="zone" { @for name in time::zones() { option value=(name) selected[name == clock.zone_name()] { (name.replace('_', " ")) } } }
                }
                button.small type="submit" { "Use this zone" }
            }
        }
    }
}

const fn done_words(action: Action) -> &'static str {
    match action {
        Action::Revoke => "The connection is ended. Its tokens stopped working at once.",
        Action::RevokeAll => "All your connections are ended. Their tokens stopped working at once.",
        Action::Pause => "Writes are paused. The app can still read.",
        Action::Resume => "The app may post again.",
        Action::ConfirmAlways => "Every write of the app must be confirmed from now on.",
        Action::ConfirmAsUsual => "The app's writes are confirmed as usual here.",
        Action::Cut => "The app is cut off from your page. For it, the page no longer exists.",
        Action::Uncut => "The app can reach your page again, as far as its user's role allows.",
    }
}

/// For somebody who is not signed in.
pub(in crate::web) fn welcome(status: StatusCode) -> Response {
    let body = html! {
        h1 { "Hosted MCP" }
        p { "Connect Claude, Cursor, ChatGPT and other AI apps to your StatiBeat pages, see what they do, and end a connection at any time." }
        p.actions { a.button.main href=(Route::AdminSignIn.path()) { "Sign in with StatiBeat" } }
    };
    page(status, "Hosted MCP", &html! {}, &body)
}

/// After signing out.
pub(in crate::web) fn signed_out() -> Response {
    let another = format!("{}?account=choose", Route::AdminSignIn.path());
    let body = html! {
        h1 { "You are signed out" }
        p { "Your connections go on working. Your StatiBeat session itself is not ended here." }
        p.actions {
            a.button.main href=(Route::AdminSignIn.path()) { "Sign in again" }
            a.button href=(another) { "Use another account" }
        }
    };
    page(StatusCode::OK, "Signed out", &html! {}, &body)
}

/// When the connector is off in this environment.
pub(in crate::web) fn unavailable() -> Response {
    let body = html! {
        h1 { "Hosted MCP is not available here" }
        p { "The connector is not switched on in this environment, so there is nothing to connect or to look after." }
        p { "If you expected it, ask the people who run this environment to enable Hosted MCP." }
    };
    page(StatusCode::NOT_FOUND, "Hosted MCP is not available", &html! {}, &body)
}

/// Asks whether an action is meant.
pub(in crate::web) fn confirm(plan: &Plan, form_token: &str) -> Response {
    let target = &plan.targets[0];
    let (title, effect, button) = confirm_words(plan, target);
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
                a.button href=(Route::AdminPage.path()) { "Keep as it is" }
            }
        }
    };
    with_forms(page(StatusCode::OK, &title, &html! {}, &body))
}

fn confirm_words(plan: &Plan, target: &Connection) -> (String, String, &'static str) {
    let name = &target.client_name;
    let page = plan.page_name.as_deref().unwrap_or("this page");
    match plan.action {
        Action::Revoke => (
            format!("End the connection to {name}?"),
            "Its access ends at once, on every page and every computer. To use it again, connect it anew.".into(),
            "End the connection",
        ),
        Action::RevokeAll => (
            "End all your connections?".into(),
            "Access ends at once for all of these apps. To use one again, connect it anew.".into(),
            "End all connections",
        ),
        Action::Cut => (
            format!("Cut {name} of {} off from {page}?", target.user_name),
            format!(
                "The app can then neither read nor post on {page}, at once and also after connecting again. {} keeps their own role on the page.",
                target.user_name
            ),
            "Cut off",
        ),
        Action::Uncut => (
            format!("Let {name} of {} reach {page} again?", target.user_name),
            "It can then do there what its user's role and consent allow.".into(),
            "Let it in again",
        ),
        Action::Pause => (
            format!("Pause what {name} posts?"),
            "It can still read. Attempts to post are refused until you resume.".into(),
            "Pause writes",
        ),
        Action::ConfirmAlways => (
            format!("Confirm everything that {name} posts?"),
            "Each write is then confirmed: by you where the app can ask you, otherwise after a preview.".into(),
            "Confirm every write",
        ),
        Action::ConfirmAsUsual => (
            format!("Confirm what {name} posts as usual?"),
            "Its writes are then confirmed as everywhere here.".into(),
            "Confirm as usual",
        ),
        Action::Resume => (
            format!("Let {name} post again?"),
            "It can then post where your role and your consent allow.".into(),
            "Resume writes",
        ),
    }
}

/// The fields that name an action and its target.
fn action_fields(action: Action, target: Option<&Connection>) -> Markup {
    html! {
        input type="hidden" name="action" value=(action.as_str());
        @if let Some(target) = target {
            input type="hidden" name="client" value=(target.client_id);
            @if let Some((page, _)) = target.page {
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
fn action_button(view: &Overview<'_>, action: Action, target: Option<&Connection>, words: &str, about: &str) -> Markup {
    let is_confirmed = matches!(action, Action::Revoke | Action::RevokeAll | Action::Cut);
    let method = if is_confirmed { "get" } else { "post" };
    html! {
        form method=(method) action=(Route::AdminAction.path()) {
            @if !is_confirmed { (token(view.form_token)) }
            (action_fields(action, target))
            button.small type="submit" { (words) span.unseen { " " (about) } }
        }
    }
}

fn with_forms(mut response: Response) -> Response {
    reply::name_origin_to_ourselves(&mut response);
    response
}
