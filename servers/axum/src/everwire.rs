//! What an application makes, mounts and calls.

use std::{collections::HashMap, sync::Arc, time::Duration};

use axum::{
    extract::{FromRef, FromRequestParts},
    http::{StatusCode, request::Parts},
    routing::MethodRouter,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::{
    action::Action,
    application::Application,
    bus::RedisBus,
    connection::Connection,
    database,
    ending::Ending,
    engine::{Chores, Engine, Shared},
    envelope,
    frame::{Envelope, payload},
    handshake::Authenticate,
    limits::{Class, Limits},
    metrics::{Metrics, NoMetrics},
    outgoing::Outgoing,
    panics,
    refusal::{self, Refusal, Refuse},
    reliable::{Context, Outcome, transient_frame},
    room::Room,
    store::{Backend, StoreError},
    token::{Ticket, TokenRefused, Tokens},
};

/// A message that clients send, by its type.
///
/// ```
/// #[derive(serde::Deserialize)]
/// struct Note {
///     text: String,
/// }
///
/// impl everwire_axum::Message for Note {
///     const TYPE: &str = "note";
/// }
/// ```
pub trait Message: DeserializeOwned + Send + 'static {
    /// The `type` of its envelope, of 1 to 128 bytes.
    const TYPE: &'static str;
}

/// The server side of the protocol, before it is started.
///
/// ```
/// use everwire_axum::{Context, Everwire, Message, Refuse, SqliteStore, Tokens};
/// use serde_json::{Value, json};
///
/// # #[derive(serde::Deserialize)]
/// # struct Note { text: String }
/// # impl Message for Note { const TYPE: &str = "note"; }
/// fn note(ctx: &mut Context<'_>, note: Note) -> Result<Value, Refuse> {
///     if note.text.is_empty() {
///         return Err(Refuse::new("empty")); // answered with `error`, and acknowledged
///     }
///     // In the transaction that makes the message processed.
///     ctx.db().execute("INSERT INTO notes (user_id, text) VALUES (?1, ?2)", &[&ctx.user(), &note.text])?;
///     ctx.publish("ben", "noted", &json!({ "text": note.text }))?; // stored: once, on every device, also later
///     ctx.tell("ben", "typing_stopped", &json!({}), true); // at most once, to those who are there
///     ctx.after_commit(move || println!("{}", note.text.len())); // what cannot be undone
///     Ok(json!({ "length": 4 })) // the `result` of a request
/// }
///
/// # async fn start() -> Result<(), everwire_axum::StoreError> {
/// let store = SqliteStore::new("app.db").setup("CREATE TABLE IF NOT EXISTS notes (user_id TEXT, text TEXT)");
/// let wire = Everwire::new(store).tokens(Tokens::new("a secret of 32 bytes or more")).on::<Note, _>(note).start().await?;
/// let app: axum::Router = axum::Router::new().route("/api/ws", wire.route());
/// # Ok(())
/// # }
/// ```
pub struct Everwire {
    backend: Backend,
    authenticate: Option<Box<dyn Authenticate>>,
    limits: Limits,
    metrics: Arc<dyn Metrics>,
    handlers: Handlers,
    bus: Option<RedisBus>,
}

/// The server side of the protocol, running. Dropping the last clone ends every connection without a word.
#[derive(Clone)]
pub struct Wire(Arc<Running>);

struct Running {
    engine: Arc<Engine>,
    _chores: Chores,
}

/// How messages of a type are treated.
#[derive(Clone, Copy, Debug)]
pub struct On {
    class: Class,
    joins: bool,
}

impl Everwire {
    /// A server with this store: [`SqliteStore`](crate::SqliteStore) and the like.
    pub fn new(store: impl Into<Backend>) -> Self {
        Self {
            backend: store.into(),
            authenticate: None,
            limits: Limits::default(),
            metrics: Arc::new(NoMetrics),
            handlers: Handlers::default(),
            bus: None,
        }
    }

