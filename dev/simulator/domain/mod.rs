//! The nouns of the API: what each is, how it reads on the wire, and how it may change.

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
