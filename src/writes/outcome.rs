//! The result of a write: the report of one that was published, or the error.

use crate::model::outcome::{Outcome, Reason};
use crate::model::visible::quote;
use crate::model::write::LeaseRefusal;
use crate::ports::RateLimit;
use crate::upstream::{ApiError, ApiErrorKind};
use crate::writes::target::TITLE_MAX;
use serde_json::Value;
use std::fmt;
use std::time::Duration;

/// A write that was carried out.
#[derive(Clone, Debug, PartialEq)]
pub struct WriteReport {
    pub document: Value,
    pub origin: WriteOrigin,
    /// Writes that the rate limits leave, if there are limits.
    pub remaining: Option<u32>,
}

/// The attempt that published a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteOrigin {
    /// This attempt, and StatiBeat said so.
    Posted,
    /// This attempt; the answer was lost, and looking the write up found it.
    PostedVerified,
    /// An earlier attempt that had finished.
    Earlier,
    /// An earlier attempt that had not finished; looking the write up found it.
    EarlierVerified,
    /// Somebody with the same `external_id` and content.
    Existing,
}

impl WriteOrigin {
    /// Returns whether this call published it.
    pub const fn is_new(self) -> bool {
        matches!(self, Self::Posted | Self::PostedVerified)
    }
}

/// An open incident, a recent update or a maintenance window that looks like the one to be published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PossibleDuplicate {
    pub kind: DuplicateKind,
    pub id: i64,
    /// The title of an incident, the message of an update.
    pub title: String,
    /// Time since it was opened or published; zero for a window.
    pub age: Duration,
    pub external_id: Option<String>,
    /// The things it has in common with the write, each as the rest of a sentence.
    pub matches: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DuplicateKind {
    Incident,
    Update,
    /// A maintenance window at the very same times.
    Window,
}

impl fmt::Display for PossibleDuplicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (title, minutes) = (quote(&self.title, TITLE_MAX), self.age.as_secs() / 60);
        let (noun, event) = match self.kind {
            DuplicateKind::Incident => ("incident", "opened"),
            DuplicateKind::Update => ("update", "published"),
            DuplicateKind::Window => {
                return write!(f, "maintenance {} ({title}) {}", self.id, self.matches.join(" and "));
            }
        };
        let age = match minutes {
            1 => "1 minute".to_owned(),
            0 | 2..120 => format!("{minutes} minutes"),
            120..2880 => format!("{} hours", minutes / 60),
            _ => format!("{} days", minutes / 1440),
        };
        write!(f, "{noun} {} ({title}, {event} {age} ago) {}", self.id, self.matches.join(" and "))
    }
}

/// Why a write was not, or may not have been, carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WriteError {
    /// The attempt does not get the lease, or no longer has it.
    Refused(LeaseRefusal),
    PossibleDuplicates(Vec<PossibleDuplicate>),
    /// `reason` says whose limit it was.
    Limited {
        reason: Reason,
        limit: RateLimit,
        retry_after: Duration,
    },
    /// The rate limiter did not answer. Without it nothing is posted.
    LimiterUnavailable,
    /// The lease could not be stored. Without it nothing is posted.
    Unrecorded,
    /// Storage did not say whether the connection may still write. Without that nothing is posted.
    LeaseUnchecked,
    /// Looking for possible duplicates failed.
    Unchecked(ApiError),
    /// An earlier attempt may have done it, and StatiBeat does not say.
    Unresolved(ApiError),
    /// The stage is not one that an update sets: says which are, and who sets the others.
    Stage(Vec<String>),
    /// StatiBeat finds the write wrong.
    Invalid {
        text: String,
        /// Names that the page has, and stages that it takes, instead.
        hints: Vec<String>,
    },
    /// The page does not have the incident, maintenance, Beat or action; says which it has.
    UnknownTarget(String),
    /// StatiBeat's answer, or the lack of it.
    Upstream(ApiError),
    /// No answer, to a write that cannot be looked up.
    Unconfirmed(ApiError),
}

/// The outcome of a write and its reason; none where it simply was done.
pub fn classify(result: &Result<WriteReport, WriteError>) -> (Outcome, Option<Reason>) {
    match result {
        Ok(report) => match report.origin {
            WriteOrigin::Posted => (Outcome::Done, None),
            WriteOrigin::PostedVerified => (Outcome::Done, Some(Reason::FoundAfterLostAnswer)),
            WriteOrigin::Earlier => (Outcome::Replayed, None),
            WriteOrigin::EarlierVerified => (Outcome::Replayed, Some(Reason::FoundAfterLostAttempt)),
            WriteOrigin::Existing => (Outcome::Done, Some(Reason::ExistedAlready)),
        },
        Err(error) => {
            let (outcome, reason) = error.classify();
            (outcome, Some(reason))
        }
    }
}

impl WriteError {
    pub fn classify(&self) -> (Outcome, Reason) {
        match self {
            Self::Refused(refusal) => (Outcome::Refused, refusal.reason()),
            Self::PossibleDuplicates(_) => (Outcome::Refused, Reason::PossibleDuplicate),
            Self::Limited { reason, .. } => (Outcome::Limited, *reason),
            Self::LimiterUnavailable => (Outcome::Failed, Reason::LimiterUnavailable),
            Self::Unrecorded | Self::LeaseUnchecked => (Outcome::Failed, Reason::StorageUnavailable),
            Self::Unchecked(error) => (certain_outcome(error).unwrap_or(Outcome::Failed), error.reason()),
            Self::Unresolved(error) => (Outcome::Unknown, error.reason()),
            Self::Stage(_) => (Outcome::Refused, Reason::Stage),
            Self::Invalid { .. } => (Outcome::Refused, Reason::UpstreamInvalid),
            Self::UnknownTarget(_) => (Outcome::Refused, Reason::UpstreamNotFound),
            Self::Upstream(error) | Self::Unconfirmed(error) => {
                (certain_outcome(error).unwrap_or(Outcome::Unknown), error.reason())
            }
        }
    }

    /// Returns whether the write may be there all the same.
    pub fn is_outcome_unknown(&self) -> bool {
        self.classify().0 == Outcome::Unknown
    }
}

/// The outcome of a post that an error proves, if it proves one.
fn certain_outcome(error: &ApiError) -> Option<Outcome> {
    match error.kind {
        ApiErrorKind::NotFound | ApiErrorKind::Forbidden | ApiErrorKind::Invalid | ApiErrorKind::UserEnded => {
            Some(Outcome::Refused)
        }
        ApiErrorKind::RateLimited => Some(Outcome::Limited),
        ApiErrorKind::CredentialRefused | ApiErrorKind::CircuitOpen | ApiErrorKind::ContractViolation => {
            Some(Outcome::Failed)
        }
        ApiErrorKind::Unavailable | ApiErrorKind::Malformed | ApiErrorKind::OutcomeUnknown => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn age_of_a_possible_duplicate_is_in_the_units_a_person_would_use() {
        let said = |minutes: u64| {
            let duplicate = PossibleDuplicate {
                kind: DuplicateKind::Incident,
                id: 9,
                title: "API down".to_owned(),
                age: Duration::from_mins(minutes),
                external_id: None,
                matches: vec!["has the same title".to_owned()],
            };
            duplicate.to_string()
        };
        assert_eq!(said(1), "incident 9 (\"API down\", opened 1 minute ago) has the same title");
        for (minutes, age) in
            [(0, "0 minutes"), (119, "119 minutes"), (120, "2 hours"), (2879, "47 hours"), (2880, "2 days")]
        {
            assert!(said(minutes).contains(&format!("opened {age} ago")), "{}", said(minutes));
        }
    }
}
