//! Access tokens that were found ended a moment ago, so that a client that keeps sending one costs no database read each time.
//!
//! A token that has ended never works again: revocation of a grant is never cleared, an expiry is only ever moved earlier, a
//! deleted row is never inserted again, and a token is stored before it is handed out. Forged tokens are refused before by their
//! checksum, so they cannot fill this memory.

use crate::model::timestamp::Timestamp;
use crate::oauth::secret::SecretHash;
use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Duration;

const REMEMBERED_FOR: Duration = Duration::from_mins(1);
/// Most tokens of an instance. Further ones are looked up each time.
const MOST: usize = 1_024;

/// The hashes of ended tokens, with the time at which each was found ended.
#[derive(Default)]
pub struct EndedTokens(RefCell<HashMap<SecretHash, Timestamp>>);

impl EndedTokens {
    pub fn has(&self, hash: &SecretHash, now: Timestamp) -> bool {
        self.0.borrow().get(hash).is_some_and(|found_at| now.since(*found_at) < REMEMBERED_FOR)
    }

    pub fn keep(&self, hash: SecretHash, now: Timestamp) {
        let mut ended = self.0.borrow_mut();
        if ended.len() >= MOST {
            ended.retain(|_, found_at| now.since(*found_at) < REMEMBERED_FOR);
        }
        if ended.len() < MOST {
            ended.insert(hash, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyring::KeyRing;
    use crate::oauth::secret::AccessToken;

    const NOW: Timestamp = Timestamp::from_seconds(1_000);

    fn hash(number: u16) -> SecretHash {
        let ring = KeyRing::parse("t:nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A", "test").expect("a ring");
        let mut bytes = [0; 32];
        bytes[30..].copy_from_slice(&number.to_be_bytes());
        AccessToken::issue(&bytes, &ring).hash()
    }

    #[test]
    fn ended_token_is_remembered_for_a_minute() {
        let ended = EndedTokens::default();
        ended.keep(hash(1), NOW);
        assert!(ended.has(&hash(1), NOW + Duration::from_secs(59)));
        assert!(!ended.has(&hash(1), NOW + Duration::from_mins(1)));
        assert!(!ended.has(&hash(2), NOW));
    }

    #[test]
    fn memory_is_bounded_and_makes_room_after_a_minute() {
        let ended = EndedTokens::default();
        for number in 0..2_000 {
            ended.keep(hash(number), NOW);
        }
        assert_eq!(ended.0.borrow().len(), MOST);
        assert!(ended.has(&hash(0), NOW) && !ended.has(&hash(1_999), NOW));
        ended.keep(hash(1_999), NOW + REMEMBERED_FOR);
        assert!(ended.has(&hash(1_999), NOW + REMEMBERED_FOR));
    }
}
