//! The text of a frame as the reference server reads it.

// The server's own files: the rest of the server would take longer to build than these are fuzzed.
#[allow(dead_code, reason = "the server uses more of it")]
#[path = "../../tests/server/src/frame.rs"]
mod frame;
#[allow(dead_code, reason = "the server uses more of it")]
#[path = "../../tests/server/src/reliable/sequence.rs"]
mod reliable;

use reliable::{MAX_NUMBER, Numbers};

use crate::broken::with_lone_surrogates;

/// Reads a frame, and again with ill-formed strings; panics when something does not hold.
pub fn read(text: &str) {
    let numbers = read_one(text);
    if let Some(broken) = with_lone_surrogates(text) {
        let found = read_one(&broken);
        // An ill-formed string changes nothing about the place of a message, if that can be found at all.
        assert!(found == numbers || found == Numbers::Absent, "{numbers:?} became {found:?} in {broken}");
    }
}

fn read_one(text: &str) -> Numbers {
    let (numbers, envelope) = frame::frame(text);
    if let Numbers::Present(sequence) = numbers {
        assert!(sequence.prev < sequence.seq && sequence.seq <= MAX_NUMBER, "{sequence:?}");
    }
    match envelope {
        Ok(envelope) => assert!(envelope.kind.len() <= LONGEST_TYPE),
        Err(frame::Malformed(reason)) => assert!(reason.len() < LONGEST_REASON, "{reason}"),
    }
    numbers
}

/// docs/PROTOCOL.md, "Envelope".
const LONGEST_TYPE: usize = 128;
const LONGEST_REASON: usize = 400;
