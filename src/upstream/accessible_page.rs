//! A page as StatiBeat lists it for a person.

use crate::model::ids::{OrganizationId, PageId};
use crate::model::scope::PagePermission;
use crate::model::visible;
use serde_json::Value;
use std::collections::BTreeSet;

/// Longest name of a page that is shown, in characters.
const LONGEST_NAME: usize = 200;
/// Longest name of a role that is shown, in characters.
const LONGEST_ROLE: usize = 40;

/// A page that a person can see, with what their role allows there at this moment.
#[derive(Clone, Debug)]
pub struct AccessiblePage {
    pub id: PageId,
    /// Its owner; part of every address of the page's admin API.
    pub organization_id: OrganizationId,
    /// For people; without characters that cannot be seen.
    pub name: String,
    /// Permission keys, as StatiBeat lists them; may hold keys that we do not know.
    pub permissions: BTreeSet<String>,
    /// The whole entry, new fields included.
    pub raw: Value,
}

impl AccessiblePage {
    /// Reads an entry of the list; `None` when it lacks what an address needs.
    pub fn parse(entry: &Value) -> Option<Self> {
        let number = |name: &str| entry.get(name)?.as_i64();
        let permissions = entry.get("permissions").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        Some(Self {
            id: PageId::new(number("id")?)?,
            organization_id: OrganizationId::new(number("organization_id")?)?,
            name: entry
                .get("name")
                .and_then(Value::as_str)
                .map(|name| visible::line(name, LONGEST_NAME))
                .unwrap_or_default(),
            permissions: permissions.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            raw: entry.clone(),
        })
    }

    /// The name of the page in public addresses.
    pub fn slug(&self) -> Option<&str> {
        self.raw.get("slug").and_then(Value::as_str)
    }

    /// The zone of the page's clocks, as StatiBeat names it.
    pub fn time_zone(&self) -> Option<&str> {
        self.raw.get("time_zone").and_then(Value::as_str)
    }

    /// The person's role in a word, such as `viewer`; `None` if StatiBeat does not name it.
    pub fn role_name(&self) -> Option<String> {
        let key = self.raw.get("role_key").and_then(Value::as_str)?;
        let word = visible::line(key.strip_prefix("page_").unwrap_or(key), LONGEST_ROLE).replace('_', " ");
        (!word.is_empty()).then_some(word)
    }

    /// Returns whether the person administers the page: a fact of the role itself, which no permission key tells.
    pub fn is_administered(&self) -> bool {
        self.raw.get("role_key").and_then(Value::as_str) == Some("page_admin")
    }

    /// Returns whether the person's role allows it here.
    pub fn allows(&self, permission: PagePermission) -> bool {
        self.permissions.contains(permission.key())
    }
}
