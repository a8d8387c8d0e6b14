//! Origins of web pages ([RFC 6454](https://www.rfc-editor.org/rfc/rfc6454)) that may call the MCP endpoint.

use super::loopback::is_loopback_url;
use url::Url;

/// Origins that the operator allows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedOrigins(Vec<String>);

impl AllowedOrigins {
    /// Parses origins separated by commas or white space. The error is the first entry that is no origin of a website.
    pub fn parse(text: &str) -> Result<Self, String> {
        let entries = text.split([',', ' ', '\t', '\n', '\r']).filter(|entry| !entry.is_empty());
        let origin = |entry: &str| {
            // `*` is a legal host to a URL parser, and no browser sends it as an origin.
            let url = Url::parse(entry).ok().filter(|url| is_website(url) && !entry.contains('*'))?;
            let origin = url.origin().ascii_serialization();
            let is_exact = origin.eq_ignore_ascii_case(entry.trim_end_matches('/'));
            is_exact.then_some(origin)
        };
        entries.map(|entry| origin(entry).ok_or_else(|| entry.to_owned())).collect::<Result<_, _>>().map(Self)
    }

    pub fn has(&self, origin: &str) -> bool {
        self.0.iter().any(|allowed| allowed == origin)
    }
}

/// True for an `Origin` header that no website on another computer can cause: of a page on this computer, of a desktop app
/// (`file://`, `vscode-file://…`), of a browser extension, or opaque (`null`), as apps and sandboxed frames have it.
///
/// Such a sender has no more than anybody: a bearer token never comes by itself, as a cookie would. A server on loopback can be reached by DNS rebinding,
/// but the pages that do it have a website's origin.
pub fn is_of_a_program(origin: &str) -> bool {
    match Url::parse(origin) {
        Ok(url) => !is_website(&url) || is_loopback_url(&url),
        Err(_) => origin == "null",
    }
}

fn is_website(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origin_of_a_program_or_loopback_page_is_no_website() {
        for origin in [
            "null",
            "file://",
            "app://obsidian.md",
            "vscode-file://vscode-app",
            "chrome-extension://abcdefghijklmnop",
            "http://localhost:6274",
            "http://127.0.0.1:6274",
            "http://[::1]:1",
        ] {
            assert!(is_of_a_program(origin), "{origin}");
        }
        for origin in
            ["https://evil.example", "http://evil.example", "https://127.0.0.1.evil.example", "evil.example", ""]
        {
            assert!(!is_of_a_program(origin), "{origin}");
        }
    }

    #[test]
    fn list_of_origins_is_parsed_and_anything_else_is_named() {
        let origins =
            AllowedOrigins::parse("https://claude.com, http://intranet.example:8080\n\thttps://Apps.example/");
        let origins = origins.expect("origins");
        for origin in ["https://claude.com", "http://intranet.example:8080", "https://apps.example"] {
            assert!(origins.has(origin), "{origin}");
        }
        assert!(!origins.has("https://claude.com:8443") && !origins.has("claude.com"));
        for entry in [
            "claude.com",
            "https://claude.com/chat",
            "*",
            "file://",
            "https://*.example",
            "https://a@b.example",
            "ftp://a.example",
        ] {
            assert_eq!(AllowedOrigins::parse(&format!("https://claude.com {entry}")), Err(entry.to_owned()), "{entry}");
        }
        assert_eq!(AllowedOrigins::parse(" "), Ok(AllowedOrigins::default()));
    }
}
