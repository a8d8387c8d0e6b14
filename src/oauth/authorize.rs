//! Validates the authorization request (RFC 6749 4.1.1, RFC 7636 4.3, RFC 8707 2) and decides who sees an error.
//!
//! Two steps with two error types: [`client_parameters`] and `Clients::resolve` fail with errors shown to the person;
//! [`validate`], which needs the validated client, fails with errors sent to the client.

use crate::model::scope::ScopeSet;
use crate::oauth::client::ResolvedClient;
use crate::oauth::error::{DirectError, RedirectError};
use crate::oauth::parameters::Parameters;
use crate::oauth::pkce::CodeChallenge;
use serde::{Deserialize, Serialize};
use url::Url;

/// Maximum length of `state`, in bytes: it is stored in a cookie, and browsers keep no cookie of more than 4,096 bytes.
pub const MAX_STATE_LENGTH: usize = 2048;
/// Maximum number of scope names in a request.
const MAX_SCOPE_NAMES: usize = 20;

/// An authorization request whose client and redirect URI were validated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizationRequest {
    /// The client, with the redirect URI of the response.
    pub client: ResolvedClient,
    /// Returned to the client as sent.
    pub state: Option<String>,
    /// The rest of the request, or the error that is delivered once the person has signed in.
    pub access: Result<RequestedAccess, RedirectError>,
}

/// The access that a client requests; validated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestedAccess {
    pub challenge: CodeChallenge,
    #[serde(rename = "scope")]
    pub scopes: ScopeSet,
}

/// Parses `client_id` and `redirect_uri`, which decide where errors go.
pub fn client_parameters(parameters: &Parameters) -> Result<(&str, &str), DirectError> {
    let client_id = parameters.single("client_id").ok_or(DirectError::ClientId)?;
    let redirect_uri = parameters.single("redirect_uri").ok_or(DirectError::RedirectUriMissing)?;
    Ok((client_id, redirect_uri))
}

/// The `state` to return with the response, exactly as sent; `None` if it is repeated or too long.
pub fn state(parameters: &Parameters) -> Option<&str> {
    let mut values = parameters.all("state");
    let first = values.next()?;
    (values.next().is_none() && first.len() <= MAX_STATE_LENGTH).then_some(first)
}

/// Validates all other parameters. `resource` is the one protected resource served here.
pub fn validate(parameters: &Parameters, resource: &Url) -> Result<RequestedAccess, RedirectError> {
    const KNOWN: [&str; 9] = [
        "response_type",
        "response_mode",
        "code_challenge",
        "code_challenge_method",
        "scope",
        "state",
        "prompt",
        "request",
        "request_uri",
    ];
    if parameters.repeats_any(&KNOWN) {
        return Err(RedirectError::RepeatedParameter);
    }
    if parameters.all("state").any(|state| state.len() > MAX_STATE_LENGTH) {
        return Err(RedirectError::StateTooLong);
    }
    if parameters.single("request").is_some() {
        return Err(RedirectError::RequestObject);
    }
    if parameters.single("request_uri").is_some() {
        return Err(RedirectError::RequestUri);
    }
    match parameters.single("response_type") {
        None => return Err(RedirectError::ResponseTypeMissing),
        Some("code") => {}
        Some(_) => return Err(RedirectError::ResponseType),
    }
    if parameters.single("response_mode").is_some_and(|mode| mode != "query") {
        return Err(RedirectError::ResponseMode);
    }
    let challenge = challenge(parameters.single("code_challenge"), parameters.single("code_challenge_method"))?;
    let scopes = requested_scopes(parameters.single("scope"))?;
    check_resource(parameters, resource).map_err(|ResourceNotServed| RedirectError::Resource)?;
    if parameters.single("prompt").is_some_and(|prompt| prompt.split(' ').any(|word| word == "none")) {
        return Err(RedirectError::InteractionRequired);
    }
    Ok(RequestedAccess { challenge, scopes })
}

