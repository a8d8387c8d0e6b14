//! The secrets of one environment and their rotation, as values: what a ring was, what it becomes.
//!
//! A key lives in four steps, each deployed before the next, so that no server ever meets a signature whose key it lacks:
//! *prepared* it stands behind the leading key and is recognized everywhere; *promoted* it leads and signs; *superseded* it
//! is still recognized; *retired* it is gone.

use anyhow::{Context, Result, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::ToSpan;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use statibeat_mcp::keyring::KeyRing;
use std::collections::BTreeMap;

/// A ring's variable, and the days for which something signed with a superseded key may still come back.
pub const RINGS: [(&str, i64); 4] = [
    // Refresh tokens live 30 days.
    ("HOSTED_MCP_CHECKSUM_KEYS", 31),
    // A repeated refresh comes within minutes.
    ("HOSTED_MCP_ROTATION_KEYS", 2),
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
}

/// One key; the first of a ring leads.
#[derive(Clone, Serialize, Deserialize)]
pub struct Key {
    kid: String,
    secret: String,
    state: State,
    /// When it came to be superseded.
    #[serde(skip_serializing_if = "Option::is_none")]
    superseded_on: Option<Date>,
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
        Self { rings: rings.into(), health_token: random() }
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

    /// Changes the chosen rings, or says why one of them cannot be.
    pub fn rotate(&mut self, step: Step, ring: Option<&str>, today: Date) -> Result<()> {
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
            *keys = step.apply(std::mem::take(keys), kept, today).with_context(|| name.clone())?;
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
    fn apply(self, mut keys: Vec<Key>, kept_days: i64, today: Date) -> Result<Vec<Key>> {
        let prepared = keys.iter().position(|key| key.state == State::Prepared);
        match (self, prepared) {
            (Step::Prepare, Some(at)) => bail!("key {} is prepared already: promote it", keys[at].kid),
            (Step::Prepare, None) => keys.insert(keys.len().min(1), Key::new(free_kid(&keys, today), State::Prepared)),
            (Step::Promote, None) => bail!("no key is prepared: prepare one first, and deploy it"),
            (Step::Promote, Some(at)) => promote(&mut keys, at, today),
            (Step::Retire, _) => keys.retain(|key| !key.is_past(kept_days, today)),
            (Step::Replace, _) => keys = vec![Key::new(free_kid(&keys, today), State::Leading)],
        }
        Ok(keys)
    }
}

fn promote(keys: &mut Vec<Key>, at: usize, today: Date) {
    for key in keys.iter_mut().filter(|key| key.state == State::Leading) {
        (key.state, key.superseded_on) = (State::Superseded, Some(today));
    }
    let mut key = keys.remove(at);
    key.state = State::Leading;
    keys.insert(0, key);
}

impl Key {
    fn new(kid: String, state: State) -> Self {
        Self { kid, secret: random(), state, superseded_on: None }
    }

    fn is_past(&self, kept_days: i64, today: Date) -> bool {
        let until = self.superseded_on.and_then(|day| day.checked_add(kept_days.days()).ok());
        self.state == State::Superseded && until.is_some_and(|until| until < today)
    }
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
        secrets.rotate(Step::Prepare, None, date(2026, 3, 1)).expect("a step");
        assert_eq!(kids(&secrets), ["2026-01-01", "2026-03-01"], "the old one signs");
        secrets.rotate(Step::Promote, None, date(2026, 3, 2)).expect("a step");
        assert_eq!(kids(&secrets), ["2026-03-01", "2026-01-01"], "the new one signs");
        secrets.rotate(Step::Retire, None, date(2026, 4, 2)).expect("a step");
        assert_eq!(kids(&secrets), ["2026-03-01", "2026-01-01"], "31 days are not over");
        secrets.rotate(Step::Retire, None, date(2026, 4, 3)).expect("a step");
        assert_eq!(kids(&secrets), ["2026-03-01"]);
        secrets.check().expect("good rings");
    }

    #[test]
    fn steps_out_of_order_are_refused() {
        let (today, mut secrets) = (date(2026, 1, 1), Secrets::new(date(2026, 1, 1)));
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
        secrets.rotate(Step::Replace, Some(TAGS), date(2026, 1, 2)).expect("a step");
        let after = secrets.values();
        let changed: Vec<&String> =
            before.iter().filter(|(name, value)| after[name.as_str()] != *value).map(|(name, _)| name).collect();
        assert_eq!(changed, [TAGS]);
        assert_eq!(kids(&secrets), ["2026-01-02"]);
        let token = secrets.health_token.clone();
        secrets.rotate(Step::Replace, Some(HEALTH_TOKEN), date(2026, 1, 2)).expect("a step");
        assert_ne!(secrets.health_token, token);
    }
}
