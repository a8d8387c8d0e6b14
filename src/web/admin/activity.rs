//! Activity through the connector, on pages that keep audit logs: the filter, one page of the list as JSON and as a page of its own,
//! and the newest rows for the Hosted MCP page.

use super::super::browser;
use super::super::context::RequestContext;
use super::super::page_error::PageError;
use super::super::reply::Response;
use super::super::routes::Route;
use super::connection_filter::cut;
use super::page::admin_page;
use super::session::Viewer;
use super::view_model::AdminView;
use super::wire::text;
use crate::model::ids::{PageId, UserId};
use crate::model::timestamp::Timestamp;
use crate::model::visible::line;
use crate::oauth::parameters::Parameters;
use crate::storage::activity::{self, ActivityRow, Position};
use crate::upstream::UserClient;
use crate::upstream::audit_logs::{self, AuditLogs};
use crate::upstream::identity::AccessiblePage;
use form_urlencoded::Serializer;
use maud::{Markup, html};
use serde::Serialize;

/// Pages whose audit settings are read; each costs one call to StatiBeat.
const ASKED_PAGES: usize = 20;
/// Longest shown title, in characters.
const LONGEST_TITLE: usize = 200;
/// Rows on the Hosted MCP page itself.
const NEWEST: usize = 8;

pub(super) struct Filter {
    page: Option<PageId>,
    client_id: Option<String>,
    outcome: Option<String>,
    before: Option<String>,
}

/// The requested part of the activity, and the pages by what StatiBeat says about their audit logs.
pub(super) struct ActivityRequest {
    filter: Filter,
    visible: Vec<PageId>,
    administered: Vec<PageId>,
    disabled: Vec<PageId>,
    unknown: Vec<PageId>,
}

#[derive(Serialize)]
pub(super) struct ActivityList {
    items: Vec<ActivityItem>,
    /// Position of the older rows; `None` on the last page.
    next: Option<String>,
    pages_without_audit_logs: Vec<PageId>,
    /// Pages whose audit settings StatiBeat did not return.
    pages_not_known: Vec<PageId>,
    #[serde(skip)]
    has_pages: bool,
    #[serde(skip)]
    filter: Filter,
}

/// Stored words are not parsed: a row may have been written by an older or newer version.
#[derive(Serialize)]
struct ActivityItem {
    #[serde(rename = "at", serialize_with = "text")]
    created_at: Timestamp,
    kind: String,
    outcome: String,
    client_name: String,
    is_own: bool,
    page_id: Option<PageId>,
    tool: Option<String>,
    title: Option<String>,
    target_id: Option<String>,
    detail: Option<String>,
    /// Number of refused calls that the row stands for.
    calls: Option<i64>,
}

impl ActivityItem {
    fn new(shown: ActivityRow, viewer: &Viewer) -> Self {
        let row = shown.row;
        Self {
            created_at: row.created_at,
            kind: row.kind,
            outcome: row.outcome,
            client_name: row.client_name,
            is_own: shown.user_id == viewer.person.user_id,
            page_id: row.page_id,
            tool: row.tool,
            title: row.title,
            target_id: row.target_id,
            detail: row.detail,
            calls: row.calls,
        }
    }
}

impl ActivityRequest {
    /// Reads the query, and asks StatiBeat which pages keep audit logs.
    pub async fn read(api: &UserClient<'_>, pages: &[AccessiblePage], query: &Parameters) -> Self {
        let logs = audit_logs::of_pages(api, &pages[..pages.len().min(ASKED_PAGES)]).await;
        let with = |wanted: AuditLogs| logs.iter().filter(move |(_, found)| *found == wanted).map(|(page, _)| *page);
        let is_administered = |id: &PageId| pages.iter().any(|page| page.id == *id && page.is_administered());
        let one = |name| query.one(name).ok().flatten().map(str::to_owned);
        Self {
            filter: Filter {
                page: one("page").as_deref().and_then(PageId::parse),
                client_id: one("client"),
                outcome: one("outcome"),
                before: one("before"),
            },
            visible: with(AuditLogs::Enabled).collect(),
            administered: with(AuditLogs::Enabled).filter(is_administered).collect(),
            disabled: with(AuditLogs::Disabled).collect(),
            unknown: with(AuditLogs::Unknown).collect(),
        }
    }

    /// The database query; `None` where no page keeps audit logs.
    pub fn query<'a>(&'a self, user_id: &'a UserId) -> Option<activity::Query<'a>> {
        (!self.visible.is_empty()).then(|| activity::Query {
            user_id,
            visible: &self.visible,
            administered: &self.administered,
            page: self.filter.page,
            client_id: self.filter.client_id.as_deref(),
            outcome: self.filter.outcome.as_deref(),
            before: self.filter.before.as_deref().and_then(parse_position),
        })
    }

