//! Users, their roles on pages, and API tokens.

use std::collections::BTreeMap;

use serde::Serialize;

/// Page permissions, in the order they are listed. Reads first.
pub const PERMISSIONS: [&str; 12] = [
    "page.read",
    "status_definitions.read",
    "lifecycle_stages.read",
    "maintenance_lifecycle_stages.read",
    "hierarchy.read",
    "incidents.read",
    "maintenances.read",
    "synthetic_monitors.read",
    "analytics.read",
    "incidents.manage",
    "maintenances.manage",
    "synthetic_monitors.manage",
];

/// The number of [`PERMISSIONS`] that a viewer has: every read but analytics.
const VIEWER_PERMISSIONS: usize = 8;

/// The permissions a built-in role bundles; nothing for an unknown key.
pub fn role_permissions(role_key: &str) -> &'static [&'static str] {
    match role_key {
        "page_viewer" => &PERMISSIONS[..VIEWER_PERMISSIONS],
        "page_manager" | "page_admin" => &PERMISSIONS,
        _ => &[],
    }
}

/// A person with a StatiBeat account, as `/me` shows it.
#[derive(Serialize)]
pub struct User {
    pub id: u64,
    pub name: &'static str,
    pub email: &'static str,
    pub locale: &'static str,
    pub time_zone: &'static str,
    /// Offered on the sign-in page.
    #[serde(skip)]
    pub demo: bool,
    /// Shut out by an administrator.
    #[serde(skip)]
    pub disabled: bool,
    /// Role key by page id.
    #[serde(skip)]
    pub roles: BTreeMap<u64, String>,
}

/// A page-scoped API token. It allows what both `permission` and the role allow.
#[derive(Clone)]
pub struct ApiToken {
    pub token: &'static str,
    pub name: &'static str,
    pub page_id: u64,
    /// `read`, `write` or `admin`.
    pub permission: &'static str,
    pub role_key: &'static str,
}

impl ApiToken {
    /// `true` if the token's permission and role both include a page permission.
    pub fn allows(&self, permission: &str) -> bool {
        let by_permission = self.permission != "read" || permission.rsplit('.').next() == Some("read");
        by_permission && role_permissions(self.role_key).contains(&permission)
    }
}

pub struct People {
    pub users: BTreeMap<u64, User>,
    pub tokens: Vec<ApiToken>,
}

impl People {
    pub fn find_token(&self, bearer_token: &str) -> Option<&ApiToken> {
        self.tokens.iter().find(|token| token.token == bearer_token)
    }

    pub fn set_disabled(&mut self, user_id: u64, disabled: bool) -> Result<(), String> {
        self.user_mut(user_id)?.disabled = disabled;
        Ok(())
    }

    pub fn set_role(&mut self, user_id: u64, page_id: u64, role_key: Option<&str>) -> Result<(), String> {
        if let Some(unknown) = role_key.filter(|key| role_permissions(key).is_empty()) {
            return Err(format!("there is no role \"{unknown}\""));
        }
        let user = self.user_mut(user_id)?;
        match role_key {
            Some(key) => user.roles.insert(page_id, key.to_owned()),
            None => user.roles.remove(&page_id),
        };
        Ok(())
    }

    pub fn set_token_reach(&mut self, bearer_token: &str, permission: &str, role_key: &str) -> Result<(), String> {
        let permission = ["read", "write", "admin"].into_iter().find(|known| *known == permission);
        let role_key = ["page_viewer", "page_manager", "page_admin"].into_iter().find(|known| *known == role_key);
        let token = self.tokens.iter_mut().find(|token| token.token == bearer_token).ok_or("there is no such token")?;
        let (Some(permission), Some(role_key)) = (permission, role_key) else {
            return Err("there is no such permission or role".to_owned());
        };
        (token.permission, token.role_key) = (permission, role_key);
        Ok(())
    }

    fn user_mut(&mut self, user_id: u64) -> Result<&mut User, String> {
        self.users.get_mut(&user_id).ok_or_else(|| format!("there is no user {user_id}"))
    }
}
