//! What the browser says about the network and the page.

use std::rc::Weak;

use js_sys::Reflect;
use wasm_bindgen::prelude::*;
use web_sys::EventTarget;

use super::counters::Counted;
use super::driver::Inner;
use super::socket::{function, listener};
use crate::proto::Input;

/// Listens on the window, or on the worker's global scope, and on the document where there is one.
///
/// Never to `unload` and `beforeunload`: they keep a page out of the back/forward cache.
pub(crate) struct Signals {
    listener: Counted<dyn Fn(JsValue)>,
}

const GLOBAL_EVENTS: [&str; 3] = ["online", "offline", "pageshow"];
const DOCUMENT_EVENTS: [&str; 2] = ["visibilitychange", "resume"];

impl Signals {
    pub(crate) fn new(driver: &Weak<Inner>) -> Self {
        Self {
            listener: listener(driver, |driver, event| {
                let kind = property(event, "type").as_string().unwrap_or_default();
                let input = match kind.as_str() {
                    "online" => Input::NetworkOnline,
                    "offline" => Input::NetworkOffline,
                    "pageshow" if property(event, "persisted").is_truthy() => Input::PageRestored,
                    "visibilitychange" if is_visible() => Input::PageVisible,
                    "resume" => Input::PageVisible,
                    _ => return,
                };
                driver.fact(input);
            }),
        }
    }

    pub(crate) fn attach(&self) {
        for_each_target(|target, event| {
            let _ = target.add_event_listener_with_callback(event, function(&self.listener));
        });
    }

    pub(crate) fn detach(&self) {
        for_each_target(|target, event| {
            let _ = target.remove_event_listener_with_callback(event, function(&self.listener));
        });
    }
}

/// Whether the browser says that there is no network. Anything but a plain `false` means that it does not know.
pub(crate) fn is_offline() -> bool {
    property(&property(&js_sys::global(), "navigator"), "onLine") == JsValue::FALSE
}

fn is_visible() -> bool {
    property(&property(&js_sys::global(), "document"), "visibilityState") == JsValue::from("visible")
}

fn for_each_target(act: impl Fn(&EventTarget, &str)) {
    let global = js_sys::global();
    let document = property(&global, "document");
    if property(&global, "addEventListener").is_function() {
        GLOBAL_EVENTS.iter().for_each(|event| act(global.unchecked_ref(), event));
    }
    if document.is_object() {
        DOCUMENT_EVENTS.iter().for_each(|event| act(document.unchecked_ref(), event));
    }
}

fn property(of: &JsValue, name: &str) -> JsValue {
    Reflect::get(of, &name.into()).unwrap_or(JsValue::UNDEFINED)
}
