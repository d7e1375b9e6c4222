//! A client for Rust front ends, with typed events.
//!
//! ```no_run
//! use everwire::client::{Client, ClientEvent, Options, Subscription};
//! use everwire::events::masterx::{EmotionUpdate, JoinSession};
//!
//! # async fn fetch_token(_: bool) -> Result<Option<String>, wasm_bindgen::JsValue> { Ok(None) }
//! # fn show(_: &str) {}
//! async fn start() -> Result<(Client, [Subscription; 2]), Box<dyn std::error::Error>> {
//!     let options = Options::new()
//!         .url("https://learn.example")
//!         .token_from(|request| fetch_token(request.refused));
//!     let client = Client::new(options)?;
//!
//!     let emotions = client.subscribe(|update: EmotionUpdate| show(&update.emotion.primary_emotion));
//!     let changes = client.on_event(|event| {
//!         if let ClientEvent::GaveUp { attempts } = event {
//!             show(&format!("no connection after {attempts} attempts"));
//!         }
//!     });
//!
//!     client.connect()?;
//!     client.connected().await?;
//!     client.send(&JoinSession { session_id: "algebra".into() })?;
//!     Ok((client, [emotions, changes]))
//! }
//! ```
//!
//! With [`Config::reliable`](crate::proto::Config::reliable) and a server that knows the reliable mode, messages are processed exactly once
//! and stored events arrive exactly once; [`Snapshot::delivery`] says whether it does. [`Client::send_with`] says how a message waits,
//! [`Client::request`] waits for a reply, and [`ClientEvent`] tells what became of each number. What was not acknowledged is lost with
//! the page: a durable outbox is a feature of the npm package alone.
//!
//! An event of your own is a type with serde's traits and one line, [`event!`](crate::event).
//!
//! A task may have what handlers get: [`Client::events`], [`Client::connection_events`] and [`Client::snapshots`] are streams.
//!
//! With the feature `json`, `Client::session_chat` and `Client::match_chat` keep what a chat window shows.
//!
//! A [`Client`] is a handle: clones share one connection, and dropping the last one closes it. Handlers run with nothing
//! borrowed, so each may call whatever it likes, and may drop its own [`Subscription`]. A handler that keeps the client it is
//! subscribed to should keep a [`WeakClient`]; otherwise the two keep each other alive until the subscription is dropped.
//!
//! # Rendering on a server
//!
//! This module compiles for every target, and a client can be made where there is no JavaScript, as on a server that renders the first page of
//! a Leptos, Dioxus or Yew application. There a client stays idle: [`connect`](Client::connect) does nothing and succeeds, handlers are
//! dropped and never called, [`snapshot`](Client::snapshot) is that of a client that nothing has happened to, which is also what the browser
//! starts with, waits end at once, and sending is refused as [`SendError::NoJavaScript`]. One component serves both sides:
//!
//! ```
//! use everwire::client::{Client, Options};
//! use everwire::proto::{ConfigError, Phase};
//!
//! /// Runs on the server first, and in the browser again.
//! fn connection() -> Result<Client, ConfigError> {
//!     let client = Client::new(Options::new().url("https://learn.example"))?;
//!     if let Err(error) = client.connect() {
//!         eprintln!("{error}");
//!     }
//!     Ok(client)
//! }
//!
//! // What the server renders.
//! assert_eq!(connection()?.snapshot().phase, Phase::Idle);
//! # Ok::<(), ConfigError>(())
//! ```
//!
//! A client belongs to the thread that has made it. Leptos may drop what a component keeps on another thread of the server, so there the client
//! is made in an effect, which runs in the browser alone:
//!
//! ```ignore
//! #[component]
//! pub fn Notifications() -> impl IntoView {
//!     let phase = RwSignal::new(Phase::Idle);
//!     let latest = RwSignal::new(String::new());
//!     Effect::new(move || {
//!         let Ok(client) = Client::new(Options::new()) else { return };
//!         let changes = client.on_event(move |event| {
//!             if let ClientEvent::Changed(snapshot) = event {
//!                 phase.set(snapshot.phase);
//!             }
//!         });
//!         let texts = client.subscribe(move |event: Notification| latest.set(event.text.unwrap_or_default()));
//!         if client.connect().is_ok() {
//!             // They live as long as the component.
//!             StoredValue::new_local((client, changes, texts));
//!         }
//!     });
//!     view! { <p class=move || phase.get().code()>{latest}</p> }
//! }
//! ```

mod as_json;
#[cfg(feature = "json")]
mod chat;
mod decode;
mod diagnostics;
mod dispatcher;
mod encode;
mod error;
mod event;
mod handlers;
mod lossless;
mod options;
mod requests;
mod send_options;
mod sending;
mod snapshot;
mod streams;
mod waiters;

use std::rc::{Rc, Weak};

