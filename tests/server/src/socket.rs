//! The task behind one WebSocket: read and dispatch, write what is queued, end properly.

use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::json;
use tokio::{io::AsyncReadExt as _, net::TcpStream, sync::oneshot, time::timeout};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        self, Message,
        protocol::{CloseFrame, Role, WebSocketConfig, frame::coding::CloseCode},
    },
};

use crate::{
    connection::{Connection, Ending, Inbox},
    dispatch, envelope,
    server::App,
};

/// A WebSocket on a TCP connection whose handshake is done.
pub type Socket = WebSocketStream<TcpStream>;

/// Wraps an upgraded TCP connection. `early` is what the client sent right behind its handshake.
pub async fn open(app: &App, stream: TcpStream, early: Vec<u8>) -> Socket {
    let max = app.options.max_message_bytes;
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(WRITE_BUFFER_BYTES)
        .max_message_size(Some(max))
        .max_frame_size(Some(max));
    WebSocketStream::from_partially_read(stream, early, Role::Server, Some(config)).await
}

/// Drives a socket until it ends.
pub async fn run(app: Arc<App>, mut socket: Socket, user: Arc<str>) {
    let (connection, inbox) = app.connect(&user);
    let greeting = envelope::event("connected", &json!({ "user_id": &*user }));
    connection.deliver(&greeting);
    let ending = drive(&app, &mut socket, &connection, inbox).await;
    app.disconnect(&connection, &ending);
    if connection.is_silent() && ending == Ending::Gone {
        swallow(&mut socket).await;
        return;
    }
    finish(socket, ending).await;
}

/// Ends a socket that was never a connection.
pub async fn refuse(socket: Socket, code: u16, reason: &str) {
    finish(socket, Ending::close(code, reason)).await;
}

async fn drive(app: &App, socket: &mut Socket, connection: &Connection, mut inbox: Inbox) -> Ending {
    loop {
        tokio::select! {
            ending = &mut inbox.ending => return ending.unwrap_or(Ending::Gone),
            received = socket.next() => {
                let reply = match received {
                    Some(Ok(Message::Text(text))) => {
                        let handled = std::panic::catch_unwind(AssertUnwindSafe(|| dispatch::text(app, connection, &text)));
                        match handled {
                            Ok(reply) => reply,
                            Err(_) => return Ending::close(1011, "internal error"),
                        }
                    }
                    Some(Ok(Message::Binary(_))) => return Ending::close(1003, "text frames only"),
                    Some(Ok(Message::Close(_))) | None => return Ending::Gone,
                    Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => None,
                    Some(Err(error)) => return ending_for(&error),
                };
                if let Some(reply) = reply
                    && let Err(ending) = write(socket, reply, &mut inbox).await
                {
                    return ending;
                }
            }
            Some(message) = inbox.queue.recv() => {
                if let Err(ending) = write(socket, message, &mut inbox).await {
                    return ending;
                }
            }
        }
    }
}

/// Writes a frame and all that is queued behind it with as few system calls as they take.
async fn write(socket: &mut Socket, first: Message, inbox: &mut Inbox) -> Result<(), Ending> {
    let Inbox { queue, ending } = inbox;
    let written = async {
        socket.feed(first).await?;
        while let Ok(message) = queue.try_recv() {
            socket.feed(message).await?;
        }
        socket.flush().await
    };
    until_ended(ending, written).await
}

async fn until_ended(
    ending: &mut oneshot::Receiver<Ending>,
    written: impl Future<Output = tungstenite::Result<()>>,
) -> Result<(), Ending> {
    tokio::select! {
        biased;
        ending = ending => Err(ending.unwrap_or(Ending::Gone)),
        result = written => result.map_err(|error| ending_for(&error)),
    }
}

/// The close code that RFC 6455 has for what the peer did.
fn ending_for(error: &tungstenite::Error) -> Ending {
    use tungstenite::{Error, error::ProtocolError};
    match error {
        Error::Utf8(_) => Ending::close(1007, "text that is not UTF-8"),
        Error::Capacity(_) => Ending::close(1009, "message too large"),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => Ending::Gone,
        Error::Protocol(_) => Ending::close(1002, "protocol error"),
        _ => Ending::Gone,
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

/// Sends a close frame and reads on until the peer is gone: closing a TCP connection that has unread input resets
/// it, and the reset can overtake the close frame.
async fn say_goodbye(socket: &mut Socket, frame: CloseFrame) {
    if socket.send(Message::Close(Some(frame))).await.is_err() {
        return;
    }
    while let Some(Ok(_)) = socket.next().await {}
    swallow(socket).await;
}

/// Reads and forgets until the peer is gone.
async fn swallow(socket: &mut Socket) {
    let mut buffer = [0; 1024];
    while let Ok(1..) = socket.get_mut().read(&mut buffer).await {}
}

const READ_BUFFER_BYTES: usize = 4096;
const WRITE_BUFFER_BYTES: usize = 16 * 1024;

/// When to stop waiting for the peer's half of a closing handshake.
const CLOSE_DEADLINE: Duration = Duration::from_secs(2);
