//! The health of a connection on its page: what it reported, what failed, what was missing, and what helps.

use super::super::layout::support_link;
use super::super::routes::Route;
use super::action::{self, Action, ActionLink, address};
use super::advice::Remedy;
use super::diagnosis::{CheckResult, Diagnosis, DiagnosticCheck, ScopeCheck};
use super::page::page_links;
use super::view_model::{AdminView, ConnectionSummary};
use crate::mcp::protocol_version::ProtocolVersion;
use maud::{Markup, html};

pub(super) fn section(view: &AdminView, connection: &ConnectionSummary) -> Markup {
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
                @if let Some(refused) = &found.last_refused_refresh { dt { "Refresh refused" } dd { (check(view, connection, refused)) } }
                dt { "Last error" }
                dd { @match &found.last_error { Some(error) => (check(view, connection, error)), None => "None." } }
                @if !found.blocked_pages.is_empty() {
                    dt { "Blocked on" }
                    dd { (page_links(view, &found.blocked_pages)) ". An admin of the page blocked it. Ask them if you need access. Connecting again, or with another app on your computer, doesn't change this." }
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

/// A failure with what was missing and what helps. One that is over is history, and asks for nothing.
fn check(view: &AdminView, connection: &ConnectionSummary, check: &DiagnosticCheck) -> Markup {
    html! {
        (view.clock.ago(check.occurred_at))
        p { (check.advice.meaning) @if let Some(missing) = &check.missing { " " (missing) } }
        @if check.is_over { p { "It has worked again since." } }
        @else { p { (check.advice.advice) } (remedy(view, connection, check)) }
    }
}

/// The button or link that helps, where there is one on these pages.
fn remedy(view: &AdminView, connection: &ConnectionSummary, check: &DiagnosticCheck) -> Markup {
    let (key, about) = ([connection.key()], format!("({})", connection.name()));
    let back = address(&key[0]);
    let link = |action, page| ActionLink { action, connections: &key, page, back: Some(&back) };
    html! {
        @match check.advice.remedy {
            Remedy::ConnectAgain if connection.is_own => { p { a.button.small href={ (Route::AdminPage.path()) "#connect" } { "How to connect it again" } } }
            Remedy::ResumeWrites if connection.is_own => { (action::button(&view.form_token, &link(Action::Resume, None), &about)) }
            Remedy::AskPageAdmin | Remedy::AskOrganizationAdmin | Remedy::TellOperator => { (support_link(&view.links)) }
            Remedy::Unblock => { @if let Some(page) = check.blocked_page { p { (action::link(&link(Action::Unblock, Some(page)), &about)) } } }
            _ => {}
        }
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
