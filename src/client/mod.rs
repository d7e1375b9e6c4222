//! The Rust face: a client for Rust front ends, with typed events.
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
//!     let news = client.on_event(|event| {
//!         if let ClientEvent::GaveUp { attempts } = event {
//!             show(&format!("no connection after {attempts} attempts"));
//!         }
//!     });
//!
//!     client.connect()?;
//!     client.connected().await?;
//!     client.send(&JoinSession { session_id: "algebra".into() })?;
//!     Ok((client, [emotions, news]))
//! }
//! ```
//!
//! With [`Config::reliable`](crate::proto::Config::reliable) and a server that knows the reliable mode, messages are processed exactly once
//! and stored events arrive exactly once; [`Snapshot::delivery`] says whether it does. [`Client::send_with`] says how a message waits,
//! [`Client::request`] waits for a reply, and [`ClientEvent`] tells what became of each number. What was not acknowledged is lost with
//! the page: a durable outbox is a feature of the npm package alone.
//!
//! A [`Client`] is a handle: clones share one connection, and dropping the last one closes it. Handlers run with nothing
//! borrowed, so each may call whatever it likes, and may drop its own [`Subscription`]. A handler that keeps the client it is
//! subscribed to should keep a [`WeakClient`]; otherwise the two keep each other alive until the subscription is dropped.

mod decode;
mod diagnostics;
mod encode;
mod error;
mod event;
mod face;
mod handlers;
mod host;
mod news;
mod options;
mod requests;
mod send_options;
mod snapshot;
mod waiters;

use std::rc::{Rc, Weak};

use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::JsValue;

use crate::browser::{Core, Driver, frame};
use crate::events::WireEvent;
use crate::proto::{ConfigError, Phase, Refused, Sent, Timestamp};

pub use diagnostics::Diagnostics;
pub use error::{ClientError, EndpointError, NotConnected, RequestError, SendError};
pub use event::{ClientEvent, ReceiptStatus};
pub use handlers::Subscription;
pub use options::{Options, TokenRequest};
pub use send_options::SendOptions;
pub use snapshot::Snapshot;

use face::{RustDriver, RustFace};
use handlers::Registry;
use news::{FrameKind, NEWS};
use options::{Parts, Target, TokenFunction};

/// One logical connection to a server, over as many sockets as it takes. Clones share it.
#[derive(Clone)]
pub struct Client(Rc<Shared>);

/// A [`Client`] that does not keep the connection. For handlers, which the client keeps.
#[derive(Clone)]
pub struct WeakClient(Weak<Shared>);

struct Shared {
    driver: Rc<RustDriver>,
    news: Rc<FrameKind>,
    registry: Registry,
    target: Target,
    _token: Option<TokenFunction>,
}

impl Client {
    /// A client that does nothing until [`connect`](Self::connect).
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the option that is out of range, by its JavaScript path, and what it accepts: the caller has to
    /// change it.
    pub fn new(options: Options) -> Result<Self, ConfigError> {
        let Parts { config, target, token, function } = options.into_parts()?;
        let news = Rc::new(FrameKind::default());
        let store = host::new_store(config.reliable, &token);
        let registry = Registry::new(&store);
        news.listen(&store, &registry);
        let driver = Rc::new(Driver::new(config, RustFace::new(store, news.clone())));
        driver.face().attach(&driver);
        Ok(Self(Rc::new(Shared { driver, news, registry, target, _token: function })))
    }

    /// Connects, unless a connection is open, under way, or scheduled. Returns at once; see [`connected`](Self::connected).
    ///
    /// # Errors
    ///
    /// [`EndpointError`] when the URL cannot be connected to: the caller has to change `url` or `path`.
    pub fn connect(&self) -> Result<(), EndpointError> {
        self.command(Core::connect)
    }

    /// Drops whatever connection there is and connects anew, with a fresh budget of attempts. Also the way back after the
    /// client has given up or the server has refused it for good.
    ///
    /// # Errors
    ///
    /// As [`connect`](Self::connect).
    pub fn reconnect(&self) -> Result<(), EndpointError> {
        self.command(Core::reconnect)
    }

