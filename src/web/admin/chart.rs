//! The chart of a connection's calls per day.

use super::super::time;
use super::view_model::{DAYS, DayCalls};
use crate::storage::usage::CallOutcome;
use maud::{Markup, html};

const BAR: i64 = 14;
const GAP: i64 = 6;
const HEIGHT: i64 = 56;
/// Room for the axis: the number beside the highest bar, and the days below.
const LEFT: i64 = 30;
const BELOW: i64 = 16;
const ABOVE: i64 = 6;

/// Calls per day and outcome: a picture, and the same numbers as a table.
pub(super) fn section(calls: &[DayCalls], client_name: &str) -> Markup {
    let total: i64 = calls.iter().map(DayCalls::total).sum();
    html! {
        @if total == 0 {
            p.soft { "No calls in the last " (DAYS) " days." }
        } @else {
            figure {
                figcaption { "Calls per day, last " (DAYS) " days" }
                (bars(calls, total))
                p.legend aria-hidden="true" { @for outcome in CallOutcome::ALL { span { svg.key viewBox="0 0 10 10" { rect.(outcome.as_str()) width="10" height="10" rx="2" {} } (outcome_label(outcome)) } } }
                details { summary { "Numbers" } (table(calls, client_name)) }
            }
        }
    }
}

fn bars(days: &[DayCalls], total: i64) -> Markup {
    let highest = days.iter().map(DayCalls::total).max().unwrap_or(1).max(1);
    let width = i64::try_from(days.len()).unwrap_or(0) * (BAR + GAP);
    let (first, last) = (days.first().map_or(0, |day| day.day), days.last().map_or(0, |day| day.day));
    html! {
        svg.bars viewBox=(format!("{} {} {} {}", -LEFT, -ABOVE, LEFT + width, ABOVE + HEIGHT + BELOW)) role="img" aria-label={ "Bar chart of " (total) " calls, at most " (highest) " a day; the numbers follow as a table" } {
            line.grid x1="0" x2=(width) y1="3" y2="3" {}
            line.axis x1="0" x2=(width) y1=(HEIGHT + 1) y2=(HEIGHT + 1) {}
            text.tick x="-5" y="6" text-anchor="end" { (highest) }
            text.tick x="-5" y=(HEIGHT + 1) text-anchor="end" { "0" }
            text.tick x="0" y=(HEIGHT + 13) { (time::day_words(first)) }
            text.tick x=(width) y=(HEIGHT + 13) text-anchor="end" { (time::day_words(last)) " (UTC)" }
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
