//! Where to connect, and as whom.

use alloc::string::String;

use wasm_bindgen::JsValue;

use super::host;
use crate::proto::{Endpoint, EndpointError};

/// The options that say where to connect.
pub(crate) struct Target {
    /// A string, or `undefined` for the page's own origin.
    pub(crate) url: JsValue,
    pub(crate) path: String,
    /// A token, a function that returns one or a promise of one, or `undefined`. It is never looked into.
    pub(crate) token: JsValue,
}

impl Target {
    /// Puts the URL together; everything that is wrong with it shows here.
    pub(super) fn endpoint(&self) -> Result<Endpoint, EndpointError> {
        let parse = |url: &JsValue| host::href(url).map_err(|_| EndpointError::Unparsable);
        let endpoint = Endpoint::new(&parse(&self.url)?, &self.path, host::page_is_secure())?;
        parse(&endpoint.url().into())?;
        Ok(endpoint)
    }
}
