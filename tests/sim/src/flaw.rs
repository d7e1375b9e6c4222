//! What a server can do wrong, to show that the simulation notices.

/// One mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// It processes duplicates.
    Dedupe,
    /// A stream that it has forgotten begins at 1 again.
    Offsets,
}

impl Flaw {
    /// All of them, by their names.
    pub const ALL: [(&'static str, Self); 2] = [("dedupe", Self::Dedupe), ("offsets", Self::Offsets)];
}