    /// Checks tokens: JWT, HS256, in `?token=` or `Authorization: Bearer`. Without this or [`Everwire::authenticate`], nobody can connect.
    #[must_use]
    pub fn tokens(self, tokens: Tokens) -> Self {
        self.authenticate(tokens)
    }

    /// Checks who opens a connection in the application's own way: a function of the request that gives a
    /// [`Ticket`](crate::Ticket), or says why not.
    #[must_use]
    pub fn authenticate(mut self, authenticate: impl Authenticate) -> Self {
        self.authenticate = Some(Box::new(authenticate));
        self
    }

    /// Other limits.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Tells this what happens. The application keeps a clone, to show what was counted.
    #[must_use]
    pub fn metrics(mut self, metrics: Arc<dyn Metrics>) -> Self {
        self.metrics = metrics;
        self
    }

    /// Joins other nodes that have the same [`PostgresStore`](crate::PostgresStore).
    #[must_use]
    pub fn bus(mut self, bus: RedisBus) -> Self {
        self.bus = Some(bus);
        self
    }

    /// What is sent to each connection first: the data of `connected` for a user.
    #[must_use]
    pub fn on_connect(mut self, greet: impl Fn(&str) -> Value + Send + Sync + 'static) -> Self {
        self.handlers.greet = Some(Box::new(greet));
        self
    }

    /// Called when a user comes online with their first connection, or goes with their last, to whichever node, in the order in which it
    /// happens. It must not block.
    #[must_use]
    pub fn on_presence(mut self, presence: impl Fn(&str, bool) + Send + Sync + 'static) -> Self {
        self.handlers.presence = Some(Box::new(presence));
        self
    }

    /// Handles the messages of a type. The handler runs inside the transaction that makes the message processed, on the thread of the database:
    /// what it does through its [`Context`] happens with the message exactly once, or not at all. It may run again if the transaction fails, so
    /// what cannot be undone belongs into [`Context::after_commit`]. What it returns is the `result` of a request: something that is an object
    /// in JSON, or `()`.
    ///
    /// # Panics
    /// There is a handler for the type already, or the library handles it itself.
    #[must_use]
    pub fn on<M: Message, R: Serialize + 'static>(
        self,
        handler: impl Fn(&mut Context<'_>, M) -> Result<R, Refuse> + Send + Sync + 'static,
    ) -> Self {
        self.on_with(On::message(), handler)
    }

    /// The same with a limit of its own.
    ///
    /// # Panics
    /// As [`Everwire::on`].
    #[must_use]
    pub fn on_with<M: Message, R: Serialize + 'static>(
        mut self,
        on: On,
        handler: impl Fn(&mut Context<'_>, M) -> Result<R, Refuse> + Send + Sync + 'static,
    ) -> Self {
        assert!(!["hello", "ping"].contains(&M::TYPE), "`{}` is the library's", M::TYPE);
        assert!((1..=128).contains(&M::TYPE.len()), "a type has 1 to 128 bytes");
        let call = move |context: &mut Context<'_>, message: &Envelope| {
            let message = match payload::<M>(&message.data) {
                Ok(message) => message,
                Err(malformed) => return Ok(Err(malformed.into())),
            };
            match handler(context, message) {
                Ok(result) => Ok(object(M::TYPE, &result)),
                Err(Refuse::With(refusal)) => Ok(Err(refusal)),
                Err(Refuse::Database(error)) => Err(error),
            }
        };
        let before = self.handlers.by_type.insert(M::TYPE, Registered { on, call: Arc::new(call) });
        assert!(before.is_none(), "there is a handler for `{}` already", M::TYPE);
        self
    }

    /// Opens the store and starts the work in the background, on the runtime that this is called on. Neither the database nor Redis need be
    /// there yet: until the database is, connections that say `hello` are closed with 1011, and [`Wire::is_healthy`] says so.
    ///
    /// # Errors
    /// The database cannot be opened, for a reason that does not pass ([`StoreError::may_pass`]), or its tables are those of another server.
    pub async fn start(self) -> Result<Wire, StoreError> {
        let Self { backend, authenticate, limits, metrics, handlers, bus } = self;
        let authenticate = authenticate.unwrap_or_else(|| Box::new(|_: &_| Err(TokenRefused::Invalid)));
        let mut shared = Shared::open(backend, limits, metrics).await?;
        if let Some(bus) = bus {
            shared.join(bus).map_err(StoreError::Bus)?;
        }
        let (engine, chores) = Engine::start(shared, Arc::new(handlers), authenticate);
        Ok(Wire(Arc::new(Running { engine, _chores: chores })))
    }
}

