//! Activity through the connector, on pages that keep audit logs: one page of the list as JSON and as a page of its own, and the newest
//! rows for the Hosted MCP page.

pub(in crate::web) mod export;
pub(super) mod filter;
mod item;
mod words;

use self::filter::{ActivityFilter, parse_position, write_position};
use self::item::ActivityItem;
use self::words::OUTCOMES;
use super::super::browser;
use super::super::context::RequestContext;
use super::super::page_error::PageError;
use super::super::reply::Response;
use super::super::routes::Route;
use super::connection_filter::cut;
use super::page::{admin_page, page_link};
use super::session::Viewer;
use super::view_model::AdminView;
use crate::model::ids::{PageId, UserId};
use crate::model::visible::line;
use crate::storage::activity::{self, ActivityActor, ActivityRow, COUNTED, Period};
use crate::upstream::identity::{AccessiblePage, AuditLogs};
use maud::{Markup, html};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use url::Url;

/// Longest shown title, in characters.
const LONGEST_TITLE: usize = 200;
/// Rows on the Hosted MCP page itself.
const NEWEST: usize = 8;
/// Links to auditing views that are shown unfolded.
const SHOWN_VIEWS: usize = 3;

/// The pages of a person by what StatiBeat says about their audit logs.
pub(super) struct AuditedPages {
    enabled: Vec<PageId>,
    /// Those of them that the person administers.
    administered: Vec<PageId>,
    disabled: Vec<PageId>,
    unknown: Vec<PageId>,
}

impl AuditedPages {
    pub fn new(pages: &[AccessiblePage]) -> Self {
        let with = |logs: AuditLogs| pages.iter().filter(move |page| page.audit_logs() == logs);
        let ids = |pages: &mut dyn Iterator<Item = &AccessiblePage>| pages.map(|page| page.id).collect();
        Self {
            enabled: ids(&mut with(AuditLogs::Enabled)),
            administered: ids(&mut with(AuditLogs::Enabled).filter(|page| page.is_administered())),
            disabled: ids(&mut with(AuditLogs::Disabled)),
            unknown: ids(&mut with(AuditLogs::Unknown)),
        }
    }

    /// The database query of a filter; `None` where no page keeps audit logs.
    fn query<'a>(
        &'a self,
        user_id: &'a UserId,
        filter: &'a ActivityFilter,
        period: Period,
    ) -> Option<activity::Query<'a>> {
        (!self.enabled.is_empty()).then(|| activity::Query {
            user_id,
            visible: &self.enabled,
            administered: &self.administered,
            person: filter.person.as_ref(),
            app: filter.app.as_deref(),
            client_id: filter.client_id.as_deref(),
            page: filter.page,
            outcome: filter.outcome.as_deref(),
            period,
            before: filter.before,
            limit: activity::PAGE_LENGTH + 1,
        })
    }

    /// The query of the rows on the Hosted MCP page.
    pub fn newest<'a>(&'a self, user_id: &'a UserId, any: &'a ActivityFilter) -> Option<activity::Query<'a>> {
        let query = self.query(user_id, any, Period::default())?;
        Some(activity::Query { limit: NEWEST, ..query })
    }
}

/// One page of the list.
#[derive(Serialize)]
pub(super) struct ActivityList {
    items: Vec<ActivityItem>,
    /// Rows that match, up to [`COUNTED`].
    total: usize,
    /// True if more match than were counted.
    has_more_than_total: bool,
    /// Position of the older rows; `None` on the last page.
    next: Option<String>,
    pages_without_audit_logs: Vec<PageId>,
    /// Pages of which StatiBeat didn't say whether they keep audit logs.
    pages_not_known: Vec<PageId>,
}

/// Loads the part of the activity that the filter asks for.
pub(super) async fn load(
    ctx: &RequestContext<'_>,
    viewer: &Viewer,
    pages: AuditedPages,
    filter: &ActivityFilter,
) -> Result<ActivityList, PageError> {
    let period = filter.period().map_err(|error| PageError::BadFilter(error.to_string()))?;
    let (mut rows, counted) = match pages.query(&viewer.person.user_id, filter, period) {
        Some(query) => activity::list(ctx.db, &query).await?,
        None => Default::default(),
    };
    Ok(ActivityList {
        next: cut(&mut rows, activity::PAGE_LENGTH).map(|last| write_position(last.position())),
        items: rows.into_iter().map(|row| ActivityItem::new(row, viewer)).collect(),
        total: counted.min(COUNTED),
        has_more_than_total: counted > COUNTED,
        pages_without_audit_logs: pages.disabled,
        pages_not_known: pages.unknown,
    })
}

