//! Events that have certainly happened, and those that may have: the promises are held against them, whoever sends the requests.
//!
//! A request is known by its first use of the database, where it sees the state it decides on. What may end a connection counts from
//! the moment it begins, what must end it from the moment it is confirmed.

use crate::base::{BaseConnection, GRETA};
use crate::narrowing::NarrowingFacts;
pub use crate::requests::{Misuse, Pair, Reply, RequestKind, SentRequest};
use crate::scheduler::TaskId;
use crate::support::flow::user;
use crate::tokens::{AccessFacts, CodeFacts, MISUSE, RefreshFacts, SCOPES};
use crate::world::World;
use crate::writes::WriteFacts;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

/// A promise that a story broke, and how.
pub type Broken = (&'static str, String);

/// A step, and the time that a request goes by.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    pub step: u32,
    pub now: i64,
}

#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct RequestFacts {
    pub sent: SentRequest,
    pub began: Moment,
    /// True once a fault has hit it.
    pub is_hit: bool,
    /// True once it has used the database.
    has_read: bool,
    /// True if what it presents must end its grant.
    pub must_end: bool,
    /// True if its connection had certainly ended before it began.
    pub is_after_end: bool,
    /// The promise that tokens in its reply would break, as of its last use of the database.
    pub forbids_tokens: Option<&'static str>,
    /// True if StatiBeat knew its person no more before it began.
    pub is_shut_out: bool,
    /// The number of publications that it made at StatiBeat.
    pub posts: u32,
    /// True once its reply has said that nothing was published.
    pub is_told_nothing: bool,
}

/// A pause or a block.
#[derive(Clone, Copy, Debug, Default)]
pub struct StopFacts {
    /// True from the moment it begins to the confirmed end.
    pub may_hold: bool,
    /// Since when it certainly holds.
    pub holds_since: Option<u32>,
    /// True once a change of it has failed, or another one has begun beside it: then nobody knows.
    pub is_unsure: bool,
    /// True once one has begun.
    has_begun: bool,
}

impl StopFacts {
    /// A change of it begins.
    pub fn begin(&mut self, is_to_hold: bool) {
        self.may_hold |= is_to_hold;
        self.is_unsure |= is_to_hold && self.has_begun;
        self.has_begun |= is_to_hold;
        if !is_to_hold {
            self.holds_since = None;
        }
    }

    pub fn confirm(&mut self, is_to_hold: bool, is_done: bool, step: u32) {
        self.is_unsure |= !is_done;
        if is_done && !self.is_unsure {
            self.may_hold = is_to_hold;
            self.holds_since = is_to_hold.then_some(step);
        }
    }
}

/// The state of one connection.
#[derive(Clone, Debug)]
pub struct ConnectionFacts {
    pub user: &'static str,
    pub client: &'static str,
    pub page: i64,
    /// The step at which something began that may end it.
    pub end_began: Option<u32>,
    /// The step at which its end was confirmed.
    pub ended: Option<u32>,
    pub pause: StopFacts,
    pub block: StopFacts,
    pub narrowing: NarrowingFacts,
    /// The person's role at StatiBeat is taken away.
    pub role_lost: StopFacts,
    pub is_shut_out: bool,
}

#[derive(Default)]
pub struct Observations {
    pub broken: Option<Broken>,
    pub connections: Vec<ConnectionFacts>,
    pub requests: Vec<RequestFacts>,
    by_task: HashMap<TaskId, usize>,
    pub refreshes: HashMap<String, RefreshFacts>,
    pub accesses: HashMap<String, AccessFacts>,
    pub codes: HashMap<String, CodeFacts>,
    pub writes: Vec<WriteFacts>,
    /// The last step at which a person's connections to a client may have been revoked.
    pub last_revoked: HashMap<(&'static str, &'static str), u32>,
    /// Consent forms that have given a code.
    approved: HashSet<String>,
}

impl Observations {
    pub fn new(connections: &[Rc<BaseConnection>]) -> Self {
        let mut observed = Self::default();
        for connection in connections {
            observed.add_connection(connection, 0);
        }
        observed
    }