impl On {
    /// Like any other message.
    #[must_use]
    pub const fn message() -> Self {
        Self { class: Class::Message, joins: false }
    }

    /// It joins a room: a client that has come back joins again, and may do so over the rate limit.
    #[must_use]
    pub const fn join() -> Self {
        Self { class: Class::Message, joins: true }
    }

    /// It is true for a moment, like typing: it has a limit of its own, and costs other messages nothing.
    #[must_use]
    pub const fn typing() -> Self {
        Self { class: Class::Typing, joins: false }
    }

    /// It has a lower limit of its own, besides that of all messages.
    #[must_use]
    pub const fn chat() -> Self {
        Self { class: Class::Chat, joins: false }
    }
}

impl Wire {
    /// The WebSocket endpoint, for a route of the application: `Router::new().route("/api/ws", wire.route())`.
    pub fn route<S: Clone + Send + Sync + 'static>(&self) -> MethodRouter<S> {
        self.0.engine.route()
    }

    #[cfg(test)]
    pub(crate) fn engine(&self) -> &Arc<Engine> {
        &self.0.engine
    }

    /// Stores an event for a user in a transaction of its own, and returns when it cannot be lost any more. Users who have never said
    /// `hello` get it if they are connected.
    ///
    /// # Errors
    /// It could not be stored.
    pub async fn publish(&self, user: &str, kind: &str, data: Value) -> Result<(), StoreError> {
        let (user, kind) = (user.to_owned(), kind.to_owned());
        self.transact(move |context| context.publish(&user, &kind, &data)).await
    }

    /// The same for everyone in a room.
    ///
    /// # Errors
    /// It could not be stored.
    pub async fn publish_to_room(&self, room: &Room, kind: &str, data: Value) -> Result<(), StoreError> {
        let (room, kind) = (room.clone(), kind.to_owned());
        self.transact(move |context| context.publish_to_room(&room, &kind, &data)).await
    }

    /// Runs a closure in a transaction, for statements and events that belong together, and returns when it is on the disk.
    ///
    /// # Errors
    /// The closure has failed, or the database: then nothing of it has happened.
    pub async fn transact<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Context<'_>) -> database::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.0.engine.store.transact(job).await
    }

    /// Looks at once for what a transaction of the application's own has published with [`PUBLISH`](crate::PUBLISH), which would be found
    /// soon by itself.
    pub fn look(&self) {
        self.0.engine.store.look();
    }

    /// Whether the database takes a transaction that writes within a second, for a health check. A node without one must not be sent clients. One
    /// that could not store something, because its disk is full or it may only be read, is not healthy for 10 s.
    pub async fn is_healthy(&self) -> bool {
        self.0.engine.store.is_healthy().await
    }

    /// Sends an event to the connections that a user has, to this node and others, at most once. Says to how many here. What no client could take for an event
    /// of the application is not sent, and logged as an error.
    pub fn tell(&self, user: &str, kind: &str, data: &impl Serialize) -> usize {
        transient_frame(kind, data).map_or(0, |event| self.0.engine.hub.tell_user(user, None, kind, &event))
    }

    /// The same for everyone who is in a room.
    pub fn tell_room(&self, room: &Room, kind: &str, data: &impl Serialize) -> usize {
        transient_frame(kind, data).map_or(0, |event| self.0.engine.hub.tell_room(room, None, kind, &event))
    }

    /// The same for everyone who is connected.
    pub fn tell_everyone(&self, kind: &str, data: &impl Serialize) -> usize {
        transient_frame(kind, data).map_or(0, |event| self.0.engine.hub.tell_all(kind, &event))
    }

    /// Whose HTTP request it is, by the check that connections pass. [`User`] is an extractor that asks this.
    ///
    /// # Errors
    /// Why it is nobody's.
    pub fn identify(&self, request: &Parts) -> Result<Ticket, TokenRefused> {
        self.0.engine.identify(request)
    }

    /// Whether a user has a connection, to this node or another.
    #[must_use]
    pub fn is_connected(&self, user: &str) -> bool {
        self.0.engine.hub.is_online(user)
    }

    /// Connections to this process.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.0.engine.hub.len()
    }

    /// Ends the connections of a user to this process, and says how many there were. `code` is one that may be sent (RFC 6455, 7.4): 1000 to 1003, 1007 to 1014, or
    /// 3000 to 4999; with another they end with 1011, and the log says so. Of `reason`, 123 bytes are sent.
    pub fn close(&self, user: &str, code: u16, reason: &str) -> usize {
        let connections = self.0.engine.hub.connections(Some(user));
        connections.iter().filter(|connection| connection.end(Ending::close(code, reason))).count()
    }

    /// Ends every connection with 1012, and every later one, and waits until all have said goodbye or the time is over. Says whether all
    /// have. What was not acknowledged comes again, to the next process.
    pub async fn drain(&self, patience: Duration) -> bool {
        self.0.engine.drain(patience).await
    }
}

