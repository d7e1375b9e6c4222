//! The handlers of a client, and the guards that end them.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};

use js_sys::Function;
use wasm_bindgen::JsValue;

use crate::reentrancy_cell::ReentrancyCell;
use crate::web::{CountedClosure, WebHost, caught, report_error};

/// Ends a subscription when it is dropped. It does not keep the client.
#[must_use = "dropping a subscription ends it"]
pub struct Subscription {
    host: Weak<WebHost>,
    id: u32,
}

impl Subscription {
    pub(super) fn new(host: &Rc<WebHost>, id: u32) -> Self {
        Self { host: Rc::downgrade(host), id }
    }

    /// One whose handler is never called.
    pub(super) const fn nowhere() -> Self {
        Self { host: Weak::new(), id: 0 }
    }

    /// Leaves the handler in place for as long as the client lives.
    pub fn forget(mut self) {
        self.host = Weak::new();
    }

    /// Ends the subscription, as dropping it does.
    pub fn unsubscribe(self) {}
}

impl Drop for Subscription {
    fn drop(&mut self) {
        if let Some(host) = self.host.upgrade() {
            host.dispatcher().registry().remove(self.id);
        }
    }
}

impl std::fmt::Debug for Subscription {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Subscription").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What is called with the data and the envelope of an event, or with `undefined` for listeners.
pub(super) type Handler = dyn FnMut(JsValue, JsValue);

/// Who is told.
#[derive(PartialEq)]
pub(super) enum Audience {
    /// Those who listen to the connection.
    Listeners,
    /// The handlers of this event type.
    Handlers(String),
}

/// Every handler of one client.
#[derive(Default)]
pub(super) struct Registry {
    /// By their numbers, and so in the order in which they were added.
    entries: ReentrancyCell<BTreeMap<u32, Entry>>,
    latest: Cell<u32>,
}

struct Entry {
    audience: Audience,
    closure: CountedClosure<Handler>,
}

impl Registry {
    /// Adds a handler; the number removes it.
    pub(super) fn add(&self, audience: Audience, handler: Box<Handler>) -> u32 {
        let id = self.latest.get() + 1;
        self.latest.set(id);
        let entry = Entry { audience, closure: CountedClosure::new(handler) };
        self.entries.borrow_mut().insert(id, entry);
        id
    }

    /// Removes a handler, which may be the one that runs.
    pub(super) fn remove(&self, id: u32) {
        // What a handler holds may itself end subscriptions when it is dropped, so nothing is borrowed then.
        let entry = self.entries.borrow_mut().remove(&id);
        drop(entry);
    }

    /// Removes all handlers. One that holds what panics when it is dropped is reported, and ends nothing but itself.
    pub(super) fn clear(&self) {
        for entry in self.entries.replace(BTreeMap::new()).into_values() {
            if let Err(cause) = caught(move || drop(entry)) {
                report_error(&cause);
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.borrow_mut().len()
    }

    /// Calls the handlers of one audience in order. `failed` gets what one has thrown; the others still run. One that was removed meanwhile
    /// is not called, and one that was added meanwhile is not called yet.
    pub(super) fn call(
        &self,
        audience: &Audience,
        data: &JsValue,
        envelope: &JsValue,
        mut failed: impl FnMut(JsValue),
    ) {
        for (id, function) in self.functions_for(audience) {
            let is_there = self.entries.borrow_mut().contains_key(&id);
            // Through JavaScript, which catches what a handler throws.
            if is_there && let Err(cause) = function.call2(&JsValue::UNDEFINED, data, envelope) {
                failed(cause);
            }
        }
    }

    fn functions_for(&self, audience: &Audience) -> Vec<(u32, Function)> {
        let entries = self.entries.borrow_mut();
        let own = entries.iter().filter(|(_, entry)| entry.audience == *audience);
        own.map(|(id, entry)| (*id, entry.closure.function().clone())).collect()
    }
}
