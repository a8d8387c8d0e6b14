//! The secrets of one environment and their rotation, as values: what a ring was, what it becomes.
//!
//! A key lives in four steps, each deployed before the next, so that no server ever meets a signature whose key it lacks:
//! *prepared* it stands behind the leading key and is recognized everywhere; *promoted* it leads and signs; *superseded* it
//! is still recognized; *retired* it is gone. Every step counts from the moment when its predecessor was stored on Cloudflare.

pub mod promotion;

use anyhow::{Context, Result, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use statibeat_mcp::keyring::KeyRing;
use std::collections::BTreeMap;

/// A ring's variable, and the days for which something signed with a superseded key may still come back.
pub const RINGS: [(&str, i64); 4] = [
    // Refresh tokens live 30 days, and can be repeated until then.
    ("HOSTED_MCP_CHECKSUM_KEYS", 31),
    ("HOSTED_MCP_ROTATION_KEYS", 31),
    // A registered client may stay away for a year.
    ("HOSTED_MCP_CLIENT_KEYS", 366),
    // An assertion lives a minute; StatiBeat may keep our published keys for a while.
    ("HOSTED_MCP_ASSERTION_KEYS", 2),
];

/// The secret of the health route, which is no ring.
pub const HEALTH_TOKEN: &str = "HOSTED_MCP_HEALTH_TOKEN";

/// All secrets of an environment.
#[derive(Serialize, Deserialize)]
pub struct Secrets {
    /// Key rings by the variable that holds them.
    pub rings: BTreeMap<String, Vec<Key>>,
    /// Bearer token of the readiness route.
    pub health_token: String,
    /// Steps that were taken although a check refused them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub forced: Vec<ForcedStep>,
}

/// A refused step that the operator insisted on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForcedStep {
    pub forced_at: Timestamp,
    pub reason: String,
    /// The refusals of the checks, as they were printed.
    pub problems: Vec<String>,
}

/// One key; the first of a ring leads.
#[derive(Clone, Serialize, Deserialize)]
pub struct Key {
    kid: String,
    secret: String,
    state: State,
    /// When it was first stored on Cloudflare in this state; `None`: not yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stored_at: Option<Timestamp>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Prepared,
    Leading,
    Superseded,
}

impl Secrets {
    pub fn new(today: Date) -> Self {
        let rings = RINGS.map(|(name, _)| (name.to_owned(), vec![Key::new(today.to_string(), State::Leading)]));
        Self { rings: rings.into(), health_token: random(), forced: Vec::new() }
    }

    /// As the worker takes them: name and value.
    pub fn values(&self) -> BTreeMap<&str, String> {
        let written = |keys: &[Key]| keys.iter().map(|key| format!("{}:{}", key.kid, key.secret)).collect::<Vec<_>>();
        let rings = self.rings.iter().map(|(name, keys)| (name.as_str(), written(keys).join(" ")));
        rings.chain([(HEALTH_TOKEN, self.health_token.clone())]).collect()
    }

    /// A file that somebody edited may hold anything: the worker's own rules judge it.
    pub fn check(&self) -> Result<()> {
        for (name, value) in self.values().into_iter().filter(|(name, _)| *name != HEALTH_TOKEN) {
            KeyRing::parse(&value, "any").map_err(|error| anyhow::anyhow!("{name} {error}"))?;
        }
        Ok(())
    }

    /// Notes that Cloudflare has every key now.
    pub fn mark_stored(&mut self, now: Timestamp) {
        for key in self.rings.values_mut().flatten() {
            key.stored_at.get_or_insert(now);
        }
    }

    /// Changes the chosen rings, or says why one of them cannot be. `now` is in UTC.
    pub fn rotate(&mut self, step: Step, ring: Option<&str>, now: Timestamp) -> Result<()> {
        if (ring, step) == (Some(HEALTH_TOKEN), Step::Replace) {
            self.health_token = random();
            return Ok(());
        }
        if let Some(ring) = ring {
            ensure!(
                self.rings.contains_key(ring),
                "{ring} is no key ring; there are {}",
                RINGS.map(|(name, _)| name).join(", ")
            );
        }
        // Nothing changes unless every chosen ring can.
        let mut rings = self.rings.clone();
        for (name, keys) in rings.iter_mut().filter(|(name, _)| ring.is_none_or(|ring| ring == name.as_str())) {
            let kept = RINGS.iter().find(|(known, _)| known == name).map_or(366, |(_, days)| *days);
            *keys = step.apply(std::mem::take(keys), kept, now).with_context(|| name.clone())?;
        }
        self.rings = rings;
        Ok(())
    }
}

