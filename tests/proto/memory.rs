//! A server of the reliable mode: what it remembers, and what it says.

use std::collections::BTreeMap;

use everwire::proto::{Config, Input, Message, Phase, Sequence, SocketId};
use serde_json::{Value, json};

use crate::driver::Fact;
use crate::wire::{Envelope, stream_name, stream_number};
use crate::world::World;

/// What a server of the reliable mode remembers.
#[derive(Clone, Debug)]
pub struct Memory {
    pub epoch: u64,
    /// The highest sequence number that is processed, for every client id; the client's own is the empty one.
    pub last: BTreeMap<String, u64>,
    pub window: u32,
    /// What a welcome says of the streams.
    pub streams: BTreeMap<&'static str, u64>,
    /// Whether it acknowledges what it processes.
    pub acknowledges: bool,
    /// The streams that it no longer carries.
    pub uncarried: Vec<&'static str>,
    /// What a welcome says of the server's limits.
    pub max_bytes: Option<u64>,
    pub remember_ms: Option<u64>,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            epoch: 7,
            last: BTreeMap::new(),
            window: 128,
            streams: BTreeMap::new(),
            acknowledges: true,
            uncarried: Vec::new(),
            max_bytes: None,
            remember_ms: None,
        }
    }
}

impl World {
    /// A client that asks for the reliable mode of a server that knows it, and is open.
    pub fn reliable(change: impl FnOnce(&mut Config)) -> Self {
        let mut world = Self::asking(change);
        world.memory = Some(Memory::default());
        world.connect();
        world.advance(0);
        assert_eq!(world.phase(), Phase::Open);
        world
    }

    /// A client that asks for the reliable mode; its server does not know it.
    pub fn asking(change: impl FnOnce(&mut Config)) -> Self {
        Self::new(|config| {
            config.reliable = true;
            change(config);
        })
    }

    /// As [`World::reliable`], and the server acknowledges nothing on its own.
    pub fn taciturn() -> Self {
        let mut world = Self::reliable(|_| {});
        world.memory().acknowledges = false;
        world
    }

    pub fn memory(&mut self) -> &mut Memory {
        self.memory.as_mut().expect("the server knows the reliable mode")
    }

    /// What the server has processed of the client's own messages.
    pub fn processed(&self) -> u64 {
        self.memory.as_ref().and_then(|memory| memory.last.get("")).copied().unwrap_or(0)
    }

    /// What the client sends from now on gets lost on the way.
    pub fn cut(&mut self) {
        if let Some(socket) = self.sockets.iter_mut().find(|socket| socket.is_live()) {
            socket.is_cut = true;
        }
    }

    /// The connection is lost, and the next one is made.
    pub fn come_back(&mut self) {
        self.close(1006);
        self.try_again();
    }

    /// The scheduled attempt is made.
    pub fn try_again(&mut self) {
        let retry_at = self.client.snapshot().retry_at.expect("an attempt is scheduled");
        self.advance(retry_at.as_millis() - self.now);
    }

    /// The client is given what earlier pages have left.
    pub fn restore(&mut self, messages: impl IntoIterator<Item = Box<Message<String>>>) {
        self.has_restored = true;
        self.client.restore(messages.into_iter().collect(), self.time());
        self.perform();
    }

    pub fn cancel(&mut self, seq: u64) -> bool {
        let answer = self.client.cancel(seq, self.time());
        self.perform();
        answer
    }

    pub fn stored(&mut self, seq: u64) {
        self.client.stored(seq, self.time());
        self.perform();
    }

    pub fn forget(&mut self) {
        self.client.forget(self.time());
        self.perform();
    }

    /// The driver's way with a frame: the position in a `stream` is a fact of its own.
    pub fn hear(&mut self, socket: SocketId, frame: Value) {
        if frame["type"] == "stream" {
            let stream = stream_number(frame["data"]["stream"].as_str().expect("a name"));
            let offset = frame["data"]["offset"].as_u64().expect("a position");
            self.input(Input::Position { socket, stream, offset });
        } else {
            if frame["type"] == "welcome" {
                for (name, offset) in frame["data"]["streams"].as_object().into_iter().flatten() {
                    self.client.announce_position(stream_number(name), offset.as_u64().expect("a position"));
                }
            }
            self.input(Input::Frame { socket, payload: Envelope(frame) });
        }
    }

