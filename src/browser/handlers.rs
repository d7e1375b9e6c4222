//! The application's handlers by the name of the event.

use std::cell::RefCell;

use js_sys::Function;
use wasm_bindgen::prelude::*;

use crate::proto::subscriptions::{HandlerId, Handlers as List, Slot, Subscriptions};

/// The slots that always exist, because the client itself looks at what they stand for.
pub(crate) const PONG: Slot = 0;
pub(crate) const ERROR: Slot = 1;
pub(crate) const OPEN: Slot = 2;
pub(crate) const CLOSE: Slot = 3;
pub(crate) const STATE: Slot = 4;
pub(crate) const RECONNECTING: Slot = 5;
pub(crate) const GIVE_UP: Slot = 6;
pub(crate) const DROP: Slot = 7;
const PERMANENT: [&str; 8] = ["pong", "error", "open", "close", "state", "reconnecting", "give_up", "drop"];

#[wasm_bindgen]
extern "C" {
    /// A JavaScript `Map` from names to slots: an incoming frame's `type` is looked up as the JavaScript string that it is.
    #[wasm_bindgen(js_name = Map)]
    type SlotMap;
    #[wasm_bindgen(constructor, js_class = "Map")]
    fn new() -> SlotMap;
    /// `undefined`, for a name that has no slot, arrives as NaN.
    #[wasm_bindgen(method)]
    fn get(this: &SlotMap, name: &JsValue) -> f64;
    #[wasm_bindgen(method)]
    fn set(this: &SlotMap, name: &JsValue, slot: f64);
    #[wasm_bindgen(method)]
    fn delete(this: &SlotMap, name: &JsValue);
}

/// Handlers by name.
pub(crate) struct Handlers {
    slots: SlotMap,
    subscriptions: RefCell<Subscriptions<Function>>,
}

impl Handlers {
    pub(crate) fn new() -> Self {
        let slots = SlotMap::new();
        let mut subscriptions = Subscriptions::default();
        for name in PERMANENT {
            slots.set(&name.into(), subscriptions.open() as f64);
        }
        Self { slots, subscriptions: RefCell::new(subscriptions) }
    }

    /// The slot of a name, if anybody asked for it or it is permanent.
    pub(crate) fn slot(&self, name: &JsValue) -> Option<Slot> {
        let slot = self.slots.get(name);
        (slot >= 0.0).then_some(slot as Slot)
    }

    /// Whether a slot stands for the client's own news, which no server can send.
    pub(crate) const fn is_reserved(slot: Slot) -> bool {
        OPEN <= slot && slot <= DROP
    }

    pub(crate) fn add(&self, name: &JsValue, handler: Function) -> HandlerId {
        let mut subscriptions = self.subscriptions.borrow_mut();
        let slot = self.slot(name).unwrap_or_else(|| {
            let slot = subscriptions.open();
            self.slots.set(name, slot as f64);
            slot
        });
        subscriptions.add(slot, handler)
    }

    /// Removes the handlers of `name` that `unwanted` points out.
    pub(crate) fn remove(&self, name: &JsValue, unwanted: impl Fn(HandlerId, &Function) -> bool) {
        let Some(slot) = self.slot(name) else { return };
        let mut subscriptions = self.subscriptions.borrow_mut();
        let left = subscriptions.retain(slot, |id, handler| !unwanted(id, handler));
        if left == 0 && slot >= PERMANENT.len() {
            subscriptions.release(slot);
            self.slots.delete(name);
        }
    }

    pub(crate) fn list(&self, slot: Slot) -> Option<List<Function>> {
        self.subscriptions.borrow().handlers(slot)
    }

    pub(crate) fn is_current(&self, slot: Slot, taken: &List<Function>, id: HandlerId) -> bool {
        self.subscriptions.borrow().is_current(slot, taken, id)
    }

    #[cfg(feature = "rust")]
    pub(crate) fn count(&self) -> usize {
        self.subscriptions.borrow().count()
    }
}
