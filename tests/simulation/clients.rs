//! Clients that follow the rules or refresh too often, and a thief who copies what one of them holds.

use crate::base::BaseConnection;
use crate::observations::{Misuse, Pair, Reply, RequestKind, SentRequest};
use crate::world::World;
use crate::writes::says_done;
use serde_json::json;
use std::cell::RefCell;
use std::rc::Rc;

/// Whoever holds the credentials of a connection.
pub struct Holder {
    pub connection_index: usize,
    pub pair: RefCell<Option<Pair>>,
    code: RefCell<Option<String>>,
}

/// The length of pauses between the steps of a client, in milliseconds.
pub const PACES: [u64; 8] = [300, 5_000, 5_000, 60_000, 60_000, 200_000, 7_200_000, 1_000_000_000];

impl Holder {
    pub fn of_connection(world: &World, connection_index: usize) -> Rc<Self> {
        let base_connection = &world.connection(connection_index);
        Rc::new(Self {
            connection_index,
            pair: RefCell::new(base_connection.pair.clone()),
            code: RefCell::new(base_connection.code.clone()),
        })
    }

    /// Whoever has copied what somebody holds.
    fn copy(&self) -> Self {
        let (pair, code) = (self.pair.borrow().clone(), self.code.borrow().clone());
        Self { connection_index: self.connection_index, pair: RefCell::new(pair), code: RefCell::new(code) }
    }
}

impl World {
    pub async fn pause(&self) {
        let length = self.pace.get();
        self.sleep(self.random.next() % length).await;
    }

    /// Redeems the code, once more if no answer comes.
    async fn redeem(self: &Rc<Self>, holder: &Holder) {
        let Some(code) = holder.code.borrow().clone() else { return };
        for _ in 0..3 {
            let sent =
                SentRequest::redeem(holder.connection_index, &self.connection(holder.connection_index), &code, true);
            match self.send(sent).await {
                Some(reply) if reply.pair().is_some() => {
                    holder.code.take();
                    holder.pair.replace(reply.pair());
                    return;
                }
                Some(reply) if reply.is_invalid_grant() => {
                    holder.code.take();
                    return;
                }
                _ => self.pause().await,
            }
        }
    }

    pub async fn refresh(self: &Rc<Self>, holder: &Holder) -> bool {
        self.refresh_by(holder, SentRequest::refresh).await
    }

    /// Refreshes until an answer comes that says yes or no; true for yes.
    async fn refresh_by(
        self: &Rc<Self>,
        holder: &Holder,
        request: fn(usize, &BaseConnection, &str) -> SentRequest,
    ) -> bool {
        for _ in 0..4 {
            let Some(pair) = holder.pair.borrow().clone() else { return false };
            let sent = request(holder.connection_index, &self.connection(holder.connection_index), &pair.refresh);
            let reply = self.send(sent).await;
            // Another task of the same client may have newer ones by now.
            let is_current = holder.pair.borrow().as_ref().is_some_and(|held| held.refresh == pair.refresh);
            match reply {
                Some(reply) if reply.pair().is_some() => {
                    if is_current {
                        holder.pair.replace(reply.pair());
                    }
                    return true;
                }
                Some(reply) if reply.is_invalid_grant() => {
                    if is_current {
                        holder.pair.take();
                    }
                    return false;
                }
                _ => self.pause().await,
            }
        }
        false
    }

    /// Sends a request with the access token, and once more after a refresh if that has ended.
    pub async fn call_with(self: &Rc<Self>, holder: &Holder, request: impl Fn(&str) -> SentRequest) -> Option<Reply> {
        let access = holder.pair.borrow().as_ref()?.access.clone();
        let reply = self.send(request(&access)).await;
        if reply.as_ref().is_none_or(|reply| reply.status != 401) || !self.refresh(holder).await {
            return reply;
        }
        let access = holder.pair.borrow().as_ref()?.access.clone();
        self.send(request(&access)).await
    }

    async fn use_once(self: &Rc<Self>, holder: &Holder) {
        let (connection_index, page) = (holder.connection_index, self.connection(holder.connection_index).page);
        let other_page = *self.random.pick(&[43, 43, 42, 77]);
        match self.random.below(14) {
            0..4 => drop(self.refresh(holder).await),
            4..7 => drop(self.call_with(holder, |access| SentRequest::ping(connection_index, access)).await),
            7..10 => drop(self.call_with(holder, |access| SentRequest::read(connection_index, access, page)).await),
            10 => drop(self.refresh_by(holder, SentRequest::refresh_for_pages).await),
            11 => self.misuse(holder).await,
            12 => drop(self.call_with(holder, |access| SentRequest::list_pages(connection_index, access)).await),
            _ => drop(self.call_with(holder, |access| SentRequest::read(connection_index, access, other_page)).await),
        }
    }

