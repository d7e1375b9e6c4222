//! What travels.

/// One frame of a WebSocket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    Text(String),
    Binary(Vec<u8>),
}

impl Frame {
    /// Whether it is the first frame of an event, which is the only packet that can be as large as its application likes.
    pub fn is_event(&self) -> bool {
        matches!(self, Self::Text(text) if text.starts_with("42") || text.starts_with("45"))
    }

    pub fn bytes(&self) -> u32 {
        match self {
            Self::Text(text) => text.len() as u32,
            Self::Binary(bytes) => bytes.len() as u32,
        }
    }
}

/// To the server.
#[derive(Debug)]
pub enum Upward {
    Handshake,
    Frame(Frame),
    Close,
}

/// To the page.
#[derive(Debug)]
pub enum Downward {
    /// The WebSocket is open, which says nothing of the server of Socket.IO behind it.
    Handshake,
    Frame(Frame),
    /// What no server may send. It counts as one that the client has to report, or as none.
    Lie(Frame, bool),
    Close(u16),
}

/// The number that stands in an event, wherever the attachment has to be the same.
pub fn attachment(number: u64) -> Vec<u8> {
    number.to_le_bytes().to_vec()
}

/// The placeholders of attachments, each with a comma in front.
pub fn placeholders(attachments: u32) -> String {
    (0..attachments).map(|number| format!(r#",{{"_placeholder":true,"num":{number}}}"#)).collect()
}
