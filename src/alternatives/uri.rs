//! URIs that name no resource: which part is wrong, and the URIs that were probably meant.
//!
//! Only the catalog is looked at. Which pages there are, and what they have, each program finds out by itself.

use super::targets::NumberedThing;
use crate::catalog::uri::{Roots, match_template, normalize, pairs, query_parameters, split_query, variable};
use crate::catalog::{Binding, Resource, Variables};
use crate::model::ids::{ID_MAX, PageId};
use crate::model::visible::quote;
use percent_encoding::percent_decode_str;
use strsim::damerau_levenshtein;

/// Longest part of a URI that is quoted, in characters.
const PART_MAX: usize = 60;

/// A URI that names no resource.
pub struct UnknownUri<'a> {
    roots: &'a Roots,
    /// The resources that the caller may be told of.
    offered: Vec<&'static Resource>,
    path: String,
    query: String,
}

/// The page that a URI of many pages is about.
#[derive(Debug, PartialEq, Eq)]
pub enum PageInUri {
    Number(PageId),
    /// Something else stands in the place of the number.
    Text(String),
    Missing,
    /// The URI is not about a page.
    NotBound,
}

impl<'a> UnknownUri<'a> {
    pub fn new(uri: &str, roots: &'a Roots, offered: Vec<&'static Resource>) -> Self {
        let uri = normalize(uri);
        let uri = uri.split('#').next().unwrap_or_default();
        let (path, query) = split_query(uri);
        Self { roots, offered, path: path.to_owned(), query: query.to_owned() }
    }

    /// The page, on a server of many pages.
    pub fn page(&self) -> PageInUri {
        let segments = self.segments();
        let first = segments.first().map_or("", String::as_str);
        match segments.get(1) {
            _ if !self.roots.has_page_id() => PageInUri::NotBound,
            Some(text) if matches!(first, "pages" | "page") => match PageId::parse(text) {
                Some(page_id) => PageInUri::Number(page_id),
                None => PageInUri::Text(text.clone()),
            },
            _ if self.of_page().any(|entry| path_segments(entry).next() == Some(first)) => PageInUri::Missing,
            _ => PageInUri::NotBound,
        }
    }

    /// Says what is wrong with the URI, and what would work. `page_id`: the page that it is about, if the caller can access it.
    pub fn describe(&self, page_id: Option<PageId>) -> String {
        let segments = self.segments();
        let variables = page_id.map(|id| ("page_id".to_owned(), id.to_string()));
        let variables: Variables = variables.into_iter().collect();
        let is_scheme_known = self.path.starts_with(self.roots.session);
        match segments.first().map(String::as_str) {
            Some("pages" | "page") if is_scheme_known && segments.len() > 1 => {
                let has_number = self.roots.has_page_id() || PageId::parse(&segments[1]).is_some();
                self.describe_on_page(&segments[if has_number { 2 } else { 1 }..], &variables)
            }
            Some(_) if is_scheme_known && self.is_path_of_page(&segments) => {
                self.describe_on_page(&segments, &variables)
            }
            _ => self.describe_roots(&segments),
        }
    }

    /// The segments behind the scheme, without percent-encodings.
    fn segments(&self) -> Vec<String> {
        let path = self.path.strip_prefix(self.roots.session).unwrap_or(&self.path);
        let decoded = |segment: &str| percent_decode_str(segment).decode_utf8_lossy().into_owned();
        path.split('/').filter(|segment| !segment.is_empty()).map(decoded).collect()
    }

