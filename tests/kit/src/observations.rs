//! What scenarios look at.

use everwire::proto::wire::ReceiptStatus;
use everwire::proto::{
    Delivery, DropReason, Event, Phase, ProtocolViolation, Reason, RequestFailure, Sequence, SocketId, Timer,
};

use crate::{Json, SentMessage, TestHarness, TestSocket, label};

impl TestHarness {
    /// The state of the connection.
    pub fn phase(&self) -> Phase {
        self.client().snapshot().phase
    }

    /// Milliseconds until the client wants to be woken, and why.
    pub fn due(&self) -> Option<(u64, Timer)> {
        self.deadline().map(|(at, timer)| (at.saturating_sub(self.now), timer))
    }

    /// The socket of this name.
    pub fn socket(&mut self, id: SocketId) -> &mut TestSocket {
        self.sockets.iter_mut().rfind(|socket| socket.id == id).expect("the client names sockets that it asked for")
    }

    /// The socket that the client has to do with.
    pub fn live(&self) -> Option<&TestSocket> {
        self.sockets.iter().rfind(|socket| socket.is_live())
    }

    /// The latest socket.
    pub fn last(&self) -> &TestSocket {
        self.sockets.last().expect("an attempt was made")
    }

    /// The messages that the latest socket took.
    pub fn heard(&self) -> Vec<String> {
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

    /// The messages that will not be sent, and why.
    pub fn dropped(&self) -> Vec<(String, DropReason)> {
        self.pick(|event| match event {
            Event::Dropped { message, reason } => Some((label(&message.frame), *reason)),
            _ => None,
        })
    }

    /// The close codes of every connection and attempt that ended.
    pub fn closes(&self) -> Vec<u16> {
        self.pick(|event| if let Event::Closed(close) = event { Some(close.code) } else { None })
    }

    /// How often the connection opened.
    pub fn opens(&self) -> usize {
        self.pick(|event| matches!(event, Event::Opened).then_some(())).len()
    }

    /// The frames that the application was given.
    pub fn frames(&self) -> Vec<Json> {
        self.pick(|event| if let Event::Frame(frame) = event { Some(frame.clone()) } else { None })
    }

    /// What the server of the latest connection can do.
    pub fn delivery(&self) -> Delivery {
        self.client().snapshot().delivery
    }

    /// Whether a message would be sent at once, or queued while there is no connection.
    pub fn has_room(&self) -> bool {
        self.client().snapshot().has_room
    }

    /// How many messages wait.
    pub fn queued(&self) -> usize {
        self.client().snapshot().queued
    }

    /// How often the server broke the protocol.
    pub fn protocol_errors(&self) -> u32 {
        self.client().snapshot().protocol_errors
    }

    /// The position in each stream.
    pub fn positions(&self) -> Vec<(&str, u64)> {
        self.client().positions().map(|(name, at)| (name.as_str(), at)).collect()
    }

    /// Why the last connection or attempt ended, in the client's words or with the server's code.
    pub fn end(&self) -> String {
        let close = self.client().snapshot().close.expect("something has ended").clone();
        match close.reason {
            Reason::Client(cause) => format!("{cause:?}"),
            Reason::Peer(_) => close.code.to_string(),
        }
    }

    /// What the latest socket took with the sequence in the envelopes: `4 after 2: note d`.
    pub fn numbered(&self) -> Vec<String> {
        let words = |sent: &SentMessage| match sent.sequence {
            Some(Sequence { seq, prev }) if prev + 1 == seq => format!("{seq}: {}", sent.label()),
            Some(Sequence { seq, prev }) => format!("{seq} after {prev}: {}", sent.label()),
            None => sent.label(),
        };
        self.last().sent.iter().map(words).collect()
    }

    /// Every hello on the latest socket.
    pub fn hellos(&self) -> Vec<&str> {
        self.last().hellos.iter().map(String::as_str).collect()
    }

    /// The acknowledgements that the application was told of: `2`, `earlier 2`.
    pub fn acknowledged(&self) -> Vec<String> {
        self.pick(|event| match event {
            Event::Acknowledged { origin: None, seq } => Some(seq.to_string()),
            Event::Acknowledged { origin: Some(origin), seq } => Some(format!("{origin} {seq}")),
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
            Event::Gap { stream, from, to } => Some((stream.clone(), *from, *to)),
            _ => None,
        })
    }

    /// How the server broke the protocol, as far as it was reported.
    pub fn violations(&self) -> Vec<ProtocolViolation> {
        self.pick(|event| if let Event::Violation(violation) = event { Some(*violation) } else { None })
    }

    /// The requests that were answered, by number.
    pub fn replied(&self) -> Vec<u64> {
        self.pick(|event| if let Event::Replied { seq, .. } = event { Some(*seq) } else { None })
    }

    /// The messages that the server has refused, by number.
    pub fn refused(&self) -> Vec<u64> {
        self.pick(|event| if let Event::Refused { seq, .. } = event { Some(*seq) } else { None })
    }

    /// How far messages have come beyond the server.
    pub fn receipts(&self) -> Vec<(u64, ReceiptStatus)> {
        self.pick(|event| if let Event::Receipt { seq, status } = event { Some((*seq, *status)) } else { None })
    }

    /// The requests that get no reply any more.
    pub fn failed_requests(&self) -> Vec<(u64, RequestFailure)> {
        self.pick(|event| match event {
            Event::RequestFailed { seq, failure } => Some((*seq, *failure)),
            _ => None,
        })
    }

    /// The type of every frame that the application was given, pongs apart, and what an event says.
    pub fn told(&self) -> Vec<String> {
        let words = |frame: &Json| {
            let kind = frame["type"].as_str().unwrap_or_default();
            frame["data"]["text"].as_str().unwrap_or(kind).to_owned()
        };
        self.frames().iter().filter(|frame| frame["type"] != "pong").map(words).collect()
    }

    fn pick<T>(&self, pick: impl Fn(&Event<Json>) -> Option<T>) -> Vec<T> {
        self.events.iter().filter_map(|(_, event)| pick(event)).collect()
    }
}
