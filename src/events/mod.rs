//! Events as serde types: an application's own, which `event!` names, and those of the two systems that Everwire was made for.
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

#[cfg(feature = "web")]
use crate::client::SendOptions;

/// The payload of one event type.
///
/// An event of your own is a type with serde's traits, and [`event!`](crate::event) to name it.
#[cfg(feature = "web")]
pub trait WireEvent {
    /// The envelope's `type`. Not empty, of at most 128 bytes, and none of `open`, `close`, `state`, `reconnecting`, `give_up`, `drop`,
    /// `gap` and `invalid`, by which clients tell of themselves.
    const TYPE: &'static str;

    /// How the event waits when it is [sent](crate::Client::send). What a call gives to [`send_with`](crate::Client::send_with) goes before this.
    /// Default: as [`rules`] say for its type, and for all other types in the order of sending and for as long as `queue.ttl_ms` says. Requests ignore
    /// it: they have a time of their own, and each has its reply.
    fn send_options(&self) -> SendOptions {
        SendOptions::default()
    }
}

/// Names a type as the payload of an event: one line instead of an `impl` of [`WireEvent`](crate::events::WireEvent).
///
/// ```
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// struct Score {
///     team: String,
///     points: u32,
/// }
/// everwire::event!(Score = "score");
///
/// # use everwire::client::{Client, SendError, Subscription};
/// # fn example(client: &Client) -> Result<Subscription, SendError> {
/// client.send(&Score { team: "blue".into(), points: 3 })?;
/// Ok(client.subscribe(|score: Score| println!("{}: {}", score.team, score.points)))
/// # }
/// ```
///
/// What is only heard needs `Deserialize` alone, what is only sent `Serialize`.
///
/// A closure says [how the event waits](crate::client::SendOptions). This one is worth nothing later, and of those that wait for room the latest about
/// each board is enough:
///
/// ```
/// # use serde::Serialize;
/// use everwire::client::SendOptions;
///
/// #[derive(Serialize)]
/// struct Pointer {
///     board: String,
///     x: f64,
///     y: f64,
/// }
/// everwire::event!(Pointer = "pointer", |pointer| SendOptions::new().volatile().coalesce(&pointer.board));
/// ```
///
/// A type with parameters needs the `impl` itself. A name of no bytes or more than 128 does not compile, nor one by which clients tell of themselves, which servers do not send: `open`,
/// `close`, `state`, `reconnecting`, `give_up`, `drop`, `gap` and `invalid`.
///
/// ```compile_fail
/// struct Nameless;
/// everwire::event!(Nameless = "");
/// ```
///
/// ```compile_fail
/// struct Closing;
/// everwire::event!(Closing = "close");
/// ```
#[cfg(feature = "web")]
#[macro_export]
macro_rules! event {
    ($event:ty = $wire:expr $(, |$this:ident| $options:expr)? $(,)?) => {
        impl $crate::events::WireEvent for $event {
            const TYPE: &'static str = $wire;
            $(
                fn send_options(&self) -> $crate::client::SendOptions {
                    let $this = self;
                    $options
                }
            )?
        }
        const _: () = assert!(
            $crate::events::is_event_name(<$event as $crate::events::WireEvent>::TYPE),
            "the name of an event has 1 to 128 bytes, and is none of those that clients tell of themselves"
        );
    };
}

/// The longest name of an event, in bytes (docs/PROTOCOL.md).
#[cfg(feature = "web")]
pub(crate) const LONGEST_EVENT_NAME: usize = 128;

/// Whether an event of the application can have this name.
#[cfg(feature = "web")]
#[doc(hidden)]
#[must_use]
pub const fn is_event_name(name: &str) -> bool {
    let mut index = 0;
    while index < TAKEN.len() {
        if is_same(name.as_bytes(), TAKEN[index].as_bytes()) {
            return false;
        }
        index += 1;
    }
    !name.is_empty() && name.len() <= LONGEST_EVENT_NAME
}

/// What clients tell of themselves.
#[cfg(feature = "web")]
const TAKEN: [&str; 8] = ["open", "close", "state", "reconnecting", "give_up", "drop", "gap", "invalid"];

#[cfg(feature = "web")]
const fn is_same(one: &[u8], other: &[u8]) -> bool {
    let mut index = 0;
    while index < one.len() && index < other.len() && one[index] == other[index] {
        index += 1;
    }
    index == one.len() && index == other.len()
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

            $crate::event!($name = $wire);
        )*
    };
}

#[cfg(feature = "web")]
pub(crate) use events;