    /// Closes with code 1000 and stays closed. Subscriptions and queued messages are kept for the next
    /// [`connect`](Self::connect).
    pub fn disconnect(&self) {
        self.0.driver.act(Core::disconnect);
    }

    /// Waits until the connection is open. Pends through waits, retries and times without a network.
    ///
    /// # Errors
    ///
    /// [`NotConnected`] when the connection will not open by itself: nothing was asked for, the application disconnected, the
    /// client has given up, or the server has refused it for good.
    pub async fn connected(&self) -> Result<(), NotConnected> {
        self.0.news.wait_for(|| news::connection(&self.0.driver)).await
    }

    /// Where the connection stands, and why.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::take(&self.0.driver)
    }

    /// The state alone, without the rest of the [`snapshot`](Self::snapshot).
    #[must_use]
    pub fn phase(&self) -> Phase {
        self.0.driver.look(|core| core.snapshot().phase)
    }

    /// Sends an event: hands it to the open connection, or queues it.
    ///
    /// # Errors
    ///
    /// [`SendError`] when it was not accepted; then nothing is sent and nothing is queued.
    pub fn send<E: WireEvent + Serialize>(&self, event: &E) -> Result<Sent, SendError> {
        self.send_raw(E::TYPE, &encode::payload(event)?)
    }

    /// Sends an event whose data is a JavaScript value: a JSON object, or `undefined` for an empty one.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub fn send_raw(&self, event: &str, data: &JsValue) -> Result<Sent, SendError> {
        self.send_raw_with(event, data, &SendOptions::default())
    }

    /// Sends an event that waits in another way than its type says.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send), and [`SendError::InvalidOption`] for an option out of its range.
    pub fn send_with<E: WireEvent + Serialize>(&self, event: &E, options: &SendOptions) -> Result<Sent, SendError> {
        self.send_raw_with(E::TYPE, &encode::payload(event)?, options)
    }

    /// Sends an event whose data is a JavaScript value, and that waits in another way than its type says.
    ///
    /// # Errors
    ///
    /// As [`send_with`](Self::send_with).
    pub fn send_raw_with(&self, event: &str, data: &JsValue, options: &SendOptions) -> Result<Sent, SendError> {
        self.submit(event, data, options, None).map(|(sent, _)| sent)
    }

    /// Takes back the message with this number, unless it was sent already: then it returns `false` and changes nothing, as it does
    /// for numbers that were never given. Nothing else is told of a message that was taken back.
    pub fn cancel(&self, seq: u64) -> bool {
        self.0.driver.act(|core, now| {
            let is_in_time = core.cancel(seq, now);
            if is_in_time {
                self.0.driver.face().settle(seq, || Err(RequestError::Cancelled));
            }
            is_in_time
        })
    }

    /// Waits until a message would be sent at once, or queued while there is no connection: the pace at which to send a lot. Pends as
    /// long as there is no room, which may be for ever if nobody connects.
    pub async fn when_room(&self) {
        self.0.news.wait_for(|| self.0.driver.look(|core| core.snapshot().has_room.then_some(()))).await;
    }

    /// Disconnects and forgets every message, session and position: the user has logged out. Each message that waits, or is sent and
    /// not acknowledged, is reported as dropped, with [`DropReason::Forgotten`](crate::proto::DropReason::Forgotten). Subscriptions
    /// are kept.
    pub fn forget(&self) {
        self.0.driver.act(|core, now| {
            core.disconnect(now);
            core.forget(now);
        });
        host::forget_joins(self.0.driver.face().store());
    }

    /// The number of the message that was accepted last, by which [`cancel`](Self::cancel) and the [news](ClientEvent) name it.
    /// A listener that sends when it is told what a call has changed does so before that call returns, and so moves the number.
    #[must_use]
    pub fn latest_seq(&self) -> u64 {
        self.0.driver.look(Core::latest_seq)
    }

    /// Calls `handler` for every event of this type until the subscription is dropped.
    ///
    /// A payload that does not decode is not delivered, and is reported as [`ClientError::Undecodable`]. Unknown fields are
    /// ignored unless `E` refuses them.
    pub fn subscribe<E>(&self, mut handler: impl FnMut(E) + 'static) -> Subscription
    where
        E: WireEvent + DeserializeOwned + 'static,
    {
        let news = Rc::downgrade(&self.0.news);
        self.subscribe_raw(E::TYPE, move |data, _| match decode::payload(E::TYPE, data) {
            Ok(event) => handler(event),
            Err(error) => {
                if let Some(news) = news.upgrade() {
                    news.tell(ClientEvent::Error(error));
                }
            }
        })
    }

    /// Calls `handler` with the data and the whole envelope of every event of this type until the subscription is dropped.
    pub fn subscribe_raw(&self, event: &str, mut handler: impl FnMut(JsValue, JsValue) + 'static) -> Subscription {
        let handler = move |data: JsValue, envelope: JsValue| {
            // The client's own errors share a name with the server's `error` event, and have no envelope.
            if !envelope.is_undefined() {
                handler(data, envelope);
            }
        };
        self.subscription(self.0.registry.add(event, Box::new(handler)))
    }

    /// Calls `listener` for everything that happens to the connection until the subscription is dropped.
    pub fn on_event(&self, mut listener: impl FnMut(&ClientEvent) + 'static) -> Subscription {
        let news = Rc::downgrade(&self.0.news);
        let listener = move |_, _| {
            if let Some(event) = news.upgrade().and_then(|news| news.current()) {
                listener(&event);
            }
        };
        self.subscription(self.0.registry.add(NEWS, Box::new(listener)))
    }

    /// A handle that does not keep the connection.
    #[must_use]
    pub fn downgrade(&self) -> WeakClient {
        WeakClient(Rc::downgrade(&self.0))
    }

    /// How many handlers are subscribed, listeners for the connection included.
    #[must_use]
    pub fn handlers(&self) -> usize {
        self.0.registry.len()
    }

    /// Hands a message over, with the time for the reply if it is a request. Returns its number, too.
    fn submit(
        &self,
        event: &str,
        data: &JsValue,
        options: &SendOptions,
        reply_within_ms: Option<u64>,
    ) -> Result<(Sent, u64), SendError> {
        send_options::check_millis("ttl_ms", options.ttl_ms)?;
        send_options::check_millis("timeout_ms", reply_within_ms)?;
        let (face, is_request) = (self.0.driver.face(), reply_within_ms.is_some());
        let (store, key) = (face.store(), options.coalesce.as_deref());
        let draft = host::draft_event(store, event, data, key, options.volatile, is_request);
        let draft = draft.map_err(|error| SendError::from_js(&error))?;
        let [frame, bytes, kind, key] = draft[..] else { crate::bug() };
        let mut message = frame::message(frame, bytes, kind, key);
        message.policy.ttl_ms = options.ttl_ms;
        message.policy.reply_within_ms = reply_within_ms;
        let sent = self.0.driver.act(|core, now| {
            let sent = core.send(message, now)?;
            let seq = core.latest_seq();
            // What becomes of it may be told before this call returns.
            if is_request {
                face.requests().expect(seq);
            }
            Ok((sent, seq))
        });
        let sent = sent.map_err(|refused: Refused<frame::Text>| refused.refusal);
        sent.and_then(|(sent, seq)| Ok((self.0.driver.confirm(sent, kind == 1)?, seq))).map_err(|refusal| {
            host::take_draft(store, frame);
            SendError::Refused(refusal)
        })
    }

    fn command(&self, command: fn(&mut Core, Timestamp)) -> Result<(), EndpointError> {
        host::set_endpoint(self.0.driver.face().store(), &self.0.target.endpoint()?);
        self.0.driver.look_at_network();
        self.0.driver.act(command);
        Ok(())
    }

    fn subscription(&self, id: u32) -> Subscription {
        Subscription::new(Rc::downgrade(&self.0), id)
    }
}

impl WeakClient {
    /// The client, unless its last handle is gone.
    #[must_use]
    pub fn upgrade(&self) -> Option<Client> {
        self.0.upgrade().map(Client)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.registry.clear();
        self.driver.act(Core::disconnect);
    }
}

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
