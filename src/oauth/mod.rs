//! The authorization server's rules. No I/O, no HTTP types.

pub mod client;
