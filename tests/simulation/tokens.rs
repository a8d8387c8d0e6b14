//! Facts about codes and tokens, and the promises about them.

use crate::base::BaseConnection;
use crate::observations::{Observations, Reply, RequestFacts, RequestKind};

const CODE_LIFE: i64 = 600;
/// Time for which a redeemed code is kept after its end, for a late replay.
const CODE_KEPT: i64 = 86_400;
pub const ACCESS_LIFE: i64 = 3_600;
const REFRESH_LIFE: i64 = 30 * 86_400;
const REPEAT_GRACE: i64 = 10;
const MOST_MISSES: u32 = 5;

pub struct RefreshFacts {
    /// The earliest and the latest time at which it may have been stored.
    pub issued: (i64, i64),
    /// The connection that a refresh issued it for; none if it came with a code.
    pub rotated_for: Option<usize>,
    /// When it was presented first.
    first_presented: Option<i64>,
    successor: Option<String>,
    /// The access token that was issued with it last.
    access: Option<String>,
    /// True once a request has presented it, or an access token that came with it.
    use_began: bool,
    /// True once the connector has answered such a request.
    is_use_recorded: bool,
}

pub struct AccessFacts {
    /// The refresh token that it came with.
    pub refresh: String,
    pub issued_at: i64,
    /// True if it is for reads of pages alone.
    pub is_for_pages: bool,
    pub revocation_began: bool,
    revoked: Option<u32>,
}

#[derive(Default)]
pub struct CodeFacts {
    /// The earliest and the latest time at which it may have been stored.
    issued: (i64, i64),
    /// Times of the requests that presented it rightly.
    presented: Vec<i64>,
    redeemed_at: Option<i64>,
    misses_began: u32,
    misses: u32,
}

const KEEPS: &str = "a fault alone ends no connection";
const NOTHING_AFTER_END: &str = "nothing works after the end of a connection is confirmed";
const EXPIRES: &str = "nothing works after its time";
const ONE_SUCCESSOR: &str = "a refresh token has one successor";
const REUSE_GETS_NOTHING: &str = "a token whose answer was used gets no tokens";
const REUSE_ENDS: &str = "a token whose answer was used ends the grant";
const CODE_ONCE: &str = "a code gives tokens at most once, and only to who can prove it";
const SHUT_OUT: &str = "whoever StatiBeat does not know any more gets no tokens";
pub const SCOPES: &str = "the tokens of a refresh for some scopes have those alone";
pub const MISUSE: &str = "whoever is not the client gets nothing";
const ANSWERED: &str = "a request without a fault is answered";

impl Observations {
    pub fn know_first_credentials(&mut self, connection_index: &BaseConnection) {
        let at = connection_index.issued_at;
        if let Some(pair) = &connection_index.pair {
            let facts = RefreshFacts {
                issued: at,
                rotated_for: None,
                first_presented: None,
                successor: None,
                access: None,
                use_began: false,
                is_use_recorded: false,
            };
            self.refreshes.insert(pair.refresh.clone(), facts);
            self.know_access(&pair.access, &pair.refresh, at.0);
        }
        if let Some(code) = &connection_index.code {
            self.codes.insert(code.clone(), CodeFacts { issued: at, ..CodeFacts::default() });
        }
    }

    fn know_access(&mut self, access: &str, refresh: &str, issued_at: i64) -> bool {
        if let Some(token) = self.refreshes.get_mut(refresh) {
            token.access = Some(access.to_owned());
        }
        let refresh = refresh.to_owned();
        let facts = AccessFacts { refresh, issued_at, is_for_pages: false, revocation_began: false, revoked: None };
        self.accesses.insert(access.to_owned(), facts).is_none()
    }

