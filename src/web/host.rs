//! One client in the browser: its driver, its socket, its alarm, and what it tells the application.

use std::cell::{Cell, OnceCell};
use std::rc::{Rc, Weak};

use futures_util::future::{AbortHandle, abortable};
use js_sys::{JsString, Object};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::{CloseEvent, MessageEvent};

use super::alarm::Alarm;
use super::envelope::{self, Envelope};
use super::page_events::{PageEvent, PageListeners};
use super::panics::awaited;
use super::scope;
use super::sockets::{Socket, SocketListeners};
use super::token::{Asked, Opening, TokenAnswer, TokenSource};
use super::value::{WebText, WebValue};
use crate::client::{
    ClientError, ClientEvent, Dispatcher, HeartbeatNames, RequestError, Snapshot, SocketOptions, readable,
};
use crate::driver::{self, Driver, Host};
use crate::events::rules::SessionRule;
use crate::proto::wire::{self, Field, ReceiptStatus, Value as _};
use crate::proto::{
    Cause, Client, Close, DropReason, Input, Message, ProtocolViolation, Reason, RequestFailure, SocketId, Timestamp,
    ValidatedConfig,
};
use crate::reentrancy_cell::ReentrancyCell;

/// Why there is no socket.
enum OpenFailure {
    TokenAbsent,
    NoToken(JsValue),
    NoSocket,
}

/// One client. JavaScript reaches it through weak references.
pub(crate) struct WebHost {
    this: Weak<Self>,
    is_reliable: bool,
    driver: ReentrancyCell<Driver<WebValue>>,
    dispatcher: Dispatcher,
    token: TokenSource,
    /// Ends the wait for a token.
    token_wait: ReentrancyCell<Option<AbortHandle>>,
    /// Whether to connect without a token.
    is_anonymous: bool,
    socket_options: SocketOptions,
    sessions: Vec<SessionRule>,
    heartbeat_names: HeartbeatNames,
    /// The latest time that was asked for on the clock of the day, and what it was there.
    shown_time: Cell<Option<(Timestamp, f64)>>,
    /// Where to connect, without the token.
    endpoint: ReentrancyCell<JsString>,
    socket: ReentrancyCell<Option<(SocketId, Rc<Socket>)>>,
    socket_listeners: OnceCell<SocketListeners>,
    alarm: ReentrancyCell<Option<Alarm>>,
    page: ReentrancyCell<Option<PageListeners>>,
    /// Keeps an active client alive whose last handle is dropped, until its connection is closed.
    anchor: ReentrancyCell<Option<Rc<Self>>>,
}

impl WebHost {
    pub(crate) fn new(
        config: ValidatedConfig,
        token: TokenSource,
        is_anonymous: bool,
        socket_options: SocketOptions,
        sessions: Vec<SessionRule>,
        heartbeat_names: HeartbeatNames,
    ) -> Rc<Self> {
        let (client_id, seed) = scope::random_identity();
        let is_reliable = config.reliable;
        let driver = Driver::new(config, client_id.as_str().into(), seed);
        Rc::new_cyclic(|this| Self {
            this: this.clone(),
            is_reliable,
            driver: ReentrancyCell::new(driver),
            dispatcher: Dispatcher::default(),
            token,
            token_wait: ReentrancyCell::new(None),
            is_anonymous,
            socket_options,
            sessions,
            heartbeat_names,
            shown_time: Cell::new(None),
            endpoint: ReentrancyCell::new(JsString::default()),
            socket: ReentrancyCell::new(None),
            socket_listeners: OnceCell::new(),
            alarm: ReentrancyCell::new(None),
            page: ReentrancyCell::new(None),
            anchor: ReentrancyCell::new(None),
        })
    }

    /// Looks at the state machine. `look` must not run code of the application.
    pub(crate) fn with_core<R>(&self, look: impl FnOnce(&Client<WebValue>) -> R) -> R {
        look(self.driver.borrow_mut().client())
    }

