//! `statibeat://` URIs: the templates of the catalog, matched and expanded.
//!
//! A template is an entry's path behind the root that a surface puts in front. A URI is matched in its normal form, so that
//! equivalent spellings are one. Beyond that matching is strict: each part is accepted only if expanding it with what was read
//! from it gives the same bytes again. Variables named `…_id` are positive decimal numbers. Query pairs such as
//! `?window_days={window_days}` are optional, in any order; an empty one is what a template leaves of a variable without value.

mod normal_form;

pub use normal_form::normalize;

use super::resource::{Binding, Resource, Variables};
use super::resources::RESOURCES;
use crate::model::ids::{PageId, parse_id};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use std::borrow::Cow;

/// Everything but the unreserved characters of RFC 3986, section 2.3, and what times have.
const RESERVED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':').remove(b'+');

/// Stands behind a URI that this reader may not read.
const UNREADABLE: &str = " (this connection may not read it)";

/// The prefix that a server puts before the catalog's paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Roots {
    pub session: &'static str,
    /// For page-bound resources; may have the variable `{page_id}`.
    pub page: &'static str,
}

impl Roots {
    /// Hosted MCP speaks of many pages.
    pub const HOSTED: Roots = Roots { session: "statibeat://", page: "statibeat://pages/{page_id}/" };

    /// The page server speaks of one page, and of no person.
    pub const PAGE: Roots = Roots { session: "statibeat://", page: "statibeat://page/" };

    /// `true` for a server of many pages, whose tools take a `page_id`.
    pub fn has_page_id(&self) -> bool {
        self.page.contains("{page_id}")
    }

    /// The URI template of an entry.
    pub fn template(&self, resource: &Resource) -> String {
        let root = match resource.binding {
            Binding::Session => self.session,
            Binding::Page => self.page,
        };
        format!("{root}{}", resource.path)
    }

    /// A text of the catalog, whose URIs are those of Hosted MCP, with the URIs of this server.
    pub fn localize(&self, text: &str) -> String {
        text.replace(Self::HOSTED.page, self.page)
    }

    /// Marks each URI in a text of the catalog that its reader may not read.
    pub fn mark_unreadable(&self, text: &str, can_read: impl Fn(&Resource) -> bool) -> String {
        let mut marked = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(start) = rest.find(self.session) {
            let is_end = |c: char| !c.is_ascii_alphanumeric() && !"_-{}/:.".contains(c);
            let end = rest[start..].find(is_end).map_or(rest.len(), |length| start + length);
            let uri = rest[start..end].trim_end_matches(['.', ':']);
            let named = |resource: &&Resource| {
                let template = self.template(resource);
                split_query(&template).0 == uri || (uri.ends_with('/') && template.starts_with(uri))
            };
            let mut named = RESOURCES.iter().filter(named).peekable();
            let is_readable = named.peek().is_none() || named.any(&can_read);
            marked.push_str(&rest[..start + uri.len()]);
            marked.push_str(if is_readable { "" } else { UNREADABLE });
            rest = &rest[start + uri.len()..];
        }
        marked + rest
    }

    /// The URI template as clients learn of it: with what they can choose, without cursors.
    pub fn listed_template(&self, resource: &Resource) -> String {
        let template = self.template(resource);
        let hidden = resource.path.len() - resource.template_path().len();
        template[..template.len() - hidden].to_owned()
    }

    /// The entry that a URI names, if one of them does.
    pub fn find(&self, uri: &str, entries: &'static [Resource]) -> Option<Match> {
        let normal = normalize(uri);
        let uri = simplify(&normal);
        let path = split_query(&uri).0;
        // Most entries differ in a literal, for which no template has to be made.
        entries.iter().filter(|resource| has_literals_of(path, split_query(resource.path).0)).find_map(|resource| {
            let variables = match_simplified(&self.template(resource), &uri)?;
            Some(Match { resource, variables })
        })
    }

    /// The URI of an entry, if every variable of its path has a value.
    pub fn expand(&self, resource: &Resource, variables: &Variables) -> Option<String> {
        expand(&self.template(resource), variables)
    }
}

/// An entry and what its URI said.
pub struct Match {
    pub resource: &'static Resource,
    /// Its variables, `page_id` among them if the root has it.
    pub variables: Variables,
}

