//! What happens to the network and to the page.

use std::rc::Rc;

use wasm_bindgen::JsCast;
use web_sys::{Event, EventTarget, PageTransitionEvent, VisibilityState};

use super::closure::CountedClosure;
use super::scope::scope;

/// A change of the network or the page.
#[derive(Clone, Copy)]
pub(super) enum PageEvent {
    Online,
    Offline,
    /// The page became visible, or runs again after it was frozen.
    Visible,
    /// The page came back from the back/forward cache, which closes sockets.
    Restored,
}

/// Listeners for such changes, as far as there are a network and a page; dropping them ends that.
pub(super) struct PageListeners {
    _listeners: Vec<Listener>,
}

impl PageListeners {
    pub(super) fn new(report: impl Fn(PageEvent) + 'static) -> Self {
        let report = Rc::new(report);
        let scope = scope();
        let document = scope.document();
        let listen = |target: &EventTarget, name, read: fn(&Event) -> Option<PageEvent>| {
            let report = report.clone();
            Listener::new(target, name, move |event| {
                if let Some(event) = read(&event) {
                    report(event);
                }
            })
        };
        let mut listeners = vec![
            listen(&scope, "online", |_| Some(PageEvent::Online)),
            listen(&scope, "offline", |_| Some(PageEvent::Offline)),
            listen(&scope, "pageshow", restored),
        ];
        if let Some(document) = document {
            listeners.push(listen(&document, "visibilitychange", visible));
            listeners.push(listen(&document, "resume", |_| Some(PageEvent::Visible)));
        }
        Self { _listeners: listeners }
    }
}

fn restored(event: &Event) -> Option<PageEvent> {
    event.unchecked_ref::<PageTransitionEvent>().persisted().then_some(PageEvent::Restored)
}

fn visible(_: &Event) -> Option<PageEvent> {
    let is_visible = scope().document().is_some_and(|page| page.visibility_state() == VisibilityState::Visible);
    is_visible.then_some(PageEvent::Visible)
}

struct Listener {
    target: EventTarget,
    name: &'static str,
    closure: CountedClosure<dyn Fn(Event)>,
}

impl Listener {
    fn new(target: &EventTarget, name: &'static str, listener: impl Fn(Event) + 'static) -> Self {
        let closure = CountedClosure::<dyn Fn(Event)>::new(Box::new(listener));
        // A place without events has none to listen to.
        _ = target.add_event_listener_with_callback(name, closure.function());
        Self { target: target.clone(), name, closure }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        _ = self.target.remove_event_listener_with_callback(self.name, self.closure.function());
    }
}
