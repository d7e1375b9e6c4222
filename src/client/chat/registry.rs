//! Every conversation of one client.

use std::rc::Rc;

use serde_json::Value;
use wasm_bindgen::JsValue;

use super::options::ChatOptions;
use super::store::Store;
use crate::client::{ClientError, ClientEvent, decode};
use crate::reentrancy_cell::ReentrancyCell;
use crate::session::ChatKind;
use crate::web::WebHost;

/// The conversations of one client that are in use, or have messages that are not sent.
#[derive(Default)]
pub(crate) struct Chats {
    stores: ReentrancyCell<Vec<Rc<Store>>>,
    /// The user that the server has named.
    named: ReentrancyCell<Option<String>>,
}

impl Chats {
    /// The conversation, which is kept until it is [removed](Self::remove).
    pub(super) fn of(&self, kind: ChatKind, id: &str, host: &Rc<WebHost>, options: ChatOptions) -> Rc<Store> {
        if let Some(known) = self.all().into_iter().find(|store| store.is(kind, id)) {
            return known;
        }
        let store = Store::new(kind, id, Some(host), options);
        let unused = {
            let mut stores = self.stores.borrow_mut();
            stores.push(store.clone());
            let excess = stores.len().saturating_sub(MOST_STORES);
            let unused = stores.iter().filter(|store| !store.is_needed() && !store.is(kind, id)).take(excess);
            unused.cloned().collect::<Vec<_>>()
        };
        for store in unused {
            self.remove(&store);
        }
        store
    }

    pub(super) fn remove(&self, store: &Store) {
        let removed = {
            let mut stores = self.stores.borrow_mut();
            let index = stores.iter().position(|kept| std::ptr::eq(&**kept, store));
            index.map(|index| stores.remove(index))
        };
        drop(removed);
    }

    /// The user that the server has named.
    pub(super) fn named(&self) -> Option<String> {
        self.named.borrow_mut().clone()
    }

    /// Something has happened to the connection.
    pub(in crate::client) fn hear(&self, event: &ClientEvent) {
        for store in self.all() {
            store.hear(event);
        }
    }

    /// An event came from the server.
    ///
    /// # Errors
    ///
    /// Its payload is more than any event of a conversation has.
    pub(in crate::client) fn hear_frame(&self, event: &str, data: &JsValue) -> Result<(), ClientError> {
        let stores = self.all();
        let is_named = event == CONNECTED;
        if !is_named && !stores.iter().any(|store| store.hears(event)) {
            return Ok(());
        }
        let data = decode::payload::<Value>(event, data.clone())?;
        if is_named && let Some(user) = data["user_id"].as_str() {
            self.named.replace(Some(user.to_owned()));
        }
        for store in stores {
            if is_named {
                store.identify();
            } else if store.hears(event) {
                store.hear_frame(event, &data);
            }
        }
        Ok(())
    }

    /// Whether a conversation wants to know when this message is handed to the socket.
    pub(in crate::client) fn is_tracking(&self, seq: u64) -> bool {
        self.stores.borrow_mut().iter().any(|store| store.is_tracking(seq))
    }

    /// A message was handed to the socket.
    pub(in crate::client) fn transmitted(&self, seq: u64) {
        for store in self.all() {
            store.transmitted(seq);
        }
    }

    /// The user has logged out: everything begins anew for those who use it.
    pub(in crate::client) fn clear(&self) {
        self.named.replace(None);
        for store in self.all() {
            store.clear();
        }
    }

    /// The client is gone.
    pub(in crate::client) fn close(&self) {
        for store in self.stores.replace(Vec::new()) {
            store.close();
        }
    }

    fn all(&self) -> Vec<Rc<Store>> {
        self.stores.borrow_mut().clone()
    }
}

const CONNECTED: &str = "connected";
/// How many conversations there are before those go that nobody uses.
const MOST_STORES: usize = 100;
