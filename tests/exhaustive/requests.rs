//! The requests that a client and a thief send, and the replies on their way.

use crate::connection::{APP, Action, State};
use crate::engine::{History, Sent, SentRequest};
use crate::observations::{Pair, Secret};
use crate::support::flow::{CALLBACK, CLIENT, VERIFIER};
use std::collections::BTreeSet;

/// The number of a request that stores none of the random values that it draws.
const STORES_NOTHING_RANDOM: u8 = u8::MAX;

/// A request that has no reply yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Running {
    pub sender: usize,
    pub kind: RequestKind,
    pub history: History,
    /// True once a fault has hit it.
    pub is_hit: bool,
    /// True if it presents a refresh token whose answer was known to have been used when it was sent.
    pub is_reuse: bool,
    /// True if it was sent after a revocation was confirmed.
    pub is_after_revocation: bool,
    pub number: u8,
    pub sent: Sent,
}

impl Running {
    /// True if the two differ at most in the random values that they are going to draw: their order makes no difference.
    pub fn is_like(&self, other: &Self) -> bool {
        Self { number: other.number, sent: other.sent, ..*self } == *other
    }
}

/// The duty of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RequestKind {
    Redeem,
    Refresh(Secret),
    /// A call with the access token of a pair.
    Ping(Pair),
    Revoke(Secret),
}

/// Tokens on their way to who asked for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TokenReply {
    pub sender: usize,
    /// The refresh token that they were given for, or none for a code.
    pub answered: Option<Secret>,
    pub pair: Pair,
}

impl State {
    /// The request that an action sends, if its sender can send it.
    pub fn request(&self, action: &Action) -> Option<(RequestKind, SentRequest)> {
        let form = |path: &'static str, number: u8, fields: &[(&str, &str)]| {
            let all = [("client_id", CLIENT)].into_iter().chain(fields.iter().copied());
            let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(all).finish();
            SentRequest { path, bearer: None, body, number, sent_at: self.now }
        };
        let token = "/mcp/oauth/token";
        Some(match action {
            Action::Redeem(sender) => {
                let code = self.codes[*sender]?.text();
                let proof = [("code", code.as_str()), ("redirect_uri", CALLBACK)];
                let grant_type = [("grant_type", "authorization_code"), ("code_verifier", VERIFIER)];
                (RequestKind::Redeem, form(token, self.free_number(*sender), &[proof, grant_type].concat()))
            }
            Action::Refresh(sender) => {
                let Pair { refresh, .. } = self.held[*sender]?;
                let fields = [("grant_type", "refresh_token"), ("refresh_token", &refresh.text())];
                (RequestKind::Refresh(refresh), form(token, self.free_number(*sender), &fields))
            }
            Action::Ping(sender) => {
                let pair = self.held[*sender]?;
                let body = r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{}}"#.to_owned();
                let bearer = Some(pair.access.text().to_string());
                let (number, sent_at) = (STORES_NOTHING_RANDOM, self.now);
                (RequestKind::Ping(pair), SentRequest { path: "/mcp", bearer, body, number, sent_at })
            }
            Action::Revoke => {
                let Pair { refresh, .. } = self.held[APP]?;
                let form = form("/mcp/oauth/revoke", STORES_NOTHING_RANDOM, &[("token", &refresh.text())]);
                (RequestKind::Revoke(refresh), form)
            }
            Action::Step(..) | Action::Deliver(_) | Action::Lose(_) | Action::Steal | Action::Wait => return None,
        })
    }

    /// A number whose random values no tokens have that anybody holds or may get.
    fn free_number(&self, sender: usize) -> u8 {
        let running = self.running.iter().map(|running| running.number);
        let pairs = self.held.iter().flatten().chain(self.replies.iter().map(|reply| &reply.pair));
        let taken: BTreeSet<u8> = running.chain(pairs.map(|pair| pair.number)).collect();
        let numbers = if sender == APP { 0..32 } else { 32..64 };
        numbers.into_iter().find(|number| !taken.contains(number)).expect("few requests")
    }
}
