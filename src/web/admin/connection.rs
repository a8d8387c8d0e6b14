//! The page of one connection: what it may do, its usage and its health.

use super::super::browser;
use super::super::context::RequestContext;
use super::super::layout::{NAMED, destination, trust_label};
use super::super::page_error::PageError;
use super::super::reply::Response;
use super::super::routes::Route;
use super::action::{self, Action, ActionLink, coverage, row_id};
use super::actions::done_note;
use super::diagnosis::{CheckResult, Diagnosis, DiagnosticCheck, ScopeCheck};
use super::effective_access::Posting;
use super::page::admin_page;
use super::time;
use super::view_model::{AdminView, ConnectionDetails, ConnectionSummary, DAYS, DayCalls, load_connection};
use crate::mcp::protocol_version::ProtocolVersion;
use crate::model::ids::UserId;
use crate::oauth::client::ClientId;
use crate::oauth::grant::PageChoice;
use crate::oauth::parameters::Parameters;
use crate::storage::connections::ConnectionKey;
use crate::storage::usage::CallOutcome;
use form_urlencoded::Serializer;
use maud::{Markup, html};

pub(in crate::web) async fn show(ctx: &RequestContext<'_>) -> Result<Response, PageError> {
    let query = browser::query(ctx.head).ok_or(PageError::NotFound)?;
    let key = parse_key(&query).ok_or(PageError::NotFound)?;
    let view = AdminView::open(ctx, None).await?;
    let found = load_connection(ctx, &view.session.viewer, &view.accessible, &key).await?;
    let title = name(&found.connection);
    let body = html! {
        p { a href={ (Route::AdminPage.path()) "#" (row_id(&key)) } { "All connections" } }
        (done_note(ctx, &query))
        (section(&view, &found))
    };
    Ok(admin_page(&view, &title, &body))
}

/// The app, and whose it is.
fn name(connection: &ConnectionSummary) -> String {
    if connection.is_own {
        connection.client_name.clone()
    } else {
        format!("{} of {}", connection.client_name, connection.user_name)
    }
}

/// The address of the page of a connection.
pub(super) fn address(key: &ConnectionKey) -> String {
    let query = Serializer::new(String::new())
        .append_pair("user", key.user_id.as_str())
        .append_pair("client", key.client_id.as_str())
        .finish();
    format!("{}?{query}", Route::AdminConnection.path())
}

pub(super) fn parse_key(query: &Parameters) -> Option<ConnectionKey> {
    let one = |name| query.one(name).ok().flatten();
    Some(ConnectionKey { user_id: UserId::parse(one("user")?)?, client_id: ClientId::parse(one("client")?)? })
}

/// Settings and blocks that restrict the connection.
pub(super) fn tags(connection: &ConnectionSummary) -> Markup {
    let blocked = connection.diagnosis.blocked_pages.len();
    html! {
        @if connection.are_writes_paused && connection.diagnosis.result != CheckResult::Paused { " " span.tag.calm { "Writes paused" } }
        @if connection.confirms_always { " " span.tag.calm { "Every write confirmed" } }
        @if blocked > 0 { " " span.tag { @if connection.is_blocked_everywhere() { "Blocked" } @else if blocked == 1 { "Blocked on 1 page" } @else { "Blocked on " (blocked) " pages" } } }
    }
}

fn section(view: &AdminView, found: &ConnectionDetails) -> Markup {
    let connection = &found.connection;
    html! {
        section.card aria-labelledby="connection" {
            h2 #connection tabindex="-1" {
                (name(connection))
                @if !connection.trust.is_verified() { " " span.tag.warn { (trust_label(connection.trust)) } }
                (tags(connection))
            }
            dl.details {
                @if !connection.is_own { dt { "Person" } dd { (connection.user_name) } }
                dt { "Access went to" } dd { (destination(&connection.redirect_host)) }
                dt { "Access" } dd { (access(view, connection)) }
                @if connection.is_own { dt { "Pages" } dd { (pages(view, &connection.pages)) } }
                dt { "Since" } dd { (view.clock.day(connection.connected_at)) }
                dt { "Last used" } dd { (last_used(view, connection)) }
                dt { "Ends" } dd { (end(view, connection)) }
            }
            div.actions { (buttons(view, connection)) }
            @if !connection.is_own { (page_blocks(view, connection)) }
            (picture(found))
            (diagnosis(view, connection))
            p { a href=(activity_address(connection)) { "Activity of this app" } }
        }
    }
}