/// The page of all activity, with its filters.
pub(in crate::web) async fn show(ctx: &RequestContext<'_>) -> Result<Response, PageError> {
    let query = browser::query(ctx.head).ok_or(PageError::NotFound)?;
    let view = AdminView::open(ctx, None).await?;
    let viewer = &view.session.viewer;
    let filter = ActivityFilter::parse(&query);
    let audited = AuditedPages::new(&view.accessible);
    let has_pages = !audited.enabled.is_empty();
    let actors = activity::list_actors(ctx.db, &viewer.person.user_id, &audited.administered).await?;
    let limits = limits(&view, &audited.disabled, &audited.unknown);
    let found = match load(ctx, viewer, audited, &filter).await {
        Ok(list) => Ok(list),
        Err(PageError::BadFilter(fault)) => Err(fault),
        Err(error) => return Err(error),
    };
    let body = html! {
        p { a href=(Route::AdminPage.path()) { "All connections" } }
        section.card aria-labelledby="activity" {
            h2 #activity { "Activity" }
            (limits)
            @if has_pages {
                (filters(&view, &filter, &actors))
                (results(&view, &filter, &found))
            }
            (auditing_views(&view, &filter))
        }
    };
    Ok(admin_page(&view, "Activity", &body))
}

fn results(view: &AdminView, filter: &ActivityFilter, found: &Result<ActivityList, String>) -> Markup {
    html! {
        @match found {
            Err(fault) => p.note role="alert" { (fault) " No activity is listed until then." },
            Ok(list) if list.items.is_empty() && filter.is_open() => p { "Nothing yet." },
            Ok(list) if list.items.is_empty() => p { "Nothing matches these filters." },
            Ok(list) => {
                p.soft { (count(list)) }
                (table(view, &list.items))
                (paging(list, filter))
                p.actions { a.button.small href=(filter.address(Route::AdminActivityExport, None)) { "Download these entries (CSV)" } }
            },
        }
    }
}

/// Says which part of the list is shown, and of how many.
fn count(list: &ActivityList) -> String {
    let (shown, total) = (list.items.len(), list.total);
    match total {
        _ if list.has_more_than_total => format!("{shown} of more than {total} entries, the newest first"),
        1 => "1 entry".to_owned(),
        _ if shown == total => format!("{total} entries, the newest first"),
        _ => format!("{shown} of {total} entries, the newest first"),
    }
}

/// The newest rows, for the Hosted MCP page.
pub(super) fn newest(view: &AdminView, pages: &AuditedPages, rows: Vec<ActivityRow>) -> Markup {
    let items: Vec<_> = rows.into_iter().map(|row| ActivityItem::new(row, &view.session.viewer)).collect();
    html! {
        section.card aria-labelledby="activity" {
            h2 #activity { "Recent activity" }
            (limits(view, &pages.disabled, &pages.unknown))
            @if !pages.enabled.is_empty() && items.is_empty() { p { "Nothing yet." } }
            @else if !pages.enabled.is_empty() {
                (table(view, &items))
                p.actions { a.button.small href=(Route::AdminActivity.path()) { "All activity" } }
            }
        }
    }
}

/// Says what the list does not contain.
fn limits(view: &AdminView, disabled: &[PageId], unknown: &[PageId]) -> Markup {
    html! {
            p.soft { "This lists what your apps post, connections that ended or weren't made, and refresh tokens that were sent twice. Reads are counted on the page of each connection, not listed." }
            @if !disabled.is_empty() {
                p.soft { "Audit logs are off for " (view.page_names(disabled)) ", so activity there isn't shown. An admin of the page can switch them on in StatiBeat." }
            }
            @if !unknown.is_empty() {
                p.soft { "StatiBeat didn't say whether audit logs are on for " (view.page_names(unknown)) ", so activity there isn't shown. Reload this page later." }
            }
    }
}

fn filters(view: &AdminView, filter: &ActivityFilter, actors: &[ActivityActor]) -> Markup {
    let mut people: BTreeMap<&UserId, &str> = actors.iter().map(|actor| (&actor.user_id, &*actor.user_name)).collect();
    let mut apps: BTreeSet<&str> = actors.iter().map(|actor| &*actor.client_name).collect();
    let unlisted = filter.person.as_ref().map(|person| (person, format!("User {person}")));
    people.extend(
        unlisted
            .iter()
            .filter(|(person, _)| !actors.iter().any(|actor| actor.user_id == **person))
            .map(|(person, name)| (*person, &**name)),
    );
    apps.extend(filter.app.as_deref());
    let mut people: Vec<(&UserId, &str)> = people.into_iter().collect();
    people.sort_by_key(|(_, name)| name.to_lowercase());
    html! {
        form.filters method="get" action=(Route::AdminActivity.path()) {
            label { "Person" select name="person" { option value="" { "Everybody" }
                @for (id, name) in people { option value=(id) selected[filter.person.as_ref() == Some(id)] { (name) } } } }
            label { "App" select name="app" { option value="" { "All" }
                @for app in apps { option value=(app) selected[filter.app.as_deref() == Some(app)] { (app) } } } }
            label { "Page" select name="page" { option value="" { "All" }
                @for page in &view.pages { option value=(page.id) selected[filter.page == Some(page.id)] { (page.name) } } } }
            label { "Outcome" select name="outcome" { option value="" { "All" }
                @for (value, name) in OUTCOMES { option value=(value) selected[filter.outcome.as_deref() == Some(value)] { (name) } } } }
            label { "From (UTC)" input type="date" name="from" value=[filter.from.as_deref()]; }
            label { "To (UTC)" input type="date" name="to" value=[filter.to.as_deref()]; }
            @if let Some(client) = &filter.client_id { input type="hidden" name="client" value=(client); }
            div.buttons {
                button.small type="submit" { "Show" }
                @if !filter.is_open() { a.button.small href=(Route::AdminActivity.path()) { "Show all" } }
            }
        }
        p.soft { "The lists name people and apps of connections that exist or ended in the last 90 days. For others, follow a name in the table." }
    }
}

