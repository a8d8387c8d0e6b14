//! Plain values that every layer may use: identifiers, time, scopes, text as a person sees it. No I/O, and no error of
//! another layer.

pub mod ids;
pub mod links;
pub mod loopback;
pub mod missing_access;
pub mod operation;
pub mod outcome;
pub mod scope;
pub mod time_zone;
pub mod timestamp;
pub mod visible;
pub mod web_origin;
pub mod write;
pub mod write_policy;

/// Serde as text, read by the type's own `parse` and written by its `Display`.
macro_rules! serde_as_text {
    ($type:ty) => {
        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text: std::borrow::Cow<'de, str> = serde::Deserialize::deserialize(deserializer)?;
                Self::parse(&text).ok_or_else(|| serde::de::Error::custom(concat!("not a ", stringify!($type))))
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    };
}
pub(crate) use serde_as_text;

/// Reads a boolean from a database column, which holds 0 or 1.
pub fn flag<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(<u8 as serde::Deserialize>::deserialize(deserializer)? != 0)
}
