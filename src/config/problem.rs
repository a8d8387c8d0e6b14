//! One problem of the configuration, as the reader and the deployment checks report it.

use std::borrow::Cow;
use std::fmt;

/// One thing that is wrong with the configuration. Never carries a secret's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigProblem {
    pub variable: Cow<'static, str>,
    /// The fault, and a correct value.
    pub reason: String,
}

impl fmt::Display for ConfigProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.variable, self.reason)
    }
}