fn activity_address(connection: &ConnectionSummary) -> String {
    let query = Serializer::new(String::new()).append_pair("client", connection.client_id.as_str()).finish();
    format!("{}?{query}", Route::AdminActivity.path())
}

fn buttons(view: &AdminView, connection: &ConnectionSummary) -> Markup {
    let (key, about) = ([connection.key()], format!("({})", name(connection)));
    let back = address(&key[0]);
    let link = |action| ActionLink { action, connections: &key, page: None, back: Some(&back) };
    let button = |action| action::button(&view.form_token, &link(action), &about);
    html! {
        @if !connection.is_own {
            @if !connection.is_blocked_everywhere() { (action::link(&link(Action::Block), &about)) }
        } @else {
            @if connection.are_writes_paused { (button(Action::Resume)) }
            @else if connection.may_write() { (button(Action::Pause)) }
            @if connection.confirms_always { (button(Action::ConfirmAsUsual)) }
            @else if connection.may_write() { (button(Action::ConfirmAlways)) }
            (action::link(&link(Action::Revoke), &about))
        }
    }
}

/// The pages that the viewer administers and the connection has accessed, each with its block.
fn page_blocks(view: &AdminView, connection: &ConnectionSummary) -> Markup {
    let PageChoice::These(pages) = &connection.pages else { return html! {} };
    let key = [connection.key()];
    let back = address(&key[0]);
    html! {
        h3 #pages tabindex="-1" { "Pages you administer that it has accessed" }
        ul.plain.pages-of {
            @for page in pages {
                @let is_blocked = connection.diagnosis.blocked_pages.contains(page);
                @let about = format!("({} on {})", name(connection), view.page_name(*page));
                @let link = ActionLink { action: if is_blocked { Action::Unblock } else { Action::Block }, connections: &key, page: Some(*page), back: Some(&back) };
                li {
                    span { (view.page_name(*page)) @if is_blocked { " " span.tag { "Blocked" } } }
                    @if is_blocked { (action::button(&view.form_token, &link, &about)) } @else { (action::link(&link, &about)) }
                }
            }
        }
        p.soft { (coverage(&connection.client_name, &connection.user_name, connection.is_loopback)) }
    }
}

/// The effective access, with all names of a long list of pages to unfold.
fn access(view: &AdminView, connection: &ConnectionSummary) -> Markup {
    html! {
        ul.plain {
            @for group in &connection.access {
                li {
                    (group.sentence) @if group.posting == Posting::Allowed { " " span.tag.warn { "Posts publicly" } }
                    @if group.pages.len() > NAMED { details { summary { "All " (group.pages.len()) " pages" } p { (view.page_names(&group.pages)) } } }
                }
            }
            @if connection.access.is_empty() { li { (connection.access_summary) } }
            @if connection.reads_by_tools { li { "Reads through tools as well." } }
        }
    }
}

pub(super) fn last_used(view: &AdminView, connection: &ConnectionSummary) -> Markup {
    html! {
        @match connection.last_used_at {
            Some(at) => (view.clock.ago(at)),
            None => { "Not yet" span.soft { ", connected " (view.clock.since(connection.connected_at)) } }
        }
    }
}

fn pages(view: &AdminView, choice: &PageChoice) -> String {
    match choice {
        PageChoice::All => "All pages you can see, now and later".to_owned(),
        PageChoice::These(pages) => format!("Only {}", view.page_names(pages)),
    }
}

fn end(view: &AdminView, connection: &ConnectionSummary) -> Markup {
    let by = if connection.is_own { "you end" } else { "its person ends" };
    html! {
        @if let Some(at) = connection.expires_at { (view.clock.moment(at)) }
        @else if let Some(at) = connection.unused_until { "When " (by) " it, or if unused until " (view.clock.day_words(at)) }
    }
}

const BAR: i64 = 14;
const GAP: i64 = 6;
const HEIGHT: i64 = 56;