    /// Adds a connection whose approval began at this step; its index. It is paused and blocked like others of its person and client.
    pub fn add_connection(&mut self, added: &BaseConnection, began: u32) -> usize {
        let BaseConnection { user, client, page, .. } = *added;
        let of_user = self.connections.iter().find(|one| one.user == user);
        let of_both = self.connections.iter().find(|one| (one.user, one.client) == (user, client));
        let is_shut_out = of_user.is_some_and(|one| one.is_shut_out);
        // A revocation meanwhile may have met it, and whoever presents something of a person without an account ends it.
        let revoked = self.last_revoked.get(&(user, client)).copied().filter(|step| *step >= began && began > 0);
        let facts = ConnectionFacts {
            user,
            client,
            page,
            end_began: revoked.or(is_shut_out.then_some(began)),
            ended: None,
            pause: of_both.map(|one| one.pause).unwrap_or_default(),
            block: of_user.map(|one| one.block).unwrap_or_default(),
            narrowing: NarrowingFacts::default(),
            role_lost: of_user.map(|one| one.role_lost).unwrap_or_default(),
            is_shut_out,
        };
        self.connections.push(facts);
        self.know_first_credentials(added);
        self.connections.len() - 1
    }

    /// The connections of a person and a client.
    pub fn connections_of(&self, user: &str, client: &str) -> Vec<usize> {
        let is_theirs = |index: &usize| {
            let connection = &self.connections[*index];
            (connection.user, connection.client) == (user, client)
        };
        (0..self.connections.len()).filter(is_theirs).collect()
    }

    pub fn break_promise(&mut self, promise: &'static str, how: String) {
        self.broken.get_or_insert((promise, how));
    }

    /// Breaks a promise by the reply to a request, if the condition says so.
    pub fn forbid(&mut self, is_broken: bool, promise: &'static str, number: usize) {
        if is_broken {
            let facts = &self.requests[number];
            let how = format!("request {number}, {:?}, began at step {}", facts.sent, facts.began.step);
            self.break_promise(promise, how);
        }
    }

    /// A request has reached an instance; its number.
    pub fn begin(&mut self, task: TaskId, sent: &SentRequest, began: Moment) -> usize {
        let number = self.requests.len();
        if let RequestKind::CallTool { write, is_preview: false } = sent.kind {
            self.writes[write].callers.entry(sent.connection_index).or_insert(began.now);
        }
        let connection = &self.connections[sent.connection_index];
        self.requests.push(RequestFacts {
            sent: sent.clone(),
            began,
            is_hit: false,
            has_read: false,
            must_end: false,
            forbids_tokens: None,
            is_after_end: connection.ended.is_some(),
            is_shut_out: connection.is_shut_out,
            posts: 0,
            is_told_nothing: false,
        });
        self.by_task.insert(task, number);
        self.note_presented(number);
        number
    }

    pub fn request_of(&self, task: TaskId) -> Option<usize> {
        self.by_task.get(&task).copied()
    }

    pub fn note_fault(&mut self, task: TaskId) {
        if let Some(number) = self.request_of(task) {
            self.requests[number].is_hit = true;
        }
    }

    /// A task is about to run a batch. The first one of a request reads what it decides on.
    pub fn note_batch(&mut self, task: TaskId, step: u32) {
        let Some(number) = self.request_of(task) else { return };
        if !std::mem::replace(&mut self.requests[number].has_read, true) {
            self.judge_presented(number, step);
        }
        self.requests[number].forbids_tokens = self.judge_decision(number);
    }

