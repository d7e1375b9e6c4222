//! Why the client wants to be woken.

/// The reason for the one deadline that [`Client::poll_timeout`](super::Client::poll_timeout) asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Timer {
    /// When to give up on a connection attempt that neither opened nor failed.
    ConnectOverdue,
    /// When to send the next ping.
    PingDue,
    /// When to give up on an unanswered ping.
    PongOverdue,
    /// When to try to connect again.
    RetryDue,
    /// When to try in spite of being told that the network is down, because that report is sometimes wrong.
    NetworkCheckDue,
    /// When to stop waiting for the closing handshake.
    CloseOverdue,
    /// When the oldest queued message has outlived its time to live.
    MessageExpired,
    /// When to give up on a connection whose server acknowledges nothing.
    AckOverdue,
    /// When to look whether the browser's send buffer has drained.
    DrainCheckDue,
    /// When a request has waited long enough for its reply.
    ReplyOverdue,
}
