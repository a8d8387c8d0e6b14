//! `--check`: whether the settings work, said for the person who wrote them.

use super::handler::PageHandler;
use crate::catalog::tools::all_tools;
use crate::mcp::Error;
use crate::model::visible::line;
use serde_json::Value;

impl PageHandler<'_> {
    /// Asks StatiBeat which page this is and what the token may do there.
    pub async fn check(&self) -> Result<String, Error> {
        let page = self.require_page().await?;
        let text = |name: &str| shown(&page.raw[name]);
        let token = shown(&page.raw["token"]["permission"]);
        let on: Vec<&str> = self.settings.tools.on().map(|tool| tool.name).collect();
        let off: Vec<String> = all_tools()
            .filter_map(|tool| Some(format!("{} ({})", tool.name, self.settings.tools.off(tool)?)))
            .collect();
        let list = |names: &[String]| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        Ok(format!(
            "Page: {} (id {}), {}\nToken permission: {token}\nRole: {}\nTools on: {}\nTools off: {}\n",
            page.name,
            page.id,
            text("public_url"),
            text("role_key"),
            list(&on.into_iter().map(str::to_owned).collect::<Vec<_>>()),
            list(&off),
        ))
    }
}

/// A text of StatiBeat's on a terminal.
fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| "not told by StatiBeat".to_owned(), |text| line(text, 300))
}