    fn of_page(&self) -> impl Iterator<Item = &'static Resource> {
        self.offered.iter().copied().filter(|entry| entry.binding == Binding::Page)
    }

    fn is_path_of_page(&self, segments: &[String]) -> bool {
        self.of_page().any(|entry| path_segments(entry).next() == segments.first().map(String::as_str))
    }

    /// The URI of an entry with the values that are known; the other variables stay.
    fn uri(&self, entry: &Resource, variables: &Variables) -> String {
        let template = self.roots.template(entry);
        let path = split_query(&template).0.to_owned();
        variables.iter().fold(path, |path, (name, value)| path.replace(&format!("{{{name}}}"), value))
    }

    /// Of a URI without a page: the resources without one, and the form of the others.
    fn describe_roots(&self, segments: &[String]) -> String {
        let of_session: Vec<&Resource> =
            self.offered.iter().copied().filter(|entry| entry.binding == Binding::Session).collect();
        let same = of_session.iter().find(|entry| path_segments(entry).eq(segments.iter().map(String::as_str)));
        if let Some(entry) = same.filter(|_| self.path.starts_with(self.roots.session)) {
            return self.describe_rest(entry, &Variables::new());
        }
        let uris: Vec<String> = of_session.iter().map(|entry| self.uri(entry, &Variables::new())).collect();
        let examples: Vec<&str> = self.of_page().take(3).map(|entry| split_query(entry.path).0).collect();
        let page = match examples.as_slice() {
            [] => String::new(),
            _ => format!(" Those of a page are {} followed by e.g. {}.", self.roots.page, examples.join(", ")),
        };
        if uris.is_empty() { page.trim_start().to_owned() } else { format!("There are {}.{page}", uris.join(", ")) }
    }

    /// Of a URI of a page: `rest` is what follows the page.
    fn describe_on_page(&self, rest: &[String], variables: &Variables) -> String {
        let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
        if let Some(entry) = self.of_page().find(|entry| bind(entry, &rest).is_some()) {
            let bound = bind(entry, &rest).unwrap_or_default();
            return self.describe_rest(entry, &bound.into_iter().chain(variables.clone()).collect());
        }
        let path = rest.join("/");
        let distance = |entry: &&Resource| damerau_levenshtein(&path, split_query(entry.path).0);
        let nearest = self.of_page().filter(|entry| entry.is_concrete()).min_by_key(distance);
        if let Some(entry) = nearest.filter(|entry| !path.is_empty() && distance(entry) <= 2 + path.len() / 8) {
            return format!("Did you mean {}?", self.uri(entry, variables));
        }
        let first = rest.first().copied().unwrap_or_default();
        let alike: Vec<&Resource> = self
            .of_page()
            .filter(|entry| path_segments(entry).next().is_some_and(|one| is_alike(one, first)))
            .collect();
        if !alike.is_empty() {
            let known = alike.iter().find_map(|entry| known_numbers(entry, &rest)).unwrap_or_default();
            let known: Variables = known.into_iter().chain(variables.clone()).collect();
            let uris: Vec<String> = alike.iter().map(|entry| self.uri(entry, &known)).collect();
            return format!("{}There are {}.", wrong_number(&alike, &rest), uris.join(", "));
        }
        let mut paths: Vec<&str> = self.of_page().map(|entry| split_query(entry.path).0).collect();
        paths.dedup();
        if paths.is_empty() {
            return "This connection may not read resources of pages.".to_owned();
        }
        let root = variables
            .iter()
            .fold(self.roots.page.to_owned(), |root, (name, value)| root.replace(&format!("{{{name}}}"), value));
        format!("The resources of a page are {root} followed by one of: {}.", paths.join(", "))
    }

    /// Of a URI whose path is right: its query, or an end that does not belong there.
    fn describe_rest(&self, entry: &Resource, variables: &Variables) -> String {
        let uri = self.uri(entry, variables);
        let known: Vec<&str> = query_parameters(entry.path).collect();
        let given = |pair: &str| pair.split('=').next().unwrap_or_default().to_owned();
        let unknown = pairs(&self.query).map(given).find(|name| !known.contains(&name.as_str()));
        let takes = match known.as_slice() {
            [] => format!("{uri} takes no parameters"),
            _ => format!("{uri} takes {}", known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")),
        };
        match unknown {
            Some(name) => format!("`{}` is not known; {takes}.", quoted_name(&name)),
            None if uri.contains('{') => format!("The form is {uri}."),
            None if self.query.is_empty() => format!("Did you mean {uri}?"),
            None => match pairs(&self.query).map(given).find(|name| name.ends_with("_id")) {
                Some(name) => format!("`{name}` must be a whole number from 1 to {ID_MAX}; {takes}."),
                None => format!("{takes}, each once, as in {uri}?{}=….", known.first().unwrap_or(&"")),
            },
        }
    }
}

/// A name between grave accents.
fn quoted_name(name: &str) -> String {
    crate::model::visible::line(name, PART_MAX).replace('`', "'")
}

fn path_segments(entry: &Resource) -> impl Iterator<Item = &'static str> {
    split_query(entry.path).0.split('/')
}

/// The variables of an entry's path, if the segments fit it.
fn bind(entry: &Resource, rest: &[&str]) -> Option<Variables> {
    match_template(split_query(entry.path).0, &rest.join("/"))
}

/// Singular and plural, and what is a letter or two apart.
fn is_alike(one: &str, other: &str) -> bool {
    damerau_levenshtein(one, other) <= 1 + usize::from(one.len() > 6)
}

/// The numbers that stand where an entry has its variables, as far as the segments reach.
fn known_numbers(entry: &Resource, rest: &[&str]) -> Option<Variables> {
    let numbers = path_segments(entry).zip(rest).filter_map(|(pattern, segment)| {
        let name = variable(pattern)?;
        PageId::parse(segment).map(|number| (name.to_owned(), number.to_string()))
    });
    let numbers: Variables = numbers.collect();
    (!numbers.is_empty()).then_some(numbers)
}

