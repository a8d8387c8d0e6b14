//! One story: who takes part, what they do, and what must be true afterwards.

use crate::base::Base;
use crate::clients::Holder;
use crate::observations::{Broken, RequestKind, SentRequest};
use crate::report::Totals;
use crate::weather::Weather;
use crate::world::World;
use crate::writes::{REPEATED_SECONDS, WantedWrite, says_done};
use std::rc::Rc;

/// The result of a story.
pub struct StoryResult {
    pub broken: Option<Broken>,
    pub totals: Totals,
    pub trace: Vec<String>,
}

/// Plays the story of a seed.
pub fn tell(base: &Rc<Base>, seed: u64, is_traced: bool) -> StoryResult {
    base.stored.begin_story();
    let world = World::new(base, seed, is_traced);
    let mut holders: Vec<Rc<Holder>> =
        (0..base.connections.len()).map(|connection_index| Holder::of_connection(&world, connection_index)).collect();
    begin(&world, &holders);
    world.run();
    if world.observed.borrow().broken.is_none() {
        world.trace(|| "the faults are over".to_owned());
        world.weather.replace(Weather::calm());
        finish_late_work(&world);
        holders.extend(world.approved.take());
        world.spawn(Rc::clone(&world).end(holders));
        world.run();
    }
    if world.observed.borrow().broken.is_none() {
        check_rows(&world);
    }
    let mut totals = world.totals.take();
    totals.stories = 1;
    totals.steps = u64::from(world.scheduler.steps.get());
    let told = StoryResult { broken: world.observed.borrow_mut().broken.take(), totals, trace: trace_of(&world) };
    world.clear();
    base.stored.end_story();
    told
}

fn trace_of(world: &World) -> Vec<String> {
    world.trace.as_ref().map(std::cell::RefCell::take).unwrap_or_default()
}

/// Draws who takes part, and with which connections.
fn begin(world: &Rc<World>, holders: &[Rc<Holder>]) {
    let random = &world.random;
    let any = |limit: usize| random.below(limit);
    let publishers = [0, 0, 1, 2, 3];
    for _ in 0..any(3) {
        let connection_index = *random.pick(&publishers);
        let user = world.connection(connection_index).user;
        let write = world.observed.borrow_mut().want(WantedWrite::draw(random, user));
        world.spawn(Rc::clone(world).publish(write, Rc::clone(&holders[connection_index])));
        // The same write through another connection of that organization.
        if connection_index != 3 && any(3) == 0 {
            let other = Rc::clone(&holders[any(3)]);
            world.spawn(Rc::clone(world).publish(write, other));
        }
    }
    for _ in 0..=any(2) {
        let holder = Rc::clone(&holders[*random.pick(&[0, 0, 0, 1, 2, 3, 4, 4])]);
        world.spawn(Rc::clone(world).work(holder));
    }
    if any(3) == 0 {
        let victim = Rc::clone(&holders[*random.pick(&[0, 0, 4])]);
        world.spawn(Rc::clone(world).steal(victim));
    }
    if any(6) == 0 {
        world.spawn(Rc::clone(world).take_turns(Rc::clone(&holders[any(3)])));
    }
    if any(40) == 0 {
        world.spawn(Rc::clone(world).hurry(Rc::clone(&holders[any(3)])));
    }
    if any(3) == 0 {
        world.spawn(Rc::clone(world).administer(*random.pick(&[0, 0, 1])));
    }
    if any(6) == 0 {
        world.spawn(Rc::clone(world).authorize(*random.pick(&[0, 0, 1, 2])));
    }
    if any(6) == 0 {
        world.spawn(Rc::clone(world).narrow(Rc::clone(&holders[*random.pick(&[0, 0, 1, 2])])));
    }
    if any(8) == 0 {
        world.spawn(Rc::clone(world).leave(Rc::clone(&holders[0])));
    }
    if any(8) == 0 {
        world.spawn(Rc::clone(world).change_person(*random.pick(&[0, 2])));
    }
    if any(8) == 0 {
        world.spawn(Rc::clone(world).purge());
    }
}

/// Late work is done before everybody comes to an end, or never.
fn finish_late_work(world: &World) {
    let late = world.late.take();
    for (task, work) in late {
        if world.random.below(2) == 0 {
            world.finish(task, work);
        }
    }
}

impl World {
    /// Everybody tries to come to an end, in peace.
    async fn end(self: Rc<Self>, holders: Vec<Rc<Holder>>) {
        self.sleep(310_000).await;
        for holder in &holders {
            self.demand_that_it_works(holder).await;
        }
        let writes = self.observed.borrow().writes.len();
        for write in 0..writes {
            self.demand_that_it_is_published(write, &holders).await;
        }
    }

