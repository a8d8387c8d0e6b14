//! Identifiers that several layers use, each its own type so that they can't be confused.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A StatiBeat user, as StatiBeat names it. Opaque text to us.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct UserId(pub String);

/// A status page. Public: part of every page-bound resource URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PageId(pub i64);

/// The organization that owns a page; learned from StatiBeat, never from a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrganizationId(pub i64);

/// One approval by one user of one client. Random, unguessable, but not a secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
pub struct GrantId(pub String);

/// One request to this server, from the edge to the upstream and back; for support.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(pub String);

/// The largest id: the largest number that every JSON reader keeps exact, 2^53 − 1.
pub const ID_MAX: i64 = 9_007_199_254_740_991;

/// Parses an id of a URI: decimal digits, no sign, no leading zero, at most [`ID_MAX`].
pub fn parse_id(text: &str) -> Option<i64> {
    let id: i64 = text.parse().ok()?;
    ((1..=ID_MAX).contains(&id) && id.to_string() == text).then_some(id)
}

impl PageId {
    pub fn parse(text: &str) -> Option<Self> {
        parse_id(text).map(Self)
    }
}

macro_rules! display {
    ($($id:ty),+) => {$(
        impl fmt::Display for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}
display!(UserId, PageId, OrganizationId, GrantId, RequestId);
