//! Events of a story, kept apart from the database so that its rules can be held against them.

use crate::connection::RequestKind;
use crate::engine::Reply;
use std::collections::{BTreeMap, BTreeSet};

/// The text of a token or code.
pub type Secret = String;

/// The tokens that an answer gave.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pair {
    pub access: Secret,
    pub refresh: Secret,
}

impl Pair {
    /// The tokens in a reply, if it has some.
    pub fn parse(reply: &Reply) -> Option<Self> {
        let body = reply.json();
        let text = |name: &str| body[name].as_str().map(str::to_owned);
        Some(Self { access: text("access_token")?, refresh: text("refresh_token")? }).filter(|_| reply.status == 200)
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
            RequestKind::Refresh(token) if self.is_superseded(token) => {
                self.broken.insert(Broken::ReuseWasAnswered);
            }
            RequestKind::Redeem if std::mem::replace(&mut self.is_code_redeemed, true) => {
                self.broken.insert(Broken::CodeGaveTokensTwice);
            }
            _ => {}
        }
    }

    /// True if the answer to this token's first use is known to have arrived.
    pub fn is_superseded(&self, token: &str) -> bool {
        self.successors.get(token).is_some_and(|successor| self.used.contains(successor))
    }
}
