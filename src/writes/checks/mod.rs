//! The checks before a write is posted.

pub mod contradiction;
pub mod duplicate;
pub mod lifecycle;
pub mod names;
mod near_text;
pub mod overlap;
pub mod references;
pub mod schedule;
pub mod text;