    /// The client says hello.
    pub fn greet(&mut self, id: SocketId, sender: Option<String>, resumes: bool) {
        assert!(self.config.reliable, "nobody has asked for the reliable mode");
        let mut words = String::from("hello");
        words.extend(sender.iter().map(|sender| format!(" as {sender}")));
        for (stream, position) in self.client.positions().filter(|_| resumes) {
            words += &format!(" {}={position}", stream_name(stream));
        }
        let socket = self.socket(id);
        assert_eq!(resumes, socket.hellos.is_empty(), "the first hello of a connection resumes");
        assert!(resumes || socket.room == 0 || socket.prev.is_some());
        socket.hellos.push(words);
        let Some(memory) = &self.memory else { return };
        let last = memory.last.get(&sender.clone().unwrap_or_default()).copied().unwrap_or(0);
        let mut streams: BTreeMap<_, _> =
            self.client.positions().map(|(stream, position)| (stream_name(stream), position)).collect();
        streams.extend(memory.streams.iter().map(|(name, position)| ((*name).to_owned(), *position)));
        streams.retain(|name, _| !memory.uncarried.contains(&name.as_str()));
        let mut welcome = welcome(memory.epoch, last, memory.window, json!(streams));
        for (limit, value) in [("max_bytes", memory.max_bytes), ("remember_ms", memory.remember_ms)] {
            if let Some(value) = value {
                welcome["data"][limit] = value.into();
            }
        }
        let socket = self.socket(id);
        (socket.prev, socket.sender) = (Some(last), sender.unwrap_or_default());
        if socket.room > 0 && !socket.is_cut {
            self.schedule(Fact::Frame(id, welcome));
        }
    }

    /// The server gets a message, and takes it if its number is the next.
    pub fn process(&mut self, id: SocketId, sequence: Option<Sequence>) {
        let Some(Sequence { seq, prev }) = sequence else { return };
        let socket = self.socket(id);
        assert!(prev < seq, "{seq} cannot follow {prev}");
        if let Some(before) = socket.prev.replace(seq) {
            assert_eq!(prev, before, "the number before {seq}");
        }
        let (sender, is_cut) = (socket.sender.clone(), socket.is_cut);
        let Some(memory) = self.memory.as_mut().filter(|_| !is_cut) else { return };
        let last = memory.last.entry(sender).or_default();
        assert_eq!(*last, prev, "{seq} came too early, or twice");
        *last = seq;
        if memory.acknowledges {
            self.schedule(Fact::Frame(id, ack(seq)));
        }
    }
}

pub fn welcome(epoch: u64, last: u64, window: u32, streams: Value) -> Value {
    let data = json!({ "version": 1, "epoch": epoch, "last": last, "window": window, "streams": streams });
    json!({ "type": "welcome", "data": data })
}

pub fn ack(seq: u64) -> Value {
    json!({ "type": "ack", "data": { "seq": seq } })
}

pub fn reply(seq: u64) -> Value {
    json!({ "type": "reply", "data": { "seq": seq, "result": {} } })
}

pub fn receipt(seq: u64) -> Value {
    json!({ "type": "receipt", "data": { "seq": seq, "status": "read" } })
}

pub fn refusal(seq: u64) -> Value {
    json!({ "type": "error", "data": { "message": "no", "code": "not_joined", "seq": seq } })
}

/// A stored event that follows the one before it.
pub fn event(stream: &str, offset: u64) -> Value {
    json!({ "type": "notification", "data": { "text": format!("{stream} {offset}") }, "stream": stream, "offset": offset })
}

/// A stored event after skipped offsets.
pub fn event_after(stream: &str, prev: u64, offset: u64) -> Value {
    let mut event = event(stream, offset);
    event["prev"] = prev.into();
    event
}

/// From where on the connection carries a stream.
pub fn position(stream: &str, offset: u64) -> Value {
    json!({ "type": "stream", "data": { "stream": stream, "offset": offset } })
}
