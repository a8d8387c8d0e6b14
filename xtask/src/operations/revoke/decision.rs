//! The decision about a revocation, from what it would end and what the operator said.

use crate::operations::confirmation::Confirmation;
use anyhow::{Result, ensure};
use serde::Deserialize;
use std::fmt;

/// The counts that [`counting`](super::statements::counting) queries, by column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Impact {
    pub connections: u64,
    pub people: u64,
    pub clients: u64,
    /// Consent pages that wait for an answer.
    pub sign_ins: u64,
    /// Of the Hosted MCP page.
    pub sessions: u64,
}

/// The step after the count.
#[derive(Debug, PartialEq, Eq)]
pub enum Decision {
    /// Only the count was wanted.
    Stop,
    /// The operator has to type the environment's name.
    Ask,
    Revoke,
}

impl Impact {
    fn is_nothing(&self) -> bool {
        *self == Self { clients: self.clients, ..Self::default() }
    }
}

impl fmt::Display for Impact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { connections, people, clients, sign_ins, sessions } = self;
        let s = |count: &u64| if *count == 1 { "" } else { "s" };
        write!(f, "{connections} connection{} of {}", s(connections), count_people(*people))?;
        write!(f, " with {clients} client{}, {sign_ins} open sign-in{}", s(clients), s(sign_ins))?;
        write!(f, ", {sessions} session{} of the Hosted MCP page", s(sessions))
    }
}

fn count_people(count: u64) -> String {
    if count == 1 { "1 person".to_owned() } else { format!("{count} people") }
}

/// Decides about a revocation; `confirmation` is `None` if it concerns one person, which no slip makes everybody.
pub fn decide(impact: &Impact, is_dry_run: bool, confirmation: Option<&Confirmation<'_>>) -> Result<Decision> {
    ensure!(
        !impact.is_nothing(),
        "nothing matches, so nothing was ended: check the environment and the id. The Hosted MCP page and the audit log show client ids and user ids as they are stored"
    );
    match confirmation {
        _ if is_dry_run => Ok(Decision::Stop),
        None => Ok(Decision::Revoke),
        Some(confirmation) if confirmation.is_given()? => Ok(Decision::Revoke),
        Some(_) => Ok(Decision::Ask),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWELVE: Impact = Impact { connections: 12, people: 9, clients: 2, sign_ins: 1, sessions: 0 };

    fn confirm(given: Option<&'static str>, has_terminal: bool) -> Confirmation<'static> {
        Confirmation { environment: "production", given, has_terminal }
    }

    #[test]
    fn counts_read_as_a_sentence() {
        assert_eq!(
            TWELVE.to_string(),
            "12 connections of 9 people with 2 clients, 1 open sign-in, 0 sessions of the Hosted MCP page"
        );
        let one = Impact { connections: 1, people: 1, clients: 1, ..Impact::default() };
        assert!(one.to_string().starts_with("1 connection of 1 person with 1 client, 0 open sign-ins"), "{one}");
    }

    #[test]
    fn revocation_goes_on_only_after_the_answers_that_its_reach_demands() {
        let refused = "refused";
        for (impact, is_dry_run, confirmation, expected) in [
            (TWELVE, false, None, "Revoke"),
            (TWELVE, false, Some(confirm(Some("production"), false)), "Revoke"),
            (TWELVE, false, Some(confirm(None, true)), "Ask"),
            (TWELVE, false, Some(confirm(None, false)), refused),
            (TWELVE, false, Some(confirm(Some("staging"), true)), refused),
            (TWELVE, true, Some(confirm(None, false)), "Stop"),
            (Impact::default(), true, None, refused),
            (Impact::default(), false, Some(confirm(Some("production"), true)), refused),
            (Impact { sessions: 1, ..Impact::default() }, false, None, "Revoke"),
            (Impact { sign_ins: 1, ..Impact::default() }, false, None, "Revoke"),
        ] {
            let decision = decide(&impact, is_dry_run, confirmation.as_ref());
            let decision = decision.map_or_else(|_| refused.to_owned(), |decision| format!("{decision:?}"));
            assert_eq!(decision, expected, "{impact:?} {is_dry_run}");
        }
    }
}
