//! Identifiers that several layers use, each its own type so that they can't be confused. A value exists only if it is well formed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The first of the random bytes of every opaque token and grant id: the shard of the database that keeps its row (`docs/scale.md`).
/// There is one shard today.
pub const SHARD: u8 = 0;

/// A StatiBeat user: a positive decimal number without leading zeros, kept as text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct UserId(String);

/// A status page. Public: part of every page-bound resource URI. From 1 to [`ID_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "i64")]
pub struct PageId(i64);

/// The organization that owns a page; learned from StatiBeat, never from a client. From 1 to [`ID_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrganizationId(i64);

/// One approval by one user of one client. Random, unguessable, but not a secret. 1 to 64 characters of base64url.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct GrantId(String);

/// One request to this server, from the edge to the upstream and back; for support. 1 to 64 characters of base64url.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(String);

/// The largest id: the largest number that every JSON reader keeps exact, 2^53 − 1.
pub const ID_MAX: i64 = 9_007_199_254_740_991;

/// Longest id of ours, in characters.
const OWN_ID_LIMIT: usize = 64;

/// Parses an id of a URI: decimal digits, no sign, no leading zero, at most [`ID_MAX`].
pub fn parse_id(text: &str) -> Option<i64> {
    let id: i64 = text.parse().ok()?;
    ((1..=ID_MAX).contains(&id) && id.to_string() == text).then_some(id)
}

fn is_user_id(text: &str) -> bool {
    text.parse::<u64>().is_ok_and(|id| id > 0 && id.to_string() == text)
}

fn is_own_id(text: &str) -> bool {
    let is_base64url = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=OWN_ID_LIMIT).contains(&text.len()) && text.bytes().all(is_base64url)
}

impl GrantId {
    /// Replaces the first byte by the shard.
    pub fn new(mut random: [u8; 16]) -> Self {
        random[0] = SHARD;
        Self(URL_SAFE_NO_PAD.encode(random))
    }
}

/// Text is not an id of this type. Does not repeat the text.
#[derive(Debug, thiserror::Error)]
#[error("not an id")]
pub struct NotAnId;

macro_rules! text_ids {
    ($($id:ty: $is_valid:ident;)+) => {$(
        impl $id {
            pub fn parse(text: impl Into<String>) -> Option<Self> {
                let text = text.into();
                $is_valid(&text).then_some(Self(text))
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $id {
            type Error = NotAnId;

            fn try_from(text: String) -> Result<Self, NotAnId> {
                Self::parse(text).ok_or(NotAnId)
            }
        }
    )+};
}
text_ids! {
    UserId: is_user_id;
    GrantId: is_own_id;
    RequestId: is_own_id;
}

macro_rules! number_ids {
    ($($id:ty),+) => {$(
        impl $id {
            pub const fn new(id: i64) -> Option<Self> {
                if id >= 1 && id <= ID_MAX { Some(Self(id)) } else { None }
            }

            pub const fn get(self) -> i64 {
                self.0
            }

            /// Parses the decimal form of a URI; see [`parse_id`].
            pub fn parse(text: &str) -> Option<Self> {
                parse_id(text).map(Self)
            }
        }

        impl TryFrom<i64> for $id {
            type Error = NotAnId;

            fn try_from(id: i64) -> Result<Self, NotAnId> {
                Self::new(id).ok_or(NotAnId)
            }
        }
    )+};
}
number_ids!(PageId, OrganizationId);

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_id_is_a_positive_number_without_leading_zeros() {
        assert!(["1", "42", "18446744073709551615"].iter().all(|text| UserId::parse(*text).is_some()));
        assert!(
            ["", "0", "01", "-1", "+1", "a", " 1", "18446744073709551616"]
                .iter()
                .all(|text| UserId::parse(*text).is_none())
        );
    }

    #[test]
    fn id_of_ours_is_1_to_64_characters_of_base64url() {
        let longest = "a".repeat(64);
        assert!(["g", "admin-page", "A_b-9", longest.as_str()].iter().all(|text| GrantId::parse(*text).is_some()));
        let too_long = "a".repeat(65);
        assert!(["", "a b", "a.b", "ä", "a\n", too_long.as_str()].iter().all(|text| RequestId::parse(*text).is_none()));
    }

    #[test]
    fn new_grant_id_begins_with_the_shard() {
        let bytes = URL_SAFE_NO_PAD.decode(GrantId::new([255; 16]).as_str()).expect("base64url");
        assert_eq!((bytes[0], &bytes[1..]), (SHARD, [255; 15].as_slice()));
    }

    #[test]
    fn page_id_is_a_positive_number_that_json_keeps_exact() {
        assert_eq!([0, -1, ID_MAX + 1].map(PageId::new), [None; 3]);
        assert_eq!(PageId::new(ID_MAX).map(PageId::get), Some(ID_MAX));
        assert_eq!(["42", "042", "0", "9007199254740992"].map(PageId::parse), [PageId::new(42), None, None, None]);
    }

    #[test]
    fn malformed_id_is_not_deserialized() {
        assert!(serde_json::from_str::<UserId>("\"\"").is_err());
        assert!(serde_json::from_str::<GrantId>("\"a b\"").is_err());
        assert!(serde_json::from_str::<PageId>("0").is_err());
        assert_eq!(serde_json::from_str::<PageId>("7").ok(), PageId::new(7));
    }
}
