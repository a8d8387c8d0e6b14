//! The objects of the API: their state, representation and changes.

pub mod affected;
pub mod analytics;
pub mod beat_actions;
pub mod beats;
pub mod changes;
pub mod dry_run;
pub mod evidence;
pub mod hierarchy;
pub mod incidents;
pub mod maintenances;
pub mod notices;
pub mod pages;
pub mod session;
