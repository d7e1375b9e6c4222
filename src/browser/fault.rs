//! What goes wrong without ending the connection.

use wasm_bindgen::JsValue;

/// A problem that is reported to the application as an `error` event.
pub(crate) enum Fault {
    /// The server sent something that is not an envelope.
    BadFrame { reason: &'static str, excerpt: JsValue },
    /// A handler of the application threw.
    HandlerFailed { event: JsValue, cause: JsValue },
    /// The application's token function threw, rejected, or returned something else than a token.
    TokenFailed { cause: JsValue },
    /// A payload does not have the shape of its Rust type.
    #[cfg(feature = "rust")]
    Undecodable { event: &'static str, field: String, reason: String },
}

impl Fault {
    /// The stable name that programs can test for.
    pub(crate) const fn code(&self) -> &'static str {
        match self {
            Self::BadFrame { .. } => "bad_frame",
            Self::HandlerFailed { .. } => "handler_failed",
            Self::TokenFailed { .. } => "token_failed",
            #[cfg(feature = "rust")]
            Self::Undecodable { .. } => "undecodable",
        }
    }

    /// What happened and who can mend it, without tokens and payloads.
    pub(crate) fn message(&self) -> String {
        match self {
            Self::BadFrame { reason, .. } => ["the server sent a frame that is not an event: ", reason].concat(),
            Self::HandlerFailed { event, .. } => {
                ["a handler of \"", &event.as_string().unwrap_or_default(), "\" threw; the others still ran"].concat()
            }
            Self::TokenFailed { .. } => {
                "the `token` function threw, rejected, or returned something else than a string or null".into()
            }
            #[cfg(feature = "rust")]
            Self::Undecodable { event, field, reason } => {
                ["the server sent \"", event, "\" with an unexpected field `", field, "`: ", reason].concat()
            }
        }
    }
}
