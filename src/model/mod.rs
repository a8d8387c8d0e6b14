//! Plain values that every layer may use: identifiers, time, scopes, text as a person sees it. No I/O, and no error of
//! another layer.

pub mod ids;
pub mod loopback;
pub mod operation;
pub mod outcome;
pub mod scope;
pub mod timestamp;
pub mod visible;
