//! How a connection ends.

use tokio_tungstenite::tungstenite::{self, error::ProtocolError};

/// Why the server lets go of a connection, and with which words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// A closing handshake that starts with this close frame.
    Close {
        /// Close code.
        code: u16,
        /// At most 123 bytes.
        reason: String,
    },
    /// The TCP connection goes away without a word. A browser reports 1006.
    Abort,
    /// The peer is gone, or has closed.
    Gone,
}

impl Ending {
    /// A close frame with this code and reason, as far as there may be such a frame (RFC 6455, 5.5 and 7.4).
    pub fn close(code: u16, reason: impl Into<String>) -> Self {
        let mut reason = reason.into();
        reason.truncate(reason.floor_char_boundary(MAX_REASON_BYTES));
        if !matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999) {
            tracing::error!(code, "no code that a close frame may have; 1011 is sent");
            return Self::Close { code: 1011, reason };
        }
        Self::Close { code, reason }
    }

    /// What was under way is not stored. A client takes 1011 for an answer to the message under way, which it gives up after some of them; while
    /// the database takes nothing, no message is to blame.
    pub(crate) fn not_stored(is_lasting: bool) -> Self {
        let code = if is_lasting { 1013 } else { 1011 };
        Self::Close { code, reason: "could not be stored".into() }
    }

    /// What RFC 6455 has for an error on the way in or out.
    pub(crate) fn for_error(error: &tungstenite::Error) -> Self {
        use tungstenite::Error;
        match error {
            Error::Utf8(_) => Self::close(1007, "text that is not UTF-8"),
            Error::Capacity(_) => Self::close(1009, "Message too large"),
            Error::Io(error) if error.kind() == std::io::ErrorKind::FileTooLarge => {
                Self::close(1009, "Message too large")
            }
            Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => Self::Gone,
            Error::Protocol(_) => Self::close(1002, "protocol error"),
            Error::Io(error) if error.kind() == std::io::ErrorKind::QuotaExceeded => {
                Self::close(1008, "frames without a message")
            }
            _ => Self::Gone,
        }
    }

    /// The cause as a label: a close code or a word.
    pub fn cause(&self) -> String {
        match self {
            Self::Close { code, .. } => code.to_string(),
            Self::Abort => "abort".into(),
            Self::Gone => "peer".into(),
        }
    }

    /// The kind of error behind it, if it is one.
    pub fn error_kind(&self) -> Option<&'static str> {
        let Self::Close { code, .. } = self else { return None };
        match code {
            1002 => Some("protocol"),
            1003 => Some("binary"),
            1007 => Some("not_utf8"),
            1008 => Some("flood"),
            1009 => Some("too_large"),
            1011 => Some("internal"),
            1013 => Some("slow_consumer"),
            _ => None,
        }
    }
}

/// A control frame has 125 bytes, two of them for the code.
const MAX_REASON_BYTES: usize = 123;

#[cfg(test)]
mod tests {
    use super::Ending;

    #[test]
    fn what_no_close_frame_may_have_is_not_sent() {
        for (given, sent) in
            [(1000, 1000), (4999, 4999), (0, 1011), (1004, 1011), (1005, 1011), (1015, 1011), (2999, 1011)]
        {
            assert_eq!(Ending::close(given, "bye"), Ending::Close { code: sent, reason: "bye".into() });
        }
        let Ending::Close { reason, .. } = Ending::close(1000, "ä".repeat(80)) else { panic!() };
        assert_eq!(reason, "ä".repeat(61));
    }
}