/// The user of an HTTP request, as an argument of its handler; a request without a good token is answered with 401. The state of the router
/// is or contains the [`Wire`] ([`FromRef`]).
#[derive(Clone, Debug)]
pub struct User(pub Arc<str>);

impl<S: Send + Sync> FromRequestParts<S> for User
where
    Wire: FromRef<S>,
{
    type Rejection = (StatusCode, &'static str);

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        match Wire::from_ref(state).identify(parts) {
            Ok(ticket) => Ok(Self(ticket.user)),
            Err(refused) => Err((StatusCode::UNAUTHORIZED, refused.as_str())),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.engine.abort();
    }
}

type Call = dyn Fn(&mut Context<'_>, &Envelope) -> database::Result<Outcome> + Send + Sync;
type Greet = dyn Fn(&str) -> Value + Send + Sync;
type Presence = dyn Fn(&str, bool) + Send + Sync;

#[derive(Default)]
struct Handlers {
    by_type: HashMap<&'static str, Registered>,
    greet: Option<Box<Greet>>,
    presence: Option<Box<Presence>>,
}

struct Registered {
    on: On,
    call: Arc<Call>,
}

impl Application for Handlers {
    fn prepare(&self, _: &Arc<Connection>, message: Envelope) -> Result<Action, Refusal> {
        let Some(Registered { call, .. }) = self.by_type.get(message.kind.as_str()) else {
            return Err(refusal::unknown_type(&message.kind));
        };
        let call = call.clone();
        Ok(Action::effect(move |context| call(context, &message)))
    }

    fn class(&self, kind: &str) -> Class {
        self.by_type.get(kind).map_or(Class::Message, |registered| registered.on.class)
    }

    fn joins(&self, kind: &str) -> bool {
        self.by_type.get(kind).is_some_and(|registered| registered.on.joins)
    }

    fn presence(&self, user: &Arc<str>, online: bool) {
        if let Some(presence) = &self.presence
            && panics::caught(|| presence(user, online)).is_none()
        {
            tracing::error!("what is done when users come and go panicked");
        }
    }

    fn greeting(&self, user: &str) -> Option<Outgoing> {
        let greeting = panics::caught(|| self.greet.as_ref().map(|greet| envelope::event("connected", &greet(user))));
        greeting.unwrap_or_else(|| {
            tracing::error!("what greets a user panicked");
            None
        })
    }
}

/// What a handler has returned, as the result of a request.
fn object(kind: &str, result: &impl Serialize) -> Outcome {
    match serde_json::to_value(result) {
        Ok(Value::Object(result)) => Ok(result),
        Ok(Value::Null) => Ok(Map::new()),
        Ok(_) | Err(_) => {
            tracing::error!(kind, "a handler must return an object or nothing");
            Err(refusal::internal())
        }
    }
}
