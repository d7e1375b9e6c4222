//! What this user has read, as the server was told.

use alloc::borrow::ToOwned;
use alloc::string::String;

/// The latest receipt, and whether it may be lost.
#[derive(Debug, Default)]
pub struct Receipt {
    /// The server's id of the message, while nothing says that the server knows.
    message: Option<String>,
    is_in_doubt: bool,
}

impl Receipt {
    /// It goes out.
    pub fn tell(&mut self, message: &str) {
        *self = Self { message: Some(message.to_owned()), is_in_doubt: false };
    }

    /// A connection has ended on which nothing is acknowledged.
    pub const fn doubt(&mut self) {
        self.is_in_doubt = true;
    }

    /// The server has told of it.
    pub fn confirm(&mut self, message: &str) {
        if self.message.as_deref() == Some(message) {
            self.message = None;
        }
    }

    /// It is not to be told again: the server refuses it, or has lost its memory and may give the id to another message.
    pub fn forget(&mut self) {
        self.message = None;
    }

    /// The message of which to tell again.
    pub fn take_doubtful(&mut self) -> Option<String> {
        self.message.take_if(|_| self.is_in_doubt)
    }
}