    /// A connection that nothing has ended still refreshes, and its new token works.
    async fn demand_that_it_works(self: &Rc<Self>, holder: &Holder) {
        let Some(pair) = holder.pair.borrow().clone() else { return };
        // Nobody has used it: it is as it was at the beginning.
        if self.connection(holder.connection_index).pair.as_ref() == Some(&pair)
            && !self.observed.borrow().is_used(&pair.refresh)
        {
            return;
        }
        let must_work = self.observed.borrow().must_refresh(holder.connection_index, &pair.refresh, self.now() + 10);
        let mut works = self.refresh(holder).await;
        if !works && must_work {
            // As many access tokens as there may be are alive: an hour later they are not.
            self.sleep(3_700_000).await;
            works = self.refresh(holder).await;
        }
        let access = holder.pair.borrow().as_ref().map_or(pair.access, |pair| pair.access.clone());
        let reply = self.send(SentRequest::ping(holder.connection_index, &access)).await;
        let is_answered = reply.is_some_and(|reply| reply.status == 200);
        // Presenting it may have ended the connection: somebody else had used its successor.
        let must_work = must_work && self.observed.borrow().connections[holder.connection_index].end_began.is_none();
        if must_work && !(works && is_answered) {
            let how = format!("connection {}: refreshed {works}, answered {is_answered}", holder.connection_index);
            self.observed.borrow_mut().break_promise("a connection that nothing has ended works", how);
        }
    }

    /// A write that was called for is there once its callers have repeated the call.
    async fn demand_that_it_is_published(self: &Rc<Self>, write: usize, holders: &[Rc<Holder>]) {
        let callers: Vec<usize> = self.observed.borrow().writes[write].callers.keys().copied().collect();
        let mut open = callers.clone();
        for _ in 0..4 {
            for connection_index in std::mem::take(&mut open) {
                let wanted = self.observed.borrow().writes[write].wanted.clone();
                let (tool, arguments) = wanted.call(write);
                let kind = RequestKind::CallTool { write, is_preview: false };
                let call = |access: &str| SentRequest::call(connection_index, kind, access, tool, &arguments);
                let reply = self.call_with(&holders[connection_index], call).await;
                if !reply.is_some_and(|reply| says_done(&reply)) {
                    open.push(connection_index);
                }
            }
            if open.is_empty() {
                return;
            }
            self.sleep(300_000).await;
        }
        let observed = &mut *self.observed.borrow_mut();
        let now = self.now();
        // Later, a call counts as a new one, and finds what the first may have published.
        let is_repeated = observed.writes[write].callers.values().all(|first| now - first < REPEATED_SECONDS);
        let is_free = is_repeated
            && callers.iter().all(|connection_index| {
                let connection = &observed.connections[*connection_index];
                connection.end_began.is_none()
                    && !connection.narrowing.began
                    && !connection.pause.may_hold
                    && !connection.block.may_hold
                    && !connection.role_lost.may_hold
                    && holders[*connection_index].pair.borrow().is_some()
            });
        if is_free && !observed.writes[write].is_told_done {
            observed.break_promise("calls repeated in peace report the write", format!("write {write}, open {open:?}"));
        }
    }
}

/// Grants with more than one refresh token that can be rotated.
const LIVING: &str = "SELECT count(*) FROM (SELECT 1 FROM refresh_tokens r JOIN grants g ON g.id = r.grant_id \
                      WHERE r.rotated_at IS NULL AND g.revoked_at IS NULL AND '' = ?1 GROUP BY grant_id HAVING count(*) > 1)";
/// Revoked grants whose end is not on record; an approval that leaves nothing of an earlier one is recorded as what replaced it.
const UNRECORDED: &str = "SELECT count(*) FROM grants g WHERE revoked_at IS NOT NULL AND '' = ?1 AND NOT EXISTS \
     (SELECT 1 FROM audit a WHERE a.grant_id = g.id AND (a.kind IN ('revoke', 'code_replay', 'refresh_reuse') \
     OR a.kind = 'narrow' AND a.detail = 'replaced'))";

fn check_rows(world: &World) {
    let rules = [
        (LIVING, "at most one refresh token of a grant can be rotated"),
        (UNRECORDED, "the end of every grant is on record"),
    ];
    for (sql, promise) in rules {
        let count = world.base.stored.count(sql, "");
        if count > 0 {
            world.observed.borrow_mut().break_promise(promise, format!("{count} rows"));
        }
    }
}
