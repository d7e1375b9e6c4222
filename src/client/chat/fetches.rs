//! Pages of the history that are on their way.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::client::waiters::Waiters;
use crate::reentrancy_cell::ReentrancyCell;

/// The fetches of one conversation that are under way, by their tokens.
#[derive(Default)]
pub(super) struct Fetches(ReentrancyCell<BTreeMap<u64, Rc<Fetch>>>);

impl Fetches {
    pub(super) fn begin(&self, token: u64) -> Rc<Fetch> {
        let fetch = Rc::<Fetch>::default();
        self.0.borrow_mut().insert(token, fetch.clone());
        fetch
    }

    pub(super) fn find(&self, token: u64) -> Option<Rc<Fetch>> {
        self.0.borrow_mut().get(&token).cloned()
    }

    /// Lets go of this fetch, and not of a later one that has its token.
    pub(super) fn remove(&self, fetch: &Rc<Fetch>) {
        self.0.borrow_mut().retain(|_, other| !Rc::ptr_eq(other, fetch));
    }
}

/// A fetch, and the tasks that wait for it.
#[derive(Default)]
pub(super) struct Fetch {
    outcome: ReentrancyCell<Option<Result<(), String>>>,
    waiters: Waiters,
}

impl Fetch {
    /// Waits until it has [ended](Self::end).
    pub(super) async fn outcome(&self) -> Result<(), String> {
        self.waiters.wait_for(|| self.outcome.borrow_mut().clone()).await
    }

    pub(super) fn end(&self, outcome: Result<(), String>) {
        self.outcome.replace(Some(outcome));
        for waker in self.waiters.take() {
            waker.wake();
        }
    }
}
