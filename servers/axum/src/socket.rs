//! The task behind one WebSocket: read and dispatch, write what is queued, end properly.

use std::{
    net::SocketAddr,
    panic::AssertUnwindSafe,
    pin::pin,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use futures_util::{FutureExt as _, SinkExt as _, StreamExt as _};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    sync::{mpsc, oneshot},
    time::timeout,
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        self, Message,
        protocol::{CloseFrame, Role, WebSocketConfig, frame::coding::CloseCode},
    },
};

use crate::{
    budget::Budgeted,
    connection::{Connection, Inbox},
    dispatch,
    ending::Ending,
    engine::Engine,
    handshake::Stream,
    intake::Intake,
    outgoing::Outgoing,
    panics,
    reliable::{MAX_HELLO_BYTES, SEQUENCE_SLACK_BYTES},
    sieve::{Sieve, SieveLimits},
    token::{Ticket, TokenRefused},
};

type Socket = WebSocketStream<Sieve>;

/// Drives an upgraded TCP connection until it ends. `early` is what the client sent right behind its handshake.
pub async fn run(
    engine: Arc<Engine>,
    stream: Stream,
    early: Vec<u8>,
    ticket: Result<Ticket, TokenRefused>,
    peer: Option<SocketAddr>,
) {
    engine.sockets.fetch_add(1, Ordering::SeqCst);
    let _counted = Counted(&engine);
    let mut socket = open(&engine, stream, early).await;
    let ticket = match ticket {
        Ok(ticket) => ticket,
        Err(error) => return finish(socket, Ending::close(1008, error.close_reason())).await,
    };
    let (connection, inbox) = match engine.connect(&ticket, peer) {
        Ok(connected) => connected,
        Err(full) => {
            engine.metrics.rejected(full.as_str(), peer);
            return finish(socket, Ending::close(1013, full.as_str())).await;
        }
    };
    let ending = drive(&engine, &mut socket, &connection, inbox).await;
    engine.disconnect(&connection, &ending);
    if connection.is_silent() && ending == Ending::Gone {
        return swallow(&mut socket).await;
    }
    finish(socket, ending).await;
}

async fn open(engine: &Engine, stream: Stream, early: Vec<u8>) -> Socket {
    let max = engine.limits.max_message_bytes;
    let whole = max.saturating_add(SEQUENCE_SLACK_BYTES).max(MAX_HELLO_BYTES);
    let hard = max.saturating_mul(HARD_LIMIT_FACTOR).max(LEAST_HARD_LIMIT);
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(WRITE_BUFFER_BYTES)
        .max_message_size(Some(whole))
        .max_frame_size(Some(whole));
    let stream = Budgeted::new(stream, max, MAX_HELLO_BYTES);
    let stream = Sieve::new(stream, &early, SieveLimits { whole, hard });
    WebSocketStream::from_raw_socket(stream, Role::Server, Some(config)).await
}

async fn drive(engine: &Engine, socket: &mut Socket, connection: &Arc<Connection>, mut inbox: Inbox) -> Ending {
    let mut intake = Intake::default();
    let mut texts = 0;
    loop {
        let reads = intake.may_read();
        connection.set_held_back(!reads || intake.holds_messages());
        let step = tokio::select! {
            ending = &mut inbox.ending => Err(ending.unwrap_or(Ending::Gone)),
            received = socket.next(), if reads => match received {
                Some(Ok(message)) => {
                    let numbers = if message.is_text() {
                        texts += 1;
                        socket.get_mut().complete(texts)
                    } else {
                        None
                    };
                    let handling = async {
                        match numbers {
                            Some(numbers) => dispatch::too_large(engine, connection, &mut intake, numbers).await.map(|()| None),
                            None => answer(engine, connection, &mut intake, message).await,
                        }
                    };
                    match meanwhile(engine, socket, connection, &mut inbox, handling).await {
                        // Behind the welcome, and behind what the messages before this one have led to: frames take effect in their order.
                        Ok(Some(reply)) => match inbox.queue.try_recv() {
                            Ok(queued) => write(engine, socket, connection, &mut inbox, First::Queued(queued), Some(reply)).await,
                            Err(_) => write(engine, socket, connection, &mut inbox, First::Direct(reply), None).await,
                        },
                        Ok(None) => Ok(()),
                        Err(ending) => Err(ending),
                    }
                }
                Some(Err(error)) => Err(Ending::for_error(&error)),
                None => Err(Ending::Gone),
            },
            Some(queued) = inbox.queue.recv() => write(engine, socket, connection, &mut inbox, First::Queued(queued), None).await,
            () = connection.lagging.notified() => {
                meanwhile(engine, socket, connection, &mut inbox, engine.catch_up(connection)).await
            }
            () = Intake::message_turn(intake.sender.as_mut()) => {
                let handling = guarded(Box::pin(intake.go_on(engine, connection)));
                meanwhile(engine, socket, connection, &mut inbox, handling).await.and_then(|result| result)
            }
            () = Intake::pong_turn(intake.late_pong.as_mut()) => {
                intake.late_pong = None;
                write(engine, socket, connection, &mut inbox, First::Direct(dispatch::pong()), None).await
            }
        };
        if let Err(ending) = step {
            return ending;
        }
    }
}

/// Goes on writing what is queued while something takes its time, for the database may be slow.
async fn meanwhile<T>(
    engine: &Engine,
    socket: &mut Socket,
    connection: &Connection,
    inbox: &mut Inbox,
    handling: impl Future<Output = Result<T, Ending>>,
) -> Result<T, Ending> {
    let mut handling = pin!(handling);
    loop {
        tokio::select! {
            biased;
            handled = &mut handling => return handled,
            Some(queued) = inbox.queue.recv() => {
                write(engine, socket, connection, inbox, First::Queued(queued), None).await?;
            }
        }
    }
}