/// Calls per day and outcome: a picture, and the same numbers as a table.
fn picture(own: &ConnectionDetails) -> Markup {
    let total: i64 = own.calls.iter().map(DayCalls::total).sum();
    html! {
        @if total == 0 {
            p.soft { "No calls in the last " (DAYS) " days." }
        } @else {
            figure {
                figcaption { "Calls per day, last " (DAYS) " days" }
                (bars(&own.calls, total))
                p.legend aria-hidden="true" { @for outcome in CallOutcome::ALL { span { svg.key viewBox="0 0 10 10" { rect.(outcome.as_str()) width="10" height="10" rx="2" {} } (outcome_label(outcome)) } } }
                details { summary { "Numbers" } (table(&own.calls, &own.connection.client_name)) }
            }
        }
    }
}

fn bars(days: &[DayCalls], total: i64) -> Markup {
    let highest = days.iter().map(DayCalls::total).max().unwrap_or(1).max(1);
    let width = i64::try_from(days.len()).unwrap_or(0) * (BAR + GAP);
    html! {
        svg.bars viewBox=(format!("0 0 {width} {}", HEIGHT + 2)) role="img" aria-label={ "Bar chart of " (total) " calls; the numbers follow as a table" } {
            line.axis x1="0" x2=(width) y1=(HEIGHT + 1) y2=(HEIGHT + 1) {}
            @for (place, day) in (0_i64..).zip(days) {
                @for (outcome, y, height) in stack(day, highest) {
                    rect.(outcome.as_str()) x=(place * (BAR + GAP) + GAP / 2) y=(y) width=(BAR) height=(height) {}
                }
            }
        }
    }
}

/// The segments of a day's bar, bottom first. A non-zero count is at least one unit high.
fn stack(day: &DayCalls, highest: i64) -> Vec<(CallOutcome, i64, i64)> {
    let mut top = HEIGHT;
    let mut pieces = Vec::new();
    for outcome in CallOutcome::ALL.into_iter().filter(|outcome| day.count(*outcome) > 0) {
        let height = (day.count(outcome) * (HEIGHT - 3) / highest).max(1);
        top -= height;
        pieces.push((outcome, top, height));
    }
    pieces
}

fn table(days: &[DayCalls], client_name: &str) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label={ "Calls per day of " (client_name) } {
            table {
                thead { tr { th scope="col" { "Day (UTC)" } @for outcome in CallOutcome::ALL { th.number scope="col" { (outcome_label(outcome)) } } } }
                tbody {
                    @for day in days.iter().filter(|day| day.total() > 0) {
                        tr { th scope="row" { (time::day_words(day.day)) } @for outcome in CallOutcome::ALL { td.number { (day.count(outcome)) } } }
                    }
                }
            }
        }
        p.soft { "Days without calls aren't listed." }
    }
}

const fn outcome_label(outcome: CallOutcome) -> &'static str {
    match outcome {
        CallOutcome::Answered => "Answered",
        CallOutcome::Refused => "Refused",
        CallOutcome::Failed => "Failed",
    }
}

fn diagnosis(view: &AdminView, connection: &ConnectionSummary) -> Markup {
    let (found, client_name) = (&connection.diagnosis, &connection.client_name);
    html! {
        div.diagnosis {
            h3 #health { "Connection health " (result_tag(found.result)) }
            dl.details {
                dt { "Last call" } dd { @match found.last_call_at { Some(at) => (view.clock.ago(at)), None => "The app hasn't made a call yet. Finish connecting it, then ask it about your pages." } }
                dt { "Reported name" } dd { (client_info(found)) }
                dt { "Protocol" } dd { (protocol_version(found)) }
                dt { "Sign-in refreshed" } dd { (refreshes(view, found)) }
                @if let Some(repeated) = &found.last_repeated_refresh {
                    dt { "Refresh token sent twice" }
                    dd {
                        (times(found.refreshes_repeated)) " " (view.clock.ago(repeated.occurred_at))
                        p { (repeated.advice.meaning) }
                        p { (repeated.advice.advice) }
                    }
                }
                @if let Some(refused) = &found.last_refused_refresh { dt { "Refresh refused" } dd { (check(view, refused)) } }
                dt { "Last error" }
                dd { @match &found.last_error { Some(error) => (check(view, error)), None => "None." } }
                @if !found.blocked_pages.is_empty() {
                    dt { "Blocked on" }
                    dd { (view.page_names(&found.blocked_pages)) ". An admin of the page blocked it. Ask them if you need access. Connecting again, or with another app on your computer, doesn't change this." }
                }
            }
            (scope_checks(&found.scopes, client_name, connection.is_own))
        }
    }
}

