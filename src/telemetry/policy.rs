//! Selects the log lines to write: by level, and a share of the lines of successful reads. Metrics count every request.

use super::RequestRecord;
use crate::model::outcome::Outcome;
use std::fmt;
use strum::{EnumString, IntoStaticStr};

/// The severity of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, EnumString, IntoStaticStr)]
#[strum(serialize_all = "lowercase", const_into_str)]
pub enum Level {
    /// A request as they should be, refused ones included.
    Info,
    /// A dependency failed, the outcome is unknown, a limit was exceeded, or there are notes.
    Warn,
    Error,
}

impl Level {
    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }
}

impl RequestRecord {
    /// Returns whether nothing but a successful read of a public document, the catalog or StatiBeat happened.
    fn is_successful_read(&self) -> bool {
        self.level() == Level::Info
            && self.outcome == Outcome::Answered
            && matches!(self.kind(), "document" | "read" | "list" | "prompt")
    }

    pub fn level(&self) -> Level {
        if self.status == 500 {
            Level::Error
        } else if matches!(self.outcome, Outcome::Failed | Outcome::Unknown)
            || self.limit.is_some()
            || !self.notes.is_empty()
        {
            Level::Warn
        } else {
            Level::Info
        }
    }
}

/// A share of all, in thousandths.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Share(u16);

impl Share {
    pub const ALL: Self = Self(1000);

    /// Reads a number from 0 to 1 with up to three decimals.
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
        let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
        if whole.len() != 1 || decimals.len() > 3 || !is_number(whole) || !is_number(decimals) {
            return None;
        }
        let thousandths = format!("{whole}{decimals:0<3}").parse().ok()?;
        (thousandths <= 1000).then_some(Self(thousandths))
    }

    /// Returns whether the request of this span is sampled. Span ids are generated here and never taken from a
    /// `traceparent`: otherwise a caller could hide its requests or fill the log.
    fn keeps(self, span_id: &str) -> bool {
        let drawn = span_id.get(8..).and_then(|tail| u32::from_str_radix(tail, 16).ok()).unwrap_or_default();
        u64::from(drawn) * 1000 < u64::from(self.0) << 32
    }
}

impl fmt::Debug for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/1000", self.0)
    }
}

/// The operator's policy for log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogPolicy {
    /// Lowest level that is written.
    pub from: Level,
    /// Share of the lines of successful reads that are written.
    pub share: Share,
}

impl LogPolicy {
    /// Returns whether the record becomes a line.
    pub fn keeps(&self, record: &RequestRecord) -> bool {
        record.level() >= self.from && (!record.is_successful_read() || self.share.keeps(record.trace.span()))
    }
}
