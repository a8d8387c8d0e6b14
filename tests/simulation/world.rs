//! Everything that a story plays on: instances of the product, one database, one StatiBeat, one clock.

use crate::base::{Base, BaseConnection};
use crate::clients::{Holder, PACES};
use crate::interruptions::Interruption;
use crate::observations::{Moment, Observations, Reply, SentRequest};
use crate::ports::InstancePorts;
use crate::random::Random;
use crate::report::Totals;
use crate::scheduler::{Progress, Scheduler, TaskId, Turn};
use crate::support::START;
use crate::weather::{Fault, Weather};
use bytes::Bytes;
use futures_util::future::LocalBoxFuture;
use http::Request;
use statibeat_mcp::hosted::rate_limit::WindowCount;
use statibeat_mcp::model::ids::RequestId;
use statibeat_mcp::model::timestamp::Timestamp;
use statibeat_mcp::ports::{BodyError, RequestBody, Statement};
use statibeat_mcp::web::{self, App, RequestInputs};
use statibeat_simulator::Simulator;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// More steps than any story needs.
const MOST_STEPS: u32 = 30_000;

/// Work whose sender was told that it failed.
pub enum LateWork {
    Batch(Vec<Statement>),
    Upstream(Box<Request<Bytes>>),
}

struct Instance {
    app: Rc<App>,
    /// Offset of its clock, in milliseconds.
    skew: u64,
}

pub struct World {
    pub base: Rc<Base>,
    pub scheduler: Scheduler,
    pub random: Random,
    /// The random bytes of the product.
    bytes: Random,
    pub weather: RefCell<Weather>,
    pub simulator: Simulator,
    instances: RefCell<Vec<Instance>>,
    pub counters: RefCell<HashMap<String, WindowCount>>,
    pub late: RefCell<Vec<(TaskId, LateWork)>>,
    connections: RefCell<Vec<Rc<BaseConnection>>>,
    /// Those who hold the tokens of connections that were approved in the story.
    pub approved: RefCell<Vec<Rc<Holder>>>,
    pub observed: RefCell<Observations>,
    pub totals: RefCell<Totals>,
    /// The event that is still to happen while a request decides.
    pub interruption: Cell<Option<Interruption>>,
    /// The longest pause of a client, in milliseconds.
    pub pace: Cell<u64>,
    /// The events of the story, if somebody wants to read them.
    pub trace: Option<RefCell<Vec<String>>>,
}

impl World {
    pub fn new(base: &Rc<Base>, seed: u64, is_traced: bool) -> Rc<Self> {
        let random = Random::new(seed);
        let weather = Weather::draw(&random);
        let world = Rc::new(Self {
            base: Rc::clone(base),
            scheduler: Scheduler::default(),
            bytes: Random::new(!seed),
            weather: RefCell::new(weather),
            simulator: base.simulator(),
            instances: RefCell::default(),
            counters: RefCell::default(),
            late: RefCell::default(),
            connections: RefCell::new(base.connections.clone()),
            approved: RefCell::default(),
            observed: RefCell::new(Observations::new(&base.connections)),
            totals: RefCell::default(),
            interruption: Cell::new(Interruption::draw(&random)),
            pace: Cell::new(*random.pick(&PACES)),
            trace: is_traced.then(RefCell::default),
            random,
        });
        world.scheduler.clock.set(START.unsigned_abs() * 1000 + 5_000);
        let is_skewed = world.random.below(3) == 0;
        for _ in 0..*world.random.pick(&[1, 2, 2, 3]) {
            let skew = if is_skewed { world.random.next() % 2_000 } else { 0 };
            let instance = world.start_instance(skew);
            world.instances.borrow_mut().push(instance);
        }
        world.trace(|| format!("{:?}, {} instances", world.weather.borrow(), world.instances.borrow().len()));
        world
    }

    fn start_instance(self: &Rc<Self>, skew: u64) -> Instance {
        let ports = Rc::new(InstancePorts(Rc::clone(self)));
        let config = Rc::clone(&self.base.config);
        Instance { app: Rc::new(App::new(config, ports.clone(), ports.clone(), ports)), skew }
    }

    pub fn connection(&self, index: usize) -> Rc<BaseConnection> {
        Rc::clone(&self.connections.borrow()[index])
    }

    /// Adds a connection whose approval began at this step; its index.
    pub fn add_connection(&self, connection: BaseConnection, began: u32) -> usize {
        let index = self.observed.borrow_mut().add_connection(&connection, began);
        self.connections.borrow_mut().push(Rc::new(connection));
        index
    }

