//! Events of a story, kept apart from the database so that its rules can be held against them.

use crate::engine::Reply;
use crate::interned::Interner;
use crate::requests::RequestKind;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A token or code, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Secret(u32);

static SECRETS: Interner<String> = Interner::new();

impl Secret {
    pub fn new(text: &str) -> Self {
        Self(SECRETS.number(text.to_owned()))
    }

    pub const fn number(self) -> u32 {
        self.0
    }

    pub fn text(self) -> Arc<String> {
        SECRETS.value(self.0)
    }

    /// The hash under which the database has it.
    pub fn hash(self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(&*self.text()))
    }
}

/// The tokens that an answer gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pair {
    pub access: Secret,
    pub refresh: Secret,
    /// The number of the request that got them.
    pub number: u8,
}

impl Pair {
    /// The tokens in a reply, if it has some.
    pub fn parse(reply: &Reply, number: u8) -> Option<Self> {
        let body = reply.json();
        let secret = |name: &str| body[name].as_str().map(Secret::new);
        let pair = Self { access: secret("access_token")?, refresh: secret("refresh_token")?, number };
        Some(pair).filter(|_| reply.status == 200)
    }
}

/// A property that a story broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Broken {
    /// Tokens were issued for a token whose answer had been used.
    ReuseWasAnswered,
    /// A token whose answer had been used was refused, and its grant lives.
    ReuseKeptTheGrant,
    /// A call succeeded that was sent after a revocation was confirmed, or tokens were stored after it.
    WorkedAfterRevocation,
    /// A code gave tokens twice.
    CodeGaveTokensTwice,
    /// A code was used again long after its redemption, and its grant lives.
    ReplayKeptTheGrant,
    /// Two refresh tokens of a live grant could be rotated.
    TwoTokensLived,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Observations {
    /// The successor that a refresh token was answered with.
    pub successors: BTreeMap<Secret, Secret>,
    /// Refresh tokens of which the connector recorded that they, or an access token that came with them, were used.
    pub used: BTreeSet<Secret>,
    /// True once the answer to a revocation has left.
    pub is_revocation_confirmed: bool,
    /// True once somebody has sent a revocation or a code, or a thief has sent anything.
    pub is_disturbed: bool,
    /// True once the code has given tokens.
    pub is_code_redeemed: bool,
    /// When the code first gave tokens, by its answer.
    pub redeemed_at: Option<i64>,
    pub broken: BTreeSet<Broken>,
}

impl Observations {
    /// Holds tokens that a request has just stored against the properties.
    pub fn note_stored_tokens(&mut self, kind: &RequestKind) {
        if self.is_revocation_confirmed {
            self.broken.insert(Broken::WorkedAfterRevocation);
        }
        match kind {
            RequestKind::Refresh(token) if self.is_superseded(*token) => {
                self.broken.insert(Broken::ReuseWasAnswered);
            }
            RequestKind::Redeem if std::mem::replace(&mut self.is_code_redeemed, true) => {
                self.broken.insert(Broken::CodeGaveTokensTwice);
            }
            _ => {}
        }
    }

    /// True if the answer to this token's first use is known to have arrived.
    pub fn is_superseded(&self, token: Secret) -> bool {
        self.successors.get(&token).is_some_and(|successor| self.used.contains(successor))
    }

    /// Forgets the tokens that nobody can present or get any more: all but these and their successors.
    pub fn keep(&mut self, roots: &BTreeSet<Secret>) {
        let mut kept = roots.clone();
        let mut next: Vec<Secret> = roots.iter().copied().collect();
        while let Some(token) = next.pop() {
            next.extend(self.successors.get(&token).copied().filter(|successor| kept.insert(*successor)));
        }
        self.successors.retain(|token, _| kept.contains(token));
        self.used.retain(|token| kept.contains(token));
    }
}