    pub fn list(self, mut rows: Vec<ActivityRow>, viewer: &Viewer) -> ActivityList {
        let next = cut(&mut rows, activity::PAGE_LENGTH).map(|last| write_position(last.position()));
        ActivityList {
            items: rows.into_iter().map(|row| ActivityItem::new(row, viewer)).collect(),
            next,
            pages_without_audit_logs: self.disabled,
            pages_not_known: self.unknown,
            has_pages: !self.visible.is_empty(),
            filter: self.filter,
        }
    }
}

fn parse_position(text: &str) -> Option<Position> {
    let (created_at, row) = text.split_once('.')?;
    Some(Position { created_at: Timestamp::from_seconds(created_at.parse().ok()?), row: row.parse().ok()? })
}

fn write_position(position: Position) -> String {
    format!("{}.{}", position.created_at.as_seconds(), position.row)
}

/// The page of all activity, with its filters.
pub(in crate::web) async fn show(ctx: &RequestContext<'_>) -> Result<Response, PageError> {
    let query = browser::query(ctx.head).ok_or(PageError::NotFound)?;
    let view = AdminView::open(ctx, None).await?;
    let viewer = &view.session.viewer;
    let list = load(ctx, viewer, &view.accessible, &query).await?;
    let body = html! {
        p { a href=(Route::AdminPage.path()) { "All connections" } }
        section.card aria-labelledby="activity" {
            h2 #activity { "Activity" }
            (limits(&view, &list))
            @if list.has_pages {
                (filters(&view, &list.filter))
                @if list.items.is_empty() { p { "Nothing matches these filters." } } @else { (table(&view, &list.items)) }
                (paging(&list))
            }
        }
    };
    Ok(admin_page(&view, "Activity", &body))
}

/// Loads the part of the activity that the query asks for.
pub(super) async fn load(
    ctx: &RequestContext<'_>,
    viewer: &Viewer,
    pages: &[AccessiblePage],
    query: &Parameters,
) -> Result<ActivityList, PageError> {
    let wanted = ActivityRequest::read(&viewer.api(ctx), pages, query).await;
    let rows = match wanted.query(&viewer.person.user_id) {
        Some(query) => activity::list(ctx.db, &query).await?,
        None => Vec::new(),
    };
    Ok(wanted.list(rows, viewer))
}

/// The newest rows, for the Hosted MCP page.
pub(super) fn newest(view: &AdminView, list: &ActivityList) -> Markup {
    html! {
        section.card aria-labelledby="activity" {
            h2 #activity { "Recent activity" }
            (limits(view, list))
            @if list.has_pages && list.items.is_empty() { p { "Nothing yet." } }
            @else if list.has_pages {
                (table(view, &list.items[..list.items.len().min(NEWEST)]))
                p.actions { a.button.small href=(Route::AdminActivity.path()) { "All activity" } }
            }
        }
    }
}

/// Says what the list does not contain.
fn limits(view: &AdminView, list: &ActivityList) -> Markup {
    let names = |pages: &[PageId]| view.page_names(pages);
    let (disabled, unknown) = (&list.pages_without_audit_logs, &list.pages_not_known);
    html! {
            p.soft { "This lists what your apps post, connections that ended or weren't made, and refresh tokens that were sent twice. Reads are counted on the page of each connection, not listed." }
            @if !disabled.is_empty() {
                p.soft { "Audit logs are off for " (names(disabled)) ", so activity there isn't shown. An admin of the page can switch them on in StatiBeat." }
            }
            @if !unknown.is_empty() {
                p.soft { "StatiBeat didn't say whether audit logs are on for " (names(unknown)) ", so activity there isn't shown. Reload this page later." }
            }
    }
}

/// Stored outcomes with their labels.
const OUTCOMES: [(&str, &str); 8] = [
    ("done", "Done"),
    ("replayed", "Already done"),
    ("previewed", "Previewed"),
    ("declined", "Declined"),
    ("refused", "Refused"),
    ("limited", "Rate limited"),
    ("failed", "Failed"),
    ("unknown", "Unknown"),
];

