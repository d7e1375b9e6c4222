//! A connection as the sender of numbered messages.

use std::{collections::VecDeque, future::pending, pin::Pin, sync::Arc};

use serde_json::{Map, Value};

use crate::{
    app::App,
    connection::Connection,
    dispatch,
    ending::Ending,
    envelope::{Envelope, Malformed},
    outgoing::Outgoing,
    reliable::{Case, Hello, Ledger, Numbers, Sequence, Source, WINDOW, Work},
    reply::Refusal,
};

/// What a connection's task knows of the client that has said hello on it.
pub struct Sender {
    client_id: Arc<str>,
    /// The number of the last message that was handed on to be processed.
    last: u64,
    /// Messages that the rate limit holds back, in their order.
    held: VecDeque<Message>,
    /// Done when the first of them may go on.
    turn: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

type Message = (Sequence, Result<Envelope, Malformed>);

type Answered = Result<Result<Option<Outgoing>, Refusal>, Ending>;

impl Sender {
    #[cfg(test)]
    pub fn last(&self) -> u64 {
        self.last
    }

    /// `hello`. The welcome is queued when this returns, so nothing that comes later is answered before it.
    pub async fn hello(
        app: &App,
        from: &Arc<Connection>,
        sender: &mut Option<Self>,
        data: &Map<String, Value>,
    ) -> Answered {
        // An error would tell the client that this server does not know the reliable mode.
        if !app.limits.allow_ping(&from.user) {
            app.metrics.hello("too_many");
            return Err(Ending::close(1013, "too many hellos"));
        }
        let hello = match Hello::read(data) {
            Ok(hello) => hello,
            Err(error) => {
                app.metrics.hello(error.code());
                return Ok(Err(error.into()));
            }
        };
        if sender.as_ref().is_some_and(|sender| *sender.client_id == *hello.client_id) {
            return Err(violation(app, 4400, "repeated_hello", "hello was said before"));
        }
        if sender.as_ref().is_some_and(Self::is_held_up) {
            return Err(violation(app, 4400, "early_hello", "hello before all is acknowledged"));
        }
        let client_id = Arc::<str>::from(hello.client_id.as_str());
        let (connection, id) = (from.clone(), client_id.clone());
        let store = app.matches.store();
        let welcomed =
            store.run_with_ledger(move |database, ledger| ledger.welcome(database, &connection, &id, &hello));
        match welcomed.await {
            Ok(last) => {
                app.metrics.hello("welcome");
                *sender = Some(Self { client_id, last, held: VecDeque::new(), turn: None });
                Ok(Ok(None))
            }
            Err(error) => {
                tracing::error!(%error, "a hello could not be answered");
                app.metrics.hello("internal");
                Err(not_stored())
            }
        }
    }

    /// A message with numbers. Its answer, if it has one, is queued when it is processed.
    pub async fn message(
        app: &App,
        from: &Arc<Connection>,
        sender: Option<&mut Self>,
        numbers: Numbers,
        envelope: Result<Envelope, Malformed>,
    ) -> Answered {
        let Numbers::Present(sequence) = numbers else {
            return Err(violation(app, 4400, "bad_number", "`seq` or `prev` is not a number that can be there"));
        };
        let Some(sender) = sender else {
            return Err(violation(app, 4400, "before_hello", "`seq` before hello"));
        };
        let is_next = sequence.case(sender.last) == Case::Next;
        if sender.is_held_up() || is_next && !app.limits.allow_message(&from.user) {
            sender.held.push_back((sequence, envelope));
            sender.stand_in_line(app, from);
            return Ok(Ok(None));
        }
        sender.process(app, from, (sequence, envelope)).await.map(|()| Ok(None))
    }

    /// Whether messages wait for the rate limit. Those behind them wait as well.
    pub fn is_held_up(&self) -> bool {
        !self.held.is_empty()
    }

    /// Whether a client that keeps to the window sends nothing more but pings.
    pub fn is_full(&self) -> bool {
        self.held.len() > WINDOW
    }

    /// Waits until the first message that is held may go on, if there is one.
    pub async fn turn(sender: Option<&mut Self>) {
        match sender.and_then(|sender| sender.turn.as_mut()) {
            Some(turn) => turn.await,
            None => pending().await,
        }
    }

    /// Processes that message.
    pub async fn go_on(&mut self, app: &App, from: &Arc<Connection>) -> Result<(), Ending> {
        self.turn = None;
        let Some(first) = self.held.pop_front() else { return Ok(()) };
        if self.is_held_up() {
            self.stand_in_line(app, from);
        } else {
            self.held = VecDeque::new();
        }
        self.process(app, from, first).await
    }

