//! What the state machine learns of frames, whose text and payload stay in JavaScript.

use alloc::boxed::Box;

use crate::proto::{Inbound, Message, News, Place, Purpose};

/// The number that JavaScript has given to a frame, a session, a key or a sender.
pub(crate) type Text = u32;

/// A frame from the server.
pub(crate) struct Incoming {
    news: News,
    place: Option<Place>,
}

/// What a welcome says of its server, which JavaScript tells before the welcome itself.
#[derive(Clone, Copy, Default)]
pub(super) struct Limits {
    pub(super) max_bytes: u64,
    pub(super) remember_ms: u64,
}

impl Incoming {
    /// What `receive` in `host.js` says of a frame, by its number for it.
    pub(super) fn new(news: u32, [a, b, c]: [u64; 3], Limits { max_bytes, remember_ms }: Limits) -> Self {
        let place = (news == 16).then_some(Place { stream: a as u32, offset: b, prev: c });
        let news = match news {
            1 => News::Pong,
            2 => News::Welcome { epoch: a, last: b, window: c as u32, max_bytes, remember_ms },
            3 => News::HelloRefused,
            4 => News::Ack { seq: a },
            5 => News::Refused { seq: a },
            6 => News::Reply { seq: a },
            7 => News::Receipt { seq: a },
            8 => News::Malformed,
            _ => News::Event,
        };
        Self { news, place }
    }
}

impl Inbound for Incoming {
    fn news(&self) -> News {
        self.news
    }

    fn place(&self) -> Option<Place> {
        self.place
    }
}

/// The message with a frame, whose `kind` is what `purpose` in `host.js` says. `key` names the session that it joins or leaves, or
/// what it replaces; 0 is none.
pub(crate) fn message(frame: Text, bytes: u32, kind: u32, key: Text) -> Box<Message<Text>> {
    let purpose = match kind {
        1 => Purpose::Ephemeral,
        2 => Purpose::Join(key),
        3 => Purpose::Leave(key),
        _ => Purpose::Ordinary,
    };
    let mut message = Message::new(frame, bytes, purpose);
    message.policy.coalesce = (kind < 2 && key > 0).then_some(key);
    message
}