/// One step of a rotation.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Step {
    /// Add a key that is recognized and does not sign yet.
    Prepare,
    /// Let the prepared key sign.
    Promote,
    /// Drop superseded keys that nothing can come back with any more.
    Retire,
    /// Drop every key for a new one, because a key has leaked. What they signed ends.
    Replace,
}

impl Step {
    fn apply(self, mut keys: Vec<Key>, kept_days: i64, now: Timestamp) -> Result<Vec<Key>> {
        let today = utc_day(now);
        let prepared = keys.iter().position(|key| key.state == State::Prepared);
        match (self, prepared) {
            (Step::Prepare, Some(at)) => bail!("key {} is prepared already: promote it", keys[at].kid),
            (Step::Prepare, None) => keys.insert(keys.len().min(1), Key::new(free_kid(&keys, today), State::Prepared)),
            (Step::Promote, None) => bail!("no key is prepared: prepare one first, and deploy it"),
            (Step::Promote, Some(at)) => promote(&mut keys, at),
            (Step::Retire, _) => keys.retain(|key| !key.is_past(kept_days, now)),
            (Step::Replace, _) => keys = vec![Key::new(free_kid(&keys, today), State::Leading)],
        }
        Ok(keys)
    }
}

fn promote(keys: &mut Vec<Key>, at: usize) {
    for key in keys.iter_mut().filter(|key| key.state == State::Leading) {
        (key.state, key.stored_at) = (State::Superseded, None);
    }
    let mut key = keys.remove(at);
    (key.state, key.stored_at) = (State::Leading, None);
    keys.insert(0, key);
}

impl Key {
    fn new(kid: String, state: State) -> Self {
        Self { kid, secret: random(), state, stored_at: None }
    }

    /// A key whose successor was never stored still signs on Cloudflare.
    fn is_past(&self, kept_days: i64, now: Timestamp) -> bool {
        let kept = SignedDuration::from_hours(24 * kept_days);
        self.state == State::Superseded && self.stored_at.is_some_and(|stored| now.duration_since(stored) > kept)
    }
}

pub fn utc_day(now: Timestamp) -> Date {
    now.to_zoned_datetime(jiff::tz::TimeZone::UTC).date()
}

/// The day, and a number when that is taken.
fn free_kid(keys: &[Key], today: Date) -> String {
    let is_free = |kid: &String| keys.iter().all(|key| key.kid != *kid);
    let numbered = (2..).map(|number| format!("{today}-{number}"));
    std::iter::once(today.to_string()).chain(numbered).find(is_free).unwrap_or_default()
}

/// A ring of one random key, where the real one is out of reach.
pub fn stand_in() -> String {
    format!("stand-in:{}", random())
}

