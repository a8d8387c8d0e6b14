//! One story: makes each step happen to the connector and to the model, and compares what follows. What happens at the
//! authorization endpoint is in `authorizations`, what happens with codes and tokens in `tokens`.

use super::authorizations::Seat;
use super::reference::{Effect, Redemption, Refreshing, World};
use super::step::{Action, Step};
use crate::support::TestApp;
use crate::support::faults::Failure;
use futures_util::FutureExt as _;
use statibeat_mcp::storage::purge;
use std::cell::Cell;
use std::collections::HashSet;
use std::time::Duration;

pub const USERS: [&str; 3] = ["1", "2", "3"];
pub const CLIENTS: [&str; 3] = ["alpha", "beta", "gamma"];
pub const CALLBACKS: [&str; 3] = ["http://127.0.0.1:1001/cb", "http://127.0.0.1:1002/cb", "http://127.0.0.1:1003/cb"];
pub const ALL: &str = "mcp.pages.read mcp.incidents.read";
pub const PART: &str = "mcp.pages.read";
pub const TOO_MUCH: &str = "mcp.pages.read mcp.incidents.write";

/// A failed assertion as text.
pub type Checked<T = ()> = Result<T, String>;
/// Number of batches that succeed before the failure, and its kind.
pub type Fault = Option<(usize, Failure)>;

/// Counts of the steps over all sequences.
#[derive(Default)]
pub struct Totals {
    pub steps: Cell<usize>,
    pub faults: Cell<usize>,
    pub late: Cell<usize>,
    pub minted: Cell<usize>,
    pub checks: Cell<usize>,
}

pub struct Story<'a> {
    pub(super) app: &'a TestApp,
    pub(super) totals: &'a Totals,
    pub(super) world: World,
    pub(super) seats: Vec<Seat<'a>>,
    /// The effect of each held-back write, and the time of its request.
    pub(super) late: Vec<(Option<Effect>, i64)>,
    /// Access tokens that were seen dead.
    dead: HashSet<usize>,
    has_purged: bool,
}

pub fn add(cell: &Cell<usize>, count: usize) {
    cell.set(cell.get() + count);
}

pub fn expect<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, wanted: &T) -> Checked {
    if found == wanted { Ok(()) } else { Err(format!("{what}: {found:?} instead of {wanted:?}")) }
}

impl<'a> Story<'a> {
    pub fn new(app: &'a TestApp, totals: &'a Totals) -> Self {
        app.db.forget();
        app.limiter.forget();
        app.log.borrow_mut().clear();
        app.upstream.sent.borrow_mut().clear();
        let world = World { now: app.now().as_seconds(), disabled: [true; 3], ..World::default() };
        let mut story =
            Self { app, totals, world, seats: Vec::new(), late: Vec::new(), dead: HashSet::new(), has_purged: false };
        (0..USERS.len()).for_each(|user| story.disable(user, false));
        story
    }

    /// Lives the steps through, then tries every code and token that is left.
    pub fn run(mut self, steps: &[Step]) -> Checked {
        self.connect(0, 0)?;
        for (at, step) in steps.iter().enumerate() {
            self.step(step).map_err(|wrong| format!("step {at}, {:?}: {wrong}", step.action))?;
        }
        while !self.late.is_empty() {
            self.late(0)?;
        }
        self.check()?;
        self.check_rows()?;
        for code in 0..self.world.codes.len() {
            self.redeem(code, Redemption::Right, None)?;
        }
        for token in (0..self.world.refreshes.len()).rev() {
            self.refresh(token, Refreshing::Right, None)?;
        }
        self.check()
    }

    fn step(&mut self, step: &Step) -> Checked {
        add(&self.totals.steps, 1);
        if let Some(at) = self.subject(&step.action) {
            self.perform(&step.action, at, step.fault)?;
        }
        self.check()
    }

    /// Which one of its kind an action is about, if there is one; any number if it is about nothing that can lack.
    fn subject(&self, action: &Action) -> Option<usize> {
        let (length, pick) = match *action {
            Action::AnswerConsent { authorization, .. } => (self.seats.len(), authorization),
            Action::Redeem { code, .. } => (self.world.codes.len(), code),
            Action::Refresh { token, .. } | Action::Hurry { token, .. } | Action::RevokeRefresh { token, .. } => {
                (self.world.refreshes.len(), token)
            }
            Action::RevokeAccess { token, .. } | Action::UseToken { token } => (self.world.accesses.len(), token),
            Action::Late { pick } => (self.late.len(), pick),
            _ => (1, 0),
        };
        (length > 0).then(|| length - 1 - pick % length)
    }

