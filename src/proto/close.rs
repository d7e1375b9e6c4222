//! How a connection ended, and what follows from it.

use alloc::string::String;

use super::coded::coded;

/// How a connection, or an attempt at one, ended. `S` is the type of text.
///
/// Exhaustive: it is what a `CloseEvent` says (WHATWG WebSockets), and drivers have to fill in all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Close<S = String> {
    /// The close code (RFC 6455, section 7.4). 1006 also stands for every end that the client decided on its own: a missing
    /// pong, a connect timeout, a token that could not be had.
    pub code: u16,
    /// Why, without tokens and payloads of the client.
    pub reason: Reason<S>,
    /// Whether the closing handshake was completed.
    pub was_clean: bool,
}

/// Who ended a connection, and why. Exhaustive: a connection has two ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason<S = String> {
    /// The peer or the network; the peer's own words, which may be empty.
    Peer(S),
    /// The client.
    Client(Cause),
}

coded! {
    /// Why the client ended a connection or an attempt.
    #[non_exhaustive]
    pub enum Cause {
        /// The handshake took too long.
        ConnectTimeout = "connect_timeout",
        /// A ping stayed unanswered.
        PongTimeout = "pong_timeout",
        /// A ping stayed unanswered, and no server has ever answered this client.
        NeverAnswered = "never_answered",
        /// The server has answered neither hello nor ping.
        NoWelcome = "no_welcome",
        /// The closing handshake took too long.
        CloseTimeout = "close_timeout",
        /// The token could not be had.
        NoToken = "token_failed",
        /// The browser refused to make a WebSocket.
        NoSocket = "socket_refused",
        /// The application disconnected before the connection was open.
        Disconnected = "disconnected",
        /// The application asked for a new connection.
        Replaced = "replaced",
        /// The page was in the back/forward cache, which closes sockets.
        PageCached = "page_cached",
        /// Messages stayed unacknowledged, or a hello unanswered.
        AckTimeout = "ack_timeout",
        /// The server broke the protocol in a way that cannot be ignored.
        ProtocolViolation = "protocol_violation",
        /// An event was lost on the way.
        EventLost = "event_lost",
    }
}

impl Cause {
    /// The cause in words, as they stand in the `reason` of a close.
    pub const fn text(self) -> &'static str {
        match self {
            Self::ConnectTimeout => "no connection within connectTimeoutMs",
            Self::PongTimeout => "no pong within heartbeat.timeoutMs",
            Self::NeverAnswered => {
                "no ping was ever answered: a server that knows none needs heartbeat.intervalMs Infinity"
            }
            Self::NoWelcome => "no welcome and no pong within connectTimeoutMs",
            Self::CloseTimeout => "the closing handshake was not completed",
            Self::NoToken => "the token could not be had",
            Self::NoSocket => "the browser refused to open a WebSocket",
            Self::Disconnected => "disconnect()",
            Self::Replaced => "replaced by a new connection",
            Self::PageCached => "closed by the back/forward cache",
            Self::AckTimeout => "no acknowledgement within heartbeat.timeoutMs",
            Self::ProtocolViolation => "the server broke the protocol",
            Self::EventLost => "an event was lost on the way",
        }
    }
}

impl<S> Close<S> {
    /// An end that no closing handshake announced.
    pub const fn abnormal(cause: Cause) -> Self {
        Self { code: ABNORMAL, reason: Reason::Client(cause), was_clean: false }
    }

    /// An end that this side asked for.
    pub const fn normal(cause: Cause) -> Self {
        Self { code: NORMAL, reason: Reason::Client(cause), was_clean: true }
    }
}

/// What a close code says about trying again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReconnectAction {
    /// The same attempt may work the next time.
    Retry,
    /// The server asked for patience: it restarts or is overloaded.
    RetryLater,
    /// The server refused the token: one more attempt with a fresh one is worth it.
    RefreshToken,
    /// The two sides do not understand each other; another attempt would end the same way.
    Fatal,
}

