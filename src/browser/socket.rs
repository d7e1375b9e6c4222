//! One WebSocket at a time.

#[cfg(feature = "rust")]
use super::counters::CountedSocket;
use super::held::Held;
use super::host::{self, Text, WebSocket};
use crate::proto::{Numbers, SocketId};

/// The current socket. The listeners are taken off a socket that is replaced, so what calls them is always the current one.
#[derive(Default)]
pub(super) struct Socket(Held<Option<Live>>);

struct Live {
    id: SocketId,
    socket: WebSocket,
    #[cfg(feature = "rust")]
    _counted: CountedSocket,
}

impl Socket {
    pub(super) fn set(&self, id: SocketId, socket: WebSocket) {
        self.0.replace(Some(Live {
            id,
            socket,
            #[cfg(feature = "rust")]
            _counted: CountedSocket::new(),
        }));
    }

    /// Hands a frame over, and says how many bytes wait in the browser; `None` if the socket does not take it.
    pub(super) fn send(&self, frame: &Text, numbers: Option<Numbers>) -> Option<u64> {
        // A clone, because a stand-in for WebSocket may call back while it sends.
        let socket = self.get()?;
        let Numbers { seq, prev } = numbers.unwrap_or(Numbers { seq: 0, prev: 0 });
        let buffered = host::send_text(&socket, frame, seq as f64, prev as f64).unwrap_or(-1.0);
        // Whatever is no number, as stand-ins have it, is no sign of a full buffer.
        (buffered != -1.0).then_some(buffered as u64)
    }

    /// How many bytes wait in the browser.
    pub(super) fn buffered(&self) -> u64 {
        self.get().map_or(0, |socket| host::buffered_amount(&socket) as u64)
    }

    /// Starts the closing handshake.
    pub(super) fn close(&self) {
        let socket = self.get();
        if let Some(socket) = socket {
            host::close(&socket);
        }
    }

    /// Stops listening, closes, and forgets the socket.
    pub(super) fn abandon(&self) {
        let live = self.0.replace(None);
        if let Some(live) = live {
            host::stop_listening(&live.socket);
            host::close(&live.socket);
        }
    }

    /// Forgets a socket that has closed.
    pub(super) fn closed(&self) -> Option<SocketId> {
        let live = self.0.replace(None)?;
        host::stop_listening(&live.socket);
        Some(live.id)
    }

    pub(super) fn current(&self) -> Option<SocketId> {
        self.0.borrow().as_ref().map(|live| live.id)
    }

    fn get(&self) -> Option<WebSocket> {
        self.0.borrow().as_ref().map(|live| live.socket.clone())
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.abandon();
    }
}
