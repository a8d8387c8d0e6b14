//! The authorization server: every endpoint of `/mcp/oauth`, and the bearer tokens it gives.

mod allowed_redirects;
mod authorize;
mod bearer;
mod browser_binding;
mod client_replays;
mod consent;
mod consent_choices;
mod ended_connections;
mod key_rotation;
mod metadata;
mod preregistered_clients;
mod races;
mod refresh;
mod refused_redirects;
mod registration;
mod revoke;
mod sign_in;
mod token;
mod token_form;
mod unticked_writes;
