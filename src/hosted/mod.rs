//! Hosted MCP's policy: who may do what with the catalogue.

pub mod caller;
