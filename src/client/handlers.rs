//! The handlers of a client, and the guards that end them.

use std::rc::Weak;

use wasm_bindgen::prelude::*;

use super::Shared;
use super::host::{self, Store};
use crate::browser::counters::Counted;
use crate::browser::held::Held;

/// Ends a subscription when it is dropped. It does not keep the client.
#[must_use = "dropping a subscription ends it"]
pub struct Subscription {
    client: Weak<Shared>,
    id: u32,
}

impl Subscription {
    pub(super) const fn new(client: Weak<Shared>, id: u32) -> Self {
        Self { client, id }
    }

    /// Leaves the handler in place for as long as the client lives.
    pub fn forget(mut self) {
        self.client = Weak::new();
    }

    /// Ends the subscription, as dropping it does.
    pub fn unsubscribe(self) {}
}

impl Drop for Subscription {
    fn drop(&mut self) {
        if let Some(client) = self.client.upgrade() {
            client.registry.remove(self.id);
        }
    }
}

impl std::fmt::Debug for Subscription {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Subscription").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What JavaScript calls with the data and the envelope.
pub(super) type Handler = dyn FnMut(JsValue, JsValue);

/// Every handler of one client. JavaScript knows the functions; their closures live here.
pub(super) struct Registry {
    store: Store,
    entries: Held<Vec<Entry>>,
}

struct Entry {
    id: u32,
    name: JsValue,
    /// JavaScript keeps a closure that is dropped while it runs until it returns.
    _closure: Closure<Handler>,
    _counted: Counted,
}

impl Registry {
    pub(super) fn new(store: &Store) -> Self {
        Self { store: store.clone(), entries: Held::default() }
    }

    /// Adds a handler; the number removes it.
    pub(super) fn add(&self, name: &str, handler: Box<Handler>) -> u32 {
        let closure = Closure::wrap(handler);
        let name = JsValue::from(name);
        let id = host::add_handler(&self.store, &name, closure.as_ref());
        self.entries.borrow_mut().push(Entry { id, name, _closure: closure, _counted: Counted::new() });
        id
    }

    /// Removes a handler, which may be the one that runs.
    pub(super) fn remove(&self, id: u32) {
        let place = self.entries.borrow().iter().position(|entry| entry.id == id);
        // What a handler holds may itself end subscriptions when it is dropped, so nothing is borrowed then.
        let entry = place.map(|place| self.entries.borrow_mut().swap_remove(place));
        if let Some(entry) = entry {
            self.forget(&entry);
        }
    }

    pub(super) fn clear(&self) {
        let entries = self.entries.replace(Vec::new());
        for entry in &entries {
            self.forget(entry);
        }
    }

    /// How many handlers JavaScript knows, without the client's own.
    pub(super) fn len(&self) -> usize {
        (host::count_handlers(&self.store) as usize).saturating_sub(OWN_HANDLERS)
    }

    fn forget(&self, entry: &Entry) {
        host::remove_handler(&self.store, &entry.name, entry.id);
    }
}

/// The one that hears about errors.
const OWN_HANDLERS: usize = 1;
