//! The sign-in hand-over: a browser signs in here and goes back to the connector with a one-time code, which the
//! connector exchanges, server to server, for a signed identity assertion.
//!
//! The return URLs are configuration, never a parameter. A code is bound to the connector, the state and the code
//! challenge, is valid for 60 seconds, and has one attempt.

pub mod exchange;
mod page;
pub mod signing;

use std::collections::HashMap;

use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, StatusCode, header};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use crate::call::ReceivedRequest;
use crate::secrets;
use crate::world::World;
use page::SignInError;

/// Lifetime of a code in seconds.
const CODE_LIFETIME: i64 = 60;
/// Seconds a browser stays signed in.
const SESSION_LIFETIME: i64 = 8 * 3600;
const COOKIE: &str = "simulator_session";

/// Sessions by cookie, and codes.
#[derive(Default)]
pub struct SignIns {
    sessions: HashMap<String, Session>,
    codes: HashMap<String, Code>,
}

#[derive(Clone)]
struct Session {
    user_id: u64,
    sid: String,
    started_at: i64,
}

struct Code {
    session: Session,
    connector_id: ConnectorId,
    state_hash: String,
    challenge: String,
    expires_at: i64,
}

#[derive(Clone, Copy, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
enum ConnectorId {
    HostedMcp,
    HostedMcpAdmin,
}

impl ConnectorId {
    fn parse(text: &str) -> Option<Self> {
        [Self::HostedMcp, Self::HostedMcpAdmin].into_iter().find(|known| known.name() == text)
    }

    fn name(self) -> &'static str {
        match self {
            Self::HostedMcp => "hosted-mcp",
            Self::HostedMcpAdmin => "hosted-mcp-admin",
        }
    }
}

#[derive(Clone, Copy, Deserialize, Serialize)]
enum ChallengeMethod {
    S256,
}

#[derive(Clone, Copy, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum Prompt {
    SelectAccount,
}

#[derive(Clone, Copy, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
enum Action {
    Continue,
    Cancel,
}

/// The connector's query to the sign-in page; the form carries it along, with the person's choice.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct SignInRequest {
    connector_id: ConnectorId,
    /// The connector's own, returned as it came.
    #[serde(deserialize_with = "state")]
    state: String,
    #[serde(deserialize_with = "challenge")]
    code_challenge: String,
    code_challenge_method: ChallengeMethod,
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt: Option<Prompt>,
    #[serde(skip_serializing)]
    user_id: Option<u64>,
    #[serde(skip_serializing)]
    action: Option<Action>,
}

fn state<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let state = String::deserialize(deserializer)?;
    if (16..=512).contains(&state.len()) {
        Ok(state)
    } else {
        Err(D::Error::custom("state must have 16 to 512 characters"))
    }
}

fn challenge<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    let is_base64url = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    let is_sound = text.len() == 43 && is_base64url;
    if is_sound { Ok(text) } else { Err(D::Error::custom("code_challenge must be 43 characters of base64url")) }
}

fn read(text: &[u8]) -> Result<SignInRequest, SignInError> {
    serde_urlencoded::from_bytes(text)
        .map_err(|error| SignInError(format!("The request is not as it should be: {error}.")))
}

/// `GET /connector/sign-in`: always a page, never an automatic redirect.
pub fn show(world: &mut World, received: &ReceivedRequest) -> Result<Response, SignInError> {
    let wanted = read(received.request.uri().query().unwrap_or_default().as_bytes())?;
    let session = session(world, received).filter(|_| wanted.prompt.is_none());
    Ok(page::choose(world, &wanted, session.map(|session| session.user_id)))
}

/// `POST /connector/sign-in`: the person's choice.
pub fn choose(world: &mut World, received: &ReceivedRequest) -> Result<Response, SignInError> {
    let problem = |reason: &str| SignInError(reason.to_owned());
    if received.request.headers().get("sec-fetch-site").is_some_and(|site| site == "cross-site") {
        return Err(problem("The form was sent by another site."));
    }
    let wanted: SignInRequest = read(received.request.body())?;
    let session = match (wanted.action, wanted.user_id) {
        (Some(Action::Cancel), None) => return Ok(go_back(world, &wanted, "error", "access_denied")),
        (Some(Action::Continue), None) => {
            session(world, received).cloned().ok_or_else(|| problem("You are not signed in any more."))?
        }
        (None, Some(user_id)) => {
            let user = world.people.users.get(&user_id).filter(|user| user.demo);
            let user_id = user.ok_or_else(|| problem("There is no such user."))?.id;
            Session { user_id, sid: world.secrets.next("sid"), started_at: received.now }
        }
        _ => return Err(problem("Nobody was chosen.")),
    };
    let cookie = world.secrets.next("session");
    world.sign_ins.sessions.insert(cookie.clone(), session.clone());
    let code = issue_code(world, &wanted, session, received.now);
    let mut response = go_back(world, &wanted, "code", &code);
    let cookie = format!("{COOKIE}={cookie}; Path=/connector; HttpOnly; SameSite=Lax; Max-Age={SESSION_LIFETIME}");
    if let Ok(value) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
    Ok(response)
}

fn session<'a>(world: &'a World, received: &ReceivedRequest) -> Option<&'a Session> {
    let cookies = received.request.headers().get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let (_, value) = pairs.find(|(name, _)| *name == COOKIE)?;
    world.sign_ins.sessions.get(value).filter(|session| received.now < session.started_at + SESSION_LIFETIME)
}

fn issue_code(world: &mut World, wanted: &SignInRequest, session: Session, now: i64) -> String {
    let code = world.secrets.next("code");
    world.sign_ins.codes.retain(|_, code| now < code.expires_at);
    let issued = Code {
        session,
        connector_id: wanted.connector_id,
        state_hash: secrets::hash(wanted.state.as_bytes()),
        challenge: wanted.code_challenge.clone(),
        expires_at: now + CODE_LIFETIME,
    };
    world.sign_ins.codes.insert(code.clone(), issued);
    code
}

fn go_back(world: &World, wanted: &SignInRequest, name: &str, value: &str) -> Response {
    let path = match wanted.connector_id {
        ConnectorId::HostedMcp => "/mcp/oauth/callback",
        ConnectorId::HostedMcpAdmin => "/mcp/admin/callback",
    };
    let query = serde_urlencoded::to_string([(name, value), ("state", &wanted.state)]).unwrap_or_default();
    let location = format!("{}{path}?{query}", world.settings.connector_url);
    let headers = [
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::LOCATION, location.as_str()),
    ];
    (StatusCode::SEE_OTHER, headers).into_response()
}