    /// A request was handled: holds its reply against the promises.
    pub fn end(&mut self, number: usize, reply: &Reply, world: &World) {
        let step = world.scheduler.steps.get();
        let RequestFacts { sent, is_hit, .. } = &self.requests[number];
        let (kind, connection_index, is_hit) = (sent.kind, sent.connection_index, *is_hit);
        let of_others = if self.connections[connection_index].user == GRETA { "orthwind" } else { "lobex" };
        // A random token may contain any letters.
        let is_naming = reply.pair().is_none() && reply.body.contains(of_others);
        self.forbid(is_naming, "no answer names what belongs to another organization", number);
        self.forbid(reply.status == 500, "no request fails for a reason of the connector's own", number);
        match kind {
            RequestKind::Browse => self.note_code(number, reply),
            RequestKind::Redeem { has_verifier } => self.end_redemption(number, reply, has_verifier, step),
            RequestKind::Refresh | RequestKind::RefreshForPages => self.end_refresh(number, reply, step),
            RequestKind::Misuse(misuse) => {
                let refused = if misuse == Misuse::RevocationByOtherClient { 200 } else { 400 };
                self.forbid(![refused, 429, 503].contains(&reply.status), MISUSE, number);
            }
            RequestKind::Revoke if reply.status == 200 => self.note_revocation(number, step),
            RequestKind::RevokeAccess if reply.status == 200 => self.note_revoked_access(number, step),
            RequestKind::Revoke | RequestKind::RevokeAccess => {
                self.forbid(!is_hit && reply.status != 429, "a revocation is carried out", number);
            }
            RequestKind::Ping => self.end_use(number, reply, reply.status == 200),
            RequestKind::Read { .. } | RequestKind::ListPages => {
                let is_answered = reply.json()["result"]["contents"].is_array();
                self.end_use(number, reply, is_answered);
                self.check_limits(number, is_answered);
            }
            RequestKind::CallTool { write, is_preview } => {
                self.end_use(number, reply, reply.json()["result"].is_object());
                self.end_call(number, (write, is_preview), reply, world);
            }
        }
    }

    /// Something begins that may end these connections.
    pub fn begin_end_of(&mut self, connections: &[usize], step: u32) {
        for index in connections {
            self.connections[*index].end_began.get_or_insert(step);
        }
    }

    /// The scopes that a confirmed narrowing has left to a person's only approval of a client, while it lasts.
    pub fn scopes_left(&self, index: usize, Moment { step, now }: Moment) -> Option<String> {
        let connection = &self.connections[index];
        let is_only_one = self.connections_of(connection.user, connection.client).len() == 1;
        let may_have_ended = connection.end_began.is_some() || connection.narrowing.may_have_ended(now);
        connection.narrowing.scopes_left(step).filter(|_| is_only_one && !may_have_ended)
    }

    /// The end of a connection is confirmed.
    pub fn note_end(&mut self, connection_index: usize, step: u32) {
        let connection = &mut self.connections[connection_index];
        connection.end_began.get_or_insert(step);
        connection.ended.get_or_insert(step);
    }

    /// A read is answered only where block and role have allowed it since it began.
    fn check_limits(&mut self, number: usize, is_answered: bool) {
        let RequestFacts { sent, began, .. } = &self.requests[number];
        let RequestKind::Read { page } = sent.kind else { return };
        let connection = &self.connections[sent.connection_index];
        let held = |stop: StopFacts| stop.holds_since.is_some_and(|since| since < began.step);
        let is_own = page == connection.page || connection.user == user::MARA_ADMIN && page == 43;
        let is_blocked = page == connection.page && (held(connection.block) || held(connection.role_lost));
        let is_taken = connection.narrowing.has_taken(page, began.step, began.now);
        let is_stopped = !is_own || is_blocked || is_taken;
        let is_for_pages = self.accesses[&sent.secret].is_for_pages;
        self.forbid(is_answered && is_for_pages, SCOPES, number);
        self.forbid(is_answered && is_stopped, "a read keeps within grant, role and blocks", number);
    }

    /// A page was shown to a browser, which may hold a code.
    fn note_code(&mut self, number: usize, reply: &Reply) {
        let form = self.requests[number].sent.secret.clone();
        if reply.code().is_some() {
            let is_second = !self.approved.insert(form);
            self.forbid(is_second, "a consent form gives one code", number);
        }
    }
}
