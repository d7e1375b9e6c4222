//! Waiting for conditions, never for durations.

use std::cell::RefCell;
use std::rc::Rc;

use crate::page;

/// Waits until `condition` holds; fails after a while, saying `what` did not happen.
pub async fn until(what: &str, mut condition: impl FnMut() -> bool) {
    until_async(what, async || condition()).await;
}

/// As [`until`], for a condition that has to ask somebody.
pub async fn until_async(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    for _ in 0..PATIENCE_MS / STEP_MS {
        if condition().await {
            return;
        }
        page::sleep(STEP_MS).await;
    }
    panic!("in vain waited until {what}");
}

/// Collects what handlers tell. Clones share it.
pub struct Log<T>(Rc<RefCell<Vec<T>>>);

impl<T> Clone for Log<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Clone> Log<T> {
    pub fn new() -> Self {
        Self(Rc::default())
    }

    pub fn add(&self, entry: T) {
        self.0.borrow_mut().push(entry);
    }

    pub fn len(&self) -> usize {
        self.0.borrow().len()
    }

    pub fn all(&self) -> Vec<T> {
        self.0.borrow().clone()
    }

    /// Waits until there are so many entries.
    pub async fn holds(&self, count: usize) -> Vec<T> {
        until(&format!("{count} things are logged"), || self.len() >= count).await;
        self.all()
    }
}

const STEP_MS: u32 = 10;
const PATIENCE_MS: u32 = 20_000;