fn table(view: &AdminView, items: &[ActivityItem]) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="List of activity" {
            table.activity {
                thead { tr { @for name in ["When", "Person", "App", "What", "Page", "Outcome"] { th scope="col" { (name) } } } }
                tbody { @for item in items { (row(view, item)) } }
            }
        }
    }
}

fn row(view: &AdminView, item: &ActivityItem) -> Markup {
    let of_person = ActivityFilter { person: Some(item.user_id.clone()), ..ActivityFilter::default() };
    let of_app = ActivityFilter { app: Some(item.client_name.clone()), ..ActivityFilter::default() };
    html! {
        tr {
            td { (view.clock.moment(item.created_at)) }
            td { a href=(of_person.address(Route::AdminActivity, None)) { @if item.is_own { "You" } @else { (item.person()) } } }
            td { a href=(of_app.address(Route::AdminActivity, None)) { (item.client_name) } @if let Some(owner) = item.owner() { br; span.soft { "of " (owner) } } }
            td { (what(item)) }
            @match item.page_id { Some(page) => td { (page_link(view, page)) }, None => td.none { "–" } }
            td {
                span.tag.(if item.outcome == "done" { "good" } else { "warn" }) { (words::outcome_label(&item.outcome)) }
                @if item.resolution.as_deref() == Some("done") { br; span.soft { "A later attempt found that it was published." } }
                @if let Some(detail) = words::detail(item) { br; span.soft { (detail) } }
            }
        }
    }
}

/// The action with its incident or maintenance, and the id to refer to it by.
fn what(item: &ActivityItem) -> Markup {
    let about = item.title.as_deref().map(|title| line(title, LONGEST_TITLE));
    let link = |name: &str, url: &Option<String>| {
        html! { @if let Some(url) = url { " · " a href=(url) rel="noreferrer" { (name) span.unseen { " of “" (about.as_deref().unwrap_or_default()) "”, " (item.created_at) } } } }
    };
    html! {
        (words::action(item))
        @if let Some(title) = &about { br; span.soft { "“" (title) "”" } }
        @if let Some(calls) = item.calls { br; span.soft { (calls) " calls, not listed one by one" } }
        @if let Some(id) = &item.target_id { br; span.soft { "No. " (id) (link("Open in StatiBeat", &item.admin_url)) (link("Public page", &item.public_url)) } }
        br; span.soft { "Audit ID " code { (item.id) } }
    }
}

fn paging(list: &ActivityList, filter: &ActivityFilter) -> Markup {
    let later = filter.before.is_some();
    let address = |before: Option<&str>| {
        let before = before.and_then(parse_position);
        filter.address(Route::AdminActivity, before)
    };
    html! {
        @if later || list.next.is_some() {
            nav.actions aria-label="Pages of the list" {
                @if later { a.button href=(address(None)) { "Newest" } }
                @if let Some(next) = &list.next { a.button href=(address(Some(next))) { "Older" } }
            }
        }
    }
}

/// Links to StatiBeat's own history, of the chosen page or of all.
fn auditing_views(view: &AdminView, filter: &ActivityFilter) -> Markup {
    let pages = view.accessible.iter().filter(|page| filter.page.is_none_or(|chosen| chosen == page.id));
    let views: Vec<(&str, Url)> = pages.filter_map(|page| Some((&*page.name, page.audit_url()?))).collect();
    let links = html! { @for (at, (name, url)) in views.iter().enumerate() { @if at > 0 { ", " } a href=(url) rel="noreferrer" { (name) } } };
    html! {
        @if views.len() > SHOWN_VIEWS { details { summary { "Auditing views in StatiBeat (" (views.len()) ")" } p { (links) } } }
        @else if !views.is_empty() { p.soft { "StatiBeat's auditing view has the deeper history: " (links) "." } }
    }
}
