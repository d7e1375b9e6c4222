//! The names of members and the words of the protocol as strings of JavaScript: they cross as small numbers, and no text is copied.

use wasm_bindgen::prelude::*;

use crate::proto::wire::{Field, Word};

/// Declares a string enum of wasm-bindgen with the variants of an enum of the core. Which of the two a variant is missing in, the compiler
/// says; that the strings are the same, the test below.
macro_rules! mirror {
    ($(#[$doc:meta])* $name:ident of $core:ident { $($variant:ident = $code:literal,)* }) => {
        $(#[$doc])*
        #[wasm_bindgen(skip_typescript)]
        #[derive(Clone, Copy)]
        pub(super) enum $name {
            $($variant = $code,)*
        }

        impl From<$core> for $name {
            fn from(name: $core) -> Self {
                match name {
                    $($core::$variant => Self::$variant,)*
                }
            }
        }

        #[cfg(all(test, not(target_arch = "wasm32")))]
        impl $name {
            const CODES: &[($core, &str)] = &[$(($core::$variant, $code)),*];
        }
    };
}

mirror! {
    /// The name of a member.
    MemberName of Field {
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
    MemberWord of Word {
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

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::{Field, MemberName, MemberWord, Word};

    #[test]
    fn every_name_is_that_of_the_core() {
        assert_eq!((MemberName::CODES.len(), MemberWord::CODES.len()), (Field::ALL.len(), Word::ALL.len()));
        for (field, code) in MemberName::CODES {
            assert_eq!(field.code(), *code);
        }
        for (word, code) in MemberWord::CODES {
            assert_eq!(word.code(), *code);
        }
    }
}
