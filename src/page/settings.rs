//! The settings of the page server, read from names and values; every problem is reported, none stops the reading.

mod placeholder;

use super::names::{
    ALLOWED_TOOLS, API_TOKEN, BASE_URL, CONFIRM, CONNECT_TIMEOUT, LOG_LEVEL, ORGANIZATION_ID, PAGE_ID, READ_ONLY,
    SLACK_ACTOR, TEXT_RULES, TIMEOUT,
};
use super::tools::ToolSelection;
use crate::catalog::tools::all_tools;
use crate::model::ids::{OrganizationId, PageId};
use crate::model::loopback::is_this_machine;
use crate::model::write_policy::{ConfirmMode, WritePolicy};
use crate::upstream::api_token::{ApiToken, PageAddress};
use std::time::Duration;
use strum::{EnumString, IntoStaticStr};
use url::Url;

/// The settings of the page server.
pub struct Settings {
    pub token: ApiToken,
    /// Scheme and host of StatiBeat, without a slash at the end.
    pub origin: String,
    pub address: PageAddress,
    pub tools: ToolSelection,
    /// Confirmation and text rules for writes.
    pub policy: WritePolicy,
    /// Timeout for opening a connection.
    pub connect_timeout: Duration,
    /// Timeout of a whole exchange.
    pub timeout: Duration,
    /// The lowest level that is logged.
    pub log_level: LogLevel,
    /// For whom a trusted server acts.
    pub slack_actor: Option<String>,
}

/// Log levels; the later include the earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, EnumString, IntoStaticStr)]
#[strum(ascii_case_insensitive, serialize_all = "lowercase")]
pub enum LogLevel {
    Error,
    /// Errors that the server recovered from.
    Warn,
    Info,
    Debug,
}

/// One thing that is wrong with the settings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name} {problem}")]
pub struct SettingsProblem {
    name: &'static str,
    problem: String,
}

/// Reads one name after the other and keeps what is wrong.
struct SettingsReader<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
    problems: Vec<SettingsProblem>,
}

