//! Plays a schedule: polls the calls by hand, one step at a time, and drops those that a restart ends.

use super::plan::{Event, Plan};
use super::ports::Faults;
use super::simulator::Simulator;
use super::world::{self, START, Told, Verdict, World};
use futures_util::future::LocalBoxFuture;
use futures_util::task::noop_waker_ref;
use statibeat_mcp::keyring::KeyRing;
use std::cell::Cell;
use std::task::Context;

/// Longer than any hold on a write.
const LONG: i64 = 300;

pub fn play(plan: &Plan) -> Verdict {
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
    for write in 0..plan.wanted.len() {
        repeat_until_done(&world, write);
    }
    world.verdict()
}

fn happen<'w>(world: &'w World<'w>, running: &mut Vec<LocalBoxFuture<'w, ()>>, event: Event) {
    match event {
        Event::Call(write) => running.push(Box::pin(world.call(write))),
        Event::Step { of, steps } => advance(running, of, steps),
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

/// A client that is patient. What still has no end after that counts as lost.
fn repeat_until_done(world: &World<'_>, write: usize) {
    for _ in 0..5 {
        world.now.set(world.now.get() + LONG);
        let mut call: Vec<LocalBoxFuture<'_, ()>> = vec![Box::pin(world.call(write))];
        while !call.is_empty() {
            advance(&mut call, 0, 1);
        }
        if world.told.borrow().last().is_some_and(|(_, _, told)| *told == Told::Done) {
            return;
        }
    }
}
