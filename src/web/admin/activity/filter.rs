//! The query of the list of activity: filter and position, as an address carries them.

use super::super::super::routes::Route;
use crate::model::ids::{PageId, UserId};
use crate::model::timestamp::Timestamp;
use crate::oauth::parameters::Parameters;
use crate::storage::activity::{Period, Position};
use jiff::ToSpan as _;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::fmt;

/// The requested part of the activity. Days are kept as typed, so that a form can show them again with what is wrong.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct ActivityFilter {
    pub person: Option<UserId>,
    /// The exact name of an app, under any client id.
    pub app: Option<String>,
    pub client_id: Option<String>,
    pub page: Option<PageId>,
    pub outcome: Option<String>,
    /// First day, from midnight in UTC.
    pub from: Option<String>,
    /// Last day, to midnight in UTC.
    pub to: Option<String>,
    pub before: Option<Position>,
}

/// Reason why the days of a filter cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum PeriodError {
    NotADay { field: &'static str, text: String },
    EndsBeforeItStarts { from: String, to: String },
}

impl fmt::Display for PeriodError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotADay { field, text } => {
                write!(
                    f,
                    "“{field}” is “{text}”, which isn't a day. Write it as year, month and day, for example 2026-11-29."
                )
            }
            Self::EndsBeforeItStarts { from, to } => {
                write!(f, "“From” ({from}) is after “to” ({to}), so no day is between them. Exchange the two days.")
            }
        }
    }
}

impl ActivityFilter {
    pub fn parse(query: &Parameters) -> Self {
        let text = |name| query.single(name).map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
        Self {
            person: query.single("person").and_then(UserId::parse),
            app: text("app"),
            client_id: text("client"),
            page: query.single("page").and_then(PageId::parse),
            outcome: text("outcome"),
            from: text("from"),
            to: text("to"),
            before: query.single("before").and_then(parse_position),
        }
    }

    /// The time between the two days, both included.
    pub fn period(&self) -> Result<Period, PeriodError> {
        let day =
            |field: &'static str, text: &Option<String>| text.as_deref().map(|text| parse_day(field, text)).transpose();
        let (from, to) = (day("from", &self.from)?, day("to", &self.to)?);
        if let (Some(first), Some(last)) = (from, to)
            && first > last
        {
            return Err(PeriodError::EndsBeforeItStarts { from: first.to_string(), to: last.to_string() });
        }
        let all = Period::default();
        Ok(Period {
            since: from.and_then(start).unwrap_or(all.since),
            until: to.and_then(|last| start(last.checked_add(1.day()).ok()?)).unwrap_or(all.until),
        })
    }

    /// True if every row matches.
    pub fn is_open(&self) -> bool {
        self.pairs().is_empty() && self.before.is_none()
    }

    /// The address of the rows before that position, or of the newest, below a route.
    pub fn address(&self, route: Route, before: Option<Position>) -> String {
        let before = before.map(|before| ("before", write_position(before)));
        route.address(self.pairs().into_iter().chain(before))
    }

    /// The filter as form fields, without the position.
    fn pairs(&self) -> Vec<(&'static str, String)> {
        let fields = [
            ("person", self.person.as_ref().map(ToString::to_string)),
            ("app", self.app.clone()),
            ("client", self.client_id.clone()),
            ("page", self.page.map(|page| page.to_string())),
            ("outcome", self.outcome.clone()),
            ("from", self.from.clone()),
            ("to", self.to.clone()),
        ];
        fields.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

/// Reads a day in the one form that the filter takes: ISO 8601 with dashes.
fn parse_day(field: &'static str, text: &str) -> Result<Date, PeriodError> {
    let day: Option<Date> = text.parse().ok().filter(|day: &Date| day.to_string() == text);
    day.ok_or_else(|| PeriodError::NotADay { field, text: text.to_owned() })
}

/// The first second of the day in UTC.
fn start(day: Date) -> Option<Timestamp> {
    Some(Timestamp::from_seconds(day.to_zoned_datetime(TimeZone::UTC).ok()?.timestamp().as_second()))
}

pub(super) fn parse_position(text: &str) -> Option<Position> {
    let (created_at, row) = text.split_once('.')?;
    Some(Position { created_at: Timestamp::from_seconds(created_at.parse().ok()?), row: row.parse().ok()? })
}

pub(super) fn write_position(position: Position) -> String {
    format!("{}.{}", position.created_at.as_seconds(), position.row)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(query: &str) -> ActivityFilter {
        ActivityFilter::parse(&Parameters::parse(query.as_bytes()).expect("a query"))
    }

    #[test]
    fn address_of_a_filter_parses_to_the_same_filter() {
        let position = Position { created_at: Timestamp::from_seconds(9), row: 4 };
        let asked = "person=5&app=A+%26+B&client=c&page=42&outcome=done&from=2026-11-01&to=2026-11-29";
        let written = filter(asked).address(Route::AdminActivity, Some(position));
        assert_eq!(written, format!("/mcp/admin/activity?{asked}&before=9.4"));
        let read = filter(written.split_once('?').expect("a query").1);
        assert_eq!((read.app.as_deref(), read.before), (Some("A & B"), Some(position)));
    }

    #[test]
    fn period_includes_both_days_in_utc() {
        let period = filter("from=2026-11-28&to=2026-11-28").period().expect("a period");
        assert_eq!(period.since.to_string(), "2026-11-28T00:00:00Z");
        assert_eq!(period.until.to_string(), "2026-11-29T00:00:00Z");
        assert_eq!(filter("").period(), Ok(Period::default()));
    }

    #[test]
    fn text_that_is_no_day_is_quoted_in_the_error() {
        for bad in
            ["2026-13-01", "2026-02-29", "29.11.2026", "20261129", "2026-11-29T10:00:00", "yesterday", "2026-1-5"]
        {
            let error = filter(&format!("to={bad}")).period().expect_err(bad).to_string();
            assert!(error.contains(bad) && error.contains("“to”"), "{error}");
        }
        let error = filter("from=2026-11-29&to=2026-11-28").period().expect_err("the wrong order").to_string();
        assert!(error.contains("2026-11-29") && error.contains("2026-11-28"), "{error}");
    }
}
