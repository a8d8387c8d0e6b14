//! A database that fails on purpose: before it did anything, or after it did everything.

use statibeat_mcp::ports::Statement;
use std::cell::Cell;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    Before,
    /// It happens and nobody is told.
    After,
}

/// Planned faults and their results.
#[derive(Default)]
pub struct Faults {
    plan: Cell<Option<Plan>>,
    /// First statement of the batch that failed last.
    failed: Cell<Option<&'static str>>,
}

#[derive(Clone, Copy)]
struct Plan {
    skip: usize,
    failure: Failure,
    is_over_after_one: bool,
}

impl Faults {
    /// The batch after the next `skip` ones fails, and all that follow.
    pub fn from(&self, skip: usize, failure: Failure) {
        self.plan.set(Some(Plan { skip, failure, is_over_after_one: false }));
    }

    /// The batch after the next `skip` ones fails, and none that follow.
    pub fn once(&self, skip: usize, failure: Failure) {
        self.failed.set(None);
        self.plan.set(Some(Plan { skip, failure, is_over_after_one: true }));
    }

    /// Ends the plan, whether or not something has failed by it.
    pub fn heal(&self) {
        self.plan.set(None);
        self.failed.set(None);
    }

    /// Ends the plan; the first statement of the batch that failed, if one did.
    pub fn take_failed(&self) -> Option<&'static str> {
        self.plan.set(None);
        self.failed.take()
    }

    /// Takes the fault of the next batch.
    pub(super) fn next(&self, statements: &[Statement]) -> Option<Failure> {
        let plan = self.plan.get()?;
        if let Some(skip) = plan.skip.checked_sub(1) {
            self.plan.set(Some(Plan { skip, ..plan }));
            return None;
        }
        if plan.is_over_after_one {
            self.plan.set(None);
        }
        self.failed.set(statements.first().map(|statement| statement.sql));
        Some(plan.failure)
    }
}
