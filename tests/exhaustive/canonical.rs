//! One state for all that differ only in what nobody can read or present any more.

use crate::connection::{APP, Bounds, State, THIEF};
use crate::database::{Column, Content, ModelDatabase};
use crate::engine::Engine;
use crate::observations::{Observations, Secret};
use crate::requests::RequestKind;
use std::collections::BTreeSet;

impl State {
    /// The state without what makes no difference to any later request, in a fixed order.
    pub fn canonical(mut self, engine: &Engine) -> Self {
        self.drop_what_is_idle();
        self.drop_late_replies();
        let roots = self.presentable();
        self.observed.keep(&roots);
        self.running.sort_unstable();
        self.replies.sort_unstable();
        if self.is_over() {
            self.taken = None;
            self.shared.content = ModelDatabase::empty();
            self.observed =
                Observations { broken: self.observed.broken, is_disturbed: true, ..Observations::default() };
            self.left = Bounds { requests: [0, 0], lost: 0, outages: 0, delays: 0, ..self.left };
        } else {
            self.shared.content = self.canonical_content(engine, &roots);
        }
        self
    }

    /// Takes from a sender that sends nothing more what it holds, and who can't steal any more the chance.
    fn drop_what_is_idle(&mut self) {
        let left = &mut self.left;
        if left.requests[THIEF] == 0 {
            left.thefts = 0;
        }
        if left.thefts == 0 && self.held[THIEF].is_none() && self.codes[THIEF].is_none() {
            left.requests[THIEF] = 0;
        }
        if left.requests[APP] == 0 {
            left.revocations = 0;
        }
        // Of a client that nobody has disturbed, a property wants to know whether it could go on.
        let app_is_idle = left.requests[APP] == 0 && left.thefts == 0 && self.observed.is_disturbed;
        for (sender, is_idle) in [(APP, app_is_idle), (THIEF, left.requests[THIEF] == 0 && left.thefts == 0)] {
            if is_idle {
                (self.held[sender], self.codes[sender]) = (None, None);
                self.replies.retain(|reply| reply.sender != sender);
            }
        }
        if self.codes == [None, None] && !self.running.iter().any(|running| running.kind == RequestKind::Redeem) {
            (self.observed.redeemed_at, self.observed.is_code_redeemed) = (None, false);
        }
    }

    /// Drops replies that bring nothing new. A thief who steals once more can get back to an old token.
    fn drop_late_replies(&mut self) {
        let replies = std::mem::take(&mut self.replies);
        let is_kept = |reply: &_| self.is_wanted(reply);
        self.replies = replies
            .into_iter()
            .filter(|reply| (reply.sender == THIEF && self.left.thefts > 0) || is_kept(reply))
            .collect();
    }

    /// Refresh tokens that a sender or a request has or may get.
    fn presentable(&self) -> BTreeSet<Secret> {
        let running = self.running.iter().filter_map(|running| match running.kind {
            RequestKind::Refresh(token) | RequestKind::Revoke(token) => Some(token),
            RequestKind::Ping(pair) => Some(pair.refresh),
            RequestKind::Redeem => None,
        });
        let held = self.held.iter().flatten().map(|pair| pair.refresh);
        let replies = self.replies.iter().flat_map(|reply| [Some(reply.pair.refresh), reply.answered]).flatten();
        running.chain(held).chain(replies).collect()
    }

    /// True if nothing more can happen.
    fn is_over(&self) -> bool {
        let nobody_sends = self.left.requests == [0, 0];
        nobody_sends && self.observed.is_disturbed && self.running.is_empty() && self.replies.is_empty()
    }

    /// The content without access tokens that nobody has, and without the names of refresh tokens that nobody has any more.
    fn canonical_content(&self, engine: &Engine, roots: &BTreeSet<Secret>) -> Content {
        let held = self.held.iter().flatten().chain(self.replies.iter().map(|reply| &reply.pair));
        let called = self.running.iter().filter_map(|running| match &running.kind {
            RequestKind::Ping(pair) => Some(pair),
            _ => None,
        });
        let usable: BTreeSet<Secret> = held.chain(called).map(|pair| pair.access).collect();
        let kept = usable.iter().chain(roots).map(|token| token.number()).collect();
        let content = self.shared.content;
        engine.reduce(content, kept, || reduce_tokens(content, &usable, roots))
    }
}

fn reduce_tokens(content: Content, usable: &BTreeSet<Secret>, roots: &BTreeSet<Secret>) -> Content {
    let hashes = |tokens: &BTreeSet<Secret>| tokens.iter().map(|token| Column::Text(token.hash())).collect::<Vec<_>>();
    let (usable, roots) = (hashes(usable), hashes(roots));
    let content = content.change("access_tokens", |rows| rows.retain(|row| usable.contains(&row[HASH])));
    content.change("refresh_tokens", |rows| {
        // A token that somebody has leads to the ones after it.
        for (place, row) in rows.iter_mut().enumerate().take_while(|(_, row)| !roots.contains(&row[HASH])) {
            row[HASH] = Column::Text(format!("row {place}"));
            if row[SALT] != Column::Null {
                row[SALT] = Column::Text("salt".to_owned());
            }
        }
        for row in rows {
            (row[REUSE_COUNT], row[REUSED_AT]) = (Column::Number(0), Column::Null);
        }
    })
}

/// Columns of `refresh_tokens`, of which the first is also that of `access_tokens`.
const HASH: usize = 0;
const SALT: usize = 7;
const REUSE_COUNT: usize = 9;
const REUSED_AT: usize = 10;
