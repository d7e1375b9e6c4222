//! A connection as the sender of numbered messages.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use serde_json::{Map, Value, value::RawValue};
use tokio::time::Instant;

use crate::{
    connection::Connection,
    dispatch,
    ending::Ending,
    engine::Engine,
    frame::{Envelope, Malformed, payload},
    intake::Turn,
    limits::{Account, Class},
    metrics::{Arrival, Outcome},
    outgoing::Outgoing,
    refusal::Refusal,
    reliable::{Case, Hello, HelloError, Ledger, Numbers, Sequence, Source, WINDOW, Work},
};

/// The client that has said hello on a connection, and what it has sent.
pub struct Sender {
    client_id: Arc<str>,
    /// The number of the last message that was handed on to be processed.
    last: u64,
    /// Messages that have to wait, in their order.
    held: VecDeque<Message>,
    /// Done when the first of them may go on, with a permit of the window taken for it.
    turn: Option<Turn>,
    account: Arc<Account>,
}

type Message = (Sequence, Result<Envelope, Refusal>, Arrival);

type Answered = Result<Result<Option<Outgoing>, Refusal>, Ending>;

/// What a message that waits is waiting for.
#[derive(Clone, Copy, PartialEq)]
enum Lacks {
    /// The rate limit to allow it, and room in the window.
    Token,
    /// Room in the window: messages before it to be processed.
    Room,
}

impl Sender {
    /// The number of the last message that was handed on to be processed.
    pub fn last(&self) -> u64 {
        self.last
    }

    /// `hello`. The welcome is queued when this returns, so nothing that comes later is answered before it.
    pub async fn hello(
        engine: &Engine,
        from: &Arc<Connection>,
        sender: &mut Option<Self>,
        data: &RawValue,
    ) -> Answered {
        // An error would tell the client that this server does not know the reliable mode. So a hello over the limit is answered late,
        // unless that would be too late.
        let latest = Instant::now() + LATEST_WELCOME;
        if !engine.rates.allow_ping(&from.user) {
            let turn = engine.rates.clone().next_ping(from.user.clone());
            if tokio::time::timeout(LATEST_TURN, turn).await.is_err() {
                engine.metrics.hello("too_many");
                return Err(Ending::close(1013, "too many hellos"));
            }
        }
        let read = payload::<Map<String, Value>>(data).map_err(|Malformed(reason)| HelloError::Malformed(reason));
        let hello = match read.and_then(|data| Hello::read(&data)) {
            Ok(hello) => hello,
            Err(error) => {
                engine.metrics.hello(error.code());
                return Ok(Err(error.into()));
            }
        };
        if sender.as_ref().is_some_and(|sender| *sender.client_id == *hello.client_id) {
            return Err(violation(engine, 4400, "repeated_hello", "hello was said before"));
        }
        if sender.as_ref().is_some_and(Self::is_held_up) {
            return Err(violation(engine, 4400, "early_hello", "hello before all is acknowledged"));
        }
        let client_id = Arc::<str>::from(hello.client_id.as_str());
        let (connection, id) = (from.clone(), client_id.clone());
        let store = &engine.store;
        let welcomed =
            store.run_with_ledger(move |database, ledger| ledger.welcome(database, &connection, &id, &hello));
        from.set_asked_hello();
        let Ok(welcomed) = tokio::time::timeout_at(latest, welcomed).await else {
            engine.metrics.hello("busy");
            return Err(Ending::close(1013, "busy"));
        };
        match welcomed {
            Ok(last) => {
                engine.metrics.hello("welcome");
                from.resume_acks(last);
                let account = engine.rates.account(&from.user);
                *sender = Some(Self { client_id, last, held: VecDeque::new(), turn: None, account });
                Ok(Ok(None))
            }
            Err(error) => {
                tracing::error!(%error, "a hello could not be answered");
                engine.metrics.hello("internal");
                Err(Ending::not_stored(false))
            }
        }
    }

    /// A message with numbers. Its answer, if it has one, is queued when it is processed.
    pub async fn message(
        engine: &Engine,
        from: &Arc<Connection>,
        sender: Option<&mut Self>,
        (numbers, envelope, arrival): (Numbers, Result<Envelope, Refusal>, Arrival),
    ) -> Result<(), Ending> {
        let Numbers::Present(sequence) = numbers else {
            return Err(violation(engine, 4400, "bad_number", "`seq` or `prev` is not a number that can be there"));
        };
        let Some(sender) = sender else {
            return Err(violation(engine, 4400, "before_hello", "`seq` before hello"));
        };
        let message = (sequence, envelope, arrival);
        // Whatever arrives is charged, also what was processed before: to find that out costs the same.
        if sender.is_held_up() || !engine.rates.allow(&from.user, class(engine, &message)) {
            sender.hold(engine, from, message, Lacks::Token);
            return Ok(());
        }
        match from.window.try_acquire() {
            Ok(permit) => {
                permit.forget();
                sender.process(engine, from, message).await
            }
            Err(_) => {
                sender.hold(engine, from, message, Lacks::Room);
                Ok(())
            }
        }
    }

    /// Whether messages wait. Those behind them wait as well.
    pub fn is_held_up(&self) -> bool {
        !self.held.is_empty()
    }

    /// Whether another message can be taken. A client that keeps to the window sends nothing more than that but pings. One message
    /// can always be taken, so every connection of a user gets its turn.
    pub fn may_read(&self) -> bool {
        !self.is_held_up() || self.held.len() <= WINDOW && self.account.has_room()
    }

    /// Done when the first message that is held may go on, if there is one.
    pub fn turn(&mut self) -> Option<&mut Turn> {
        self.turn.as_mut()
    }

