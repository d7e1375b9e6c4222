//! What a server or a page can do wrong, to show that the simulation notices.

/// One mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// The server processes duplicates.
    Dedupe,
    /// A stream that the server has forgotten begins at 1 again.
    Offsets,
    /// The page leaves on disk what it has sent to a plain server.
    Outbox,
}

impl Flaw {
    /// All of them, by their names.
    pub const ALL: [(&'static str, Self); 3] =
        [("dedupe", Self::Dedupe), ("offsets", Self::Offsets), ("outbox", Self::Outbox)];
}