    pub(crate) const fn is_reliable(&self) -> bool {
        self.is_reliable
    }

    /// A time to come in milliseconds since the Unix epoch. The same at each look, although the two clocks drift.
    pub(crate) fn time_of_day(&self, at: Timestamp) -> f64 {
        let shown = self.shown_time.get().filter(|(shown, _)| *shown == at);
        let (_, time) = shown.unwrap_or_else(|| (at, scope::wall_clock() + at.since(scope::now()) as f64));
        self.shown_time.set(Some((at, time)));
        time
    }

    /// What joins and leaves sessions beside the events of the catalogues.
    pub(crate) fn sessions(&self) -> &[SessionRule] {
        &self.sessions
    }

    pub(crate) const fn dispatcher(&self) -> &Dispatcher {
        &self.dispatcher
    }

    /// Connects to this endpoint by a command.
    pub(crate) fn connect(&self, endpoint: JsString, connect: fn(&mut Client<WebValue>, Timestamp)) {
        self.endpoint.replace(endpoint);
        driver::connect(&mut &*self, connect);
    }

    /// The application has another token.
    pub(crate) fn token_changed(&self) {
        driver::connect(&mut &*self, Client::token_changed);
    }

    /// Runs a command of the application.
    pub(crate) fn command<R>(&self, command: impl FnOnce(&mut Client<WebValue>, Timestamp) -> R) -> R {
        driver::command(&mut &*self, command)
    }

    fn input(&self, input: Input<WebValue>) {
        driver::handle_input(&mut &*self, input, scope::now());
    }

    /// A function for JavaScript to call, which does nothing once the client is gone. The reference that it makes keeps the client until the
    /// call is over, whatever a handler drops.
    fn callback<E>(&self, handle: impl Fn(&Self, E) + 'static) -> impl Fn(E) + 'static {
        let this = self.this.clone();
        move |event| {
            if let Some(host) = this.upgrade() {
                handle(&host, event);
            }
        }
    }

    fn socket_id(&self) -> Option<SocketId> {
        self.socket.borrow_mut().as_ref().map(|(id, _)| *id)
    }

    fn socket(&self) -> Option<Rc<Socket>> {
        self.socket.borrow_mut().as_ref().map(|(_, socket)| socket.clone())
    }

    fn socket_opened(&self) {
        let socket = self.socket.borrow_mut().clone();
        if let Some((id, socket)) = socket {
            socket.greet();
            self.input(Input::SocketOpened { socket: id });
        }
    }

    fn message_received(&self, message: &MessageEvent) {
        let Some(socket) = self.socket_id() else { return };
        match envelope::parse(message.data()) {
            Ok(frame) => self.input(Input::Frame { socket, frame }),
            Err(error) => self.dispatcher.dispatch(ClientEvent::Error(error)),
        }
    }

    fn socket_closed(&self, event: &CloseEvent) {
        let Some((socket, _)) = self.socket.replace(None) else { return };
        let reason = Reason::Peer(WebText::from(event.reason().as_str()));
        let close = Close { code: event.code(), reason, was_clean: event.was_clean() };
        self.input(Input::SocketClosed { socket, close });
    }

    fn page_changed(&self, event: PageEvent) {
        self.input(match event {
            PageEvent::Online => Input::NetworkOnline,
            PageEvent::Offline => Input::NetworkOffline,
            PageEvent::Visible => Input::PageVisible,
            PageEvent::Restored => Input::PageRestored,
        });
    }

    /// Opens a socket with the token that was answered: a string or `undefined`. An empty one is none. Does nothing where the application has
    /// disconnected meanwhile.
    fn open_socket(&self, attempt: SocketId, answer: TokenAnswer) -> Result<(), OpenFailure> {
        if self.with_core(Client::socket) != Some(attempt) {
            return Ok(());
        }
        if matches!(&answer, Ok(token) if token.is_falsy() && !self.is_anonymous) {
            return Err(OpenFailure::TokenAbsent);
        }
        let endpoint = self.endpoint.borrow_mut().clone();
        let opening = answer.and_then(|token| Opening::new(&endpoint, &token, &self.socket_options));
        let opening = opening.map_err(OpenFailure::NoToken)?;
        let socket = Socket::open(opening, self.socket_listeners()).map_err(|_| OpenFailure::NoSocket)?;
        drop(self.socket.replace(Some((attempt, Rc::new(socket)))));
        Ok(())
    }

    fn open_failed(&self, attempt: SocketId, failure: OpenFailure) {
        if self.with_core(Client::socket) != Some(attempt) {
            return;
        }
        self.input(match failure {
            OpenFailure::TokenAbsent => Input::TokenAbsent { socket: attempt },
            OpenFailure::NoSocket => Input::OpenFailed { socket: attempt, cause: Cause::NoSocket },
            OpenFailure::NoToken(cause) => {
                self.dispatcher.record(ClientEvent::Error(ClientError::TokenFailed { cause }));
                Input::OpenFailed { socket: attempt, cause: Cause::NoToken }
            }
        });
    }

    fn stop_waiting_for_token(&self) {
        if let Some(wait) = self.token_wait.replace(None) {
            wait.abort();
        }
    }

    fn socket_listeners(&self) -> &SocketListeners {
        self.socket_listeners.get_or_init(|| {
            SocketListeners::new(
                self.callback(|host, _| host.socket_opened()),
                self.callback(|host, message| host.message_received(&message)),
                self.callback(|host, event| host.socket_closed(&event)),
            )
        })
    }
}

impl Host for &WebHost {
    type Value = WebValue;

