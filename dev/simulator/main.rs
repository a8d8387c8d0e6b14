//! The StatiBeat simulator on loopback.
fn main() {}
