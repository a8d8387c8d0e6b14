//! For admins: clients that could not connect, and entries of the operator's list that cannot work.

use super::Overview;
use crate::oauth::client::diagnosis::Advice;
use crate::storage::refusals::Refusal;
use maud::{Markup, html};

/// The section; nothing when there is nothing to tell.
pub(super) fn section(view: &Overview<'_>) -> Markup {
    html! {
        @if !view.refusals.is_empty() || !view.bad_entries.is_empty() {
            section.card aria-labelledby="diagnosis" {
                h2 #diagnosis { "Apps that could not connect" }
                p.soft { "Shown to admins of a page. The list of approved web apps is kept by the people who run this environment." }
                @for refusal in view.refusals { (refused(view, refusal)) }
                @if !view.bad_entries.is_empty() {
                    h3 { "Entries of the list that cannot work" }
                    ul { @for entry in view.bad_entries { li { (entry) } } }
                }
            }
        }
    }
}

fn refused(view: &Overview<'_>, refusal: &Refusal) -> Markup {
    html! {
        article.item {
            h3 { (refusal.refused.client_id) }
            dl.facts {
                dt { "Wants its answer at" } dd { code { (refusal.refused.redirect_uri) } }
                dt { "Last tried" } dd { (view.clock.ago(refusal.last_at)) }
                dt { "Times" } dd { (refusal.times) }
            }
            @match refusal.refused.advice() {
                Advice::Add(line) => {
                    p { "The address is not approved for this app. If you know and trust both, ask for this line in the list of approved web apps:" }
                    pre tabindex="0" role="region" aria-label=(format!("Line to copy for {}", refusal.refused.client_id)) { code { (line) } }
                }
                Advice::Never(why) => p { "This can never be approved. " (why) },
            }
        }
    }
}
