//! Makes each step happen to the connector and to the model, and compares what follows.

use super::reference::{Answer, Effect, Minted, Redemption, Refreshing, World};
use super::step::{Action, Step};
use crate::support::browser::{Browser, Shown, parameter};
use crate::support::faults::Failure;
use crate::support::flow::authorize_url;
use crate::support::{TestApp, UPSTREAM_URL, json};
use bytes::Bytes;
use futures_util::FutureExt as _;
use http::Response;
use serde_json::json;
use statibeat_mcp::ids::{RequestId, UserId};
use statibeat_mcp::oauth::client::ClientId;
use statibeat_mcp::oauth::pkce::CodeVerifier;
use statibeat_mcp::storage::{grants, purge};
use std::cell::Cell;
use std::collections::HashSet;
use std::time::Duration;
use url::Url;

const USERS: [&str; 3] = ["1", "2", "3"];
const CLIENTS: [&str; 3] = ["alpha", "beta", "gamma"];
const CALLBACKS: [&str; 3] = ["http://127.0.0.1:1001/cb", "http://127.0.0.1:1002/cb", "http://127.0.0.1:1003/cb"];
const ALL: &str = "mcp.pages.read mcp.incidents.read";
const PART: &str = "mcp.pages.read";
const TOO_MUCH: &str = "mcp.pages.read mcp.incidents.write";

/// What is wrong, in words; a failed assertion.
pub type Checked<T = ()> = Result<T, String>;
type Fault = Option<(usize, Failure)>;

/// How much was done, over all sequences.
#[derive(Default)]
pub struct Totals {
    pub steps: Cell<usize>,
    pub faults: Cell<usize>,
    pub late: Cell<usize>,
    pub minted: Cell<usize>,
    pub checks: Cell<usize>,
}

/// A person at a consent page.
struct Seat<'a> {
    browser: Browser<'a>,
    page: Shown,
    verifier: String,
    /// Was sent back to its client, by whatever answer, and has no cookie any more.
    has_left: bool,
}

/// One story.
pub struct Story<'a> {
    app: &'a TestApp,
    totals: &'a Totals,
    world: World,
    seats: Vec<Seat<'a>>,
    /// What each held-back write will do, and the time of its request.
    late: Vec<(Option<Effect>, i64)>,
    /// Access tokens that were seen dead.
    dead: HashSet<usize>,
}

fn add(cell: &Cell<usize>, count: usize) {
    cell.set(cell.get() + count);
}

fn expect<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, wanted: &T) -> Checked {
    if found == wanted { Ok(()) } else { Err(format!("{what}: {found:?} instead of {wanted:?}")) }
}

/// Whether an address outside tells a client that the server is busy.
fn is_told_to_try_again(url: &Url) -> bool {
    parameter(url, "error").as_deref() == Some("temporarily_unavailable")
}

/// The `pick`th from the end, counted round.
fn newest(length: usize, pick: usize) -> Option<usize> {
    (length > 0).then(|| length - 1 - pick % length)
}

impl<'a> Story<'a> {
    pub fn new(app: &'a TestApp, totals: &'a Totals) -> Self {
        app.db.forget();
        app.limiter.forget();
        app.log.borrow_mut().clear();
        app.upstream.sent.borrow_mut().clear();
        let world = World { now: app.now().as_seconds(), disabled: [true; 3], ..World::default() };
        let mut story = Self { app, totals, world, seats: Vec::new(), late: Vec::new(), dead: HashSet::new() };
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
        let fault = step.fault;
        match step.action {
            Action::Authorize { user, client } => self.authorize(user, client, fault)?,
            Action::Connect { user, client } => self.connect(user, client)?,
            Action::Answer { visit, approves } => {
                if let Some(visit) = newest(self.seats.len(), visit) {
                    self.answer(visit, approves, fault)?;
                }
            }
            Action::Redeem { code, how, times } => {
                if let Some(code) = newest(self.world.codes.len(), code) {
                    self.redeem(code, how, fault)?;
                    (1..times).try_for_each(|_| self.redeem(code, how, None))?;
                }
            }
            Action::Refresh { token, how, times } => {
                if let Some(token) = newest(self.world.refreshes.len(), token) {
                    self.refresh(token, how, fault)?;
                    (1..times).try_for_each(|_| self.refresh(token, how, None))?;
                }
            }
            Action::Hurry { token, times } => {
                if let Some(token) = newest(self.world.refreshes.len(), token) {
                    self.hurry(token, times, fault)?;
                }
            }
            Action::RevokeRefresh { token, by_owner } => {
                if let Some(token) = newest(self.world.refreshes.len(), token) {
                    self.revoke_refresh(token, by_owner, fault)?;
                }
            }
            Action::RevokeAccess { token, by_owner } => {
                if let Some(token) = newest(self.world.accesses.len(), token) {
                    self.revoke_access(token, by_owner, fault)?;
                }
            }
            Action::Call { token } => {
                if let Some(token) = newest(self.world.accesses.len(), token) {
                    self.call(token, fault)?;
                }
            }
            Action::RevokeConnection { user, client } => self.revoke_connection(user, client, fault)?,
            Action::Disable { user, is_disabled } => self.disable(user, is_disabled),
            Action::Wait { seconds } => self.wait(seconds),
            Action::Approach { deadline, is_early } => self.approach(deadline, is_early),
            Action::Purge => self.purge(),
            Action::Late { pick } => {
                if let Some(pick) = newest(self.late.len(), pick) {
                    self.late(pick)?;
                }
            }
        }
        self.check()
    }

