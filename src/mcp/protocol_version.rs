//! The protocol versions that are spoken here, and their differences.

use strum::{EnumString, IntoStaticStr, VariantArray};

/// The protocol versions that we speak, oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, EnumString, IntoStaticStr, VariantArray)]
#[strum(const_into_str)]
pub enum ProtocolVersion {
    /// Has no `resource_link`. Its batches are rejected (`message::parse`).
    #[strum(serialize = "2025-03-26")]
    V2025_03_26,
    #[strum(serialize = "2025-06-18")]
    V2025_06_18,
    #[strum(serialize = "2025-11-25")]
    V2025_11_25,
    /// No handshake: every request carries its version and the client's capabilities.
    #[strum(serialize = "2026-07-28")]
    V2026_07_28,
}

impl ProtocolVersion {
    /// The version that a handshake offers for an unknown one.
    pub const LATEST_WITH_HANDSHAKE: Self = Self::V2025_11_25;
    pub const LATEST: Self = Self::V2026_07_28;

    /// The name on the wire.
    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }

    /// The version of exactly that name.
    pub fn parse(name: &str) -> Option<Self> {
        name.parse().ok()
    }

    /// The version of that name, if it has a handshake.
    pub fn parse_with_handshake(name: &str) -> Option<Self> {
        Self::parse(name).filter(|version| version.has_handshake())
    }

    /// The names of the versions that have a handshake, oldest first.
    pub fn with_handshake() -> Vec<&'static str> {
        Self::VARIANTS.iter().filter(|version| version.has_handshake()).map(|version| version.as_str()).collect()
    }

    /// `true` if a handshake precedes the requests, which then carry no metadata of their own.
    pub fn has_handshake(self) -> bool {
        self < Self::V2026_07_28
    }

    pub fn has_resource_links(self) -> bool {
        self > Self::V2025_03_26
    }
}

/// Checks whether the version of that name, served or not, has a handshake; `None` for a name that is no version's.
pub fn name_has_handshake(name: &str) -> Option<bool> {
    is_date(name).then(|| name < ProtocolVersion::LATEST.as_str())
}

/// Dates of this form compare as texts.
fn is_date(version: &str) -> bool {
    let fits = |(index, byte): (usize, u8)| if matches!(index, 4 | 7) { byte == b'-' } else { byte.is_ascii_digit() };
    version.len() == 10 && version.bytes().enumerate().all(fits)
}