pub(super) fn result_tag(result: CheckResult) -> Markup {
    let (class, words) = match result {
        CheckResult::Well => ("good", "Working"),
        CheckResult::Unused => ("calm", "Not used yet"),
        CheckResult::Paused => ("calm", "Writes paused"),
        CheckResult::Failing => ("warn", "Needs attention"),
    };
    html! { span.tag.(class) { (words) } }
}

fn client_info(found: &Diagnosis) -> Markup {
    html! {
        @match &found.client {
            Some(client) => { bdi { (client.name) @if !client.version.is_empty() { " " (client.version) } } br; span.soft { "Reported by the app itself; nobody has checked it." } }
            None => "Not reported yet.",
        }
    }
}

fn protocol_version(found: &Diagnosis) -> Markup {
    let has_handshake = |version| ProtocolVersion::parse(version).is_some_and(ProtocolVersion::has_handshake);
    html! {
        @match found.protocol_version {
            Some(version) => { "MCP " (version) " " span.soft { @if has_handshake(version) { "(earlier version, with a handshake)" } @else { "(current version, no handshake)" } } }
            None => "No call yet in a version that StatiBeat supports.",
        }
    }
}

fn refreshes(view: &AdminView, found: &Diagnosis) -> Markup {
    html! {
        @match found.last_refresh_at {
            None => "Not yet. The first refresh follows within an hour of use.",
            Some(at) => { (times(found.refreshes)) " " (view.clock.ago(at)) },
        }
        @if found.refreshes_refused > 0 { br; span.soft { "Refused: " (found.refreshes_refused) } }
    }
}

/// In front of when it was.
fn times(count: i64) -> String {
    if count == 1 { "Once:".to_owned() } else { format!("{count} times, last:") }
}

fn check(view: &AdminView, check: &DiagnosticCheck) -> Markup {
    html! {
        (view.clock.ago(check.occurred_at))
        p { (check.advice.meaning) }
        p { @if check.is_over { "It has worked again since." } @else { (check.advice.advice) } }
    }
}

fn scope_checks(checks: &[ScopeCheck], client_name: &str, is_own: bool) -> Markup {
    let usable = |check: &ScopeCheck| match (check.usable_on_pages.unwrap_or(0), check.reached_pages.unwrap_or(0)) {
        (_, 0) => "It can't access any page now".to_owned(),
        (usable, reached) if usable == reached => "On every page it can access".to_owned(),
        (0, _) => "On no page it can access".to_owned(),
        (usable, reached) => format!("On {usable} of {reached} pages"),
    };
    let yes_or_no = |is: bool| if is { "Yes" } else { "No" };
    html! {
        div.scroll tabindex="0" role="region" aria-label={ "Permissions of " (client_name) } {
            table {
                thead { tr { @for name in ["Permission", "Asked for", "Granted"] { th scope="col" { (name) } } @if is_own { th scope="col" { "Your role allows it" } } } }
                tbody {
                    @for check in checks {
                        tr {
                            th scope="row" { code { (check.scope) } }
                            td { (check.is_asked.map_or("Not known", yes_or_no)) }
                            td { (yes_or_no(check.is_granted)) }
                            @if is_own { td { (usable(check)) } }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bar_fits_into_the_chart_and_shows_a_single_call() {
        for calls in [[1, 1, 1], [10_000, 1, 1], [0, 0, 5], [3334, 3333, 3333]] {
            let [answered, refused, failed] = calls;
            let day = DayCalls { day: 0, answered, refused, failed };
            let pieces = stack(&day, day.total());
            assert!(pieces.iter().all(|(_, y, height)| *y >= 0 && *height >= 1), "{calls:?}: {pieces:?}");
            assert_eq!(pieces.len(), calls.iter().filter(|calls| **calls > 0).count());
        }
    }
}
