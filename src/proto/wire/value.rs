//! JSON as the platform keeps it.

use alloc::vec::Vec;
use core::fmt::Debug;

use crate::proto::coded::coded;

/// A string of the platform. Cloning copies no characters.
pub trait Text: Clone + PartialEq + Debug {
    /// Its size in UTF-8 bytes.
    fn utf8_len(&self) -> usize;

    /// The name of the stream with the answers to a client id: `client:{client_id}` (docs/PROTOCOL.md).
    fn client_stream(client_id: &Self) -> Self;

    /// Whether this is the name of such a stream, of whatever client id.
    fn is_client_stream(&self) -> bool;

    /// This JSON object with more members at its end.
    fn with_counts(&self, members: &[(Field, u64)]) -> Self;
}

/// A JSON value of the platform. Cloning copies nothing.
///
/// The readers answer for a member of an object, and as if there were none where the value is no object.
pub trait Value: Clone + Debug {
    /// What strings are.
    type Text: Text;

    /// The member, if it is one of the words that decide what a frame means.
    fn word(&self, field: Field) -> Word;

    /// Whether the member is there; `null` is.
    fn has(&self, field: Field) -> bool;

    /// The member, if it is an integer from 0 to 2⁵³ − 1.
    fn count(&self, field: Field) -> Option<u64>;

    /// The member, if it is a string.
    fn text(&self, field: Field) -> Option<Self::Text>;

    /// The member, if it is an object.
    fn object(&self, field: Field) -> Option<Self>;

    /// Every member of this object by its name, if each is an integer from 0 to 2⁵³ − 1.
    fn counts(&self) -> Option<Vec<(Self::Text, u64)>>;

    /// An object without members.
    fn empty() -> Self;

    /// This object with one more member.
    #[must_use]
    fn with_text(self, field: Field, text: &Self::Text) -> Self;

    /// This object with one more member.
    #[must_use]
    fn with_word(self, field: Field, word: Word) -> Self;

    /// This object with one more member.
    #[must_use]
    fn with_count(self, field: Field, count: u64) -> Self;

    /// This object with one more member, an array of one number.
    #[must_use]
    fn with_list_of(self, field: Field, count: u64) -> Self;

    /// This object with one more member, an object of named numbers.
    #[must_use]
    fn with_counts(self, field: Field, counts: &[(Self::Text, u64)]) -> Self;

    /// This object with one more member.
    #[must_use]
    fn with(self, field: Field, value: Self) -> Self;

    /// This object with one more member, `true`.
    #[must_use]
    fn with_true(self, field: Field) -> Self;

    /// The JSON text of this value.
    fn to_text(&self) -> Self::Text;
}

coded! {
    /// The names of members that the protocol reads or writes.
    ///
    /// Exhaustive: an implementation of [`Value`] has to know each.
    pub enum Field {
        /// What kind of event.
        Type = "type",
        /// What it says.
        Data = "data",
        /// When it was sent.
        Timestamp = "timestamp",
        /// Whether a reply is wanted.
        Request = "request",
        /// The stream that stores an event.
        Stream = "stream",
        /// Where in its stream.
        Offset = "offset",
        /// The number before.
        Prev = "prev",
        /// Who has caused an event, or says hello.
        ClientId = "client_id",
        /// The number of a message.
        Seq = "seq",
        /// The version that a server has chosen.
        Version = "version",
        /// The versions that a client speaks.
        Versions = "versions",
        /// The life of the server's memory.
        Epoch = "epoch",
        /// The last number that is processed.
        Last = "last",
        /// How many messages may be unacknowledged.
        Window = "window",
        /// The size of the largest message.
        MaxBytes = "max_bytes",
        /// How long the server remembers.
        RememberMs = "remember_ms",
        /// Positions by stream.
        Streams = "streams",
        /// How far a message has come.
        Status = "status",
        /// What an error is about.
        About = "about",
    }
}

coded! {
    /// The words that decide what a frame means; every other string is [`Word::Other`].
    ///
    /// Exhaustive: an implementation of [`Value`] has to know each.
    pub enum Word {
        /// The type of an answer to a ping.
        Pong = "pong",
        /// The type of an answer to a hello.
        Welcome = "welcome",
        /// The type of an acknowledgement.
        Ack = "ack",
        /// The type of a refusal, or of any other error.
        Error = "error",
        /// The type of a reply to a request.
        Reply = "reply",
        /// The type of a report how far a message has come.
        Receipt = "receipt",
        /// The type of a position outside of a welcome.
        Stream = "stream",
        /// The type of the question for the reliable mode.
        Hello = "hello",
        /// The type of the question whether the server is there.
        Ping = "ping",
        /// The status of a message that has reached another user.
        Delivered = "delivered",
        /// The status of a message that another user has read.
        Read = "read",
        /// Any other string, another value, or nothing.
        Other = "",
    }
}