    fn stand_in_line(&mut self, app: &App, from: &Connection) {
        let wait = || -> Pin<Box<dyn Future<Output = ()> + Send>> {
            Box::pin(app.limits.clone().next_message(from.user.clone()))
        };
        self.turn.get_or_insert_with(wait);
    }

    /// Hands a message on that the rate limit allows.
    async fn process(
        &mut self,
        app: &App,
        from: &Arc<Connection>,
        (sequence, envelope): Message,
    ) -> Result<(), Ending> {
        match sequence.case(self.last) {
            Case::Next => {}
            Case::Duplicate => {
                app.metrics.duplicates.inc();
                let (connection, client_id, last) = (from.clone(), self.client_id.clone(), self.last);
                let again = move |_: &_, ledger: &mut Ledger| {
                    ledger.acknowledge(&connection, &client_id, last);
                    Ok(())
                };
                return app.matches.store().post(again).await.map_err(|_| not_stored());
            }
            Case::Missing => return Err(violation(app, 4409, "missing", "a message is missing")),
            Case::Overlap => return Err(violation(app, 4400, "overlap", "`prev` has been overtaken")),
        }
        // Beyond the window nothing more is read until something has been processed.
        from.window.acquire().await.map_err(|_| not_stored())?.forget();
        self.last = sequence.seq;
        let (kind, data) = match &envelope {
            Ok(Envelope { kind, data, .. }) => (Some(kind.clone()), app.dev.as_ref().map(|_| written(data))),
            Err(_) => (None, app.dev.as_ref().map(|_| "{}".to_owned())),
        };
        let work = Work {
            from: from.clone(),
            source: Source { client_id: self.client_id.clone(), sequence },
            kind,
            data,
            action: dispatch::prepare(app, from, envelope),
        };
        let process = move |database: &_, ledger: &mut Ledger| ledger.process(database, work);
        app.matches.store().post(process).await.map_err(|_| not_stored())
    }
}

fn written(data: &Map<String, Value>) -> String {
    serde_json::to_string(data).unwrap_or_else(|_| "{}".into())
}

fn violation(app: &App, code: u16, kind: &'static str, reason: &'static str) -> Ending {
    app.metrics.violation(kind);
    Ending::close(code, reason)
}

fn not_stored() -> Ending {
    Ending::close(1011, "could not be stored")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{connection::Inbox, options::Options, server::Server};

    const HELLO: &str = r#"{"type":"hello","data":{"versions":[1],"client_id":"k3Zq8vXw2LmN4pRt"}}"#;
    const JOIN: &str = r#"{"type":"join_session","data":{"session_id":"s1"},"seq":1}"#;

    async fn hello(app: &App) -> (Arc<Connection>, Inbox, Option<Sender>) {
        let (ada, inbox) = app.connect(&Arc::from("ada"), None).ok().unwrap();
        let mut sender = None;
        dispatch::text(app, &ada, &mut sender, HELLO).await.unwrap();
        (ada, inbox, sender)
    }

    #[tokio::test]
    async fn what_could_not_be_stored_is_not_acknowledged_and_may_come_again() {
        let flags = ["--dev", "--port", "0"];
        let server = Server::start(Options::from_flags(flags).unwrap()).await.unwrap();
        let app = server.app();
        let store = app.matches.store();
        let (ada, inbox, mut sender) = hello(app).await;
        // The message and a failure behind it, in the same transaction.
        let (go, gate) = std::sync::mpsc::channel();
        store.post(move |_, _| gate.recv().map_err(|_| rusqlite::Error::InvalidQuery)).await.unwrap();
        dispatch::text(app, &ada, &mut sender, JOIN).await.unwrap();
        store.post(|_, _| Err(rusqlite::Error::InvalidQuery)).await.unwrap();
        go.send(()).unwrap();
        assert_eq!(inbox.ending.await.unwrap(), not_stored());
        app.disconnect(&ada, &Ending::Gone);

        let (ada, mut inbox, mut sender) = hello(app).await;
        assert_eq!(sender.as_ref().unwrap().last, 0);
        dispatch::text(app, &ada, &mut sender, JOIN).await.unwrap();
        loop {
            let frame = inbox.queue.recv().await.unwrap();
            if frame.frame.to_text().unwrap().starts_with(r#"{"type":"ack","data":{"seq":1}"#) {
                break;
            }
        }
        assert!(app.hub.is_streamed("ada"));
    }
}
