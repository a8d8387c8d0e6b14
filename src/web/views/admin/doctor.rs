//! The connection doctor's findings, folded under each connection, and connections that ended of late.

use super::super::super::admin::{Checkup, Connection, Finding, Verdict};
use super::super::super::text::advice::{self, Advice};
use super::super::super::text::{NO, YES, doctor as text};
use super::Overview;
use crate::mcp::version::ProtocolVersion;
use crate::model::timestamp::Timestamp;
use maud::{Markup, html};

/// The doctor of one connection.
pub(super) fn of(view: &Overview<'_>, connection: &Connection, checkup: &Checkup) -> Markup {
    let verdict = checkup.verdict(connection);
    html! {
        details.doctor open[verdict == Verdict::Trouble] {
            summary { (text::NAME) span.unseen { " " (text::of(&connection.client_name)) } " " (tag(verdict)) }
            dl.facts {
                dt { (text::LAST_CALL) } dd { @match checkup.called_at { Some(at) => (view.clock.ago(at)), None => (text::NO_CALL) } }
                dt { (text::CALLS_ITSELF) } dd { (program(checkup)) }
                dt { (text::SPEAKS) } dd { (spoken(checkup.revision)) }
                dt { (text::REFRESHED) } dd { (refreshes(view, checkup)) }
                @if let Some(at) = checkup.repeated_at {
                    dt { (text::REFRESH_REPEATED) } dd { (repeats(view, checkup.repeated_refreshes, at)) }
                }
                @if let Some(failure) = &checkup.refresh_failure {
                    dt { (text::REFRESH_REFUSED) } dd { (finding(view, failure, advice::of_refresh(&failure.what))) }
                }
                dt { (text::LAST_ERROR) }
                dd { @match &checkup.trouble { Some(found) => (finding(view, found, advice::of_trouble(found.what))), None => (text::NO_ERROR) } }
                @if !checkup.blocked_pages.is_empty() {
                    dt { (text::BLOCKED) }
                    dd { (text::blocked(&view.page_names(&checkup.blocked_pages))) }
                }
            }
            (scopes(checkup, &connection.client_name))
        }
    }
}

fn tag(verdict: Verdict) -> Markup {
    let class = match verdict {
        Verdict::Well => "good",
        Verdict::Unused | Verdict::Paused => "calm",
        Verdict::Trouble => "warn",
    };
    html! { span.tag.(class) { (text::verdict(verdict)) } }
}

fn program(checkup: &Checkup) -> Markup {
    html! {
        @match &checkup.program {
            Some((name, version)) => { bdi { (name) @if !version.is_empty() { " " (version) } } br; span.soft { (text::SAYS_ITSELF) } }
            None => (text::SAYS_NOTHING),
        }
    }
}

fn spoken(revision: Option<ProtocolVersion>) -> Markup {
    html! {
        @match revision {
            Some(revision) => { @let (name, means) = text::revision(revision); (name) " " span.soft { (means) } }
            None => (text::SPEAKS_NOTHING),
        }
    }
}

fn refreshes(view: &Overview<'_>, checkup: &Checkup) -> Markup {
    html! {
        @match checkup.refreshes {
            0 => (text::NOT_REFRESHED),
            times => { (text::refreshed(times)) " " (view.clock.ago(checkup.refreshed_at)) },
        }
        @if checkup.refreshes_failed > 0 { br; span.soft { (text::refreshes_refused(checkup.refreshes_failed)) } }
    }
}

fn repeats(view: &Overview<'_>, times: i64, at: Timestamp) -> Markup {
    html! {
        (text::refreshed(times)) " " (view.clock.ago(at))
        p { (advice::OF_REPEATED_REFRESH.meaning) }
        p { (advice::OF_REPEATED_REFRESH.advice) }
    }
}

fn finding<T>(view: &Overview<'_>, finding: &Finding<T>, words: Advice) -> Markup {
    html! {
        (view.clock.ago(finding.at))
        p { (words.meaning) }
        p { @if finding.is_over { (text::OVER) } @else { (words.advice) } }
    }
}

fn scopes(checkup: &Checkup, name: &str) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label=(text::permissions(name)) {
            table {
                thead { tr { @for name in text::COLUMNS { th scope="col" { (name) } } } }
                tbody {
                    @for check in &checkup.scopes {
                        tr {
                            th scope="row" { code { (check.scope.as_str()) } }
                            td { @match check.is_asked { Some(true) => (YES), Some(false) => (NO), None => (text::NOT_KNOWN) } }
                            td { (if check.is_granted { YES } else { NO }) }
                            td { (text::usable(check)) }
                        }
                    }
                }
            }
        }
    }
}

/// Connections that are no more, with the reason: the place to look when an app says that it is signed out.
pub(super) fn ended(view: &Overview<'_>) -> Markup {
    html! {
        @if !view.ended.is_empty() {
            details {
                summary { (text::ended(view.ended.len())) }
                @for connection in view.ended {
                    @let Advice { meaning, advice } = advice::of_end(connection.reason.as_deref());
                    article.item {
                        h3 { (connection.client_name) }
                        p.soft { (text::ended_at(&view.clock.since(connection.ended_at))) ", " (view.clock.here(connection.ended_at)) }
                        p { (meaning) " " (advice) }
                    }
                }
            }
        }
    }
}
