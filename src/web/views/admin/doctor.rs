//! The connection doctor's findings, folded under each connection, and connections that ended of late.

use super::super::super::admin::{Checkup, Connection, Finding, ScopeCheck, Verdict};
use super::Overview;
use super::advice::{self, Advice};
use crate::mcp::era::Revision;
use maud::{Markup, html};

/// The doctor of one connection.
pub(super) fn of(view: &Overview<'_>, connection: &Connection, checkup: &Checkup) -> Markup {
    let verdict = checkup.verdict(connection);
    html! {
        details.doctor {
            summary { "Connection doctor" span.unseen { " of " (connection.client_name) ":" } " " (tag(verdict)) }
            dl.facts {
                dt { "Last call" } dd { @match checkup.called_at { Some(at) => (view.clock.ago(at)), None => "The app has not called yet. Finish connecting it, then ask it for your pages." } }
                dt { "Calls itself" } dd { (program(checkup)) }
                dt { "Speaks" } dd { (spoken(checkup.revision)) }
                dt { "Sign-in refreshed" } dd { (refreshes(view, checkup)) }
                @if let Some(failure) = &checkup.refresh_failure {
                    dt { "Refresh refused" } dd { (finding(view, failure, advice::of_refresh(&failure.what))) }
                }
                dt { "Last error" }
                dd { @match &checkup.trouble { Some(found) => (finding(view, found, advice::of_trouble(found.what))), None => "None." } }
                @if !checkup.cut_pages.is_empty() {
                    dt { "Cut off from" }
                    dd { (checkup.cut_pages.iter().map(|page| view.page_name(*page)).collect::<Vec<_>>().join(", ")) ". An admin of the page decided so; ask them if you need it." }
                }
            }
            (scopes(checkup, &connection.client_name))
        }
    }
}

fn tag(verdict: Verdict) -> Markup {
    let (class, words) = match verdict {
        Verdict::Well => ("good", "Working"),
        Verdict::Unused => ("calm", "Not used yet"),
        Verdict::Paused => ("calm", "Writes paused"),
        Verdict::Trouble => ("warn", "Needs a look"),
    };
    html! { span.tag.(class) { (words) } }
}

fn program(checkup: &Checkup) -> Markup {
    html! {
        @match &checkup.program {
            Some((name, version)) => { bdi { (name) @if !version.is_empty() { " " (version) } } br; span.soft { "As the app says itself; nobody has checked it." } }
            None => "It has not said.",
        }
    }
}

fn spoken(revision: Option<Revision>) -> Markup {
    html! {
        @match revision {
            Some(revision) if revision.is_modern() => { "MCP " (revision.as_str()) " " span.soft { "(current: no handshake)" } }
            Some(revision) => { "MCP " (revision.as_str()) " " span.soft { "(earlier: with a handshake)" } }
            None => "Nothing yet that StatiBeat understands.",
        }
    }
}

fn refreshes(view: &Overview<'_>, checkup: &Checkup) -> Markup {
    html! {
        @match checkup.refreshes {
            0 => "Not yet; the first one comes within an hour of use.",
            1 => { "Once, " (view.clock.ago(checkup.refreshed_at)) },
            times => { (times) " times, last " (view.clock.ago(checkup.refreshed_at)) },
        }
        @if checkup.refreshes_failed > 0 { br; span.soft { "Refused: " (checkup.refreshes_failed) } }
    }
}

fn finding<T>(view: &Overview<'_>, finding: &Finding<T>, words: Advice) -> Markup {
    html! {
        (view.clock.ago(finding.at))
        p { (words.meaning) }
        p { @if finding.is_over { "It has worked again since. " } @else { (words.advice) } }
    }
}

fn scopes(checkup: &Checkup, name: &str) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label=(format!("Permissions of {name}")) {
            table {
                thead { tr { @for name in ["Permission", "Asked for", "Granted", "Your role allows it"] { th scope="col" { (name) } } } }
                tbody {
                    @for check in &checkup.scopes {
                        tr {
                            th scope="row" { code { (check.scope.as_str()) } }
                            td { @match check.is_asked { Some(true) => "Yes", Some(false) => "No", None => "Not known" } }
                            td { @if check.is_granted { "Yes" } @else { "No" } }
                            td { (usable(check)) }
                        }
                    }
                }
            }
        }
    }
}

fn usable(check: &ScopeCheck) -> String {
    match (check.usable_on, check.reached) {
        (_, 0) => "It reaches no page now".to_owned(),
        (usable, reached) if usable == reached => "On every page it reaches".to_owned(),
        (0, _) => "On no page it reaches".to_owned(),
        (usable, reached) => format!("On {usable} of {reached} pages"),
    }
}

/// Connections that are no more, with the reason: the place to look when an app says that it is signed out.
pub(super) fn ended(view: &Overview<'_>) -> Markup {
    html! {
        @if !view.ended.is_empty() {
            details {
                summary { "Ended in the last 30 days (" (view.ended.len()) ")" }
                @for connection in view.ended {
                    @let Advice { meaning, advice } = advice::of_end(connection.reason.as_deref());
                    article.item {
                        h3 { (connection.client_name) }
                        p.soft { "Ended " (view.clock.ago(connection.ended_at)) }
                        p { (meaning) " " (advice) }
                    }
                }
            }
        }
    }
}
