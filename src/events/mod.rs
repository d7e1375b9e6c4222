//! The events of the two systems that Everwire was made for, as serde types.
//!
//! The same catalogues ship as TypeScript event maps with the npm package; a test fails when the two drift apart.
//! Unknown fields are ignored (`docs/PROTOCOL.md`, "Envelope").

#[cfg(feature = "web")]
pub mod colabmatch;
#[cfg(feature = "web")]
mod json;
#[cfg(feature = "web")]
pub mod masterx;
pub mod rules;
#[cfg(all(test, feature = "web", not(target_arch = "wasm32")))]
mod typescript;

#[cfg(feature = "web")]
pub use json::{ExtraFields, Json};

/// The payload of one event type.
pub trait WireEvent {
    /// The envelope's `type`.
    const TYPE: &'static str;
}

/// Declares payload types, each with the event type that it travels as.
#[cfg(feature = "web")]
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

#[cfg(feature = "web")]
pub(crate) use events;
