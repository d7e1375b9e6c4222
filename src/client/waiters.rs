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
        self.latest.set(self.latest.get() + 1);
        let registration = Registration { waiters: self, number: self.latest.get() };
        poll_fn(|context| {
            let answer = look();
            if answer.is_none() {
                registration.keep(context.waker().clone());
            }
            answer.map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }

    /// Takes the wakers of all who wait.
    pub(super) fn take(&self) -> impl Iterator<Item = Waker> {
        self.wakers.replace(BTreeMap::new()).into_values()
    }
}

/// Where a future keeps its waker as long as it lives. A waker may be the last owner of a task, whose end runs user code, so none is
/// dropped while something is borrowed.
struct Registration<'a> {
    waiters: &'a Waiters,
    number: u64,
}

impl Registration<'_> {
    fn keep(&self, waker: Waker) {
        let _before = self.waiters.wakers.borrow_mut().insert(self.number, waker);
    }
}

impl Drop for Registration<'_> {
    fn drop(&mut self) {
        let _waker = self.waiters.wakers.borrow_mut().remove(&self.number);
    }
}
