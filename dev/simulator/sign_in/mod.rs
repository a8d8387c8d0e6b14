//! The sign-in hand-over: a browser signs in here and goes back to the connector with a one-time code, which the
//! connector exchanges, server to server, for a signed identity assertion.
//!
//! The return addresses are configuration, never a parameter. A code is bound to the connector, the state and the
//! challenge it was asked for with, lives 60 seconds and has one attempt.

pub mod admin_assertion;
pub mod exchange;
pub mod identity;
mod page;

use std::collections::HashMap;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode};

use super::secrets;
use super::world::World;
use page::Choice;

/// Seconds a code lives.
const CODE_LIFETIME: i64 = 60;
/// Seconds a browser stays signed in.
const SESSION_LIFETIME: i64 = 8 * 3600;
/// The browser's cookie.
const COOKIE: &str = "simulator_session";

/// Sessions and codes.
#[derive(Debug, Default)]
pub struct SignIns {
    sessions: HashMap<String, Session>,
    codes: HashMap<String, Code>,
}

#[derive(Clone, Debug)]
struct Session {
    user_id: u64,
    sid: String,
    started_at: i64,
}

#[derive(Debug)]
struct Code {
    session: Session,
    connector_id: String,
    state_hash: String,
    challenge: String,
    expires_at: i64,
}

/// What the connector asks the sign-in page for.
#[derive(Clone, Debug)]
pub struct Asked {
    /// `hosted-mcp` or `hosted-mcp-admin`.
    pub connector_id: String,
    /// The connector's own handle, returned as it came.
    pub state: String,
    /// S256 challenge.
    pub code_challenge: String,
    /// `prompt=select_account`.
    pub select_account: bool,
}

/// `GET /connector/sign-in`: always a page, never an automatic redirect.
pub fn show(world: &World, request: &Request<Bytes>, now: i64) -> Response<Bytes> {
    let asked = match Asked::read(request.uri().query().unwrap_or("")) {
        Ok(asked) => asked,
        Err(fault) => return page::fault(&fault),
    };
    let session = session(world, request, now).filter(|_| !asked.select_account);
    page::choose(world, &asked, session.map(|session| session.user_id))
}

/// `POST /connector/sign-in`: the person's choice.
pub fn choose(world: &mut World, request: &Request<Bytes>, now: i64) -> Response<Bytes> {
    if request.headers().get("sec-fetch-site").is_some_and(|site| site == "cross-site") {
        return page::fault("The form was sent by another site.");
    }
    let form = String::from_utf8_lossy(request.body()).into_owned();
    let (asked, choice) = match Asked::read(&form).and_then(|asked| Ok((asked, Choice::read(&form)?))) {
        Ok(read) => read,
        Err(fault) => return page::fault(&fault),
    };
    let session = match choice {
        Choice::Cancel => {
            return go_back(world, &asked, &[("error", "access_denied"), ("state", &asked.state)]);
        }
        Choice::Continue => match session(world, request, now) {
            Some(session) => session.clone(),
            None => return page::fault("You are not signed in any more."),
        },
        Choice::User(user_id) => match world.people.users.get(&user_id).filter(|user| user.demo) {
            Some(user) => Session { user_id: user.id, sid: world.secrets.next("sid"), started_at: now },
            None => return page::fault("There is no such user."),
        },
    };
    let cookie = world.secrets.next("session");
    world.sign_ins.sessions.insert(cookie.clone(), session.clone());
    let code = issue_code(world, &asked, session, now);
    let mut response = go_back(world, &asked, &[("code", &code), ("state", &asked.state)]);
    let cookie = format!("{COOKIE}={cookie}; Path=/connector; HttpOnly; SameSite=Lax; Max-Age={SESSION_LIFETIME}");
    if let Ok(value) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert("set-cookie", value);
    }
    response
}

fn session<'a>(world: &'a World, request: &Request<Bytes>, now: i64) -> Option<&'a Session> {
    let cookies = request.headers().get_all("cookie").iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let (_, value) = pairs.find(|(name, _)| *name == COOKIE)?;
    world.sign_ins.sessions.get(value).filter(|session| now < session.started_at + SESSION_LIFETIME)
}

fn issue_code(world: &mut World, asked: &Asked, session: Session, now: i64) -> String {
    let code = world.secrets.next("code");
    world.sign_ins.codes.retain(|_, code| now < code.expires_at);
    world.sign_ins.codes.insert(
        code.clone(),
        Code {
            session,
            connector_id: asked.connector_id.clone(),
            state_hash: secrets::hash(asked.state.as_bytes()),
            challenge: asked.code_challenge.clone(),
            expires_at: now + CODE_LIFETIME,
        },
    );
    code
}

fn go_back(world: &World, asked: &Asked, parameters: &[(&str, &str)]) -> Response<Bytes> {
    let path = if asked.connector_id == "hosted-mcp" { "/mcp/oauth/callback" } else { "/mcp/admin/callback" };
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let headers = response.headers_mut();
    headers.insert("cache-control", HeaderValue::from_static("no-store"));
    headers.insert("referrer-policy", HeaderValue::from_static("no-referrer"));
    if let Ok(location) = HeaderValue::from_str(&format!("{}{path}?{query}", world.settings.connector_url)) {
        headers.insert("location", location);
    }
    response
}

impl Asked {
    /// Reads the parameters from a query or form; the form's own fields are left to [`Choice`].
    fn read(text: &str) -> Result<Self, String> {
        let mut known = HashMap::new();
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            let name = name.into_owned();
            let expected =
                ["connector_id", "state", "code_challenge", "code_challenge_method", "prompt", "user_id", "action"];
            if !expected.contains(&name.as_str()) || known.insert(name.clone(), value.into_owned()).is_some() {
                return Err(format!("The parameter \"{name}\" is unknown or given twice."));
            }
        }
        let mut take = |name: &str| known.remove(name);
        let connector_id = take("connector_id").filter(|id| matches!(id.as_str(), "hosted-mcp" | "hosted-mcp-admin"));
        let state = take("state").filter(|state| (16..=512).contains(&state.len()));
        let code_challenge = take("code_challenge").filter(|challenge| is_challenge(challenge));
        let select_account = match take("prompt").as_deref() {
            None => false,
            Some("select_account") => true,
            Some(_) => return Err("The prompt is not known.".to_owned()),
        };
        if take("code_challenge_method").as_deref() != Some("S256") {
            return Err("The code challenge method must be S256.".to_owned());
        }
        Ok(Self {
            connector_id: connector_id.ok_or("The connector is not known.")?,
            state: state.ok_or("The state must have 16 to 512 characters.")?,
            code_challenge: code_challenge.ok_or("The code challenge must be 43 characters of base64url.")?,
            select_account,
        })
    }
}

fn is_challenge(text: &str) -> bool {
    text.len() == 43 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}