fn filters(view: &AdminView, filter: &Filter) -> Markup {
    let options = |chosen: &Option<String>, choices: &[(&str, &str)]| {
        html! { @for (value, name) in choices { option value=(value) selected[chosen.as_deref() == Some(value)] { (name) } } }
    };
    html! {
        form.filters method="get" action=(Route::AdminActivity.path()) {
            label { "Page"
                select name="page" {
                    option value="" { "All" }
                    @for page in &view.pages { option value=(page.id) selected[filter.page == Some(page.id)] { (page.name) } }
                }
            }
            label { "App" input type="search" name="client" value=[filter.client_id.as_deref()] autocomplete="off"; }
            label { "Outcome" select name="outcome" { option value="" { "All" } (options(&filter.outcome, &OUTCOMES)) } }
            button.small type="submit" { "Show" }
        }
    }
}

fn table(view: &AdminView, items: &[ActivityItem]) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label="List of activity" {
            table.activity {
                thead { tr { @for name in ["When", "App", "What", "Page", "Outcome"] { th scope="col" { (name) } } } }
                tbody { @for item in items { (row(view, item)) } }
            }
        }
    }
}

fn row(view: &AdminView, item: &ActivityItem) -> Markup {
    let outcome = OUTCOMES.iter().find(|(word, _)| *word == item.outcome).map_or(&*item.outcome, |(_, name)| *name);
    html! {
        tr {
            td { (view.clock.moment(item.created_at)) }
            td { (item.client_name) @if !item.is_own { br; span.soft { "of somebody else" } } }
            td {
                (kind_words(&item.kind, item.tool.as_deref()))
                @if let Some(title) = &item.title { br; span.soft { "“" (line(title, LONGEST_TITLE)) "”" } }
                @if let Some(calls) = item.calls { br; span.soft { (calls) " calls, not listed one by one" } }
                @if item.kind == "write" && let Some(id) = &item.target_id { br; span.soft { "No. " (id) } }
            }
            @match item.page_id { Some(page) => td { (view.page_name(page)) }, None => td.none { "–" } }
            td {
                span.tag.(if item.outcome == "done" { "good" } else { "warn" }) { (outcome) }
                @if let Some(detail) = &item.detail { br; span.soft { (detail_words(detail)) } }
            }
        }
    }
}

/// Says what was done; a kind from a newer version is shown as stored.
fn kind_words(kind: &str, tool: Option<&str>) -> String {
    let words = match (kind, tool) {
        ("write", Some(tool)) => {
            let mut rest = tool.chars();
            let first = rest.next().map(char::to_uppercase).into_iter().flatten();
            return first.chain(rest).collect::<String>().replace('_', " ");
        }
        ("revoke", _) => "Connection ended",
        ("pause", _) => "Writes paused",
        ("resume", _) => "Writes resumed",
        ("confirm", _) => "Confirmation of writes changed",
        ("unrecorded", _) => "More calls that were refused or only looked",
        ("page_block", _) => "Blocked on the page",
        ("page_unblock", _) => "Unblocked on the page",
        ("approval", _) => "Connection not made",
        ("access_token_revoke", _) => "Access token revoked",
        ("refresh_reuse_in_grace_period", _) => "Refresh token sent twice",
        (other, _) => other,
    };
    words.to_owned()
}

/// Explains a stored detail; a detail from a newer version is shown as stored.
fn detail_words(detail: &str) -> String {
    let words = match detail {
        "user" => "by its user",
        "client" => "by the app itself",
        "scope" => "not granted to this app",
        "page" => "on a page that the app or its user can't access",
        "role" => "not allowed by the role on the page",
        "user_disabled" | "user_ended" => "account disabled",
        "code_replay" => "authorization code used twice",
        "refresh_reuse" => "refresh token used twice",
        "no_page" => "the account has no access to any page",
        "answers" => "too many answers to the consent page",
        "client_not_listed" => "the app was removed from the list of approved apps",
        other => return other.replace('_', " "),
    };
    words.to_owned()
}

fn paging(list: &ActivityList) -> Markup {
    let is_later = list.filter.before.is_some();
    html! {
        @if is_later || list.next.is_some() {
            nav.actions aria-label="Pages of the list" {
                @if is_later { a.button href=(address(&list.filter, None)) { "Newest" } }
                @if let Some(next) = &list.next { a.button href=(address(&list.filter, Some(next))) { "Older" } }
            }
        }
    }
}

fn address(filter: &Filter, before: Option<&str>) -> String {
    let page = filter.page.map(|page| page.to_string());
    let mut query = Serializer::new(String::new());
    for (name, value) in [
        ("page", page.as_deref()),
        ("client", filter.client_id.as_deref()),
        ("outcome", filter.outcome.as_deref()),
        ("before", before),
    ] {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    format!("{}?{}", Route::AdminActivity.path(), query.finish())
}
