//! The shard of the database that keeps the row of a token or grant (`docs/scale.md`). There is one today.

/// The first of the random bytes of every opaque token and grant id.
pub const SHARD: u8 = 0;
