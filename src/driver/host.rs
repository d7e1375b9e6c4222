//! What a driver needs of the place that it runs in.

use alloc::boxed::Box;

use super::Driver;
use crate::proto::wire::{self, Field, ReceiptStatus, Value, Word};
use crate::proto::{Close, DropReason, Message, ProtocolViolation, RequestFailure, Sequence, SocketId, Timestamp};

/// The text of a host's JSON.
pub type TextOf<H> = <<H as Host>::Value as Value>::Text;

/// A browser, or what stands for one: sockets, one alarm, the page, and whoever wants to know what happens.
///
/// No method runs code of the application except [`open`](Self::open), which may ask for a token, and [`deliver`](Self::deliver). Both may
/// call back into the driver.
pub trait Host {
    /// JSON as this place keeps it.
    type Value: Value;

    /// The driver that belongs to this host. It is borrowed for `look` only, which calls no method of the host.
    fn with_driver<R>(&mut self, look: impl FnOnce(&mut Driver<Self::Value>) -> R) -> R;

    /// The monotonic clock that every decision is made by.
    fn now(&mut self) -> Timestamp;

    /// Milliseconds since the Unix epoch, for the `timestamp` of envelopes.
    fn wall_clock_ms(&mut self) -> u64;

    /// Whether there is no network for sure (HTML, `navigator.onLine`).
    fn is_offline(&mut self) -> bool;

    /// Asks for a token, builds the URL and opens a WebSocket, which reports what becomes of it. `token_refused` says that the server did not
    /// take the previous token, so that a cached one will not do.
    fn open(&mut self, attempt: SocketId, token_refused: bool);

    /// Hands a text to the socket. Returns how many bytes wait in the browser (WHATWG WebSocket, `bufferedAmount`), or `None` if the socket
    /// takes none.
    fn send(&mut self, socket: SocketId, text: &TextOf<Self>) -> Option<u64>;

    /// Hands a ping to the socket. One that it does not take stays unanswered, which says all there is to say.
    fn ping(&mut self, socket: SocketId) {
        let ping = wire::ping::<Self::Value>(self.wall_clock_ms());
        _ = self.send(socket, &ping);
    }

    /// Whether a frame answers a ping. Not asked for by the reliable mode, which names it.
    fn is_pong(&mut self, frame: &Self::Value) -> bool {
        frame.word(Field::Type) == Word::Pong
    }

    /// Hands a message to the socket, with its place among the messages of its sender if it is numbered. Returns what [`send`](Self::send)
    /// does.
    fn transmit(
        &mut self,
        socket: SocketId,
        message: &Message<TextOf<Self>>,
        sequence: Option<Sequence>,
    ) -> Option<u64> {
        match sequence {
            Some(sequence) => self.send(socket, &wire::with_sequence(&message.frame, sequence)),
            None => self.send(socket, &message.frame),
        }
    }

    /// How many bytes wait in the browser.
    fn buffered(&mut self, socket: SocketId) -> u64;

    /// Starts the closing handshake with code 1000, and goes on listening.
    fn close(&mut self, socket: SocketId);

    /// Stops listening to the socket, then closes it with code 1000 without waiting.
    fn abandon(&mut self, socket: SocketId);

    /// Calls [`handle_timeout`](super::handle_timeout) after so many milliseconds and not at another time; `None` switches the alarm off.
    fn set_alarm(&mut self, delay_ms: Option<u64>);

    /// Whether the client may have sockets and timers from now on, so that it must hear of the network and the page, and must not be freed.
    fn set_active(&mut self, is_active: bool);

    /// An envelope arrived that the application gets.
    fn frame(&mut self, frame: Self::Value);

    /// The connection is open.
    fn opened(&mut self);

    /// A connection or an attempt ended.
    fn closed(&mut self, close: Close<TextOf<Self>>);

    /// The attempt of this number, from 1, is made after so many milliseconds.
    fn reconnecting(&mut self, attempt: u32, delay_ms: u64);

    /// So many attempts failed, and no other will be made.
    fn gave_up(&mut self, attempts: u32);

    /// A message of this client that had waited was handed to the socket.
    fn transmitted(&mut self, seq: u64);

    /// The server has processed every message up to this one, of this client or of a previous client instance.
    fn acknowledged(&mut self, origin: Option<TextOf<Self>>, seq: u64);

    /// The server has refused a message of this client; `data` is the payload that says why.
    fn refused(&mut self, seq: u64, data: Self::Value);

    /// The reply to a request; `data` is the payload that holds its result.
    fn replied(&mut self, seq: u64, data: Self::Value);

    /// A message of this client has come to another user.
    fn receipt(&mut self, seq: u64, status: ReceiptStatus);

    /// A request gets no reply any more.
    fn request_failed(&mut self, seq: u64, failure: RequestFailure);

    /// Events of a stream are missing, from this offset to that one if it is known.
    fn gap(&mut self, stream: TextOf<Self>, from: u64, to: Option<u64>);

    /// The server broke the protocol.
    fn violation(&mut self, violation: ProtocolViolation);

    /// An accepted message will not be sent.
    fn dropped(&mut self, message: Box<Message<TextOf<Self>>>, reason: DropReason);

    /// The snapshot has changed, and the phase with it or not.
    fn changed(&mut self, phase: bool);

    /// The application may be told now what was recorded: nothing is borrowed.
    fn deliver(&mut self) {}
}
