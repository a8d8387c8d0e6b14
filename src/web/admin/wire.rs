//! Serde helpers for values in the JSON of the admin API.

use crate::model::scope::{Scope, ScopeSet};
use crate::model::timestamp::Timestamp;
use crate::oauth::client::ClientTrust;
use crate::oauth::grant::PageChoice;
use crate::storage::connections::ApprovedAccess;
use serde::{Serialize, Serializer};
use std::fmt::Display;

pub(super) fn text<S: Serializer>(value: &impl Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

#[expect(clippy::ref_option, reason = "serde passes a reference to the field")]
pub(super) fn optional_text<S: Serializer>(value: &Option<impl Display>, serializer: S) -> Result<S::Ok, S::Error> {
    value.as_ref().map(ToString::to_string).serialize(serializer)
}

/// The date of a day that is counted since the Unix epoch.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference to the field; small on 64 bits alone")]
pub(super) fn date<S: Serializer>(day: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    Timestamp::from_seconds(day * 86_400).to_string()[..10].serialize(serializer)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference to the field")]
pub(super) fn is_verified<S: Serializer>(trust: &ClientTrust, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bool(trust.is_verified())
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference to the field")]
pub(super) fn scope_names<S: Serializer>(scopes: &ScopeSet, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(scopes.iter().map(Scope::as_str))
}

/// `null`: whatever the person can see, now and later.
pub(super) fn chosen_pages<S: Serializer>(pages: &PageChoice, serializer: S) -> Result<S::Ok, S::Error> {
    match pages {
        PageChoice::All => serializer.serialize_none(),
        PageChoice::These(pages) => serializer.collect_seq(pages),
    }
}

pub(super) fn approvals<S: Serializer>(approvals: &[ApprovedAccess], serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct ShownApproval<'a> {
        grant_id: &'a str,
        #[serde(serialize_with = "scope_names")]
        scopes: &'a ScopeSet,
        #[serde(serialize_with = "chosen_pages")]
        pages: &'a PageChoice,
        #[serde(serialize_with = "text")]
        approved_at: Timestamp,
        #[serde(serialize_with = "optional_text")]
        last_used_at: Option<Timestamp>,
        #[serde(serialize_with = "optional_text")]
        expires_at: Option<Timestamp>,
    }
    serializer.collect_seq(approvals.iter().map(|approved| ShownApproval {
        grant_id: approved.grant_id.as_str(),
        scopes: &approved.scopes,
        pages: &approved.pages,
        approved_at: approved.created_at,
        last_used_at: approved.last_used_at,
        expires_at: approved.expires_at,
    }))
}

#[cfg(test)]
mod tests {
    #[test]
    fn day_is_a_date_counted_since_the_epoch() {
        let written = |day: i64| super::date(&day, serde_json::value::Serializer).expect("a date");
        assert_eq!([0, 364, 20_000].map(written), ["1970-01-01", "1970-12-31", "2024-10-04"]);
    }
}
