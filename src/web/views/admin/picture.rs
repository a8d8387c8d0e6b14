//! Calls per day and outcome of a connection: a picture, and the same numbers as a table.

use super::super::super::admin::Connection;
use super::super::super::text::connections::picture as text;
use super::super::time;
use super::Overview;
use crate::storage::calls::CallOutcome;
use maud::{Markup, html};

const BAR: i64 = 14;
const GAP: i64 = 6;
const HEIGHT: i64 = 56;

/// One day: calls by outcome, in the order of [`CallOutcome::ALL`].
struct Day {
    number: i64,
    calls: [i64; 3],
}

impl Day {
    fn total(&self) -> i64 {
        self.calls.iter().sum()
    }
}

/// The picture of one connection.
pub(super) fn of(view: &Overview<'_>, connection: &Connection) -> Markup {
    let days = days(view, connection);
    let total: i64 = days.iter().map(Day::total).sum();
    html! {
        @if total == 0 {
            p.soft { (text::none(view.days)) }
        } @else {
            figure {
                figcaption { (text::caption(view.days)) }
                (bars(&days, total))
                p.legend aria-hidden="true" { @for outcome in CallOutcome::ALL { span { svg.key viewBox="0 0 10 10" { rect.(outcome.as_str()) width="10" height="10" rx="2" {} } (text::outcome(outcome)) } } }
                details { summary { (text::NUMBERS) } (table(&days, &connection.client_name)) }
            }
        }
    }
}

fn days(view: &Overview<'_>, connection: &Connection) -> Vec<Day> {
    let of_client = |day| {
        view.counts.iter().filter(move |count| count.client_id == connection.client_id.as_str() && count.day == day)
    };
    let day = |number| Day {
        number,
        calls: CallOutcome::ALL
            .map(|outcome| of_client(number).filter(|count| count.outcome == outcome).map(|count| count.calls).sum()),
    };
    (view.first_day..view.first_day + view.days).map(day).collect()
}

fn bars(days: &[Day], total: i64) -> Markup {
    let highest = days.iter().map(Day::total).max().unwrap_or(1).max(1);
    let width = i64::try_from(days.len()).unwrap_or(0) * (BAR + GAP);
    html! {
        svg.bars viewBox=(format!("0 0 {width} {}", HEIGHT + 2)) role="img" aria-label=(text::described(total)) {
            line.axis x1="0" x2=(width) y1=(HEIGHT + 1) y2=(HEIGHT + 1) {}
            @for (place, day) in (0_i64..).zip(days) {
                @for (outcome, y, height) in stack(day, highest) {
                    rect.(outcome.as_str()) x=(place * (BAR + GAP) + GAP / 2) y=(y) width=(BAR) height=(height) {}
                }
            }
        }
    }
}

/// The pieces of a day's bar from the ground up. What was called at all is at least one unit high.
fn stack(day: &Day, highest: i64) -> Vec<(CallOutcome, i64, i64)> {
    let mut top = HEIGHT;
    let mut pieces = Vec::new();
    for (outcome, calls) in CallOutcome::ALL.into_iter().zip(day.calls).filter(|(_, calls)| *calls > 0) {
        let height = (calls * (HEIGHT - 3) / highest).max(1);
        top -= height;
        pieces.push((outcome, top, height));
    }
    pieces
}

fn table(days: &[Day], name: &str) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label=(text::table(name)) {
            table {
                thead { tr { th scope="col" { (text::DAY) } @for outcome in CallOutcome::ALL { th.number scope="col" { (text::outcome(outcome)) } } } }
                tbody {
                    @for day in days.iter().filter(|day| day.total() > 0) {
                        tr { th scope="row" { (time::day_words(day.number)) } @for calls in day.calls { td.number { (calls) } } }
                    }
                }
            }
        }
        p.soft { (text::OTHER_DAYS) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_stays_inside_its_picture_and_shows_even_a_single_call() {
        for calls in [[1, 1, 1], [10_000, 1, 1], [0, 0, 5], [3334, 3333, 3333]] {
            let day = Day { number: 0, calls };
            let pieces = stack(&day, day.total());
            assert!(pieces.iter().all(|(_, y, height)| *y >= 0 && *height >= 1), "{calls:?}: {pieces:?}");
            assert_eq!(pieces.len(), calls.iter().filter(|calls| **calls > 0).count());
        }
    }
}
