//! The names of members and the words of the protocol as strings of JavaScript: they cross as small numbers, and no text is copied.

use wasm_bindgen::prelude::*;

use crate::mirror::mirror;
use crate::proto::wire::{Field, Word};

mirror! {
    /// The name of a member.
    #[wasm_bindgen(skip_typescript)]
    pub(super) enum MemberName of Field {
        Type = "type",
        Data = "data",
        Timestamp = "timestamp",
        Request = "request",
        Stream = "stream",
        Offset = "offset",
        Prev = "prev",
        ClientId = "client_id",
        Seq = "seq",
        Version = "version",
        Versions = "versions",
        Epoch = "epoch",
        Last = "last",
        Window = "window",
        MaxBytes = "max_bytes",
        RememberMs = "remember_ms",
        Streams = "streams",
        Status = "status",
        About = "about",
    }
}

mirror! {
    /// A word that decides what a frame means.
    #[wasm_bindgen(skip_typescript)]
    pub(super) enum MemberWord of Word {
        Pong = "pong",
        Welcome = "welcome",
        Ack = "ack",
        Error = "error",
        Reply = "reply",
        Receipt = "receipt",
        Stream = "stream",
        Hello = "hello",
        Ping = "ping",
        Delivered = "delivered",
        Read = "read",
        Other = "",
    }
}

impl From<MemberWord> for Word {
    fn from(word: MemberWord) -> Self {
        match word {
            MemberWord::Pong => Self::Pong,
            MemberWord::Welcome => Self::Welcome,
            MemberWord::Ack => Self::Ack,
            MemberWord::Error => Self::Error,
            MemberWord::Reply => Self::Reply,
            MemberWord::Receipt => Self::Receipt,
            MemberWord::Stream => Self::Stream,
            MemberWord::Hello => Self::Hello,
            MemberWord::Ping => Self::Ping,
            MemberWord::Delivered => Self::Delivered,
            MemberWord::Read => Self::Read,
            // Any string that is none of these, and whatever is no string.
            _ => Self::Other,
        }
    }
}
