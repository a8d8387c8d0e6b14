//! The hierarchies of the pages: services, regions and components, three levels deep.

use crate::domain::hierarchy::{Item, Level};

pub fn levels(first_id: u64) -> Vec<Level> {
    let named = [("Service", "Services"), ("Region", "Regions"), ("Component", "Components")];
    let levels = (1..).zip(named);
    levels.map(|(depth, (singular, plural))| Level { id: first_id + depth - 1, depth, singular, plural }).collect()
}

/// A row: id, parent, name, short name, description.
type Row = (u64, Option<u64>, &'static str, &'static str, &'static str);

#[rustfmt::skip] // one row, one line
const NORTHWIND: &[Row] = &[
    (100, None, "API Platform", "API", "The public REST and GraphQL APIs."),
    (101, Some(100), "API Europe", "API EU", "Served from Frankfurt and Dublin."),
    (102, Some(101), "API Gateway", "Gateway", "Entry point for all API traffic."),
    (103, Some(101), "Authentication", "Auth", "Tokens, sessions and single sign-on."),
    (104, Some(101), "Webhooks", "Hooks", "Outgoing event delivery."),
    (105, Some(100), "API North America", "API NA", "Served from Virginia and Oregon."),
    (106, Some(105), "API Gateway NA", "Gateway NA", "Entry point for all API traffic in North America."),
    (107, Some(105), "Rate Limiter", "Limiter", "Protects the APIs from bursts."),
    (110, None, "Dashboard", "Dash", "The web application."),
    (111, Some(110), "Dashboard Europe", "Dash EU", "Web application for European accounts."),
    (112, Some(111), "Web Application", "Web", "Pages and assets."),
    (113, Some(111), "Search", "Search", "Full-text search over projects."),
    (114, Some(111), "Reports", "Reports", "Scheduled and on-demand exports."),
    (115, Some(110), "Dashboard North America", "Dash NA", "Web application for North American accounts."),
    (116, Some(115), "Web Application NA", "Web NA", "Pages and assets."),
    (120, None, "Data Platform", "Data", "Storage and processing."),
    (121, Some(120), "Data Europe", "Data EU", "European data residency."),
    (122, Some(121), "Object Storage", "Storage", "Files and attachments."),
    (123, Some(121), "Event Pipeline", "Events", "Ingestion and processing of events."),
    (124, Some(121), "Primary Database", "DB", "Transactional data."),
    (125, Some(120), "Data North America", "Data NA", "North American data residency."),
    (126, Some(125), "Object Storage NA", "Storage NA", "Files and attachments."),
    (127, Some(125), "Event Pipeline NA", "Events NA", "Ingestion and processing of events."),
    (130, None, "Notifications", "Notify", "E-mail, SMS and push."),
    (131, Some(130), "Notifications Global", "Notify", "One deployment for all regions."),
    (132, Some(131), "E-mail Delivery", "E-mail", "Transactional e-mail."),
    (133, Some(131), "SMS Delivery", "SMS", "Text messages through two carriers."),
];

pub fn northwind() -> Vec<Item> {
    build(NORTHWIND)
}

#[rustfmt::skip] // one row, one line
const NORTHWIND_EU: &[Row] = &[
    (200, None, "Sovereign Cloud", "Sovereign", "Operated in the European Union only."),
    (201, Some(200), "Frankfurt", "FRA", "Primary region."),
    (202, Some(201), "Compute", "Compute", "Virtual machines and containers."),
    (203, Some(201), "Key Management", "Keys", "Customer-managed keys."),
    (204, Some(200), "Paris", "PAR", "Secondary region."),
    (205, Some(204), "Compute Paris", "Compute", "Virtual machines and containers."),
];

pub fn northwind_eu() -> Vec<Item> {
    build(NORTHWIND_EU)
}

#[rustfmt::skip] // one row, one line
const GLOBEX: &[Row] = &[
    (300, None, "Globex Core", "Core", "Everything Globex sells."),
    (301, Some(300), "Globex East", "East", "One region."),
    (302, Some(301), "Ledger", "Ledger", "Bookkeeping."),
];

pub fn globex() -> Vec<Item> {
    build(GLOBEX)
}

fn build(rows: &[Row]) -> Vec<Item> {
    let depth_of = |id: u64| {
        let (mut depth, mut next) = (0, Some(id));
        while let Some(id) = next {
            depth += 1;
            next = rows.iter().find(|row| row.0 == id).and_then(|row| row.1);
        }
        depth
    };
    let item = |&(id, parent_id, name, abbreviated_name, description): &Row| {
        let slug = name.to_lowercase().replace(' ', "-");
        let external_id = format!("cmp-{slug}");
        Item { id, parent_id, depth: depth_of(id), external_id, slug, name, abbreviated_name, description }
    };
    rows.iter().map(item).collect()
}
