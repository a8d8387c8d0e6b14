//! What all routes share on the wire: reading requests, writing answers, limiting writes.

pub mod body;
pub mod limiter;
pub mod reply;
