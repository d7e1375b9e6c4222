//! The events of the two systems that Everwire was made for, as serde types.
//!
//! The same catalogues ship as TypeScript event maps with the npm package; a test fails when the two drift apart.
//! Unknown fields are ignored (`docs/PROTOCOL.md`, "Envelope").

pub mod colabmatch;
pub mod masterx;
#[cfg(all(test, not(target_arch = "wasm32")))]
mod typescript;

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The payload of one event type.
pub trait WireEvent {
    /// The envelope's `type`.
    const TYPE: &'static str;
}

/// Any JSON value, for the parts of payloads that the catalogues leave open.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(f64),
    /// A string.
    String(String),
    /// An array.
    Array(Vec<Json>),
    /// An object.
    Object(BTreeMap<String, Json>),
}

/// The fields that a payload has beyond the named ones.
pub type Open = BTreeMap<String, Json>;

/// Declares payload types, each with the event type that it travels as.
macro_rules! events {
    ($($(#[$doc:meta])* $name:ident as $wire:literal { $($(#[$field_meta:meta])* $field:ident: $type:ty,)* })*) => {
        $(
            #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
            #[cfg_attr(all(test, not(target_arch = "wasm32")), derive(ts_rs::TS))]
            $(#[$doc])*
            pub struct $name {
                $($(#[$field_meta])* pub $field: $type,)*
            }

            impl $crate::events::WireEvent for $name {
                const TYPE: &'static str = $wire;
            }
        )*
    };
}

pub(crate) use events;
