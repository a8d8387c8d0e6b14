//! A large organization, on request: 60 pages and 200 people. `dev/large.sql` has the same people's connections.
//!
//! The first person administers every page. Each other one has a role on three pages.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::configuration;
use crate::caller::people::User;
use crate::domain::pages::Page;
use crate::world::World;

const ORGANIZATION: u64 = 11;
/// Pages and people are numbered from here.
const FIRST_ID: u64 = 1001;
const PAGES: u64 = 60;
const PEOPLE: u64 = 200;
const FIRST_NAMES: [&str; 20] = [
    "Ada", "Bruno", "Chiara", "Daan", "Elif", "Farid", "Greta", "Hugo", "Ingrid", "Jonas", "Kaja", "Liam", "Mei",
    "Nadia", "Oscar", "Priya", "Quentin", "Rosa", "Stefan", "Tove",
];
const LAST_NAMES: [&str; 10] =
    ["Almeida", "Berg", "Costa", "Dahl", "Eriksen", "Fischer", "Garcia", "Haas", "Ito", "Jansen"];
const PRODUCTS: [&str; 10] =
    ["Payments", "Search", "Storage", "Messaging", "Identity", "Analytics", "Maps", "Video", "Billing", "Support"];
const REGIONS: [&str; 6] = ["Europe", "North America", "South America", "Asia", "Africa", "Oceania"];

/// Adds the pages and the people.
pub fn add(world: &mut World) {
    world.people.users.extend(people().map(|user| (user.id, user)));
    world.pages.extend(pages(world.settings.now).map(|page| (page.id, Arc::new(page))));
}

fn pages(now: i64) -> impl Iterator<Item = Page> {
    (0..PAGES).map(move |n| {
        let (product, region) = (pick(&PRODUCTS, n), pick(&REGIONS, n / 10));
        let slug = leak(format!("{product}-{region}").to_lowercase().replace(' ', "-"));
        Page {
            id: FIRST_ID + n,
            organization_id: ORGANIZATION,
            organization_name: "Meridian Group",
            name: leak(format!("Meridian {product} {region}")),
            slug,
            public_url: leak(format!("https://{slug}.status.meridian.example")),
            audit_logs_enabled: true,
            ..configuration::small_page(now)
        }
    })
}

fn people() -> impl Iterator<Item = User> {
    (0..PEOPLE).map(|n| {
        let (first, last) = (pick(&FIRST_NAMES, n), pick(&LAST_NAMES, n / 20));
        User {
            id: FIRST_ID + n,
            name: leak(format!("{first} {last}")),
            email: leak(format!("{first}.{last}@meridian.example").to_lowercase()),
            locale: "en",
            time_zone: "Europe/Berlin",
            demo: n < 2,
            disabled: false,
            roles: roles(n),
        }
    })
}

fn roles(n: u64) -> BTreeMap<u64, String> {
    if n == 0 {
        return (0..PAGES).map(|page| (FIRST_ID + page, "page_admin".to_owned())).collect();
    }
    let role = |k: u64| if k == 0 { "page_manager" } else { "page_viewer" };
    (0..3).map(|k| (FIRST_ID + (n * 7 + k * 13) % PAGES, role(k).to_owned())).collect()
}

fn pick(names: &[&'static str], n: u64) -> &'static str {
    names[usize::try_from(n).expect("a small number") % names.len()]
}

/// A text for the life of the program, as the texts of the seed are.
fn leak(text: String) -> &'static str {
    text.leak()
}
