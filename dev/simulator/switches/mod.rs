//! Controls for tests that no product has: planned faults, recorded requests, changes to users.

pub mod control;
pub mod faults;
