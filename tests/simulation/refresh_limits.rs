//! Limits of refreshes: how often a connection rotates its token, and how many access tokens one refresh token has.

use crate::observations::{Observations, RequestFacts};
use crate::tokens::ACCESS_LIFE;

/// Maximum rotations of a connection within [`ROTATION_SECONDS`].
const MOST_ROTATIONS: usize = 10;
const ROTATION_SECONDS: i64 = 60;
/// Maximum living access tokens that came with one refresh token.
const MOST_ACCESS_TOKENS: usize = 32;

const LIMITED: &str =
    "a connection rotates ten times a minute, and a refresh token has 32 living access tokens, not more";
const FREE: &str = "nobody waits who keeps within the limits";

impl Observations {
    /// A refresh gives tokens: a successor, or another access token for one that is known.
    pub fn check_refresh_limits(&mut self, number: usize, successor: &str) {
        let RequestFacts { sent, began, .. } = &self.requests[number];
        let (connection_index, now) = (sent.connection_index, began.now);
        let is_over = if self.refreshes.contains_key(successor) {
            let is_alive = |issued_at: i64| now < issued_at + ACCESS_LIFE;
            let accesses = self.accesses.values().filter(|access| access.refresh == successor);
            let living = accesses.filter(|access| is_alive(access.issued_at) && !access.revocation_began);
            // A narrowing may have ended some of them earlier.
            !self.connections[connection_index].narrowing.began && living.count() >= MOST_ACCESS_TOKENS
        } else {
            let of_connection = self.refreshes.values().filter(|token| token.rotated_for == Some(connection_index));
            of_connection.filter(|token| now < token.issued.0 + ROTATION_SECONDS).count() >= MOST_ROTATIONS
        };
        self.forbid(is_over, LIMITED, number);
    }

    /// A refresh that must not be refused is told to wait.
    pub fn check_wait(&mut self, number: usize) {
        let connection_index = self.requests[number].sent.connection_index;
        let of_connection = self.requests.iter().filter(|one| one.sent.connection_index == connection_index);
        let count = of_connection.filter(|one| one.sent.kind.is_refresh()).count();
        self.forbid(count <= MOST_ROTATIONS, FREE, number);
    }
}
