//! The signed-in user: who they are and which pages they may see.

use serde_json::json;

use super::pages::identity;
use crate::call::Arrival;
use crate::caller::people::role_permissions;
use crate::caller::{self, Caller, SESSION};
use crate::reply::{self, ApiError, Handled, with};
use crate::world::World;

/// `GET /api/v1/me`
pub fn me(world: &mut World, arrival: &Arrival) -> Handled {
    let user_id = establish(world, arrival)?;
    Ok(reply::ok(&world.people.users[&user_id]))
}

/// `GET /api/v1/me/pages`
pub fn pages(world: &mut World, arrival: &Arrival) -> Handled {
    let user_id = establish(world, arrival)?;
    let roles = world.people.users[&user_id].roles.iter();
    let pages = roles.filter_map(|(page_id, role_key)| Some((world.pages.get(page_id)?, role_key)));
    Ok(reply::list_all(pages.map(|(page, role_key)| {
        with(
            identity(page),
            json!({
                "organization_id": page.organization_id,
                "organization_name": page.organization_name,
                "role_key": role_key,
                "permissions": role_permissions(role_key),
            }),
        )
    })))
}

fn establish(world: &mut World, arrival: &Arrival) -> Result<u64, ApiError> {
    arrival.no_query()?;
    match caller::establish(world, arrival, &SESSION, None)? {
        Caller::OnBehalf(person) => Ok(person.user_id),
        Caller::Token(_) => Err(ApiError::forbidden("an API token belongs to a page and has no user")),
    }
}