    /// Notes what the arrival of a request begins.
    pub fn note_presented(&mut self, number: usize) {
        let RequestFacts { sent, began, .. } = &self.requests[number];
        let (kind, connection_index, began, secret) = (sent.kind, sent.connection_index, *began, sent.secret.clone());
        match kind {
            RequestKind::Redeem { has_verifier } => {
                let code = self.codes.get_mut(&secret).expect("a code of ours");
                if has_verifier { code.presented.push(began.now) } else { code.misses_began += 1 }
            }
            RequestKind::Refresh | RequestKind::RefreshForPages => {
                let token = self.refreshes.get_mut(&secret).expect("a token of ours");
                token.first_presented.get_or_insert(began.now);
                token.use_began = true;
            }
            RequestKind::Revoke => drop(self.connections[connection_index].end_began.get_or_insert(began.step)),
            RequestKind::RevokeAccess => {
                self.accesses.get_mut(&secret).expect("a token of ours").revocation_began = true;
            }
            RequestKind::Browse | RequestKind::Misuse(_) => {}
            RequestKind::Ping | RequestKind::Read { .. } | RequestKind::ListPages | RequestKind::CallTool { .. } => {
                let refresh = &self.accesses[&secret].refresh;
                if let Some(token) = self.refreshes.get_mut(refresh) {
                    token.use_began = true;
                }
            }
        }
    }

    /// A request reads the state of what it presents: this may, or must, end its grant.
    pub fn judge_presented(&mut self, number: usize, step: u32) {
        let RequestFacts { sent, began, .. } = &self.requests[number];
        let (may_end, must_end) = match sent.kind {
            RequestKind::Refresh | RequestKind::RefreshForPages => {
                let token = &self.refreshes[&sent.secret];
                let successor = token.successor.as_ref().map(|successor| &self.refreshes[successor]);
                let is_alive = began.now < token.issued.0 + REFRESH_LIFE;
                let is_reused = successor.is_some_and(|successor| successor.is_use_recorded);
                (successor.is_some_and(|successor| successor.use_began), is_reused && is_alive)
            }
            RequestKind::Redeem { has_verifier: true } => {
                let code = &self.codes[&sent.secret];
                let is_late = |at: i64| began.now >= at + REPEAT_GRACE;
                let is_kept = began.now < code.issued.0 + CODE_LIFE + CODE_KEPT;
                (code.presented.iter().any(|at| is_late(*at)), is_kept && code.redeemed_at.is_some_and(is_late))
            }
            _ => (false, false),
        };
        let connection_index = sent.connection_index;
        self.requests[number].must_end = must_end;
        if may_end {
            self.connections[connection_index].end_began.get_or_insert(step);
        }
    }