use serde::de::DeserializeOwned;
use wasm_bindgen::JsValue;

use crate::events::WireEvent;
use crate::proto::{Client as Core, ConfigError, Phase, Timestamp};
use crate::web::{HAS_JAVASCRIPT, WebHost, WebValue};

pub use crate::events::rules::SessionRule;
pub use crate::proto::wire::ReceiptStatus;
#[cfg(feature = "json")]
pub use chat::{ChatHandle, ChatOptions, ChatPage, ChatSnapshots, EarlierRequest, MissedRequest};
pub use diagnostics::Diagnostics;
pub use error::{ClientError, EndpointError, NotConnected, RequestError, SendError};
pub use event::ClientEvent;
pub use handlers::Subscription;
pub use options::{Options, TokenPlace, TokenRequest};
pub use send_options::SendOptions;
pub use snapshot::Snapshot;
pub use streams::{Events, Snapshots};

pub(crate) use dispatcher::Dispatcher;
pub(crate) use options::{HeartbeatNames, SocketOptions, is_subprotocol_byte};
pub(crate) use snapshot::readable;

use handlers::{Audience, Handler};
use options::{Parts, Target};

/// One logical connection to a server, over as many sockets as it takes. Clones share it.
///
/// Two that are equal share one connection.
#[derive(Clone)]
pub struct Client(Rc<Shared>);

/// A [`Client`] that does not keep the connection. For handlers, which the client keeps.
#[derive(Clone)]
pub struct WeakClient(Weak<Shared>);

struct Shared {
    environment: Environment,
    target: Target,
}

/// Where a client is.
enum Environment {
    /// Where there is JavaScript.
    Browser(Rc<WebHost>),
    /// Where there is none: what its snapshot says for ever.
    Server(Box<Snapshot>),
}

impl Client {
    /// A client that does nothing until [`connect`](Self::connect).
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the option that is out of range, by its JavaScript path, and what it accepts: the caller has to
    /// change it.
    pub fn new(options: Options) -> Result<Self, ConfigError> {
        let Parts { config, target, token, is_anonymous, socket_options, sessions, heartbeat_names } =
            options.into_parts()?;
        let environment = if HAS_JAVASCRIPT {
            Environment::Browser(WebHost::new(
                config,
                token.into_source(),
                is_anonymous,
                socket_options,
                sessions,
                heartbeat_names,
            ))
        } else {
            Environment::Server(Box::new(Snapshot::of_new_client(&config)))
        };
        Ok(Self(Rc::new(Shared { environment, target })))
    }

    /// Connects, unless a connection is open, under way, or scheduled. Returns at once; see [`connected`](Self::connected). On a server,
    /// the client stays idle.
    ///
    /// # Errors
    ///
    /// [`EndpointError`] when the URL cannot be connected to: the caller has to change `url` or `path`.
    pub fn connect(&self) -> Result<(), EndpointError> {
        self.connect_by(Core::connect)
    }

    /// Drops whatever connection there is and connects anew, with a fresh budget of attempts. Also the way back after the
    /// client has given up or the server has refused it for good.
    ///
    /// # Errors
    ///
    /// As [`connect`](Self::connect).
    pub fn reconnect(&self) -> Result<(), EndpointError> {
        self.connect_by(Core::reconnect)
    }

    /// Says that the token function or the user has another token now, as when somebody has logged in. Connects if the client waits in
    /// [`Phase::LoggedOut`] or for its next attempt, has given up, or has stopped because the server refused the token. A connection that is open keeps its own;
    /// [`reconnect`](Self::reconnect) replaces it.
    pub fn token_changed(&self) {
        if let Some(host) = self.host() {
            host.token_changed();
        }
    }

    /// Closes with code 1000 and stays closed. Subscriptions and queued messages are kept for the next
    /// [`connect`](Self::connect).
    pub fn disconnect(&self) {
        if let Some(host) = self.host() {
            host.command(Core::disconnect);
        }
    }

    /// Waits until the connection is open. Pends through waits, retries and times without a network.
    ///
    /// # Errors
    ///
    /// [`NotConnected`] when the connection will not open by itself: nothing was asked for, the application disconnected or
    /// has no token, the client has given up, or the server has refused it for good.
    pub async fn connected(&self) -> Result<(), NotConnected> {
        match self.host() {
            Some(host) => host.dispatcher().wait_for(|| host.with_core(connection)).await,
            None => Err(NotConnected::Disconnected),
        }
    }

