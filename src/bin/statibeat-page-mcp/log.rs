//! The log: lines on standard error, as far as they are worth one.

use statibeat_mcp::page::settings::LogLevel;
use std::io::{self, Write as _};

#[derive(Clone, Copy)]
pub struct Log {
    level: LogLevel,
}

impl Log {
    /// A log of this level.
    pub const fn new(level: LogLevel) -> Self {
        Self { level }
    }

    /// Writes a line if it is worth one. A log that nobody reads is no reason to stop.
    pub fn line(self, level: LogLevel, text: &str) {
        if level <= self.level {
            let word: &str = level.into();
            let _ = writeln!(io::stderr(), "{word}: {}", text.replace('\n', " "));
        }
    }
}
