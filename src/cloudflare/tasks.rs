//! The futures of requests. A task runs at once until it waits for an operation of the runtime, and goes on inside the call that brings the
//! operation's result: the executor of js-sys would take a promise and a microtask for each of these steps.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};

type Task = Pin<Box<dyn Future<Output = ()>>>;

thread_local! {
    static NEWEST: Cell<u32> = const { Cell::new(0) };
    /// The tasks that wait, by number. They are few, so a list is searched faster than a map.
    static WAITING: RefCell<Vec<(u32, Task)>> = const { RefCell::new(Vec::new()) };
    /// Numbers of tasks that can go on.
    static READY: RefCell<VecDeque<u32>> = const { RefCell::new(VecDeque::new()) };
}

struct TaskWaker(u32);

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        READY.with_borrow_mut(|ready| ready.push_back(self.0));
    }
}

/// Starts a task and runs it until it waits.
pub fn start(task: impl Future<Output = ()> + 'static) {
    let number = NEWEST.get().wrapping_add(1);
    NEWEST.set(number);
    advance(number, Box::pin(task));
    run_ready();
}

/// Runs the tasks that were woken until each of them waits again.
pub fn run_ready() {
    while let Some(number) = READY.with_borrow_mut(VecDeque::pop_front) {
        // A task that was woken twice may be done.
        let found = WAITING.with_borrow_mut(|waiting| {
            let place = waiting.iter().position(|(other, _)| *other == number)?;
            Some(waiting.swap_remove(place).1)
        });
        if let Some(task) = found {
            advance(number, task);
        }
    }
}

fn advance(number: u32, mut task: Task) {
    let waker = Waker::from(Arc::new(TaskWaker(number)));
    if task.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
        WAITING.with_borrow_mut(|waiting| waiting.push((number, task)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use std::rc::Rc;
    use std::task::Poll;

    /// Is ready when it is polled for that time, and leaves its waker until then.
    async fn polled(times: u32, waker: Rc<RefCell<Option<Waker>>>) {
        let mut left = times;
        poll_fn(|context| {
            left -= 1;
            *waker.borrow_mut() = Some(context.waker().clone());
            if left == 0 { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    fn wake(waker: &Rc<RefCell<Option<Waker>>>) {
        waker.borrow().as_ref().expect("it was polled").wake_by_ref();
    }

    #[test]
    fn task_that_never_waits_is_done_when_start_returns() {
        let done = Rc::new(Cell::new(false));
        let told = Rc::clone(&done);
        start(async move { told.set(true) });
        assert!(done.get());
        assert!(WAITING.with_borrow(Vec::is_empty));
    }

    #[test]
    fn woken_task_goes_on_and_another_does_not() {
        let wakers = [Rc::default(), Rc::default()];
        let done = Rc::new(RefCell::new(Vec::new()));
        for (number, waker) in wakers.iter().cloned().enumerate() {
            let told = Rc::clone(&done);
            start(async move {
                polled(2, waker).await;
                told.borrow_mut().push(number);
            });
        }
        wake(&wakers[1]);
        run_ready();
        assert_eq!(*done.borrow(), [1]);
        // Woken twice, and once more when it is done.
        wake(&wakers[0]);
        wake(&wakers[0]);
        run_ready();
        wake(&wakers[0]);
        run_ready();
        assert_eq!(*done.borrow(), [1, 0]);
    }

    #[test]
    fn task_that_wakes_itself_or_starts_another_is_polled_again() {
        let done = Rc::new(Cell::new(0));
        let (outer, inner) = (Rc::clone(&done), Rc::clone(&done));
        start(async move {
            let mut yielded = false;
            poll_fn(|context| {
                context.waker().wake_by_ref();
                if std::mem::replace(&mut yielded, true) { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
            start(async move { inner.set(inner.get() + 1) });
            outer.set(outer.get() + 1);
        });
        assert_eq!(done.get(), 2);
    }
}