    /// Every access token that was ever handed out works if it should, and none works again.
    fn check(&mut self) -> Checked {
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

    fn connect(&mut self, user: usize, client: usize) -> Checked {
        let visits = self.seats.len();
        self.authorize(user, client, None)?;
        if self.seats.len() > visits {
            self.answer(visits, true, None)?;
            self.redeem(self.world.codes.len() - 1, Redemption::Right, None)?;
        }
        Ok(())
    }

    fn authorize(&mut self, user: usize, client: usize, fault: Fault) -> Checked {
        let verifier = format!("{:x>43}", self.seats.len());
        let challenge = CodeVerifier::parse(&verifier).expect("fits").challenge();
        let url = authorize_url(&[
            ("client_id", CLIENTS[client]),
            ("redirect_uri", CALLBACKS[client]),
            ("code_challenge", challenge.as_str()),
            ("scope", ALL),
        ]);
        self.arm(fault);
        let browser = Browser::new(self.app);
        let mut page = browser.open(&url);
        if page.url.as_str().starts_with(UPSTREAM_URL) {
            page = browser.choose_user(&page, USERS[user]);
        }
        if let Some((_, failure)) = self.disarm(fault) {
            if failure == Failure::Late {
                self.late.push((None, self.world.now));
            }
            // The end of a visit whose person was refused may fail unseen.
            let is_fit = page.status == 503
                || is_told_to_try_again(&page.url)
                || self.world.disabled[user] && page.status == 403;
            return expect("a visit during an outage is told to come back", &is_fit, &true);
        }
        let wanted = if self.world.disabled[user] { 403 } else { 200 };
        expect("the consent page", &page.status, &wanted)?;
        if wanted == 200 {
            self.world.open_visit(user, client);
            self.seats.push(Seat { browser, page, verifier, has_left: false });
        }
        Ok(())
    }

    fn answer(&mut self, visit: usize, approves: bool, fault: Fault) -> Checked {
        let can_answer = self.world.can_answer(visit) && !self.seats[visit].has_left;
        let effect = if approves { Effect::Approve { visit } } else { Effect::Decline { visit } };
        let effect = can_answer.then_some(effect);
        self.arm(fault);
        let seat = &self.seats[visit];
        let left = seat.browser.answer(&seat.page, if approves { "approve" } else { "deny" });
        match self.disarm(fault) {
            // The refusal stands; only its audit row is missing.
            Some((sql, failure)) if sql.starts_with("INSERT INTO audit") => {
                if failure == Failure::Late {
                    self.late.push((None, self.world.now));
                }
            }
            // Before the commit there is a page to come back to; after it the client is told to try again.
            Some(failed) if failed.0.starts_with("SELECT") => {
                self.settle(failed, None);
                return expect("an answer during an outage", &left.status, &503);
            }
            Some(failed) => {
                self.settle(failed, effect);
                self.seats[visit].has_left = true;
                return expect("an outage is told to the client", &is_told_to_try_again(&left.leaves_for()), &true);
            }
            None => {}
        }
        let Some(effect) = effect else {
            let is_refused = [400, 403].contains(&left.status);
            return expect("an answer to a page that is over is refused", &is_refused, &true);
        };
        expect("the leave page", &left.status, &200)?;
        self.seats[visit].has_left = true;
        let minted = self.world.apply(effect, self.world.now);
        let code = parameter(&left.leaves_for(), "code");
        expect("whether there is a code", &code.is_some(), &minted.code.is_some())?;
        if let Some(at) = minted.code {
            self.world.codes[at].text = code;
        }
        Ok(())
    }

    fn redeem(&mut self, code: usize, how: Redemption, fault: Fault) -> Checked {
        let Some(text) = self.world.codes[code].text.clone() else { return Ok(()) };
        let verdict = self.world.redeem(code, how);
        let grant = &self.world.grants[self.world.codes[code].grant];
        let verifier = &self.seats[self.world.codes[code].visit].verifier;
        let other = (grant.client + 1) % CLIENTS.len();
        let mut changes = [
            ("client_id", CLIENTS[grant.client]),
            ("redirect_uri", CALLBACKS[grant.client]),
            ("code_verifier", verifier.as_str()),
        ];
        match how {
            Redemption::Right => {}
            Redemption::WrongVerifier => changes[2].1 = "a-verifier-that-belongs-to-no-visit-of-this-story",
            Redemption::NoVerifier => changes[2].1 = "",
            Redemption::OtherClient => changes[0].1 = CLIENTS[other],
            Redemption::OtherRedirectUri => changes[1].1 = CALLBACKS[other],
        }
        self.arm(fault);
        let answer = self.app.redeem(&text, &changes);
        self.token_answer(&answer, verdict, ALL, fault)
    }

    fn refresh(&mut self, token: usize, how: Refreshing, fault: Fault) -> Checked {
        let Some(text) = self.world.refreshes[token].text.clone() else { return Ok(()) };
        let verdict = self.world.refresh(token, how);
        let owner = self.world.grants[self.world.refreshes[token].grant].client;
        let other = (owner + 1) % CLIENTS.len();
        let (client, scope) = match how {
            Refreshing::Right => (owner, ""),
            Refreshing::Narrower => (owner, PART),
            Refreshing::Wider => (owner, TOO_MUCH),
            Refreshing::OtherClient => (other, ""),
        };
        self.arm(fault);
        let answer = self.app.refresh(&text, &[("client_id", CLIENTS[client]), ("scope", scope)]);
        self.token_answer(&answer, verdict, if scope.is_empty() { ALL } else { PART }, fault)
    }

    fn hurry(&mut self, token: usize, times: usize, fault: Fault) -> Checked {
        let grant = self.world.refreshes[token].grant;
        self.refresh(token, Refreshing::Right, fault)?;
        for _ in 1..times {
            let last = self.world.refreshes.iter().rposition(|token| token.grant == grant).unwrap_or(token);
            self.refresh(last, Refreshing::Right, None)?;
        }
        Ok(())
    }

    /// Holds a token answer against the verdict and writes down the tokens.
    fn token_answer(
        &mut self,
        answer: &Response<Bytes>,
        (wanted, effect): (Answer, Option<Effect>),
        scope: &str,
        fault: Fault,
    ) -> Checked {
        let error = || json(answer)["error"].as_str().unwrap_or_default().to_owned();
        if let Some(failed) = self.disarm(fault) {
            let said = (answer.status().as_u16(), error());
            expect("a token request during an outage", &said, &(503, "temporarily_unavailable".into()))?;
            self.settle(failed, effect);
            return Ok(());
        }
        let said = (answer.status().as_u16(), error());
        let wanted = match wanted {
            Answer::Granted => (200, ""),
            Answer::InvalidGrant => (400, "invalid_grant"),
            Answer::InvalidScope => (400, "invalid_scope"),
            Answer::TooOften => (429, "temporarily_unavailable"),
        };
        expect("the token endpoint", &said, &(wanted.0, wanted.1.to_owned()))?;
        let Some(effect) = effect else { return Ok(()) };
        let minted = self.world.apply(effect, self.world.now);
        if said.0 == 200 { self.keep(answer, minted, scope) } else { Ok(()) }
    }

    fn keep(&mut self, answer: &Response<Bytes>, minted: Minted, scope: &str) -> Checked {
        let tokens = crate::support::flow::tokens(answer);
        expect("the scope", &tokens.scope.as_str(), &scope)?;
        let (Some(access), Some(refresh)) = (minted.access, minted.refresh) else {
            return Err("tokens came where there must be none".into());
        };
        if self.world.accesses.iter().any(|other| other.text.as_deref() == Some(&tokens.access)) {
            return Err("an access token came twice".into());
        }
        self.world.accesses[access].text = Some(tokens.access);
        let known = self.world.refreshes[refresh].text.replace(tokens.refresh.clone());
        let is_same = known.is_none_or(|known| known == tokens.refresh);
        expect("one generation has one successor", &is_same, &true)?;
        let bearers = self.world.refreshes.iter().filter(|other| other.text.as_deref() == Some(&tokens.refresh));
        expect("refresh tokens with this text", &bearers.count(), &1)?;
        add(&self.totals.minted, 2);
        Ok(())
    }

    fn revoke_refresh(&mut self, token: usize, by_owner: bool, fault: Fault) -> Checked {
        let Some(text) = self.world.refreshes[token].text.clone() else { return Ok(()) };
        let effect = self.world.revoke_refresh(token, by_owner);
        let owner = self.world.grants[self.world.refreshes[token].grant].client;
        self.revoke(&text, owner, by_owner, effect, fault)
    }

    fn revoke_access(&mut self, token: usize, by_owner: bool, fault: Fault) -> Checked {
        let Some(text) = self.world.accesses[token].text.clone() else { return Ok(()) };
        let effect = by_owner.then_some(Effect::EndAccess { access: token });
        let owner = self.world.grants[self.world.accesses[token].grant].client;
        self.revoke(&text, owner, by_owner, effect, fault)
    }

    fn revoke(&mut self, text: &str, owner: usize, by_owner: bool, effect: Option<Effect>, fault: Fault) -> Checked {
        let client = if by_owner { owner } else { (owner + 1) % CLIENTS.len() };
        self.arm(fault);
        let answer = self.app.revoke(text, &[("client_id", CLIENTS[client])]);
        if let Some(failed) = self.disarm(fault) {
            expect("a revocation during an outage", &answer.status().as_u16(), &503)?;
            self.settle(failed, effect);
            return Ok(());
        }
        if let Some(effect) = effect {
            self.world.apply(effect, self.world.now);
        }
        expect("a revocation", &answer.status().as_u16(), &200)
    }

    /// A call that reaches StatiBeat, which is where a closed account shows.
    fn call(&mut self, token: usize, fault: Fault) -> Checked {
        let Some(text) = self.world.accesses[token].text.clone() else { return Ok(()) };
        let grant = self.world.accesses[token].grant;
        let works = self.world.works(token);
        let is_disabled = self.world.disabled[self.world.grants[grant].user];
        let effect = (works && is_disabled).then_some(Effect::EndGrant { grant });
        self.arm(fault);
        let status = self.app.call(&text, "resources/read", json!({"uri": "statibeat://pages"})).status().as_u16();
        if let Some(failed) = self.disarm(fault) {
            // StatiBeat has refused the person already when the last write of the call fails.
            let is_refusal = failed.0.contains("revoked_at = ");
            // The date of the last use is not worth a refused call.
            let is_date = failed.0.contains("last_used_at = ");
            let status_then = if is_refusal {
                401
            } else if is_date {
                200
            } else {
                503
            };
            expect("a call during an outage", &status, &status_then)?;
            self.settle(failed, effect.filter(|_| is_refusal));
            return Ok(());
        }
        if let Some(effect) = effect {
            self.world.apply(effect, self.world.now);
        }
        expect("a call", &status, &if works && !is_disabled { 200 } else { 401 })
    }

    fn revoke_connection(&mut self, user: usize, client: usize, fault: Fault) -> Checked {
        let (user_id, request_id) = (UserId(USERS[user].into()), RequestId("r".into()));
        let client_id = ClientId::parse(CLIENTS[client]).expect("fits");
        self.arm(fault);
        let revoking = grants::revoke_connection(&self.app.db, &user_id, &client_id, &request_id, self.app.now());
        let revoked = revoking.now_or_never().expect("no waiting");
        let effect = Effect::EndConnection { user, client };
        if let Some(failed) = self.disarm(fault) {
            self.settle(failed, Some(effect));
            return expect("whether an outage is told", &revoked.is_err(), &true);
        }
        self.world.apply(effect, self.world.now);
        revoked.map(drop).map_err(|error| error.to_string())
    }

    fn disable(&mut self, user: usize, is_disabled: bool) {
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
        purge::run(&self.app.db, self.app.now()).now_or_never().expect("no waiting").expect("a working database");
        self.world.purge();
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
    fn arm(&self, fault: Fault) {
        self.app.limiter.forget();
        if let Some((skip, failure)) = fault {
            self.app.db.faults.once(skip, failure);
        }
    }

    /// What failed, if the request came as far as that.
    fn disarm(&self, fault: Fault) -> Option<(&'static str, Failure)> {
        let sql = self.app.db.faults.take_failed()?;
        add(&self.totals.faults, 1);
        fault.map(|(_, failure)| (sql, failure))
    }

    /// A failed read has no effect; a write had all of it, none of it, or will have it.
    fn settle(&mut self, (sql, failure): (&'static str, Failure), effect: Option<Effect>) {
        let effect = effect.filter(|_| !sql.starts_with("SELECT"));
        match (failure, effect) {
            (Failure::Before, _) | (Failure::After, None) => {}
            (Failure::After, Some(effect)) => drop(self.world.apply(effect, self.world.now)),
            (Failure::Late, effect) => self.late.push((effect, self.world.now)),
        }
    }
}
