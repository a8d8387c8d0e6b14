//! The two public documents: authorization server metadata (RFC 8414) and protected resource metadata (RFC 9728).
//!
//! All URLs come from configuration, never from a request's `Host`.

use crate::model::links::Links;
use crate::model::scope::{Scope, ScopeSet};
use serde::Serialize;
use url::Url;

/// URLs of the server, as published.
pub struct Endpoints<'a> {
    /// The issuer: the origin without a trailing slash.
    pub issuer: &'a str,
    /// Addresses of documents about the server, for people.
    pub links: &'a Links,
    /// The Resource URL of the one protected resource.
    pub resource: Url,
    pub authorize: Url,
    pub token: Url,
    pub revoke: Url,
    /// Registration endpoint, when registration is on.
    pub register: Option<Url>,
}

/// RFC 8414 2. No member is null or empty.
#[derive(Serialize)]
pub struct AuthorizationServerMetadata<'a> {
    issuer: &'a str,
    authorization_endpoint: &'a Url,
    token_endpoint: &'a Url,
    revocation_endpoint: &'a Url,
    #[serde(skip_serializing_if = "Option::is_none")]
    registration_endpoint: Option<&'a Url>,
    scopes_supported: Vec<&'static str>,
    response_types_supported: [&'static str; 1],
    response_modes_supported: [&'static str; 1],
    grant_types_supported: [&'static str; 2],
    token_endpoint_auth_methods_supported: [&'static str; 1],
    revocation_endpoint_auth_methods_supported: [&'static str; 1],
    code_challenge_methods_supported: [&'static str; 1],
    authorization_response_iss_parameter_supported: bool,
    client_id_metadata_document_supported: bool,
    protected_resources: [&'a Url; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    service_documentation: Option<&'a Url>,
    #[serde(skip_serializing_if = "Option::is_none")]
    op_policy_uri: Option<&'a Url>,
    #[serde(skip_serializing_if = "Option::is_none")]
    op_tos_uri: Option<&'a Url>,
}

/// RFC 9728 2. `scopes_supported` lists the scopes of a useful connection, not all scopes: several clients request
/// exactly these.
#[derive(Serialize)]
pub struct ProtectedResourceMetadata<'a> {
    resource: &'a Url,
    authorization_servers: [&'a str; 1],
    bearer_methods_supported: [&'static str; 1],
    scopes_supported: Vec<&'static str>,
    resource_name: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_documentation: Option<&'a Url>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_policy_uri: Option<&'a Url>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_tos_uri: Option<&'a Url>,
}

impl Endpoints<'_> {
    /// The document at the authorization server's well-known URL.
    pub fn authorization_server(&self) -> AuthorizationServerMetadata<'_> {
        AuthorizationServerMetadata {
            issuer: self.issuer,
            authorization_endpoint: &self.authorize,
            token_endpoint: &self.token,
            revocation_endpoint: &self.revoke,
            registration_endpoint: self.register.as_ref(),
            scopes_supported: Scope::ALL.iter().map(|scope| scope.as_str()).collect(),
            response_types_supported: ["code"],
            response_modes_supported: ["query"],
            grant_types_supported: ["authorization_code", "refresh_token"],
            token_endpoint_auth_methods_supported: ["none"],
            revocation_endpoint_auth_methods_supported: ["none"],
            code_challenge_methods_supported: ["S256"],
            authorization_response_iss_parameter_supported: true,
            client_id_metadata_document_supported: true,
            protected_resources: [&self.resource],
            service_documentation: self.links.documentation.as_ref(),
            op_policy_uri: self.links.privacy.as_ref(),
            op_tos_uri: self.links.terms.as_ref(),
        }
    }

    /// The document at the protected resource's well-known URL.
    pub fn protected_resource(&self) -> ProtectedResourceMetadata<'_> {
        ProtectedResourceMetadata {
            resource: &self.resource,
            authorization_servers: [self.issuer],
            bearer_methods_supported: ["header"],
            scopes_supported: ScopeSet::baseline().iter().map(Scope::as_str).collect(),
            resource_name: "StatiBeat",
            resource_documentation: self.links.documentation.as_ref(),
            resource_policy_uri: self.links.privacy.as_ref(),
            resource_tos_uri: self.links.terms.as_ref(),
        }
    }
}
