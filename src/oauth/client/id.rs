//! The identifier of a client (RFC 6749 2.2).

use crate::model::serde_as_text;
use std::fmt;
use url::Url;

/// The `client_id` of an MCP application: 1 to 512 printable ASCII characters (RFC 6749 appendix A.1), without
/// surrounding white space: StatiBeat receives the id in a header, and HTTP trims header values (RFC 9110 5.5), so two
/// ids would become one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(String);

impl ClientId {
    pub const MAX_LENGTH: usize = 512;

    /// Checks the syntax only, not whether the client is accepted.
    pub fn parse(text: &str) -> Option<Self> {
        let fits =
            (1..=Self::MAX_LENGTH).contains(&text.len()) && text.bytes().all(|byte| (0x20..=0x7e).contains(&byte));
        (fits && text.trim() == text).then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns whether the id is the URL of a client's metadata document: https, with a path, in its plain spelling, without user
    /// or fragment (draft-ietf-oauth-client-id-metadata-document-00, 3).
    pub fn is_metadata_document(&self) -> bool {
        let Ok(url) = Url::parse(&self.0) else { return false };
        let has_user = !url.username().is_empty() || url.password().is_some();
        url.scheme() == "https" && url.as_str() == self.0 && url.path() != "/" && !has_user && url.fragment().is_none()
    }
}

serde_as_text!(ClientId);

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_document_is_a_plain_https_url_with_a_path() {
        let is_document = |text: &str| ClientId::parse(text).expect("fits").is_metadata_document();
        assert!(is_document("https://app.example/meta.json") && is_document("https://app.example:8443/m?v=2"));
        for other in [
            "tool",
            "https://app.example",
            "https://app.example/",
            "http://app.example/meta",
            "https://user@app.example/meta",
            "https://app.example/meta#x",
            "https://APP.example/meta",
            "https://app.example/a/../meta",
        ] {
            assert!(!is_document(other), "{other}");
        }
    }

    #[test]
    fn client_id_is_1_to_512_printable_characters_without_a_blank_at_either_end() {
        for good in ["a", "a b", &"x".repeat(512), "~!"] {
            assert_eq!(ClientId::parse(good).expect("fits").to_string(), good);
        }
        for bad in ["", " ", "   ", &"x".repeat(513), "a\tb", "a\u{7f}", "é", " a", "a ", "\ta", "a\u{a0}", "\u{200b}a"]
        {
            assert_eq!(ClientId::parse(bad), None, "{bad:?}");
        }
    }
}
