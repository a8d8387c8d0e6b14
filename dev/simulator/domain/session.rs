//! The signed-in user: who they are and which pages they may see.

use serde_json::json;

use super::analytics::recipients;
use super::pages::identity;
use crate::call::ReceivedRequest;
use crate::caller::people::role_permissions;
use crate::caller::{self, Caller, NO_PAGE_ACCESS};
use crate::reply::{self, ApiError, Handled, with};
use crate::world::World;

/// `GET /api/v1/me`
pub fn me(world: &mut World, received: &ReceivedRequest) -> Handled {
    let user_id = authenticate(world, received)?;
    Ok(reply::ok(&json!(world.people.users[&user_id])))
}

/// `GET /api/v1/me/pages`
pub fn pages(world: &mut World, received: &ReceivedRequest) -> Handled {
    let user_id = authenticate(world, received)?;
    let roles = world.people.users[&user_id].roles.iter();
    let origin = &world.settings.origin;
    let pages = roles.filter_map(|(page_id, role_key)| Some((world.pages.get(page_id)?, role_key)));
    Ok(reply::list_all(pages.map(|(page, role_key)| {
        with(
            identity(page),
            json!({
                "organization_id": page.organization_id,
                "organization_name": page.organization_name,
                "role_key": role_key,
                "permissions": role_permissions(role_key),
                "audit_logs_enabled": page.audit_logs_enabled,
                "audit_url": format!("{origin}/admin/pages/{}/audit", page.id),
                "subscriber_count": recipients(page)["subscribers"],
            }),
        )
    })))
}

fn authenticate(world: &mut World, received: &ReceivedRequest) -> Result<u64, ApiError> {
    received.no_query()?;
    match caller::authenticate(world, received, &NO_PAGE_ACCESS, None)? {
        Caller::OnBehalfOf(person) => Ok(person.user_id),
        Caller::Token(_) => Err(ApiError::forbidden("an API token belongs to a page and has no user")),
    }
}
