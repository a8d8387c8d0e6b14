//! Checks of what the connector reads: the person, their pages, and everything of a page.

use super::session::{ApiCall, Outcome, Session};
use http::Method;
use serde_json::Value;

/// A page's address: organization and page.
pub struct Page {
    base: String,
}

impl Page {
    pub(super) fn new(organization: u64, page: u64) -> Self {
        Self { base: format!("/api/v1/orgs/{organization}/pages/{page}/admin") }
    }

    /// The address of something on the page.
    pub fn path(&self, rest: &str) -> String {
        format!("{}{rest}", self.base)
    }
}

/// Lists and single documents of a page. A `{…}` is the id of the first item of the list named before the colon.
pub const READS: [&str; 23] = [
    "/summary",
    "/status-definitions",
    "/lifecycle-stages",
    "/maintenance-lifecycle-stages",
    "/hierarchy/levels",
    "/hierarchy/items",
    "/analytics/summary?window_days=30",
    "/incidents?status=active&limit=50",
    "/incidents?status=resolved&limit=50",
    "/incidents?status=resolved&limit=50&item_id={/hierarchy/items}",
    "/incidents/{/incidents?limit=1}",
    "/incidents/{/incidents?limit=1}/updates?limit=20",
    "/maintenances?status=active&limit=50",
    "/maintenances?status=upcoming&limit=50",
    "/maintenances/{/maintenances?limit=1}",
    "/maintenances/{/maintenances?limit=1}/updates?limit=20",
    "/beats",
    "/beats/{/beats}",
    "/beats/{/beats}/events?limit=100",
    "/beats/{/beats}/events?limit=100&from=2020-01-01T00%3A00%3A00Z&to=2100-01-01T00%3A00%3A00Z",
    "/beat-groups",
    "/beats/actions?status=pending&limit=50",
    "/beats/failures?limit=50",
];

/// Reads who the person is, and their pages; finds the one to go on with.
pub fn person(session: &Session<'_>, wanted: Option<u64>, outcomes: &mut Vec<(String, Outcome)>) -> Option<Page> {
    let me = session.call(&ApiCall::get("/api/v1/me", "mcp.pages.read")).and_then(|reply| {
        reply.expect(200)?;
        if reply.json["id"] == session.user() { Ok(()) } else { Err(format!("id is {}", reply.json["id"])) }
    });
    outcomes.push(("the person that the assertion names".to_owned(), me.into()));
    let pages = session.call(&ApiCall::get("/api/v1/me/pages", "mcp.pages.read")).and_then(|reply| {
        reply.expect(200)?;
        Ok(reply.json["items"].as_array().cloned().unwrap_or_default())
    });
    let (pages, outcome) = match pages {
        Ok(pages) => (pages, Outcome::Passed),
        Err(reason) => (Vec::new(), Outcome::Failed(reason)),
    };
    outcomes.push(("the pages that the person can see".to_owned(), outcome));
    let page = pages.iter().find(|page| wanted.is_none_or(|wanted| page["id"] == wanted))?;
    Some(Page::new(page["organization_id"].as_u64()?, page["id"].as_u64()?))
}

/// Reads everything of a page.
pub fn page(session: &Session<'_>, page: &Page, outcomes: &mut Vec<(String, Outcome)>) {
    for read in READS {
        outcomes.push((format!("GET {read}"), one(session, page, read)));
    }
}

fn one(session: &Session<'_>, page: &Page, read: &str) -> Outcome {
    let path = match filled_in(session, page, read) {
        Ok(Some(path)) => page.path(&path),
        Ok(None) => return Outcome::Skipped("the page has none".to_owned()),
        Err(reason) => return Outcome::Failed(reason),
    };
    get(session, &path).map(drop).into()
}

/// The read with an id in place of `{list}`; nothing where the list is empty.
fn filled_in(session: &Session<'_>, page: &Page, read: &str) -> Result<Option<String>, String> {
    let Some((before, rest)) = read.split_once('{') else { return Ok(Some(read.to_owned())) };
    let (list, after) = rest.split_once('}').unwrap_or((rest, ""));
    let items = get(session, &page.path(list))?;
    Ok(items["items"][0]["id"].as_u64().map(|id| format!("{before}{id}{after}")))
}

/// Reads with the scope that the contract wants there.
pub fn get(session: &Session<'_>, path: &str) -> Result<Value, String> {
    let scope =
        session.scope_of(&Method::GET, path).ok_or_else(|| format!("the contract knows no scope for {path}"))?;
    let reply = session.call(&ApiCall::get(path, scope))?;
    reply.expect(200)?;
    Ok(reply.json)
}