    fn perform(&mut self, action: &Action, at: usize, fault: Fault) -> Checked {
        match *action {
            Action::Authorize { user, client } => self.authorize(user, client, fault)?,
            Action::Connect { user, client } => self.connect(user, client)?,
            Action::AnswerConsent { approves, .. } => self.answer(at, approves, fault)?,
            Action::Redeem { how, times, .. } => {
                self.redeem(at, how, fault)?;
                (1..times).try_for_each(|_| self.redeem(at, how, None))?;
            }
            Action::Refresh { how, times, .. } => {
                self.refresh(at, how, fault)?;
                (1..times).try_for_each(|_| self.refresh(at, how, None))?;
            }
            Action::Hurry { times, .. } => self.hurry(at, times, fault)?,
            Action::RevokeRefresh { by_owner, .. } => self.revoke_refresh(at, by_owner, fault)?,
            Action::RevokeAccess { by_owner, .. } => self.revoke_access(at, by_owner, fault)?,
            Action::UseToken { .. } => self.call(at, fault)?,
            Action::Late { .. } => self.late(at)?,
            Action::RevokeConnection { user, client } => self.revoke_connection(user, client, fault)?,
            Action::Disable { user, is_disabled } => self.disable(user, is_disabled),
            Action::Wait { seconds } => self.wait(seconds),
            Action::Approach { deadline, is_early } => self.approach(deadline, is_early),
            Action::Purge => self.purge(),
        }
        Ok(())
    }

    /// Every access token that was ever handed out works if it should, and none works again. These looks count as no use.
    fn check(&mut self) -> Checked {
        self.app.db.execute("CREATE TEMP TABLE unused AS SELECT token_hash FROM refresh_tokens WHERE used_at IS NULL");
        let checked = self.check_access();
        self.app
            .db
            .execute("UPDATE refresh_tokens SET used_at = NULL WHERE token_hash IN (SELECT token_hash FROM unused)");
        self.app.db.execute("DROP TABLE unused");
        checked
    }

    fn check_access(&mut self) -> Checked {
        for (at, access) in self.world.accesses.iter().enumerate() {
            let Some(text) = &access.text else { continue };
            add(&self.totals.checks, 1);
            let status = self.app.ping(text);
            let wanted = if self.world.works(at) { 200 } else { 401 };
            expect(&format!("access token {at}"), &status, &wanted)?;
            if status == 200 && self.dead.contains(&at) {
                return Err(format!("access token {at} came back to life"));
            }
            if status == 401 {
                self.dead.insert(at);
            }
        }
        Ok(())
    }

    fn check_rows(&self) -> Checked {
        let rows = self.world.rows().into_iter().filter(|_| !self.has_purged);
        for (table, wanted) in rows {
            let found = self.app.db.count(&format!("SELECT count(*) FROM {table}"));
            expect(table, &found, &i64::try_from(wanted).expect("few"))?;
        }
        Ok(())
    }

    pub(super) fn disable(&mut self, user: usize, is_disabled: bool) {
        if self.world.disabled[user] != is_disabled {
            self.world.disabled[user] = is_disabled;
            let id = USERS[user].parse().expect("a number");
            self.app.upstream.simulator.set_user_disabled(id, is_disabled).expect("a user");
        }
    }

    fn wait(&mut self, seconds: i64) {
        self.app.advance(Duration::from_secs(seconds.unsigned_abs()));
        self.world.now += seconds;
    }

    fn approach(&mut self, pick: usize, is_early: bool) {
        let deadlines = self.world.deadlines();
        if !deadlines.is_empty() {
            let deadline = deadlines[pick % deadlines.len()];
            self.wait(deadline - self.world.now - i64::from(is_early));
        }
    }

    fn purge(&mut self) {
        purge::run(&*self.app.db, self.app.now(), &|| true).now_or_never().expect("no waiting");
        self.world.purge();
        self.has_purged = true;
    }

    fn late(&mut self, pick: usize) -> Checked {
        add(&self.totals.late, 1);
        self.app.db.run_late(pick).map_err(|error| format!("a late batch breaks: {error}"))?;
        if let (Some(effect), at) = self.late.remove(pick) {
            self.world.apply(effect, at);
        }
        Ok(())
    }

    /// Before each request: what goes wrong with it, and a fresh start for everybody who is counted.
    pub(super) fn arm(&self, fault: Fault) {
        self.app.limiter.forget();
        if let Some((skip, failure)) = fault {
            self.app.db.faults.once(skip, failure);
        }
    }

    /// Returns the fault that occurred, if the request reached it.
    pub(super) fn disarm(&self, fault: Fault) -> Option<(&'static str, Failure)> {
        let sql = self.app.db.faults.take_failed()?;
        add(&self.totals.faults, 1);
        fault.map(|(_, failure)| (sql, failure))
    }

    /// A failed read has no effect; a write had all of it, none of it, or will have it.
    pub(super) fn settle(&mut self, (sql, failure): (&'static str, Failure), effect: Option<Effect>) {
        let effect = effect.filter(|_| !sql.starts_with("SELECT"));
        match (failure, effect) {
            (Failure::Before, _) | (Failure::After, None) => {}
            (Failure::After, Some(effect)) => drop(self.world.apply(effect, self.world.now)),
            (Failure::Late, effect) => self.late.push((effect, self.world.now)),
        }
    }
}
