//! Frames that no server of the protocol says, and what a client makes of each.

use serde_json::{Value, json};

use crate::downward_frame::{bad_names, client_id};
use crate::server_envelope;

/// Wrong fields: each is counted as malformed.
const MALFORMED: &[&str] = &[
    // A number that is none, or no count.
    r#"{"type":"ack"}"#,
    r#"{"type":"ack","data":{}}"#,
    r#"{"type":"ack","data":null}"#,
    r#"{"type":"ack","data":[1]}"#,
    r#"{"type":"ack","data":{"seq":"1"}}"#,
    r#"{"type":"ack","data":{"seq":1.5}}"#,
    r#"{"type":"ack","data":{"seq":-1}}"#,
    r#"{"type":"ack","data":{"seq":null}}"#,
    r#"{"type":"ack","data":{"seq":9007199254740992}}"#,
    r#"{"type":"ack","data":{"seq":1e300}}"#,
    r#"{"type":"ack","data":{"seq":{}}}"#,
    r#"{"type":"ack","seq":1,"data":{}}"#,
    r#"{"type":"reply","data":{"result":{}}}"#,
    r#"{"type":"reply","data":{"seq":0,"result":{}}}"#,
    r#"{"type":"error","data":{"message":"no","seq":0}}"#,
    r#"{"type":"receipt","data":{"seq":0,"status":"read"}}"#,
    r#"{"type":"reply","data":{"seq":true,"result":{}}}"#,
    r#"{"type":"error","data":{"message":"no","seq":"1"}}"#,
    r#"{"type":"error","data":{"message":"no","seq":null}}"#,
    r#"{"type":"error","data":{"message":"no","seq":-3,"about":"hello"}}"#,
    // How far a message has come.
    r#"{"type":"receipt","data":{"seq":1}}"#,
    r#"{"type":"receipt","data":{"seq":1,"status":"seen"}}"#,
    r#"{"type":"receipt","data":{"seq":1,"status":2}}"#,
    r#"{"type":"receipt","data":{"status":"read"}}"#,
    // Positions.
    r#"{"type":"stream"}"#,
    r#"{"type":"stream","data":{"offset":1}}"#,
    r#"{"type":"stream","data":{"stream":7,"offset":1}}"#,
    r#"{"type":"stream","data":{"stream":"user:0"}}"#,
    r#"{"type":"stream","data":{"stream":"user:0","offset":"1"}}"#,
    r#"{"type":"stream","data":{"stream":"user:0","offset":-1}}"#,
    r#"{"type":"stream","data":{"stream":"user:0","offset":9007199254740992}}"#,
    r#"{"type":"stream","stream":"user:0","offset":1}"#,
    // Welcomes.
    r#"{"type":"welcome"}"#,
    r#"{"type":"welcome","data":{}}"#,
    r#"{"type":"welcome","data":{"epoch":7,"last":0,"streams":{}}}"#,
    r#"{"type":"welcome","data":{"version":2,"epoch":7,"last":0,"streams":{}}}"#,
    r#"{"type":"welcome","data":{"version":1,"last":0,"streams":{}}}"#,
    r#"{"type":"welcome","data":{"version":1,"epoch":0,"last":0,"streams":{}}}"#,
    r#"{"type":"welcome","data":{"version":1,"epoch":7,"streams":{}}}"#,
    r#"{"type":"welcome","data":{"version":1,"epoch":7,"last":"0","streams":{}}}"#,
    r#"{"type":"welcome","data":{"version":1,"epoch":7,"last":0,"window":"wide","streams":{}}}"#,
    r#"{"type":"welcome","data":{"version":1,"epoch":7,"last":0,"max_bytes":0,"streams":{}}}"#,
    r#"{"type":"welcome","data":{"version":1,"epoch":7,"last":0,"remember_ms":0,"streams":{}}}"#,
    r#"{"type":"welcome","data":{"version":1,"epoch":7,"last":0,"streams":[]}}"#,
    r#"{"type":"welcome","data":{"version":1,"epoch":7,"last":0,"streams":{"user:0":-1}}}"#,
    r#"{"type":"welcome","data":{"version":1,"epoch":7,"last":0,"streams":{"user:0":"5"}}}"#,
    // Places of events.
    r#"{"type":"notification","data":{},"stream":"user:0"}"#,
    r#"{"type":"notification","data":{},"stream":"user:0","offset":"5"}"#,
    r#"{"type":"notification","data":{},"stream":"user:0","offset":0}"#,
    r#"{"type":"notification","data":{},"stream":"user:0","offset":9007199254740992}"#,
    r#"{"type":"notification","data":{},"stream":"user:0","offset":5,"prev":5}"#,
    r#"{"type":"notification","data":{},"stream":"user:0","offset":5,"prev":6}"#,
    r#"{"type":"notification","data":{},"stream":"user:0","offset":5,"prev":null}"#,
    r#"{"type":"notification","data":{},"stream":"user:0","offset":5,"prev":1.5}"#,
    r#"{"type":"notification","data":{},"stream":7,"offset":5}"#,
    r#"{"type":"notification","data":{},"stream":null,"offset":5}"#,
    r#"{"type":"reply","data":{"seq":1,"result":{}},"stream":{},"offset":5}"#,
];

