//! What tests turn on and look at, and no product has: planned faults, recorded requests, changes to users.

pub mod control;
pub mod faults;
