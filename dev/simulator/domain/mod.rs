//! The nouns of the API: what each is, how it reads on the wire, and how it may change.

pub mod affected;
pub mod analytics;
pub mod beat_actions;
pub mod beats;
pub mod evidence;
pub mod hierarchy;
pub mod incident_actions;
pub mod incident_changes;
pub mod incidents;
pub mod maintenance_changes;
pub mod maintenances;
pub mod pages;
pub mod session;
pub mod updates;
