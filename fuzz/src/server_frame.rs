//! The text of a frame as the reference server reads it.

#[allow(dead_code, reason = "the server uses more of it")]
#[path = "../../servers/axum/src/frame.rs"]
mod frame;

use serde_json::Value;

use crate::broken::with_lone_surrogates;
use crate::reliable::{MAX_NUMBER, Numbers};

/// Reads a frame, and again with ill-formed strings; panics when something does not hold.
pub fn read(text: &str) {
    let numbers = read_one(text);
    let Ok(Value::Object(mut object)) = serde_json::from_str(text) else { return };
    // Clients write the names of fields without escapes, and so the server looks for them.
    if !text.contains("\\u") {
        assert_eq!(numbers, Numbers::take_from(&mut object), "as the whole envelope has it");
    }
    if let Some(broken) = with_lone_surrogates(text) {
        // Whatever cannot be read in it, the place of a message in its row can.
        assert_eq!(read_one(&broken), numbers, "{broken}");
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
