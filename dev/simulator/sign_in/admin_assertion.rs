//! What StatiBeat's back end sends along when its own admin interface shows what the connector knows of a signed-in person:
//! an assertion for one GET of the connector's admin API (`docs/admin-api.yaml`).

use serde_json::json;

use super::super::world::World;
use super::identity;

/// The questions that the connector answers.
const QUESTIONS: [&str; 3] = ["/mcp/admin/api/setup", "/mcp/admin/api/connections", "/mcp/admin/api/activity"];

/// Signs an assertion, good for one request. A disabled person is not signed in, so nothing speaks for them.
pub fn issue(world: &mut World, user_id: u64, path: &str, now: i64) -> Result<String, String> {
    let user = world.people.users.get(&user_id).filter(|user| !user.disabled);
    let user = user.ok_or_else(|| format!("user {user_id} is not signed in"))?;
    if !QUESTIONS.contains(&path) {
        return Err(format!("{path} is no question of the admin API"));
    }
    let claims = json!({
        "iss": world.settings.origin,
        "aud": world.settings.connector_url,
        "env": world.settings.environment,
        "sub": user.id.to_string(),
        "name": user.name,
        "htm": "GET",
        "htu": format!("{}{path}", world.settings.connector_url),
        "jti": world.secrets.next("admin assertion"),
        "iat": now,
        "exp": now + identity::LIFETIME,
    });
    Ok(identity::sign(&world.settings.identity_seed, "statibeat-admin+jwt", &claims))
}