    /// Where the connection stands, and why.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        match &self.0.environment {
            Environment::Browser(host) => Snapshot::take(host),
            Environment::Server(snapshot) => Snapshot::clone(snapshot),
        }
    }

    /// The state alone, without the rest of the [`snapshot`](Self::snapshot).
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.host().map_or(Phase::Idle, |host| host.with_core(|core| core.snapshot().phase))
    }

    /// Disconnects and forgets every message, session and position: the user has logged out. Each message that waits, or is sent and
    /// not acknowledged, is reported as dropped, with [`DropReason::Forgotten`](crate::proto::DropReason::Forgotten). Subscriptions
    /// are kept.
    pub fn forget(&self) {
        if let Some(host) = self.host() {
            host.command(|core, now| {
                core.disconnect(now);
                core.forget(now);
            });
            #[cfg(feature = "json")]
            host.dispatcher().chats().clear();
        }
    }

    /// Calls `handler` for every event of this type until the subscription is dropped.
    ///
    /// A payload that does not decode is not delivered, and is reported as [`ClientError::Undecodable`]. Unknown fields are
    /// ignored unless `E` refuses them.
    pub fn subscribe<E>(&self, mut handler: impl FnMut(E) + 'static) -> Subscription
    where
        E: WireEvent + DeserializeOwned + 'static,
    {
        let host = self.host().map(Rc::downgrade);
        self.subscribe_raw(E::TYPE, move |data, _| match decode::payload(E::TYPE, data) {
            Ok(event) => handler(event),
            Err(error) => {
                if let Some(host) = host.as_ref().and_then(Weak::upgrade) {
                    host.dispatcher().dispatch(ClientEvent::Error(error));
                }
            }
        })
    }

    /// Calls `handler` with the data and the whole envelope of every event of this type until the subscription is dropped.
    pub fn subscribe_raw(&self, event: &str, handler: impl FnMut(JsValue, JsValue) + 'static) -> Subscription {
        self.add(Audience::Handlers(event.to_owned()), Box::new(handler))
    }

    /// Calls `listener` for everything that happens to the connection until the subscription is dropped.
    pub fn on_event(&self, mut listener: impl FnMut(&ClientEvent) + 'static) -> Subscription {
        let host = self.host().map(Rc::downgrade);
        let listener = move |_, _| {
            let host = host.as_ref().and_then(Weak::upgrade);
            if let Some(event) = host.and_then(|host| host.dispatcher().current()) {
                listener(&event);
            }
        };
        self.add(Audience::Listeners, Box::new(listener))
    }

    /// A handle that does not keep the connection.
    #[must_use]
    pub fn downgrade(&self) -> WeakClient {
        WeakClient(Rc::downgrade(&self.0))
    }

    /// How many handlers are subscribed, listeners for the connection included.
    #[must_use]
    pub fn handlers(&self) -> usize {
        self.host().map_or(0, |host| host.dispatcher().registry().len())
    }

    /// What runs the client, where there is JavaScript.
    fn host(&self) -> Option<&Rc<WebHost>> {
        self.0.host()
    }

    fn connect_by(&self, command: fn(&mut Core<WebValue>, Timestamp)) -> Result<(), EndpointError> {
        if let Some(host) = self.host() {
            host.connect(self.0.target.endpoint()?, command);
        }
        Ok(())
    }

    fn add(&self, audience: Audience, handler: Box<Handler>) -> Subscription {
        match self.host() {
            Some(host) => Subscription::new(host, host.dispatcher().registry().add(audience, handler)),
            None => Subscription::nowhere(),
        }
    }
}

/// Whether the connection is open, or will not open by itself; `None` while that is not known.
fn connection(core: &Core<WebValue>) -> Option<Result<(), NotConnected>> {
    let seen = core.snapshot();
    match seen.phase {
        Phase::Open => Some(Ok(())),
        Phase::Idle => Some(Err(NotConnected::Disconnected)),
        Phase::LoggedOut => Some(Err(NotConnected::LoggedOut)),
        Phase::GivenUp => Some(Err(NotConnected::GaveUp { attempts: seen.attempt })),
        Phase::Fatal => Some(Err(NotConnected::Fatal(seen.close.map(readable)))),
        Phase::Connecting | Phase::Closing | Phase::Waiting | Phase::Offline => None,
    }
}

impl WeakClient {
    /// The client, unless its last handle is gone.
    #[must_use]
    pub fn upgrade(&self) -> Option<Client> {
        self.0.upgrade().map(Client)
    }
}

impl Shared {
    const fn host(&self) -> Option<&Rc<WebHost>> {
        match &self.environment {
            Environment::Browser(host) => Some(host),
            Environment::Server(_) => None,
        }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if let Some(host) = self.host() {
            host.dispatcher().registry().clear();
            #[cfg(feature = "json")]
            host.dispatcher().chats().close();
            host.command(Core::disconnect);
        }
    }
}

impl PartialEq for Client {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Client {}

impl PartialEq for WeakClient {
    fn eq(&self, other: &Self) -> bool {
        Weak::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for WeakClient {}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("snapshot", &self.snapshot()).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for WeakClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WeakClient")
    }
}