/// 32 random bytes, as the worker's key rings write them.
pub fn random() -> String {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).expect("the system has random numbers");
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn midnight(year: i16, month: i8, day: i8) -> Timestamp {
        date(year, month, day).to_zoned_datetime(jiff::tz::TimeZone::UTC).expect("a time").timestamp()
    }

    /// Takes a step, and stores it on the same day.
    fn rotate_and_store(secrets: &mut Secrets, step: Step, now: Timestamp) {
        secrets.rotate(step, None, now).expect("a step");
        secrets.mark_stored(now);
    }

    const TAGS: &str = "HOSTED_MCP_CHECKSUM_KEYS";

    fn kids(secrets: &Secrets) -> Vec<&str> {
        secrets.rings[TAGS].iter().map(|key| key.kid.as_str()).collect()
    }

    #[test]
    fn new_secrets_are_what_the_worker_asks_for() {
        let secrets = Secrets::new(date(2026, 11, 25));
        secrets.check().expect("good rings");
        let asked: Vec<&str> =
            statibeat_mcp::config::VARIABLES.iter().filter(|known| known.is_secret).map(|known| known.name).collect();
        let mut made: Vec<&str> = secrets.values().into_keys().collect();
        made.sort_by_key(|name| asked.iter().position(|known| known == name));
        assert_eq!(made, asked);
        let all: std::collections::BTreeSet<String> = secrets.values().into_values().collect();
        assert_eq!(all.len(), asked.len(), "every secret is its own");
    }

    #[test]
    fn a_key_is_recognized_before_it_signs_and_after_it_has() {
        let mut secrets = Secrets::new(date(2026, 1, 1));
        rotate_and_store(&mut secrets, Step::Prepare, midnight(2026, 3, 1));
        assert_eq!(kids(&secrets), ["2026-01-01", "2026-03-01"], "the old one signs");
        rotate_and_store(&mut secrets, Step::Promote, midnight(2026, 3, 2));
        assert_eq!(kids(&secrets), ["2026-03-01", "2026-01-01"], "the new one signs");
        rotate_and_store(&mut secrets, Step::Retire, midnight(2026, 4, 2));
        assert_eq!(kids(&secrets), ["2026-03-01", "2026-01-01"], "31 days are not over");
        rotate_and_store(&mut secrets, Step::Retire, midnight(2026, 4, 3));
        assert_eq!(kids(&secrets), ["2026-03-01"]);
        secrets.check().expect("good rings");
    }

    #[test]
    fn superseded_key_is_kept_until_its_successor_was_stored_long_enough() {
        let mut secrets = Secrets::new(date(2026, 1, 1));
        rotate_and_store(&mut secrets, Step::Prepare, midnight(2026, 3, 1));
        secrets.rotate(Step::Promote, None, midnight(2026, 3, 2)).expect("a step");
        secrets.rotate(Step::Retire, None, midnight(2027, 6, 1)).expect("a step");
        assert_eq!(kids(&secrets), ["2026-03-01", "2026-01-01"], "Cloudflare signs with the old key still");
        secrets.mark_stored(midnight(2027, 6, 1));
        secrets.rotate(Step::Retire, None, midnight(2027, 6, 20)).expect("a step");
        assert_eq!(kids(&secrets).len(), 2, "31 days count from the day it was stored");
        secrets.rotate(Step::Retire, None, midnight(2027, 7, 3)).expect("a step");
        assert_eq!(kids(&secrets), ["2026-03-01"]);
    }

    #[test]
    fn steps_out_of_order_are_refused() {
        let (today, mut secrets) = (midnight(2026, 1, 1), Secrets::new(date(2026, 1, 1)));
        let error = secrets.rotate(Step::Promote, Some(TAGS), today).expect_err("nothing prepared");
        assert!(format!("{error:#}").contains("prepare one first"), "{error:#}");
        secrets.rotate(Step::Prepare, Some(TAGS), today).expect("a step");
        assert_eq!(kids(&secrets), ["2026-01-01", "2026-01-01-2"], "two keys of one day have two names");
        let error = secrets.rotate(Step::Prepare, Some(TAGS), today).expect_err("prepared already");
        assert!(format!("{error:#}").contains("promote it"), "{error:#}");
        assert!(secrets.rotate(Step::Retire, Some("HOSTED_MCP_HEALTH_TOKEN"), today).is_err());
    }

    #[test]
    fn only_the_chosen_ring_changes() {
        let mut secrets = Secrets::new(date(2026, 1, 1));
        let before = secrets.values().into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Vec<_>>();
        secrets.rotate(Step::Replace, Some(TAGS), midnight(2026, 1, 2)).expect("a step");
        let after = secrets.values();
        let changed: Vec<&String> =
            before.iter().filter(|(name, value)| after[name.as_str()] != *value).map(|(name, _)| name).collect();
        assert_eq!(changed, [TAGS]);
        assert_eq!(kids(&secrets), ["2026-01-02"]);
        let token = secrets.health_token.clone();
        secrets.rotate(Step::Replace, Some(HEALTH_TOKEN), midnight(2026, 1, 2)).expect("a step");
        assert_ne!(secrets.health_token, token);
    }
}
