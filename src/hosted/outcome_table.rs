//! Every end of a write and every answer of StatiBeat: outcome, reason, level of the log, and what the model is told.

use super::rate_limit::{PAGE_LIMIT, WRITE_LIMIT};
use crate::mcp;
use crate::model::ids::{PageId, RequestId};
use crate::model::outcome::{Outcome, Reason};
use crate::model::write::{Duplicate, LeaseRefusal, WriteDenial};
use crate::telemetry::RequestLog;
use crate::telemetry::trace::Trace;
use crate::upstream::{ApiError, ApiErrorKind};
use crate::writes::outcome::{DuplicateKind, PossibleDuplicate, WriteError, WriteOrigin, WriteReport, classify};
use crate::writes::report;
use serde_json::Value;
use std::fmt::Write as _;
use std::time::Duration;
use strum::VariantArray as _;

const WAIT: Duration = Duration::from_secs(12);

/// Ends that StatiBeat has no part in.
fn ends_of_ours() -> Vec<WriteError> {
    let duplicate = Duplicate { external_id: "mcp-1".into(), published_id: Some(9), age: WAIT };
    let possible = PossibleDuplicate {
        kind: DuplicateKind::Incident,
        id: 9,
        title: "Slow".into(),
        age: WAIT,
        external_id: None,
        matches: vec!["affects the same component".into()],
    };
    let limited = |reason, limit| WriteError::Limited { reason, limit, retry_after: WAIT };
    let refused = [
        LeaseRefusal::Denied(WriteDenial::GrantEnded),
        LeaseRefusal::Denied(WriteDenial::WritesPaused),
        LeaseRefusal::Denied(WriteDenial::PageBlocked),
        LeaseRefusal::Running { retry_after: WAIT },
        LeaseRefusal::KeyConflict { fields: vec!["title".into()] },
        LeaseRefusal::TokenRedeemed,
        LeaseRefusal::Duplicate(duplicate),
    ];
    let others = [
        WriteError::PossibleDuplicates(vec![possible]),
        limited(Reason::ConnectionLimit, WRITE_LIMIT),
        limited(Reason::PageLimit, PAGE_LIMIT),
        WriteError::LimiterUnavailable,
        WriteError::Unrecorded,
        WriteError::LeaseUnchecked,
        WriteError::Invalid { text: "no such status".into(), hints: vec!["`status` must be one of: \"down\"".into()] },
        WriteError::UnknownTarget("Page 7 has no incident 9 that you can see.".into()),
    ];
    refused.map(WriteError::Refused).into_iter().chain(others).collect()
}

/// The same answer before the post, about an earlier one, to the post, and to a post that cannot be looked up.
fn ends_of_answer(kind: ApiErrorKind) -> [WriteError; 4] {
    let ends = [WriteError::Unchecked, WriteError::Unresolved, WriteError::Upstream, WriteError::Unconfirmed];
    ends.map(|end| end(ApiError::new(kind, "said")))
}

fn level(outcome: Outcome) -> &'static str {
    let log = RequestLog::open(
        &|| 0,
        Trace::new(&|bytes| bytes.fill(1)),
        RequestId::parse("r").expect("an id"),
        &http::Method::POST,
    );
    log.set_outcome(outcome.of_request());
    log.close(200).level().as_str()
}

fn not_written(error: &WriteError) -> Result<String, mcp::Error> {
    report::not_written(error, PageId::new(7).expect("an id"), &|_| true)
}

fn row(result: &Result<WriteReport, WriteError>) -> String {
    let (outcome, reason) = classify(result);
    let (name, told) = match result {
        Ok(report) => (format!("{:?}", report.origin), "the report".to_owned()),
        Err(error) => {
            let name = format!("{error:?}");
            let name = name.strip_prefix("Refused(").unwrap_or(&name);
            let name = name.split(['(', ')', '{', ' ']).next().unwrap_or_default().to_owned();
            let told = not_written(error);
            (name, told.unwrap_or_else(|error: mcp::Error| format!("error: {error}")))
        }
    };
    let (in_log, reason) = (outcome.of_request().as_str(), reason.map_or("", Reason::as_str));
    format!("{name}: {} | {reason} | {in_log} {} | {told}", outcome.as_str(), level(outcome))
}

#[test]
fn every_end_of_a_write_has_its_outcome_level_and_words() {
    let mut table = String::new();
    let origins = [
        WriteOrigin::Posted,
        WriteOrigin::PostedVerified,
        WriteOrigin::Earlier,
        WriteOrigin::EarlierVerified,
        WriteOrigin::Existing,
    ];
    let done = origins.map(|origin| Ok(WriteReport { document: Value::Null, origin, remaining: None }));
    for result in done.into_iter().chain(ends_of_ours().into_iter().map(Err)) {
        let _ = writeln!(table, "{}", row(&result));
    }
    for kind in ApiErrorKind::VARIANTS {
        let _ = writeln!(table, "\n{kind:?}");
        for error in ends_of_answer(*kind) {
            let _ = writeln!(table, "{}", row(&Err(error)));
        }
    }
    insta::assert_snapshot!("ends_of_writes", table);
}

#[test]
fn unknown_outcome_of_a_post_is_a_warning_and_says_that_it_may_be_published() {
    for error in ApiErrorKind::VARIANTS.iter().flat_map(|kind| ends_of_answer(*kind)) {
        let (outcome, _) = error.classify();
        if outcome == Outcome::Unknown {
            assert_eq!((outcome.of_request(), level(outcome)), (Outcome::Unknown, "warn"), "{error:?}");
        }
        if let (WriteError::Upstream(_), Outcome::Unknown, Ok(told)) = (&error, outcome, not_written(&error)) {
            assert!(told.contains("may or may not have been published"), "{error:?}: {told}");
        }
    }
}