impl Match {
    /// The page that the URI names.
    pub fn page_id(&self) -> Option<PageId> {
        PageId::parse(self.variables.get("page_id")?)
    }
}

/// Reads the variables of a template from a URI in its normal form; `None` if it does not match.
pub fn match_template(template: &str, uri: &str) -> Option<Variables> {
    match_simplified(template, &simplify(uri))
}

fn match_simplified(template: &str, uri: &str) -> Option<Variables> {
    let (template_path, template_query) = split_query(template);
    let (path, query) = split_query(uri);
    let mut variables = Variables::new();
    if template_path.split('/').count() != path.split('/').count() {
        return None;
    }
    for (pattern, segment) in template_path.split('/').zip(path.split('/')) {
        bind(pattern, segment, &mut variables)?;
    }
    for pair in pairs(query) {
        let (key, value) = pair.split_once('=')?;
        let pattern = pairs(template_query).find(|pattern| pattern.split_once('=').is_some_and(|(k, _)| k == key))?;
        if !value.is_empty() {
            bind(pattern.split_once('=')?.1, value, &mut variables)?;
        }
    }
    Some(variables)
}

/// Returns whether the last segments of a path are those of the pattern, apart from its variables.
fn has_literals_of(path: &str, pattern: &str) -> bool {
    pattern
        .rsplit('/')
        .zip(path.rsplit('/'))
        .all(|(pattern, segment)| variable(pattern).is_some() || pattern == segment)
}

/// The parameters that a template's query may have.
pub fn query_parameters(template: &str) -> impl Iterator<Item = &str> {
    pairs(split_query(template).1).filter_map(|pair| Some(pair.split_once('=')?.0))
}

/// The colons and signs of times without percent-encoding, and ids without the words that completion adds to them
/// (`1001%20API%20errors`).
fn simplify(uri: &str) -> Cow<'_, str> {
    if !uri.contains('%') {
        return Cow::Borrowed(uri);
    }
    let (path, query) = split_query(uri);
    let path: Vec<&str> = path.split('/').map(without_words).collect();
    if query.is_empty() {
        return Cow::Owned(uri.replacen(split_query(uri).0, &path.join("/"), 1));
    }
    let pairs = query.split('&').map(|pair| match pair.split_once('=') {
        Some((key, value)) => format!("{key}={}", without_words(value)),
        None => pair.to_owned(),
    });
    let query = pairs.collect::<Vec<_>>().join("&");
    let query = [("%3A", ":"), ("%3a", ":"), ("%2B", "+"), ("%2b", "+")]
        .iter()
        .fold(query, |query, (code, character)| query.replace(code, character));
    Cow::Owned(format!("{}?{query}", path.join("/")))
}

fn without_words(value: &str) -> &str {
    match value.split_once("%20") {
        Some((id, _)) if !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()) => id,
        _ => value,
    }
}

/// Puts values into a template of a URI or an upstream path; `None` if a variable of the path has none. A query pair
/// whose variable has no value is left out.
pub fn expand(template: &str, variables: &Variables) -> Option<String> {
    let (path, query) = split_query(template);
    let segments: Option<Vec<String>> = path.split('/').map(|segment| fill(segment, variables)).collect();
    let path = segments?.join("/");
    let pairs: Vec<String> = pairs(query)
        .filter_map(|pair| {
            let (key, value) = pair.split_once('=')?;
            Some(format!("{key}={}", fill(value, variables)?))
        })
        .collect();
    Some(if pairs.is_empty() { path } else { format!("{path}?{}", pairs.join("&")) })
}

pub fn split_query(text: &str) -> (&str, &str) {
    text.split_once('?').unwrap_or((text, ""))
}

pub fn pairs(query: &str) -> impl Iterator<Item = &str> {
    query.split('&').filter(|pair| !pair.is_empty())
}

pub fn variable(pattern: &str) -> Option<&str> {
    pattern.strip_prefix('{')?.strip_suffix('}')
}

/// Compares a literal, or remembers what stands in a variable's place.
fn bind(pattern: &str, text: &str, variables: &mut Variables) -> Option<()> {
    let Some(name) = variable(pattern) else {
        return (pattern == text).then_some(());
    };
    let value = percent_decode_str(text).decode_utf8().ok()?;
    if !fits(name, &value) || Cow::from(utf8_percent_encode(&value, RESERVED)) != text {
        return None;
    }
    variables.insert(name.to_owned(), value.into_owned()).is_none().then_some(())
}

