//! The conversations of docs/vectors, played with the shipped driver and decoder.

use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use everwire::proto::{Event, Input, Sent, wire};
use everwire_kit::{Json, ServerBehaviour, TestHarness, message};
use serde_json::json;

/// Plays the server's part of a conversation, and checks the client's.
struct Player {
    harness: TestHarness,
    /// What the application calls the status of each message, by its number.
    statuses: Vec<&'static str>,
    is_request: Vec<bool>,
    /// How many texts of the newest socket have been looked at.
    seen: usize,
    /// The types of events that the conversation speaks of.
    subscribed: BTreeSet<String>,
    delivered: Vec<Json>,
    gaps: Vec<Json>,
}

impl Player {
    fn new(steps: &[Json]) -> Self {
        let mut harness = TestHarness::asking(|_| {});
        harness.server = ServerBehaviour::silent();
        let subscribed = steps.iter().filter_map(|step| step["app"]["delivered"].as_str().map(str::to_owned)).collect();
        Self {
            harness,
            statuses: Vec::new(),
            is_request: Vec::new(),
            seen: 0,
            subscribed,
            delivered: Vec::new(),
            gaps: Vec::new(),
        }
    }

    fn play(&mut self, step: &Json) {
        let has = |name| step.get(name).is_some();
        if has("connect") {
            self.connect();
        } else if has("client") {
            self.expect_frame(&step["client"]);
        } else if has("server") {
            if step["lost"] != true {
                self.harness.push(step["server"].clone());
            }
        } else if has("cut") || has("restart") || has("close") {
            if self.harness.live().is_some() {
                self.harness.close(step["close"].as_u64().map_or(1006, |code| code.try_into().expect("a close code")));
            }
        } else if has("app") {
            self.application(&step["app"]);
        } else {
            // What the server's application does, its client hears of by frames.
            assert!(has("push") || has("forget"), "nobody knows this step");
        }
        self.follow();
    }

    /// Nothing is left over that no step has spoken of.
    fn end(self) {
        assert_eq!(&self.harness.last().texts[self.seen..], &[] as &[String], "said by the client");
        assert_eq!((self.delivered, self.gaps), (vec![], vec![]), "told to the application");
    }

    fn connect(&mut self) {
        let before = self.harness.sockets.len();
        self.harness.connect();
        for _ in 0..1_000 {
            if self.harness.sockets.len() == before {
                self.harness.advance(100);
            }
        }
        assert_eq!(self.harness.sockets.len(), before + 1, "a new connection");
        let socket = self.harness.last().id;
        self.harness.input(Input::SocketOpened { socket });
        self.seen = 0;
    }

    fn expect_frame(&mut self, expected: &Json) {
        let text = self.harness.last().texts.get(self.seen).unwrap_or_else(|| panic!("{expected} is not said"));
        let mut frame: Json = serde_json::from_str(text).expect("a client writes JSON");
        let time = frame.as_object_mut().and_then(|members| members.remove("timestamp"));
        assert!(time.is_some_and(|time| time.is_u64()), "{text}");
        assert_eq!(frame, *expected);
        self.seen += 1;
    }

    fn application(&mut self, step: &Json) {
        if let Some(event) = step["send"].as_str() {
            let mut message = message(event, step["data"].clone());
            let is_request = step["request"] == true;
            if is_request {
                message.frame = wire::request::<Json>(&event.to_owned(), step["data"].clone(), 1_700_000_000_000);
                message.policy.reply_within_ms = Some(30_000);
            }
            let (sent, seq) = self.harness.submit(message).expect("the message is accepted");
            assert_eq!(seq as usize, self.statuses.len() + 1);
            self.statuses.push(if sent == Sent::Now { "sent" } else { "queued" });
            self.is_request.push(is_request);
        } else if let Some(event) = step["delivered"].as_str() {
            let expected = json!({ "type": event, "data": step["data"] });
            assert!(!self.delivered.is_empty(), "{expected} is not delivered");
            assert_eq!(self.delivered.remove(0), expected);
        } else if let Some(gap) = step.get("gap") {
            // One welcome names several streams, in no order.
            let told = self.gaps.iter().position(|told| told == gap);
            self.gaps.remove(told.unwrap_or_else(|| panic!("{gap} is not among {:?}", self.gaps)));
        } else if let Some(count) = step["protocolErrors"].as_u64() {
            assert_eq!(u64::from(self.harness.protocol_errors()), count);
        }
        for (seq, status) in step["status"].as_object().into_iter().flatten() {
            let index = seq.parse::<usize>().expect("a number") - 1;
            assert_eq!(*status, self.statuses[index], "message {seq}");
        }
    }

    /// Takes note of what the application was told since.
    fn follow(&mut self) {
        let events = std::mem::take(&mut self.harness.events);
        events.into_iter().for_each(|(_, event)| self.note(event));
    }

    fn note(&mut self, event: Event<Json>) {
        match event {
            Event::Frame(frame) if self.subscribed.contains(frame["type"].as_str().unwrap_or_default()) => {
                self.delivered.push(json!({ "type": frame["type"], "data": frame["data"] }));
            }
            Event::Gap { stream, from, to } => self.gaps.push(json!({ "stream": stream, "from": from, "to": to })),
            Event::Transmitted { seq } => self.advance(seq, "sent"),
            Event::Acknowledged { origin: None, seq } => (1..=seq).for_each(|seq| self.advance(seq, "acknowledged")),
            Event::Receipt { seq, status: wire::ReceiptStatus::Delivered } => self.advance(seq, "delivered"),
            Event::Receipt { seq, status: wire::ReceiptStatus::Read } => self.advance(seq, "read"),
            Event::Replied { seq, .. } => self.finish(seq, "answered"),
            Event::Refused { seq, .. } => self.finish(seq, "refused"),
            Event::Dropped { message, .. } => self.finish(message.seq, "failed"),
            _ => {}
        }
    }

    /// Moves forward only, and not at all after an end; a request has no status but its answer.
    fn advance(&mut self, seq: u64, status: &'static str) {
        let index = seq as usize - 1;
        let rank = |status| ORDER.iter().position(|known| *known == status);
        let current = rank(self.statuses[index]);
        if !self.is_request[index] && current.is_some() && rank(status) > current {
            self.statuses[index] = status;
        }
    }

    fn finish(&mut self, seq: u64, status: &'static str) {
        self.statuses[seq as usize - 1] = status;
    }
}

const ORDER: [&str; 5] = ["queued", "sent", "acknowledged", "delivered", "read"];

#[test]
fn the_client_keeps_its_part_of_every_conversation() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/vectors");
    let mut played = 0;
    for entry in fs::read_dir(directory).expect("there are conversations") {
        let path = entry.expect("the directory can be read").path();
        if path.is_dir() {
            continue;
        }
        let vector: Json = serde_json::from_str(&fs::read_to_string(&path).expect("a text")).expect("JSON");
        if vector["side"] == "server" {
            continue;
        }
        let steps = vector["steps"].as_array().expect("steps");
        let mut player = Player::new(steps);
        for (number, step) in steps.iter().enumerate() {
            let answer = catch_unwind(AssertUnwindSafe(|| player.play(step)));
            assert!(answer.is_ok(), "{}, step {number}: {step}", path.display());
        }
        player.end();
        played += 1;
    }
    assert!(played > 10, "{played} conversations");
}
