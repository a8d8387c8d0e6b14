//! Addresses that people, directories and clients are pointed to.

use url::Url;

/// Each is absent unless the operator has set it.
#[derive(Clone, Debug, Default)]
pub struct Links {
    /// `HOSTED_MCP_WEBSITE_URL`.
    pub website: Option<Url>,
    /// `HOSTED_MCP_DOCUMENTATION_URL`.
    pub documentation: Option<Url>,
    /// `HOSTED_MCP_PRIVACY_URL`.
    pub privacy: Option<Url>,
    /// `HOSTED_MCP_TERMS_URL`.
    pub terms: Option<Url>,
    /// `HOSTED_MCP_STATUS_URL`.
    pub status: Option<Url>,
    /// `HOSTED_MCP_SUPPORT_URL`: https or mailto.
    pub support: Option<Url>,
    /// `HOSTED_MCP_SECURITY_CONTACT`: https or mailto.
    pub security_contact: Option<Url>,
    /// `HOSTED_MCP_OPENAI_CHALLENGE`.
    pub openai_challenge: Option<String>,
}