    fn with_driver<R>(&mut self, look: impl FnOnce(&mut Driver<WebValue>) -> R) -> R {
        look(&mut self.driver.borrow_mut())
    }

    fn now(&mut self) -> Timestamp {
        scope::now()
    }

    fn wall_clock_ms(&mut self) -> u64 {
        scope::wall_clock() as u64
    }

    fn is_offline(&mut self) -> bool {
        scope::is_offline()
    }

    fn open(&mut self, attempt: SocketId, token_refused: bool) {
        self.stop_waiting_for_token();
        let failed = self.callback(move |host, failure| host.open_failed(attempt, failure));
        let answer = match self.token.ask(token_refused) {
            Ok(Asked::Now(token)) => Ok(token),
            Err(cause) => Err(cause),
            Ok(Asked::Later(answer)) => {
                let answered = self.callback(move |host, answer| {
                    if let Err(failure) = host.open_socket(attempt, answer) {
                        host.open_failed(attempt, failure);
                    }
                });
                let (answer, wait) = abortable(awaited(answer));
                drop(self.token_wait.replace(Some(wait)));
                return spawn_local(async move {
                    if let Ok(answer) = answer.await {
                        answered(answer.flatten());
                    }
                });
            }
        };
        if let Err(failure) = self.open_socket(attempt, answer) {
            // The state machine is in the middle of what led here.
            spawn_local(async move { failed(failure) });
        }
    }

    fn send(&mut self, _: SocketId, text: &WebText) -> Option<u64> {
        self.socket()?.send(&text.0)
    }

    fn ping(&mut self, socket: SocketId) {
        let event = WebText::from(self.heartbeat_names.ping.as_str());
        let ping = wire::message(&event, WebValue::empty(), self.wall_clock_ms());
        _ = self.send(socket, &ping);
    }

    fn is_pong(&mut self, frame: &WebValue) -> bool {
        !self.is_reliable && frame.get(Field::Type) == self.heartbeat_names.pong.as_str()
    }

    fn buffered(&mut self, _: SocketId) -> u64 {
        self.socket().map_or(0, |socket| socket.buffered())
    }

    fn close(&mut self, _: SocketId) {
        self.stop_waiting_for_token();
        if let Some(socket) = self.socket() {
            socket.close();
        }
    }

    fn abandon(&mut self, _: SocketId) {
        self.stop_waiting_for_token();
        if let Some((_, socket)) = self.socket.replace(None) {
            socket.stop_listening();
            socket.close();
        }
    }

