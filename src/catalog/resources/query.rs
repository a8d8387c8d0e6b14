//! Checks what a client chose in the query of a URI.

use crate::catalog::{ArgumentError, Variables};
use crate::model::visible::quote;

/// Checks the form of what a client chose in a URI's query.
pub fn check_query(variables: &Variables) -> Result<(), ArgumentError> {
    if variables.get("cursor").is_some_and(|cursor| !super::body::is_cursor(cursor)) {
        return Err(ArgumentError("unknown cursor".to_owned()));
    }
    if variables.get("not_operational").is_some_and(|value| value != "true") {
        return Err(ArgumentError("not_operational must be true, or left out".to_owned()));
    }
    check_times(variables)?;
    super::page::check_window(variables)
}

/// Checks the times between which events are wanted.
fn check_times(variables: &Variables) -> Result<(), ArgumentError> {
    let time = |name: &str| match variables.get(name) {
        None => Ok(None),
        Some(given) => given.parse::<jiff::Timestamp>().map(Some).map_err(|_| {
            let given = quote(given, 40);
            ArgumentError(format!(
                "{name} must be a time with its UTC offset, as in 2026-11-28T22:00:00Z (got {given})"
            ))
        }),
    };
    match (time("from")?, time("to")?) {
        (Some(from), Some(to)) if from >= to => Err(ArgumentError("from must be before to".to_owned())),
        _ => Ok(()),
    }
}
