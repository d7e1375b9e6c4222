//! The model server: it reads the text of frames as JSON, and answers in JSON.

use std::collections::BTreeMap;

use everwire::proto::{Sequence, SocketId};
use serde_json::json;

use crate::server_frames::{ack, welcome};
use crate::test_socket::Stage;
use crate::{Arrival, CLIENT_ID, Json, TestHarness};

/// How the server and the network behave from now on.
#[derive(Clone, Debug)]
pub struct ServerBehaviour {
    /// What becomes of attempts to connect.
    pub outcome: SocketOutcome,
    /// Whether pings are answered.
    pub answers_pings: bool,
    /// Whether the closing handshake is completed.
    pub completes_closing: bool,
    /// How long everything is on its way to the client.
    pub latency_ms: u64,
}

/// What becomes of an attempt to connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SocketOutcome {
    /// The connection is made.
    Accept,
    /// The browser reports 1006.
    Refuse,
    /// The handshake succeeds and the server closes with this code at once.
    Close(u16),
    /// Nothing happens, ever.
    Silent,
    /// The application's token function fails.
    NoToken,
    /// The application has no token: nobody is logged in.
    TokenAbsent,
    /// The handshake succeeds on a socket that takes no frames any more.
    AcceptAndTakeNothing,
}

impl Default for ServerBehaviour {
    fn default() -> Self {
        Self { outcome: SocketOutcome::Accept, answers_pings: true, completes_closing: true, latency_ms: 0 }
    }
}

impl ServerBehaviour {
    /// A server that says and does nothing on its own.
    pub const fn silent() -> Self {
        Self { outcome: SocketOutcome::Silent, answers_pings: false, completes_closing: false, latency_ms: 0 }
    }
}

impl TestHarness {
    pub(crate) fn answer_attempt(&mut self, id: SocketId) {
        match self.server.outcome {
            SocketOutcome::Accept => self.schedule(Arrival::Opened(id)),
            SocketOutcome::AcceptAndTakeNothing => {
                self.socket(id).room = 0;
                self.schedule(Arrival::Opened(id));
            }
            SocketOutcome::Refuse => self.schedule(Arrival::Closed(id, 1006)),
            SocketOutcome::Close(code) => {
                self.schedule(Arrival::Opened(id));
                self.schedule(Arrival::Closed(id, code));
            }
            SocketOutcome::Silent => {}
            SocketOutcome::NoToken => self.schedule(Arrival::Failed(id)),
            SocketOutcome::TokenAbsent => self.schedule(Arrival::TokenAbsent(id)),
        }
    }

    /// The client's own ping or hello.
    pub(crate) fn control_frame(&mut self, id: SocketId, text: &str) -> bool {
        let now = self.now;
        let frame: Json = serde_json::from_str(text).expect("the client writes JSON");
        assert!(frame["timestamp"].is_u64(), "{text}");
        let socket = self.socket(id);
        assert_eq!(socket.stage, Stage::Open, "a frame for a socket that is not open");
        match frame["type"].as_str() {
            Some("ping") => {
                assert_eq!(frame["data"], json!({}));
                socket.pings.push(now);
            }
            Some("hello") => self.check_hello(id, &frame["data"]),
            _ => panic!("nobody has asked for {text}"),
        }
        let is_taken = self.socket(id).room > 0;
        if is_taken {
            self.receive(id, &frame);
            if self.is_recording {
                self.socket(id).texts.push(text.to_owned());
            }
        }
        is_taken
    }

    /// Frames reach the server unless the line is cut.
    pub(crate) fn receive(&mut self, id: SocketId, frame: &Json) {
        if self.socket(id).is_cut {
            return;
        }
        match (frame["type"].as_str(), sequence_of(frame)) {
            (_, Some(sequence)) => self.process(id, sequence),
            (Some("ping"), None) if self.server.answers_pings => {
                self.schedule(Arrival::Text(id, json!({ "type": "pong", "data": {} }).to_string()));
            }
            (Some("hello"), None) => self.answer_hello(id, &frame["data"]),
            _ => {}
        }
    }

    /// The first hello of a connection names the position in each stream, and no other does.
    fn check_hello(&mut self, id: SocketId, data: &Json) {
        assert!(self.config.reliable, "nobody has asked for the reliable mode");
        assert_eq!(data["versions"], json!([1]));
        let resumes = !data["streams"].is_null();
        let positions: BTreeMap<_, _> = self.client().positions().map(|(name, at)| (name.clone(), at)).collect();
        assert!(!resumes || data["streams"] == json!(positions), "{data} of {positions:?}");
        let origin = data["client_id"].as_str().expect("a hello names a client id");
        let origin = (origin != CLIENT_ID).then(|| origin.to_owned());
        let mut words = String::from("hello");
        words.extend(origin.iter().map(|origin| format!(" as {origin}")));
        words.extend(positions.iter().filter(|_| resumes).map(|(name, at)| format!(" {name}={at}")));
        let breaks_contract = self.breaks_contract;
        let socket = self.socket(id);
        assert_eq!(resumes, socket.hellos.is_empty(), "the first hello of a connection resumes");
        assert!(resumes || breaks_contract || socket.window.is_some(), "a second hello before the first is answered");
        socket.hellos.push(words);
        if !breaks_contract {
            socket.hello(origin);
        }
    }

    fn answer_hello(&mut self, id: SocketId, data: &Json) {
        let Some(memory) = &self.memory else { return };
        let last = data["client_id"].as_str().and_then(|client_id| memory.last.get(client_id)).copied().unwrap_or(0);
        let mut streams: BTreeMap<_, _> = self.client().positions().map(|(name, at)| (name.clone(), at)).collect();
        streams.extend(memory.streams.clone());
        // The answers to a client id are carried by the connections that have named it.
        let own_stream = format!("client:{CLIENT_ID}");
        let socket = self.sockets.iter().find(|socket| socket.id == id);
        let carries_own = socket.is_some_and(|socket| socket.hellos.iter().any(|hello| !hello.starts_with("hello as")));
        streams.retain(|name, _| carries_own || *name != own_stream);
        streams.retain(|name, _| !memory.uncarried.contains(name));
        let mut welcome = welcome(memory.epoch, last, memory.window, json!(streams));
        for (limit, value) in [("max_bytes", memory.max_bytes), ("remember_ms", memory.remember_ms)] {
            if let Some(value) = value {
                welcome["data"][limit] = value.into();
            }
        }
        self.schedule(Arrival::Text(id, welcome.to_string()));
    }

    /// The server takes a message if its number is the next.
    fn process(&mut self, id: SocketId, Sequence { seq, prev }: Sequence) {
        let client_id = self.socket(id).origin.clone().unwrap_or_else(|| CLIENT_ID.to_owned());
        let Some(memory) = &mut self.memory else { return };
        let last = memory.last.entry(client_id).or_default();
        assert_eq!(*last, prev, "{seq} came too early, or twice");
        *last = seq;
        if memory.acknowledges {
            self.schedule(Arrival::Text(id, ack(seq).to_string()));
        }
    }
}

/// What the envelope of a message says of its place among the messages of its sender.
pub fn sequence_of(frame: &Json) -> Option<Sequence> {
    let seq = frame["seq"].as_u64()?;
    let prev = frame.get("prev").map_or(seq.saturating_sub(1), |prev| prev.as_u64().expect("the number before"));
    Some(Sequence { seq, prev })
}
