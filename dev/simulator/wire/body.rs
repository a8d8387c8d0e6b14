//! Reading requests strictly: JSON bodies that refuse unknown fields, and query strings that refuse unknown names.

use bytes::Bytes;
use http::{Request, StatusCode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

use super::reply::Refusal;

/// The largest request body that is read.
pub const BODY_LIMIT: usize = 1024 * 1024;

/// Lists answer this many entries unless asked.
const LIMIT_DEFAULT: usize = 50;
/// Lists never answer more entries than this.
const LIMIT_MAX: usize = 200;

/// Reads a JSON body into its type.
pub fn json<T: DeserializeOwned>(request: &Request<Bytes>) -> Result<T, Refusal> {
    let content_type = request.headers().get("content-type").and_then(|value| value.to_str().ok()).unwrap_or("");
    let essence = content_type.split(';').next().unwrap_or("").trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content type must be application/json"));
    }
    serde_json::from_slice(request.body()).map_err(|error| Refusal::invalid(reason(&error)))
}

/// Reads a JSON body that may be left out.
pub fn optional_json<T: DeserializeOwned + Default>(request: &Request<Bytes>) -> Result<T, Refusal> {
    if request.body().is_empty() { Ok(T::default()) } else { json(request) }
}

/// Refuses a body where none belongs.
pub fn none(request: &Request<Bytes>) -> Result<(), Refusal> {
    #[derive(Deserialize, Default)]
    #[serde(deny_unknown_fields)]
    struct Empty {}
    optional_json::<Empty>(request).map(|_| ())
}

/// The parser's complaint in the API's words: field names in double quotes, no positions.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    if !error.is_data() {
        return "request body is not valid JSON".to_owned();
    }
    let text = text.split(" at line ").next().unwrap_or(&text);
    let text = text.split(", expected one of").next().unwrap_or(text);
    let text = text.split(", there are no fields").next().unwrap_or(text);
    let cut = if text.starts_with("unknown field") { text.split(", expected").next().unwrap_or(text) } else { text };
    cut.replace('`', "\"")
}

/// For optional fields: absent is `None`, and `null` is refused like any other wrong type.
pub fn present<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    T::deserialize(deserializer).map(Some)
}

/// A query string whose names were all asked for.
#[derive(Debug, Default)]
pub struct Query {
    pairs: Vec<(String, String)>,
}

impl Query {
    /// Reads the query, refusing names outside `known` and names given twice.
    pub fn parse(request: &Request<Bytes>, known: &[&str]) -> Result<Self, Refusal> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for (name, value) in form_urlencoded::parse(request.uri().query().unwrap_or("").as_bytes()) {
            if !known.contains(&name.as_ref()) {
                return Err(Refusal::invalid(format!("unknown query parameter \"{name}\"")));
            }
            if pairs.iter().any(|(seen, _)| *seen == name) {
                return Err(Refusal::invalid(format!("query parameter \"{name}\" is given twice")));
            }
            pairs.push((name.into_owned(), value.into_owned()));
        }
        Ok(Self { pairs })
    }

    /// A parameter's value.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// A parameter that must be one of a few words.
    pub fn word(&self, name: &str, allowed: &[&str]) -> Result<Option<&str>, Refusal> {
        match self.get(name) {
            Some(value) if !allowed.contains(&value) => {
                Err(Refusal::invalid(format!("{name} must be one of: {}", allowed.join(", "))))
            }
            found => Ok(found),
        }
    }

    /// A whole number within bounds.
    pub fn number(&self, name: &str, lowest: u32, highest: u32) -> Result<Option<u32>, Refusal> {
        let Some(value) = self.get(name) else {
            return Ok(None);
        };
        let plain = value.bytes().all(|byte| byte.is_ascii_digit());
        match value.parse::<u32>() {
            Ok(number) if plain && (lowest..=highest).contains(&number) => Ok(Some(number)),
            _ => Err(Refusal::invalid(format!("{name} must be a whole number from {lowest} to {highest}"))),
        }
    }

    /// The `limit` of a list.
    pub fn limit(&self) -> Result<usize, Refusal> {
        let highest = u32::try_from(LIMIT_MAX).unwrap_or(u32::MAX);
        let limit = self.number("limit", 1, highest)?;
        Ok(limit.map_or(LIMIT_DEFAULT, |limit| limit as usize))
    }

    /// Whether the nested documents were asked for (`view=full`).
    pub fn full(&self) -> Result<bool, Refusal> {
        Ok(self.word("view", &["full"])?.is_some())
    }
}

/// Checks that a text has between one and `longest` characters once its ends are trimmed.
pub fn check_text(name: &str, text: &str, longest: usize) -> Result<(), Refusal> {
    if text.trim().is_empty() {
        return Err(Refusal::invalid(format!("{name} must not be empty")));
    }
    if text.chars().count() > longest {
        return Err(Refusal::invalid(format!("{name} is longer than {longest} characters")));
    }
    Ok(())
}

/// As [`check_text`], for a text that may be absent.
pub fn check_optional_text(name: &str, text: Option<&str>, longest: usize) -> Result<(), Refusal> {
    text.map_or(Ok(()), |text| check_text(name, text, longest))
}