async fn answer(
    engine: &Engine,
    from: &Arc<Connection>,
    intake: &mut Intake,
    message: Message,
) -> Result<Option<Outgoing>, Ending> {
    match message {
        Message::Text(text) => {
            from.heard();
            guarded(dispatch::text(engine, from, intake, &text)).await?
        }
        Message::Binary(_) => Err(Ending::close(1003, "text frames only")),
        Message::Close(_) => Err(Ending::Gone),
        Message::Ping(_) if engine.rates.allow_ping(&from.user) => Ok(None),
        Message::Ping(_) => Err(Ending::close(1008, "too many ping frames")),
        Message::Pong(_) | Message::Frame(_) => Ok(None),
    }
}

/// A panic is our bug, and must not look like a lost network to the client. One in a handler is a refusal already.
async fn guarded<T>(handling: impl Future<Output = T>) -> Result<T, Ending> {
    AssertUnwindSafe(handling).catch_unwind().await.map_err(|brought| {
        panics::discard(brought);
        Ending::close(1011, "internal error")
    })
}

/// Writes a frame, all that is queued behind it, and then another, with as few system calls as they take.
async fn write(
    engine: &Engine,
    socket: &mut Socket,
    connection: &Connection,
    inbox: &mut Inbox,
    first: First,
    last: Option<Outgoing>,
) -> Result<(), Ending> {
    let Inbox { queue, ending } = inbox;
    let first = match first {
        First::Queued(queued) => {
            connection.dequeued(&queued);
            queued
        }
        First::Direct(outgoing) => outgoing,
    };
    connection.write_starts();
    let written = until_ended(ending, write_all(engine, socket, connection, queue, first, last)).await;
    connection.write_ends();
    written
}

/// The frame with which a write begins.
enum First {
    /// It was in the queue of the connection, which counts what it holds.
    Queued(Outgoing),
    Direct(Outgoing),
}

async fn write_all(
    engine: &Engine,
    socket: &mut Socket,
    connection: &Connection,
    queue: &mut mpsc::Receiver<Outgoing>,
    first: Outgoing,
    mut last: Option<Outgoing>,
) -> tungstenite::Result<()> {
    let mut feeding = first;
    loop {
        engine.metrics.sent(feeding.kind, feeding.queued_at.elapsed());
        socket.feed(feeding.frame).await?;
        match queue.try_recv() {
            Ok(next) => {
                connection.dequeued(&next);
                feeding = next;
            }
            Err(_) => match last.take() {
                Some(last) => feeding = last,
                None => return socket.flush().await,
            },
        }
    }
}

async fn until_ended(
    ending: &mut oneshot::Receiver<Ending>,
    written: impl Future<Output = tungstenite::Result<()>>,
) -> Result<(), Ending> {
    tokio::select! {
        biased;
        ending = ending => Err(ending.unwrap_or(Ending::Gone)),
        result = written => result.map_err(|error| Ending::for_error(&error)),
    }
}

async fn finish(mut socket: Socket, ending: Ending) {
    match ending {
        Ending::Abort => {}
        Ending::Gone => {
            // The next read sends the answer to the peer's close frame.
            let _ = timeout(CLOSE_DEADLINE, socket.next()).await;
        }
        Ending::Close { code, reason } => {
            let frame = CloseFrame { code: CloseCode::from(code), reason: reason.into() };
            let _ = timeout(CLOSE_DEADLINE, say_goodbye(&mut socket, frame)).await;
        }
    }
}

/// Sends a close frame and reads on until the peer has answered or is gone: closing a TCP connection that has unread input resets
/// it, and the reset can overtake the close frame.
async fn say_goodbye(socket: &mut Socket, frame: CloseFrame) {
    if socket.send(Message::Close(Some(frame))).await.is_err() {
        return;
    }
    loop {
        match socket.next().await {
            Some(Ok(Message::Close(_))) | Some(Err(tungstenite::Error::ConnectionClosed)) => return,
            Some(Ok(_)) => {}
            // Behind a violation nothing can be read as frames any more.
            Some(Err(_)) | None => break,
        }
    }
    let _ = socket.get_mut().shutdown().await;
    swallow(socket).await;
}

/// Reads and forgets until the peer is gone.
async fn swallow(socket: &mut Socket) {
    socket.get_mut().lift();
    let mut buffer = [0; 1024];
    while let Ok(1..) = socket.get_mut().read(&mut buffer).await {}
}

struct Counted<'a>(&'a Engine);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.sockets.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Most messages of a chat are shorter, and ten thousand buffers of this size are held at the same time.
const READ_BUFFER_BYTES: usize = 2048;
const WRITE_BUFFER_BYTES: usize = 16 * 1024;

/// A message that is too large is read to its end, so that it can be refused by its number, up to this many times the largest, and
/// up to so many bytes in any case.
const HARD_LIMIT_FACTOR: usize = 64;
const LEAST_HARD_LIMIT: usize = 1 << 20;

/// When to stop waiting for the peer's half of a closing handshake.
const CLOSE_DEADLINE: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_closes_with_1011() {
        assert_eq!(guarded(async { 7 }).await, Ok(7));
        let failed = guarded(async { panic!("a bug, on purpose") }).await;
        assert_eq!(failed, Err::<(), _>(Ending::close(1011, "internal error")));
    }
}
