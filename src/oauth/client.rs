//! Clients: who they say they are and where answers may go.

use std::fmt;

/// The `client_id` of an MCP application: 1 to 512 printable ASCII characters (RFC 6749 appendix A.1).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(String);

impl ClientId {
    /// Longest accepted, in bytes.
    pub const MAX_LENGTH: usize = 512;

    /// Checks the shape only; whether such a client is acceptable is another question.
    pub fn parse(text: &str) -> Option<Self> {
        let fits =
            (1..=Self::MAX_LENGTH).contains(&text.len()) && text.bytes().all(|byte| (0x20..=0x7e).contains(&byte));
        fits.then(|| Self(text.to_owned()))
    }

    /// As sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