fn fill(pattern: &str, variables: &Variables) -> Option<String> {
    let Some(name) = variable(pattern) else {
        return Some(pattern.to_owned());
    };
    let value = variables.get(name).filter(|value| fits(name, value))?;
    Some(utf8_percent_encode(value, RESERVED).to_string())
}

/// Dots are refused because a path made of them would climb when it is put into an upstream URL.
fn fits(name: &str, value: &str) -> bool {
    if name.ends_with("_id") {
        return parse_id(value).is_some();
    }
    !value.is_empty() && value != "." && value != ".." && !value.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(template: &str, uri: &str, expected: Option<&[(&str, &str)]>) {
        let expected = expected.map(|pairs| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect());
        assert_eq!(match_template(template, uri), expected, "{template} against {uri}");
    }

    #[test]
    fn uri_in_its_normal_form_matches() {
        check("statibeat://me", "statibeat://me", Some(&[]));
        check("statibeat://pages/{page_id}/summary", "statibeat://pages/42/summary", Some(&[("page_id", "42")]));
        check("x://{name}", "x://a%20b%2Fc", Some(&[("name", "a b/c")]));
        check("x://{name}", "x://%C3%A9", Some(&[("name", "é")]));
        check("x://a?days={days}", "x://a?days=7", Some(&[("days", "7")]));
        check("x://a?days={days}", "x://a", Some(&[]));
        check("x://a?b={b}&c={c}", "x://a?c=2", Some(&[("c", "2")]));
        check("x://a?b={b}&c={c}", "x://a?c=2&b=1", Some(&[("b", "1"), ("c", "2")]));
        check("x://a?b={b}&c={c}", "x://a?b=&c=2", Some(&[("c", "2")]));
        check("x://a?days={days}", "x://a?days=", Some(&[]));
        check("x://a?days={days}", "x://a?", Some(&[]));
    }

    #[test]
    fn any_other_spelling_does_not_match() {
        for uri in [
            "",
            "statibeat://",
            "statibeat://pages/42",
            "statibeat://pages/42/summary/",
            "statibeat://pages/42/summary?x=1",
            "statibeat://pages/42/summary#top",
            "statibeat://pages//summary",
            "statibeat://pages/042/summary",
            "statibeat://pages/+42/summary",
            "statibeat://pages/-42/summary",
            "statibeat://pages/0/summary",
            "statibeat://pages/42.0/summary",
            "statibeat://pages/%34%32/summary",
            "statibeat://pages/9007199254740992/summary",
            "statibeat://pages/99999999999999999999/summary",
            "statibeat://pages/../summary",
            "statibeat://pages/42/Summary",
            "STATIBEAT://pages/42/summary",
            " statibeat://pages/42/summary",
            "statibeat:/pages/42/summary",
        ] {
            check("statibeat://pages/{page_id}/summary", uri, None);
        }
        for uri in
            ["x://%zz", "x://%", "x://%2e%2e", "x://..", "x://a b", "x://%41", "x://%c3%a9", "x://%FF", "x://%00"]
        {
            check("x://{name}", uri, None);
        }
        check(
            "x://a?from={from}",
            "x://a?from=2026-01-02T10%3A00%2B01:00",
            Some(&[("from", "2026-01-02T10:00+01:00")]),
        );
        check("x://a/{incident_id}", "x://a/1001%20API%20errors", Some(&[("incident_id", "1001")]));
        check("x://a?under_id={under_id}", "x://a?under_id=102%20API", Some(&[("under_id", "102")]));
        for uri in ["x://a?days", "x://a?days=1&days=2", "x://a?other=1", "x://a?other=", "x://a?days=%31"] {
            check("x://a?days={days}", uri, None);
        }
    }

    #[test]
    fn expanding_needs_every_variable_of_the_path() {
        let none = Variables::new();
        let some: Variables = [("page_id", "7"), ("days", "a&b")].map(|(k, v)| (k.to_owned(), v.to_owned())).into();
        assert_eq!(expand("pages/{page_id}/x", &none), None);
        assert_eq!(
            expand("pages/{page_id}/x?days={days}&limit=5", &some).as_deref(),
            Some("pages/7/x?days=a%26b&limit=5")
        );
        assert_eq!(expand("x?days={days}&limit=5", &none).as_deref(), Some("x?limit=5"));
    }
}
