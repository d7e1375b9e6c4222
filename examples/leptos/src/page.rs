//! What the chat needs of the page around it.

use std::collections::BTreeMap;

use gloo_net::http::Request;
use leptos::prelude::window;
use serde::Deserialize;
use wasm_bindgen::{JsError, JsValue};
use web_sys::UrlSearchParams;

/// A parameter of the page's address.
pub fn parameter(name: &str) -> Option<String> {
    let query = window().location().search().ok()?;
    UrlSearchParams::new_with_str(&query).ok()?.get(name)
}

/// A token from the reference server, which gives one to anybody when it runs for development.
pub async fn fetch_token(user: String) -> Result<Option<String>, JsValue> {
    #[derive(Deserialize)]
    struct Answer {
        token: String,
    }
    let failed = |error: gloo_net::Error| JsError::new(&error.to_string());
    let question = Request::post("/dev/token").json(&BTreeMap::from([("user_id", user)])).map_err(failed)?;
    let answer: Answer = question.send().await.map_err(failed)?.json().await.map_err(failed)?;
    Ok(Some(answer.token))
}
