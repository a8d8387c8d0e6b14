//! For admins: clients that could not connect, and entries of the operator's list that cannot work.

use super::super::super::text::setup::refused as text;
use super::Overview;
use crate::oauth::client::diagnosis::Advice;
use crate::storage::refusals::Refusal;
use maud::{Markup, html};

/// The section; nothing when there is nothing to tell.
pub(super) fn section(view: &Overview<'_>) -> Markup {
    html! {
        @if !view.refusals.is_empty() || !view.bad_entries.is_empty() {
            section.card aria-labelledby="diagnosis" {
                h2 #diagnosis { (text::TITLE) }
                p.soft { (text::HINT) }
                @for refusal in view.refusals { (refused(view, refusal)) }
                @if !view.bad_entries.is_empty() {
                    h3 { (text::BAD_ENTRIES) }
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
                dt { (text::WANTED) } dd { code { (refusal.refused.redirect_uri) } }
                dt { (text::LAST) } dd { (view.clock.ago(refusal.last_at)) }
                dt { (text::TIMES) } dd { (refusal.times) }
            }
            @match refusal.refused.advice() {
                Advice::Add(line) => {
                    p { (text::ADD) }
                    pre tabindex="0" role="region" aria-label=(text::line_for(&refusal.refused.client_id)) { code { (line) } }
                }
                Advice::Never(why) => p { (text::never(why)) },
            }
        }
    }
}
