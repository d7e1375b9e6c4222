//! What the tests need of the page.

use wasm_bindgen::prelude::*;

#[wasm_bindgen(inline_js = r#"
export async function request(method, url, body) {
  const headers = body === undefined ? {} : { "content-type": "application/json" };
  const answer = await fetch(url, { method, body, headers });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${url}: ${answer.status} ${text}`);
  return text;
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export const randomName = () => `user-${crypto.getRandomValues(new BigUint64Array(1))[0].toString(36)}`;

export const dispatch = (name) => globalThis.dispatchEvent(new Event(name));

export const dispatchOnDocument = (name) => document.dispatchEvent(new Event(name));

export const showPage = (persisted) => globalThis.dispatchEvent(new PageTransitionEvent("pageshow", { persisted }));

export const nested = (levels) => {
  let value = {};
  for (let level = 1; level < levels; level++) value = { value };
  return value;
};

export const cyclic = () => {
  const value = {};
  value.value = value;
  return value;
};

export const loneSurrogate = () => ({ lone: "\ud83d", pair: "\ud83d\ude00", text: "\\ud83d" });

export const makeFunction = () => () => ({});

export const messageOf = (error) => String(error?.message ?? error);

export const own = (value, name) => value[name];
"#)]
extern "C" {
    #[wasm_bindgen(catch)]
    pub async fn request(method: &str, url: &str, body: Option<String>) -> Result<JsValue, JsValue>;
    pub async fn sleep(ms: u32);
    #[wasm_bindgen(js_name = randomName)]
    pub fn random_name() -> String;
    /// Dispatches an event on the window.
    pub fn dispatch(name: &str);
    /// Dispatches an event on the document.
    #[wasm_bindgen(js_name = dispatchOnDocument)]
    pub fn dispatch_on_document(name: &str);
    /// Says that the page is shown, from the back/forward cache or not.
    #[wasm_bindgen(js_name = showPage)]
    pub fn show(persisted: bool);
    pub fn nested(levels: u32) -> JsValue;
    pub fn cyclic() -> JsValue;
    #[wasm_bindgen(js_name = loneSurrogate)]
    pub fn lone_surrogate() -> JsValue;
    #[wasm_bindgen(js_name = makeFunction)]
    pub fn function() -> JsValue;
    #[wasm_bindgen(js_name = messageOf)]
    pub fn message_of(error: &JsValue) -> String;
    pub fn own(value: &JsValue, name: &str) -> JsValue;
}