/// Says that something else stands in the place of a number.
fn wrong_number(alike: &[&Resource], rest: &[&str]) -> String {
    let wrong = alike.iter().find_map(|entry| {
        let pattern = path_segments(entry).nth(1).filter(|_| path_segments(entry).count() == rest.len())?;
        Some((variable(pattern)?, *rest.get(1)?))
    });
    match wrong.filter(|(_, text)| PageId::parse(text).is_none()) {
        Some((name, text)) => {
            let thing = NumberedThing::find(name).map_or_else(|| "a number".to_owned(), NumberedThing::with_article);
            format!("`{name}` must be the number of {thing} (got {}). ", quote(text, PART_MAX))
        }
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::resources::RESOURCES;

    fn unknown<'a>(uri: &str, roots: &'a Roots) -> UnknownUri<'a> {
        let offered = RESOURCES.iter().filter(|entry| roots.has_page_id() || entry.binding == Binding::Page);
        UnknownUri::new(uri, roots, offered.collect())
    }

    #[track_caller]
    fn says(uri: &str, words: &[&str]) {
        let unknown = unknown(uri, &Roots::HOSTED);
        let PageInUri::Number(page_id) = unknown.page() else { panic!("{uri} is of a page") };
        let described = unknown.describe(Some(page_id));
        assert!(words.iter().all(|words| described.contains(words)), "{uri}: {described}");
    }

    #[test]
    fn uri_that_is_nearly_right_is_answered_with_the_right_one() {
        says("statibeat://pages/42", &["statibeat://pages/42/ followed by one of: ", "summary", "incidents/active"]);
        says("statibeat://pages/42/", &["statibeat://pages/42/ followed by one of: "]);
        says("statibeat://pages/42/nothing", &["statibeat://pages/42/ followed by one of: "]);
        says("statibeat://pages/42/summary/", &["Did you mean statibeat://pages/42/summary?"]);
        says("statibeat://pages/42/summary#top", &["Did you mean statibeat://pages/42/summary?"]);
        says("statibeat://pages/42/status_definitions", &["Did you mean statibeat://pages/42/status-definitions?"]);
        says("statibeat://pages/42/incident/active", &["Did you mean statibeat://pages/42/incidents/active?"]);
        says("statibeat://page/42/incidents/active", &["Did you mean statibeat://pages/42/incidents/active?"]);
        says(
            "statibeat://pages/42/incidents",
            &["There are statibeat://pages/42/incidents/active, statibeat://pages/42/incidents/resolved"],
        );
        says("statibeat://pages/42/beats/507/log", &["statibeat://pages/42/beats/507/events"]);
    }

    #[test]
    fn name_instead_of_an_id_gets_an_error_with_the_list_of_ids() {
        says(
            "statibeat://pages/42/incidents/api-outage",
            &["`incident_id` must be the number of an incident (got \"api-outage\")", "/incidents/active"],
        );
        says(
            "statibeat://pages/42/maintenances/completed",
            &["`maintenance_id` must be the number of a maintenance (got \"completed\")", "/maintenances/upcoming"],
        );
        says("statibeat://pages/42/incidents/9007199254740992", &["`incident_id` must be the number of an incident"]);
    }

    #[test]
    fn unknown_parameter_is_named_with_the_known_ones() {
        let analytics = "statibeat://pages/42/analytics/summary";
        says(&format!("{analytics}?days=7"), &["`days` is not known", "takes `window_days`"]);
        says("statibeat://pages/42/summary?x=1", &["`x` is not known", "takes no parameters"]);
        says("statibeat://pages/42/hierarchy?under_id=api", &["`under_id` must be a whole number", "takes `under_id`"]);
        says(&format!("{analytics}?window_days=7&window_days=8"), &["each once"]);
    }

    #[test]
    fn uri_without_page_id_returns_the_text_in_its_place() {
        let page = |uri: &str| unknown(uri, &Roots::HOSTED).page();
        assert_eq!(page("statibeat://pages/northwind/summary"), PageInUri::Text("northwind".to_owned()));
        assert_eq!(page("statibeat://pages/%7Bpage_id%7D/summary"), PageInUri::Text("{page_id}".to_owned()));
        for without_number in ["statibeat://pages/{page_id}/summary", "statibeat://pages/042/summary"] {
            let described = unknown(without_number, &Roots::HOSTED).describe(None);
            assert_eq!(described, "The form is statibeat://pages/{page_id}/summary.");
        }
        assert_eq!(page("statibeat://incidents/active"), PageInUri::Missing);
        assert_eq!(page("statibeat://nothing"), PageInUri::NotBound);
        assert_eq!(unknown("statibeat://pages/42/x", &Roots::PAGE).page(), PageInUri::NotBound);
        let roots = unknown("https://example.com/", &Roots::HOSTED).describe(None);
        assert!(roots.contains("statibeat://overview") && roots.contains("statibeat://pages/{page_id}/"), "{roots}");
    }

    #[test]
    fn uri_of_a_server_of_many_pages_is_understood_by_a_server_of_one() {
        for (uri, meant) in [
            ("statibeat://pages/42/incidents/active", "Did you mean statibeat://page/incidents/active?"),
            ("statibeat://incidents/active", "Did you mean statibeat://page/incidents/active?"),
            ("statibeat://page/beats/gateway/events", "`beat_id` must be the number of a Beat (got \"gateway\")"),
            ("statibeat://page", "statibeat://page/ followed by"),
        ] {
            let described = unknown(uri, &Roots::PAGE).describe(None);
            assert!(described.contains(meant), "{uri}: {described}");
        }
    }
}
