//! Plays a schedule: polls the calls by hand, one step at a time, and drops those that a restart ends.

use super::plan::{Event, Plan};
use super::ports::Faults;
use super::world::{self, START, Totals, World};
use futures_util::future::LocalBoxFuture;
use futures_util::task::noop_waker_ref;
use statibeat_mcp::keyring::KeyRing;
use statibeat_simulator::Simulator;
use std::cell::Cell;
use std::task::Context;

/// Longer than any hold on a write.
const LONG: i64 = 300;

pub fn play(plan: &Plan) -> Totals {
    let ring: KeyRing = world::ring();
    let simulator: Simulator = world::simulator(&ring);
    let (faults, now) = (Faults::new(&plan.faults), Cell::new(START));
    let world = World::new(plan, &faults, &simulator, &now, &ring);
    let mut running: Vec<LocalBoxFuture<'_, ()>> = Vec::new();
    for event in &plan.events {
        happen(&world, &mut running, *event);
    }
    while !running.is_empty() {
        advance(&mut running, 0, 1);
    }
    faults.is_healed.set(true);
    repeat_until_done(&world);
    world.totals()
}

fn happen<'w>(world: &'w World<'w>, running: &mut Vec<LocalBoxFuture<'w, ()>>, event: Event) {
    match event {
        Event::BeginCall { write, through } => running.push(Box::pin(world.call(write, through))),
        Event::Step { call, steps } => advance(running, call, steps),
        Event::Restart(of) if !running.is_empty() => {
            let at = of % running.len();
            drop(running.swap_remove(at));
        }
        Event::Restart(_) => {}
        Event::Seconds(seconds) => world.now.set(world.now.get() + i64::from(seconds)),
    }
}

fn advance(running: &mut Vec<LocalBoxFuture<'_, ()>>, of: usize, steps: u8) {
    for _ in 0..steps {
        if running.is_empty() {
            return;
        }
        let at = of % running.len();
        if running[at].as_mut().poll(&mut Context::from_waker(noop_waker_ref())).is_ready() {
            drop(running.swap_remove(at));
            return;
        }
    }
}

/// A client that is patient, on each connection it has called through; all of it within the half hour in which the same
/// through another connection counts as one. What still has no end after that counts as lost.
fn repeat_until_done(world: &World<'_>) {
    let is_called = |write, through| world.plan.events.contains(&Event::BeginCall { write, through });
    let both = |write: usize| [1, 0].into_iter().map(move |through| (write, through));
    let mut open: Vec<(usize, usize)> = (0..world.plan.wanted.len())
        .flat_map(both)
        .filter(|(write, through)| *through == 0 || is_called(*write, *through))
        .collect();
    for _ in 0..5 {
        world.now.set(world.now.get() + LONG);
        open.retain(|(write, through)| {
            let mut call: Vec<LocalBoxFuture<'_, ()>> = vec![Box::pin(world.call(*write, *through))];
            while !call.is_empty() {
                advance(&mut call, 0, 1);
            }
            !world.results.borrow().last().is_some_and(|(_, _, told)| told.is_done())
        });
    }
}
