//! The sign-in page: four demo users to choose from. No script, no assets, works with a keyboard and a screen reader.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::super::caller::people::User;
use super::super::secrets;
use super::super::world::World;
use super::Asked;

const STYLE: &str = "
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { margin: 0; min-height: 100vh; display: grid; place-items: center }
main { width: min(26rem, calc(100vw - 2rem)); padding: 2rem 0 }
h1 { font-size: 1.4rem; margin: 0 0 .25rem }
p { margin: .25rem 0 1rem }
.note { border-inline-start: 4px solid #b45309; padding-inline-start: .75rem }
button { font: inherit; width: 100%; text-align: start; padding: .75rem 1rem; margin: 0 0 .5rem; border-radius: .5rem;
  border: 1px solid #767676; background: Canvas; color: CanvasText; cursor: pointer }
button:hover { border-color: #2563eb }
button:focus-visible, a:focus-visible { outline: 3px solid #2563eb; outline-offset: 2px }
button span { display: block; font-size: .875rem }
.plain { border-color: transparent; text-align: center }
";

/// What a person chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// One of the demo users.
    User(u64),
    /// The user who is signed in already.
    Continue,
    /// None of them.
    Cancel,
}

impl Choice {
    /// Reads the choice from a form.
    pub fn read(form: &str) -> Result<Self, String> {
        let mut fields = form_urlencoded::parse(form.as_bytes());
        let found = fields.find(|(name, _)| name == "user_id" || name == "action");
        match found.as_ref().map(|(name, value)| (name.as_ref(), value.as_ref())) {
            Some(("action", "continue")) => Ok(Self::Continue),
            Some(("action", "cancel")) => Ok(Self::Cancel),
            Some(("user_id", id)) => id.parse().map(Self::User).map_err(|_| "There is no such user.".to_owned()),
            _ => Err("Nobody was chosen.".to_owned()),
        }
    }
}

/// The page with the choice. `signed_in` is the user of the browser's session.
pub fn choose(world: &World, asked: &Asked, signed_in: Option<u64>) -> Response<Bytes> {
    let known = signed_in.and_then(|id| world.people.users.get(&id));
    let admin = asked.connector_id == "hosted-mcp-admin";
    let content = html! {
        h1 { "Sign in to StatiBeat" }
        p {
            @if admin { "to manage your Hosted MCP connections" } @else { "to continue to Hosted MCP" }
        }
        p.note { "This is the StatiBeat simulator. Choose who you want to be; there are no passwords." }
        form method="post" action="/connector/sign-in" {
            input type="hidden" name="connector_id" value=(asked.connector_id);
            input type="hidden" name="state" value=(asked.state);
            input type="hidden" name="code_challenge" value=(asked.code_challenge);
            input type="hidden" name="code_challenge_method" value="S256";
            @if let Some(user) = known {
                button name="action" value="continue" { "Continue as " (user.name) span { (user.email) } }
            } @else {
                @for user in world.people.users.values().filter(|user| user.demo) {
                    button name="user_id" value=(user.id) { (user.name) span { (user.email) " · " (roles(world, user)) } }
                }
            }
            button.plain name="action" value="cancel" { "Cancel" }
        }
        @if known.is_some() {
            p { a href=(other_account(asked)) { "Use another account" } }
        }
    };
    let form_targets = format!("'self' {}", world.settings.connector_url);
    respond(StatusCode::OK, "Sign in to StatiBeat", &content, &form_targets)
}

/// The page for a visit that cannot go on.
pub fn fault(reason: &str) -> Response<Bytes> {
    let content = html! {
        h1 { "This sign-in cannot continue" }
        p { (reason) }
        p { "Go back to the application you came from and start again." }
    };
    respond(StatusCode::BAD_REQUEST, "Sign-in problem", &content, "'none'")
}

fn roles(world: &World, user: &User) -> String {
    let words = |key: &str| key.strip_prefix("page_").unwrap_or(key).to_owned();
    let roles =
        user.roles.iter().filter_map(|(id, key)| Some(format!("{} of {}", words(key), world.pages.get(id)?.name)));
    let roles: Vec<String> = roles.collect();
    if roles.is_empty() { "no page".to_owned() } else { roles.join(", ") }
}

fn other_account(asked: &Asked) -> String {
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("connector_id", &asked.connector_id)
        .append_pair("state", &asked.state)
        .append_pair("code_challenge", &asked.code_challenge)
        .append_pair("code_challenge_method", "S256")
        .append_pair("prompt", "select_account")
        .finish();
    format!("/connector/sign-in?{query}")
}

fn respond(status: StatusCode, title: &str, content: &Markup, form_targets: &str) -> Response<Bytes> {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body { main { (content) } }
        }
    };
    let mut response = Response::new(Bytes::from(page.into_string()));
    *response.status_mut() = status;
    // A browser follows the form's redirect only to where form-action allows.
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{}'; form-action {form_targets}; base-uri 'none'; frame-ancestors 'none'",
        secrets::standard_base64_hash(STYLE.as_bytes()),
    );
    let headers = response.headers_mut();
    headers.insert("content-type", HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert("cache-control", HeaderValue::from_static("no-store"));
    headers.insert("referrer-policy", HeaderValue::from_static("same-origin"));
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    headers.insert("x-frame-options", HeaderValue::from_static("DENY"));
    if let Ok(value) = HeaderValue::from_str(&policy) {
        headers.insert("content-security-policy", value);
    }
    response
}