    pub fn trace(&self, event: impl FnOnce() -> String) {
        if let Some(trace) = &self.trace {
            let (step, task) = (self.scheduler.steps.get(), self.scheduler.current());
            let elapsed = self.scheduler.clock.get() - START.unsigned_abs() * 1000;
            trace.borrow_mut().push(format!("{step:>5} {:>10.3} s  task {task:<4} {}", seconds(elapsed), event()));
        }
    }

    /// The time in seconds since the Unix epoch.
    pub fn now(&self) -> i64 {
        i64::try_from(self.scheduler.clock.get() / 1000).expect("a time")
    }

    pub fn spawn(&self, task: impl Future<Output = ()> + 'static) -> TaskId {
        let task: LocalBoxFuture<'static, ()> = Box::pin(task);
        self.scheduler.spawn(None, task)
    }

    pub async fn sleep(&self, milliseconds: u64) {
        self.scheduler.wait(Turn::Sleep(self.scheduler.clock.get() + milliseconds)).await;
    }

    /// Waits for a turn, and counts the fault that comes with it.
    pub async fn wait_for_turn(&self, turn: Turn) -> Option<Fault> {
        let fault = self.scheduler.wait(turn).await;
        if let Some(fault) = fault {
            self.totals.borrow_mut().add_fault(turn, fault);
            self.observed.borrow_mut().note_fault(self.scheduler.current());
            self.trace(|| format!("  fault of {turn:?}: {fault:?}"));
        }
        fault
    }

    /// Sends a request and waits for the reply; none if it was lost, or came too late.
    pub async fn send(self: &Rc<Self>, sent: SentRequest) -> Option<Reply> {
        let slot = Rc::new(ReplySlot::new(self.scheduler.current()));
        let answering = Answering::new(self, &slot);
        self.spawn(Rc::clone(self).carry(sent, Some(answering), true));
        WaitForReply(slot).await
    }

    /// Carries a request to an instance, and its reply back.
    async fn carry(self: Rc<Self>, sent: SentRequest, mut answering: Option<Answering>, is_first: bool) {
        match self.wait_for_turn(Turn::Arrival).await {
            Some(Fault::Before) => return,
            Some(Fault::Late) => {
                drop(answering.take());
                self.sleep(*self.random.pick(&[50, 3_000, 40_000])).await;
            }
            Some(_) if is_first => {
                self.spawn(Rc::clone(&self).carry_again(sent.clone()));
            }
            _ => {}
        }
        let reply = self.handle(&sent).await;
        let Some(answering) = answering else { return };
        if self.wait_for_turn(Turn::Delivery).await.is_none() {
            answering.deliver(reply);
        }
    }

