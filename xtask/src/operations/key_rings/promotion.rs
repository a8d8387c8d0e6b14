//! The moment from which prepared keys may sign: everybody who verifies a signature must know the key before the first one arrives.

use super::{Key, Secrets, State};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use statibeat_mcp::keyring::KeyRing;
use statibeat_mcp::upstream::assertion;

/// The ring whose public keys StatiBeat fetches.
pub const ASSERTION_KEYS: &str = "HOSTED_MCP_ASSERTION_KEYS";

/// Time between storing prepared keys and letting them sign: StatiBeat may keep a fetched key set that long.
const LEAST_AGE: SignedDuration = SignedDuration::from_hours(24);

/// The reasons not to promote the chosen rings' prepared keys at this time. `published` is the key set that the deployed worker
/// publishes, or why it could not be fetched; it matters only to the ring whose keys are published.
pub fn problems(
    secrets: &Secrets,
    ring: Option<&str>,
    now: Timestamp,
    published: &Result<Value, String>,
) -> Vec<String> {
    let mut problems = Vec::new();
    for (name, keys) in secrets.rings.iter().filter(|(name, _)| ring.is_none_or(|ring| ring == name.as_str())) {
        for key in keys.iter().filter(|key| key.state == State::Prepared) {
            problems.extend(age_problem(key, now).map(|problem| format!("{name}: {problem}")));
            if name == ASSERTION_KEYS {
                problems.extend(publication_problem(key, published).map(|problem| format!("{name}: {problem}")));
            }
        }
    }
    problems
}

fn age_problem(key: &Key, now: Timestamp) -> Option<String> {
    let Some(stored) = key.stored_at else {
        return Some(format!(
            "key {} is not stored on Cloudflare, so no server recognizes it: store it, and promote it a day later",
            key.kid
        ));
    };
    let due = stored.checked_add(LEAST_AGE).unwrap_or(Timestamp::MAX);
    (now < due).then(|| format!("key {} was stored at {stored:.0}: promote it after {due:.0}", key.kid))
}

fn publication_problem(key: &Key, published: &Result<Value, String>) -> Option<String> {
    let set = match published {
        Ok(set) => set,
        Err(reason) => return Some(format!("the published key set could not be read: {reason}")),
    };
    let ring = KeyRing::parse(&format!("{}:{}", key.kid, key.secret), "any").ok()?;
    let expected = &assertion::jwks(&ring)["keys"][0];
    let is_published = set["keys"]
        .as_array()
        .is_some_and(|keys| keys.iter().any(|one| ["kid", "x"].iter().all(|part| one[part] == expected[part])));
    (!is_published)
        .then(|| format!("the deployed worker does not publish key {} yet, so StatiBeat cannot have it", key.kid))
}

#[cfg(test)]
mod tests {
    use super::super::Step;
    use super::*;

    fn time(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    /// Prepared at midnight, and stored an hour later if at all; with the key set of a worker that has them.
    fn prepare(is_stored: bool) -> (Secrets, Value) {
        let mut secrets = Secrets::new("2026-01-01".parse().expect("a day"));
        secrets.rotate(Step::Prepare, None, time("2026-03-01T00:00:00Z")).expect("a step");
        if is_stored {
            secrets.mark_stored(time("2026-03-01T01:00:00Z"));
        }
        let ring = KeyRing::parse(&secrets.values()[ASSERTION_KEYS], "any").expect("a ring");
        (secrets, assertion::jwks(&ring))
    }

    #[test]
    fn keys_are_promoted_a_day_after_they_were_stored_and_once_they_are_published() {
        let (early, due) = ("2026-03-02T00:59:59Z", "2026-03-02T01:00:00Z");
        let another_ring = Some("HOSTED_MCP_CHECKSUM_KEYS");
        for (is_stored, now, ring, set, expected) in [
            (true, due, None, "published", vec![]),
            (
                true,
                early,
                another_ring,
                "published",
                vec!["HOSTED_MCP_CHECKSUM_KEYS: key 2026-03-01 was stored at 2026-03-01T01:00:00Z"],
            ),
            (
                true,
                due,
                Some(ASSERTION_KEYS),
                "old",
                vec!["HOSTED_MCP_ASSERTION_KEYS: the deployed worker does not publish"],
            ),
            (
                true,
                due,
                Some(ASSERTION_KEYS),
                "another key of the name",
                vec!["HOSTED_MCP_ASSERTION_KEYS: the deployed worker does not publish"],
            ),
            (
                true,
                due,
                Some(ASSERTION_KEYS),
                "unreachable",
                vec!["HOSTED_MCP_ASSERTION_KEYS: the published key set could not be read: timeout"],
            ),
            (true, due, another_ring, "unreachable", vec![]),
            (false, due, another_ring, "published", vec!["HOSTED_MCP_CHECKSUM_KEYS: key 2026-03-01 is not stored"]),
        ] {
            let (secrets, good) = prepare(is_stored);
            let published = match set {
                "published" => Ok(good),
                "old" => Ok(serde_json::json!({"keys": [good["keys"][0]]})),
                "another key of the name" => Ok(prepare(true).1),
                _ => Err("timeout".to_owned()),
            };
            let found = problems(&secrets, ring, time(now), &published);
            assert_eq!(found.len(), expected.len(), "{found:?}");
            for (found, expected) in found.iter().zip(expected) {
                assert!(found.starts_with(expected), "{found} / {expected}");
            }
        }
    }

    #[test]
    fn every_ring_is_checked_unless_one_is_chosen() {
        let (secrets, good) = prepare(false);
        assert_eq!(problems(&secrets, None, time("2026-03-09T00:00:00Z"), &Ok(good)).len(), super::super::RINGS.len());
    }
}