fn challenge(challenge: Option<&str>, method: Option<&str>) -> Result<CodeChallenge, RedirectError> {
    let challenge = challenge.ok_or(RedirectError::ChallengeMissing)?;
    if method != Some("S256") {
        return Err(RedirectError::ChallengeMethod);
    }
    CodeChallenge::parse(challenge).ok_or(RedirectError::ChallengeShape)
}

/// Ignores unknown names (RFC 6749 3.3): SDKs add `offline_access`, and clients ask for `openid email profile` without
/// reading `scopes_supported`. With no read scope among the known names, every read scope is requested as well: a write needs the ids
/// that reads give, and the person chooses among them anyway.
fn requested_scopes(scope: Option<&str>) -> Result<ScopeSet, RedirectError> {
    let text = scope.unwrap_or_default();
    if text.split(' ').filter(|name| !name.is_empty()).count() > MAX_SCOPE_NAMES {
        return Err(RedirectError::Scope);
    }
    let scopes = ScopeSet::parse_known(text);
    let has_read = scopes.iter().any(|scope| !scope.is_write());
    Ok(if has_read { scopes } else { scopes.union(ScopeSet::baseline()) })
}

/// The `resource` parameter names a resource that is not served here.
#[derive(Debug, PartialEq, Eq)]
pub struct ResourceNotServed;

/// Checks `resource` (RFC 8707 2). Absent is valid; otherwise each value must name the served resource. Libraries write it
/// with or without a slash at the end, with the default port, in other case of scheme and host, or send it twice.
pub fn check_resource(parameters: &Parameters, resource: &Url) -> Result<(), ResourceNotServed> {
    let mut values = parameters.all("resource").filter(|value| !value.is_empty());
    if values.all(|value| is_same_resource(value, resource)) { Ok(()) } else { Err(ResourceNotServed) }
}