impl Settings {
    /// Reads the settings; the error has everything that is wrong with them.
    pub fn from_lookup(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self, Vec<SettingsProblem>> {
        let mut reader = SettingsReader { lookup, problems: Vec::new() };
        let token = reader.required(API_TOKEN, |text| {
            ApiToken::parse(text).ok_or_else(|| "must be one word of visible ASCII characters".to_owned())
        });
        let origin = reader.required(BASE_URL, parse_origin);
        let organization =
            reader.optional(ORGANIZATION_ID, |text| OrganizationId::parse(text).ok_or_else(not_positive));
        let page = reader.optional(PAGE_ID, |text| PageId::parse(text).ok_or_else(not_positive));
        let address = match (organization, page) {
            (Some(organization_id), Some(page_id)) => PageAddress::Numbers { organization_id, page_id },
            (None, None) => PageAddress::Host,
            (Some(_), None) => reader.lacks_its_other(PAGE_ID, ORGANIZATION_ID),
            (None, Some(_)) => reader.lacks_its_other(ORGANIZATION_ID, PAGE_ID),
        };
        let is_read_only = reader.optional(READ_ONLY, parse_bool).unwrap_or(false);
        let only = reader.optional(ALLOWED_TOOLS, parse_tools);
        let tools = match only {
            _ if is_read_only => ToolSelection::ReadOnly,
            Some(names) => ToolSelection::Only(names),
            None => ToolSelection::All,
        };
        let confirm = reader.optional(CONFIRM, |text| {
            ConfirmMode::parse(text).ok_or_else(|| "must be always, when-supported or never".to_owned())
        });
        let base = WritePolicy { confirm: confirm.unwrap_or_default(), ..WritePolicy::default() };
        let policy = reader.optional(TEXT_RULES, |text| {
            base.clone()
                .with_rules(text)
                .map_err(|entry| format!("has {entry:?}, which is no rule=off, rule=warn, rule=confirm or rule=refuse"))
        });
        let connect_timeout = reader.optional(CONNECT_TIMEOUT, |text| parse_seconds(text, 60));
        let timeout = reader.optional(TIMEOUT, |text| parse_seconds(text, 300));
        let log_level = reader
            .optional(LOG_LEVEL, |text| text.parse().map_err(|_| "must be error, warn, info or debug".to_owned()));
        let slack_actor = reader.optional(SLACK_ACTOR, parse_actor);
        match (token, origin, reader.problems) {
            (Some(token), Some(origin), problems) if problems.is_empty() => Ok(Self {
                token,
                origin,
                address,
                tools,
                policy: policy.unwrap_or(base),
                connect_timeout: connect_timeout.unwrap_or(Duration::from_secs(5)),
                timeout: timeout.unwrap_or(Duration::from_secs(30)),
                log_level: log_level.unwrap_or(LogLevel::Warn),
                slack_actor,
            }),
            (_, _, problems) => Err(problems),
        }
    }
}

impl SettingsReader<'_> {
    fn required<T>(&mut self, name: &'static str, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        if self.text(name).is_none() {
            self.problems.push(SettingsProblem { name, problem: "is not set".to_owned() });
        }
        self.optional(name, parse)
    }

    fn optional<T>(&mut self, name: &'static str, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let text = self.text(name)?;
        let parsed =
            if placeholder::is_placeholder(&text) { Err(placeholder::PROBLEM.to_owned()) } else { parse(&text) };
        match parsed {
            Ok(value) => Some(value),
            Err(problem) => {
                self.problems.push(SettingsProblem { name, problem });
                None
            }
        }
    }

    /// Set to nothing is not set: programs that start this one often pass empty values on.
    fn text(&self, name: &str) -> Option<String> {
        (self.lookup)(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    fn lacks_its_other(&mut self, name: &'static str, other: &str) -> PageAddress {
        // A bad value was told already.
        if self.text(name).is_none() {
            self.problems.push(SettingsProblem { name, problem: format!("must be set together with {other}") });
        }
        PageAddress::Host
    }
}

/// `https` anywhere; plain `http` only on this machine, because the token travels with every request.
fn parse_origin(text: &str) -> Result<String, String> {
    let url = Url::parse(text).map_err(|_| "must be a URL such as https://status.example.com".to_owned())?;
    match url.scheme() {
        "https" => {}
        "http" if is_this_machine(&url) => {}
        _ => return Err("must begin with https:// (http:// only on this machine)".to_owned()),
    }
    let is_bare = url.username().is_empty() && url.password().is_none() && matches!(url.path(), "" | "/");
    if !is_bare || url.query().is_some() || url.fragment().is_some() {
        return Err("must be scheme and host alone, without a path, a query or a user".to_owned());
    }
    Ok(url.origin().ascii_serialization())
}

fn not_positive() -> String {
    "must be a positive whole number".to_owned()
}

fn parse_bool(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err("must be true or false".to_owned()),
    }
}

fn parse_tools(text: &str) -> Result<Vec<&'static str>, String> {
    let names = text.split(|c: char| c.is_whitespace() || c == ',').filter(|name| !name.is_empty());
    let find = |name: &str| all_tools().find(|tool| tool.name == name).map(|tool| tool.name).ok_or(name.to_owned());
    let (known, unknown): (Vec<_>, Vec<_>) = names.map(find).partition(Result::is_ok);
    let unknown: Vec<String> = unknown.into_iter().filter_map(Result::err).map(|name| format!("{name:?}")).collect();
    if unknown.is_empty() {
        return Ok(known.into_iter().flatten().collect());
    }
    let valid = all_tools().map(|tool| tool.name).collect::<Vec<_>>().join(", ");
    Err(format!("names no tool with {}; the tools are {valid}", unknown.join(", ")))
}

fn parse_seconds(text: &str, most: u64) -> Result<Duration, String> {
    let seconds = text.parse::<u64>().ok().filter(|seconds| (1..=most).contains(seconds));
    seconds.map(Duration::from_secs).ok_or_else(|| format!("must be a whole number of seconds from 1 to {most}"))
}

fn parse_actor(text: &str) -> Result<String, String> {
    let is_id = |part: &str| (1..=64).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let fits = text.split_once(':').is_some_and(|(team, user)| is_id(team) && is_id(user));
    if fits { Ok(text.to_owned()) } else { Err("must be team:user, as in T024BE7LD:U2147483697".to_owned()) }
}

#[cfg(test)]
mod tests;
