//! Where to connect, and as whom.

use js_sys::{Function, JsString};
use wasm_bindgen::prelude::*;

use crate::proto::{Endpoint, EndpointError};

#[wasm_bindgen]
extern "C" {
    type Location;
    #[wasm_bindgen(thread_local_v2, js_name = location)]
    static LOCATION: Option<Location>;
    #[wasm_bindgen(method, getter)]
    fn origin(this: &Location) -> String;
    #[wasm_bindgen(method, getter)]
    fn protocol(this: &Location) -> String;

    type URL;
    #[wasm_bindgen(constructor, catch)]
    fn new(url: &str) -> Result<URL, JsValue>;
    #[wasm_bindgen(method, getter)]
    fn href(this: &URL) -> String;

    #[wasm_bindgen(js_name = encodeURIComponent, catch)]
    fn percent_encode(text: &JsValue) -> Result<JsValue, JsValue>;
}

/// The options that say where to connect. The token stays a JavaScript value and is never looked into.
pub(crate) struct Target {
    pub(crate) url: Option<String>,
    pub(crate) path: String,
    pub(crate) token: TokenSource,
}

/// Where the token comes from.
pub(crate) enum TokenSource {
    None,
    Fixed(JsValue),
    /// Called before every attempt; returns a token, null, or a promise of either.
    Function(Function),
}

impl Target {
    /// Puts the URL together; everything that is wrong with it shows here.
    pub(crate) fn endpoint(&self) -> Result<Endpoint, EndpointError> {
        let page = LOCATION.with(|location| location.as_ref().map(|location| (location.origin(), location.protocol())));
        let (origin, protocol) = page.unwrap_or_default();
        let base = self.url.as_deref().unwrap_or(&origin);
        let href = URL::new(base).map_err(|_| EndpointError::Unparsable)?.href();
        let endpoint = Endpoint::new(&href, &self.path, protocol == "https:")?;
        URL::new(endpoint.url()).map_err(|_| EndpointError::Unparsable)?;
        Ok(endpoint)
    }
}

/// The URL of one attempt, as a JavaScript string so that the token is not copied.
pub(crate) fn url(endpoint: &Endpoint, token: Option<&JsValue>) -> Result<JsString, JsValue> {
    Ok(match token {
        Some(token) => JsString::from(endpoint.url_before_token()).concat(&percent_encode(token)?),
        None => endpoint.url().into(),
    })
}
