//! A page as StatiBeat lists it for a person.

use crate::model::ids::{OrganizationId, PageId};
use crate::model::scope::PagePermission;
use crate::model::visible;
use serde_json::Value;
use std::collections::BTreeSet;
use url::Url;

/// Longest name of a page that is shown, in characters.
const LONGEST_NAME: usize = 200;
/// Longest name of a role that is shown, in characters.
const LONGEST_ROLE: usize = 40;

/// StatiBeat's audit setting of a page. The connector shows the activity of a page only where it is enabled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditLogs {
    Enabled,
    Disabled,
    /// The entry lacks the setting, or it is no boolean.
    Unknown,
}

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

    /// The number of people whom a post on the page notifies; `None` if StatiBeat does not give it.
    pub fn subscriber_count(&self) -> Option<u64> {
        self.raw.get("subscriber_count").and_then(Value::as_u64)
    }

    /// The person's role in a word, such as `viewer`; `None` if StatiBeat does not name it.
    pub fn role_name(&self) -> Option<String> {
        let key = self.raw.get("role_key").and_then(Value::as_str)?;
        let word = visible::line(key.strip_prefix("page_").unwrap_or(key), LONGEST_ROLE).replace('_', " ");
        (!word.is_empty()).then_some(word)
    }

    pub fn audit_logs(&self) -> AuditLogs {
        match self.raw.get("audit_logs_enabled").and_then(Value::as_bool) {
            Some(true) => AuditLogs::Enabled,
            Some(false) => AuditLogs::Disabled,
            None => AuditLogs::Unknown,
        }
    }

    /// The address of the page's auditing view in StatiBeat.
    pub fn audit_url(&self) -> Option<Url> {
        self.web_address("audit_url")
    }

    /// The address of the page itself.
    pub fn public_url(&self) -> Option<Url> {
        self.web_address("public_url")
    }

    fn web_address(&self, field: &str) -> Option<Url> {
        let url = Url::parse(self.raw.get(field)?.as_str()?).ok()?;
        matches!(url.scheme(), "https" | "http").then_some(url)
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn page(more: &Value) -> AccessiblePage {
        let mut entry = json!({ "id": 42, "organization_id": 7, "name": "Northwind" });
        entry.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        AccessiblePage::parse(&entry).expect("a page")
    }

    #[test]
    fn audit_setting_that_is_no_boolean_is_unknown() {
        assert_eq!(page(&json!({ "audit_logs_enabled": true })).audit_logs(), AuditLogs::Enabled);
        assert_eq!(page(&json!({ "audit_logs_enabled": false })).audit_logs(), AuditLogs::Disabled);
        assert_eq!(page(&json!({ "audit_logs_enabled": "yes" })).audit_logs(), AuditLogs::Unknown);
        assert_eq!(page(&json!({})).audit_logs(), AuditLogs::Unknown);
    }

    #[test]
    fn addresses_of_a_page_and_its_auditing_view_are_web_addresses() {
        let of = |address: &str| {
            let page = page(&json!({ "audit_url": address, "public_url": address }));
            [page.audit_url(), page.public_url()].map(|url| url.map(String::from))
        };
        assert_eq!(of("https://app.example/audit"), [(); 2].map(|()| Some("https://app.example/audit".to_owned())));
        for bad in ["javascript:alert(1)", "/audit", "", "data:text/html,x"] {
            assert_eq!(of(bad), [None, None], "{bad}");
        }
    }
}