    /// Processes that message.
    pub async fn go_on(&mut self, engine: &Engine, from: &Arc<Connection>) -> Result<(), Ending> {
        self.turn = None;
        let Some(first) = self.held.pop_front() else { return Ok(()) };
        self.account.release(size(&first));
        if self.is_held_up() {
            self.stand_in_line(engine, from, Lacks::Token);
        } else {
            self.held = VecDeque::new();
        }
        self.process(engine, from, first).await
    }

    fn hold(&mut self, engine: &Engine, from: &Arc<Connection>, message: Message, lacks: Lacks) {
        self.account.hold(size(&message));
        self.held.push_back(message);
        if self.turn.is_none() {
            self.stand_in_line(engine, from, lacks);
        }
    }

    fn stand_in_line(&mut self, engine: &Engine, from: &Arc<Connection>, lacks: Lacks) {
        let (limits, from) = (engine.rates.clone(), from.clone());
        let class = self.held.front().map_or(Class::Message, |message| class(engine, message));
        self.turn = Some(Box::pin(async move {
            if lacks == Lacks::Token {
                limits.next_message(from.user.clone(), class).await;
            }
            // A window is closed when its connection has to end.
            if let Ok(permit) = from.window.acquire().await {
                permit.forget();
            }
        }));
    }

    /// Hands a message on that may go on.
    async fn process(
        &mut self,
        engine: &Engine,
        from: &Arc<Connection>,
        (sequence, envelope, arrival): Message,
    ) -> Result<(), Ending> {
        match sequence.case(self.last) {
            Case::Next => {}
            Case::Duplicate => {
                engine.metrics.duplicate();
                let kind = envelope.as_ref().ok().map(|envelope| envelope.kind.as_str());
                engine.metrics.message(from, kind, Some(sequence.seq), arrival, Outcome::Duplicate);
                let (connection, client_id, last) = (from.clone(), self.client_id.clone(), self.last);
                let again = move |_: &_, ledger: &mut Ledger| {
                    ledger.acknowledge(&connection, &client_id, last);
                    Ok(())
                };
                return engine.store.post(again).await.map_err(|_| Ending::not_stored(false));
            }
            Case::Missing => return Err(violation(engine, 4409, "missing", "a message is missing")),
            Case::Overlap => return Err(violation(engine, 4400, "overlap", "`prev` has been overtaken")),
        }
        self.last = sequence.seq;
        let noted = engine.limits.note_processed;
        let (kind, data) = match &envelope {
            Ok(Envelope { kind, data, .. }) => (Some(kind.clone()), noted.then(|| data.get().to_owned())),
            Err(_) => (None, noted.then(|| "{}".to_owned())),
        };
        let work = Work {
            from: from.clone(),
            source: Source { client_id: self.client_id.clone(), sequence },
            kind,
            data,
            arrival,
            action: dispatch::prepare(engine, from, envelope),
        };
        let process = move |database: &_, ledger: &mut Ledger| ledger.process(database, work);
        engine.store.post(process).await.map_err(|_| Ending::not_stored(false))
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        self.account.release(self.held.iter().map(size).sum());
    }
}

fn class(engine: &Engine, (_, envelope, _): &Message) -> Class {
    envelope.as_ref().map_or(Class::Message, |envelope| engine.application.class(&envelope.kind))
}

/// Bytes that a message takes while it waits.
fn size((_, envelope, _): &Message) -> usize {
    size_of::<Message>() + envelope.as_ref().map_or(0, Envelope::size)
}

fn violation(engine: &Engine, code: u16, kind: &'static str, reason: &'static str) -> Ending {
    engine.metrics.violation(kind);
    Ending::close(code, reason)
}

/// A client waits 10 s for the welcome (docs/PROTOCOL.md).
const LATEST_WELCOME: Duration = Duration::from_secs(8);
const LATEST_TURN: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{connection::Inbox, database::DatabaseError, intake::Intake, testing, token::Ticket};

    const HELLO: &str = r#"{"type":"hello","data":{"versions":[1],"client_id":"k3Zq8vXw2LmN4pRt"}}"#;
    const JOIN: &str = r#"{"type":"join_session","data":{"session_id":"s1"},"seq":1}"#;

    async fn hello(app: &Engine) -> (Arc<Connection>, Inbox, Intake) {
        let (ada, inbox) = app.connect(&Ticket::of("ada"), None).ok().unwrap();
        let mut intake = Intake::default();
        dispatch::text(app, &ada, &mut intake, HELLO).await.unwrap();
        (ada, inbox, intake)
    }

    #[tokio::test]
    async fn what_could_not_be_stored_is_not_acknowledged_and_may_come_again() {
        let app = &testing::engine().await;
        let store = &app.store;
        let (ada, inbox, mut intake) = hello(app).await;
        // The message and a failure behind it, in the same transaction.
        let (go, gate) = std::sync::mpsc::channel();
        store.post(move |_, _| gate.recv().map_err(|_| DatabaseError::Failed("on purpose"))).await.unwrap();
        dispatch::text(app, &ada, &mut intake, JOIN).await.unwrap();
        store.post(|_, _| Err(DatabaseError::Failed("on purpose"))).await.unwrap();
        go.send(()).unwrap();
        assert_eq!(inbox.ending.await.unwrap(), Ending::not_stored(false));
        app.disconnect(&ada, &Ending::Gone);

        let (ada, mut inbox, mut intake) = hello(app).await;
        assert_eq!(intake.sender.as_ref().unwrap().last, 0);
        dispatch::text(app, &ada, &mut intake, JOIN).await.unwrap();
        loop {
            let frame = inbox.queue.recv().await.unwrap();
            if frame.frame.to_text().unwrap().starts_with(r#"{"type":"ack","data":{"seq":1}"#) {
                break;
            }
        }
        assert!(app.hub.is_streamed("ada"));
    }
}
