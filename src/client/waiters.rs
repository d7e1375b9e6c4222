//! Tasks that wait for something to change.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::task::{Poll, Waker};

use crate::reentrancy_cell::ReentrancyCell;

/// The tasks that wait for something to change, each by a number of its own.
#[derive(Default)]
pub(super) struct Waiters {
    wakers: ReentrancyCell<BTreeMap<u64, Waker>>,
    latest: Cell<u64>,
}

impl Waiters {
    /// Waits until `look` has an answer. It looks again whenever its waker was [taken](Self::take) and woken.
    pub(super) async fn wait_for<T>(&self, look: impl Fn() -> Option<T>) -> T {
        let registration = Registration { waiters: self, number: self.number() };
        poll_fn(|context| {
            let answer = look();
            if answer.is_none() {
                self.keep(registration.number, context.waker().clone());
            }
            answer.map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }

    /// Takes the wakers of all who wait.
    pub(super) fn take(&self) -> impl Iterator<Item = Waker> {
        self.wakers.replace(BTreeMap::new()).into_values()
    }

    /// A number for one who waits.
    pub(super) fn number(&self) -> u64 {
        self.latest.set(self.latest.get() + 1);
        self.latest.get()
    }

    /// Keeps a waker in place of the one before it. A waker may be the last owner of a task, whose end runs user code, so none is dropped while
    /// something is borrowed.
    pub(super) fn keep(&self, number: u64, waker: Waker) {
        let _before = self.wakers.borrow_mut().insert(number, waker);
    }

    /// Lets go of a waker.
    pub(super) fn forget(&self, number: u64) {
        let _waker = self.wakers.borrow_mut().remove(&number);
    }
}

/// Where a future keeps its waker as long as it lives.
struct Registration<'a> {
    waiters: &'a Waiters,
    number: u64,
}

impl Drop for Registration<'_> {
    fn drop(&mut self) {
        self.waiters.forget(self.number);
    }
}
