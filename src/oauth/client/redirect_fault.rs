//! Reasons for refusing a redirect URI: one for each cause, because each needs another remedy.

use super::redirect::RedirectUri;
use crate::model::loopback::is_loopback_url;
use url::Url;

/// Microsoft's hosts that receive the answers of Copilot Studio, at one address for each connector.
const COPILOT_STUDIO_HOSTS: &str = ".consent.azure-apim.net";

/// A reason in words for the developers of the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, strum::VariantArray)]
pub enum RedirectFault {
    #[error("redirect_uri is not a URI of at most 2048 plain characters")]
    NotAUri,
    /// Code tab of the Claude desktop app (anthropics/claude-code issue 93671).
    #[error("redirect_uri is a claude:// address, which other programs on the computer can claim")]
    ClaudeScheme,
    /// Sent by Cursor before 3.10.17; newer versions listen on this computer.
    #[error("redirect_uri is a cursor:// address, which other programs on the computer can claim")]
    CursorScheme,
    #[error("redirect_uri has a scheme of its own, which other programs on the computer can claim")]
    OtherScheme,
    #[error("redirect_uri is http on another computer, which others on the network can read")]
    NotSecure,
    #[error("redirect_uri has a fragment")]
    Fragment,
    #[error("redirect_uri has a user name")]
    User,
    #[error("redirect_uri is not in its plain form: lower-case host, no default port, no '..'")]
    NotPlain,
    #[error("redirect_uri already has code, state, iss or error in its query")]
    AnswerParameter,
    #[error("redirect_uri is the address of one Copilot Studio connector, and the operator has not approved it")]
    CopilotStudio,
    #[error("the operator has not approved this https redirect_uri for this client_id")]
    Unlisted,
    #[error("redirect_uri is on a website, and an app that registered itself can only use its own computer")]
    RegisteredWeb,
    #[error("redirect_uri has another host or path on this computer than the app is known with")]
    OtherLoopback,
    #[error("redirect_uri has another host or path on this computer than the app registered")]
    OtherRegistration,
}

impl RedirectFault {
    /// Finds the fault of a text that [`RedirectUri::parse`] refuses.
    pub fn of_text(text: &str) -> Self {
        let Some(url) = Url::parse(text).ok().filter(|_| text.len() <= RedirectUri::MAX_LENGTH) else {
            return Self::NotAUri;
        };
        match url.scheme() {
            "claude" => Self::ClaudeScheme,
            "cursor" => Self::CursorScheme,
            "http" | "https" if !url.username().is_empty() || url.password().is_some() => Self::User,
            "http" if !is_loopback_url(&url) => Self::NotSecure,
            "http" | "https" if text.contains('#') => Self::Fragment,
            "http" | "https" => Self::NotPlain,
            _ => Self::OtherScheme,
        }
    }

    /// Finds the fault of an https redirect URI that is not on the operator's list for this client, which may be one that registered
    /// itself here.
    pub fn of_web(redirect_uri: &RedirectUri, is_registered: bool) -> Self {
        if is_copilot_studio(&redirect_uri.host()) {
            Self::CopilotStudio
        } else if is_registered {
            Self::RegisteredWeb
        } else {
            Self::Unlisted
        }
    }
}

/// Returns whether a host receives answers for Copilot Studio.
pub(super) fn is_copilot_studio(host: &str) -> bool {
    host.ends_with(COPILOT_STUDIO_HOSTS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use strum::VariantArray as _;

    #[test]
    fn each_cause_of_a_refused_text_has_its_own_fault() {
        for (text, fault) in [
            ("claude://claude.ai/mcp-auth-callback/sdk", RedirectFault::ClaudeScheme),
            ("cursor://anysphere.cursor-mcp/oauth/callback", RedirectFault::CursorScheme),
            ("com.example.app:/cb", RedirectFault::OtherScheme),
            ("javascript:alert(1)", RedirectFault::OtherScheme),
            ("http://acme.example/cb", RedirectFault::NotSecure),
            ("http://localhost.evil.com/", RedirectFault::NotSecure),
            ("http://192.0.2.1/cb", RedirectFault::NotSecure),
            ("https://acme.example/cb#", RedirectFault::Fragment),
            ("http://localhost:1/cb#x", RedirectFault::Fragment),
            ("https://user@acme.example/cb", RedirectFault::User),
            ("http://localhost@evil.example/", RedirectFault::User),
            ("https://acme.example:443/cb", RedirectFault::NotPlain),
            ("HTTPS://acme.example/cb", RedirectFault::NotPlain),
            ("http://LOCALHOST/", RedirectFault::NotPlain),
            ("http://127.1/", RedirectFault::NotPlain),
            ("not a URI", RedirectFault::NotAUri),
            ("", RedirectFault::NotAUri),
            (&format!("https://acme.example/{}", "p".repeat(2048)), RedirectFault::NotAUri),
        ] {
            assert_eq!((RedirectUri::parse(text), RedirectFault::of_text(text)), (None, fault), "{text}");
        }
    }

    #[test]
    fn website_of_copilot_studio_or_of_a_registered_client_has_its_own_fault() {
        let of_web =
            |is_registered, uri: &str| RedirectFault::of_web(&RedirectUri::parse(uri).expect("a URI"), is_registered);
        let connector = "https://global.consent.azure-apim.net/redirect/mvp-5fstatibeat-5fdfde809e1caf448f";
        assert_eq!(of_web(false, connector), RedirectFault::CopilotStudio);
        assert_eq!(of_web(true, connector), RedirectFault::CopilotStudio);
        assert_eq!(of_web(true, "https://a.example/cb"), RedirectFault::RegisteredWeb);
        assert_eq!(of_web(false, "https://consent.azure-apim.net.evil.example/cb"), RedirectFault::Unlisted);
    }

    #[test]
    fn every_fault_has_a_sentence_of_its_own_in_the_characters_of_rfc_6749() {
        let sentences: BTreeSet<String> = RedirectFault::VARIANTS.iter().map(ToString::to_string).collect();
        assert_eq!(sentences.len(), RedirectFault::VARIANTS.len());
        for sentence in sentences {
            assert!(sentence.bytes().all(|b| (0x20..=0x7e).contains(&b) && b != b'"' && b != b'\\'), "{sentence}");
        }
    }
}