    fn set_alarm(&mut self, delay_ms: Option<u64>) {
        let ring = self.callback(|host, ()| {
            drop(host.alarm.replace(None));
            driver::handle_timeout(&mut &*host);
        });
        let alarm = delay_ms.map(|delay_ms| Alarm::new(delay_ms, move || ring(())));
        drop(self.alarm.replace(alarm));
    }

    fn set_active(&mut self, is_active: bool) {
        let page = is_active.then(|| PageListeners::new(self.callback(WebHost::page_changed)));
        drop(self.page.replace(page));
        let anchor = if is_active { self.this.upgrade() } else { None };
        drop(self.anchor.replace(anchor));
    }

    fn frame(&mut self, frame: WebValue) {
        self.dispatcher.record_frame(frame);
    }

    fn opened(&mut self) {
        self.dispatcher.record(ClientEvent::Opened);
    }

    fn closed(&mut self, close: Close<WebText>) {
        self.dispatcher.record(ClientEvent::Closed(readable(&close)));
    }

    fn reconnecting(&mut self, attempt: u32, delay_ms: u64) {
        self.dispatcher.record(ClientEvent::Reconnecting { attempt, delay_ms });
    }

    fn gave_up(&mut self, attempts: u32) {
        self.dispatcher.record(ClientEvent::GaveUp { attempts });
    }

    // The queue in the snapshot tells what was sent.
    #[cfg(not(feature = "json"))]
    fn transmitted(&mut self, _: u64) {}

    #[cfg(feature = "json")]
    fn transmitted(&mut self, seq: u64) {
        self.dispatcher.record_transmission(seq);
    }

    fn acknowledged(&mut self, _: Option<WebText>, seq: u64) {
        self.dispatcher.record(ClientEvent::Acknowledged { seq });
    }

    fn refused(&mut self, seq: u64, data: WebValue) {
        let [code, message] = ["code", "message"].map(|name| data.named(name).as_string().unwrap_or_default());
        let rejection = || Err(RequestError::Rejected { code: code.clone(), message: message.clone() });
        self.dispatcher.resolve_request(seq, rejection);
        self.dispatcher.record(ClientEvent::Rejected { seq, code, message });
    }

    fn replied(&mut self, seq: u64, data: WebValue) {
        let result = data.named("result");
        let is_missing = result.is_null() || result.is_undefined();
        self.dispatcher.resolve_request(seq, || Ok(if is_missing { Object::new().into() } else { result }));
    }

    fn receipt(&mut self, seq: u64, status: ReceiptStatus) {
        self.dispatcher.record(ClientEvent::Receipt { seq, status });
    }

    fn request_failed(&mut self, seq: u64, failure: RequestFailure) {
        self.dispatcher.resolve_request(seq, || Err(RequestError::failed(failure)));
    }

    fn gap(&mut self, stream: WebText, from: u64, to: Option<u64>) {
        self.dispatcher.record(ClientEvent::Gap { stream: stream.to_rust(), from, to });
    }

    fn violation(&mut self, violation: ProtocolViolation) {
        self.dispatcher.record(ClientEvent::Error(ClientError::Protocol(violation)));
    }

    fn dropped(&mut self, message: Box<Message<WebText>>, reason: DropReason) {
        self.dispatcher.resolve_request(message.seq, || Err(RequestError::Dropped(reason)));
        let (event, data) = Envelope::read_back(&message.frame);
        let seq = (message.seq > 0).then_some(message.seq);
        // Conversations ask the server with it, and ask again.
        if event != "ping" {
            self.dispatcher.record(ClientEvent::Dropped { seq, event, data, reason });
        }
    }

    fn changed(&mut self, _: bool) {
        self.dispatcher.wake_later();
        self.dispatcher.record(ClientEvent::Changed(Snapshot::take(self)));
    }

    fn deliver(&mut self) {
        self.dispatcher.deliver();
    }
}
