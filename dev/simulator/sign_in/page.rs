//! The sign-in page: four demo users to choose from. No script, no assets, works with a keyboard and a screen reader.

use axum::response::{Html, IntoResponse, Response};
use http::{StatusCode, header};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{ConnectorId, Prompt, SignInRequest};
use crate::caller::people::User;
use crate::secrets;
use crate::world::World;

/// Longest list of roles beside a name.
const LISTED_ROLES: usize = 5;

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

/// The page with the choice. `signed_in` is the user of the browser's session.
pub fn choose(world: &World, wanted: &SignInRequest, signed_in: Option<u64>) -> Response {
    let known = signed_in.and_then(|id| world.people.users.get(&id));
    let content = html! {
        h1 { "Sign in to StatiBeat" }
        p {
            @match wanted.connector_id {
                ConnectorId::HostedMcp => "to continue to Hosted MCP",
                ConnectorId::HostedMcpAdmin => "to manage your Hosted MCP connections",
            }
        }
        p.note { "This is the StatiBeat simulator. Choose who you want to be; there are no passwords." }
        form method="post" action="/connector/sign-in" {
            input type="hidden" name="connector_id" value=(wanted.connector_id.name());
            input type="hidden" name="state" value=(wanted.state);
            input type="hidden" name="code_challenge" value=(wanted.code_challenge);
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
            p { a href=(other_account(wanted)) { "Use another account" } }
        }
    };
    let form_targets = format!("'self' {}", world.settings.connector_url);
    respond(StatusCode::OK, "Sign in to StatiBeat", &content, &form_targets)
}

/// Why a sign-in cannot continue, as a page says it.
pub struct SignInError(pub String);

impl IntoResponse for SignInError {
    fn into_response(self) -> Response {
        let content = html! {
            h1 { "This sign-in cannot continue" }
            p { (self.0) }
            p { "Go back to the application you came from and start again." }
        };
        respond(StatusCode::BAD_REQUEST, "Sign-in problem", &content, "'none'")
    }
}

fn roles(world: &World, user: &User) -> String {
    let words = |key: &str| key.strip_prefix("page_").unwrap_or(key).to_owned();
    let roles =
        user.roles.iter().filter_map(|(id, key)| Some(format!("{} of {}", words(key), world.pages.get(id)?.name)));
    let roles: Vec<String> = roles.collect();
    if roles.len() > LISTED_ROLES {
        format!("a role on each of {} pages", roles.len())
    } else if roles.is_empty() {
        "no page".to_owned()
    } else {
        roles.join(", ")
    }
}

fn other_account(wanted: &SignInRequest) -> String {
    let query = serde_urlencoded::to_string(SignInRequest { prompt: Some(Prompt::SelectAccount), ..wanted.clone() });
    format!("/connector/sign-in?{}", query.unwrap_or_default())
}

fn respond(status: StatusCode, title: &str, content: &Markup, form_targets: &str) -> Response {
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
    // A browser follows the form's redirect only to where form-action allows.
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{}'; form-action {form_targets}; base-uri 'none'; frame-ancestors 'none'",
        secrets::standard_base64_hash(STYLE.as_bytes()),
    );
    let headers = [
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::CONTENT_SECURITY_POLICY, policy.as_str()),
    ];
    (status, headers, Html(page.into_string())).into_response()
}