    /// The promise that the request would break if what it stores now gave tokens.
    pub fn judge_decision(&self, number: usize) -> Option<&'static str> {
        let RequestFacts { sent, .. } = &self.requests[number];
        let gives_tokens = sent.kind.is_refresh() || matches!(sent.kind, RequestKind::Redeem { .. });
        let successor = self.refreshes.get(&sent.secret).and_then(|token| token.successor.as_ref());
        if gives_tokens && self.connections[sent.connection_index].ended.is_some() {
            Some(NOTHING_AFTER_END)
        } else if successor.is_some_and(|successor| self.refreshes[successor].is_use_recorded) {
            Some(REUSE_GETS_NOTHING)
        } else {
            None
        }
    }

    fn forbid_tokens(&mut self, number: usize) {
        if let Some(promise) = self.requests[number].forbids_tokens {
            self.forbid(true, promise, number);
        }
    }

    /// The newest access token that came with the successor of a refresh token.
    pub fn access_of_successor(&self, refresh: &str) -> Option<String> {
        let successor = self.refreshes.get(refresh)?.successor.as_ref()?;
        self.refreshes[successor].access.clone()
    }

    pub fn end_refresh(&mut self, number: usize, reply: &Reply, step: u32) {
        let RequestFacts { sent, began, is_hit, must_end, is_after_end, is_shut_out, .. } = &self.requests[number];
        let (connection_index, secret, now) = (sent.connection_index, sent.secret.clone(), began.now);
        let (is_hit, must_end, is_after_end) = (*is_hit, *must_end, *is_after_end);
        // From its beginning to its end.
        let is_shut_out = *is_shut_out && self.connections[connection_index].is_shut_out;
        let (issued, step_began) = (self.refreshes[&secret].issued, began.step);
        if let Some(pair) = reply.pair() {
            self.forbid_tokens(number);
            self.forbid(is_after_end, NOTHING_AFTER_END, number);
            self.forbid(must_end, REUSE_GETS_NOTHING, number);
            self.check_refresh_limits(number, &pair.refresh);
            let is_for_pages = self.requests[number].sent.kind == RequestKind::RefreshForPages;
            self.forbid(is_for_pages && !reply.is_for_pages(), SCOPES, number);
            let has_ended = self.connections[connection_index].narrowing.has_ended(step_began, now);
            self.forbid(has_ended || now >= issued.1 + REFRESH_LIFE, EXPIRES, number);
            self.forbid(is_shut_out, SHUT_OUT, number);
            let token = self.refreshes.get_mut(&secret).expect("a token of ours");
            token.is_use_recorded = true;
            let first = token.first_presented.unwrap_or(now);
            let known = token.successor.replace(pair.refresh.clone());
            self.forbid(known.is_some_and(|known| known != pair.refresh), ONE_SUCCESSOR, number);
            let facts = RefreshFacts {
                issued: (first, now),
                rotated_for: Some(connection_index),
                first_presented: None,
                successor: None,
                access: None,
                use_began: false,
                is_use_recorded: false,
            };
            self.refreshes.entry(pair.refresh.clone()).or_insert(facts);
            let is_new = self.know_access(&pair.access, &pair.refresh, now);
            self.forbid(!is_new, "no access token is issued twice", number);
            self.accesses.get_mut(&pair.access).expect("a token of ours").is_for_pages = is_for_pages;
        } else if reply.is_invalid_grant() {
            let connection = &self.connections[connection_index];
            let may_have_ended = connection.end_began.is_some() || connection.narrowing.may_have_ended(now);
            let is_explained = may_have_ended || now >= issued.0 + REFRESH_LIFE;
            // A grant that has come to its chosen end is refused, and not revoked as well.
            let is_revoked = must_end && !is_hit && !connection.narrowing.may_have_ended(now);
            self.forbid(!is_explained, KEEPS, number);
            if is_revoked {
                self.note_end(connection_index, step);
            }
        } else {
            self.forbid(must_end && !is_hit && reply.status == 503, REUSE_ENDS, number);
            self.forbid(![429, 503].contains(&reply.status), ANSWERED, number);
            let connection = &self.connections[connection_index];
            let may_have_ended = connection.end_began.is_some() || connection.narrowing.may_have_ended(now);
            if reply.status == 429 && !may_have_ended && now < issued.0 + REFRESH_LIFE {
                self.check_wait(number);
            }
        }
    }

    pub fn is_used(&self, refresh: &str) -> bool {
        self.refreshes[refresh].use_began
    }

    /// Returns whether a refresh token must still be answered.
    pub fn must_refresh(&self, connection_index: usize, refresh: &str, now: i64) -> bool {
        let token = &self.refreshes[refresh];
        let connection = &self.connections[connection_index];
        let may_have_ended = connection.end_began.is_some() || connection.narrowing.may_have_ended(now);
        !may_have_ended && now < token.issued.0 + REFRESH_LIFE
    }

    pub fn end_redemption(&mut self, number: usize, reply: &Reply, has_verifier: bool, step: u32) {
        let RequestFacts { sent, began, is_hit, must_end, is_after_end, is_shut_out, .. } = &self.requests[number];
        let (connection_index, secret, now) = (sent.connection_index, sent.secret.clone(), began.now);
        let (is_hit, must_end, is_after_end) = (*is_hit, *must_end, *is_after_end);
        // From its beginning to its end.
        let is_shut_out = *is_shut_out && self.connections[connection_index].is_shut_out;
        let code = self.codes.get_mut(&secret).expect("a code of ours");
        let is_over = now >= code.issued.1 + CODE_LIFE;
        let may_be_over = now >= code.issued.0 + CODE_LIFE;
        if let Some(pair) = reply.pair() {
            let is_second = code.redeemed_at.replace(now).is_some();
            let is_missed = code.misses >= MOST_MISSES;
            self.forbid_tokens(number);
            self.forbid(is_second || !has_verifier || is_missed || must_end, CODE_ONCE, number);
            self.forbid(is_after_end, NOTHING_AFTER_END, number);
            self.forbid(is_over, EXPIRES, number);
            self.forbid(is_shut_out, SHUT_OUT, number);
            let facts = RefreshFacts {
                issued: (now, now),
                rotated_for: None,
                first_presented: None,
                successor: None,
                access: None,
                use_began: false,
                is_use_recorded: false,
            };
            self.refreshes.insert(pair.refresh.clone(), facts);
            self.know_access(&pair.access, &pair.refresh, now);
        } else if reply.is_invalid_grant() {
            let is_only_one = code.presented.len() == 1 && code.misses_began < MOST_MISSES;
            code.misses += u32::from(!has_verifier && !is_hit && code.presented.is_empty() && !may_be_over);
            let has_ended = self.connections[connection_index].end_began.is_some();
            self.forbid(has_verifier && is_only_one && !has_ended && !may_be_over, KEEPS, number);
            let is_over = self.connections[connection_index].narrowing.may_have_ended(now);
            if must_end && !is_hit && !is_over {
                self.note_end(connection_index, step);
            }
        } else {
            self.forbid(![429, 503].contains(&reply.status), ANSWERED, number);
        }
    }

    /// The answer to a revocation. A token that is over leads to no grant any more.
    pub fn note_revocation(&mut self, number: usize, step: u32) {
        let RequestFacts { sent, began, .. } = &self.requests[number];
        if began.now < self.refreshes[&sent.secret].issued.0 + REFRESH_LIFE {
            let connection_index = sent.connection_index;
            self.note_end(connection_index, step);
        }
    }

    pub fn note_revoked_access(&mut self, number: usize, step: u32) {
        let secret = self.requests[number].sent.secret.clone();
        self.accesses.get_mut(&secret).expect("a token of ours").revoked.get_or_insert(step);
    }

    /// A request with an access token was answered, or refused.
    pub fn end_use(&mut self, number: usize, reply: &Reply, is_answered: bool) {
        let RequestFacts { sent, began, is_hit, is_after_end, .. } = &self.requests[number];
        let access = &self.accesses[&sent.secret];
        let connection = &self.connections[sent.connection_index];
        let has_ended = connection.narrowing.has_ended(began.step, began.now);
        let is_expired = has_ended || began.now >= access.issued_at + ACCESS_LIFE;
        let is_revoked = access.revoked.is_some_and(|step| step < began.step);
        let may_have_ended = connection.end_began.is_some() || connection.narrowing.may_have_ended(began.now);
        // A write that a narrowing overtakes is refused like one of an ended grant, and tried again.
        let is_overtaken = connection.narrowing.began && matches!(sent.kind, RequestKind::CallTool { .. });
        let is_explained = is_expired || may_have_ended || is_overtaken || access.revocation_began;
        let (is_hit, is_after_end, refresh) = (*is_hit, *is_after_end, access.refresh.clone());
        let is_known_status = [200, 401, 429].contains(&reply.status);
        self.forbid(is_answered && (is_after_end || is_revoked), NOTHING_AFTER_END, number);
        self.forbid(is_answered && is_expired, EXPIRES, number);
        self.forbid(reply.status == 401 && !is_explained, KEEPS, number);
        let is_ping = self.requests[number].sent.kind == RequestKind::Ping;
        self.forbid(is_ping && !is_hit && !is_known_status, ANSWERED, number);
        if is_answered
            && !is_hit
            && let Some(token) = self.refreshes.get_mut(&refresh)
        {
            token.is_use_recorded = true;
        }
    }
}
