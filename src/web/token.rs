//! Where tokens come from.

use js_sys::{JsString, Promise};
use wasm_bindgen::prelude::*;

use super::closure::CountedClosure;

/// What a client connects as. Tokens stay in JavaScript.
pub(crate) enum TokenSource {
    /// Nobody in particular.
    None,
    /// The same token for every attempt.
    Fixed(JsString),
    /// A function that is told whether the server refused the previous token. It returns a string, `undefined`, or a promise of either.
    Function(CountedClosure<dyn Fn(bool) -> JsValue>),
}

/// What a token source answers: a string, `undefined`, or what the application's function threw.
pub(super) enum TokenAnswer {
    Now(Result<JsValue, JsValue>),
    Later(Promise),
}

impl TokenSource {
    /// Asks for a token. May run code of the application.
    pub(super) fn ask(&self, token_refused: bool) -> TokenAnswer {
        match self {
            Self::None => TokenAnswer::Now(Ok(JsValue::UNDEFINED)),
            Self::Fixed(token) => TokenAnswer::Now(Ok(token.into())),
            Self::Function(function) => {
                match function.function().call1(&JsValue::UNDEFINED, &JsValue::from_bool(token_refused)) {
                    Ok(answer) => {
                        answer.dyn_into().map_or_else(|token| TokenAnswer::Now(Ok(token)), TokenAnswer::Later)
                    }
                    Err(cause) => TokenAnswer::Now(Err(cause)),
                }
            }
        }
    }
}
