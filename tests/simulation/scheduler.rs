//! The executor: every task waits before each use of a port, and the seed picks who goes on and what goes wrong then.

use crate::random::Random;
use crate::weather::{Fault, Weather};
use futures_util::future::LocalBoxFuture;
use futures_util::task::noop_waker_ref;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};

pub type TaskId = u32;

/// A point at which a task waits for its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    Database,
    StatiBeat,
    Limiter,
    /// A request on its way to an instance.
    Arrival,
    /// A reply on its way back.
    Delivery,
    /// Goes on at this time, in milliseconds.
    Sleep(u64),
}

struct Slot {
    /// True once it is the task's turn.
    is_released: Cell<bool>,
    /// The fault that the task meets then.
    fault: Cell<Option<Fault>>,
    waker: RefCell<Option<Waker>>,
}

struct Parked {
    task: TaskId,
    turn: Turn,
    since: u64,
    slot: Weak<Slot>,
}

struct Task {
    future: LocalBoxFuture<'static, ()>,
    /// The instance that it ends with.
    instance: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    Moved,
    /// Every task of the story has ended.
    Finished,
    /// A task waits for something that never comes.
    Stuck,
}

#[derive(Default)]
pub struct Scheduler {
    tasks: RefCell<BTreeMap<TaskId, Task>>,
    parked: RefCell<Vec<Parked>>,
    ready: RefCell<VecDeque<TaskId>>,
    spawned: RefCell<Vec<(TaskId, Task)>>,
    current: Cell<TaskId>,
    last: Cell<TaskId>,
    moved_to: Cell<Option<usize>>,
    next_task: Cell<TaskId>,
    /// Number of steps so far.
    pub steps: Cell<u32>,
    /// The time in milliseconds since the Unix epoch.
    pub clock: Cell<u64>,
}

impl Scheduler {
    pub fn spawn(&self, instance: Option<usize>, future: LocalBoxFuture<'static, ()>) -> TaskId {
        let id = self.next_task.get() + 1;
        self.next_task.set(id);
        self.spawned.borrow_mut().push((id, Task { future, instance }));
        self.ready.borrow_mut().push_back(id);
        id
    }

    /// The task that runs now.
    pub fn current(&self) -> TaskId {
        self.current.get()
    }

    /// Lets a task run before the next step.
    pub fn wake(&self, task: TaskId) {
        self.ready.borrow_mut().push_back(task);
    }

    pub fn wait(&self, turn: Turn) -> Waiting<'_> {
        Waiting { scheduler: self, turn, slot: None }
    }

    /// Assigns the task that runs now to an instance, with which it ends.
    pub fn move_to(&self, instance: usize) {
        self.moved_to.set(Some(instance));
    }

    /// Ends every task of an instance; their number.
    pub fn end_instance(&self, instance: usize) -> usize {
        let ids: Vec<TaskId> =
            self.tasks.borrow().iter().filter(|(_, task)| task.instance == Some(instance)).map(|(id, _)| *id).collect();
        for id in &ids {
            self.end_task(*id);
        }
        ids.len()
    }

    pub fn end_task(&self, id: TaskId) {
        let task = self.tasks.borrow_mut().remove(&id);
        drop(task);
    }

    /// Lets every task run that need not wait for its turn.
    pub fn run_ready(&self) {
        loop {
            self.tasks.borrow_mut().extend(self.spawned.borrow_mut().drain(..));
            let Some(id) = self.ready.borrow_mut().pop_front() else { return };
            self.poll(id);
        }
    }

    fn poll(&self, id: TaskId) {
        let Some(mut task) = self.tasks.borrow_mut().remove(&id) else { return };
        self.current.set(id);
        self.moved_to.set(task.instance);
        let is_done = task.future.as_mut().poll(&mut Context::from_waker(noop_waker_ref())).is_ready();
        task.instance = self.moved_to.get();
        if !is_done {
            self.tasks.borrow_mut().insert(id, task);
        }
    }

    /// Lets one waiting task go on, with the fault that the weather has for it.
    pub fn step(&self, random: &Random, weather: &Weather) -> Progress {
        self.run_ready();
        self.parked.borrow_mut().retain(|parked| parked.slot.strong_count() > 0);
        if self.tasks.borrow().is_empty() {
            return Progress::Finished;
        }
        let Some(at) = self.choose(random, weather) else { return Progress::Stuck };
        let Parked { task, turn, since, slot } = self.parked.borrow_mut().swap_remove(at);
        self.steps.set(self.steps.get() + 1);
        self.last.set(task);
        let waited = self.clock.get().saturating_sub(since);
        self.clock.set(self.clock.get() + weather.draw_delay(random));
        let Some(slot) = slot.upgrade() else { return Progress::Moved };
        slot.fault.set(weather.draw_fault(random, turn, waited));
        slot.is_released.set(true);
        if let Some(waker) = slot.waker.borrow_mut().take() {
            waker.wake();
        }
        self.poll(task);
        self.run_ready();
        Progress::Moved
    }

    /// The place of the task that goes on: often the one that went on last, so that some are overtaken by many.
    fn choose(&self, random: &Random, weather: &Weather) -> Option<usize> {
        let parked = self.parked.borrow();
        let wakes_at = |parked: &Parked| match parked.turn {
            Turn::Sleep(until) => until,
            _ => 0,
        };
        let earliest = parked.iter().map(wakes_at).min()?;
        self.clock.set(self.clock.get().max(earliest));
        let awake: Vec<usize> = (0..parked.len()).filter(|at| wakes_at(&parked[*at]) <= self.clock.get()).collect();
        let last = awake.iter().find(|at| parked[**at].task == self.last.get());
        match last {
            Some(at) if random.chance(weather.burst) => Some(*at),
            _ => Some(*random.pick(&awake)),
        }
    }

    /// The tasks that belong to an instance.
    pub fn running(&self) -> Vec<TaskId> {
        self.tasks.borrow().iter().filter(|(_, task)| task.instance.is_some()).map(|(id, _)| *id).collect()
    }

    /// Ends everything, at the end of a story.
    pub fn clear(&self) {
        drop(self.tasks.take());
        drop(self.spawned.take());
        self.ready.borrow_mut().clear();
        self.parked.borrow_mut().clear();
    }
}

/// A task that waits for its turn.
pub struct Waiting<'a> {
    scheduler: &'a Scheduler,
    turn: Turn,
    slot: Option<Rc<Slot>>,
}

impl Future for Waiting<'_> {
    type Output = Option<Fault>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Fault>> {
        let (scheduler, turn) = (self.scheduler, self.turn);
        let slot = self.slot.get_or_insert_with(|| {
            let slot =
                Rc::new(Slot { is_released: Cell::new(false), fault: Cell::new(None), waker: RefCell::new(None) });
            let (task, since) = (scheduler.current(), scheduler.clock.get());
            scheduler.parked.borrow_mut().push(Parked { task, turn, since, slot: Rc::downgrade(&slot) });
            slot
        });
        if slot.is_released.get() {
            return Poll::Ready(slot.fault.get());
        }
        slot.waker.replace(Some(context.waker().clone()));
        Poll::Pending
    }
}