/// What looks like a frame of the reliable mode and is an event of the application.
const IRRELEVANT: &[&str] = &[
    r#"{"type":"error"}"#,
    r#"{"type":"error","data":{"message":"slow down","code":"rate_limited"}}"#,
    r#"{"type":"error","data":{"message":"what","code":"unknown_type","about":"hello"}}"#,
    r#"{"type":"notification"}"#,
    r#"{"type":"notification","data":{"seq":1},"seq":1,"offset":5,"prev":9}"#,
    r#"{"type":"Ack","data":{"seq":1}}"#,
    r#"{"type":"ack ","data":{"seq":1}}"#,
    r#"{"type":"read","data":{"seq":1}}"#,
    r#"{"type":"hello","data":{"versions":[1]}}"#,
    r#"{"type":"ping","data":{}}"#,
    r#"{"type":"","data":{"type":"welcome"}}"#,
];

/// Texts that are no envelopes.
pub const NO_ENVELOPES: &[&str] = &[
    "",
    "null",
    "[]",
    "42",
    "\"welcome\"",
    "{",
    "{}",
    r#"{"type":1}"#,
    r#"{"type":null,"data":{}}"#,
    r#"{"data":{"seq":1}}"#,
    r#"{"type":"ack","data":{"seq":1}} and more"#,
    r#"{"type":"ack","data":{"seq":01}}"#,
    r#"{'type':'ack'}"#,
    "\u{feff}{\"type\":\"ack\"}",
];

pub fn malformed(turn: u32) -> Value {
    read(pick(MALFORMED, turn))
}

/// What a client of this page passes on and does not act on.
pub fn irrelevant(turn: u32, page: usize) -> Value {
    match IRRELEVANT.get(shuffled(turn) % (IRRELEVANT.len() + 1)) {
        Some(text) => read(text),
        // Only a stored event can be about what this client has done.
        None => server_envelope::caused_by(
            server_envelope::envelope("notification", json!({})),
            &client_id(page as u32),
            Some(1),
        ),
    }
}

/// What a server says about a stream that no client may follow: a position, or an event.
pub fn about_bad_stream(turn: u32) -> Value {
    let names: Vec<_> = bad_names().collect();
    let number = shuffled(turn);
    let name = &names[number % names.len()];
    if (number / names.len()).is_multiple_of(2) {
        server_envelope::position(name, 5)
    } else {
        server_envelope::stored(server_envelope::envelope("notification", json!({})), name, 5, 4)
    }
}

/// One of these, another at each of a server's turns.
pub fn pick(texts: &[&'static str], turn: u32) -> &'static str {
    texts[shuffled(turn) % texts.len()]
}

/// Turns that follow each other in steps of any size come to all that there is.
const fn shuffled(turn: u32) -> usize {
    (turn.wrapping_mul(0x9e37_79b1) >> 12) as usize
}

fn read(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use everwire::proto::wire::parse;

    use super::{IRRELEVANT, MALFORMED, NO_ENVELOPES, about_bad_stream, irrelevant, malformed};

    #[test]
    fn only_what_is_no_envelope_is_none() {
        for text in MALFORMED.iter().chain(IRRELEVANT) {
            assert!(parse(text).is_some(), "{text}");
        }
        for text in NO_ENVELOPES {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn every_frame_has_its_turn() {
        let count = |frames: &mut dyn Iterator<Item = String>| frames.collect::<std::collections::BTreeSet<_>>().len();
        assert_eq!(count(&mut (0..5_000).map(|turn| malformed(turn).to_string())), MALFORMED.len());
        assert_eq!(count(&mut (0..5_000).map(|turn| irrelevant(turn, 3).to_string())), IRRELEVANT.len() + 1);
        assert_eq!(count(&mut (0..5_000).map(|turn| about_bad_stream(turn).to_string())), 8);
    }
}
