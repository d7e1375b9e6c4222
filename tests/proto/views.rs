//! What scenarios look at.

use everwire::proto::{Delivery, DropReason, Event, Phase, ProtocolViolation, Reason, RequestFailure, Sequence, Timer};
use serde_json::Value;

use crate::server::{Heard, Socket};
use crate::wire::{Envelope, label, stream_name};
use crate::world::World;

impl World {
    pub fn phase(&self) -> Phase {
        self.client.snapshot().phase
    }

    /// Milliseconds until the alarm, and its reason.
    pub fn due(&self) -> Option<(u64, Timer)> {
        self.alarm().map(|(at, timer)| (at.saturating_sub(self.now), timer))
    }

    pub const fn now(&self) -> u64 {
        self.now
    }

    pub fn live(&self) -> Option<&Socket> {
        self.sockets.iter().find(|socket| socket.is_live())
    }

    pub fn last(&self) -> &Socket {
        self.sockets.last().expect("an attempt was made")
    }

    /// What the latest socket took, pings apart.
    pub fn heard(&self) -> Vec<&str> {
        self.last().labels()
    }

    /// Number and wait of every scheduled attempt.
    pub fn reconnecting(&self) -> Vec<(u32, u64)> {
        self.pick(|event| match event {
            Event::Reconnecting { attempt, delay_ms } => Some((*attempt, *delay_ms)),
            _ => None,
        })
    }

    /// After how many attempts the client gave up, each time.
    pub fn gave_up(&self) -> Vec<u32> {
        self.pick(|event| if let Event::GaveUp { attempts } = event { Some(*attempts) } else { None })
    }

    pub fn dropped(&self) -> Vec<(String, DropReason)> {
        self.pick(|event| match event {
            Event::Dropped { message, reason } => Some((label(&message.frame), *reason)),
            _ => None,
        })
    }

    pub fn closes(&self) -> Vec<u16> {
        self.pick(|event| if let Event::Closed(close) = event { Some(close.code) } else { None })
    }

    pub fn opens(&self) -> usize {
        self.pick(|event| matches!(event, Event::Opened).then_some(())).len()
    }

    pub fn frames(&self) -> Vec<Value> {
        self.pick(|event| if let Event::Frame(Envelope(envelope)) = event { Some(envelope.clone()) } else { None })
    }

    pub fn delivery(&self) -> Delivery {
        self.client.snapshot().delivery
    }

    pub fn has_room(&self) -> bool {
        self.client.snapshot().has_room
    }

    pub fn queued(&self) -> usize {
        self.client.snapshot().queued
    }

    pub fn protocol_errors(&self) -> u32 {
        self.client.snapshot().protocol_errors
    }

    /// Why the last connection or attempt ended, in the client's words or with the server's code.
    pub fn end(&self) -> String {
        let close = self.client.snapshot().close.expect("something has ended").clone();
        match close.reason {
            Reason::Client(cause) => format!("{cause:?}"),
            Reason::Peer(_) => close.code.to_string(),
        }
    }

    /// What the latest socket took with the sequence in the envelopes: `4 after 2: note d`.
    pub fn numbered(&self) -> Vec<String> {
        let words = |heard: &Heard| match heard.sequence {
            Some(Sequence { seq, prev }) if prev + 1 == seq => format!("{seq}: {}", heard.label),
            Some(Sequence { seq, prev }) => format!("{seq} after {prev}: {}", heard.label),
            None => heard.label.clone(),
        };
        self.last().heard.iter().map(words).collect()
    }

    /// Every hello on the latest socket.
    pub fn hellos(&self) -> Vec<&str> {
        self.last().hellos.iter().map(String::as_str).collect()
    }

    /// The acknowledgements that the application was told of: `2`, `earlier 2`.
    pub fn acknowledged(&self) -> Vec<String> {
        self.pick(|event| match event {
            Event::Acknowledged { sender: None, seq } => Some(seq.to_string()),
            Event::Acknowledged { sender: Some(sender), seq } => Some(format!("{sender} {seq}")),
            _ => None,
        })
    }

    /// The messages that had waited and were sent, by number.
    pub fn transmitted(&self) -> Vec<u64> {
        self.pick(|event| if let Event::Transmitted { seq } = event { Some(*seq) } else { None })
    }

    /// Stream, first and last offset of what is missing.
    pub fn gaps(&self) -> Vec<(String, u64, Option<u64>)> {
        self.pick(|event| match event {
            Event::Gap { stream, from, to } => Some((stream_name(*stream), *from, *to)),
            _ => None,
        })
    }

    pub fn violations(&self) -> Vec<ProtocolViolation> {
        self.pick(|event| if let Event::ProtocolViolation(violation) = event { Some(*violation) } else { None })
    }

    pub fn failed_requests(&self) -> Vec<(u64, RequestFailure)> {
        self.pick(|event| match event {
            Event::RequestFailed { seq, failure } => Some((*seq, *failure)),
            _ => None,
        })
    }

    /// The type of every frame that the application was given, and what an event says.
    pub fn told(&self) -> Vec<String> {
        let words = |frame: &Value| {
            let kind = frame["type"].as_str().unwrap_or_default();
            frame["data"]["text"].as_str().unwrap_or(kind).to_owned()
        };
        self.frames().iter().filter(|frame| frame["type"] != "pong").map(words).collect()
    }

    fn pick<T>(&self, pick: impl Fn(&Event<String, Envelope>) -> Option<T>) -> Vec<T> {
        self.events.iter().filter_map(|(_, event)| pick(event)).collect()
    }
}
