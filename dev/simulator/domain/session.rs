//! The signed-in user: who they are and which pages they may see.

use serde_json::{Value, json};

use super::super::caller::Caller;
use super::super::caller::people::{User, role_permissions};
use super::super::wire::reply::{self, Handled, Refusal};
use super::super::world::World;

/// `GET /api/v1/me`
pub fn me(world: &World, caller: &Caller) -> Handled {
    let user = user(world, caller)?;
    Ok(reply::ok(&json!({
        "id": user.id,
        "name": user.name,
        "email": user.email,
        "locale": user.locale,
        "time_zone": user.time_zone,
    })))
}

/// `GET /api/v1/me/pages`
pub fn pages(world: &World, caller: &Caller) -> Handled {
    let user = user(world, caller)?;
    let items: Vec<Value> = user
        .roles
        .iter()
        .filter_map(|(page_id, role_key)| Some((world.pages.get(page_id)?, role_key)))
        .map(|(page, role_key)| {
            json!({
                "id": page.id,
                "organization_id": page.organization_id,
                "organization_name": page.organization_name,
                "name": page.name,
                "slug": page.slug,
                "public_url": page.public_url,
                "time_zone": page.time_zone,
                "visibility": page.visibility,
                "role_key": role_key,
                "permissions": role_permissions(role_key),
            })
        })
        .collect();
    let total = items.len();
    Ok(reply::list(items, total))
}

fn user<'a>(world: &'a World, caller: &Caller) -> Result<&'a User, Refusal> {
    match caller {
        Caller::OnBehalf(person) => world.people.users.get(&person.user_id).ok_or_else(|| Refusal::not_found("user")),
        Caller::Token(_) => Err(Refusal::forbidden("an API token belongs to a page and has no user")),
    }
}