    /// Somebody presents what a client holds in a way that is wrong.
    async fn misuse(self: &Rc<Self>, holder: &Holder) {
        let (pair, code) = (holder.pair.borrow().clone(), holder.code.borrow().clone());
        let (misuse, secret) = match (pair, code) {
            (_, Some(code)) => {
                let misuses = [Misuse::RedemptionByOtherClient, Misuse::RedemptionWithOtherRedirectUri];
                (*self.random.pick(&misuses), code)
            }
            (Some(pair), None) => match self.random.below(3) {
                0 => (Misuse::RefreshByOtherClient, pair.refresh),
                1 => (Misuse::RevocationByOtherClient, pair.refresh),
                _ => (Misuse::RevocationByOtherClient, pair.access),
            },
            (None, None) => return,
        };
        let client = self.connection(holder.connection_index).client;
        self.send(SentRequest::misuse(holder.connection_index, client, misuse, &secret)).await;
    }

    /// A client that refreshes again and again: with each new token, or with the first one.
    pub async fn hurry(self: Rc<Self>, holder: Rc<Holder>) {
        self.pause().await;
        if self.random.below(2) == 0 {
            for _ in 0..12 {
                self.refresh(&holder).await;
            }
            return;
        }
        let Some(pair) = holder.pair.borrow().clone() else { return };
        for _ in 0..35 {
            let base_connection = &self.connection(holder.connection_index);
            self.send(SentRequest::refresh(holder.connection_index, base_connection, &pair.refresh)).await;
        }
    }

    /// Reads and refreshes now and then, as a client does.
    pub async fn work(self: Rc<Self>, holder: Rc<Holder>) {
        for _ in 0..=self.random.below(5) {
            self.pause().await;
            let has_code = holder.code.borrow().is_some();
            if has_code && self.random.below(6) == 0 {
                self.misuse(&holder).await;
            } else if has_code {
                self.redeem(&holder).await;
            } else {
                self.use_once(&holder).await;
            }
        }
    }

    /// A client that wants a write published.
    pub async fn publish(self: Rc<Self>, write: usize, holder: Rc<Holder>) {
        let wanted = self.observed.borrow().writes[write].wanted.clone();
        for _ in 0..=self.random.below(4) {
            self.pause().await;
            let (tool, mut arguments) = wanted.call(write);
            if self.random.below(5) == 0 {
                let Some(token) = self.preview(write, &holder).await else { continue };
                arguments = json!({ "page_id": arguments["page_id"], "confirm": token });
                self.pause().await;
            }
            let kind = RequestKind::CallTool { write, is_preview: false };
            let call = |access: &str| SentRequest::call(holder.connection_index, kind, access, tool, &arguments);
            let reply = self.call_with(&holder, call).await;
            if reply.is_some_and(|reply| says_done(&reply)) && self.random.below(4) > 0 {
                return;
            }
        }
    }

    /// The confirm token of a preview, unless it shows that the write may be there already.
    async fn preview(self: &Rc<Self>, write: usize, holder: &Holder) -> Option<String> {
        let wanted = self.observed.borrow().writes[write].wanted.clone();
        let (tool, mut arguments) = wanted.call(write);
        arguments["preview"] = json!(true);
        let kind = RequestKind::CallTool { write, is_preview: true };
        let call = |access: &str| SentRequest::call(holder.connection_index, kind, access, tool, &arguments);
        let reply = self.call_with(holder, call).await?.json();
        let content = &reply["result"]["structuredContent"];
        let is_new = content["warnings"].as_array().is_none_or(Vec::is_empty);
        content["preview"]["confirm"].as_str().filter(|_| is_new).map(str::to_owned)
    }

    /// Somebody who copies what a client holds.
    pub async fn steal(self: Rc<Self>, victim: Rc<Holder>) {
        self.pause().await;
        let thief = victim.copy();
        let base_connection = &self.connection(thief.connection_index);
        for _ in 0..=self.random.below(4) {
            self.pause().await;
            let code = thief.code.borrow().clone();
            match code {
                // Without the verifier, mostly.
                Some(code) if self.random.below(3) > 0 => {
                    for _ in 0..*self.random.pick(&[1, 1, 6]) {
                        self.send(SentRequest::redeem(thief.connection_index, base_connection, &code, false)).await;
                    }
                }
                Some(_) => self.redeem(&thief).await,
                None => self.use_once(&thief).await,
            }
        }
    }

    /// A client and somebody who has copied what it holds, by turns.
    pub async fn take_turns(self: Rc<Self>, victim: Rc<Holder>) {
        self.pause().await;
        let thief = victim.copy();
        for _ in 0..2 + self.random.below(4) {
            let holder = if self.random.below(2) == 0 { &thief } else { &victim };
            if self.random.below(3) > 0 {
                self.refresh(holder).await;
            } else {
                self.use_once(holder).await;
            }
        }
    }

    /// A client that ends its own connection, or one of its access tokens.
    pub async fn leave(self: Rc<Self>, holder: Rc<Holder>) {
        self.pause().await;
        let Some(pair) = holder.pair.borrow().clone() else { return };
        let (kind, token) = match self.random.below(3) {
            0 => (RequestKind::RevokeAccess, pair.access),
            _ => (RequestKind::Revoke, pair.refresh),
        };
        for _ in 0..3 {
            let sent =
                SentRequest::revoke(holder.connection_index, &self.connection(holder.connection_index), kind, &token);
            if self.send(sent).await.is_some_and(|reply| reply.status == 200) {
                return;
            }
            self.pause().await;
        }
    }
}
