//! The functions of the scripts that only this face calls; it passes JavaScript values, where the npm package's passes numbers.

use wasm_bindgen::prelude::*;

#[wasm_bindgen(module = "/src/browser/host.js")]
extern "C" {
    /// What JavaScript keeps for one client.
    #[derive(Clone)]
    pub(super) type Store;

    #[wasm_bindgen(js_name = newHandlers)]
    pub(super) fn new_store(is_reliable: bool, token: &JsValue) -> Store;
    /// Makes a client the current one; returns the one before.
    pub(super) fn enter(store: &JsValue) -> JsValue;
    #[wasm_bindgen(catch)]
    pub(super) fn endpoint(url: &JsValue, path: &JsValue) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(js_name = addHandler)]
    pub(super) fn add_handler(store: &Store, name: &JsValue, handler: &JsValue) -> u32;
    #[wasm_bindgen(js_name = removeHandler)]
    pub(super) fn remove_handler(store: &Store, name: &JsValue, id: u32);
    #[wasm_bindgen(js_name = countHandlers)]
    pub(super) fn count_handlers(store: &Store) -> u32;
}

#[wasm_bindgen(module = "/src/client/host.js")]
extern "C" {
    /// Where the facts about a client go: the same five numbers as the npm package's.
    /// `settle` is called with what the server says of one message.
    pub(super) fn attach(store: &Store, signal: &JsValue, settle: &JsValue);
    /// Lets go of what was attached.
    pub(super) fn detach(store: &Store);
    #[wasm_bindgen(js_name = setEndpoint)]
    pub(super) fn set_endpoint(store: &Store, endpoint: &JsValue);
    /// Notes an event; what it replaces is its default without `coalesce`. Returns the numbers of its frame, of its bytes, of its purpose and of its key.
    #[wasm_bindgen(js_name = draftEvent, catch)]
    pub(super) fn draft_event(
        store: &Store,
        event: &str,
        data: &JsValue,
        coalesce: Option<&str>,
        is_volatile: bool,
        is_request: bool,
    ) -> Result<Vec<u32>, JsValue>;
    /// Forgets what would enter sessions again.
    #[wasm_bindgen(js_name = forgetJoins)]
    pub(super) fn forget_joins(store: &Store);
    /// The envelope of a frame that will not be sent, and that is forgotten.
    #[wasm_bindgen(js_name = takeDraft)]
    pub(super) fn take_draft(store: &Store, frame: u32) -> JsValue;
    pub(super) fn notify(store: &Store, name: &str);
    #[wasm_bindgen(js_name = reportError)]
    pub(super) fn report_error(error: &JsValue);
    /// The name of a stream by its number; empty for one too many.
    #[wasm_bindgen(js_name = streamName)]
    pub(super) fn stream_name(store: &Store, stream: u32) -> String;
    pub(super) fn get(value: &JsValue, name: &str) -> JsValue;
    /// The result in a reply; an empty object where there is none.
    pub(super) fn result(data: &JsValue) -> JsValue;
    /// A string, or an empty one where there is none.
    pub(super) fn text(value: &JsValue, name: &str) -> String;
    #[wasm_bindgen(js_name = isDeeperThan)]
    pub(super) fn is_deeper_than(levels: u32, value: &JsValue) -> bool;
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = Date, js_name = now)]
    pub(super) fn date_now() -> f64;
}
