//! What only the running process has: a socket, a clock, the connector's published keys, a state file.

pub mod connector;
pub mod server;
pub mod state_file;
