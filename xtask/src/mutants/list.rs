//! What is done wrong on purpose.

/// One deliberate mistake: in this file of `src/proto`, this text becomes that.
pub struct Mutant {
    pub name: &'static str,
    pub file: &'static str,
    pub from: &'static str,
    pub to: &'static str,
}

/// What can be wrong around the client, and the name that the simulation has for it.
pub const FLAWS: &[(&str, &str)] = &[
    ("the server processes duplicates", "dedupe"),
    ("the server's forgotten streams start over", "offsets"),
    ("what was sent to a plain server stays on disk", "outbox"),
];

pub const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "an acknowledgement covers one message more",
        file: "reliable.rs",
        from: "self.in_flight.pop_front_if(|message| message.seq <= seq)",
        to: "self.in_flight.pop_front_if(|message| message.seq <= seq + 1)",
    },
    Mutant {
        name: "messages in flight end with their connection",
        file: "facts.rs",
        from: "        let code = close.code;\n",
        to: "        let code = close.code;\n        self.in_flight.clear();\n",
    },
    Mutant {
        name: "an acknowledgement of what was never sent is believed",
        file: "reliable.rs",
        from: "if seq > link.prev || seq < link.acked {",
        to: "if seq < link.acked {",
    },
    Mutant {
        name: "frames of a replaced socket are believed",
        file: "facts.rs",
        from: "if self.socket() != Some(arrived_on) || matches!",
        to: "if self.socket().is_none() || matches!",
    },
    Mutant {
        name: "the close of a replaced socket is believed",
        file: "facts.rs",
        from: "if self.socket() != Some(closed) {",
        to: "if self.socket().is_none() {",
    },
    Mutant {
        name: "what is sent again starts with the second message",
        file: "link.rs",
        from: "            window,\n            sent: 0,",
        to: "            window,\n            sent: 1,",
    },
    Mutant {
        name: "repeated events are delivered",
        file: "incoming.rs",
        from: "            Position::At(at) if place.offset <= at => return EventOrder::Repeated,\n",
        to: "",
    },
    Mutant {
        name: "a gap does not move the position",
        file: "incoming.rs",
        from: "            Position::At(at) if offset > at => PositionUpdate::Missing(at + 1, Some(offset)),",
        to: "            Position::At(at) if offset > at => return PositionUpdate::Missing(at + 1, Some(offset)),",
    },
    Mutant {
        name: "events before the welcome are delivered",
        file: "reliable.rs",
        from: "State::Handshake { .. }) if place.is_some() => return false,",
        to: "State::Handshake { .. }) if false => return false,",
    },
    Mutant {
        name: "prev is always one less",
        file: "link.rs",
        from: "        Sequence { seq, prev }\n",
        to: "        let _ = prev;\n        Sequence { seq, prev: seq - 1 }\n",
    },
    Mutant {
        name: "no acknowledgement is ever overdue",
        file: "link.rs",
        from: "        self.ack_by = self.ack_by.min(ack_by);\n",
        to: "",
    },
    Mutant {
        name: "the window is ignored",
        file: "link.rs",
        from: "self.sent < self.window as usize",
        to: "self.sent < 100_000",
    },
    Mutant {
        name: "sessions are not joined again",
        file: "reliable.rs",
        from: "        self.rejoin(socket);\n",
        to: "",
    },
    Mutant {
        name: "sessions are joined again after the queue",
        file: "reliable.rs",
        from: "        self.rejoin(socket);\n        self.pump(now);\n",
        to: "        self.pump(now);\n        self.rejoin(socket);\n",
    },
    Mutant {
        name: "sessions that were left are joined again",
        file: "sessions.rs",
        from: "self.joined.remove(index);",
        to: "let _ = index;",
    },
    Mutant {
        name: "messages of an earlier page go out under the own name",
        file: "reliable.rs",
        from: "let origin = next.and_then(|message| message.origin.clone());",
        to: "let origin: Option<M> = next.and(None);",
    },
    Mutant {
        name: "the second hello does not wait for acknowledgements",
        file: "sending.rs",
        from: "if self.in_flight.is_empty() {",
        to: "if true {",
    },
    Mutant {
        name: "frames of acknowledged messages are kept",
        file: "reliable.rs",
        from: "            self.outputs.push_back(Output::Release { frame, is_done: true });\n",
        to: "",
    },
    Mutant {
        name: "every reply is believed",
        file: "reliable.rs",
        from: "(!self.requests.remove(seq)).then_some(ProtocolViolation::UnexpectedReply)",
        to: "(!self.requests.remove(seq) && false).then_some(ProtocolViolation::UnexpectedReply)",
    },
    Mutant {
        name: "every protocol error is told",
        file: "reliable.rs",
        from: "self.recent_violations <= TOLD_VIOLATIONS",
        to: "self.recent_violations <= u32::MAX",
    },
    Mutant {
        name: "the death of a connection counts against a message",
        file: "close.rs",
        from: "matches!(code, UNSUPPORTED_DATA | INVALID_PAYLOAD",
        to: "matches!(code, ABNORMAL | UNSUPPORTED_DATA | INVALID_PAYLOAD",
    },
    Mutant {
        name: "a restart of the server counts against a message",
        file: "close.rs",
        from: "matches!(code, UNSUPPORTED_DATA | INVALID_PAYLOAD",
        to: "matches!(code, SERVICE_RESTART | UNSUPPORTED_DATA | INVALID_PAYLOAD",
    },
    Mutant {
        name: "a poisoned message is never given up",
        file: "suspicion.rs",
        from: "self.strikes >= MOST_STRIKES",
        to: "self.strikes >= 1_000",
    },
    Mutant {
        name: "a message is given up after two connections",
        file: "suspicion.rs",
        from: "self.strikes >= MOST_STRIKES",
        to: "self.strikes >= MOST_STRIKES - 1",
    },
    Mutant {
        name: "what may be to blame does not go out alone",
        file: "suspicion.rs",
        from: "seq <= self.until",
        to: "seq <= self.until && false",
    },
    Mutant {
        name: "the next message is blamed for what the one before has done",
        file: "suspicion.rs",
        from: "(self.head, self.strikes) = (head, 0);",
        to: "self.head = head;",
    },
    Mutant {
        name: "what is larger than the server takes is sent",
        file: "reliable.rs",
        from: "if u64::from(message.bytes) > max {",
        to: "if u64::from(message.bytes) > max && false {",
    },
    Mutant {
        name: "what the server may have forgotten is sent again",
        file: "reliable.rs",
        from: "is_unknowable.then_some(DropReason::OutcomeUnknown)",
        to: "(is_unknowable && false).then_some(DropReason::OutcomeUnknown)",
    },
    Mutant {
        name: "the age of a message does not count",
        file: "reliable.rs",
        from: "(is_forgotten || message.age_at(now) > forgets_after_ms)",
        to: "is_forgotten",
    },
    Mutant {
        name: "a position below the own is passed over in silence",
        file: "incoming.rs",
        from: "            Position::At(at) if offset == at => PositionUpdate::Complete,",
        to: "            Position::At(at) if offset <= at => PositionUpdate::Complete,",
    },
    Mutant {
        name: "a position below the own is ignored",
        file: "incoming.rs",
        from: "            Position::At(at) if offset == at => PositionUpdate::Complete,",
        to: "            Position::At(at) if offset <= at => return PositionUpdate::Complete,",
    },
    Mutant {
        name: "streams that a welcome leaves out are kept",
        file: "incoming.rs",
        from: "match core::mem::replace(position, Position::Unknown) {",
        to: "match if true { Position::Unknown } else { *position } {",
    },
    Mutant {
        name: "streams that a welcome leaves out are forgotten in silence",
        file: "incoming.rs",
        from: "(position, Position::Unknown) {\n            Position::At(at) | Position::EpochReset(at) => PositionUpdate::Missing(at.saturating_add(1), None),",
        to: "(position, Position::Unknown) {\n            Position::At(_) | Position::EpochReset(_) => PositionUpdate::Complete,",
    },
    Mutant {
        name: "what a welcome before has announced is believed with this one",
        file: "incoming.rs",
        from: "        self.announced.clear();\n",
        to: "",
    },
    Mutant {
        name: "there is no room after an earlier page's messages",
        file: "sending.rs",
        from: "None if is_reliable && self.origin.is_some() && self.in_flight.is_empty() => {",
        to: "None if is_reliable && self.origin.is_some() && false => {",
    },
    Mutant {
        name: "there is room in a full window",
        file: "sending.rs",
        from: "let has_turn = || self.has_window(link) && self.origin.is_none();",
        to: "let has_turn = || self.origin.is_none();",
    },
    Mutant {
        name: "what had waited is not said to be sent",
        file: "sending.rs",
        from: "                        if is_own {\n",
        to: "                        if is_own && false {\n",
    },
    Mutant {
        name: "what was under way to another kind of server is kept",
        file: "sending.rs",
        from: "if message.origin.is_some() || message.seq <= sent {",
        to: "if message.origin.is_some() || message.seq <= sent && false {",
    },
    Mutant {
        name: "a repeated acknowledgement is no sign of life",
        file: "reliable.rs",
        from: "        if seq > link.acked {\n",
        to: "        if seq == link.acked {\n            return;\n        }\n        if seq > link.acked {\n",
    },
];
