//! Where the connection stands. Each state owns what exists only then.

use super::heartbeat::Heartbeat;
use super::send_window::SendWindow;
use super::{SocketId, Timestamp};

/// The state of the connection.
#[derive(Debug)]
pub enum State {
    /// Nothing was asked for, or the application disconnected.
    Idle,
    /// An attempt runs: the token is asked for, or the handshake is under way.
    Connecting {
        /// The attempt's socket.
        socket: SocketId,
        /// When to give up on it.
        timeout_at: Timestamp,
    },
    /// The handshake is complete, and the server is asked for the reliable mode.
    Handshake {
        /// The open socket.
        socket: SocketId,
        /// When the socket opened.
        opened_at: Timestamp,
        /// When to give up on the attempt.
        timeout_at: Timestamp,
        /// Its sign of life, which waits for the pong that comes after the welcome.
        heartbeat: Heartbeat,
        /// What the server has made of the hello.
        answer: Answer,
    },
    /// Messages flow.
    Open {
        /// The open socket.
        socket: SocketId,
        /// When it opened.
        opened_at: Timestamp,
        /// Its sign of life.
        heartbeat: Heartbeat,
        /// How messages travel over it.
        send_window: SendWindow,
    },
    /// The closing handshake is under way.
    Closing {
        /// The closing socket.
        socket: SocketId,
        /// When to stop waiting for the peer.
        timeout_at: Timestamp,
        /// Who wants to close, and so what follows.
        closer: Closer,
    },
    /// The next attempt is scheduled.
    Waiting {
        /// When it starts.
        retry_at: Timestamp,
    },
    /// The network is said to be down; attempts cost nothing from the budget.
    Offline {
        /// When to try all the same.
        retry_at: Timestamp,
    },
    /// The application has no token: nobody is logged in.
    LoggedOut,
    /// The attempt budget is used up.
    GivenUp,
    /// The last close code said that trying again is pointless.
    Fatal,
}

/// Who started the closing handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closer {
    /// The application, which wants the connection to stay closed.
    Application,
    /// The server, as far as the browser's ready state tells, whose close code is still to come.
    Peer {
        /// When the connection had opened.
        opened_at: Timestamp,
        /// The number of the last message in flight that was handed to its socket; 0 if none was.
        sent_through: u64,
    },
}

/// What a server has made of the hello that opened a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Nothing so far.
    Awaited,
    /// Nothing in time, so the socket is being closed. A server of the reliable mode answers the hello before the closing handshake.
    Missing,
    /// Something, too late.
    Late,
}