fn is_same_resource(value: &str, resource: &Url) -> bool {
    let without_slash = |url: &Url| url.as_str().strip_suffix('/').unwrap_or(url.as_str()).to_owned();
    // Url::parse lowers scheme and host and drops the default port.
    Url::parse(value).is_ok_and(|url| without_slash(&url) == without_slash(resource)) && !value.contains('#')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::scope::Scope;

    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    fn check(query: &str) -> Result<RequestedAccess, RedirectError> {
        let resource = Url::parse("https://mcp.example/mcp").expect("a URL");
        validate(&Parameters::parse(query.as_bytes()).expect("well formed"), &resource)
    }

    fn with(rest: &str) -> Result<ScopeSet, RedirectError> {
        check(&format!("response_type=code&code_challenge={CHALLENGE}&code_challenge_method=S256&{rest}"))
            .map(|r| r.scopes)
    }

    #[test]
    fn response_type_and_mode_are_checked_first() {
        assert_eq!(check("state=x"), Err(RedirectError::ResponseTypeMissing));
        for other in ["token", "id_token", "code+token", "CODE"] {
            assert_eq!(check(&format!("response_type={other}")), Err(RedirectError::ResponseType), "{other}");
        }
        assert_eq!(with("response_mode=fragment"), Err(RedirectError::ResponseMode));
        assert!(with("response_mode=query").is_ok());
    }

    #[test]
    fn pkce_with_s256_is_required() {
        assert_eq!(check("response_type=code"), Err(RedirectError::ChallengeMissing));
        for method in ["", "&code_challenge_method=plain", "&code_challenge_method=s256", "&code_challenge_method=S512"]
        {
            assert_eq!(
                check(&format!("response_type=code&code_challenge={CHALLENGE}{method}")),
                Err(RedirectError::ChallengeMethod)
            );
        }
        assert_eq!(
            check("response_type=code&code_challenge=abc&code_challenge_method=S256"),
            Err(RedirectError::ChallengeShape)
        );
    }

    #[test]
    fn scopes_are_known_names_and_default_to_every_read() {
        assert_eq!(with(""), Ok(ScopeSet::baseline()));
        assert_eq!(with("scope="), Ok(ScopeSet::baseline()));
        assert_eq!(with("scope=offline_access"), Ok(ScopeSet::baseline()));
        let with_reads = ScopeSet::baseline().union(Scope::IncidentsWrite.into());
        assert_eq!(with("scope=mcp.incidents.write+offline_access"), Ok(with_reads));
        assert_eq!(with("scope=openid+email+profile"), Ok(ScopeSet::baseline()));
        assert_eq!(with("scope=openid+mcp.incidents.write"), Ok(with_reads));
        assert_eq!(with("scope=mcp.pages.read&scope=mcp.beats.read"), Err(RedirectError::RepeatedParameter));
        assert_eq!(with(&format!("scope={}", ["mcp.pages.read"; 20].join("+"))), Ok(Scope::PagesRead.into()));
        assert_eq!(with(&format!("scope={}", ["mcp.pages.read"; 21].join("+"))), Err(RedirectError::Scope));
    }

    #[test]
    fn other_resource_is_rejected_and_absent_one_is_accepted() {
        for fine in [
            "",
            "resource=",
            "resource=https://mcp.example/mcp",
            "resource=HTTPS://MCP.example/mcp",
            "resource=https://mcp.example/mcp/",
            "resource=https://mcp.example:443/mcp",
            "resource=https://mcp.example/mcp&resource=https://mcp.example/mcp/",
        ] {
            assert!(with(fine).is_ok(), "{fine}");
        }
        for other in [
            "resource=https://mcp.example/mcp//",
            "resource=https://mcp.example:8443/mcp",
            "resource=http://mcp.example/mcp",
            "resource=https://user@mcp.example/mcp",
            "resource=https://mcp.example/mcp/?x",
            "resource=https://mcp.example/",
            "resource=/mcp",
            "resource=https://mcp.example/mcp%23",
            "resource=https://mcp.example/mcp&resource=https://other.example",
        ] {
            assert_eq!(with(other), Err(RedirectError::Resource), "{other}");
        }
    }

    #[test]
    fn request_objects_silent_requests_and_long_states_are_refused() {
        assert_eq!(with("request=x"), Err(RedirectError::RequestObject));
        assert_eq!(with("request_uri=x"), Err(RedirectError::RequestUri));
        assert_eq!(with("prompt=none"), Err(RedirectError::InteractionRequired));
        assert!(with("prompt=consent&nonce=1&access_type=offline").is_ok());
        assert!(with(&format!("state={}", "s".repeat(2048))).is_ok());
        assert_eq!(with(&format!("state={}", "s".repeat(2049))), Err(RedirectError::StateTooLong));
    }

    #[test]
    fn both_parameters_of_the_client_are_there_once_or_nothing_is_sent_to_it() {
        let read = |query: &str| {
            let parameters = Parameters::parse(query.as_bytes()).expect("well formed");
            client_parameters(&parameters).map(|(id, uri)| (id.to_owned(), uri.to_owned()))
        };
        assert_eq!(
            read("client_id=tool&redirect_uri=http://localhost/"),
            Ok(("tool".into(), "http://localhost/".into()))
        );
        for bad in ["redirect_uri=x", "client_id=&redirect_uri=x", "client_id=a&client_id=a&redirect_uri=x"] {
            assert_eq!(read(bad), Err(DirectError::ClientId), "{bad}");
        }
        for bad in ["client_id=a", "client_id=a&redirect_uri=", "client_id=a&redirect_uri=x&redirect_uri=x"] {
            assert_eq!(read(bad), Err(DirectError::RedirectUriMissing), "{bad}");
        }
    }

    #[test]
    fn a_state_is_given_back_only_if_it_is_one_and_short_enough() {
        let given = |query: &str| state(&Parameters::parse(query.as_bytes()).expect("well formed")).map(str::to_owned);
        assert_eq!(given("state=a%2Bb"), Some("a+b".into()));
        assert_eq!(given("state="), Some(String::new()));
        assert_eq!(given("state=a&state=b"), None);
        assert!(given(&format!("state={}", "s".repeat(2048))).is_some());
        assert_eq!(given(&format!("state={}", "s".repeat(2049))), None);
    }
}