/// Classifies a close code (RFC 6455, section 7.4, and the IANA registry of close codes).
///
/// Browsers report 1006 for every refused handshake, whatever its HTTP status, so 1006 cannot mean "fatal".
pub const fn reconnect_action(code: u16) -> ReconnectAction {
    match code {
        PROTOCOL_ERROR | UNSUPPORTED_DATA | INVALID_PAYLOAD | MANDATORY_EXTENSION | RULES_BROKEN => {
            ReconnectAction::Fatal
        }
        POLICY_VIOLATION | UNAUTHORIZED => ReconnectAction::RefreshToken,
        SERVICE_RESTART | TRY_AGAIN_LATER => ReconnectAction::RetryLater,
        _ => ReconnectAction::Retry,
    }
}

/// Whether a server can mean one message by this code: it could not read it, keep it, or place it (docs/PROTOCOL.md).
pub const fn can_blame_a_message(code: u16) -> bool {
    matches!(code, UNSUPPORTED_DATA | INVALID_PAYLOAD | TOO_BIG | SERVER_FAILED | RULES_BROKEN | MESSAGE_MISSING)
}

/// Whether it may be what a peer makes of the normal closure that this side has asked for, and not its own opinion.
pub const fn may_echo(code: u16) -> bool {
    matches!(code, NORMAL | NO_STATUS | ABNORMAL)
}

/// Normal closure.
pub const NORMAL: u16 = 1000;
/// What stands for an end without a closing handshake; never sent.
pub const ABNORMAL: u16 = 1006;
/// What stands for a closing frame without a code; never sent.
pub(super) const NO_STATUS: u16 = 1005;
pub(super) const PROTOCOL_ERROR: u16 = 1002;
const UNSUPPORTED_DATA: u16 = 1003;
const INVALID_PAYLOAD: u16 = 1007;
const POLICY_VIOLATION: u16 = 1008;
const TOO_BIG: u16 = 1009;
const SERVER_FAILED: u16 = 1011;
const MANDATORY_EXTENSION: u16 = 1010;
const SERVICE_RESTART: u16 = 1012;
const TRY_AGAIN_LATER: u16 = 1013;
pub(super) const UNAUTHORIZED: u16 = 4401;
/// This client broke the rules of the reliable mode (docs/PROTOCOL.md).
const RULES_BROKEN: u16 = 4400;
/// The server lacks a message before the one that it was sent (docs/PROTOCOL.md).
const MESSAGE_MISSING: u16 = 4409;

#[cfg(test)]
mod tests {
    use super::{ReconnectAction, can_blame_a_message, reconnect_action};

    #[test]
    fn only_what_a_server_says_of_a_message_can_blame_one() {
        for code in [1003, 1007, 1009, 1011, 4400, 4409] {
            assert!(can_blame_a_message(code), "{code}");
        }
        for code in [1000, 1001, 1002, 1005, 1006, 1008, 1012, 1013, 4401, 4410] {
            assert!(!can_blame_a_message(code), "{code}");
        }
    }

    #[test]
    fn every_close_code_of_the_contract_has_its_verdict() {
        for code in [1002, 1003, 1007, 1010, 4400] {
            assert_eq!(reconnect_action(code), ReconnectAction::Fatal, "{code}");
        }
        for code in [1008, 4401] {
            assert_eq!(reconnect_action(code), ReconnectAction::RefreshToken, "{code}");
        }
        for code in [1012, 1013] {
            assert_eq!(reconnect_action(code), ReconnectAction::RetryLater, "{code}");
        }
        for code in [1000, 1001, 1005, 1006, 1009, 1011, 1014, 1015, 3000, 4000, 4409, 4410, 4999, 0, u16::MAX] {
            assert_eq!(reconnect_action(code), ReconnectAction::Retry, "{code}");
        }
    }
}
