//! What servers of the reliable mode say (docs/PROTOCOL.md).

use serde_json::json;

use crate::Json;

/// The answer to a hello.
pub fn welcome(epoch: u64, last: u64, window: u32, streams: Json) -> Json {
    let mut welcome =
        json!({ "type": "welcome", "data": { "version": 1, "epoch": epoch, "last": last, "window": window } });
    welcome["data"]["streams"] = streams;
    welcome
}

/// An acknowledgement.
pub fn ack(seq: u64) -> Json {
    json!({ "type": "ack", "data": { "seq": seq } })
}

/// The reply to a request.
pub fn reply(seq: u64) -> Json {
    json!({ "type": "reply", "data": { "seq": seq, "result": {} } })
}

/// A message has been read.
pub fn receipt(seq: u64) -> Json {
    json!({ "type": "receipt", "data": { "seq": seq, "status": "read" } })
}

/// A message is refused.
pub fn refusal(seq: u64) -> Json {
    json!({ "type": "error", "data": { "message": "no", "code": "not_joined", "seq": seq } })
}

/// A stored event that follows the one before it.
pub fn event(stream: &str, offset: u64) -> Json {
    stored(json!({ "type": "notification", "data": { "text": format!("{stream} {offset}") } }), stream, offset)
}

/// A stored event after skipped offsets.
pub fn event_after(stream: &str, prev: u64, offset: u64) -> Json {
    let mut event = event(stream, offset);
    event["prev"] = prev.into();
    event
}

/// The frame with a place in a stream.
pub fn stored(mut frame: Json, stream: &str, offset: u64) -> Json {
    (frame["stream"], frame["offset"]) = (stream.into(), offset.into());
    frame
}

/// From where on the connection carries a stream.
pub fn position(stream: &str, offset: u64) -> Json {
    json!({ "type": "stream", "data": { "stream": stream, "offset": offset } })
}