    fn carry_again(self: Rc<Self>, sent: SentRequest) -> LocalBoxFuture<'static, ()> {
        Box::pin(self.carry(sent, None, false))
    }

    async fn handle(self: &Rc<Self>, sent: &SentRequest) -> Reply {
        let at = self.random.below(self.instances.borrow().len());
        let (app, skew) = {
            let instances = self.instances.borrow();
            (Rc::clone(&instances[at].app), instances[at].skew)
        };
        self.scheduler.move_to(at);
        let clock = || self.scheduler.clock.get() + skew;
        let random = |bytes: &mut [u8]| self.bytes.fill(bytes);
        let now = Timestamp::from_milliseconds(clock());
        let began = Moment { step: self.scheduler.steps.get(), now: now.as_seconds() };
        let number = self.observed.borrow_mut().begin(self.scheduler.current(), sent, began);
        self.totals.borrow_mut().requests += 1;
        self.trace(|| format!("request {number} at instance {at}: {sent:?}"));
        let request_id = RequestId::parse(format!("request-{number}")).expect("an id");
        let inputs = RequestInputs { request_id, now, clock: &clock, random: &random };
        let answered = web::handle(&app, inputs, &sent.head(), &SentBody(sent.body.clone().into())).await;
        let mut response = answered.response;
        if let Some(wait) = web::gather(&mut response, &app.usage, clock()) {
            self.spawn(Rc::clone(self).flush_usage(app, at, wait));
        }
        let reply = Reply::of_response(&response);
        self.trace(|| format!("request {number}: {} {}", reply.status, reply.summary()));
        self.observed.borrow_mut().end(number, &reply, self);
        reply
    }

    async fn flush_usage(self: Rc<Self>, app: Rc<App>, instance: usize, wait: std::time::Duration) {
        self.scheduler.move_to(instance);
        self.sleep(u64::try_from(wait.as_millis()).expect("short")).await;
        web::count(&*app.db, &app.usage.take(), &|_| {}).await;
    }

    /// Runs until every task has ended, or something is broken.
    pub fn run(self: &Rc<Self>) {
        loop {
            self.disturb();
            let progress = self.scheduler.step(&self.random, &self.weather.borrow());
            if self.observed.borrow().broken.is_some() || progress == Progress::Finished {
                return;
            }
            if progress == Progress::Stuck || self.scheduler.steps.get() > MOST_STEPS {
                self.observed.borrow_mut().break_promise("every request comes to an end", format!("{progress:?}"));
                return;
            }
        }
    }

    /// Lets something happen between two steps: an instance ends, a client goes away, late work is done after all.
    fn disturb(self: &Rc<Self>) {
        let Weather { crashes, cancellations, evictions, .. } = *self.weather.borrow();
        if self.random.chance(crashes) {
            let at = self.random.below(self.instances.borrow().len());
            self.trace(|| format!("instance {at} ends"));
            let ended = self.scheduler.end_instance(at);
            self.replace_instance(at);
            self.totals.borrow_mut().add_crash(ended);
        }
        if self.random.chance(evictions) {
            let at = self.random.below(self.instances.borrow().len());
            self.replace_instance(at);
            self.totals.borrow_mut().evictions += 1;
        }
        if self.random.chance(cancellations) {
            let running = self.scheduler.running();
            if !running.is_empty() {
                let task = *self.random.pick(&running);
                self.trace(|| format!("the client of task {task} goes away"));
                self.scheduler.end_task(task);
                self.totals.borrow_mut().cancellations += 1;
            }
        }
        let late = self.late.borrow().len();
        if late > 0 && self.random.chance(100) {
            let (task, work) = self.late.borrow_mut().swap_remove(self.random.below(late));
            self.trace(|| format!("late work of task {task} is done"));
            self.finish(task, work);
        }
    }

    /// Does late work of a task. It was sent before whatever has happened since.
    pub fn finish(&self, task: TaskId, work: LateWork) {
        match work {
            LateWork::Batch(batch) => drop(self.base.stored.run(&batch)),
            LateWork::Upstream(request) => drop(self.exchange(&request, task, 0)),
        }
    }

    /// Requests in progress keep the old one until they end.
    fn replace_instance(self: &Rc<Self>, at: usize) {
        let skew = self.instances.borrow()[at].skew;
        let instance = self.start_instance(skew);
        self.instances.borrow_mut()[at] = instance;
    }

    /// Ends the story and every task in it.
    pub fn clear(&self) {
        self.scheduler.clear();
        self.instances.borrow_mut().clear();
    }
}

#[expect(clippy::cast_precision_loss, reason = "for readers")]
fn seconds(milliseconds: u64) -> f64 {
    milliseconds as f64 / 1000.0
}

struct SentBody(Bytes);

#[async_trait::async_trait(?Send)]
impl RequestBody for SentBody {
    async fn read(&self, _limit: usize) -> Result<Bytes, BodyError> {
        Ok(self.0.clone())
    }
}

/// The place where a client waits for its reply.
pub struct ReplySlot {
    client: TaskId,
    /// Set once there will be no other.
    reply: RefCell<Option<Reply>>,
    is_over: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

impl ReplySlot {
    pub fn new(client: TaskId) -> Self {
        Self { client, reply: RefCell::default(), is_over: Cell::new(false), waker: RefCell::default() }
    }
}

/// The duty to answer a client, which learns of it when nobody will.
pub struct Answering {
    world: Rc<World>,
    slot: Rc<ReplySlot>,
}

impl Answering {
    pub fn new(world: &Rc<World>, slot: &Rc<ReplySlot>) -> Self {
        Self { world: Rc::clone(world), slot: Rc::clone(slot) }
    }

    fn deliver(self, reply: Reply) {
        self.slot.reply.replace(Some(reply));
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.slot.is_over.set(true);
        if let Some(waker) = self.slot.waker.take() {
            waker.wake();
        }
        self.world.scheduler.wake(self.slot.client);
    }
}

pub struct WaitForReply(pub Rc<ReplySlot>);

impl Future for WaitForReply {
    type Output = Option<Reply>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Reply>> {
        if self.0.is_over.get() {
            return Poll::Ready(self.0.reply.take());
        }
        self.0.waker.replace(Some(context.waker().clone()));
        Poll::Pending
    }
}
