//! The operator's commands: deploy, make and rotate secrets, revoke connections, look at a deployed server, and check the StatiBeat
//! behind it. Only wrangler talks to Cloudflare.

mod confirmation;
mod database;
pub mod deploy;
mod deployment_checks;
pub mod erase;
pub mod key_rings;
pub mod listing;
mod network;
pub mod revoke;
pub mod secrets;
pub mod smoke;
pub mod upstream;
